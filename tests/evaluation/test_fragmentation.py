"""Fragmentation on fields whose figures are known."""

import math

import pytest

from qianmo.evaluation.fragmentation import fragmentation, is_small_field, shape_dimension


def test_two_fields_of_half_the_village_have_a_mesh_of_half_the_village(patchwork):
    p = patchwork(("0101", 75), ("0103", 75))
    row = fragmentation(p, None, scheme="SD3").iloc[0]
    assert row["effective_mesh_ha"] == pytest.approx(5.0)
    assert row["simpson"] == pytest.approx(0.5)
    assert row["patch_density_per_km2"] == pytest.approx(20.0)


def test_a_field_of_exactly_three_mu_is_not_small(patchwork):
    row = fragmentation(patchwork(("0101", 3), ("0101", 2.99), ("0201", 1)), None, scheme="SD3").iloc[0]
    assert [row["patches"], row["small_patches"]] == [2, 1]
    assert row["small_area_m2"] == pytest.approx(1993.33)


def test_the_limit_of_small_fields_can_be_changed():
    assert is_small_field([2000.0], overrides={"small_patch_mu": 5}).tolist() == [True]


def test_the_last_row_is_the_total_and_a_village_without_farmland_has_no_mean(patchwork):
    p = patchwork(("0101", 3), ("0301", 3))
    p["village_code"] = ["A", "B"]
    table = fragmentation(p, None, scheme="SD3")
    assert table["village_name"].iloc[-1] == "合计"
    assert table["patches"].tolist() == [1, 0, 1]
    assert math.isnan(table["mean_patch_m2"].iloc[1])


def test_the_control_area_of_a_village_replaces_the_sum_of_its_patches(patchwork, square):
    p = patchwork(("0101", 150))
    village = square(0, 1000, village_code="350721001001", village_name="甲村", control_area_m2=400_000.0)
    table = fragmentation(p, village, scheme="SD3")
    assert table["effective_mesh_ha"].iloc[0] == pytest.approx(2.5)
    assert table["village_name"].iloc[0] == "甲村"


def test_a_square_has_dimension_one_and_a_strip_more(patchwork):
    shapes = patchwork(("0101", 15), ("0101", 150)).geometry.to_numpy()
    square_, strip = shape_dimension(shapes)
    assert square_ == pytest.approx(1.0)
    assert 1.0 < strip < 2.0
