"""Chinese systems, safe transformation, refusal of null shifts."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.crs import Helmert, china_crs, datum_note, datum_of, lonlat, project_crs, same_metric_crs, transform
from qianmo.schema.errors import CrsError

ALL = sorted(china_crs())


def points(*xy):
    return np.array([shapely.Point(p) for p in xy], dtype=object)


def test_all_199_rows_of_the_list_are_there():
    assert len(ALL) == 199


@pytest.mark.parametrize("epsg", ALL)
def test_a_listed_system_agrees_with_the_projection_library(epsg):
    info, found = china_crs()[epsg], pyproj.CRS.from_epsg(epsg)
    assert datum_of(found) == info.datum or info.datum not in ("CGCS2000", "Xian80", "Beijing54")
    assert found.is_projected == (info.kind == "projected")
    if info.central_meridian is None:
        return
    values = {p.name.lower(): p.value for p in found.coordinate_operation.params}
    assert values["longitude of natural origin"] == pytest.approx(info.central_meridian)
    assert values["false easting"] == pytest.approx(info.false_easting)
    assert info.zone_prefix == (info.false_easting > 1e6)


@pytest.mark.parametrize("epsg", ALL)
def test_a_point_survives_the_way_there_and_back(epsg):
    info = china_crs()[epsg]
    base = pyproj.CRS.from_epsg(epsg).geodetic_crs
    if info.kind == "geocentric" or base.is_geocentric:
        return
    lon = 0.4 + (info.central_meridian if info.central_meridian is not None else 105.0)
    there = transform(points((lon, 31.3)), base, epsg)
    back = shapely.get_coordinates(transform(there, epsg, base))
    assert np.abs(back - [lon, 31.3]).max() < 1e-9


def test_an_old_datum_is_refused_without_parameters():
    for old in (2415, 4610, 2375):
        with pytest.raises(CrsError, match="null shift"):
            transform(points((117.0, 26.0)), old, 4490)


def test_a_datum_shift_equals_the_geocentric_translation_done_by_hand():
    h = Helmert(12.646, -155.176, -80.863)
    moved = shapely.get_coordinates(transform(points((116.45, 25.67)), 4214, 4490, helmert=h))[0]

    def xyz(lon, lat, a, f):
        lon, lat, e2 = np.radians(lon), np.radians(lat), f * (2 - f)
        n = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        return np.array([n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1 - e2) * np.sin(lat)])

    want = xyz(116.45, 25.67, 6378245.0, 1 / 298.3) + [h.dx, h.dy, h.dz]
    got = xyz(*moved, 6378137.0, 1 / 298.257222101)
    up = got / np.linalg.norm(got)
    across = (want - got) - up * ((want - got) @ up)
    assert np.linalg.norm(across) < 0.25  # the height above the ellipsoid (tens of metres) is dropped: 1' of tilt


def test_a_datum_shift_can_be_undone():
    h = Helmert(12.646, -155.176, -80.863, 0.1, -0.2, 0.3, 1.5)
    start = points((39444759.232, 2840563.152))
    back = transform(transform(start, 2415, 4527, helmert=h), 4527, 2415, helmert=h)
    assert shapely.distance(start, back)[0] < 0.01


def test_cgcs2000_and_wgs84_are_one_and_the_note_says_so():
    a, b = transform(points((117, 26)), 4326, 4527), transform(points((117, 26)), 4490, 4527)
    assert shapely.distance(a, b)[0] < 1e-6
    assert "视为一致" in datum_note(4326, 4527) and datum_note(4490, 4527) == ""


def test_the_project_zone_follows_the_longitude():
    assert (project_crs(116.4), project_crs(117.0), project_crs(118.6)) == (4527, 4527, 4528)
    assert project_crs(119.8, prefix=False) == 4549
    with pytest.raises(CrsError, match="no 3-degree zone"):
        project_crs(2.0)


def test_layers_in_degrees_or_in_different_systems_are_refused():
    degrees = gpd.GeoDataFrame(geometry=[shapely.Point(117, 26)], crs=4490)
    metres = gpd.GeoDataFrame(geometry=[shapely.Point(39500000, 2876834)], crs=4527)
    with pytest.raises(CrsError, match="not in metres"):
        same_metric_crs(degrees)
    with pytest.raises(CrsError, match="differ"):
        same_metric_crs(metres, metres.to_crs(4528))
    with pytest.raises(CrsError, match="no coordinate reference system"):
        lonlat(gpd.GeoDataFrame(geometry=[shapely.Point(1, 1)]))
    assert shapely.get_coordinates(lonlat(metres))[0] == pytest.approx([117, 26], abs=1e-4)
