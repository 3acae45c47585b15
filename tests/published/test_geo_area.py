"""Published numbers: ellipsoidal areas of the national series, a datum shift of EPSG, web-map shifts."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.geo.area import ellipsoid_area, ellipsoid_area_of, geodesic_area_of, planar_area_of, series_coefficients
from qianmo.geo.crs import Helmert, transform_points
from qianmo.geo.shift import bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02

QUADRILATERAL = shapely.Polygon([(119.80, 30.38), (119.83, 30.38), (119.835, 30.40), (119.81, 30.41)])


def test_the_coefficients_are_those_of_the_domain_specification():
    # domain specification section 8, row 'ellipsoid, coefficients'; definitions of TD/T 1055 in section 3.3
    _, a, b, c, d, e = series_coefficients()
    assert [a, b] == pytest.approx([1.00336408983, 0.00112418938], rel=2e-9)
    assert [c, d, e] == pytest.approx([1.699459e-6, 2.71786e-9, 4.358419e-12], rel=1e-6)


@pytest.mark.parametrize(
    ("south", "north", "width", "area_m2"),
    [(30.0, 30 + 2.5 / 60, 3.75 / 60, 27847757.0265), (40.0, 40 + 1.25 / 60, 1.875 / 60, 6172038.8391), (30.30, 30.31, 0.01, 1066337.76195)],
)
def test_map_sheets_have_the_areas_of_the_domain_specification(south, north, width, area_m2):
    # domain specification section 8, rows 'ellipsoid cell'; tolerance 0.01 m2
    for west in (75.0, 119.8, 134.9):
        assert ellipsoid_area(np.array([shapely.box(west, south, west + width, north)]))[0] == pytest.approx(area_m2, abs=0.01)


def test_the_quadrilateral_has_its_three_areas():
    # domain specification section 8, row 'polygon'; tolerance 0.01 m2
    plot = gpd.GeoDataFrame(geometry=[QUADRILATERAL], crs=4490)
    assert ellipsoid_area_of(plot)[0] == pytest.approx(7724090.3092, abs=0.01)
    assert geodesic_area_of(plot)[0] == pytest.approx(7724276.7621, abs=0.01)
    assert planar_area_of(plot.to_crs(4549))[0] == pytest.approx(7724334.4309, abs=0.01)


def test_the_file_of_test_vectors_holds(shared_domain):
    said = json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))["ellipsoid_area"]
    assert dict(zip("ABCDE", series_coefficients()[1:])) == pytest.approx({k: said[k] for k in "ABCDE"}, rel=1e-6)
    for cell in said["cells"]:
        found = ellipsoid_area(np.array([shapely.box(119.0, cell["lat"][0], 119.0 + cell["dlon_deg"], cell["lat"][1])]))
        assert found[0] == pytest.approx(cell["area"], abs=0.01)
    assert ellipsoid_area(np.array([shapely.Polygon(said["polygon"]["ring"])]))[0] == pytest.approx(said["polygon"]["trapezoid"], abs=0.01)
    assert 2 * ellipsoid_area(np.array([shapely.box(0, 0, 180, 90)]))[0] == pytest.approx(said["hemisphere"], rel=1e-9)


def test_the_position_vector_example_of_epsg_is_met():
    # EPSG Guidance Note 7 part 2, method 9606, example WGS 72 to WGS 84: 55 N 4 E becomes 55 00 00.090 N, 4 00 00.554 E
    lon, lat = transform_points(np.array([4.0]), np.array([55.0]), 4322, 4326, helmert=Helmert(0, 0, 4.5, rz=0.554, scale_ppm=0.219))
    assert (lon[0] - 4.0) * 3600 == pytest.approx(0.554, abs=5e-4) and (lat[0] - 55.0) * 3600 == pytest.approx(0.090, abs=5e-4)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)), ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
     ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069))],
)  # fmt: skip
def test_web_map_coordinates_of_three_cities_are_met(wgs84, gcj02):
    # test table of googollee/eviltransform (go/transform_test.go): Shanghai, Shenzhen, Beijing
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-12)
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, abs=1e-10)


def test_the_baidu_example_is_met():
    # README of wandergis/coordtransform, example 116.404, 39.915
    assert gcj02_to_bd09(116.404, 39.915) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-12)
    # its inverse there is one step of the fixed point, good to 1e-6 degree; ours closes
    assert bd09_to_gcj02(116.404, 39.915) == pytest.approx((116.39762729119315, 39.90865673957631), abs=2e-6)
