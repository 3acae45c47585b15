"""Faults of coverages: what is reported, where, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.topology import gaps, invalid, is_coverage, overlaps, slivers
from qianmo.schema.errors import TopologyError

BOW_TIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
GRID = [shapely.box(10 * i, 10 * j, 10 * i + 10, 10 * j + 10) for i in range(4) for j in range(4)]


def array(*geoms):
    return np.array(geoms, dtype=object)


def test_a_bow_tie_is_reported_with_its_row_and_place():
    found = invalid(array(GRID[0], None, BOW_TIE, shapely.Polygon()))
    assert found["row"].tolist() == [2] and found["reason"].tolist() == ["Self-intersection"]
    assert found["location"][0].equals(shapely.Point(5, 5))


def test_nothing_wrong_gives_an_empty_table():
    assert invalid(array(*GRID)).empty and overlaps(array(*GRID), min_area=0.0).empty and gaps(array(*GRID), max_width=1.0).empty
    assert invalid(array()).empty and overlaps(array(), min_area=0.0).empty and gaps(array(), max_width=1.0).empty


def test_overlaps_name_the_pair_and_the_common_part():
    found = overlaps(array(*GRID, None, shapely.box(5, 5, 15, 8)), min_area=0.0)
    assert found[["i", "j"]].to_numpy().tolist() == [[0, 17], [4, 17]] and found["area_m2"].tolist() == [15.0, 15.0]
    assert overlaps(array(*GRID, shapely.box(5, 5, 15, 8)), min_area=15.0).empty


@pytest.mark.parametrize(
    ("one", "other"),
    [(shapely.box(0, 0, 10, 10), shapely.box(3, 3, 4, 4)), (shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)),
     (shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 5)), (shapely.box(0, 4, 10, 6), shapely.box(4, 0, 6, 10)),
     (shapely.box(0, 0, 10, 10), shapely.MultiPolygon([shapely.box(2, 2, 3, 3), shapely.box(20, 0, 30, 10)]))],
)  # fmt: skip
def test_within_equal_half_crossing_and_in_parts_all_are_overlaps(one, other):
    for pair in (array(one, other), array(other, one)):
        assert overlaps(pair, min_area=0.0)["area_m2"].tolist() == [one.intersection(other).area]


def test_an_invalid_row_is_refused_by_checks_that_would_misjudge_it():
    for ask in (is_coverage, lambda g: overlaps(g, min_area=0.0)):
        with pytest.raises(TopologyError, match=r"rows \[1\]"):
            ask(array(GRID[0], BOW_TIE))


def test_a_narrow_hole_is_a_gap_and_a_wide_one_is_land_left_out():
    pond = [g for k, g in enumerate(GRID) if k not in (5,)]
    assert gaps(array(*pond), max_width=9.9).empty
    found = gaps(array(*pond), max_width=10.1)
    assert found["area_m2"].tolist() == [100.0] and found["geometry"][0].equals(GRID[5])


def test_a_gap_beside_an_overlap_is_still_found():
    shrunk = shapely.Polygon([(10, 10), (19.8, 10), (19.8, 20), (10, 20)])
    found = gaps(array(*[shrunk if k == 5 else g for k, g in enumerate(GRID)], shapely.box(2, 2, 38, 12)), max_width=1.0)
    assert found["area_m2"].tolist() == pytest.approx([0.2 * 8.0])


def test_neighbours_without_common_vertices_leave_no_gap():
    assert gaps(array(shapely.box(0, 0, 10, 30), shapely.box(10, 0, 20, 12), shapely.box(10, 12, 20, 30)), max_width=1.0).empty


def test_a_polygon_that_fills_the_hole_of_another_leaves_no_gap_whatever_way_rings_turn():
    ring, hole = shapely.box(0, 0, 30, 30).exterior.coords[:], shapely.box(10, 10, 20, 20).exterior.coords[:]
    for outer in (ring, ring[::-1]):
        for inner in (hole, hole[::-1]):
            frame = shapely.Polygon(outer, [inner])
            assert gaps(array(frame, shapely.box(10, 10, 20, 20)), max_width=20.0).empty
            assert gaps(array(frame), max_width=20.0)["area_m2"].tolist() == [100.0]


def test_slivers_are_small_and_thin():
    thin, square, long = shapely.box(0, 0, 100, 0.5), shapely.box(0, 0, 7, 7), shapely.box(0, 0, 5000, 20)
    assert slivers(array(thin, square, None, long, shapely.Polygon()), max_area=60.0, max_thinness=0.1).tolist() == [0]
    assert slivers(array(square), max_area=49.0, max_thinness=np.pi / 4).tolist() == [0]


def test_a_coverage_matches_along_its_borders():
    assert is_coverage(array(*GRID)) and is_coverage(array(None, GRID[0])) and is_coverage(array())
    assert not is_coverage(array(shapely.box(0, 0, 10, 30), shapely.box(10, 0, 20, 12), shapely.box(10, 12, 20, 30)))
    assert not is_coverage(array(shapely.box(0, 0, 10, 10), shapely.box(9, 0, 20, 10)))
