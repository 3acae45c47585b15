"""Rasters in memory: class maps to coverages, slope, zonal statistics (栅格)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import affine
import geopandas as gpd
import numpy as np
import pyproj
import rasterio.features
import shapely
from scipy.spatial import cKDTree

from qianmo.geo.crs import Helmert, transform_points
from qianmo.schema.errors import CrsError, MissingDataError

__all__ = ["Grid", "polygonize", "resampled", "slope_deg", "smooth_coverage", "zonal_majority", "zonal_mean"]


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
        return finite if self.nodata is None else finite & (self.values != self.values.dtype.type(self.nodata))


def polygonize(grid: Grid, *, crop_zero: bool = False) -> gpd.GeoDataFrame:
    """Class raster to polygons that share their borders exactly (栅格矢量化).

    Cells of one value that touch by an edge become one polygon; corners are cell corners, so neighbours have the same
    vertices and the areas sum to the area of the valid cells.

    Returns
    -------
    GeoDataFrame (value, geometry), CRS of the grid
        Sorted from north to south, then west to east.
    """
    values = grid.values.astype(np.int32) if grid.values.dtype.kind in "iub" else grid.values.astype(np.float32)
    mask = grid.valid & (grid.values != 0) if crop_zero else grid.valid
    found = list(rasterio.features.shapes(values, mask=mask, connectivity=4, transform=grid.transform))
    if not found:
        raise MissingDataError("the raster holds no valid cell", expected="class codes", cure="check nodata (栅格无有效像元)")
    geometry = np.array([shapely.Polygon(s["coordinates"][0], s["coordinates"][1:]) for s, _ in found], dtype=object)
    numbers = np.array([v for _, v in found]).astype(grid.values.dtype)
    box = shapely.bounds(geometry)
    order = np.lexsort((box[:, 0], -box[:, 3]))
    return gpd.GeoDataFrame({"value": numbers[order]}, geometry=_noded(geometry[order]), crs=grid.crs)


def slope_deg(grid: Grid) -> Grid:
    """Slope of an elevation model by Horn's third-order difference (坡度). [degree]

    Cells at the edge or beside missing cells use their own height for the missing neighbour.

    Raises
    ------
    CrsError
        The grid is in degrees or its cells are not square.
    """
    cell = abs(grid.transform.a)
    if not grid.crs.is_projected:
        raise CrsError(f"slope needs metres, the elevation model is in {grid.crs.name}", expected="a projected CRS")
    if abs(abs(grid.transform.e) - cell) > 1e-6 * cell:
        raise CrsError(f"cells are {cell:g} x {abs(grid.transform.e):g} m", expected="square cells")
    z = np.where(grid.valid, grid.values.astype(float), np.nan)
    p = np.pad(z, 1, constant_values=np.nan)

    def at(dy: int, dx: int) -> np.ndarray:
        window = p[1 + dy : 1 + dy + z.shape[0], 1 + dx : 1 + dx + z.shape[1]]
        return np.where(np.isnan(window), z, window)

    east = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1)
    south = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1)
    slope = np.degrees(np.arctan(np.hypot(east, south) / (8 * cell)))
    return replace(grid, values=np.where(grid.valid, slope, -9999.0).astype(np.float32), nodata=-9999.0)


def zonal_mean(grid: Grid, geoms: np.ndarray) -> np.ndarray:
    """Mean of the cells whose centre lies in each polygon (分区均值).

    A polygon that catches no valid centre gets the nearest valid cell; NaN only when the grid is empty or the polygon
    lies more than three cells away from any valid cell.
    """
    zone, value = _cells(grid, geoms)
    n = len(geoms)
    count = np.bincount(zone, minlength=n)
    total = np.bincount(zone, weights=value.astype(float), minlength=n)
    mean = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return _filled(grid, geoms, mean)


def zonal_majority(grid: Grid, geoms: np.ndarray) -> np.ndarray:
    """Most frequent cell value in each polygon; the smaller value on a tie (分区众数)."""
    zone, value = _cells(grid, geoms)
    n = len(geoms)
    out = np.full(n, np.nan)
    kinds, code = np.unique(value, return_inverse=True)
    if len(kinds):
        count = np.bincount(zone * len(kinds) + code, minlength=n * len(kinds)).reshape(n, len(kinds))
        some = count.sum(axis=1) > 0
        out[some] = kinds[count[some].argmax(axis=1)]
    return _filled(grid, geoms, out)


def smooth_coverage(frame: gpd.GeoDataFrame, tolerance: float) -> gpd.GeoDataFrame:
    """Simplify a coverage so that neighbours still share their borders (共边化简). Tolerance in metres."""
    out = frame.copy()
    out["geometry"] = shapely.coverage_simplify(frame.geometry.to_numpy(), tolerance, simplify_boundary=False)
    return out


def resampled(grid: Grid, target: pyproj.CRS, *, helmert: Helmert | None = None, nearest: bool = False) -> Grid:
    """The grid in another CRS, same cell size (栅格重投影).

    Each target cell centre is carried back to the source with `qianmo.geo.crs.transform_points`, so the datum rule of
    the house holds for rasters too; bilinear inside four valid cells, nearest valid cell otherwise.
    """
    cell = abs(grid.transform.a)
    rows, columns = grid.values.shape
    edge_x, edge_y = grid.transform * (np.r_[0:columns, [columns] * rows, columns:0:-1, [0] * rows], np.r_[[0] * columns, 0:rows, [rows] * columns, rows:0:-1])
    x, y = transform_points(edge_x.astype(float), edge_y.astype(float), grid.crs, target, helmert=helmert)
    west, north = np.floor(x.min() / cell) * cell, np.ceil(y.max() / cell) * cell
    shape = (int(np.ceil((north - y.min()) / cell)), int(np.ceil((x.max() - west) / cell)))
    fit = affine.Affine(cell, 0.0, west, 0.0, -cell, north)
    column, row = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    back_x, back_y = transform_points((west + column * cell).ravel(), (north - row * cell).ravel(), target, grid.crs, helmert=helmert)
    sc, sr = ~grid.transform * (back_x, back_y)
    values = _sampled(grid, np.asarray(sr) - 0.5, np.asarray(sc) - 0.5, nearest=nearest)
    return Grid(values.reshape(shape), fit, target, grid.nodata if grid.nodata is not None else -9999.0)


def _sampled(grid: Grid, row: np.ndarray, column: np.ndarray, *, nearest: bool) -> np.ndarray:
    height, width = grid.values.shape
    nodata = grid.nodata if grid.nodata is not None else -9999.0
    out = np.full(len(row), nodata, dtype=grid.values.dtype)
    r0, c0 = np.rint(row).astype(np.int64), np.rint(column).astype(np.int64)
    inside = (r0 >= 0) & (r0 < height) & (c0 >= 0) & (c0 < width)
    inside[inside] &= grid.valid[r0[inside], c0[inside]]
    out[inside] = grid.values[r0[inside], c0[inside]]
    if nearest:
        return out
    low_r, low_c = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    whole = inside & (low_r >= 0) & (low_c >= 0) & (low_r + 1 < height) & (low_c + 1 < width)
    r, c = low_r[whole], low_c[whole]
    four = grid.valid[r, c] & grid.valid[r + 1, c] & grid.valid[r, c + 1] & grid.valid[r + 1, c + 1]
    whole[whole] = four
    r, c = r[four], c[four]
    fr, fc = row[whole] - r, column[whole] - c
    z = grid.values.astype(float)
    top = z[r, c] * (1 - fc) + z[r, c + 1] * fc
    bottom = z[r + 1, c] * (1 - fc) + z[r + 1, c + 1] * fc
    out[whole] = (top * (1 - fr) + bottom * fr).astype(grid.values.dtype)
    return out


def _noded(geometry: np.ndarray) -> np.ndarray:
    """Insert at each border the corners of the neighbour (T-junctions), so that edges match vertex by vertex."""
    if shapely.coverage_is_valid(geometry):
        return geometry
    points = np.unique(shapely.get_coordinates(geometry), axis=0)
    tree = shapely.STRtree(shapely.points(points))
    rings, owner = shapely.get_rings(geometry, return_index=True)
    noded = np.array([_with_vertices(r, tree, points) for r in rings], dtype=object)
    starts = np.searchsorted(owner, np.arange(len(geometry) + 1))
    return np.array([shapely.Polygon(noded[a], list(noded[a + 1 : b])) for a, b in zip(starts[:-1], starts[1:])], dtype=object)


def _with_vertices(ring: shapely.LinearRing, tree: shapely.STRtree, points: np.ndarray) -> shapely.LinearRing:
    own = shapely.get_coordinates(ring)
    near = points[tree.query(ring, predicate="dwithin", distance=1e-6)]
    if len(near) <= len(own) - 1:
        return ring
    along = shapely.line_locate_point(ring, shapely.points(near))
    return shapely.linearrings(near[np.argsort(along)])


def _cells(grid: Grid, geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    array = np.asarray(geoms, dtype=object)
    some = [(g, k + 1) for k, g in enumerate(array) if g is not None and not g.is_empty]
    if not some:
        return np.empty(0, np.int64), np.empty(0)
    label = rasterio.features.rasterize(some, out_shape=grid.values.shape, transform=grid.transform, fill=0, dtype="int32")
    hit = (label > 0) & grid.valid
    return label[hit].astype(np.int64) - 1, grid.values[hit]


def _filled(grid: Grid, geoms: np.ndarray, values: np.ndarray) -> np.ndarray:
    array = np.asarray(geoms, dtype=object)
    missing = np.flatnonzero(np.isnan(values) & ~shapely.is_missing(array) & ~shapely.is_empty(array))
    rows, columns = np.nonzero(grid.valid)
    if not len(missing) or not len(rows):
        return values
    x, y = grid.transform * (columns + 0.5, rows + 0.5)
    inner = shapely.get_coordinates(shapely.point_on_surface(array[missing]))
    distance, nearest = cKDTree(np.column_stack([x, y])).query(inner)
    close = distance <= 3 * abs(grid.transform.a)
    values = values.copy()
    values[missing[close]] = grid.values[rows[nearest[close]], columns[nearest[close]]]
    return values
