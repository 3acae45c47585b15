"""Parcel means of 60 dates by exact shares of cells: a block of parcels at a time, and exactextract on fewer."""

from __future__ import annotations

import importlib.util
import json
from functools import partial
from pathlib import Path

import affine
import numpy as np
import shapely
from measure import Outcome, Way, WayFailedError

from qianmo.geo.fraction_blocks import fraction_blocks
from qianmo.geo.fractions import cell_fractions, weighted_mean

__all__ = ["ways"]

_DATES, _CELL_M, _PARCEL_M = 60, 10.0, 56.0
_AT_ONCE, _TOGETHER = 32_768, 10
_FEW = 2_000


def _mesh(count: int) -> tuple[np.ndarray, affine.Affine, tuple[int, int]]:
    """About `count` parcels of 0.31 ha with twelve corners that cover the ground without gaps, and the raster of 10 m beneath them."""
    side = int(np.ceil(np.sqrt(count)))
    rng = np.random.default_rng(5)
    # three lattice steps a parcel side, so that neighbours share bent borders
    lattice = np.moveaxis(np.meshgrid(np.arange(3 * side + 1), np.arange(3 * side + 1)), 0, -1) * (_PARCEL_M / 3)
    lattice = lattice + rng.uniform(-6.0, 6.0, lattice.shape)
    walk = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 3), (3, 2), (3, 1), (3, 0), (2, 0), (1, 0), (0, 0)]
    row, column = (3 * v.ravel()[:count] for v in np.indices((side, side)))
    rings = np.stack([lattice[row + a, column + b] for a, b in walk], axis=1)
    cells = int(np.ceil(side * _PARCEL_M / _CELL_M))
    return shapely.polygons(rings), affine.Affine(_CELL_M, 0, 0, 0, -_CELL_M, cells * _CELL_M), (cells, cells)


def _planes(rows: slice, columns: int, dates: range) -> np.ndarray:
    """Dates of an invented index over some rows, (dates, y, x) single precision; a quarter of the cells cloudy on each."""
    r, c = np.arange(rows.start, rows.stop, dtype=np.uint32)[:, None], np.arange(columns, dtype=np.uint32)[None, :]
    mixed = (r * np.uint32(2_654_435_761) ^ c * np.uint32(2_246_822_519)) >> np.uint32(7)
    texture = (mixed & np.uint32(1023)).astype(np.float32) / np.float32(5115.0)
    out = np.empty((len(dates), *texture.shape), dtype=np.float32)
    for k, d in enumerate(dates):
        out[k] = texture + np.float32(0.5 + 0.2 * np.cos(0.33 * d))
        out[k][((mixed >> np.uint32(10)) + np.uint32(d)) & np.uint32(3) == 0] = np.nan
    return out


def _by_house(given: tuple[np.ndarray, affine.Affine, tuple[int, int]]) -> Outcome:
    geoms, transform, shape = given
    out, cells = np.full((_DATES, len(geoms)), np.nan, dtype=np.float32), 0
    for block in fraction_blocks(geoms, transform, shape, at_once=_AT_ONCE):
        cells += len(block.fractions.cell)
        for first in range(0, _DATES, _TOGETHER):
            dates = range(first, min(first + _TOGETHER, _DATES))
            out[dates.start : dates.stop, block.polygon] = weighted_mean(block.fractions, _planes(block.rows, shape[1], dates))[0]
    return Outcome(float(np.mean([np.nanmean(row, dtype=float) for row in out])), {"shares": cells})


def _by_exactextract(given: tuple[np.ndarray, affine.Affine, tuple[int, int]]) -> Outcome:
    """Mean over parcels and dates of its means."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    geoms, _, shape = given
    side = shape[0] * _CELL_M
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(text)} for text in shapely.to_geojson(geoms)]
    planes = _planes(slice(0, shape[0]), shape[1], range(_DATES)).astype(float)
    sources = [NumPyRasterSource(plane, 0, 0, side, side, name=f"d{d}") for d, plane in enumerate(planes)]
    found = exact_extract(sources, features, ["mean"])
    total = np.array([list(f["properties"].values()) for f in found], dtype=float)
    return Outcome(float(np.nanmean(total, axis=0).mean()), {})


def _share_error(given: tuple[np.ndarray, affine.Affine, tuple[int, int]]) -> float:
    """Largest difference of a share of a cell from that of exactextract; fails above 1e-6."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    geoms, transform, shape = given
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(text)} for text in shapely.to_geojson(geoms)]
    ours, side, worst = cell_fractions(geoms, transform, shape), shape[0] * _CELL_M, 0.0
    told = exact_extract(NumPyRasterSource(np.ones(shape), 0, 0, side, side), features, ["cell_id", "coverage"])
    for k, feature in enumerate(told):
        both = np.zeros((2, shape[0] * shape[1]))
        part = slice(ours.start[k], ours.start[k + 1])
        both[0, ours.cell[part]] = ours.share[part]
        both[1, feature["properties"]["cell_id"]] = feature["properties"]["coverage"]
        worst = max(worst, float(np.abs(both[0] - both[1]).max()))
    if worst > 1e-6:
        raise WayFailedError(f"shares differ from those of exactextract by {worst:.2g}")
    return worst


def ways(size: int, cache: Path) -> list[Way]:
    """Ours on as many parcels as asked for; ours and exactextract on few."""
    few, many = _mesh(min(size, _FEW)), _mesh(size)
    warm = partial(_by_house, _mesh(20))
    made = [Way("signals", "qianmo", len(few[0]), partial(_by_house, few), warm, tolerance=1e-6)]
    if importlib.util.find_spec("exactextract"):
        made.append(Way("signals", "exactextract", len(few[0]), partial(_by_exactextract, few), tolerance=1e-6))
        made.append(Way("shares", "largest difference of ours from exactextract's", len(few[0]), partial(_share_error, few)))
    return made if len(many[0]) == len(few[0]) else [*made, Way("signals", "qianmo", len(many[0]), partial(_by_house, many), warm, tolerance=1e-6)]
