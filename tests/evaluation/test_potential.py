"""Potential: who is eligible, what it costs, what forbids it."""

import pytest

from qianmo.evaluation.eligibility import ELIGIBLE
from qianmo.evaluation.potential import measure_cost, measure_options, potential_summary
from qianmo.schema.errors import CodeError, RuleError
from qianmo.schema.measures import KEEP, measures


def options(patches, layers=None, **overrides):
    table = measure_options(patches, layers or {}, scheme="SD3", overrides=overrides)
    return {(r.patch_id, r.measure): r for r in table.itertuples()}


def test_every_measure_but_keep_has_a_condition():
    assert set(ELIGIBLE) == set(measures()) - {KEEP}


def test_an_orchard_on_flat_land_can_be_farmland_and_one_on_a_slope_cannot(patchwork):
    found = options(patchwork(("0201", 3), ("0201", 3), slope_deg=[15.0, 15.1]))
    assert list(found) == [("P0", "restore_farmland")]
    row = found["P0", "restore_farmland"]
    assert [row.target_class, row.area_m2, row.blocked_by] == ["0103", 2000.0, ""]
    assert "15.0 度(≤15)" in row.reason


def test_the_slope_limit_is_a_parameter(patchwork):
    p = patchwork(("0201", 3), slope_deg=[12.0])
    assert not options(p, restore_slope_max_deg=10)


def test_costs_follow_the_unit_of_the_item(patchwork):
    found = options(patchwork(("0201", 3), ("1104", 3), slope_deg=[3.0, 0.0]))
    engineering = found["P0", "restore_farmland"]
    assert [engineering.cost_low_yuan, engineering.cost_yuan, engineering.cost_high_yuan] == [15_000.0, 36_000.0, 90_000.0]
    assert found["P1", "pond_to_wetland"].cost_yuan == 120_000.0


def test_land_tagged_as_restorable_at_once_costs_the_light_item(patchwork):
    found = options(patchwork(("0201", 3), ("0301", 3), slope_deg=[3.0, 3.0], planting_code=["JKHF", "GCHF"]))
    assert found["P0", "restore_farmland"].cost_yuan == 7_500.0
    assert found["P1", "restore_farmland"].cost_yuan == 36_000.0
    assert found["P1", "restore_farmland"].blocked_by == ""


def test_forest_without_a_tag_is_listed_but_blocked_by_g09(patchwork):
    found = options(patchwork(("0307", 3), ("0307K", 3), slope_deg=[3.0, 3.0]))
    assert found["P0", "restore_farmland"].blocked_by == "G-09"
    assert found["P1", "restore_farmland"].blocked_by == ""


def test_new_farmland_in_the_redline_is_listed_and_blocked(patchwork, square):
    p = patchwork(("0201", 15), ("0201", 15), slope_deg=[3.0, 3.0])
    layers = {"eco_redline": square(0, 100.005, redline_id="E", reserve_zone="一般控制区")}
    found = options(p, layers)
    assert found["P0", "restore_farmland"].blocked_by == "E-02;G-09"
    assert found["P1", "restore_farmland"].blocked_by == "", "0.5 m2 inside is drawing noise"


def test_where_zones_overlap_the_strictest_value_holds(patchwork, square):
    p = patchwork(("0101", 15), slope_deg=[3.0])
    layers = {"basic_farmland": p, "eco_redline": square(0, 50, redline_id="E", reserve_zone="核心保护区")}
    assert options(p, layers, contig_block_min_mu=10)["P0", "high_standard"].blocked_by == "E-01"


def test_steep_basic_farmland_cannot_be_retired_but_other_steep_farmland_can(patchwork):
    p = patchwork(("0103", 3), ("0103", 3), ("0103", 3), slope_deg=[26.0, 26.0, 25.0])
    found = options(p, {"basic_farmland": p.iloc[:1]})
    assert found["P0", "retire_steep"].blocked_by == "Y-01"
    assert found["P1", "retire_steep"].blocked_by == ""
    assert "G-01" in found["P1", "retire_steep"].reason
    assert ("P2", "retire_steep") not in found
    assert ("P2", "terrace") in found


def test_terraced_farmland_is_not_terraced_again(patchwork):
    found = options(patchwork(("0103", 3), slope_deg=[10.0], farmland_type=["TT"]))
    assert ("P0", "terrace") not in found


def test_small_fields_merge_only_with_farmland_next_door(patchwork):
    found = options(patchwork(("0101", 2), ("0101", 9), ("0301", 3), ("0101", 2)))
    assert [k for k in found if k[1] == "merge_fields"] == [("P0", "merge_fields")]
    assert "最长公共边 100.0 米" in found["P0", "merge_fields"].reason


def test_dry_land_becomes_paddy_only_near_water_on_flat_land(patchwork):
    p = patchwork(("1101", 3), ("0103", 3), ("0301", 90), ("0103", 3), slope_deg=[0, 2.0, 0, 2.0])
    assert [k[0] for k in options(p) if k[1] == "dry_to_paddy"] == ["P1"]
    assert not [k for k in options(p, paddy_slope_max_deg=1) if k[1] == "dry_to_paddy"]


def test_high_standard_needs_a_block_large_enough(patchwork):
    p = patchwork(("0101", 12), ("0101", 8), ("0301", 50), ("0101", 19), slope_deg=[3.0] * 4)
    assert [k[0] for k in options(p) if k[1] == "high_standard"] == ["P0", "P1"]


def test_waste_land_is_split_by_slope_between_farmland_and_forest(patchwork):
    p = patchwork(("1206", 3), ("1206", 3), ("1206", 3), slope_deg=[15.0, 15.5, None])
    assert sorted(options(p)) == [("P0", "reclaim_other"), ("P1", "afforest")]
    assert measure_options(p, {}, scheme="SD3").attrs["patches_without_slope"] == 1


def test_a_conditional_zone_adds_its_condition_to_the_reason(patchwork, square):
    p = patchwork(("0201", 15), slope_deg=[3.0])
    row = options(p, {"urban_boundary": square(500, 600, boundary_id="U")})["P0", "restore_farmland"]
    assert row.blocked_by == ""
    assert "位于城镇开发边界外,有条件允许(G-09)" in row.reason


def test_inefficient_industry_is_redeveloped_and_stays_industry(patchwork):
    row = options(patchwork(("0601", 3), ("0301", 30)))["P0", "redevelop_industry"]
    assert [row.target_class, row.cost_yuan] == ["0601", 3_000_000.0]


def test_the_summary_keeps_blocked_land_apart(patchwork):
    p = patchwork(("0201", 3), ("0307", 6), slope_deg=[3.0, 3.0])
    table = potential_summary(measure_options(p, {}, scheme="SD3")).set_index("measure")
    row = table.loc["restore_farmland"]
    assert row[["patches", "area_m2", "blocked_patches", "blocked_m2"]].tolist() == [1, 2000.0, 1, 4000.0]
    assert len(table) == len(measures()) - 1


def test_a_scheme_whose_codes_mean_something_else_is_refused(patchwork):
    with pytest.raises(CodeError, match="SD3"):
        measure_options(patchwork(("0101", 3)), {}, scheme="LANDSEA_2023")


def test_an_item_not_priced_by_land_is_refused():
    with pytest.raises(RuleError, match="元/m3"):
        measure_cost("C-EARTH", 1.0)
