"""Cut and fill between two surveys of a surface, exact for surfaces of triangles (两期地形挖填方量)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from qianmo.geo.cells import placed
from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError, SchemaError, TopologyError

__all__ = ["check_same_grid", "cut_and_fill"]

_UNDECLARED = 9000.0
"""Heights beyond this are no place on Earth: a value for nothing that the file does not declare."""


def cut_and_fill(before: Grid, after: Grid, polygons: np.ndarray, *, largest_m: float) -> pd.DataFrame:
    r"""Volume between two surfaces inside each polygon (两期地形间的挖方与填方).

    Parameters
    ----------
    before, after : Grid (y, x)
        Heights of the same cells in one metric CRS. [m]
    polygons : (n,) Polygon or MultiPolygon in that CRS. [m]
    largest_m : float
        Largest change that can be meant; beyond it the units are in doubt. [m]

    Returns
    -------
    DataFrame, n rows
        cut_m3 (the surface was lowered), fill_m3 (raised), both at least 0; area_m2 of the polygon and covered_m2, the part with heights in both.

    Raises
    ------
    TopologyError
        The grids differ in cells.
    CrsError
        The grids differ in CRS, or are in degrees.
    SchemaError
        A height is out of range (undeclared nodata), or the change is larger than `largest_m` (units).

    Notes
    -----
    The heights stand at the centres of the cells; each square of four centres is cut into two triangles along the same diagonal, over which the
    change `d` is linear. A triangle of area A with one positive corner has :math:`\int d^+ = A d_0^3 / (3 (d_0-d_1)(d_0-d_2))`; a triangle cut by the
    outline is clipped, and the integral of a linear function over a piece is its area times the value at its centroid. No sampling anywhere.
    """
    check_same_grid(before, after)
    change = np.where(before.valid & after.valid, before.values.astype(float) - after.values.astype(float), np.nan)
    _check_heights(before, after, change, largest_m)
    rows = [_volume(change, before, shape) for shape in polygons]
    return pd.DataFrame(rows, columns=["cut_m3", "fill_m3", "area_m2", "covered_m2"])


def check_same_grid(one: Grid, other: Grid) -> None:
    """Refuse two grids that do not have the same cells (栅格一致性检查).

    Raises
    ------
    CrsError
        They differ in CRS, or are in degrees.
    TopologyError
        They differ in shape, origin or size of the cell.
    """
    if one.crs != other.crs or not one.crs.is_projected:
        raise CrsError(f"两期栅格坐标系 {one.crs.name} 与 {other.crs.name}", expected="同一平面坐标系", cure="先转换到项目坐标系")
    if one.values.shape != other.values.shape or not np.allclose(np.array(one.transform)[:6], np.array(other.transform)[:6], rtol=0, atol=1e-6):
        raise TopologyError(
            f"两期栅格 {one.values.shape} {tuple(round(v, 3) for v in one.transform)[:6]} 与 {other.values.shape} {tuple(round(v, 3) for v in other.transform)[:6]} 像元不一致",
            expected="行列数、起点与像元大小相同", cure="把后一期重采样到前一期的像元",
        )  # fmt: skip


def _check_heights(before: Grid, after: Grid, change: np.ndarray, largest_m: float) -> None:
    for name, grid in (("前期", before), ("后期", after)):
        bad = grid.valid & ~(np.abs(grid.values.astype(float)) < _UNDECLARED)
        if bad.any():
            raise SchemaError(f"{name}高程有 {int(bad.sum())} 个像元超出 ±{_UNDECLARED:g} 米, 如 {grid.values[bad][0]:g}", expected="米; 无数据的像元声明 nodata", cure="写明 nodata 后重新输出")
    most = float(np.nanmax(np.abs(change))) if np.isfinite(change).any() else 0.0
    if most > largest_m:
        raise SchemaError(f"两期高差最大 {most:.2f}", expected=f"不超过 {largest_m:g} 米", cure="核对单位(厘米、毫米须换成米)与两期高程基准")


def _volume(change: np.ndarray, grid: Grid, shape: shapely.Geometry) -> tuple[float, float, float, float]:
    height, width = change.shape
    west, south, east, north = shape.bounds
    column, row = placed(~grid.transform, np.array([west, west, east, east]), np.array([south, north, south, north]))
    r0, r1 = (int(np.clip(v, 0, height)) for v in (np.floor(row.min()) - 1, np.ceil(row.max()) + 1))
    c0, c1 = (int(np.clip(v, 0, width)) for v in (np.floor(column.min()) - 1, np.ceil(column.max()) + 1))
    if r1 - r0 < 2 or c1 - c0 < 2:
        return 0.0, 0.0, float(shape.area), 0.0
    corners, d = _triangles(change, grid, r0, r1, c0, c1)
    triangles = shapely.polygons(corners)
    shapely.prepare(shape)
    inside = shapely.contains(shape, triangles)
    cross = np.flatnonzero(~inside & shapely.intersects(shape, triangles))
    area = shapely.area(triangles)
    cut, fill, covered = _positive(area[inside], d[inside]).sum(), _positive(area[inside], -d[inside]).sum(), area[inside].sum()
    for k in cross:
        clipped = shapely.intersection(triangles[k], shape)
        covered += clipped.area
        cut += _clipped(corners[k], d[k], clipped)
        fill += _clipped(corners[k], -d[k], clipped)
    return float(cut), float(fill), float(shape.area), float(covered)


def _triangles(change: np.ndarray, grid: Grid, r0: int, r1: int, c0: int, c1: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners (t, 3, 2) and changes (t, 3) of the triangles between the centres of a window that have a value."""
    column, row = np.meshgrid(np.arange(c0, c1) + 0.5, np.arange(r0, r1) + 0.5)
    x, y = placed(grid.transform, column, row)
    points, d = np.stack([x, y], axis=-1), change[r0:r1, c0:c1]
    quads = [(np.s_[:-1, :-1], np.s_[1:, :-1], np.s_[1:, 1:]), (np.s_[:-1, :-1], np.s_[1:, 1:], np.s_[:-1, 1:])]
    corners = np.concatenate([np.stack([points[s].reshape(-1, 2) for s in q], axis=1) for q in quads])
    values = np.concatenate([np.stack([d[s].ravel() for s in q], axis=1) for q in quads])
    known = np.isfinite(values).all(axis=1)
    return corners[known], values[known]


