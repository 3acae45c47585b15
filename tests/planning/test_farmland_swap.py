"""Who may leave and enter, the limits, and what a swap tells (永农调整)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.farmland_swap.audit import small_blocks
from qianmo.planning.farmland_swap.eligibility import eligibility, question_table, reason_table
from qianmo.planning.farmland_swap.formulate import formulate_swap
from qianmo.planning.farmland_swap.land import land_from_table, with_unit
from qianmo.planning.farmland_swap.limits import mean_limits, swap_limits
from qianmo.planning.farmland_swap.make_instance import make_small_swap, make_swap, make_swap_tables
from qianmo.planning.farmland_swap.settings import SwapSettings, limit_rows, reason_rows
from qianmo.planning.farmland_swap.swap import means, swap
from qianmo.planning.problem import limit_value
from qianmo.planning.verify import verify
from qianmo.schema.errors import CodeError, InfeasibleError, MissingDataError, RuleError, SchemaError
from qianmo.schema.rules import rules

SETTINGS = SwapSettings()
LOOSE = SwapSettings(cap=0.5, waived=("high_standard", "township"), leave_without_reason=True)


def small_land(seed: int):
    return make_small_swap(rng=np.random.default_rng(seed))


def one_of_each() -> pd.DataFrame:
    """Eight protected fields and eight candidates, all good; tests spoil them one by one."""
    n = 16
    return pd.DataFrame(
        {
            "unit_id": [f"U{k:02d}" for k in range(n)], "is_protected": [True] * 8 + [False] * 8, "area_m2": 5000.0, "class_code": "0101",
            "village_code": "350000000001", "township_code": "350000000", "slope_low_deg": 3.0, "slope_high_deg": 3.0, "quality_grade": 6,
            "is_high_standard": 0.0, "is_stable": 1.0, "erosion_class": 1, "is_polluted": 0.0, "project_share": 0.0, "redline_share": 0.0,
            "redline_core_share": 0.0, "urban_share": 0.0, "reserve_share": 0.0, "protected_share": 0.0, "block": 0, "perimeter_m": 300.0,
        }
    )  # fmt: skip


def borders(n: int = 16) -> pd.DataFrame:
    return pd.DataFrame({"i": np.arange(n - 1), "j": np.arange(1, n), "length_m": 50.0})


def judged(table: pd.DataFrame, settings: SwapSettings = SETTINGS):
    return eligibility(land_from_table(table, borders()), settings)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("slope_low_deg", 26.0, "steep"), ("erosion_class", 4, "eroded"), ("is_polluted", 1.0, "polluted"), ("project_share", 0.5, "listed_project"),
        ("class_code", "0301", "not_farmland"), ("redline_core_share", 0.5, "redline_core"),
    ],
)  # fmt: skip
def test_bad_protected_land_must_leave_with_the_code_and_rule(column, value, code):
    table = one_of_each()
    table.loc[2, column] = value
    if column == "slope_low_deg":
        table.loc[2, "slope_high_deg"] = value
    found = judged(table)
    assert found.must_leave.tolist() == [k == 2 for k in range(16)]
    assert found.reasons["out", code][2]
    rows = reason_table(land_from_table(table, borders()), found)
    row = rows[(rows["unit_id"] == "U02") & (rows["code"] == code)].iloc[0]
    assert row["effect"] == "must_leave" and row["rule_id"] in rules()


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("slope_low_deg", 16.0, "moderately_steep"), ("is_stable", 0.0, "unstable"), ("quality_grade", 9, "poor_grade"), ("redline_share", 0.2, "redline_other"),
        ("urban_share", 0.2, "urban"), ("block", 7, None),
    ],
)  # fmt: skip
def test_land_with_a_soft_reason_may_leave_and_the_rest_must_stay(column, value, code):
    table = one_of_each()
    table.loc[1, column] = value
    if column == "slope_low_deg":
        table.loc[1, "slope_high_deg"] = value
    if column == "block":  # a block of its own of 4.5 mu: scattered
        table.loc[1, "area_m2"], code = 3000.0, "scattered"
    found = judged(table)
    assert found.may_leave.tolist() == [k == 1 for k in range(16)]
    assert found.reasons["out", code][1] and found.reasons["out", "no_reason"].sum() == 7


def test_built_high_standard_farmland_stays_unless_it_must_leave():
    table = one_of_each()
    table.loc[1, ["is_stable", "is_high_standard"]] = [0.0, 1.0]
    table.loc[2, ["is_polluted", "is_high_standard"]] = [1.0, 1.0]
    found = judged(table)
    assert not found.may_leave[1] and not found.must_leave[1] and found.must_leave[2]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("class_code", "0301", "not_farmland"), ("is_stable", 0.0, "unstable"), ("slope_low_deg", 25.5, "steep"), ("erosion_class", 5, "eroded"),
        ("is_polluted", 1.0, "polluted"), ("project_share", 0.01, "listed_project"), ("redline_share", 0.01, "redline"), ("urban_share", 0.01, "urban"),
        ("protected_share", 0.5, "partly_protected"), ("block", 9, "isolated"),
    ],
)  # fmt: skip
def test_a_candidate_is_refused_with_the_code_and_rule(column, value, code):
    table = one_of_each()
    table.loc[12, column] = value
    if column == "slope_low_deg":
        table.loc[12, "slope_high_deg"] = value
    found = judged(table)
    assert found.may_enter.tolist() == [k >= 8 and k != 12 for k in range(16)]
    assert found.reasons["in", code][12] and reason_rows()["in", code]["rule_id"] in rules()


def test_a_slope_of_exactly_the_limit_is_not_steep_but_its_upper_class_is():
    table = one_of_each()
    table.loc[2, ["slope_low_deg", "slope_high_deg"]] = [25.0, 25.0]
    table.loc[3, ["slope_low_deg", "slope_high_deg"]] = [25.0, 90.0]
    table.loc[4, ["slope_low_deg", "slope_high_deg"]] = [15.0, 25.0]
    assert judged(table).must_leave.tolist() == [k == 3 for k in range(16)]


@pytest.mark.parametrize("column", ["slope_low_deg", "is_stable", "is_polluted", "erosion_class", "project_share", "urban_share", "redline_share"])
def test_a_candidate_that_alone_lacks_a_value_is_refused_and_named(column):
    table = one_of_each()
    table.loc[10, column] = np.nan
    land = land_from_table(table, borders())
    found = eligibility(land, SETTINGS)
    assert not found.may_enter[10] and found.may_enter[[8, 9, 11]].all()
    rows = question_table(land, found)
    assert ((rows["side"] == "in") & (rows["units"] == 1) & ~rows["whole"]).any()
    assert "须核实" in rows["zh"].iloc[0]
    refusals = formulate_swap(land, SETTINGS).problem.refusals
    assert any(str(r).startswith("no_data_") for r in refusals.reason[refusals.patch == 10])


def test_a_data_set_that_is_missing_for_all_is_a_question_and_no_silent_pass():
    table = one_of_each().drop(columns=["is_polluted", "is_stable"])
    land = land_from_table(table, borders())
    found = eligibility(land, SETTINGS)
    assert found.may_enter[8:].all()
    rows = question_table(land, found)
    assert {"polluted", "unstable"} <= set(rows[rows["whole"] & (rows["side"] == "in")]["code"])
    result = swap(land, settings=replace(LOOSE, waived=(*LOOSE.waived, "patch_mean", "surplus")), gap=0.0)
    moved = result.parcels[result.parcels["decision"].isin(["leave", "enter"])]
    stays = result.parcels[result.parcels["decision"] == "stay"]
    assert (moved["to_confirm"].str.contains("须核实")).all() and (stays["to_confirm"] == "").all()
    assert result.certificate["questions"]


def test_every_moved_unit_of_a_missing_data_set_carries_the_question():
    land = replace(make_swap(400, rng=np.random.default_rng(5)), project_share=np.full(400, np.nan))
    result = swap(land, settings=replace(SETTINGS, waived=("patch_mean",)))
    moved = result.parcels["decision"].isin(["leave", "enter"])
    assert moved.sum() > 3
    assert (result.parcels["to_confirm"].str.contains("重大项目") == moved).all()


def test_every_reason_and_limit_names_a_rule_and_a_source():
    for row in reason_rows().values():
        assert row["rule_id"] in rules() and row["source"] and row["confidence"] in ("high", "medium", "low")
    own = {"paddy", "irrigated", "village"}
    for row in limit_rows():
        assert row["rule_id"] in rules() or row["limit"] in own, row["limit"]
        assert row["source"] and row["confidence"]


def test_missing_grades_leave_the_dominance_out_and_say_so():
    table = one_of_each().drop(columns=["quality_grade", "is_high_standard"])
    land = land_from_table(table, borders())
    formulation = formulate_swap(land, SETTINGS)
    assert not any(x.id.startswith("grade") for x in formulation.problem.limits)
    assert {x.limit: x.why for x in formulation.not_imposed}["grade"].startswith("缺数据")
    assert "high_standard" in {x.limit for x in formulation.not_imposed}


def test_an_unknown_grade_counts_as_the_best_that_leaves_and_the_worst_that_enters():
    land = small_land(3)
    unit = np.flatnonzero(eligibility(land, LOOSE).flexible)
    leaves, enters = unit[land.protected[unit]][0], unit[~land.protected[unit]][0]
    land = with_unit(land, int(leaves), grade=np.nan)
    land = with_unit(land, int(enters), grade=np.nan)
    limits, _ = swap_limits(land, unit, LOOSE)
    rows = [x for x in limits if x.id.startswith("grade:")]
    assert rows
    for x in rows:
        coefficient = dict(zip(unit[x.option].tolist(), x.coefficient.tolist()))
        assert coefficient[int(leaves)] == pytest.approx(-land.area[leaves]) and int(enters) not in coefficient


def test_limits_that_are_waived_are_named_and_others_cannot_be_waived():
    formulation = formulate_swap(small_land(1), LOOSE)
    assert {x.limit for x in formulation.not_imposed} >= {"high_standard", "township"}
    with pytest.raises(RuleError, match="cannot be waived"):
        SwapSettings(waived=("grade_mean",))
    with pytest.raises(RuleError, match="share from 0 to 1"):
        SwapSettings(cap=5.0)


def test_reference_values_imply_the_rules_of_means():
    land = small_land(7)
    unit = np.flatnonzero(eligibility(land, LOOSE).flexible)
    rows = mean_limits(land, unit, grade=float(np.median(land.grade[unit])), patch_m2=float(np.median(land.area[unit])))
    options = np.arange(len(unit))
    seen = 0
    for pick in range(1, 2 ** len(unit)):
        chosen = options[[(pick >> k) & 1 == 1 for k in options]]
        choice = np.full(land.n, -1)
        choice[unit[chosen]] = chosen
        m = means(land, choice)
        values = [limit_value(x, choice, len(unit)) for x in rows]
        holds = all((v <= x.bound) if x.relation == "<=" else (v >= x.bound) for x, v in zip(rows, values))
        if holds and np.isfinite([m["patch_in"], m["patch_out"]]).all():
            assert m["grade_in"] <= m["grade_out"] + 1e-9 and m["patch_in"] > m["patch_out"]
            seen += 1
    assert seen > 0


def test_a_swap_is_verified_and_obeys_the_rules_of_means():
    result = swap(make_swap(400, rng=np.random.default_rng(2)), settings=SETTINGS, gap=1e-3)
    checks = verify(result.formulation.problem, result.solution.choice, result.certificate, result.prices)
    assert all(c["ok"] for c in checks)
    m = result.certificate["means"]
    assert m["grade_in"] <= m["grade_out"] and m["patch_in"] > m["patch_out"]
    assert result.certificate["bound_without_means"] >= result.certificate["objective"]
    assert result.parcels["reason"].str.len().gt(3).all()
    must = result.formulation.eligibility.must_leave
    assert not result.after[must].any()
    assert result.parcels.loc[must, "reason"].str.startswith("必须调出").all()


def test_fewest_changes_changes_no_more_than_the_full_score_does():
    land = make_swap(400, rng=np.random.default_rng(6))
    land = with_unit(land, int(np.flatnonzero(land.protected & (land.grade > 9))[0]), polluted=1.0)
    plain = replace(SETTINGS, waived=("patch_mean",))
    full, few = (swap(land, settings=s, gap=0.0) for s in (plain, replace(plain, fewest_changes=True)))
    count = [int((r.solution.choice >= 0).sum()) for r in (full, few)]
    assert 1 <= count[1] <= count[0]


def test_a_least_block_is_kept_for_every_entrant_and_its_price_told():
    land = make_swap(400, rng=np.random.default_rng(2))
    wish = replace(SETTINGS, parameters={"swap_block_min_mu": 150.0}, waived=("patch_mean",))
    result = swap(land, settings=wish, gap=1e-3, time_limit_s=8.0)
    i, j = land.border_i, land.border_j
    entrants = result.after & ~land.protected
    assert entrants.any() and result.minimum.blocks_before > 0
    assert small_blocks(result.after, land.area, i, j, least_m2=100_000.0, needs=entrants) == []
    told = result.certificate["minimum_block"]
    assert told["price"] == pytest.approx(told["objective_soft"] - told["objective_hard"]) and told["price"] > 0


def test_a_stricter_slope_for_entrants_does_not_turn_protected_land_out():
    table = one_of_each()
    table.loc[[1, 12], ["slope_low_deg", "slope_high_deg"]] = 18.0
    found = judged(table, replace(SETTINGS, parameters={"swap_entrant_slope_max_deg": 15.0}))
    assert not found.must_leave.any() and not found.may_enter[12]


def test_infeasible_rules_are_named_with_what_is_missing():
    table = one_of_each()
    table.loc[0, "is_polluted"] = 1.0
    table.loc[8:, "quality_grade"] = 8
    with pytest.raises(InfeasibleError, match="missing") as caught:
        swap(land_from_table(table, borders()), settings=replace(LOOSE, cap=1.0))
    assert caught.value.conflict == ("Z-04",)
    with pytest.raises(InfeasibleError) as capped:
        swap(land_from_table(table.assign(quality_grade=6), borders()), settings=replace(LOOSE, cap=0.01))
    assert capped.value.conflict == ("Z-03",)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"area_m2": -1.0}, SchemaError), ({"area_m2": np.nan}, SchemaError), ({"urban_share": 1.5}, SchemaError), ({"class_code": "9999"}, CodeError),
        ({"perimeter_m": np.nan}, SchemaError), ({"unit_id": "U00"}, SchemaError),
    ],
)  # fmt: skip
def test_bad_units_are_refused_with_their_names(change, error):
    table = one_of_each()
    for name, value in change.items():
        table.loc[5, name] = value
    with pytest.raises(error):
        land_from_table(table, borders())


def test_a_border_of_a_missing_unit_and_a_land_without_protection_are_refused():
    with pytest.raises(SchemaError, match="missing unit"):
        land_from_table(one_of_each(), pd.DataFrame({"i": [0], "j": [99], "length_m": [1.0]}))
    with pytest.raises(MissingDataError, match="永久基本农田"):
        formulate_swap(land_from_table(one_of_each().assign(is_protected=False), borders()), SETTINGS)


def test_an_instance_is_the_same_for_the_same_seed_and_fits_its_table():
    a, b = (make_swap_tables(300, rng=np.random.default_rng(4)) for _ in range(2))
    pd.testing.assert_frame_equal(a[0], b[0])
    pd.testing.assert_frame_equal(a[1], b[1])
    shared = np.bincount(np.r_[a[1]["i"], a[1]["j"]], np.r_[a[1]["length_m"], a[1]["length_m"]], len(a[0]))
    assert (shared <= a[0]["perimeter_m"] + 0.01).all()
