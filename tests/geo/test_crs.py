"""Chinese reference systems: what is refused, what is taken as one, what the codes say."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.crs import (
    CGCS2000,
    Helmert,
    china_crs,
    chinese_name,
    datum_note,
    datum_of,
    lonlat,
    lonlat_rings,
    project_crs,
    same_metric_crs,
    source_crs,
    transform,
    transform_points,
)
from qianmo.schema.errors import CrsError, TopologyError

SHIFT = Helmert(20.0, -110.0, -50.0, 1.2, -0.5, 0.3, 2.5, source="a made-up county")
ESRI_XIAN = (
    'PROJCS["Xian_1980_3_Degree_GK_Zone_40",GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140.0,298.257]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
BEIJING_WITH_TOWGS84 = (
    'GEOGCS["Beijing 1954",DATUM["Beijing_1954",SPHEROID["Krassowsky 1940",6378245,298.3],TOWGS84[{}]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)


def points(*xy):
    return shapely.points(np.array(xy, dtype=float))


def frame(crs, *geoms):
    return gpd.GeoDataFrame(geometry=list(geoms), crs=crs)


def test_the_list_holds_199_systems():
    assert len(china_crs()) == 199
    assert china_crs()[4528].central_meridian == 120.0 and china_crs()[4528].false_easting == 40_500_000.0
    assert china_crs()[4528].zone_prefix and not china_crs()[4549].zone_prefix


@pytest.mark.parametrize(
    ("crs", "datum"),
    [(4490, "CGCS2000"), (4480, "CGCS2000"), (4549, "CGCS2000"), (2364, "Xian80"), (2415, "Beijing54"), (4555, "NewBeijing"), (3857, "WGS84"),
     (ESRI_XIAN, "Xian80"), (BEIJING_WITH_TOWGS84.format("15.8,-154.4,-82.3,0,0,0,0"), "Beijing54")],
)  # fmt: skip
def test_the_datum_is_known_by_code_by_esri_text_and_behind_a_binding(crs, datum):
    text = source_crs(crs)
    if text.is_bound:
        with pytest.raises(CrsError, match="unknown origin"):
            datum_of(crs)
    else:
        assert datum_of(crs) == datum


def test_a_foreign_datum_keeps_its_name():
    assert datum_of(5514) == "System of the Unified Trigonometrical Cadastral Network"


@pytest.mark.parametrize("source", [4610, 2364, 4214, 2415, 21420, 4555, ESRI_XIAN])
@pytest.mark.parametrize("target", [4490, 4528, 4326, 3857])
def test_an_old_datum_is_never_moved_without_parameters(source, target):
    with pytest.raises(CrsError, match="needs local parameters"):
        transform(points((0.0, 0.0)), source, target)
    with pytest.raises(CrsError, match="needs local parameters"):
        transform_points(np.zeros(1), np.zeros(1), target, source)


def test_two_old_datums_do_not_meet_even_with_one_set_of_parameters():
    with pytest.raises(CrsError, match="Xian80 to Beijing54"):
        transform(points((120.0, 30.0)), 4610, 4214, helmert=SHIFT)


@pytest.mark.parametrize("values", ["15.8,-154.4,-82.3,0,0,0,0", "0,0,0,0,0,0,0"])
def test_parameters_hidden_in_a_file_are_not_used_in_silence(values):
    with pytest.raises(CrsError, match="unknown origin"):
        transform(points((120.0, 30.0)), BEIJING_WITH_TOWGS84.format(values), CGCS2000)


def test_cgcs2000_and_wgs84_are_one_and_it_is_noted():
    moved = transform(points((120.1, 30.2)), 4326, CGCS2000)
    assert shapely.get_coordinates(moved).tolist() == [[120.1, 30.2]]
    assert "CGCS2000" in datum_note(4326, 4528) and datum_note(4528, 4490) == "" and datum_note(4610, 4490) == ""


def test_esri_text_and_code_of_one_system_give_the_same_place():
    xy = points((40_510_000.0, 3_350_000.0))
    assert shapely.equals_exact(transform(xy, ESRI_XIAN, 4610), transform(xy, 2364, 4610), tolerance=1e-11).all()


def test_parameters_travel_with_the_bound_system_and_back_again():
    xy = points((40_510_000.0, 3_350_000.0), (40_480_000.0, 3_360_000.0))
    given = transform(xy, 2364, 4549, helmert=SHIFT)
    bound = transform(xy, source_crs(2364, SHIFT), 4549)
    back = transform(given, 4549, source_crs(2364, SHIFT))
    assert shapely.equals_exact(given, bound, tolerance=1e-9).all()
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(xy)).max() < 1e-3
    assert 1.0 < shapely.distance(given, transform(xy, 2364, 2385)).max() < 500.0


def test_a_bound_system_says_the_same_to_the_projection_library():
    bound = source_crs(2364, SHIFT)
    x, y = pyproj.Transformer.from_crs(bound, 4490, always_xy=True).transform(40_510_000.0, 3_350_000.0)
    ours = shapely.get_coordinates(transform(points((40_510_000.0, 3_350_000.0)), 2364, 4490, helmert=SHIFT))[0]
    assert (x, y) == pytest.approx(tuple(ours), abs=1e-10)


def test_parameters_for_cgcs2000_itself_are_refused():
    with pytest.raises(CrsError, match="CGCS2000"):
        source_crs(4528, SHIFT)


def test_a_foreign_datum_goes_by_an_operation_of_known_accuracy():
    moved = transform(points((139.7, 35.7)), 6668, CGCS2000)
    assert shapely.get_coordinates(moved)[0] == pytest.approx([139.7, 35.7], abs=1e-5)


def test_a_system_without_a_safe_operation_is_refused():
    with pytest.raises(CrsError, match="no safe operation"):
        transform(points((120.0, 30.0)), "+proj=longlat +ellps=krass +no_defs", CGCS2000)


def test_the_network_of_the_projection_library_is_off():
    transform(points((120.0, 30.0)), 4326, 4528)
    assert not pyproj.network.is_network_enabled()


@pytest.mark.parametrize(
    ("crs", "xy"),
    [(4528, (510_000.0, 3_350_000.0)), (4549, (40_510_000.0, 3_350_000.0)), (4549, (3_350_000.0, 510_000.0)), (4490, (510_000.0, 3_350_000.0)),
     (4490, (30.0, 120.0))],
)  # fmt: skip
def test_a_lost_zone_number_swapped_axes_and_metres_for_degrees_are_refused_with_the_row(crs, xy):
    good = (120.0, 30.0) if crs == 4490 else (china_crs()[crs].false_easting, 3_350_000.0)
    with pytest.raises(CrsError, match=r"rows \[1\]"):
        transform(points(good, xy), crs, 4547 if crs == 4490 else CGCS2000)


def test_a_coordinate_that_is_no_number_is_named_with_its_row():
    with np.errstate(invalid="ignore"):
        bad = shapely.linestrings([[np.nan, 0.0], [500_000.0, 3_350_000.0]])
    with pytest.raises(TopologyError, match=r"rows \[1\]"):
        transform(np.append(points((500_000.0, 3_350_000.0)), bad), 4549, CGCS2000)


def test_missing_and_empty_geometries_pass_and_heights_are_dropped():
    moved = transform(np.array([None, shapely.Polygon(), shapely.Point(500_000, 3_350_000, 9)], dtype=object), 4549, CGCS2000)
    assert moved[0] is None and moved[1].is_empty and not moved[2].has_z


def test_one_metric_system_is_demanded():
    a, b = frame(4549, shapely.Point(0, 0)), frame(4548, shapely.Point(0, 0))
    assert same_metric_crs(a, a).to_epsg() == 4549
    for wrong, words in (((a, b), "differ"), ((frame(4490, shapely.Point(0, 0)),), "not in metres"), ((frame(None, shapely.Point(0, 0)),), "no coord"),
                         ((frame(2229, shapely.Point(0, 0)),), "not in metres"), ((), "no coord")):  # fmt: skip
        with pytest.raises(CrsError, match=words):
            same_metric_crs(*wrong)


@pytest.mark.parametrize(
    ("lon", "width", "prefix", "epsg"),
    [(120.0, 3, True, 4528), (120.0, 3, False, 4549), (118.5, 3, True, 4528), (121.499, 3, True, 4528), (121.5, 3, True, 4529),
     (116.5, 3, True, 4527), (119.9, 6, True, 4498), (120.0, 6, True, 4499), (75.0, 6, False, 4502), (73.6, 3, True, 4513), (135.0, 3, True, 4533)],
)  # fmt: skip
def test_a_longitude_finds_its_zone(lon, width, prefix, epsg):
    assert project_crs(lon, width=width, prefix=prefix) == epsg


def test_a_longitude_outside_china_has_no_zone():
    with pytest.raises(CrsError, match="no 3-degree zone"):
        project_crs(10.0)


def test_rings_in_degrees_are_those_of_the_geometries_in_degrees():
    plots = frame(4549, shapely.box(480_000, 3_360_000, 480_100, 3_360_100), shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]))
    assert np.array_equal(lonlat_rings(plots).xy, shapely.get_coordinates(lonlat(plots)))
    assert lonlat_rings(plots).row.tolist() == [0, 1, 1]


def test_a_layer_without_a_system_has_no_place():
    for ask in (lonlat, lonlat_rings):
        with pytest.raises(CrsError, match="no coordinate reference system"):
            ask(frame(None, shapely.box(0, 0, 1, 1)))


def test_t04_a_plan_in_xian_1980_without_transform_parameters_is_refused_and_taken_in_with_them():
    """Case T-04: the consolidation plan and the detailed plan meet on one map only where the datum shift is known."""
    plan = gpd.GeoDataFrame({"zone_id": ["Z"]}, geometry=[shapely.box(39_500_000, 3_100_000, 39_500_100, 3_100_100)], crs=2363)
    with pytest.raises(CrsError, match="needs local parameters"):
        transform(plan.geometry.to_numpy(), plan.crs, 4490)
    assert np.isfinite(shapely.get_coordinates(transform(plan.geometry.to_numpy(), plan.crs, 4490, helmert=SHIFT))).all()


@pytest.mark.parametrize(("epsg", "name"), [(4528, "2000国家大地坐标系 3度带 第40带"), (4547, "2000国家大地坐标系 3度带 中央子午线东经114°"), (4491, "2000国家大地坐标系 6度带 第13带"),
                                            (4610, "1980西安坐标系 经纬度"), (3857, ""), (32650, "")])  # fmt: skip
def test_a_chinese_system_is_called_what_an_office_calls_it(epsg, name):
    assert chinese_name(epsg) == name
