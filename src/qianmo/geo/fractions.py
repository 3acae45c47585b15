"""Exact share of every cell that lies in every polygon, and sums weighted by it (精确像元份额)."""

from __future__ import annotations

from dataclasses import dataclass

import affine
import numpy as np
import shapely
from numba import njit, prange

from qianmo.geo.cells import placed
from qianmo.geo.rings import land_on_left, rings_of
from qianmo.schema.errors import SchemaError, TopologyError

__all__ = ["Fractions", "cell_fractions", "weighted_mean", "weighted_sum"]

_LEAST = 1e-12
"""Shares below this are rounding of the running sum, not land."""

_STRIP_CELLS = 1 << 20
"""Cells of the working strip of one polygon: memory stays bounded for a polygon as large as the raster."""


@dataclass(frozen=True)
class Fractions:
    """Cells met by n polygons and the share of each cell inside (像元份额).

    The cells of polygon k are ``cell[start[k]:start[k + 1]]``, rising; ``share`` is above 0 and at most 1 for a valid polygon.

    Attributes
    ----------
    start : ndarray (n + 1,), int64
    cell : ndarray (m,), int64
        Row times columns plus column.
    share : ndarray (m,), float
    shape : (int, int)
        Rows and columns of the raster.
    """

    start: np.ndarray
    cell: np.ndarray
    share: np.ndarray
    shape: tuple[int, int]

    def covered(self) -> np.ndarray:
        """Cells covered by each polygon, (n,), float: its area inside the raster over the area of a cell (覆盖像元数)."""
        return np.bincount(self.zone(), weights=self.share, minlength=len(self.start) - 1)

    def zone(self) -> np.ndarray:
        """Polygon of each entry, (m,), int (所属图斑)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


def cell_fractions(geoms: np.ndarray, transform: affine.Affine, shape: tuple[int, int]) -> Fractions:
    r"""Share of each cell inside each polygon, exact up to rounding (像元与图斑的精确相交份额).

    Every edge leaves in the cells that it crosses its signed height and the area between it and the right side of the
    cell; the running sum along a row is the share. No cell is split into samples and no polygon is clipped.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Valid polygons or multipolygons in the CRS of the raster, holes and all. Missing or empty ones meet no cell;
        land outside the raster is left out. Polygons may overlap each other.
    transform : Affine
        Column, row to x, y; a turned raster is fine.
    shape : (int, int)
        Rows and columns, at least 1.

    Returns
    -------
    Fractions
        The share times the area of a cell, summed, is the area of the polygon inside the raster.

    Raises
    ------
    TopologyError
        A polygon crosses itself, or a coordinate is not finite; the rows are named.
    SchemaError
        The raster has no cell.

    Notes
    -----
    By Green's theorem the area of land in a cell is :math:`\oint x\,dy` of its border; the part of the border along the
    land's edges is summed cell by cell, the part along the cell's own sides is what the running sum carries over.
    """
    array = np.asarray(geoms, dtype=object)
    if min(shape) < 1:
        raise SchemaError(f"栅格 {shape}", expected="至少一行一列")
    rings = rings_of(array)
    wrong = np.flatnonzero(~(shapely.is_valid(array) | shapely.is_missing(array)))
    if len(wrong):
        raise TopologyError(f"第 {wrong[:10].tolist()} 个图斑自相交, 无法求像元份额", expected="有效面", cure="先修复拓扑")
    u, v = placed(~transform, rings.xy[:, 0], rings.xy[:, 1])
    sign = np.where(land_on_left(rings), 1.0, -1.0) * (1.0 if transform.determinant < 0 else -1.0)
    first = np.searchsorted(rings.row, np.arange(len(array) + 1), side="left").astype(np.int64)
    start, cell, share = _shares(u, v, rings.starts, sign, first, shape[0], shape[1], _STRIP_CELLS, _LEAST)
    return Fractions(start, cell, share, shape)


def weighted_sum(fractions: Fractions, values: np.ndarray) -> np.ndarray:
    """Sum of values weighted by the shares: (..., rows, columns) to (..., n); cells without a value (nan) add nothing (份额加权和).

    Raises
    ------
    SchemaError
        The values are on another raster.
    """
    flat, lead = _flat(fractions, values)
    return _gathered(fractions.start, fractions.cell, fractions.share, flat)[0].reshape(*lead, -1)


def weighted_mean(fractions: Fractions, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean weighted by the shares, and the part of the polygon that had a value (份额加权均值与有效占比).

    Parameters
    ----------
    fractions : Fractions
        Of n polygons.
    values : ndarray (..., rows, columns)
        One raster or a stack of dates; nan = cloud or no data.

    Returns
    -------
    mean : ndarray (..., n)
        nan where no cell had a value.
    seen : ndarray (..., n)
        0 to 1, of the land inside the raster; nan where the polygon lies outside.

    Raises
    ------
    SchemaError
        The values are on another raster.
    """
    flat, lead = _flat(fractions, values)
    total, weight = _gathered(fractions.start, fractions.cell, fractions.share, flat)
    whole = fractions.covered()
    mean = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
    seen = np.divide(weight, whole, out=np.full(total.shape, np.nan), where=np.broadcast_to(whole > 0, total.shape))
    return mean.reshape(*lead, -1), np.minimum(seen, 1.0).reshape(*lead, -1)


