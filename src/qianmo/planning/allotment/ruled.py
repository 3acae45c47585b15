"""Crooked blocks cut by rulings that run from the road to the far side (弯曲地块的辐射分地).

Where parallel lines would cross a block twice, each cut line joins points at the same share of the length of the road
side and of the far side. The value behind a ruling rises with that share; its place is found by bracketing on overlays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.optimize import brentq

from qianmo.planning.allotment.frontage import Frontage
from qianmo.planning.allotment.partition import Partition, refuse_narrow
from qianmo.planning.allotment.profile import ValueProfile
from qianmo.schema.errors import SchemaError, TopologyError

__all__ = ["Ruling", "least_ruled_lot", "ruled_partition", "ruled_profile", "ruling_of"]

_BACK_TURN_DEG = 135.0
_SAMPLES = 160
_MARGIN = 1.02


@dataclass(frozen=True, eq=False)
class Ruling:
    """Road side and far side of a crooked block, both from the same end (辐射线).

    Parameters
    ----------
    front, back : (k, 2), (m, 2) float
        Corners in order. [m]
    left, right : (p, 2), (q, 2) float
        End sides from front to back. [m]
    """

    front: np.ndarray
    back: np.ndarray
    left: np.ndarray
    right: np.ndarray


def ruling_of(block: shapely.Polygon, frontage: Frontage, *, block_id: str = "") -> Ruling:
    """Sides of a crooked block: the far side begins where the border has turned by 135° from the road (辐射线划分).

    Raises
    ------
    TopologyError
        The block has holes, or no far side.
    """
    if len(block.interiors):
        raise TopologyError(f"block {block_id or '?'} is crooked and has holes", expected="a block without holes", cure="去除地块内的孔洞, 或用田间路分块")
    ring = np.asarray(shapely.orient_polygons(block).exterior.coords)[:-1, :2]
    front = frontage.main
    start = int(np.argmin(np.linalg.norm(ring - front[-1], axis=1)))
    rest = np.roll(ring, -start, axis=0)
    end = int(np.argmin(np.linalg.norm(rest - front[0], axis=1)))
    rest = rest[: end + 1]
    right = _corner(rest, front[-1] - front[-2])
    left = len(rest) - 1 - _corner(rest[::-1], front[0] - front[1])
    if right >= left:
        raise TopologyError(f"block {block_id or '?'} has no far side", expected="a road side, two ends and a far side", cure="用田间路把地块分成较规整的几块")
    return Ruling(front, rest[right : left + 1][::-1], rest[left:][::-1], rest[: right + 1])


def ruled_partition(
    block: shapely.Polygon, values: np.ndarray, pieces: np.ndarray, unit_value: np.ndarray, ruling: Ruling, *, width_min_m: float = 0.0,
    block_id: str = "", names: tuple[str, ...] = (),
) -> Partition:  # fmt: skip
    """Cut a crooked block by rulings so that every lot has its value (弯曲地块分地).

    Parameters and errors are those of `partition`; the width of a lot is the least distance between its side lines.

    Returns
    -------
    Partition
        `axis` is NaN; `cuts` are shares of the length of both sides, 0 to 1. Relative error of a value below 1e-8.
    """
    share = np.asarray(values, dtype=float)
    if not len(share) or not (np.isfinite(share) & (share > 0)).all():
        raise SchemaError(f"block {block_id or '?'}: lots without a value above 0", expected="values above 0")
    total = float(shapely.area(pieces) @ unit_value)
    targets = np.cumsum(share)[:-1] / share.sum() * total
    cuts = [0.0]
    for target in targets:
        cuts.append(_place(ruling, pieces, unit_value, float(target), cuts[-1], block_id))
    at = np.array([*cuts, 1.0])
    lots = np.array([_between(ruling, a, b) for a, b in zip(at[:-1], at[1:])], dtype=object)
    whole = shapely.union_all(lots) if shapely.is_valid(lots).all() else shapely.Polygon()
    if shapely.symmetric_difference(whole, block).area > 1e-7 * block.area or abs(shapely.area(lots).sum() - block.area) > 1e-7 * block.area:
        raise TopologyError(f"block {block_id or '?'}: rulings cross or leave the block", expected="a block that rulings sweep once", cure="在转折处用田间路分成两块")
    sides = shapely.linestrings(np.stack([_points(ruling.front, at), _points(ruling.back, at)], axis=1)).astype(object)
    sides[0], sides[-1] = shapely.LineString(ruling.left), shapely.LineString(ruling.right)
    width = shapely.distance(sides[:-1], sides[1:])
    front = np.diff(at) * _length(ruling.front)
    refuse_narrow(width, front, width_min_m, block_id, names or tuple(str(k + 1) for k in range(len(share))))
    return Partition(lots, at, width, front, np.full(2, np.nan))


def ruled_profile(ruling: Ruling, pieces: np.ndarray, unit_value: np.ndarray, *, block_id: str = "") -> ValueProfile:
    """Value behind rulings by metres of road side, linear between 160 samples: for the order of owners only (辐射价值曲线)."""
    at = np.linspace(0, 1, _SAMPLES + 1)
    behind = np.array([0.0, *(_behind(ruling, pieces, unit_value, t, block_id) for t in at[1:])])
    behind = np.maximum.accumulate(behind)
    metres = at * _length(ruling.front)
    density = np.diff(behind) / np.diff(metres)
    return ValueProfile(metres, density, density, behind)


def least_ruled_lot(ruling: Ruling, profile: ValueProfile, width: float) -> float:
    """About the most value between rulings that are `width` apart, a little on the safe side (辐射最小宗块)."""
    at = np.linspace(0, 1, _SAMPLES + 1)
    line = shapely.linestrings(np.stack([_points(ruling.front, at), _points(ruling.back, at)], axis=1))
    best = 0.0
    for k in range(_SAMPLES):
        wide = np.flatnonzero(shapely.distance(line[k], line[k + 1 :]) >= width)
        reach = k + 1 + int(wide[0]) if len(wide) else _SAMPLES
        best = max(best, float(profile.total_to[reach] - profile.total_to[k]))
    return min(best * _MARGIN, profile.total)


def _place(ruling: Ruling, pieces: np.ndarray, unit: np.ndarray, target: float, low: float, block_id: str) -> float:
    return float(brentq(lambda t: _behind(ruling, pieces, unit, t, block_id) - target, low, 1.0, xtol=1e-14, rtol=1e-14))


def _behind(ruling: Ruling, pieces: np.ndarray, unit: np.ndarray, t: float, block_id: str) -> float:
    if t <= 0:
        return 0.0
    swept = _between(ruling, 0.0, t)
    if not swept.is_valid:
        raise TopologyError(f"block {block_id or '?'}: rulings cross", expected="a block that rulings sweep once", cure="在转折处用田间路分成两块")
    return float(shapely.area(shapely.intersection(pieces, swept)) @ unit)


def _between(ruling: Ruling, a: float, b: float) -> shapely.Polygon:
    """The part of the block between two rulings."""
    left = ruling.left[1:-1] if a <= 0 else np.empty((0, 2))
    right = ruling.right[1:-1] if b >= 1 else np.empty((0, 2))
    return shapely.Polygon([*_stretch(ruling.front, a, b), *right, *_stretch(ruling.back, a, b)[::-1], *left[::-1]])


def _stretch(chain: np.ndarray, a: float, b: float) -> np.ndarray:
    along = _along(chain)
    inner = chain[(along > a * along[-1]) & (along < b * along[-1])]
    ends = _points(chain, np.array([a, b]))
    return np.vstack([ends[:1], inner, ends[1:]])


def _points(chain: np.ndarray, share: np.ndarray) -> np.ndarray:
    along = _along(chain)
    return np.column_stack([np.interp(share * along[-1], along, chain[:, k]) for k in (0, 1)])


def _along(chain: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(chain, axis=0), axis=1))])


def _length(chain: np.ndarray) -> float:
    return float(_along(chain)[-1])


def _corner(chain: np.ndarray, way: np.ndarray) -> int:
    """First corner after which the border runs back, by 135° or more from the way of the road."""
    step = np.diff(chain, axis=0)
    back = step @ way <= np.cos(np.radians(_BACK_TURN_DEG)) * np.linalg.norm(step, axis=1) * np.linalg.norm(way)
    return int(np.argmax(back)) if back.any() else len(chain) - 1
