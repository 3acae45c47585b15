"""Rings of a layer in whole units of the web map's world square, and the part of them in one tile (瓦片环)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import shapely

__all__ = ["EXTENT", "MAX_ZOOM", "TileField", "TileRings", "joined_rings", "mercator", "tile_of", "tile_rings", "tile_window"]

EXTENT = 4096
"""Units along the side of a tile."""

MAX_ZOOM = 18
"""Deepest zoom: one unit of the tile is one unit of the world square there."""

_WORLD = EXTENT << MAX_ZOOM
_HALF_M = math.pi * 6378137.0
_MARGIN = 64
"""How far a tile looks over its border. [units of the tile]"""

_BLOCK = 64


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
    def blocks(self) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
        """Rows by place: the box around every so many that lie together, that many, the boxes of all, and the rows themselves."""
        drawn = np.flatnonzero(self.box[2] >= 0)
        middle = [self.box[k, drawn] // 2 + self.box[k + 2, drawn] // 2 for k in (0, 1)]
        from_corner = [m.astype(np.int64) - m.min(initial=_WORLD) for m in middle]
        shift = max(int(max(m.max(initial=0) for m in from_corner)).bit_length() - 16, 0)
        x, y = (m >> shift for m in from_corner)
        order = drawn[np.argsort(_mixed(x) | _mixed(y) << 1, kind="stable")]
        boxes = np.ascontiguousarray(self.box[:, order].T)
        first = np.arange(0, len(order), _BLOCK)
        low, high = np.minimum.reduceat, np.maximum.reduceat
        around = np.stack([f(boxes[:, k], first) for k, f in enumerate((low, low, high, high))], axis=1) if len(order) else boxes
        return np.ascontiguousarray(around), _BLOCK, boxes, order


@dataclass(frozen=True, eq=False)
class TileField:
    """One attribute of a layer (瓦片属性): the place of each row's value in `values`; `encoded` is filled by the writer of tiles."""

    codes: np.ndarray
    values: Sequence[str]
    encoded: list[bytes] = field(default_factory=list)


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


def mercator(lonlat: np.ndarray) -> np.ndarray:
    """Degrees of CGCS2000 in web mercator (网络墨卡托), as PROJ has it: the formulas of the sphere on the latitude of the ellipsoid. [m]"""
    y = np.arctanh(np.sin(np.radians(np.clip(lonlat[:, 1], -85.06, 85.06))))
    return np.column_stack([np.radians(lonlat[:, 0]), y]) * (_HALF_M / math.pi)


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


def _mixed(number: np.ndarray) -> np.ndarray:
    """The 16 low bits of each number with a gap after each."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        number = (number | number << shift) & mask
    return number
