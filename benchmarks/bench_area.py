"""Ellipsoidal and geodesic area: closed forms of the house, equal-area projection, geodesic loop of pyproj."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from measure import Way
from townships import layers, middle

from qianmo.geo.area import ellipsoid_and_geodesic_area_of, ellipsoid_area
from qianmo.geo.crs import lonlat

__all__ = ["ways"]

_SUBSET = 20_000
_EQUAL_AREA = "+proj=cea +ellps=GRS80 +type=crs"
_SAME = 1e-5
"""Straight edges in longitude and latitude against geodesics: the sums agree to this."""


def ways(size: int, cache: Path) -> list[Way]:
    """All patches by series and projection; a subset by the geodesic loop too. Degrees are given."""
    frame = layers(size, cache)["landuse_patch"][["geometry"]]
    part = middle(frame, min(_SUBSET, size))
    found = []
    for rows in (frame, part) if len(part) < len(frame) else (frame,):
        degrees = lonlat(rows)
        found += [_series(degrees), _projection(degrees)]
    found.append(_geodesic(lonlat(part)))
    return [*found, _with_transform(frame), _both(frame)]


def _series(degrees: np.ndarray) -> Way:
    warm = lambda: ellipsoid_area(degrees[:10])  # noqa: E731
    return Way("area", "qianmo ellipsoid_area", len(degrees), lambda: float(ellipsoid_area(degrees).sum()), warm, _SAME)


def _with_transform(frame: gpd.GeoDataFrame) -> Way:
    run = lambda: float(ellipsoid_area(lonlat(frame)).sum())  # noqa: E731
    return Way(
        "area", "qianmo ellipsoid_area with transform", len(frame), run, lambda: ellipsoid_area(lonlat(frame.iloc[:10])), _SAME
    )


def _both(frame: gpd.GeoDataFrame) -> Way:
    run = lambda: float(ellipsoid_and_geodesic_area_of(frame)[1].sum())  # noqa: E731
    return Way(
        "area", "qianmo series and geodesic area with transform", len(frame), run,
        lambda: ellipsoid_and_geodesic_area_of(frame.iloc[:10]), _SAME,
    )  # fmt: skip


def _projection(degrees: np.ndarray) -> Way:
    def run() -> float:
        move = pyproj.Transformer.from_crs(4490, _EQUAL_AREA, always_xy=True)
        flat = shapely.transform(degrees, lambda x, y: move.transform(x, y), interleaved=False)
        return float(shapely.area(flat).sum())

    return Way("area", "PROJ cea + planar area", len(degrees), run, tolerance=_SAME)


def _geodesic(degrees: np.ndarray) -> Way:
    def run() -> float:
        geod = pyproj.Geod(ellps="GRS80")
        return float(sum(abs(geod.geometry_area_perimeter(shape)[0]) for shape in degrees))

    return Way("area", "pyproj Geod loop", len(degrees), run, tolerance=_SAME)
