"""Rasters in memory: class maps to coverages, slope, zonal statistics (栅格)."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from qianmo.geo.cells import cells_inside, outlines, placed
from qianmo.geo.gradient import gradient
from qianmo.geo.raster import NODATA, Grid, resampled
from qianmo.geo.topology import is_coverage
from qianmo.schema.errors import MissingDataError, TopologyError

__all__ = ["Grid", "polygonize", "resampled", "slope_deg", "smooth_coverage", "zonal_majority", "zonal_mean"]

_REACH_CELLS = 3.0


def polygonize(grid: Grid, *, crop_zero: bool = False) -> gpd.GeoDataFrame:
    """Class raster to polygons that share their borders exactly (栅格矢量化).

    Cells of one value that touch by an edge become one polygon; corners are cell corners, neighbours have the same
    vertices along their border, and the areas sum to the area of the valid cells.

    Parameters
    ----------
    grid : Grid
        Classes (y, x) of any number type; cells without data are left out.
    crop_zero : bool
        Whether cells of value 0 are left out too.

    Returns
    -------
    GeoDataFrame (value, geometry), CRS of the grid
        From north to south, then west to east.

    Raises
    ------
    MissingDataError
        No cell is left.
    """
    mask = grid.valid & (grid.values != 0) if crop_zero else grid.valid
    if not mask.any():
        raise MissingDataError("the raster holds no valid cell", expected="class codes", cure="check nodata (栅格无有效像元)")
    kinds, code = np.unique(grid.values[mask], return_inverse=True)
    labels = np.full(grid.values.shape, -1, np.int32)
    labels[mask] = code
    geoms, label = outlines(labels, grid.transform)
    box = shapely.bounds(geoms)
    order = np.lexsort((box[:, 0], -box[:, 3]))
    return gpd.GeoDataFrame({"value": kinds[label[order]]}, geometry=geoms[order], crs=grid.crs)


def slope_deg(grid: Grid) -> Grid:
    """Slope of an elevation model by Horn's third-order difference (坡度). [degree]

    A neighbour that is missing, at the edge or beside cells without data, is continued in a straight line from the
    opposite neighbour; where that is missing too, a corner is continued from the two sides and a side is taken level. So a
    plane has its true slope in every cell of a raster of at least two by two full cells.

    Parameters
    ----------
    grid : Grid
        Heights (y, x) [m] on square cells of a projected CRS in metres.

    Returns
    -------
    Grid
        float32, from 0 to below 90, nodata -9999 where the height is missing.

    Raises
    ------
    CrsError
        The grid is in degrees, its cells are not square, or it is turned.

    References
    ----------
    .. [1] B. K. P. Horn, Hill shading and the reflectance map, Proceedings of the IEEE, vol. 69, pp. 14-47, 1981.
    """
    east, north = gradient(grid)
    slope = np.degrees(np.arctan(np.hypot(east, north)))
    return replace(grid, values=np.where(grid.valid, slope, NODATA).astype(np.float32), nodata=NODATA)


def zonal_mean(grid: Grid, geoms: np.ndarray) -> np.ndarray:
    """Mean of the valid cells whose centre lies in each polygon (分区均值).

    A polygon that catches no valid centre takes the valid cell nearest to a point inside it, at most three cells away;
    otherwise, and for missing or empty geometries, the answer is NaN. Polygons may overlap.

    Parameters
    ----------
    grid : Grid
    geoms : ndarray of geometry, n
        Polygons in the CRS of the grid.

    Returns
    -------
    ndarray, n, float

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    zone, value = _values_inside(grid, geoms)
    count = np.bincount(zone, minlength=len(geoms))
    total = np.bincount(zone, weights=value.astype(float), minlength=len(geoms))
    mean = np.divide(total, count, out=np.full(len(geoms), np.nan), where=count > 0)
    return _filled(grid, geoms, mean)


def zonal_majority(grid: Grid, geoms: np.ndarray) -> np.ndarray:
    """Most frequent valid cell value in each polygon, the smaller value on a tie (分区众数).

    Polygons without a cell are treated as in `zonal_mean`; same parameters, errors and NaN.
    """
    zone, value = _values_inside(grid, geoms)
    out = np.full(len(geoms), np.nan)
    kinds, code = np.unique(value, return_inverse=True)
    pair, count = np.unique(zone * max(len(kinds), 1) + code, return_counts=True)
    zone, code = pair // max(len(kinds), 1), pair % max(len(kinds), 1)
    order = np.lexsort((code, -count, zone))
    first = order[np.concatenate([[True], np.diff(zone[order]) > 0])[: len(order)]]
    out[zone[first]] = kinds[code[first]]
    return _filled(grid, geoms, out)


def smooth_coverage(frame: gpd.GeoDataFrame, tolerance: float) -> gpd.GeoDataFrame:
    """Simplify a coverage so that neighbours still share their borders (共边化简).

    Inner borders lose corners that span a triangle smaller than the square of the tolerance [m]; the outer border stays,
    so the total area is kept.

    Raises
    ------
    TopologyError
        The polygons are not valid or no coverage (`qianmo.geo.topology.is_coverage`).
    """
    geoms = frame.geometry.to_numpy()
    if not is_coverage(geoms):
        found = "the polygons overlap or do not match along their borders"
        raise TopologyError(found, expected="a coverage", cure="repair it first (请先修复拓扑)")
    out = frame.copy()
    out[frame.geometry.name] = shapely.coverage_simplify(geoms, tolerance, simplify_boundary=False)
    return out


def _values_inside(grid: Grid, geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    zone, row, column = cells_inside(geoms, grid.transform, grid.values.shape)
    good = grid.valid[row, column]
    return zone[good], grid.values[row[good], column[good]]


def _filled(grid: Grid, geoms: np.ndarray, values: np.ndarray) -> np.ndarray:
    array = np.asarray(geoms, dtype=object)
    wanting = np.flatnonzero(np.isnan(values) & ~shapely.is_missing(array) & ~shapely.is_empty(array))
    rows, columns = np.nonzero(grid.valid) if len(wanting) else ((), ())
    if not len(rows):
        return values
    inner = shapely.get_coordinates(shapely.point_on_surface(array[wanting]))
    at = np.column_stack(placed(~grid.transform, inner[:, 0], inner[:, 1])) - 0.5
    from scipy.spatial import cKDTree  # large: loaded where it is needed

    distance, nearest = cKDTree(np.column_stack([columns, rows])).query(at)
    close = distance <= _REACH_CELLS * (1.0 + 1e-9)
    values[wanting[close]] = grid.values[rows[nearest[close]], columns[nearest[close]]]
    return values
