"""Height of the horizon around places, from an elevation model (地平线高度角)."""

from __future__ import annotations

import math

import numpy as np
import pyproj
from numba import njit, prange

from qianmo.geo.gradient import square_cell
from qianmo.geo.raster import Grid
from qianmo.schema.errors import MissingDataError

__all__ = ["grid_north_deg", "horizons"]

_EARTH_M, _REFRACTION = 6_371_000.0, 0.13
_NEAREST_CELLS = 0.25


def horizons(
    grid: Grid, x: np.ndarray, y: np.ndarray, *, directions: int = 72, reach_m: float = 20_000.0, eye_m: float = 1.0, north_deg: np.ndarray | float = 0.0
) -> np.ndarray:
    r"""Height of the horizon in even directions around each place (地平线高度角) [degree], (n, directions).

    From the eye a ray runs over the surface, bilinear between cell centres, and is met with every row and column of centres it
    crosses, where the surface has its edges; the horizon is the greatest of :math:`\arctan((z - z_0 - d^2 (1 - k) / 2R) / d)` with refraction :math:`k = 0.13`. It is never below 0. Cells without data and land
    beyond the grid or the reach are not seen: give an elevation model that is wider than the parcels.

    Parameters
    ----------
    grid : Grid
        Heights (y, x) [m] on square cells, north up, in a projected CRS.
    x, y : ndarray (n,)
        Places in the CRS of the grid [m].
    eye_m : float
        Height of the eye above the surface [m].
    north_deg : ndarray (n,) or float
        Grid azimuth of true north, see `grid_north_deg`; the answer starts at true north and turns by east.

    Raises
    ------
    CrsError
        The grid is in degrees, turned, or its cells are not square.
    MissingDataError
        A place has no height; the first rows are named.
    """
    cell = square_cell(grid)
    z = np.where(grid.valid, grid.values.astype(float), np.nan)
    if grid.transform.e > 0:
        z = z[::-1]
    west, top = grid.transform.c, max(grid.transform.f, grid.transform.f + grid.transform.e * z.shape[0])
    if grid.transform.a < 0:
        z, west = z[:, ::-1], grid.transform.c + grid.transform.a * z.shape[1]
    column, row = (np.asarray(x, float) - west) / cell - 0.5, (top - np.asarray(y, float)) / cell - 0.5
    z = np.ascontiguousarray(z)
    ground = _ground(z, row, column)
    bad = np.flatnonzero(~np.isfinite(ground))
    if len(bad):
        raise MissingDataError(f"{len(bad)} places without a height, rows {bad[:5].tolist()}", expected="places inside the elevation model", cure="扩大高程模型范围，或去掉范围外的地块")
    north = np.broadcast_to(np.asarray(north_deg, float), ground.shape)
    out = np.zeros((len(ground), directions))
    _march(z, row, column, ground + eye_m, north, cell, reach_m, out)
    return out


def grid_north_deg(crs: pyproj.CRS, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Grid azimuth of true north at places of a projected CRS [degree], (n,): minus the meridian convergence (子午线收敛角)."""
    lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(np.asarray(x, float), np.asarray(y, float))
    return -np.asarray(pyproj.Proj(crs).get_factors(lon, lat).meridian_convergence, dtype=float)


def _ground(z: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Height below each place; that of the nearest cell where the four around it are not all there."""
    out = np.empty(len(row))
    _heights(z, row, column, out)
    rows, columns = z.shape
    near = np.isnan(out) & (row > -0.5 - 1e-9) & (row < rows - 0.5 + 1e-9) & (column > -0.5 - 1e-9) & (column < columns - 0.5 + 1e-9)
    r, c = (np.clip(np.rint(v[near]).astype(int), 0, most - 1) for v, most in ((row, rows), (column, columns)))
    out[near] = z[r, c]
    return out


@njit(cache=True)
def _bilinear(z: np.ndarray, row: float, column: float) -> float:
    rows, columns = z.shape
    if not (0.0 <= row <= rows - 1.0 and 0.0 <= column <= columns - 1.0):
        return math.nan
    r, c = min(int(row), rows - 2), min(int(column), columns - 2)
    if rows < 2 or columns < 2:
        return z[int(row), int(column)]
    fr, fc = row - r, column - c
    return (z[r, c] * (1.0 - fc) + z[r, c + 1] * fc) * (1.0 - fr) + (z[r + 1, c] * (1.0 - fc) + z[r + 1, c + 1] * fc) * fr


@njit(cache=True)
def _heights(z: np.ndarray, row: np.ndarray, column: np.ndarray, out: np.ndarray) -> None:
    for k in range(row.shape[0]):
        out[k] = _bilinear(z, row[k], column[k])


@njit(cache=True)
def _along(z: np.ndarray, line: int, place: float, by_row: bool) -> float:
    """Height on a row (or column) of cell centres at a fractional place; NaN outside and beside cells without data."""
    most = (z.shape[1] if by_row else z.shape[0]) - 1
    if place < 0.0 or place > most:
        return math.nan
    low = int(place)
    part = place - low
    if part == 0.0:
        return z[line, low] if by_row else z[low, line]
    first, second = (z[line, low], z[line, low + 1]) if by_row else (z[low, line], z[low + 1, line])
    return first * (1.0 - part) + second * part


@njit(cache=True)
def _steepest(
    z: np.ndarray, eye: float, at: float, across: float, pace: float, drift: float, cell: float, reach_m: float, by_row: bool
) -> float:
    """Greatest rise of a ray over the rows (or columns) it crosses; `pace` and `drift` are its steps along and across [cells per metre]."""
    lines = z.shape[0] if by_row else z.shape[1]
    bend = (1.0 - _REFRACTION) / (2.0 * _EARTH_M)
    best = 0.0
    if abs(pace) * reach_m < 1e-9:
        return best
    step = 1 if pace > 0.0 else -1
    line = math.floor(at) + 1 if step > 0 else math.ceil(at) - 1
    if (step > 0 and line < 0) or (step < 0 and line > lines - 1):
        line = 0 if step > 0 else lines - 1
    while 0 <= line < lines:
        d = (line - at) / pace
        if d > reach_m:
            break
        if d >= _NEAREST_CELLS * cell:
            height = _along(z, line, across + drift * d, by_row)
            if not math.isnan(height):
                best = max(best, (height - eye - d * d * bend) / d)
        line += step
    return best


@njit(cache=True, parallel=True)
def _march(
    z: np.ndarray, row: np.ndarray, column: np.ndarray, eye: np.ndarray, north: np.ndarray, cell: float, reach_m: float, out: np.ndarray
) -> None:
    for k in prange(row.shape[0]):
        for a in range(out.shape[1]):
            turn = math.radians(360.0 * a / out.shape[1] + north[k])
            down, east = -math.cos(turn) / cell, math.sin(turn) / cell
            by_row = _steepest(z, eye[k], row[k], column[k], down, east, cell, reach_m, True)
            by_column = _steepest(z, eye[k], column[k], row[k], east, down, cell, reach_m, False)
            best = max(by_row, by_column)
            for part in range(1, 5):  # before the first edges the ray has only this cell below it
                d = _NEAREST_CELLS * part * cell
                height = _bilinear(z, row[k] + down * d, column[k] + east * d)
                if d <= reach_m and not math.isnan(height):
                    best = max(best, (height - eye[k]) / d)
            out[k, a] = math.degrees(math.atan(best))
