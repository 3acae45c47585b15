"""A whole layer of polygons as a grid of codes in web mercator, for small scales (小比例尺分级底图)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.geo.tile_rings import EXTENT, MAX_ZOOM, TileRings

__all__ = ["TilePicture", "picture_codes", "tile_picture"]

_SIDE = 256
_CELLS = 4096
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class TilePicture:
    """Codes on a grid of square cells (分级格网): `x` and `y` of its north-west corner and `cell` in world units, 0 where nothing is."""

    codes: np.ndarray
    x: int
    y: int
    cell: int


def tile_picture(rings: TileRings, codes: np.ndarray, *, zoom: int) -> TilePicture:
    """Draw polygons with their codes on a grid about twice as fine as the tiles of a zoom (格网化).

    Every cell takes the last polygon that holds its centre: borders of each polygon are crossed with the rows of centres,
    and every second stretch between crossings lies inside.

    Parameters
    ----------
    rings : TileRings
        Polygons.
    codes : ndarray of int, n
        From 1 to 65,535 by row; rows of code 0 are not drawn.
    zoom : int
        The grid has two cells to a cell of tiles of 256 x 256 at that zoom, and at most 4,096 in a row or column.
    """
    rows = np.flatnonzero((codes > 0) & (rings.box[2] >= 0))
    if not len(rows):
        return TilePicture(np.zeros((1, 1), np.uint16), 0, 0, 1)
    x, y = int(rings.box[0, rows].min()), int(rings.box[1, rows].min())
    wide, high = int(rings.box[2, rows].max()) - x, int(rings.box[3, rows].max()) - y
    cell = max((EXTENT // _SIDE) << (MAX_ZOOM - zoom) >> 1, -(-max(wide, high) // _CELLS), 1)
    grid = np.zeros((high // cell + 1, wide // cell + 1), np.uint16)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        _paint(grid, rings, rows[first : first + _ROWS_AT_ONCE], codes, (x, y), cell)
    return TilePicture(grid, x, y, cell)


def picture_codes(picture: TilePicture, zoom: int, column: int, row: int) -> np.ndarray:
    """The codes of one tile, 256 x 256, each the code at the centre of the cell (瓦片编码)."""
    size = EXTENT << (MAX_ZOOM - zoom)
    centre = (2 * np.arange(_SIDE, dtype=np.int64) + 1) * size // (2 * _SIDE)
    x = (column * size + centre - picture.x) // picture.cell
    y = (row * size + centre - picture.y) // picture.cell
    height, width = picture.codes.shape
    inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))
    return np.where(inside, picture.codes[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)], 0)


def _paint(grid: np.ndarray, rings: TileRings, rows: np.ndarray, codes: np.ndarray, corner: tuple[int, int], cell: int) -> None:
    """Paint some rows."""
    chosen = np.zeros(len(codes), bool)
    chosen[rows] = True
    ring = np.flatnonzero(chosen[rings.ring_row])
    count = rings.start[ring + 1] - rings.start[ring]
    at = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count - rings.start[ring], count)
    last = np.cumsum(count) - 1
    follow = at + 1
    follow[last] = rings.start[ring]
    owner = np.repeat(rings.ring_row[ring], count)
    a = (rings.xy[at] - np.array(corner)) / cell - 0.5
    b = (rings.xy[follow] - np.array(corner)) / cell - 0.5
    low, high = np.ceil(np.minimum(a[:, 1], b[:, 1])).astype(np.int64), np.ceil(np.maximum(a[:, 1], b[:, 1])).astype(np.int64)
    low = np.maximum(low, 0)
    crossed = np.maximum(high - low, 0)
    edge = np.repeat(np.arange(len(at)), crossed)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed - low, crossed)
    slope = (b[edge, 0] - a[edge, 0]) / (b[edge, 1] - a[edge, 1])
    where = a[edge, 0] + (line - a[edge, 1]) * slope
    order = np.lexsort((where, line, owner[edge]))
    line, where, owner = line[order], where[order], owner[edge][order]
    begin, end = np.maximum(np.ceil(where[0::2]).astype(np.int64), 0), np.minimum(np.ceil(where[1::2]).astype(np.int64), grid.shape[1])
    length = np.maximum(end - begin, 0)
    inside = line[0::2] < grid.shape[0]
    length[~inside] = 0
    flat = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length - (line[0::2] * grid.shape[1] + begin), length)
    grid.ravel()[flat] = np.repeat(codes[owner[0::2]], length)
