"""Merging of fields: each small one joins the neighbour of the longest border."""

import numpy as np
import pandas as pd

from qianmo.evaluation.fields import farmland_borders, field_areas, merged_fields, small_fields


def test_borders_are_found_between_farmland_only(patchwork):
    borders = farmland_borders(patchwork(("0101", 3), ("0103", 3), ("0301", 3), ("0101", 3)), scheme="SD3")
    assert borders[["i", "j"]].to_numpy().tolist() == [[0, 1]]
    assert round(borders["length_m"].iloc[0], 6) == 100.0


def test_each_merged_patch_joins_the_longest_border_and_no_further():
    borders = pd.DataFrame({"i": [0, 1, 2], "j": [1, 2, 3], "length_m": [10.0, 20.0, 5.0]})
    number = merged_fields(4, borders, np.array([False, True, False, False]))
    assert number[1] == number[2]
    assert len(np.unique(number)) == 3


def test_two_small_fields_that_merge_leave_none_below_the_limit(patchwork):
    p = patchwork(("0101", 2), ("0101", 2), ("0101", 9))
    count, area = small_fields(p, scheme="SD3")
    assert [count, round(area)] == [2, 2667]
    merged = np.array([True, True, False])
    assert small_fields(p, scheme="SD3", merged=merged)[0] == 0
    assert field_areas(p, scheme="SD3", merged=merged).sum() == p["class_area_m2"].sum()


def test_the_fields_a_plan_names_are_the_fields(patchwork):
    p = patchwork(("0101", 2), ("0101", 2), ("0103", 2), ("0301", 2), field_group=[7, 7, 7, 7])
    assert sorted(field_areas(p, scheme="SD3").round(-1)) == [1330.0, 2670.0]
