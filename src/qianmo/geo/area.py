"""Ellipsoidal area by the national series, planar and geodesic area (面积计算)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely

from qianmo.geo.crs import lonlat_rings, same_metric_crs
from qianmo.geo.rings import Rings, rings_of
from qianmo.geo.side_by_side import side_by_side
from qianmo.schema.errors import CrsError
from qianmo.schema.units import M2_PER_HA

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "ellipsoid_and_geodesic_area_of",
    "ellipsoid_area",
    "ellipsoid_area_of",
    "geodesic_area_of",
    "hectares",
    "planar_area_of",
    "series_coefficients",
]

_A, _INV_F = 6378137.0, 298.257222101
_CHUNK = 1 << 15
_LONG_EDGE = np.radians(0.5)


def series_coefficients(*, a: float = _A, inv_f: float = _INV_F) -> tuple[float, float, float, float, float, float]:
    """Polar semi-axis squared [m2] and the coefficients A to E of the area series (椭球面积系数).

    Returns
    -------
    (b2, A, B, C, D, E)
        As in the calculation rule of the national land survey (TD/T 1055); for CGCS2000 A = 1.00336408983.
    """
    f = 1.0 / inv_f
    e2 = f * (2.0 - f)
    b = a * (1.0 - f)
    e4, e6, e8 = e2**2, e2**3, e2**4
    return (
        b * b,
        1 + 3 / 6 * e2 + 30 / 80 * e4 + 35 / 112 * e6 + 630 / 2304 * e8,
        1 / 6 * e2 + 15 / 80 * e4 + 21 / 112 * e6 + 420 / 2304 * e8,
        3 / 80 * e4 + 7 / 112 * e6 + 180 / 2304 * e8,
        1 / 112 * e6 + 45 / 2304 * e8,
        5 / 2304 * e8,
    )


def ellipsoid_area(lonlat_geoms: np.ndarray, *, a: float = _A, inv_f: float = _INV_F) -> np.ndarray:
    r"""Area on the ellipsoid by the series of the national land survey (椭球面积).

    Parameters
    ----------
    lonlat_geoms : ndarray of geometry, n
        Polygons or multipolygons, longitude first, not across the antimeridian. [degree]
    a, inv_f : float
        Semi-major axis [m] and inverse flattening; CGCS2000 by default.

    Returns
    -------
    ndarray, n, float
        Area [m2], holes subtracted whatever way the rings turn; 0 for empty geometries, lines and points, NaN for a
        missing geometry. Not rounded; registers keep 0.01 m2.

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    CrsError
        A coordinate is not in degrees; the rows are named.

    Notes
    -----
    Each edge against the meridian of the first vertex of its ring [1]_:

    .. math:: S = 2 b^2 \Delta L \,[A \sin(\Delta B/2)\cos B_m - B \sin(3\Delta B/2)\cos 3B_m + \dots]

    The sum is the area between the edge and that meridian when longitude runs evenly with the area passed along the edge:
    the planar area in the equal-area cylindrical projection, edges straight there. It differs from the area with geodesic
    edges by about 2e-5 for edges of a kilometre, less for shorter ones. The sines and cosines of the multiples follow
    from those of the single angle.

    References
    ----------
    .. [1] TD/T 1055-2019, calculation of ellipsoidal area; domain specification section 3.3.
    """
    array = np.asarray(lonlat_geoms, dtype=object)
    rings = rings_of(array)
    _refuse_metres(rings)
    return _per_geometry(array, rings, np.abs(_ring_sums(rings, series_coefficients(a=a, inv_f=inv_f))))


def ellipsoid_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Ellipsoidal area of each row on CGCS2000 (椭球面积). [m2]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    rings = lonlat_rings(frame)
    return _per_geometry(frame.geometry.to_numpy(), rings, np.abs(_ring_sums(rings, series_coefficients())))


def geodesic_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Area with geodesic edges on CGCS2000 (测地面积), as `ellipsoid_and_geodesic_area_of`; a check beside the survey's. [m2]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    return ellipsoid_and_geodesic_area_of(frame)[1]


def ellipsoid_and_geodesic_area_of(frame: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    r"""Area of each row on CGCS2000 by the national series and with geodesic edges, in one pass (椭球面积与测地面积). [m2]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.

    Notes
    -----
    The series is the area under the straight edge in the plane of longitude :math:`L` and authalic height, in which a
    geodesic bends by the curvature that the equations of the geodesic [1]_ give. With :math:`M` and :math:`r` the radii of
    the meridian and of the parallel at the middle latitude, the area between both is to first order

    .. math:: -\tfrac{1}{12} \sin B \, \Delta L \, (r^2 \Delta L^2 + 3 M^2 \Delta B^2),

    short of the truth by the square of (edge / earth radius): against the integral of [1]_ as PROJ computes it, whole
    polygons differ by less than 1e-9 of their area (or 1e-3 m2, the rounding of both) with edges to 10 km and 1e-8 to 50 km. Rings with an edge
    longer than half a degree are given to PROJ.

    References
    ----------
    .. [1] C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy, vol. 87, pp. 43-55, 2013, sections 2 and 6.
    """
    rings = lonlat_rings(frame)
    series = _ring_sums(rings, series_coefficients())
    geodesic = np.abs(series + _ring_bends(rings))
    long = np.flatnonzero(np.isnan(geodesic))
    geodesic[long] = _by_proj(rings, long)
    geoms = frame.geometry.to_numpy()
    return _per_geometry(geoms, rings, np.abs(series)), _per_geometry(geoms, rings, geodesic)


def planar_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Area on the plane of the projection (平面面积); never used for statistics, NaN for a missing geometry. [m2]

    Raises
    ------
    CrsError
        The frame is not in a projected CRS.
    """
    same_metric_crs(frame)
    return shapely.area(frame.geometry.to_numpy())


