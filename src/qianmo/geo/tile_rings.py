"""Rings of a layer in whole units of the web map's world square, and the part of them in one tile (瓦片环)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

__all__ = ["EXTENT", "MAX_ZOOM", "TileRings", "TileShapes", "joined_rings", "rows_in", "tile_of", "tile_rings", "tile_shapes", "tile_window"]

EXTENT = 4096
"""Units along the side of a tile."""

MAX_ZOOM = 18
"""Deepest zoom: one unit of the tile is one unit of the world square there."""

_WORLD = EXTENT << MAX_ZOOM
_HALF_M = math.pi * 6378137.0
_MARGIN = 64
"""How far a tile looks over its border. [units of the tile]"""

_REACH = 1024
"""How far a shape may stick out of the tile before it is clipped. [units of the tile]"""

_BLOCK = 256


@dataclass(frozen=True, eq=False)
class TileRings:
    """A layer ready for tiles (瓦片几何). World units: x east, y south, 0 to 2^30; about 3.7 cm at the equator.

    `kind` is 1 points, 2 lines, 3 polygons; `xy` all vertices, rings open; `start` the first vertex of each ring and the
    end; `ring_row` the row of each ring, in order; `hole` marks inner rings; `row_start` the first ring of each row and
    the end; `box` x0, y0, x1, y1 of each row, inside out where it is empty.
    """

    kind: int
    xy: np.ndarray
    start: np.ndarray
    ring_row: np.ndarray
    hole: np.ndarray
    row_start: np.ndarray
    box: np.ndarray

    @cached_property
    def blocks(self) -> np.ndarray:
        """The box around every 256 rows that follow one another, as four arrays; neighbours in a file often lie together."""
        count = self.box.shape[1]
        first = np.arange(0, count, _BLOCK)
        low, high = np.minimum.reduceat, np.maximum.reduceat
        return np.stack([f(self.box[k], first) for k, f in enumerate((low, low, high, high))]) if count else self.box


@dataclass(frozen=True, eq=False)
class TileShapes:
    """The rings of one tile in units of the tile (瓦片内几何): vertices, first vertex of each ring and the end, row and hole of each ring."""

    xy: np.ndarray
    start: np.ndarray
    ring_row: np.ndarray
    hole: np.ndarray


def tile_rings(mercator_geoms: np.ndarray) -> TileRings:
    """A layer's geometries in web mercator as rings in world units (瓦片几何).

    Parameters
    ----------
    mercator_geoms : ndarray of geometry, n
        EPSG:3857; missing ones have no rings. The most common kind (point, line, polygon) is drawn, others are left out. [m]
    """
    parts, rows = shapely.get_parts(np.asarray(mercator_geoms, dtype=object), return_index=True)
    kinds = np.select([np.isin(shapely.get_type_id(parts), [0]), np.isin(shapely.get_type_id(parts), [1, 2])], [1, 2], default=3)
    kinds[shapely.get_type_id(parts) < 0] = 0
    kind = int(np.bincount(kinds[kinds > 0], minlength=4).argmax()) if (kinds > 0).any() else 3
    parts, rows = parts[kinds == kind], rows[kinds == kind]
    hole = np.zeros(len(parts), bool)
    if kind == 3:
        oriented = shapely.orient_polygons(parts, exterior_cw=True)
        parts, owner = shapely.get_rings(oriented, return_index=True)
        hole = np.diff(owner, prepend=-1) == 0
        rows = rows[owner]
    xy, ring = shapely.get_coordinates(parts, return_index=True)
    units = np.column_stack([xy[:, 0] / _HALF_M + 1.0, 1.0 - xy[:, 1] / _HALF_M]) * (_WORLD / 2)
    units = np.rint(np.clip(units, 0, _WORLD - 1)).astype(np.int32)
    last = np.diff(ring, append=-1) != 0
    if kind == 3:
        units, ring = units[~last], ring[~last]
    start = np.searchsorted(ring, np.arange(len(parts) + 1))
    row_start = np.searchsorted(rows, np.arange(len(mercator_geoms) + 1))
    return TileRings(kind, units, start, rows.astype(np.int64), hole, row_start, _boxes(units, start, row_start))


def joined_rings(parts: Sequence[TileRings]) -> TileRings:
    """Parts of one layer as one, rows in the order of the parts (瓦片几何合并). Parts of another kind than the first lose their rings."""
    kind = max(parts, key=lambda p: len(p.xy)).kind
    rows = np.cumsum([0, *(p.box.shape[1] for p in parts)])
    kept = [(p, first) for p, first in zip(parts, rows) if p.kind == kind]
    start, row_start, vertices = [np.zeros(1, np.int64)], np.zeros(rows[-1] + 1, np.int64), 0
    box = np.full((4, rows[-1]), -1, np.int32)
    box[:2] = np.iinfo(np.int32).max
    for part, first in kept:
        start.append(part.start[1:] + vertices)
        row_start[first + 1 : first + part.box.shape[1] + 1] = np.diff(part.row_start)
        box[:, first : first + part.box.shape[1]] = part.box
        vertices += len(part.xy)
    joined = [np.concatenate([getattr(p, name) for p, _ in kept]) for name in ("xy", "hole")]
    ring_row = np.concatenate([p.ring_row + first for p, first in kept])
    return TileRings(kind, joined[0], np.concatenate(start), ring_row, joined[1], np.cumsum(row_start), box)


def tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile that holds a place (所在瓦片). [degree]"""
    x = (lon + 180.0) / 360.0
    y = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0
    return int(x * (1 << zoom)), int(y * (1 << zoom))


