"""The national series against an equal-area projection and against geodesics."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.area import ellipsoid_and_geodesic_area_of, ellipsoid_area, geodesic_area_of, series_coefficients


def stars(rng, n, *, reach=0.02):
    """Star-shaped polygons of 5 to 40 corners somewhere in China, some with a hole."""
    out = []
    for k in range(n):
        corners = int(rng.integers(5, 40))
        angle, size = np.sort(rng.uniform(0, 2 * np.pi, corners)), reach * rng.uniform(0.5, 1.0, corners)
        unit = np.column_stack([np.cos(angle), np.sin(angle)]) * size[:, None]
        centre = np.array([rng.uniform(75, 134), rng.uniform(4, 53)])
        out.append(shapely.Polygon(centre + unit, [(centre + 0.1 * unit)[::-1]] if k % 3 == 0 else None))
    return np.array(out, dtype=object)


def test_the_series_is_the_area_in_the_cylindrical_equal_area_projection(rng):
    geoms = stars(rng, 40)
    to_plane = pyproj.Transformer.from_pipeline("+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cea +ellps=GRS80")
    planar = shapely.area(shapely.transform(geoms, lambda p: np.column_stack(to_plane.transform(p[:, 0], p[:, 1]))))
    assert ellipsoid_area(geoms) == pytest.approx(planar, rel=1e-9)


def test_small_plots_have_nearly_their_geodesic_area(rng):
    geoms = stars(rng, 40, reach=0.002)
    assert ellipsoid_area(geoms) == pytest.approx(geodesic_area_of(gpd.GeoDataFrame(geometry=geoms, crs=4490)), rel=2e-5)


def by_proj(shape):
    """Area with geodesic edges by the integral of Karney, one ring after the other."""
    geod = pyproj.Geod(a=6378137.0, rf=298.257222101)
    return sum(
        abs(geod.polygon_area_perimeter(*np.array(part.exterior.coords).T)[0])
        - sum(abs(geod.polygon_area_perimeter(*np.array(hole.coords).T)[0]) for hole in part.interiors)
        for part in (shape.geoms if shape.geom_type == "MultiPolygon" else [shape])
    )


@pytest.mark.parametrize("reach", [0.0003, 0.005, 0.05, 0.22, 1.5])
def test_the_geodesic_area_is_that_of_the_integral(rng, reach):
    shapes = stars(rng, 60, reach=reach)
    far = shapely.transform(shapes[:30], lambda p: p + (10 * reach, -5 * reach))
    pairs = [shapely.MultiPolygon([a, b]) for a, b in zip(shapes[:30], far)]
    shapes = np.array([*shapes, *pairs], dtype=object)
    expected = np.array([by_proj(g) for g in shapes])
    series, found = ellipsoid_and_geodesic_area_of(gpd.GeoDataFrame(geometry=shapes, crs=4490))
    assert (np.abs(found - expected) <= np.maximum(1e-3, 1e-8 * expected)).all()
    assert np.array_equal(series, ellipsoid_area(shapes))
    if reach > 0.001:  # the bend of the edges is not lost in the tolerance
        assert np.median(np.abs(series - expected) / np.maximum(1e-3, 1e-8 * expected)) > 5


def test_long_edges_of_one_ring_leave_the_others_alone():
    strip, cell = shapely.box(100.0, 30.0, 109.0, 30.2), shapely.box(119.8, 30.3, 119.9, 30.4)
    both = shapely.MultiPolygon([strip, cell])
    found = geodesic_area_of(gpd.GeoDataFrame(geometry=[strip, cell, both], crs=4490))
    assert found == pytest.approx([by_proj(strip), by_proj(cell), by_proj(strip) + by_proj(cell)], rel=1e-9)


def test_on_a_sphere_the_series_is_the_area_of_the_zone():
    r = 6371000.0
    for south, north in ((0.0, 10.0), (30.0, 31.0), (45.0, 80.0)):
        found = ellipsoid_area(np.array([shapely.box(100.0, south, 120.0, north)]), a=r, inv_f=1e15)[0]
        zone = r**2 * np.radians(20.0) * (np.sin(np.radians(north)) - np.sin(np.radians(south)))
        assert found == pytest.approx(zone, rel=1e-12)


def test_the_recurrences_give_the_sines_and_cosines_of_the_multiples(rng):
    lon, lat = rng.uniform(119, 120, 200), rng.uniform(20, 50, 200)
    b2, *coefficients = series_coefficients()
    half, mean = np.radians(np.diff(lat)) / 2, np.radians(lat[1:] + lat[:-1]) / 2
    signs = (1, -1, 1, -1, 1)
    terms = sum(s * c * np.sin(k * half) * np.cos(k * mean) for s, c, k in zip(signs, coefficients, (1, 3, 5, 7, 9)))
    direct = 2 * b2 * np.radians((lon[1:] + lon[:-1]) / 2 - lon[0]) * terms
    ring = np.column_stack([lon, lat])
    closing = ring[[-1, 0]]
    last = 2 * b2 * np.radians(closing[:, 0].mean() - lon[0]) * sum(
        s * c * np.sin(k * np.radians(closing[1, 1] - closing[0, 1]) / 2) * np.cos(k * np.radians(closing[:, 1].sum()) / 2)
        for s, c, k in zip(signs, coefficients, (1, 3, 5, 7, 9))
    )
    assert ellipsoid_area(np.array([shapely.Polygon(ring)]))[0] == pytest.approx(abs(direct.sum() + last), rel=1e-9)
