"""A raster in memory and its move to another CRS (栅格与重投影)."""

from __future__ import annotations

from dataclasses import dataclass

import affine
import numpy as np
import pyproj

from qianmo.geo.cells import placed
from qianmo.geo.crs import Helmert, transform_points
from qianmo.schema.errors import CrsError

__all__ = ["NODATA", "Grid", "aligned", "resampled"]

NODATA = -9999.0
"""What stands for a missing value where the source names nothing."""


@dataclass(frozen=True)
class Grid:
    """One raster band (栅格): `values` (y, x), `transform` maps column, row to x, y; `nodata` None where all cells count."""

    values: np.ndarray
    transform: affine.Affine
    crs: pyproj.CRS
    nodata: float | None = None

    @property
    def valid(self) -> np.ndarray:
        """Mask (y, x) of cells that hold a value."""
        finite = np.isfinite(self.values) if self.values.dtype.kind == "f" else np.ones(self.values.shape, bool)
        if self.nodata is None or np.isnan(self.nodata):
            return finite
        alike = self.values == (self.values.dtype.type(self.nodata) if self.values.dtype.kind == "f" else self.nodata)
        return finite & ~alike


def resampled(
    grid: Grid, target: pyproj.CRS, *, helmert: Helmert | None = None, nearest: bool = False, cell: float | None = None
) -> Grid:
    """The grid in another CRS (栅格重投影).

    Each target cell centre is carried back to the source with `qianmo.geo.crs.transform_points`, so the datum rule of
    the house holds for rasters too; bilinear inside four valid cells, nearest valid cell otherwise.

    Parameters
    ----------
    grid : Grid
    target : CRS
    helmert : Helmert, optional
        As for `qianmo.geo.crs.transform`.
    nearest : bool
        Take the nearest cell throughout; for class codes.
    cell : float, optional
        Cell size in units of the target; the cell size of the source by default.

    Returns
    -------
    Grid
        North up, covering the source; nodata -9999 where the source names none.

    Raises
    ------
    CrsError
        The datums differ and no parameters were given; degrees and metres meet and no cell size is given; the grid does
        not lie in its CRS.
    """
    if cell is None:
        if grid.crs.is_geographic != pyproj.CRS(target).is_geographic:
            found = f"cells of {grid.crs.name} have no size in {pyproj.CRS(target).name}"
            raise CrsError(found, expected="a cell size", cure="give cell (请给出像元大小)")
        cell = abs(grid.transform.a)
    west, north, shape = _frame_in(grid, target, helmert, cell)
    column, row = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    x, y = transform_points((west + column * cell).ravel(), (north - row * cell).ravel(), target, grid.crs, helmert=helmert)
    sc, sr = placed(~grid.transform, np.asarray(x), np.asarray(y))
    values = _sampled(grid, sr - 0.5, sc - 0.5, nearest=nearest).reshape(shape)
    fit = affine.Affine(cell, 0.0, west, 0.0, -cell, north)
    return Grid(values, fit, pyproj.CRS(target), _nodata(grid))


def aligned(grid: Grid, like: Grid, *, helmert: Helmert | None = None, strip_rows: int = 256) -> Grid:
    """The grid on the cells of another one, sampled as in `resampled`, strip by strip (对齐到另一格网).

    Parameters
    ----------
    grid, like : Grid
        Values to sample; cells to sample them at.
    helmert : Helmert, optional
        As for `qianmo.geo.crs.transform`.
    strip_rows : int
        Rows sampled at once: bounds the memory.

    Returns
    -------
    Grid
        float32 on the cells of `like`, nan where the grid holds nothing.

    Raises
    ------
    CrsError
        The datums differ and no parameters were given.
    """
    rows, columns = like.values.shape
    out = np.full((rows, columns), np.nan, np.float32)
    for start in range(0, rows, strip_rows):
        stop = min(start + strip_rows, rows)
        column, row = np.meshgrid(np.arange(columns) + 0.5, np.arange(start, stop) + 0.5)
        px, py = placed(like.transform, column.ravel(), row.ravel())
        x, y = transform_points(px, py, like.crs, grid.crs, helmert=helmert)
        sc, sr = placed(~grid.transform, np.asarray(x), np.asarray(y))
        found = np.asarray(_sampled(grid, sr - 0.5, sc - 0.5, nearest=False)).astype(float)
        out[start:stop] = np.where(found == _nodata(grid), np.nan, found).reshape(stop - start, columns)
    return Grid(out, like.transform, like.crs, float("nan"))


def _nodata(grid: Grid) -> float:
    return NODATA if grid.nodata is None else grid.nodata


def _type_for(grid: Grid) -> np.dtype:
    """The type of the values, widened where their nodata does not fit: whole numbers stay whole numbers."""
    nodata = _nodata(grid)
    if grid.values.dtype.kind == "f" or float(nodata) != int(nodata):
        return np.result_type(grid.values.dtype, np.float32)
    return np.result_type(grid.values.dtype, np.min_scalar_type(int(nodata)))


def _frame_in(grid: Grid, target: pyproj.CRS, helmert: Helmert | None, cell: float) -> tuple[float, float, tuple[int, int]]:
    """West and north edge and shape of the north-up frame that holds the outline of the grid."""
    rows, columns = grid.values.shape
    along, down = np.arange(columns + 1.0), np.arange(rows + 1.0)
    c = np.concatenate([along, along, np.zeros(rows + 1), np.full(rows + 1, float(columns))])
    r = np.concatenate([np.zeros(columns + 1), np.full(columns + 1, float(rows)), down, down])
    px, py = placed(grid.transform, c, r)
    x, y = transform_points(px, py, grid.crs, target, helmert=helmert)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        found = f"the raster does not lie in {grid.crs.name}"
        raise CrsError(found, expected="coordinates inside the CRS", cure="check its CRS (请检查栅格坐标系)")
    west, north = np.floor(x.min() / cell) * cell, np.ceil(y.max() / cell) * cell
    return float(west), float(north), (int(np.ceil((north - y.min()) / cell)), int(np.ceil((x.max() - west) / cell)))


def _sampled(grid: Grid, row: np.ndarray, column: np.ndarray, *, nearest: bool) -> np.ndarray:
    """Values at fractional cell positions; nodata where the nearest cell has none."""
    height, width = grid.values.shape
    finite = np.isfinite(row) & np.isfinite(column)
    row, column = np.where(finite, row, -9.0), np.where(finite, column, -9.0)
    r0, c0 = np.rint(row).astype(np.int64), np.rint(column).astype(np.int64)
    known = (r0 >= 0) & (r0 < height) & (c0 >= 0) & (c0 < width)
    known[known] = grid.valid[r0[known], c0[known]]
    out = np.full(len(row), _nodata(grid), dtype=_type_for(grid))
    out[known] = grid.values[r0[known], c0[known]]
    if nearest:
        return out
    r, c = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    whole = known & (r >= 0) & (c >= 0) & (r + 1 < height) & (c + 1 < width)
    r, c = np.where(whole, r, 0), np.where(whole, c, 0)
    right, below = np.minimum(c + 1, width - 1), np.minimum(r + 1, height - 1)
    whole &= grid.valid[r, c] & grid.valid[r, right] & grid.valid[below, c] & grid.valid[below, right]
    z, fr, fc = grid.values.astype(float), row - r, column - c
    mixed = (z[r, c] * (1 - fc) + z[r, right] * fc) * (1 - fr) + (z[below, c] * (1 - fc) + z[below, right] * fc) * fr
    out[whole] = np.rint(mixed[whole]) if out.dtype.kind in "iu" else mixed[whole]
    return out
