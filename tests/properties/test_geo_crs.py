"""Every Chinese system of the list, forth and back, and against the projection library's own words."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.geo.crs import Helmert, china_crs, datum_of, transform, transform_points

BASE = {"CGCS2000": 4490, "Xian80": 4610, "Beijing54": 4214, "NewBeijing": 4555, "WGS84": 4326}


@pytest.mark.parametrize("epsg", sorted(china_crs()))
def test_the_list_agrees_with_the_projection_library(epsg):
    info, crs = china_crs()[epsg], pyproj.CRS.from_epsg(epsg)
    assert crs.name == info.name.removesuffix(" (3D)") and datum_of(crs) == info.datum == datum_of(epsg)
    assert crs.is_projected == (info.kind == "projected")
    if info.central_meridian is not None:
        said = {p.name: p.value for p in crs.coordinate_operation.params}
        assert said["Longitude of natural origin"] == info.central_meridian and said["False easting"] == info.false_easting
        assert info.zone_prefix == (info.false_easting > 1e6) and info.lon_max - info.lon_min == info.zone_width_deg
        assert not info.zone_prefix or info.false_easting // 1e6 == info.zone_no


@pytest.mark.parametrize("epsg", sorted(china_crs()))
def test_forth_and_back_closes_within_a_billionth_of_a_degree(epsg):
    info = china_crs()[epsg]
    west, east = (73.5, 135.0) if info.lon_min is None else (info.lon_min, info.lon_max)
    lon, lat = (a.ravel() for a in np.meshgrid(np.linspace(west, east, 7), np.linspace(3.0, 54.0, 6)))
    there = transform(shapely.points(lon, lat), BASE[info.datum], epsg)
    back = shapely.get_coordinates(transform(there, epsg, BASE[info.datum]))
    assert np.abs(back - np.column_stack([lon, lat])).max() < 1e-9
    if info.kind == "projected" and info.central_meridian is not None:
        x = shapely.get_x(transform(shapely.points([info.central_meridian], [30.0]), BASE[info.datum], epsg))
        assert x[0] == pytest.approx(info.false_easting, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-300, 300), min_size=3, max_size=3), st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.floats(-20, 20),
    st.floats(75, 134), st.floats(16, 53), st.sampled_from([4610, 4214, 4555]),
)  # fmt: skip
def test_a_datum_shift_and_its_inverse_close_within_five_centimetres(move, turn, ppm, lon, lat, source):
    h = Helmert(*move, *turn, ppm)
    x, y = transform_points(np.array([lon]), np.array([lat]), source, 4490, helmert=h)
    back_lon, back_lat = transform_points(x, y, 4490, source, helmert=h)
    # the height gained by the shift is dropped, so the way back starts at height 0: some 400 m of it times a tilt of 1e-4
    assert abs(back_lon[0] - lon) < 5e-7 and abs(back_lat[0] - lat) < 5e-7
