"""Present use: sums close, ridges are counted once, unknown classes stop."""

import pytest

from qianmo.evaluation.structure import land_structure, structure_by_village
from qianmo.schema.errors import CodeError


def test_ridges_leave_farmland_and_stand_as_class_1203(patchwork):
    p = patchwork(("0103", 3), ("0702", 3))
    p.loc[0, "class_area_m2"] = 1800.0
    table = land_structure(p, scheme="SD3").set_index("class_code")
    assert table.loc["0103", ["area_m2", "class_area_m2"]].tolist() == [2000.0, 1800.0]
    assert table.loc["1203", ["patches", "class_area_m2"]].tolist() == [0, 200.0]
    assert table["class_area_m2"].sum() == p["area_m2"].sum()
    assert table["share"].sum() == pytest.approx(1.0)


def test_each_village_row_sums_to_its_total(patchwork):
    p = patchwork(("0101", 3), ("0201", 1.5), ("1006", 1), ("1105", 2), ("1201", 1))
    p["village_code"] = ["A", "A", "B", "B", ""]
    p.loc[0, "class_area_m2"] -= 33.33
    table = structure_by_village(p, None, scheme="SD3").set_index("village_code")
    parts = table.drop(columns=["village_name", "total_m2"])
    assert (parts.sum(axis=1).round(2) == table["total_m2"]).all()
    assert table.loc["A", "other_m2"] == 33.33
    assert table.loc["B", "wetland_m2"] == pytest.approx(1333.33)
    assert table.loc["", "village_name"] == "(无村代码)"


def test_an_unknown_class_is_named_with_its_row(patchwork):
    with pytest.raises(CodeError, match=r"9999.*rows 1"):
        land_structure(patchwork(("0101", 1), ("9999", 1)), scheme="SD3")


def test_an_empty_class_is_refused(patchwork):
    with pytest.raises(CodeError, match="empty"):
        land_structure(patchwork(("0101", 1), (None, 1)), scheme="SD3")


def test_the_same_code_counts_by_its_own_scheme(patchwork):
    p = patchwork(("0303", 3), ("0603", 3))
    survey = structure_by_village(p, None, scheme="SD3").iloc[0]
    older = structure_by_village(p, None, scheme="GBT21010_2017").iloc[0]
    assert [survey["wetland_m2"], survey["construction_m2"]] == [4000.0, 0.0]
    assert [older["wetland_m2"], older["construction_m2"]] == [2000.0, 2000.0]
