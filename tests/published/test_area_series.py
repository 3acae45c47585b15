"""Ellipsoidal area against the vectors of the domain specification, section 8 (TD/T 1055 series)."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.geo.area import ellipsoid_area, ellipsoid_area_of, geodesic_area_of, planar_area_of, series_coefficients

RING = [(119.80, 30.38), (119.83, 30.38), (119.835, 30.40), (119.81, 30.41)]
CELLS = [((30, 30.041666666666668), 0.0625, 27847757.0265), ((40, 40.020833333333336), 0.03125, 6172038.8391), ((30.3, 30.31), 0.01, 1066337.76195)]


def one(geometry):
    return np.array([geometry], dtype=object)


def test_the_coefficients_of_the_series_are_the_published_ones():
    _, *found = series_coefficients()
    assert found == pytest.approx([1.00336408983, 0.00112418938, 1.699459e-06, 2.71786e-09, 4.358419e-12], rel=1e-6)


@pytest.mark.parametrize(("lat", "width", "area"), CELLS)
def test_a_map_sheet_cell_has_the_published_area(lat, width, area):
    assert ellipsoid_area(one(shapely.box(110, lat[0], 110 + width, lat[1])))[0] == pytest.approx(area, abs=0.01)


def test_the_published_polygon_has_its_three_areas():
    frame = gpd.GeoDataFrame(geometry=[shapely.Polygon(RING)], crs=4490)
    assert ellipsoid_area_of(frame)[0] == pytest.approx(7724090.3092, abs=0.01)
    assert geodesic_area_of(frame)[0] == pytest.approx(7724276.7621, abs=0.01)
    assert planar_area_of(frame.to_crs(4549))[0] == pytest.approx(7724334.4309, abs=0.05)


def test_the_shipped_vectors_agree(shared_domain):
    vectors = json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))["ellipsoid_area"]
    assert ellipsoid_area(one(shapely.Polygon(vectors["polygon"]["ring"])))[0] == pytest.approx(vectors["polygon"]["trapezoid"], abs=0.01)


def test_half_the_earth_has_the_area_of_the_hemisphere():
    strips = np.array([shapely.box(0, lat, 1, lat + 1) for lat in range(90)], dtype=object)
    assert ellipsoid_area(strips).sum() * 360 == pytest.approx(255032810857371, rel=1e-9)


def test_a_hole_is_taken_off_and_parts_add_up():
    outer, hole = shapely.box(110, 30, 110.1, 30.1), shapely.box(110.02, 30.02, 110.05, 30.05)
    ring = shapely.difference(outer, hole)
    a, b, c, d = ellipsoid_area(np.array([outer, hole, ring, shapely.MultiPolygon([hole, shapely.box(111, 30, 111.01, 30.01)])], dtype=object))
    assert c == pytest.approx(a - b, abs=1e-4) and d > b


def test_an_empty_geometry_has_no_area_and_that_of_a_missing_one_is_unknown():
    found = ellipsoid_area(np.array([shapely.Polygon(), None, shapely.Point(1, 1)], dtype=object))
    assert found[[0, 2]].tolist() == [0, 0] and np.isnan(found[1])
