"""Functions, weights and tables of the quality model: values by hand, judgement by closed form, and what cannot be meant."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.membership import check_concepts, check_curve, membership
from qianmo.evaluation.quality_index import (
    check_facts,
    facts_after_works,
    grade_by_area,
    limiting_summary,
    mean_index_grade,
    quality_index,
)
from qianmo.evaluation.quality_model import quality_model
from qianmo.evaluation.suitability import suitability
from qianmo.evaluation.weights import check_weight_sum, consistency_ratio, judgement_matrix, pairwise_weights
from qianmo.schema.errors import MissingDataError, RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows


def curve(function, **numbers):
    return {"indicator": "x", "function": function, **{k: str(v) for k, v in numbers.items()}}


def at(row, *values):
    return membership(row, np.array(values, float), {}).tolist()


def test_the_curves_of_the_standard_have_their_values_by_hand():
    assert at(curve("upper", a=0.01, c=30, lower=5), 5, 20, 30, 99) == [0, pytest.approx(0.5), 1, 1]
    assert at(curve("lower", a=0.01, c=2, upper=25), 2, 12, 25) == [1, pytest.approx(0.5), 0]
    assert at(curve("peak", a=0.25, c=6.5, lower=4, upper=9), 4, 4.5, 6.5, 8.5, 9) == [0, pytest.approx(0.5), 1, pytest.approx(0.5), 0]
    assert at(curve("rise", lower=10, upper=20), 5, 10, 15, 25) == [0, 0, 0.5, 1] and at(curve("fall", lower=10, upper=20), 5, 15, 25) == [1, 0.5, 0]
    assert np.isnan(at(curve("upper", a=0.01, c=30, lower=5), np.nan)[0]) and np.isnan(at(curve("rise", lower=0, upper=1), np.nan)[0])


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-4, 10), st.floats(-50, 50), st.floats(0.1, 80), st.lists(st.floats(-200, 200), min_size=2, max_size=30))
def test_curves_are_monotone_and_stay_in_the_unit_interval(a, c, width, values):
    x = np.sort(np.array(values))
    up = membership(curve("upper", a=a, c=c, lower=c - width), x, {})
    down = membership(curve("lower", a=a, c=c, upper=c + width), x, {})
    assert (np.diff(up) >= 0).all() and (np.diff(down) <= 0).all() and up.min() >= 0 and up.max() <= 1
    mirror = membership(curve("upper", a=a, c=-c, lower=-c - width), -x, {})
    assert np.allclose(mirror, down)


@pytest.mark.parametrize("row", [
    curve("upper", a=0, c=30), curve("upper", a=-1, c=30), curve("upper", a=1, c=3, lower=3), curve("lower", a=1, c=30, upper=2), curve("peak", a=1, c=5, lower=6, upper=9),
    curve("rise", lower=2, upper=2), curve("fall", lower=9, upper=2), curve("rise", lower="", upper=2), curve("upper", a="x", c=1), curve("spline", a=1, c=1),
])  # fmt: skip
def test_a_function_that_is_not_the_curve_it_is_called_is_refused(row):
    with pytest.raises(RuleError, match="x"):
        check_curve(row)


def test_words_whose_membership_does_not_fall_with_the_rank_are_refused():
    rows = [{"indicator": "irrigation", "value": v, "rank": str(k), "membership": str(m)} for k, (v, m) in enumerate((("full", 0.8), ("none", 0.9)))]
    with pytest.raises(RuleError, match="递减"):
        check_concepts(rows)
    with pytest.raises(RuleError, match="0 至 1"):
        check_concepts([rows[0] | {"membership": "1.2"}])
    with pytest.raises(RuleError, match="重复"):
        check_concepts([rows[0], rows[0]])
    with pytest.raises(RuleError, match="half"):
        membership({"indicator": "irrigation", "function": "concept"}, np.array(["half"], object), {("irrigation", "full"): 1.0})


def test_weights_are_those_of_the_closed_form_and_consistent_judgement_has_ratio_zero(rng):
    true = rng.uniform(0.1, 1, 5)
    weights, top = pairwise_weights(true[:, None] / true[None, :])
    assert np.allclose(weights, true / true.sum()) and top == pytest.approx(5) and consistency_ratio(true[:, None] / true[None, :]) == pytest.approx(0, abs=1e-9)
    # of order 3 the largest root has a closed form: 1 + t + 1/t with t the cube root of a12·a23/a13
    matrix = judgement_matrix(["p", "q", "r"], {("p", "q"): 3, ("q", "r"): 2, ("p", "r"): 4}, what="x")
    t = (3 * 2 / 4) ** (1 / 3)
    weights, top = pairwise_weights(matrix)
    assert top == pytest.approx(1 + t + 1 / t)
    means = np.prod(matrix, axis=1) ** (1 / 3)
    assert np.allclose(weights, means / means.sum()) and consistency_ratio(matrix) == pytest.approx((t + 1 / t - 2) / 2 / 0.58)


def test_judgements_that_cannot_be_meant_are_refused():
    for pairs, word in (({("p", "q"): 3}, "缺"), ({("p", "q"): 12, ("p", "r"): 1, ("q", "r"): 1}, "1/9"), ({("p", "z"): 3}, "两个不同"), ({("p", "q"): 3, ("q", "p"): 3}, "两个值")):
        with pytest.raises(RuleError, match=word):
            judgement_matrix(["p", "q", "r"], pairs, what="x")
    with pytest.raises(RuleError, match=r"0\.9000"):
        check_weight_sum(["p", "q"], [0.5, 0.4], what="x")
    with pytest.raises(RuleError, match="为负"):
        check_weight_sum(["p", "q"], [1.5, -0.5], what="x")


def changed(name, where, **cells):
    return {name: [{**r, **cells} if all(r[k] == v for k, v in where.items()) else dict(r) for r in shipped_rows("parameters", name)]}


@pytest.mark.parametrize(("own", "word"), [
    (changed("quality_indicator", {"indicator": "slope"}, weight="0.3"), "权重合计"),
    (changed("quality_indicator", {"indicator": "slope"}, lower="", upper="1"), "不单调"),
    (changed("quality_judgement", {"row": "organic", "column": "texture"}, value="0.2"), "一致性"),
    (changed("quality_judgement", {"row": "irrigation"}, value="5"), "判断矩阵给出"),
    (changed("quality_concept", {"indicator": "irrigation", "value": "none"}, membership="0.9"), "递减"),
    (changed("quality_grade", {"grade": "4"}, index_min="0.95"), "递减"),
    (changed("suitability_criterion", {"use": "industry", "indicator": "slope"}, weight="0.1"), "industry"),
    ({"quality_indicator": [{"indicator": "x"}]}, "缺列"),
    ({"prices": []}, "prices"),
])  # fmt: skip
def test_tables_of_a_county_are_checked_before_use(own, word):
    with pytest.raises((RuleError, SchemaError), match=word):
        quality_model(own)


def test_without_judgements_weights_stand_by_themselves():
    own = changed("quality_indicator", {"indicator": "slope"}, weight="0.0667") ["quality_indicator"]
    own = [{**r, "weight": "0.2111"} if r["indicator"] == "drainage" else r for r in own]
    assert quality_model().ratios["soil"] == pytest.approx(0.00793, abs=1e-5)
    assert quality_model({"quality_indicator": own, "quality_judgement": []}).ratios == {}
    with pytest.raises(RuleError, match="判断矩阵给出"):
        quality_model({"quality_indicator": own})


FACTS = pd.DataFrame({
    "patch_id": ["best", "steep", "bare"], "irrigation": ["full", "none", ""], "drainage": ["full", "none", ""], "organic_g_kg": [40, 40, np.nan], "depth_cm": [120, 120, np.nan],
    "texture": ["loam", "loam", ""], "slope_deg": [1.0, 25.0, 1.0], "block_mu": [200, 200, 200.0], "plot_mu": [20, 20, 20.0],
})  # fmt: skip


def test_index_grade_and_limiting_factor_by_hand():
    table = quality_index(FACTS, quality_model())
    assert table["index"].iloc[0] == pytest.approx(1) and table["grade"].iloc[0] == 1 and table["limiting_zh"].iloc[0] == ""
    assert table["index"].iloc[1] == pytest.approx(1 - 0.1667 - 0.7 * (0.2222 + 0.1111)) and table["grade"].iloc[1] == 7  # 0.59999 is just below 0.60
    assert table["limiting"].iloc[1] == "slope" and table["limiting_zh"].iloc[1] == "田面坡度: 25 度 (隶属度 0.00, 失分 0.167)"
    assert np.isnan(table["index"].iloc[2]) and np.isnan(table["grade"].iloc[2]) and table["known_weight"].iloc[2] == pytest.approx(0.3333)


def test_what_is_unknown_widens_the_range_and_never_counts_as_zero():
    facts = FACTS.iloc[:2].assign(drainage="")
    table = quality_index(facts, quality_model())
    assert table["index"].iloc[0] == pytest.approx(1) and table["index_low"].iloc[0] == pytest.approx(1 - 0.1111) and table["index_high"].iloc[0] == pytest.approx(1)
    assert (table["index_low"] <= table["index"]).all() and (table["index"] <= table["index_high"]).all() and (table["grade_low"] <= table["grade_high"]).all()
    with pytest.raises(MissingDataError, match="irrigation"):
        quality_index(pd.DataFrame({"patch_id": ["a"]}), quality_model())


def test_works_raise_what_they_touch_and_nothing_else():
    after = facts_after_works(FACTS, np.array(["keep", "high_standard", "high_standard"], object), quality_model())
    assert after["irrigation"].tolist() == ["full", "full", ""] and after["drainage"].tolist() == ["full", "full", ""]  # unknown stays unknown
    assert after["slope_deg"].tolist() == [1.0, 25.0, 1.0]
    assert "drainage" not in facts_after_works(FACTS.drop(columns="drainage"), np.array(["high_standard"] * 3, object), quality_model())
    steep = facts_after_works(FACTS, np.array(["keep", "terrace", "keep"], object), quality_model())
    assert steep["slope_deg"].tolist() == [1.0, 5.0, 1.0]
    better = quality_index(after, quality_model())["index"]
    assert better.iloc[1] > quality_index(FACTS, quality_model())["index"].iloc[1]
    with pytest.raises(RuleError, match="double"):
        facts_after_works(FACTS, np.array(["terrace"] * 3, object), quality_model(changed("quality_effect", {"measure": "terrace"}, relation="double")))


def test_sums_by_grade_and_limiting_factor_close():
    model = quality_model()
    table, area = quality_index(FACTS, model), np.array([1.0, 2.0, 4.0])
    by_grade = grade_by_area(model, (table["grade"].to_numpy(), area), None)
    assert by_grade["before_ha"].sum() == 7 and by_grade["before_ha"].iloc[-1] == 4 and by_grade["after_ha"].isna().all()
    limits = limiting_summary(table, area, model)
    assert limits["area_ha"].sum() == 3 and limits["indicator"].tolist() == ["slope", ""] and limits["share"].sum() == pytest.approx(1)
    assert mean_index_grade(table["grade"].to_numpy(), area) == pytest.approx((1 * 1 + 2 * 7) / 3)


@pytest.mark.parametrize(("column", "value"), [("slope_deg", -9999.0), ("slope_deg", 120.0), ("organic_g_kg", 400.0), ("depth_cm", 1500.0), ("plot_mu", -1.0)])
def test_figures_in_wrong_units_or_undeclared_nodata_are_refused(column, value):
    with pytest.raises(SchemaError, match="best"):
        check_facts(FACTS.assign(**{column: [value, *FACTS[column].iloc[1:]]}), quality_model())


GROUND = pd.DataFrame({
    "patch_id": list("abcd"), "slope_deg": [2.0, 30.0, 2.0, 2.0], "depth_cm": 100.0, "organic_g_kg": 30.0, "water_m": 0.0, "road_m": 0.0, "built_m": 0.0, "wild_m": 0.0,
    "eco_share": [0, 0, 0.5, np.nan], "eco_core_share": [0, 0, 0, np.nan], "basic_farmland_share": [0, 0, 1.0, 0], "is_construction": 0.0, "is_water": 0.0,
})  # fmt: skip


def test_an_exclusion_beats_any_score_and_says_why():
    table = suitability(GROUND, quality_model()).set_index(["use", "row"])
    assert table.loc[("farming", 0), "class"] == "high" and table.loc[("farming", 0), "score"] == pytest.approx(1) and table.loc[("farming", 0), "reason_zh"] == "各项条件均好"
    assert table.loc[("farming", 1), "class"] == "excluded" and "25度" in table.loc[("farming", 1), "reason_zh"]
    assert table.loc[("industry", 2), "reason_zh"] == "涉及永久基本农田；涉及生态保护红线"
    assert table.loc[("farming", 3), "class"] == "unknown" and "生态保护红线" in table.loc[("farming", 3), "reason_zh"]


def test_missing_criteria_are_named_and_a_weak_one_is_told():
    few = GROUND.drop(columns=["depth_cm", "organic_g_kg", "water_m"])
    row = suitability(few, quality_model()).query("use == 'farming' and row == 0").iloc[0]
    assert row["class"] == "unknown" and row["reason_zh"] == "缺 土层厚度、有机质、距水源"
    far = suitability(GROUND.assign(road_m=5000.0), quality_model()).query("use == 'industry' and row == 0").iloc[0]
    assert far["reason_zh"] == "距道路失分最多 (0.40)" and far["score"] == pytest.approx(0.6) and far["class"] == "medium"
    with pytest.raises(RuleError, match="~"):
        suitability(GROUND, quality_model(changed("suitability_exclusion", {"use": "industry", "fact": "is_water"}, relation="~")))
