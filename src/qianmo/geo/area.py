"""Ellipsoidal area by the national series, planar and geodesic area (面积计算)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import pyproj
import shapely

from qianmo.geo.crs import lonlat, same_metric_crs
from qianmo.schema.errors import TopologyError
from qianmo.schema.units import M2_PER_HA

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["ellipsoid_area", "ellipsoid_area_of", "geodesic_area_of", "hectares", "planar_area_of", "series_coefficients"]

_A, _INV_F = 6378137.0, 298.257222101


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
    r"""Area on the ellipsoid, edges straight in longitude and latitude (椭球面积).

    Parameters
    ----------
    lonlat_geoms : ndarray of geometry, n
        Polygons or multipolygons, longitude first. [degree]
    a, inv_f : float
        Semi-major axis [m] and inverse flattening; CGCS2000 by default.

    Returns
    -------
    ndarray, n, float
        Area [m2], holes subtracted, never negative; 0 for empty or missing geometry.

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.

    Notes
    -----
    Each edge against the meridian of the first vertex of its ring [1]_:

    .. math:: S = 2 b^2 \Delta L \,[A \sin(\Delta B/2)\cos B_m - B \sin(3\Delta B/2)\cos 3B_m + \dots]

    References
    ----------
    .. [1] TD/T 1055-2019, calculation of ellipsoidal area; domain specification section 3.3.
    """
    geoms = np.asarray(lonlat_geoms, dtype=object)
    total = np.zeros(len(geoms))
    parts, owner = shapely.get_parts(geoms, return_index=True)
    polygonal = shapely.get_type_id(parts) == 3
    parts, owner = parts[polygonal], owner[polygonal]
    if not len(parts):
        return total
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    ring_owner = owner[ring_part]
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        rows = np.unique(ring_owner[point_ring[~finite]])
        raise TopologyError(f"coordinates of rows {rows[:10].tolist()} are not finite", expected="numbers", cure="repair the geometry (坐标无效)")
    starts = np.searchsorted(point_ring, np.arange(len(rings) + 1))
    signed = np.abs(_ring_areas(np.radians(points), starts, *series_coefficients(a=a, inv_f=inv_f)))
    is_hole = np.ones(len(rings), dtype=bool)
    is_hole[np.searchsorted(ring_part, np.unique(ring_part))] = False
    np.add.at(total, ring_owner, np.where(is_hole, -signed, signed))
    return np.maximum(total, 0.0)


def ellipsoid_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Ellipsoidal area of each row on CGCS2000 (椭球面积). [m2]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    return ellipsoid_area(lonlat(frame))


def geodesic_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Area with geodesic edges on CGCS2000, by PROJ (测地面积). [m2]"""
    geod = pyproj.Geod(a=_A, rf=_INV_F)
    geoms = lonlat(frame)
    total = np.zeros(len(geoms))
    parts, owner = shapely.get_parts(geoms, return_index=True)
    keep = shapely.get_type_id(parts) == 3
    rings, ring_part = shapely.get_rings(parts[keep], return_index=True)
    owner = owner[keep]
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    starts = np.searchsorted(point_ring, np.arange(len(rings) + 1))
    previous = -1
    for k in range(len(rings)):
        ring = points[starts[k] : starts[k + 1]]
        size = abs(geod.polygon_area_perimeter(ring[:, 0], ring[:, 1])[0])
        total[owner[ring_part[k]]] += size if ring_part[k] != previous else -size
        previous = ring_part[k]
    return total


def planar_area_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Area on the plane of the projection (平面面积); never used for statistics. [m2]

    Raises
    ------
    CrsError
        The frame is not in a projected CRS.
    """
    same_metric_crs(frame)
    return np.nan_to_num(shapely.area(frame.geometry.to_numpy()))


def hectares(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Ellipsoidal area of each row. [ha]"""
    return ellipsoid_area_of(frame) / M2_PER_HA


@nb.njit(cache=True)
def _ring_areas(points, starts, b2, ca, cb, cc, cd, ce):  # type: ignore[no-untyped-def]
    n = len(starts) - 1
    out = np.zeros(n)
    for r in range(n):
        first = starts[r]
        last = starts[r + 1]
        if last - first < 4:
            continue
        l0 = points[first, 0]
        total = 0.0
        for k in range(first, last - 1):
            b1 = points[k, 1]
            b_2 = points[k + 1, 1]
            half = (b_2 - b1) / 2.0
            mean = (b1 + b_2) / 2.0
            dl = (points[k, 0] + points[k + 1, 0]) / 2.0 - l0
            total += dl * (
                ca * np.sin(half) * np.cos(mean)
                - cb * np.sin(3 * half) * np.cos(3 * mean)
                + cc * np.sin(5 * half) * np.cos(5 * mean)
                - cd * np.sin(7 * half) * np.cos(7 * mean)
                + ce * np.sin(9 * half) * np.cos(9 * mean)
            )
        out[r] = 2.0 * b2 * total
    return out