def tile_window(zoom: int, column: int, row: int, *, margin: int = _MARGIN) -> tuple[int, int, int, int]:
    """World units x0, y0, x1, y1 of a tile with `margin` units of the tile around it (瓦片范围)."""
    shift = MAX_ZOOM - zoom
    return ((column * EXTENT - margin) << shift, (row * EXTENT - margin) << shift,
            ((column + 1) * EXTENT + margin) << shift, ((row + 1) * EXTENT + margin) << shift)  # fmt: skip


def rows_in(rings: TileRings, window: tuple[int, int, int, int]) -> np.ndarray:
    """Rows whose box meets a window of world units, in order."""
    near = np.flatnonzero(_meets(rings.blocks, window))
    rows = (near[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    rows = rows[: np.searchsorted(rows, rings.box.shape[1])]
    return rows[_meets(rings.box[:, rows], window)]


def tile_shapes(rings: TileRings, rows: np.ndarray, zoom: int, column: int, row: int, *, coarse: int = 0) -> TileShapes:
    """Rings of some rows in the units of one tile, those that reach far out clipped (瓦片内几何).

    Parameters
    ----------
    rows : ndarray of int, ascending
        Rows that meet the tile.
    coarse : int
        Vertices are moved to multiples of 2 to this power; neighbours stay side by side.

    Returns
    -------
    TileShapes
        Rings that fell together to a point or a line are left out, with the holes in them.
    """
    x0, y0, x1, y1 = tile_window(zoom, column, row, margin=_REACH)
    box = rings.box[:, rows]
    far = (box[0] < x0) | (box[1] < y0) | (box[2] > x1) | (box[3] > y1)
    far &= rings.kind > 1
    origin = np.array([(column * EXTENT) << (MAX_ZOOM - zoom), (row * EXTENT) << (MAX_ZOOM - zoom)], np.int64)
    near = _rounded(_taken(rings, rows[~far], origin), MAX_ZOOM - zoom, coarse)
    if far.any():
        near = _joined(near, _rounded(_clipped(rings, rows[far], origin, (x0, y0, x1, y1)), MAX_ZOOM - zoom, coarse))
    return _cleaned(near, rings.kind)


def _boxes(units: np.ndarray, start: np.ndarray, row_start: np.ndarray) -> np.ndarray:
    """Boxes of the rows as four arrays."""
    count = len(row_start) - 1
    box = np.empty((4, count), np.int32)
    box[:2], box[2:] = np.iinfo(np.int32).max, -1
    filled = np.flatnonzero(np.diff(row_start) > 0)
    if len(filled):
        first = start[row_start[filled]]
        box[:2, filled] = np.minimum.reduceat(units, first).T
        box[2:, filled] = np.maximum.reduceat(units, first).T
    return box


def _meets(box: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
    """Which boxes, as four arrays, meet a window."""
    x0, y0, x1, y1 = window
    found: np.ndarray = (box[0] <= x1) & (box[2] >= x0) & (box[1] <= y1) & (box[3] >= y0)
    return found


def _spread(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The whole numbers from `first` on, `count` of them, one run after the other."""
    total = int(count.sum())
    return np.arange(total) - np.repeat(np.cumsum(count) - count - first, count)


def _taken(rings: TileRings, rows: np.ndarray, origin: np.ndarray) -> TileShapes:
    ring = _spread(rings.row_start[rows], rings.row_start[rows + 1] - rings.row_start[rows])
    count = rings.start[ring + 1] - rings.start[ring]
    xy = rings.xy[_spread(rings.start[ring], count)] - origin.astype(np.int32)
    return TileShapes(xy, np.append(0, np.cumsum(count)), rings.ring_row[ring], rings.hole[ring])


def _clipped(rings: TileRings, rows: np.ndarray, origin: np.ndarray, window: tuple[int, int, int, int]) -> TileShapes:
    """The same, cut to the window."""
    shapes = _shapes(rings, rows)
    try:
        cut = shapely.clip_by_rect(shapes, *window)
    except shapely.GEOSException:
        cut = np.array([_cut(shape, window) for shape in shapes], dtype=object)
    parts, at = shapely.get_parts(cut, return_index=True)
    deep = shapely.get_type_id(parts) > 3  # a collection may hold what is asked for
    parts, inner = shapely.get_parts(parts, return_index=True) if deep.any() else (parts, np.arange(len(parts)))
    kept = (shapely.get_type_id(parts) == (3 if rings.kind == 3 else 1)) & ~shapely.is_empty(parts)
    parts, rows_of = parts[kept], rows[at[inner[kept]]]
    hole = np.zeros(len(parts), bool)
    if rings.kind == 3 and len(parts):
        parts, index = shapely.get_rings(shapely.orient_polygons(parts, exterior_cw=False), return_index=True)
        hole, rows_of = np.diff(index, prepend=-1) == 0, rows_of[index]
    xy, ring = shapely.get_coordinates(parts, return_index=True)
    if rings.kind == 3:
        last = np.diff(ring, append=-1) != 0
        xy, ring = xy[~last], ring[~last]
    start = np.searchsorted(ring, np.arange(len(parts) + 1))
    return TileShapes(np.rint(xy).astype(np.int32) - origin.astype(np.int32), start, rows_of, hole)


def _shapes(rings: TileRings, rows: np.ndarray) -> np.ndarray:
    """Some rows as geometries in world units."""
    ring = _spread(rings.row_start[rows], rings.row_start[rows + 1] - rings.row_start[rows])
    owner = np.repeat(np.arange(len(rows)), rings.row_start[rows + 1] - rings.row_start[rows])
    count = rings.start[ring + 1] - rings.start[ring]
    xy = rings.xy[_spread(rings.start[ring], count)].astype(float)
    line = np.repeat(np.arange(len(ring)), count)
    out = np.full(len(rows), None, dtype=object)
    if rings.kind == 2:
        return np.asarray(shapely.multilinestrings(shapely.linestrings(xy, indices=line), indices=owner, out=out))
    outer = ~rings.hole[ring]
    polygons = shapely.polygons(shapely.linearrings(xy, indices=line), indices=np.cumsum(outer) - 1)
    return np.asarray(shapely.multipolygons(polygons, indices=owner[outer], out=out))


def _cut(shape: shapely.Geometry, window: tuple[int, int, int, int]) -> shapely.Geometry:
    """One shape cut to the window, repaired first where that fails."""
    try:
        return shapely.clip_by_rect(shape, *window)
    except shapely.GEOSException:
        return shapely.intersection(shapely.make_valid(shape), shapely.box(*window))


def _rounded(shapes: TileShapes, shift: int, coarse: int) -> TileShapes:
    """World units to units of the tile."""
    step = shift + coarse
    xy = ((shapes.xy + ((1 << step) >> 1)) >> step) << coarse if step else shapes.xy
    return TileShapes(xy, shapes.start, shapes.ring_row, shapes.hole)


def _joined(a: TileShapes, b: TileShapes) -> TileShapes:
    start = np.concatenate([a.start, b.start[1:] + a.start[-1]])
    return TileShapes(np.concatenate([a.xy, b.xy]), start, np.concatenate([a.ring_row, b.ring_row]), np.concatenate([a.hole, b.hole]))


def _cleaned(shapes: TileShapes, kind: int) -> TileShapes:
    """Without repeated vertices, and without rings that have no area, or the wrong side in, after rounding."""
    if kind == 1 or not len(shapes.xy):
        return shapes
    count = np.diff(shapes.start)
    ring = np.repeat(np.arange(len(count), dtype=np.int32), count)
    x, y = np.ascontiguousarray(shapes.xy[:, 0]), np.ascontiguousarray(shapes.xy[:, 1])
    same = np.zeros(len(ring), bool)
    same[1:] = (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    same[shapes.start[:-1][count > 0]] = False
    if kind == 3:
        ends, starts = shapes.start[1:] - 1, shapes.start[:-1]
        same[ends] |= (x[ends] == x[starts]) & (y[ends] == y[starts]) & (ends > starts)
    if same.any():
        x, y, ring = x[~same], y[~same], ring[~same]
        count = np.bincount(ring, minlength=len(count))
    if kind == 2:
        good = count >= 2
    else:
        twice = _twice_area(x, y, count)
        good = (count >= 3) & np.where(shapes.hole, twice < 0, twice > 0)
        outer = np.maximum.accumulate(np.where(shapes.hole, 0, np.arange(len(count))))
        good &= good[outer]
    xy = np.column_stack([x, y])
    if good.all():
        return TileShapes(xy, np.append(0, np.cumsum(count)), shapes.ring_row, shapes.hole)
    return TileShapes(xy[good[ring]], np.append(0, np.cumsum(count[good])), shapes.ring_row[good], shapes.hole[good])


def _twice_area(x: np.ndarray, y: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Twice the signed area of each ring, positive where an outer ring runs clockwise on the screen."""
    out = np.zeros(len(count), np.int64)
    if not len(x):
        return out
    filled = np.flatnonzero(count)
    start = np.append(0, np.cumsum(count))
    next_x, next_y = np.append(x[1:], x[0]), np.append(y[1:], y[0])
    ends = start[filled + 1] - 1
    next_x[ends], next_y[ends] = x[start[filled]], y[start[filled]]
    out[filled] = np.add.reduceat(x.astype(np.int64) * next_y - next_x.astype(np.int64) * y, start[filled])
    return out
