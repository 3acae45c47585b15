"""A whole layer of polygons as a grid of codes in web mercator, for small scales (小比例尺分级底图)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from affine import Affine
from rasterio.enums import MergeAlg
from rasterio.features import rasterize

__all__ = ["TilePicture", "picture_codes", "tile_picture"]

_HALF_M = math.pi * 6378137.0
_SIDE = 256
_CELLS = 4096


@dataclass(frozen=True, eq=False)
class TilePicture:
    """Codes on a grid of web mercator cells (分级格网): `west` and `north` in metres, `cell` in metres, 0 where nothing is."""

    codes: np.ndarray
    west: float
    north: float
    cell: float


def tile_picture(mercator_geoms: np.ndarray, codes: np.ndarray, *, zoom: int) -> TilePicture:
    """Draw polygons with their codes on a grid as fine as tiles of a zoom (格网化).

    Parameters
    ----------
    mercator_geoms : ndarray of geometry, n
        EPSG:3857. [m]
    codes : ndarray of int, n
        From 1 to 65,535; a cell takes the polygon that holds its centre.
    zoom : int
        The grid is twice as fine as tiles of 256 cells at that zoom, and at most 4,096 cells wide.
    """
    from shapely import bounds

    drawn = np.array([g is not None and not g.is_empty for g in mercator_geoms], bool)
    box = bounds(mercator_geoms[drawn])
    west, south = box[:, 0].min(), box[:, 1].min()
    east, north = box[:, 2].max(), box[:, 3].max()
    cell = 2 * _HALF_M / (_SIDE << zoom) / 2
    cell = max(cell, (east - west) / _CELLS, (north - south) / _CELLS)
    shape = (max(1, math.ceil((north - south) / cell)), max(1, math.ceil((east - west) / cell)))
    grid = rasterize(zip(mercator_geoms[drawn], codes[drawn].tolist()), out_shape=shape, transform=Affine(cell, 0, west, 0, -cell, north),
                     fill=0, dtype=np.uint16, merge_alg=MergeAlg.replace)  # fmt: skip
    return TilePicture(grid, west, north, cell)


def picture_codes(picture: TilePicture, zoom: int, column: int, row: int) -> np.ndarray:
    """The codes of one tile, 256 x 256, each the code at the centre of the cell (瓦片编码)."""
    side = 2 * _HALF_M / (1 << zoom)
    centre = (np.arange(_SIDE) + 0.5) / _SIDE * side
    x = np.floor((column * side - _HALF_M + centre - picture.west) / picture.cell).astype(np.int64)
    y = np.floor((picture.north - (_HALF_M - row * side - centre)) / picture.cell).astype(np.int64)
    height, width = picture.codes.shape
    inside_x, inside_y = (x >= 0) & (x < width), (y >= 0) & (y < height)
    out = picture.codes[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)]
    return np.where(inside_y[:, None] & inside_x, out, 0)
