"""Areas: holes, parts, empties, and what is no polygon in degrees."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.geo.area import ellipsoid_area, ellipsoid_area_of, geodesic_area_of, hectares, planar_area_of
from qianmo.geo.rings import rings_of
from qianmo.schema.errors import CrsError, TopologyError

CELL = shapely.box(119.80, 30.30, 119.81, 30.31)
HOLE = shapely.box(119.802, 30.302, 119.804, 30.304)


def area(*geoms):
    return ellipsoid_area(np.array(geoms, dtype=object))


def test_a_hole_is_taken_off_whatever_way_its_ring_turns():
    ring, hole = list(CELL.exterior.coords), list(HOLE.exterior.coords)
    expected = area(CELL)[0] - area(HOLE)[0]
    for outer in (ring, ring[::-1]):
        for inner in (hole, hole[::-1]):
            assert area(shapely.Polygon(outer, [inner]))[0] == pytest.approx(expected, abs=1e-6)


def test_parts_of_multipolygons_and_collections_add_up():
    east = shapely.box(119.82, 30.30, 119.83, 30.31)
    holed = CELL.difference(HOLE)
    expected = area(holed)[0] + area(east)[0]
    mixed = shapely.GeometryCollection([shapely.MultiPolygon([holed]), east, shapely.Point(119.8, 30.3), shapely.LineString([(0, 0), (1, 1)])])
    assert area(shapely.MultiPolygon([holed, east]), mixed) == pytest.approx([expected, expected], abs=1e-6)


def test_empty_is_zero_missing_is_no_number_and_a_line_has_no_area():
    found = area(shapely.Polygon(), None, shapely.MultiPolygon(), shapely.LineString([(119, 30), (120, 31)]), CELL)
    assert found[0] == found[2] == found[3] == 0.0 and np.isnan(found[1]) and found[4] > 1e6
    assert ellipsoid_area(np.empty(0, dtype=object)).shape == (0,)


def test_rows_with_coordinates_that_are_no_numbers_are_named():
    with np.errstate(invalid="ignore"):
        bad = shapely.polygons([[119.8, 30.3], [np.nan, 30.3], [119.9, 30.4]])
        worse = shapely.polygons([[119.8, 30.3], [119.9, np.inf], [119.9, 30.4]])
    with pytest.raises(TopologyError, match=r"rows \[1, 3\]"):
        area(CELL, bad, CELL, shapely.MultiPolygon([CELL, worse]))


def test_rows_in_metres_are_refused():
    with pytest.raises(CrsError, match=r"rows \[1\]"):
        area(CELL, shapely.box(500_000, 3_350_000, 500_100, 3_350_100))


def test_the_projection_does_not_matter_to_the_ellipsoidal_area():
    plots = gpd.GeoDataFrame(geometry=[CELL, CELL.difference(HOLE)], crs=4490)
    reference = ellipsoid_area_of(plots)
    for epsg in (4528, 4549, 4527, 3857):
        assert ellipsoid_area_of(plots.to_crs(epsg)) == pytest.approx(reference, rel=1e-9)
    assert hectares(plots) == pytest.approx(reference / 1e4)


def test_planar_area_needs_metres_and_keeps_missing_apart():
    with pytest.raises(CrsError, match="not in metres"):
        planar_area_of(gpd.GeoDataFrame(geometry=[CELL], crs=4490))
    found = planar_area_of(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 20), None, shapely.Polygon()], crs=4549))
    assert found[0] == 200.0 and np.isnan(found[1]) and found[2] == 0.0


def test_the_geodesic_area_takes_holes_off():
    plots = gpd.GeoDataFrame(geometry=[CELL, HOLE, CELL.difference(HOLE)], crs=4490)
    whole, hole, rest = geodesic_area_of(plots)
    assert rest == pytest.approx(whole - hole, abs=1e-4)


def test_rings_keep_their_rows_and_holes():
    rings = rings_of(np.array([CELL.difference(HOLE), None, shapely.MultiPolygon([HOLE, CELL.difference(HOLE)])], dtype=object))
    assert rings.row.tolist() == [0, 0, 2, 2, 2] and rings.is_hole.tolist() == [False, True, False, False, True]
    assert rings.starts.tolist() == [0, 5, 10, 15, 20, 25] and len(rings.edge_starts()) == 20
    assert rings.of_edges(rings.row).tolist() == [0] * 8 + [2] * 12
