"""Flows close; balances follow from flows."""

import pytest

from qianmo.evaluation.balance import balance, flow_matrix
from qianmo.schema.errors import SchemaError


def planned(before, **changes):
    after = before.copy()
    for patch, code in changes.items():
        after.loc[after["patch_id"] == patch, "class_code"] = code
    return after


def test_unchanged_land_is_in_the_matrix_so_that_it_closes(patchwork):
    p = patchwork(("0101", 3), ("0201", 6), ("0201", 1.5))
    flows = flow_matrix(p, planned(p, P1="0103").iloc[::-1])
    found = {(r.from_class, r.to_class): (r.patches, r.area_m2) for r in flows.itertuples()}
    assert found == {("0101", "0101"): (1, 2000.0), ("0201", "0103"): (1, 4000.0), ("0201", "0201"): (1, 1000.0)}


def test_ridges_that_come_and_go_are_flows_of_their_own(patchwork):
    p = patchwork(("0103", 3), ("0201", 3))
    p.loc[0, "class_area_m2"] = 1800.0
    after = planned(p, P0="0307", P1="0103")
    after["class_area_m2"] = [2000.0, 1900.0]
    flows = flow_matrix(p, after)
    found = {(r.from_class, r.to_class): r.area_m2 for r in flows.itertuples()}
    assert found == {("0103", "0307"): 1800.0, ("1203", "0307"): 200.0, ("0201", "0103"): 1900.0, ("0201", "1203"): 100.0}
    assert flows["area_m2"].sum() == p["area_m2"].sum()


def test_a_plan_that_changes_register_areas_is_refused(patchwork):
    p = patchwork(("0103", 3), ("0201", 3))
    with pytest.raises(SchemaError, match="P1"):
        flow_matrix(p, p.assign(area_m2=[2000.0, 2001.0]))


def test_after_is_before_plus_increase_less_decrease(patchwork):
    p = patchwork(("0103", 3), ("0201", 6), ("0702", 1.5))
    flows = flow_matrix(p, planned(p, P0="0307", P1="0103", P2="0103"))
    table = balance(flows, scheme="SD3", basic_farmland_m2=1500.0, basic_farmland_in_m2=100.0, basic_farmland_out_m2=40.0)
    rows = table.set_index("item")
    assert rows.loc["耕地"].tolist() == [2000.0, 5000.0, 2000.0, 5000.0, 3000.0]
    assert rows.loc["建设用地"].tolist() == [1000.0, 0.0, 1000.0, 0.0, -1000.0]
    assert rows.loc["永久基本农田", "after_m2"] == 1560.0


def test_basic_farmland_is_left_out_where_it_is_unknown(patchwork):
    p = patchwork(("0103", 3))
    assert "永久基本农田" not in set(balance(flow_matrix(p, p), scheme="SD3")["item"])
