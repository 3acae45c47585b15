"""Each limit, by hand (约束)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.costs import fee_factor
from qianmo.planning.limits import (
    basic_farmland,
    budget,
    construction_cap,
    farmland_balance,
    farmland_gain,
    floors,
    one_measure,
    redline,
    slope,
    windows,
)
from qianmo.planning.limits.register import build_limits
from qianmo.planning.parts import Parts, assemble_parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings, Window
from qianmo.schema.codes import zone_activities
from qianmo.schema.errors import CodeError, RuleError, SchemaError
from qianmo.schema.measures import measure
from qianmo.schema.rules import rules

SETTINGS = PlanSettings(start_year=2026)
PATCHES = pd.DataFrame(
    {
        "patch_id": ["field", "orchard", "house", "steep"], "class_code": ["0103", "0201", "0702", "0103"],
        "village_code": ["v1", "v1", "v2", "v2"], "area_m2": [1000.0, 500.0, 300.0, 400.0],
        "class_area_m2": [900.0, 500.0, 300.0, 380.0], "slope_deg": [5.0, 26.0, 8.0, 30.0],
    }
)  # fmt: skip
OPTIONS = [("field", "high_standard", "0103"), ("field", "retire_steep", "0201"), ("orchard", "restore_farmland", "0103"),
           ("house", "reclaim_homestead", "0103"), ("steep", "retire_steep", "0301")]  # fmt: skip
NO_BORDERS = pd.DataFrame({"i": [], "j": [], "length_m": []})


def parts_of(patches: pd.DataFrame = PATCHES, options: list[tuple[str, str, str]] = OPTIONS, **shares: Any) -> Parts:
    table = pd.DataFrame(options, columns=["patch_id", "measure", "target_class"])
    table["area_m2"] = table["patch_id"].map(patches.set_index("patch_id")["class_area_m2"])
    table = table.assign(cost_low_yuan=50.0, cost_yuan=100.0, cost_high_yuan=200.0, reason="", blocked_by="")
    return assemble_parts(patches, table, NO_BORDERS, settings=SETTINGS, **shares)


def value(limit: Limit, parts: Parts, *names: str) -> float:
    """Left side when the named patches take their measure ('patch:measure')."""
    row = np.zeros(parts.m)
    row[limit.option] = limit.coefficient
    picked = [k for k in range(parts.m) if f"{parts.patch_id[parts.patch[k]]}:{parts.measure[k]}" in names]
    assert len(picked) == len(names)
    return limit.constant + float(row[picked].sum())


def test_z_01_counts_farmland_gained_and_lost() -> None:
    parts = parts_of()
    (row,) = farmland_gain.build(parts, SETTINGS)
    assert row.rule_id == "Z-01" and row.relation == ">="
    assert row.bound == pytest.approx(0.05 * (900 + 380))
    assert value(row, parts, "house:reclaim_homestead", "steep:retire_steep") == pytest.approx(300 - 380)


def test_z_01_counted_gross_does_not_see_what_is_lost() -> None:
    parts = parts_of()
    (row,) = farmland_gain.build(parts, PlanSettings(start_year=2026, new_farmland_basis="gross"))
    assert value(row, parts, "house:reclaim_homestead", "steep:retire_steep") == pytest.approx(300)


def test_a_local_value_of_z_01_replaces_the_shipped_one() -> None:
    (row,) = farmland_gain.build(parts_of(), PlanSettings(start_year=2026, rule_values={"Z-01": 0.03}))
    assert row.bound == pytest.approx(0.03 * 1280)


def test_z_11_counts_construction_land() -> None:
    parts = parts_of()
    (row,) = construction_cap.build(parts, SETTINGS)
    assert (row.rule_id, row.relation, row.bound) == ("Z-11", "<=", 0.0)
    assert value(row, parts, "house:reclaim_homestead") == -300


def test_z_12_counts_prohibited_works_inside_the_redline() -> None:
    parts = parts_of(redline_share=np.array([0.5, 0.5, 0.5, 0.5]))
    (row,) = redline.build(parts, SETTINGS)
    for k in range(parts.m):
        forbidden = zone_activities()[measure(parts.measure[k]).activity_id]["eco_other"] == "P"
        assert (k in row.option) == forbidden
    assert row.rule_id == "Z-12" and row.bound == 0.0


def test_y_01_and_y_02_hold_protected_farmland_in_use() -> None:
    parts = parts_of(basic_share=np.array([1.0, 0.0, 0.0, 0.5]))
    use, planting = basic_farmland.build(parts, SETTINGS)
    assert (use.rule_id, planting.rule_id) == ("Y-01", "Y-02")
    assert value(use, parts, "steep:retire_steep") == pytest.approx(190)
    assert value(planting, parts, "field:retire_steep") == pytest.approx(900)
    assert value(use, parts, "field:high_standard") == 0


def test_a_sliver_of_protected_farmland_is_drawing_noise() -> None:
    parts = parts_of(basic_share=np.array([0.001, 0.0, 0.0, 0.0]))
    assert all(len(x.option) == 0 for x in basic_farmland.build(parts, SETTINGS))


def test_g_09_counts_new_farmland_that_is_too_steep_or_of_unknown_slope() -> None:
    parts = parts_of()
    (row,) = slope.build(parts, SETTINGS)
    assert value(row, parts, "orchard:restore_farmland") == 500
    assert value(row, parts, "house:reclaim_homestead") == 0
    unknown = parts_of(PATCHES.drop(columns="slope_deg"))
    assert value(slope.build(unknown, SETTINGS)[0], unknown, "house:reclaim_homestead") == 300


def test_g_01_balances_agricultural_land_only() -> None:
    parts = parts_of()
    (row,) = farmland_balance.build(parts, SETTINGS)
    all_three = ("orchard:restore_farmland", "steep:retire_steep", "house:reclaim_homestead")
    assert value(row, parts, *all_three) == pytest.approx(500 - 380)
    (exempt,) = farmland_balance.build(parts, PlanSettings(start_year=2026, retirement_is_exempt=True))
    assert value(exempt, parts, "orchard:restore_farmland", "steep:retire_steep") == pytest.approx(500)


def test_the_budget_counts_fees_and_is_absent_when_none_is_set() -> None:
    parts = parts_of()
    assert budget.build(parts, SETTINGS) == []
    (row,) = budget.build(parts, PlanSettings(start_year=2026, budget_yuan=1000.0))
    assert value(row, parts, "house:reclaim_homestead") == round(100 * fee_factor("default"), 2)


def test_windows_bound_the_area_of_a_measure_in_a_village() -> None:
    parts = parts_of()
    wanted = (Window("retire_steep", "v2", 100.0, 500.0), Window("high_standard", max_m2=50.0))
    given = PlanSettings(start_year=2026, windows=wanted)
    low, high, all_over = windows.build(parts, given)
    assert (low.relation, low.bound, high.relation, high.bound) == (">=", 100.0, "<=", 500.0)
    assert value(low, parts, "field:retire_steep", "steep:retire_steep") == pytest.approx(380)
    assert value(all_over, parts, "field:high_standard") == pytest.approx(900)


@pytest.mark.parametrize(
    ("window", "error"),
    [(Window("retire_steep", "v9"), SchemaError), (Window("flatten"), CodeError), (Window("terrace", "", 5.0, 1.0), SchemaError)],
)
def test_a_window_that_cannot_be_meant_is_refused(window: Window, error: type[Exception]) -> None:
    with pytest.raises(error):
        windows.build(parts_of(), PlanSettings(start_year=2026, windows=(window,)))


def test_floors_hold_a_quantity_up() -> None:
    parts = parts_of()
    given = PlanSettings(start_year=2026, floors={"revitalised_m2": 200.0}, parameters={"high_standard_share_min": 0.5})
    idle, standard = floors.build(parts, given)
    assert value(idle, parts, "house:reclaim_homestead") == 300
    assert standard.bound == pytest.approx(640)
    with pytest.raises(SchemaError, match="happiness"):
        floors.build(parts, PlanSettings(start_year=2026, floors={"happiness": 1.0}))


def test_one_measure_rows_sum_the_options_of_a_patch() -> None:
    rows = one_measure.build(np.array([0, 0, 2]), 3)
    assert rows.toarray().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_each_limit_cites_a_rule_or_is_set_by_the_user() -> None:
    given = PlanSettings(start_year=2026, budget_yuan=1.0, windows=(Window("terrace", max_m2=1.0),), floors={"eco_m2": 1.0})
    found = {x.rule_id for x in build_limits(parts_of(), given)}
    assert found - set(rules()) == {"budget", "window", "floor"}
    assert {"Z-01", "Z-11", "Z-12", "Y-01", "Y-02", "G-01", "G-09"} <= found


def test_a_rule_of_principle_may_be_waived_and_a_red_line_may_not() -> None:
    assert "Z-01" not in {x.rule_id for x in build_limits(parts_of(), PlanSettings(start_year=2026, waived=("Z-01",)))}
    with pytest.raises(RuleError, match="Y-01"):
        build_limits(parts_of(), PlanSettings(start_year=2026, waived=("Y-01",)))