def hectares(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Ellipsoidal area of each row (公顷数). [ha]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    return ellipsoid_area_of(frame) / M2_PER_HA


def _refuse_metres(rings: Rings) -> None:
    if len(rings.xy) and (np.abs(rings.xy[:, 0]).max() > 360.0 or np.abs(rings.xy[:, 1]).max() > 90.0):
        rows = rings.rows_of_vertices((np.abs(rings.xy) > (360.0, 90.0)).any(axis=1))
        found = f"coordinates of rows {rows[:10].tolist()} are not degrees"
        raise CrsError(found, expected="longitude, latitude", cure="use ellipsoid_area_of (先转为经纬度)")


def _per_geometry(geoms: np.ndarray, rings: Rings, size: np.ndarray) -> np.ndarray:
    total = np.bincount(rings.row, weights=np.where(rings.is_hole, -size, size), minlength=len(geoms)).astype(float)
    total[shapely.is_missing(geoms)] = np.nan
    return total


def _ring_sums(rings: Rings, coefficients: tuple[float, float, float, float, float, float]) -> np.ndarray:
    """Signed area of each ring by the series."""
    origin = rings.xy[rings.starts[:-1], 0]
    return _summed(rings, lambda start, end, ring: _trapezoids(start, end, origin[ring], coefficients))


def _ring_bends(rings: Rings) -> np.ndarray:
    """Signed area of each ring between its geodesic edges and those of the series; NaN with an edge too long for it."""
    return _summed(rings, lambda start, end, ring: _bends(start, end))


def _summed(rings: Rings, measure: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Sum over the edges of each ring, in chunks that stay in the processor's cache."""
    ring = rings.of_edges(np.arange(len(rings.row)))
    chunk = lambda at, of: measure(rings.xy[at], rings.xy[at + 1], of)  # noqa: E731
    edge = side_by_side(chunk, rings.edge_starts(), ring, chunk=_CHUNK)
    return np.bincount(ring, weights=edge, minlength=len(rings.row)).astype(float)


def _bends(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    e2 = (2.0 - 1.0 / _INV_F) / _INV_F
    width, rise = np.radians(end - start).T
    sine = np.sin(np.radians(start[:, 1] + end[:, 1]) / 2.0)
    w2 = 1.0 - e2 * sine * sine
    parallel = _A * _A * (1.0 - sine * sine) / w2
    meridian = (_A * (1.0 - e2)) ** 2 / w2**3
    bend = -sine * width * (parallel * width * width + 3.0 * meridian * rise * rise) / 12.0
    return np.where(np.maximum(np.abs(width), np.abs(rise)) > _LONG_EDGE, np.nan, bend)


def _by_proj(rings: Rings, which: np.ndarray) -> list[float]:
    geod = pyproj.Geod(a=_A, rf=_INV_F)
    spans = [rings.xy[rings.starts[k] : rings.starts[k + 1]].T for k in which]
    return [abs(geod.polygon_area_perimeter(lon, lat)[0]) for lon, lat in spans]


def _trapezoids(
    start: np.ndarray, end: np.ndarray, origin: np.ndarray, coefficients: tuple[float, float, float, float, float, float]
) -> np.ndarray:
    b2, a, b, c, d, e = coefficients
    width = np.radians((start[:, 0] + end[:, 0]) / 2.0 - origin)
    s = np.sin(np.radians(end[:, 1] - start[:, 1]) / 2.0)
    m = np.cos(np.radians(start[:, 1] + end[:, 1]) / 2.0)
    s2, m2 = s * s, m * m
    odd, even = [s, s * (3.0 - 4.0 * s2)], [m, m * (4.0 * m2 - 3.0)]
    for _ in range(3):
        odd.append(2.0 * (1.0 - 2.0 * s2) * odd[-1] - odd[-2])
        even.append(2.0 * (2.0 * m2 - 1.0) * even[-1] - even[-2])
    series = a * odd[0] * even[0] - b * odd[1] * even[1] + c * odd[2] * even[2] - d * odd[3] * even[3] + e * odd[4] * even[4]
    return 2.0 * b2 * width * series
