"""Overlay: pairs, shares and the largest share."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.overlay import intersection_pairs, majority, share_inside
from qianmo.schema.errors import TopologyError

FIELDS = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(50, 50, 60, 60), None, shapely.Polygon()], dtype=object)


def zones(*geoms):
    return np.array(geoms, dtype=object)


def test_pairs_that_only_touch_are_left_out():
    found = intersection_pairs(FIELDS, zones(shapely.box(0, 10, 20, 20), shapely.box(5, 5, 15, 15), None))
    assert found[["i", "j", "area_m2"]].to_numpy().tolist() == [[0, 1, 25.0], [1, 1, 25.0]]


def test_common_parts_hold_no_lines_or_points():
    comb = shapely.Polygon([(0, 0), (20, 0), (20, 5), (15, 10), (10, 5), (5, 5), (5, 10), (0, 10)])
    lid = shapely.Polygon([(0, 10), (0, 20), (20, 20), (20, 10), (15, 10), (12, 9), (7, 12), (5, 8), (5, 10)])
    found = intersection_pairs(zones(comb), zones(lid, shapely.box(0, 10, 30, 30), shapely.box(15, 3, 20, 5).union(shapely.box(0, 10, 1, 11))))
    assert all(g.geom_type in ("Polygon", "MultiPolygon") for g in found["geometry"])
    assert found["area_m2"].tolist() == pytest.approx([g.area for g in found["geometry"]])


def test_overlapping_zones_count_once():
    assert share_inside(FIELDS, zones(shapely.box(0, 0, 8, 10), shapely.box(4, 0, 12, 10))).tolist() == pytest.approx([1.0, 0.2, 0, 0, 0])
    assert share_inside(FIELDS, zones()).tolist() == [0.0] * 5
    assert share_inside(zones(), FIELDS).shape == (0,)


def test_the_largest_share_wins_and_the_first_on_a_tie():
    halves = zones(shapely.box(0, 0, 5, 10), shapely.box(5, 0, 18, 10), shapely.box(18, 0, 20, 10), shapely.box(0, 10, 60, 50))
    assert majority(FIELDS, halves).tolist() == [0, 1, -1, -1, -1]
    assert majority(FIELDS, zones()).tolist() == [-1] * 5


def test_invalid_rows_are_named_with_their_layer():
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    for ask in (intersection_pairs, share_inside, majority):
        with pytest.raises(TopologyError, match=r"second layer are not valid: rows \[1\]"):
            ask(FIELDS, zones(shapely.box(0, 0, 1, 1), bow_tie))
        with pytest.raises(TopologyError, match=r"first layer are not valid: rows \[0\]"):
            ask(zones(bow_tie), FIELDS)
