"""Overlaps of control and planning layers."""

import pandas as pd
import pytest

from qianmo.evaluation.conflict import conflicts, is_construction_zone


def test_a_road_that_crosses_basic_farmland_by_12_3_m2_is_reported_with_that_area(square):
    layers = {"basic_farmland": square(0, 50, patch_id="F1"), "approved_use": square(49.877, 80, approval_id="R1")}
    matrix, parcels = conflicts(layers)
    assert matrix[["rule_id", "pairs"]].to_numpy().tolist() == [["Y-01", 1]]
    assert parcels["overlap_m2"].iloc[0] == pytest.approx(12.3, abs=0.02)
    assert parcels[["id_a", "id_b"]].to_numpy().tolist() == [["F1", "R1"]]


def test_an_overlap_of_drawing_noise_is_no_conflict(square):
    layers = {"basic_farmland": square(0, 50, patch_id="F1"), "eco_redline": square(49.995, 80, redline_id="E1")}
    matrix, parcels = conflicts(layers)
    assert matrix[["overlap_m2", "pairs"]].to_numpy().tolist() == [[0.0, 0]]
    assert parcels.empty
    assert conflicts(layers, overrides={"conflict_tolerance_m2": 0})[0]["pairs"].tolist() == [1]


def test_the_three_lines_are_all_compared_also_where_they_are_clear(square):
    layers = {
        "basic_farmland": square(0, 50, patch_id="F"),
        "eco_redline": square(60, 90, redline_id="E"),
        "urban_boundary": square(40, 70, boundary_id="U"),
    }
    matrix, _ = conflicts(layers)
    found = {(r.layer_a, r.layer_b): (r.pairs, r.rule_id) for r in matrix.itertuples()}
    assert found == {
        ("basic_farmland", "eco_redline"): (0, "Z-12"),
        ("basic_farmland", "urban_boundary"): (1, "Y-01"),
        ("eco_redline", "urban_boundary"): (1, "Z-12"),
    }


def test_a_farming_zone_over_basic_farmland_is_no_conflict_but_a_building_zone_is(square):
    parts = [square(0, 20, zone_id="Z1", zone_code="300"), square(20, 50, zone_id="Z2", zone_code="510")]
    zones = pd.concat(parts, ignore_index=True)
    matrix, parcels = conflicts({"basic_farmland": square(0, 50, patch_id="F"), "planning_zone": zones})
    rules = matrix.set_index(["layer_a", "layer_b"])["rule_id"].to_dict()
    assert rules["basic_farmland", "planning_zone_construction"] == "Y-01"
    assert rules["basic_farmland", "planning_zone"] == ""
    assert set(parcels.loc[parcels["rule_id"] == "Y-01", "id_b"]) == {"Z2"}


def test_zone_codes_are_read_by_their_own_list():
    zones = pd.DataFrame({"zone_code": ["410", "300", "0703", "0101", "xyz", None]})
    assert is_construction_zone(zones).tolist() == [True, False, True, False, False, False]


def test_no_layers_give_an_empty_matrix():
    matrix, parcels = conflicts({})
    assert matrix.empty and parcels.empty


def test_a16_the_overlap_of_an_industry_plot_with_basic_farmland_is_the_conflict_of_the_highest_priority(square):
    """Case A-16: farmland protection, restoration, industry land, infrastructure and project, all over each other."""
    layers = {
        "project_area": square(0, 300, project_id="P"),
        "approved_use": square(95, 105, approval_id="路"),
        "planning_zone": square(40, 100, zone_id="产业园", zone_code="420"),
        "eco_redline": square(90, 200, redline_id="E"),
        "basic_farmland": square(0, 50, patch_id="F"),
    }
    matrix, parcels = conflicts(layers)
    top = parcels.iloc[0]
    assert (top["layer_a"], top["id_a"], top["layer_b"], top["id_b"], top["rule_id"]) == ("basic_farmland", "F", "planning_zone_construction", "产业园", "Y-01")
    assert top["overlap_m2"] == pytest.approx(10 * 100, rel=2e-3) and top["overlap_m2"] < parcels["overlap_m2"].max(), "the protected comes first, not the largest"
    hit = matrix[matrix["pairs"] > 0]
    assert list(hit[["layer_a", "layer_b"]].iloc[0]) == ["basic_farmland", "planning_zone_construction"]
