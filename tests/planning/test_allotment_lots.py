"""Cutting one block: profile, frontage, exact lots, tiers, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.planning.allotment.frontage import cut_axis, frontage_of, frontage_within
from qianmo.planning.allotment.ordering import order_along, order_cost
from qianmo.planning.allotment.partition import fitting_axis, partition, soil_pieces
from qianmo.planning.allotment.profile import position_of, steepest_value, value_profile, value_to
from qianmo.planning.allotment.rebalance import insert_lot, merge_lots
from qianmo.planning.allotment.ruled import least_ruled_lot, ruled_partition, ruled_profile, ruling_of
from qianmo.planning.allotment.settings import allotment_settings
from qianmo.planning.allotment.shares import largest_remainder, whole_matrix
from qianmo.planning.allotment.tiers import depth_of, tiers_of
from qianmo.schema.errors import InfeasibleError, MissingDataError, RuleError, SchemaError, TopologyError

EAST = np.array([1.0, 0.0])
FIELD = shapely.box(0, 0, 300, 100)
ROAD = shapely.box(-20, -4, 320, 0)
SOIL = np.array([shapely.box(0, 0, 150, 100), shapely.box(150, 0, 300, 100)])
UNIT = np.array([2.0, 1.0])


def cut(block, values, *, road=ROAD, zones=SOIL, unit=UNIT, width=0.0, way="perpendicular"):
    front = frontage_of(block, road, reach_m=0.5)
    pieces, value = soil_pieces(block, zones, unit)
    return partition(block, np.array(values, dtype=float), pieces, value, front, cut_axis(block, front, cut=way), width_min_m=width, block_id="B1")


def test_the_better_half_of_a_field_takes_shorter_lots_of_equal_value():
    made = cut(FIELD, [1, 1, 1])
    assert made.width_m == pytest.approx([75, 75, 150])
    assert made.frontage_m == pytest.approx(made.width_m)


def test_position_is_the_inverse_of_value():
    profile = value_profile(SOIL, UNIT, EAST)
    t = np.linspace(0, 300, 50)
    assert position_of(profile, value_to(profile, t)) == pytest.approx(t, abs=1e-9)
    assert profile.total == pytest.approx(45_000)


def test_a_triangle_is_halved_where_its_area_is_halved():
    triangle = shapely.Polygon([(0, 0), (100, 0), (0, 50)])
    profile = value_profile(np.array([triangle]), np.array([1.0]), EAST)
    assert position_of(profile, np.array([1250.0]))[0] == pytest.approx(100 * (1 - np.sqrt(0.5)), abs=1e-9)


@pytest.mark.parametrize("unit", [np.nan, -1.0, np.inf])
def test_a_unit_value_that_is_no_number_is_refused(unit):
    with pytest.raises(SchemaError, match="soil pieces 2"):
        value_profile(SOIL, np.array([1.0, unit]), EAST)


def test_a_hole_counts_nothing():
    ring = shapely.difference(FIELD, shapely.box(50, 20, 100, 60))
    profile = value_profile(np.array([ring]), np.array([1.0]), EAST)
    assert value_to(profile, np.array([75.0]))[0] == pytest.approx(7500 - 25 * 40)


def test_the_steepest_strip_is_the_best_place_for_a_lot():
    profile = value_profile(SOIL, UNIT, EAST)
    assert steepest_value(profile, 10) == pytest.approx(2000)
    kite = shapely.Polygon([(0, 0), (50, 40), (100, 0), (50, -40)])
    found = steepest_value(value_profile(np.array([kite]), np.array([1.0]), EAST), 20)
    tried = [shapely.intersection(kite, shapely.box(x, -50, x + 20, 50)).area for x in np.linspace(0, 80, 8001)]
    assert found == pytest.approx(max(tried), rel=1e-6) and found >= max(tried) - 1e-9


def test_a_skew_block_keeps_its_end_sides_parallel_to_the_cuts():
    skew = shapely.Polygon([(0, 0), (300, 0), (340, 100), (40, 100)])
    made = cut(skew, [1, 1, 1], zones=np.array([skew]), unit=np.array([1.0]), way="sides")
    assert shapely.area(made.lots) == pytest.approx([10_000] * 3)
    assert made.frontage_m == pytest.approx([100] * 3)


def test_a_concave_block_is_cut_while_every_line_crosses_it_once():
    notch = shapely.Polygon([(0, 0), (300, 0), (300, 100), (200, 100), (150, 40), (100, 100), (0, 100)])
    made = cut(notch, np.ones(10), zones=np.array([notch]), unit=np.array([1.0]))
    assert shapely.area(made.lots) == pytest.approx([notch.area / 10] * 10)


def test_a_hook_that_a_line_crosses_twice_is_refused_with_a_cure():
    hook = shapely.Polygon([(0, 0), (300, 0), (300, 100), (0, 100), (0, 80), (280, 80), (280, 20), (0, 20)])
    with pytest.raises(TopologyError, match=r"parts.*田间路分成两块"):
        cut(hook, np.ones(6), zones=np.array([hook]), unit=np.array([1.0]))


def test_a_lot_too_narrow_is_named():
    with pytest.raises(InfeasibleError, match=r"narrower than 40 m \(2 ") as error:
        cut(FIELD, [10, 1, 10], width=40)
    assert "allot_lot_width_min_m" in error.value.conflict


def test_a_lot_behind_the_end_of_the_road_is_named():
    with pytest.raises(InfeasibleError, match="without frontage"):
        cut(shapely.Polygon([(0, 0), (200, 0), (300, 100), (0, 100)]), np.ones(30), zones=np.array([FIELD]), unit=np.array([1.0]))


def test_a_block_off_the_road_is_refused():
    with pytest.raises(TopologyError, match="B9 has no border on a road"):
        frontage_of(FIELD, shapely.box(0, 200, 300, 204), reach_m=0.5, block_id="B9")


def test_roads_on_both_edges_are_both_frontage():
    both = shapely.union_all([ROAD, shapely.box(-20, 100, 320, 104)])
    front = frontage_of(FIELD, both, reach_m=0.5)
    assert front.is_double and front.length_m == pytest.approx(600)
    assert frontage_within(front, EAST, np.array([0.0, 100, 300])) == pytest.approx([200, 400])


def test_soil_that_leaves_a_gap_or_overlaps_is_refused():
    with pytest.raises(MissingDataError, match="has no soil value"):
        soil_pieces(FIELD, SOIL[:1], UNIT[:1], block_id="B1")
    with pytest.raises(MissingDataError, match="has two soil values"):
        soil_pieces(FIELD, np.append(SOIL, SOIL[0]), np.array([1.0, 1, 1]), block_id="B1")


@pytest.mark.parametrize("values", [[1, 0, 1], [1, -2], [1, np.nan], []])
def test_lots_without_a_value_are_refused(values):
    with pytest.raises(SchemaError, match="without a value above 0"):
        cut(FIELD, values)


def test_a_deep_block_falls_into_tiers_with_a_track():
    deep = shapely.box(0, 0, 300, 350)
    settings = allotment_settings({"allot_depth_max_m": 200})
    front = frontage_of(deep, ROAD, reach_m=0.5)
    tiers, tracks = tiers_of(deep, front, settings=settings)
    assert depth_of(deep, front) == pytest.approx(350) and len(tiers) == 2 and len(tracks) == 1
    assert sum(t.area for t in tiers) + tracks[0].area == pytest.approx(deep.area) and tracks[0].area == pytest.approx(900)
    assert tiers[0].centroid.y < tiers[1].centroid.y


def test_two_roads_need_no_track_and_one_road_without_a_track_is_refused():
    deep = shapely.box(0, 0, 300, 350)
    both = shapely.union_all([ROAD, shapely.box(-20, 350, 320, 354)])
    settings = allotment_settings({"allot_depth_max_m": 200, "allot_track_width_m": 0})
    tiers, tracks = tiers_of(deep, frontage_of(deep, both, reach_m=0.5), settings=settings)
    assert len(tiers) == 2 and not tracks and sum(t.area for t in tiers) == pytest.approx(deep.area)
    with pytest.raises(InfeasibleError, match="no track may be laid"):
        tiers_of(deep, frontage_of(deep, ROAD, reach_m=0.5), settings=settings)


def test_owners_stand_in_the_order_of_their_old_land(rng):
    profile = value_profile(SOIL, UNIT, EAST)
    values, wanted = rng.uniform(1, 3, 7), rng.uniform(0, 300, 7)
    order = order_along(profile, values, wanted)
    assert sorted(order) == list(range(7))
    assert order_cost(profile, values, wanted, order) <= order_cost(profile, values, wanted, np.argsort(wanted)) + 1e-9


def test_an_inserted_lot_takes_from_its_neighbours_only():
    values = np.array([100, 200, 300, 400, 500])
    out = insert_lot(values, 2, 90, reach=1, least=150)
    assert out.sum() == values.sum() and out[2] == 90
    assert out[[0, 4, 5]].tolist() == [100, 400, 500] and (out[[1, 3]] >= 150).all()
    with pytest.raises(InfeasibleError, match="can spare"):
        insert_lot(values, 2, 300, reach=1, least=150)


def test_merged_lots_keep_every_other_line():
    values = np.array([100, 200, 300])
    assert merge_lots(values, 1).tolist() == [100, 500]
    before, after = np.cumsum(values), np.cumsum(merge_lots(values, 1))
    assert set(after) <= set(before)
    with pytest.raises(SchemaError):
        merge_lots(values, 2)


def test_the_largest_remainder_gets_the_last_fen():
    assert largest_remainder(np.array([1, 1, 1]), 100).tolist() == [34, 33, 33]
    assert largest_remainder(np.array([0.5, 0.25, 0.25]), 4).tolist() == [2, 1, 1]
    with pytest.raises(SchemaError):
        largest_remainder(np.array([1.0, -1.0]), 3)


def test_a_matrix_is_rounded_with_its_sums_kept(rng):
    whole = rng.integers(0, 50, (6, 4))
    row, column = np.nonzero(np.ones_like(whole))
    noise = rng.uniform(-0.4, 0.4, whole.shape)
    noise -= noise.mean(axis=1, keepdims=True)
    noise -= noise.mean(axis=0, keepdims=True)
    out = whole_matrix(row, column, np.maximum(whole + noise, 0).ravel(), whole.sum(axis=1), whole.sum(axis=0)).reshape(whole.shape)
    assert (out.sum(axis=1) == whole.sum(axis=1)).all() and (out.sum(axis=0) == whole.sum(axis=0)).all() and (out >= 0).all()


def test_settings_out_of_range_are_refused():
    with pytest.raises(RuleError, match="allot_lot_width_min_m is -1"):
        allotment_settings({"allot_lot_width_min_m": -1})
    with pytest.raises(RuleError):
        allotment_settings(deduction_share=1.2)
    with pytest.raises(SchemaError):
        allotment_settings(cut="diagonal")


def test_a_skew_block_is_cut_along_its_sides_where_square_cuts_leave_lots_without_a_road():
    skew = shapely.Polygon([(0, 0), (200, 0), (350, 190), (150, 190)])
    front = frontage_of(skew, ROAD, reach_m=0.5)
    pieces, value = soil_pieces(skew, np.array([skew]), np.array([1.0]))
    axis = fitting_axis(skew, pieces, value, front, cut="perpendicular")
    assert axis @ EAST < 0.9
    made = partition(skew, np.ones(20), pieces, value, front, axis, width_min_m=5)
    assert made.frontage_m == pytest.approx([10.0] * 20)
    square = frontage_of(FIELD, ROAD, reach_m=0.5)
    assert fitting_axis(FIELD, SOIL, UNIT, square, cut="perpendicular") == pytest.approx(EAST)


ARC = np.radians(np.linspace(0, 230, 24))
BEND_ROAD = shapely.LineString(np.column_stack([180 * np.cos(ARC), 180 * np.sin(ARC)]))
BEND = shapely.Polygon([*BEND_ROAD.coords, *np.column_stack([90 * np.cos(ARC), 90 * np.sin(ARC)])[::-1]])


def test_a_bent_block_is_cut_by_rulings():
    front = frontage_of(BEND, BEND_ROAD, reach_m=0.01)
    pieces, value = soil_pieces(BEND, np.array([shapely.box(-200, -200, 10, 300), shapely.box(10, -200, 400, 300)]), np.array([3.0, 5.0]))
    assert fitting_axis(BEND, pieces, value, front, cut="perpendicular", lots=20) is None
    ruling = ruling_of(BEND, front)
    share = np.linspace(1, 2, 20)
    made = ruled_partition(BEND, share, pieces, value, ruling, width_min_m=4)
    worth = np.array([shapely.area(shapely.intersection(pieces, lot)) @ value for lot in made.lots])
    assert np.abs(worth / worth.sum() / (share / share.sum()) - 1).max() < 1e-8
    assert shapely.union_all(made.lots).symmetric_difference(BEND).area < 1e-6 and made.frontage_m.sum() == pytest.approx(BEND_ROAD.length)
    assert made.width_m.min() >= 4 and (2 * shapely.length(shapely.maximum_inscribed_circle(made.lots)) >= made.width_m - 0.1).all()


def test_a_lot_of_the_least_value_is_wide_enough_between_rulings():
    front = frontage_of(BEND, BEND_ROAD, reach_m=0.01)
    pieces, value = soil_pieces(BEND, np.array([BEND.buffer(5)]), np.array([2.0]))
    ruling = ruling_of(BEND, front)
    profile = ruled_profile(ruling, pieces, value)
    least = least_ruled_lot(ruling, profile, 10.0)
    count = int(profile.total // least)
    assert ruled_partition(BEND, np.ones(count), pieces, value, ruling).width_m.min() >= 10.0
    with pytest.raises(InfeasibleError, match="narrower than 30 m"):
        ruled_partition(BEND, np.ones(count), pieces, value, ruling, width_min_m=30)


def test_a_hook_is_refused_by_rulings_too():
    hook = shapely.Polygon([(0, 0), (300, 0), (300, 100), (0, 100), (0, 80), (280, 80), (280, 20), (0, 20)])
    pieces, value = soil_pieces(hook, np.array([hook]), np.array([1.0]))
    with pytest.raises(TopologyError, match="田间路"):
        ruled_partition(hook, np.ones(6), pieces, value, ruling_of(hook, frontage_of(hook, ROAD, reach_m=0.5)))