def _flat(fractions: Fractions, values: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Rasters as rows; single precision is read as it is, without a copy."""
    array = np.asarray(values)
    if array.shape[-2:] != tuple(fractions.shape):
        raise SchemaError(f"栅格 {array.shape}, 份额按 {fractions.shape} 计算", expected="同一格网")
    kind = np.float32 if array.dtype == np.float32 else np.float64
    return np.ascontiguousarray(array, dtype=kind).reshape(-1, fractions.shape[0] * fractions.shape[1]), array.shape[:-2]


@njit(cache=True, parallel=True)
def _gathered(start, cell, share, flat):
    """Sum of share times value, and sum of the shares of cells that have a value, (rasters, polygons) each."""
    rasters, n = flat.shape[0], start.size - 1
    total, weight = np.zeros((rasters, n)), np.zeros((rasters, n))
    for k in prange(n):
        for d in range(rasters):
            whole, there = 0.0, 0.0
            for e in range(start[k], start[k + 1]):
                value = flat[d, cell[e]]
                if abs(value) < np.inf:
                    whole += share[e] * value
                    there += share[e]
            total[d, k], weight[d, k] = whole, there
    return total, weight


@njit(cache=True)
def _shares(u, v, ring_start, sign, first, rows, columns, strip_cells, least):
    n = first.size - 1
    start = np.zeros(n + 1, np.int64)
    cell, share = np.empty(1024, np.int64), np.empty(1024, np.float64)
    used = 0
    for k in range(n):
        low_u, high_u, low_v, high_v = np.inf, -np.inf, np.inf, -np.inf
        for p in range(ring_start[first[k]], ring_start[first[k + 1]]):
            low_u, high_u = min(low_u, u[p]), max(high_u, u[p])
            low_v, high_v = min(low_v, v[p]), max(high_v, v[p])
        if low_u < columns and high_u > 0 and low_v < rows and high_v > 0:
            c0, c1 = int(max(0.0, np.floor(low_u))), int(min(float(columns), np.ceil(high_u)))
            r0, r1 = int(max(0.0, np.floor(low_v))), int(min(float(rows), np.ceil(high_v)))
            wide = c1 - c0
            deep = max(1, strip_cells // (wide + 2))
            for top in range(r0, r1, deep):
                bottom = min(r1, top + deep)
                held = np.zeros((bottom - top, wide + 2))
                for ring in range(first[k], first[k + 1]):
                    for p in range(ring_start[ring], ring_start[ring + 1] - 1):
                        _leave(held, u[p] - c0, v[p] - top, u[p + 1] - c0, v[p + 1] - top, sign[ring], wide)
                for r in range(bottom - top):
                    inside = 0.0
                    for c in range(wide):
                        inside += held[r, c]
                        if inside > least:
                            if used == cell.size:
                                cell = np.concatenate((cell, np.empty(used, np.int64)))
                                share = np.concatenate((share, np.empty(used, np.float64)))
                            cell[used], share[used] = (top + r) * columns + c0 + c, min(inside, 1.0)
                            used += 1
        start[k + 1] = used
    return start, cell[:used].copy(), share[:used].copy()


@njit(cache=True)
def _leave(held, xa, ya, xb, yb, sign, wide):
    """Signed height and area of one edge, cell by cell, into the strip."""
    if ya == yb:
        return
    if ya > yb:
        xa, ya, xb, yb, sign = xb, yb, xa, ya, -sign
    high = held.shape[0]
    if yb <= 0.0 or ya >= high:
        return
    slope = (xb - xa) / (yb - ya)
    for r in range(int(max(0.0, np.floor(ya))), int(min(float(high), np.ceil(yb)))):
        y0, y1 = max(ya, float(r)), min(yb, float(r + 1))
        if y1 <= y0:
            continue
        x0 = xa if y0 == ya else xa + (y0 - ya) * slope
        x1 = xb if y1 == yb else xa + (y1 - ya) * slope
        d = sign * (y1 - y0)
        left, right = min(x0, x1), max(x0, x1)
        if left >= wide:
            continue
        if right <= 0.0:
            held[r, 0] += d
            continue
        if right == left:
            c = int(np.floor(left))
            held[r, c] += d * (c + 1.0 - left)
            held[r, c + 1] += d * (left - c)
            continue
        per = d / (right - left)
        if left < 0.0:
            held[r, 0] -= left * per
            left = 0.0
        end = min(right, float(wide))
        c = int(left)
        while left < end:
            stop = min(end, c + 1.0)
            part, middle = (stop - left) * per, 0.5 * (left + stop) - c
            held[r, c] += part * (1.0 - middle)
            held[r, c + 1] += part * middle
            left, c = stop, c + 1
