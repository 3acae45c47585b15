"""Land class of every cell of an invented township, following the terrain (虚拟地类分布)."""

from __future__ import annotations

import numpy as np

from qianmo.geo.grid import Grid
from qianmo.village.settle import Settlement, nearness
from qianmo.village.terrain import Landscape, noise, sampled, stream_distance, waves

__all__ = ["cell_classes"]

_TOWN = {
    "0701": 0.34,
    "0702": 0.16,
    "05H1": 0.10,
    "0601": 0.14,
    "08H2": 0.05,
    "08H1": 0.04,
    "0809": 0.03,
    "0810": 0.04,
    "0508": 0.03,
    "1201": 0.07,
}
_VILLAGE = {"0702": 0.78, "1201": 0.08, "08H1": 0.02, "08H2": 0.02, "0601": 0.03, "1202": 0.02, "0103": 0.05}
_VALLEY = {"0101": 0.89, "1104": 0.025, "0103": 0.035, "0102": 0.02, "1202": 0.012, "0201": 0.01, "0404": 0.008}
_GENTLE = {"0103": 0.60, "0101": 0.12, "0201": 0.14, "0301": 0.08, "0404": 0.03, "0201K": 0.03}
_HILL = {"0301": 0.72, "0307": 0.10, "0103": 0.08, "0305": 0.05, "0202": 0.03, "0404": 0.02}
_STEEP = {"0301": 0.84, "0305": 0.09, "0307": 0.05, "0404": 0.014, "1206": 0.006}
_LIMITS = (3.0, 7.0, 15.0)
_BUILT_SLOPE = 14.0


def cell_classes(land: Landscape, place: Settlement, slope: Grid, points: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Class of each cell in scheme SD3 (地类).

    Houses round the nuclei, paddy and ponds on valley floors, dry land, orchards and tea on gentle slopes, forest on
    hills, shrub on the steepest ground; clusters come from smooth noise. Shares are invented but of the kind a hilly
    southern township shows.

    Parameters
    ----------
    slope : Grid
        Slope in degrees.
    points : ndarray, shape (n, 2)
        Seeds of the cells. [m]

    Returns
    -------
    ndarray, shape (n,), object
        Class codes.
    """
    degrees = sampled(slope, points)
    zone = np.digitize(degrees, _LIMITS)
    classes = np.empty(len(points), dtype=object)
    for k, mix in enumerate((_VALLEY, _GENTLE, _HILL, _STEEP)):
        classes[zone == k] = _drawn(mix, int((zone == k).sum()), rng)
    _cluster(classes, points, zone, stream_distance(land, points), rng)
    near, town = nearness(place, points)
    built = (near * np.exp(rng.normal(0, 0.12, len(points))) < 1) & (degrees < _BUILT_SLOPE)
    for is_town, mix in ((True, _TOWN), (False, _VILLAGE)):
        mine = built & (town == is_town)
        classes[mine] = _drawn(mix, int(mine.sum()), rng)
    return classes


def _cluster(classes: np.ndarray, points: np.ndarray, zone: np.ndarray, away: np.ndarray, rng: np.random.Generator) -> None:
    spans = ((300.0, 1200.0), (300.0, 1200.0), (500.0, 2500.0), (300.0, 900.0), (2500.0, 6000.0))
    orchard, tea, bamboo, terrace, mine = (noise(waves(16, span, rng), points) for span in spans)
    farm = np.isin(classes, ("0101", "0103"))
    classes[(zone == 0) & (orchard > 1.5) & farm] = "0201"
    classes[(zone == 1) & (orchard > 0.7) & farm] = "0201"
    classes[(zone == 2) & (orchard > 0.9)] = "0201"
    classes[(zone >= 1) & (zone <= 2) & (tea > 1.6)] = "0202"
    classes[(zone >= 2) & (bamboo > 1.1) & (classes == "0301")] = "0302"
    classes[(zone >= 1) & (zone <= 2) & (terrace > 1.2) & (away < 600) & farm] = "0101"
    classes[(zone == 3) & (terrace > 2.0) & (away < 700)] = "0103"
    quarry = np.flatnonzero((zone >= 2) & (mine > np.quantile(mine, 0.999)))
    classes[quarry] = "0602"


def _drawn(mix: dict[str, float], count: int, rng: np.random.Generator) -> np.ndarray:
    shares = np.array(list(mix.values()))
    return np.array(list(mix), dtype=object)[rng.choice(len(mix), size=count, p=shares / shares.sum())]