def _positive(area: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Integral of the positive part of a linear function over triangles, from its values at the corners."""
    s = np.sort(d, axis=1)
    low, middle, high = s[:, 0], s[:, 1], s[:, 2]
    total = area * s.sum(axis=1) / 3.0
    with np.errstate(divide="ignore", invalid="ignore"):
        tip = area * high**3 / (3.0 * (high - low) * (high - middle))
        hole = area * -(low**3) / (3.0 * (high - low) * (middle - low))
    return np.where(low >= 0, total, np.where(high <= 0, 0.0, np.where(middle <= 0, np.nan_to_num(tip), total + np.nan_to_num(hole))))


def _clipped(corners: np.ndarray, d: np.ndarray, clipped: shapely.Geometry) -> float:
    """Integral of the positive part over what the outline leaves of one triangle."""
    if (d <= 0).all() or clipped.is_empty or clipped.area == 0:
        return 0.0
    ring = []
    for a in range(3):
        b = (a + 1) % 3
        if d[a] >= 0:
            ring.append(corners[a])
        if d[a] * d[b] < 0:
            ring.append(corners[a] + (corners[b] - corners[a]) * d[a] / (d[a] - d[b]))
    if len(ring) < 3:
        return 0.0
    piece = shapely.intersection(clipped, shapely.Polygon(ring))
    if piece.area == 0:
        return 0.0
    middle = shapely.centroid(piece)
    slope = np.linalg.solve(np.column_stack([corners[1:] - corners[0]]), d[1:] - d[0])
    return float(piece.area * (d[0] + slope @ (np.array([middle.x, middle.y]) - corners[0])))
