"""Idle and inefficient land: register facts first, candidates by size and distance."""

from qianmo.evaluation.idle import idle_land


def test_vacant_abandoned_and_uncultivated_land_come_from_the_register(patchwork):
    columns = {"refined_code": ["", "FQ", "", ""], "planting_code": ["", "", "WG", "LS"]}
    p = patchwork(("1201", 2), ("0601", 30), ("0103", 4), ("0101", 4), **columns)
    assert idle_land(p, scheme="SD3")["kind"].tolist() == ["vacant", "abandoned", "uncultivated"]


def test_a_small_homestead_far_from_others_is_a_candidate_that_needs_the_field(patchwork):
    p = patchwork(("0702", 1), ("0301", 20), ("0702", 1), ("0702", 1))
    found = idle_land(p, scheme="SD3")
    assert found["patch_id"].tolist() == ["P0"]
    assert "候选,须实地核实" in found["reason"].iloc[0]


def test_a_road_does_not_keep_a_homestead_company(patchwork):
    assert idle_land(patchwork(("0702", 1), ("1004", 1)), scheme="SD3")["kind"].tolist() == ["isolated_homestead"]


def test_a_large_homestead_is_no_candidate(patchwork):
    assert idle_land(patchwork(("0702", 3.01), ("0301", 30)), scheme="SD3").empty


def test_distance_and_size_are_parameters(patchwork):
    p = patchwork(("0601", 10), ("0301", 20), ("0702", 20))
    assert idle_land(p, scheme="SD3")["kind"].tolist() == ["inefficient_industry"]
    assert idle_land(p, scheme="SD3", overrides={"isolated_built_distance_m": 200}).empty
    assert idle_land(p, scheme="SD3", overrides={"inefficient_industry_max_mu": 5}).empty
