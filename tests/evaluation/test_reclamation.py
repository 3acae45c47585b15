"""Quality of reclaimed land after TD/T 1036: limits, samples, parcels and years by hand; what cannot be meant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.reclamation import (
    RECLAMATION_TABLES,
    judge_parcels,
    judge_samples,
    reclamation_model,
    target_of,
    years_to_level,
)
from qianmo.schema.errors import CodeError, RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

GOOD = {"depth_cm": 80, "bulk_density_g_cm3": 1.3, "gravel_share": 0.05, "ph": 7.0, "organic_g_kg": 15, "slope_deg": 3}
NONE = pd.DataFrame({"patch_id": [], "years_after": [], "yield_kg_mu": [], "surrounding_kg_mu": []})


def samples(*rows, target="dry_land", form=""):
    return pd.DataFrame([{"sample": f"S{k}", "patch_id": p, "target": target, "target_zh": "旱地", "form": form} | GOOD | changed for k, (p, changed) in enumerate(rows)])


def verdicts(table, model, yields=NONE, overrides=None):
    return judge_parcels(table, judge_samples(table, model), yields, model, overrides).set_index("patch_id")


def yields(*rows, patch="A"):
    return pd.DataFrame([{"patch_id": patch, "years_after": y, "yield_kg_mu": 400 * share, "surrounding_kg_mu": 400.0} for y, share in rows])


def test_ten_regions_are_named_and_three_of_them_have_five_years():
    rows = shipped_rows("parameters", "reclamation_region")
    assert len(rows) == 10 and {r["name_zh"] for r in rows if r["years_to_level"] == "5"} == {"西北干旱区", "黄土高原区", "青藏高原区"}
    for name in RECLAMATION_TABLES:
        assert all(r["source"] and r["confidence"] in ("high", "medium", "low") for r in shipped_rows("parameters", name)), name
    assert all("check the original" in r["source"] and r["confidence"] == "low" for r in shipped_rows("parameters", "reclamation_criterion"))


def test_a_value_on_the_limit_passes_and_just_beyond_it_does_not():
    model = reclamation_model(region="huanghuaihai")
    limits = {"depth_cm": (60, 59.9), "bulk_density_g_cm3": (1.45, 1.46), "gravel_share": (0.1, 0.101), "ph": (8.5, 8.6), "organic_g_kg": (10, 9.9), "slope_deg": (15, 15.1)}
    for fact, (on, beyond) in limits.items():
        found = judge_samples(samples(("A", {fact: on}), ("A", {fact: beyond})), model)
        assert set(found[found["sample"] == "S0"]["verdict"]) == {"pass"}
        bad = found[(found["sample"] == "S1") & (found["verdict"] != "pass")]
        assert bad["verdict"].tolist() == ["needs_confirmation"] and "要求" in bad["reason_zh"].iloc[0], fact


def test_hills_need_less_soil_on_dry_land_only_and_terraces_may_be_steeper():
    hill, plain = reclamation_model(region="西南山地丘陵区"), reclamation_model(region="huanghuaihai")
    shallow = ("A", {"depth_cm": 45})
    assert verdicts(samples(shallow), hill)["verdict"].tolist() == ["pass"] and verdicts(samples(shallow), plain)["verdict"].tolist() == ["needs_confirmation"]
    assert verdicts(samples(shallow, target="paddy"), hill)["verdict"].tolist() == ["needs_confirmation"]
    steep = ("A", {"slope_deg": 20})
    assert verdicts(samples(steep, form="terrace"), plain)["verdict"].tolist() == ["pass"] and verdicts(samples(steep), plain)["verdict"].tolist() == ["needs_confirmation"]


def test_a_parcel_fails_by_one_sample_unless_the_share_allows_it_and_says_which():
    model = reclamation_model(region="huanghuaihai")
    table = samples(("A", {}), ("A", {"depth_cm": 45}), ("A", {}), ("A", {}), ("B", {}))
    found = verdicts(table, model)
    assert found.loc["A", "verdict"] == "needs_confirmation" and found.loc["A", "samples"] == 4 and found.loc["A", "passed"] == 3
    assert found.loc["A", "reason_zh"] == "有效土层厚度 1/4 个样点不达标 (S1), 如 45 厘米, 要求不小于 60 厘米" and found.loc["B", "verdict"] == "pass"
    assert verdicts(table, model, overrides={"reclamation_pass_share": 0.75}).loc["A", "verdict"] == "pass"


def test_what_nobody_measured_is_missing_not_passed_and_a_failure_goes_before_it():
    model = reclamation_model(region="huanghuaihai")
    found = verdicts(samples(("A", {"ph": np.nan}), ("B", {"ph": np.nan}), ("B", {}), ("C", {"ph": np.nan, "depth_cm": 10})), model)
    assert found["verdict"].to_dict() == {"A": "no_data", "B": "pass", "C": "needs_confirmation"} and found.loc["A", "reason_zh"] == "土壤酸碱度未检测"
    pond = verdicts(samples(("A", {}), target="pond"), model)
    assert pond["verdict"].tolist() == ["no_data"] and pond["reason_zh"].tolist() == ["该复垦方向没有标准"]


def test_a_table_of_the_county_fails_outright_and_a_confirmed_row_too():
    rows = [{k: v for k, v in r.items() if k not in ("source", "confidence")} for r in shipped_rows("parameters", "reclamation_criterion")]
    model = reclamation_model({"reclamation_criterion": rows}, region="huanghuaihai")
    assert verdicts(samples(("A", {"depth_cm": 45})), model)["verdict"].tolist() == ["fail"]


def test_years_until_the_level_by_hand():
    at = lambda *rows: years_to_level(np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float))  # noqa: E731
    assert at((1, 0.5), (2, 0.8), (3, 1.0)) == (3, True) and at((1, 1.2)) == (1, True)
    assert at((1, 1.1), (2, 0.9), (3, 1.1)) == (3, True)  # reached once, but not held
    assert at((1, 0.6), (2, 0.7)) == (5, False)  # 0.1 a year
    assert at((1, 0.7), (3, 0.85)) == (5, False)  # 0.075 a year: 1 at year 5 exactly
    assert at((1, 0.9), (2, 0.8)) == (np.inf, False) and at((2, 0.9)) == (np.inf, False)
    assert at((2, 0.6), (2, 0.8), (1, 0.5)) == (4, False)  # two harvests of a year are their mean: 0.5, 0.7


def test_yields_decide_after_the_years_of_the_region_and_are_open_before():
    model, dry = reclamation_model(region="huanghuaihai"), reclamation_model(region="northwest")
    table = samples(("A", {}))
    assert verdicts(table, model, yields((1, 0.6), (3, 1.0))).loc["A", "verdict"] == "pass"
    late = verdicts(table, model, yields((1, 0.5), (3, 0.7), (4, 1.0)))
    assert late.loc["A", "verdict"] == "needs_confirmation" and late.loc["A", "years_to_level"] == 4 and "3 年内" in late.loc["A", "reason_zh"]
    assert verdicts(table, dry, yields((1, 0.5), (3, 0.7), (4, 1.0))).loc["A", "verdict"] == "pass"
    open_ = verdicts(table, model, yields((1, 0.6), (2, 0.7)))
    assert open_.loc["A", "verdict"] == "pending" and open_.loc["A", "years_to_level"] == 5 and open_.loc["A", "yield_share"] == pytest.approx(0.7)
    assert verdicts(table, model, yields((3, 0.7))).loc["A", "verdict"] == "needs_confirmation"
    assert verdicts(samples(("A", {})), model, yields((3, 1.0), patch="B"))["verdict"].to_dict() == {"A": "pass", "B": "no_data"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 1.5), min_size=1, max_size=6), st.floats(0.0, 0.5))
def test_a_better_yield_never_needs_more_years_where_it_was_measured(shares, more):
    year = np.arange(1.0, len(shares) + 1)
    before, was = years_to_level(year, np.array(shares))
    after, now = years_to_level(year, np.array(shares) + more)
    assert after <= before if was else True
    assert now >= was and (after <= year[-1]) == now


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 200), st.floats(0, 100))
def test_more_soil_never_makes_a_sample_fail(depth, more):
    model = reclamation_model(region="loess")
    a, b = (judge_samples(samples(("A", {"depth_cm": d})), model)["verdict"].eq("pass").all() for d in (depth, depth + more))
    assert b >= a


def test_targets_follow_the_longest_first_figures_and_others_are_refused():
    model = reclamation_model(region="loess")
    assert [t for t, _ in target_of(["0101", "0103", "0301", "0201"], model)] == ["paddy", "dry_land", "forest", "garden"]
    with pytest.raises(CodeError, match="0701"):
        target_of(["0101", "0701"], model)


@pytest.mark.parametrize(("change", "word"), [
    ({"lower": "", "upper": ""}, "至少一个"), ({"lower": "70", "upper": "60"}, "不大于"), ({"lower": "厚"}, "厚"), ({"target": "desert"}, "desert"), ({"region": "mars"}, "mars"),
])  # fmt: skip
def test_criteria_that_cannot_be_meant_are_refused(change, word):
    rows = [dict(r) for r in shipped_rows("parameters", "reclamation_criterion")]
    with pytest.raises(RuleError, match=word):
        reclamation_model({"reclamation_criterion": [rows[0] | change, *rows[1:]]}, region="loess")


def test_two_criteria_for_one_case_and_a_missing_region_are_refused():
    rows = [dict(r) for r in shipped_rows("parameters", "reclamation_criterion")]
    with pytest.raises(RuleError, match="两行"):
        reclamation_model({"reclamation_criterion": [*rows, rows[0]]}, region="loess")
    with pytest.raises(SchemaError, match="黄土高原区"):
        reclamation_model()
