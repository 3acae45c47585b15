"""Shared borders: whose edges match, which do not, and odd input."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.adjacency import shared_borders, shared_borders_noded
from qianmo.geo.edges import sorted_codes
from qianmo.schema.errors import TopologyError

EAST = 39_500_000.0
NORTH = 3_300_000.0


def at(*geoms):
    return shapely.transform(np.array(geoms, dtype=object), lambda p: p + (EAST, NORTH))


def borders(found):
    return {(int(i), int(j)): round(float(m), 6) for i, j, m in found.itertuples(index=False)}


def test_two_fields_share_the_edge_between_them_and_touch_in_a_corner_for_nothing():
    fields = at(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(10, 10, 20, 20))
    assert borders(shared_borders(fields)) == {(0, 1): 10.0, (1, 2): 10.0}


def test_coordinates_a_hundredth_of_a_millimetre_apart_are_one():
    fields = at(shapely.box(0, 0, 10, 10), shapely.box(10 + 1e-5, 0, 20, 10))
    assert borders(shared_borders(fields))[(0, 1)] == pytest.approx(10.0, abs=1e-4)


def test_all_parts_and_holes_count_and_a_polygon_is_not_its_own_neighbour():
    split = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    middle, ring = shapely.box(10, 0, 20, 10), shapely.box(-5, -5, 35, 15)
    around = ring.difference(shapely.union_all([split, middle]))
    assert borders(shared_borders(at(split, middle, around))) == {(0, 1): 20.0, (0, 2): 60.0 - 0.0, (1, 2): 20.0}
    twin = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    assert shared_borders(at(twin)).empty


def test_three_polygons_on_one_edge_make_three_pairs():
    fields = at(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(10, 0, 30, 10))
    assert borders(shared_borders(fields))[(1, 2)] == 10.0 and borders(shared_borders(fields))[(0, 2)] == 10.0


def test_more_than_a_hundred_copies_are_refused_with_a_row():
    with pytest.raises(TopologyError, match="more than 100 polygons share an edge of row"):
        shared_borders(at(*[shapely.box(0, 0, 10, 10)] * 120))


@pytest.mark.parametrize("find", [shared_borders, shared_borders_noded])
def test_nothing_missing_and_empty_have_no_neighbours(find):
    assert find(np.empty(0, dtype=object)).empty and find(np.array([None, shapely.Polygon()], dtype=object)).empty
    found = find(at(shapely.box(0, 0, 10, 10), None, shapely.box(10, 0, 20, 10)))
    assert borders(found) == {(0, 2): 10.0} and [str(t) for t in found.dtypes] == ["int64", "int64", "float64"]


def test_t_junctions_are_found_when_asked_for():
    fields = at(shapely.box(0, 0, 10, 30), shapely.box(10, 0, 20, 12), shapely.box(10, 12, 20, 30))
    assert borders(shared_borders(fields)) == {(1, 2): 10.0}
    assert borders(shared_borders_noded(fields)) == {(0, 1): 12.0, (0, 2): 18.0, (1, 2): 10.0}


def test_edges_that_run_apart_count_only_while_they_are_close():
    left = shapely.Polygon([(0, 0), (10, 0), (10, 100), (0, 100)])
    fan = shapely.Polygon([(10, 0), (30, 0), (30, 100), (10.002, 100)])
    assert borders(shared_borders_noded(at(left, fan)))[(0, 1)] == pytest.approx(50.0, abs=0.01)
    assert borders(shared_borders_noded(at(left, fan), tolerance_m=0.01))[(0, 1)] == pytest.approx(100.0, abs=0.01)


def test_a_country_wide_layer_is_matched_exactly():
    far = np.array([shapely.box(x, y, x + 10, y + 10) for x, y in ((0, 0), (10, 0), (4e6, 3e6), (4e6 + 10, 3e6))], dtype=object)
    assert borders(shared_borders(far)) == {(0, 1): 10.0, (2, 3): 10.0}


@pytest.mark.parametrize("bits", [7, 63])
def test_codes_are_sorted_with_their_places_and_equal_ones_keep_their_order(rng, bits):
    code = rng.integers(0, 100, 500).astype(np.uint64)
    values, order = sorted_codes(code, bits=bits)
    assert np.array_equal(order, np.argsort(code, kind="stable")) and np.array_equal(values, np.sort(code))
