"""Gradation of farmland after GB/T 28407: scores, indices and grades by hand, order, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.fact_ranges import check_ranges
from qianmo.evaluation.gradation import crop_indices, gradation, grade_of, grain_capacity
from qianmo.evaluation.gradation_model import GRADATION_TABLES, gradation_model
from qianmo.evaluation.gradation_use import use_coefficients
from qianmo.evaluation.score_steps import check_steps, step_scores
from qianmo.schema.errors import MissingDataError, RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows


def two_crops(mean="arithmetic", **changed):
    """A county of two crops and two indicators: depth by classes (w 0.6), slope by classes (w 0.4)."""
    step = lambda crop, name, a, b, s: {"region": "R", "crop": crop, "indicator": name, "from": a, "to": b, "value": "", "value_zh": "", "score": s}  # noqa: E731
    indicator = {"region": "R", "crop": "*", "unit": "cm", "function": "step", "a": "", "c": "", "lower": "", "upper": "", "valid_min": "0", "valid_max": "500", "largest_min": "5"}
    return {
        "gradation_region": [{"region": "R", "name_zh": "某区", "mean": mean}],
        "gradation_crop": [
            {"region": "R", "crop": "rice", "name_zh": "水稻", "light_temperature": "2000", "yield_ratio": "1", "yield_max_kg_mu": "600", "return_max_kg_yuan": "1.5"},
            {"region": "R", "crop": "wheat", "name_zh": "小麦", "light_temperature": "1000", "yield_ratio": "1.2", "yield_max_kg_mu": "400", "return_max_kg_yuan": "1"},
        ],
        "gradation_indicator": [
            indicator | {"indicator": "depth", "name_zh": "土层厚度", "fact": "depth_cm", "weight": "0.6"},
            indicator | {"indicator": "slope", "name_zh": "坡度", "fact": "slope_deg", "unit": "degree", "valid_max": "90", "largest_min": "", "weight": "0.4"},
        ],
        "gradation_score": [
            step("rice", "depth", "", "50", "40"), step("rice", "depth", "50", "", "100"), step("wheat", "depth", "", "50", "60"), step("wheat", "depth", "50", "", "100"),
            step("*", "slope", "", "5", "100"), step("*", "slope", "5", "", "50"),
        ],
    } | changed  # fmt: skip


def facts(*rows):
    return pd.DataFrame([{"patch_id": f"P{k}", "depth_cm": d, "slope_deg": s} for k, (d, s) in enumerate(rows)])


def coefficients(table, model, **columns):
    return use_coefficients(table.assign(**columns), model, np.ones(len(table)), np.full(len(table), "V"))


def test_natural_index_use_index_and_economic_index_are_those_worked_by_hand():
    # P0: C = 0.6*40+0.4*50 = 44 % for rice, 0.6*60+0.4*50 = 56 % for wheat; R = 2000*0.44 + 1000*0.56*1.2 = 880 + 672 = 1552
    # K_L rice 450/600 = 0.75, wheat 300/400 = 0.75: Y = 1552*0.75 = 1164; K_C rice (450/600)/1.5 = 0.5, wheat (300/600)/1 = 0.5: G = 582
    model = gradation_model(two_crops())
    table = facts((30, 10), (80, 2))
    told = coefficients(table, model, yield_rice_kg_mu=[450, 450], yield_wheat_kg_mu=[300, 300], cost_rice_yuan_mu=[600, 600], cost_wheat_yuan_mu=[600, 600])
    found = gradation(table, model, told)
    assert found["natural_index"].tolist() == pytest.approx([1552, 3200]) and found["natural_score"].tolist() == pytest.approx([1552 / 3200, 1])
    assert found["use_index"].tolist() == pytest.approx([1164, 2400]) and found["economic_index"].tolist() == pytest.approx([582, 1200])
    # bins of 400: 1552 lies in 1200..1600, the 4th from below: 12; 3200 is the limit of 7. Bins of 200: 1164 in 1000..1200: 10; 2400 the limit of 3; 582: 13; 1200: 9
    assert found["natural_grade"].tolist() == [12, 7] and found["use_grade"].tolist() == [10, 3] and found["economic_grade"].tolist() == [13, 9]
    # losses: depth 2000*0.6*0.6 + 1200*0.6*0.4 = 1008, slope (2000+1200)*0.4*0.5 = 640
    assert found["limiting"].tolist() == ["depth", ""] and found["limiting_zh"].tolist() == ["土层厚度: 30 厘米 (失分 0.315)", ""]
    parts = crop_indices(table, model, told)
    assert parts.groupby("patch_id")["natural_index"].sum().tolist() == pytest.approx([1552, 3200])
    assert parts.groupby("patch_id")["economic_index"].sum().tolist() == pytest.approx([582, 1200])


def test_the_geometric_mean_is_the_product_of_powers_and_never_above_the_arithmetic():
    plain, product = gradation_model(two_crops()), gradation_model(two_crops("geometric"))
    table = facts((30, 10), (80, 10), (80, 2))
    a, g = gradation(table, plain)["natural_index"], gradation(table, product)["natural_index"]
    assert g[0] == pytest.approx(2000 * 0.4**0.6 * 0.5**0.4 + 1200 * 0.6**0.6 * 0.5**0.4)
    assert (g <= a + 1e-9).all() and g[2] == pytest.approx(a[2])


def test_one_coefficient_for_all_crops_gives_the_index_times_the_coefficient():
    model = gradation_model(two_crops())
    table = facts((30, 10), (80, 2))
    found = gradation(table, model, coefficients(table, model, use_coefficient=[0.8, 0.5], economic_coefficient=[0.9, np.nan]))
    assert np.allclose(found["use_index"], found["natural_index"] * [0.8, 0.5])
    assert found["economic_index"][0] == pytest.approx(found["use_index"][0] * 0.9)


def test_patches_without_a_yield_take_the_mean_of_their_village_weighted_by_area():
    model = gradation_model(two_crops())
    table = facts((30, 10), (80, 2), (80, 2), (80, 2)).assign(yield_rice_kg_mu=[300, 600, np.nan, np.nan], yield_wheat_kg_mu=[200, 400, np.nan, np.nan])
    told = use_coefficients(table, model, np.array([3.0, 1, 9, 9]), np.array(["A", "A", "A", "B"]))
    assert told["use_rice"].tolist()[:3] == pytest.approx([0.5, 1.0, 0.625]) and np.isnan(told["use_rice"][3])
    assert told["coefficient_from"].tolist() == ["yield", "yield", "village", ""]
    found = gradation(table, model, told)
    assert np.isnan(found["use_grade"][3]) and np.isfinite(found["natural_grade"][3])


def test_a_limit_belongs_to_the_better_grade_and_capacity_falls_by_a_hundred_kilograms_a_grade():
    model = gradation_model(two_crops())
    assert grade_of(np.array([0, 399.9, 400, 5599, 5600, 9000, np.nan]), model, "natural").tolist()[:6] == [15, 15, 14, 2, 1, 1]
    assert grade_of(np.array([199.0, 200, 2800]), model, "use").tolist() == [15, 14, 1]
    assert grain_capacity(np.array([1.0, 10, 15])).tolist() == pytest.approx([1450, 550, 50])


def test_what_is_unknown_gives_a_range_and_too_little_gives_no_grade():
    model = gradation_model(two_crops())
    found = gradation(facts((80, np.nan), (np.nan, 2)), model)
    assert found["natural_index"][0] == pytest.approx(3200) and found["natural_low"][0] == pytest.approx(3200 * 0.6) and found["natural_high"][0] == pytest.approx(3200)
    assert np.isnan(found["natural_index"][1]) and found["known_weight"].tolist() == pytest.approx([0.6, 0.4])
    with pytest.raises(MissingDataError, match="分等因素"):
        gradation(facts((np.nan, np.nan)), model)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 60)), min_size=2, max_size=20), st.sampled_from(["arithmetic", "geometric"]), st.floats(0.05, 1))
def test_more_soil_or_less_slope_is_never_worse_and_grades_follow_the_index(rows, mean, use):
    model = gradation_model(two_crops(mean))
    better = facts(*[(d + 20, s / 2) for d, s in rows])
    a, b = gradation(facts(*rows), model), gradation(better, model, coefficients(better, model, use_coefficient=use))
    assert (b["natural_index"] >= a["natural_index"] - 1e-9).all() and (b["natural_grade"] <= a["natural_grade"]).all()
    assert (b["use_index"] <= b["natural_index"] + 1e-9).all()
    order = np.argsort(a["natural_index"].to_numpy())
    assert (np.diff(a["natural_grade"].to_numpy()[order]) <= 0).all()


def test_intervals_are_closed_below_and_words_have_their_scores():
    rows = [{"from": "", "to": "2", "value": "", "score": "10"}, {"from": "5", "to": "", "value": "", "score": "30"}, {"from": "2", "to": "5", "value": "", "score": "20"}]
    check_steps(rows, what="x", lowest=0, highest=100)
    assert step_scores(rows, np.array([-9, 1.999, 2, 4.99, 5, 1e9]), what="x").tolist() == [10, 10, 20, 20, 30, 30]
    assert np.isnan(step_scores(rows, np.array([np.nan]), what="x")[0])
    words = [{"from": "", "to": "", "value": w, "score": s} for w, s in (("a", "100"), ("b", "40"))]
    assert step_scores(words, np.array(["b", "a"], object), what="x").tolist() == [40, 100]
    with pytest.raises(RuleError, match="c"):
        step_scores(words, np.array(["c"], object), what="x")


@pytest.mark.parametrize(("ends", "score"), [
    ([("", "2"), ("3", "")], "1"), ([("", "3"), ("2", "")], "1"), ([("0", "2"), ("2", "")], "1"), ([("", "2"), ("2", "9")], "1"), ([("", "2"), ("2", "")], "101"), ([("", "x"), ("x", "")], "1"),
])  # fmt: skip
def test_classes_with_gaps_overlaps_or_strange_scores_are_refused(ends, score):
    with pytest.raises(RuleError):
        check_steps([{"from": a, "to": b, "value": "", "score": score} for a, b in ends], what="x", lowest=0, highest=100)


@pytest.mark.parametrize(("table", "change", "word"), [
    ("gradation_crop", {"light_temperature": "0"}, "大于 0"), ("gradation_crop", {"yield_ratio": "高"}, "高"), ("gradation_indicator", {"weight": "0.9"}, "权重合计"),
    ("gradation_indicator", {"function": "concept"}, "concept"), ("gradation_region", {"mean": "median"}, "median"), ("gradation_score", {"score": "140"}, "140"),
])  # fmt: skip
def test_tables_that_cannot_be_meant_are_refused(table, change, word):
    tables = two_crops()
    tables[table] = [tables[table][0] | change, *tables[table][1:]]
    with pytest.raises(RuleError, match=word):
        gradation_model(tables)


def test_bins_must_fall_and_the_region_must_be_named_where_there_are_several():
    bins = [dict(r) for r in shipped_rows("parameters", "gradation_bin")]
    bins[3]["index_min"] = "9999"
    with pytest.raises(RuleError, match="递减"):
        gradation_model(two_crops(gradation_bin=bins))
    two = [{"region": r, "name_zh": zh, "mean": "arithmetic"} for r, zh in (("R", "某区"), ("S", "他区"))]
    with pytest.raises(SchemaError, match="--region"):
        gradation_model(two_crops(gradation_region=two))
    assert gradation_model(two_crops(gradation_region=two), region="某区").region == "R"
    with pytest.raises(SchemaError, match="没有分区 T"):
        gradation_model(two_crops(gradation_region=two), region="T")
    with pytest.raises(SchemaError, match="gradation_bins"):
        gradation_model({"gradation_bins": bins})


def test_yields_above_the_largest_coefficients_outside_and_depth_in_metres_are_refused_by_name():
    model = gradation_model(two_crops())
    with pytest.raises(SchemaError, match="P1: 700"):
        coefficients(facts((30, 10), (80, 2)), model, yield_rice_kg_mu=[300, 700])
    with pytest.raises(SchemaError, match="P0: 80"):
        coefficients(facts((30, 10)), model, use_coefficient=[80])
    with pytest.raises(SchemaError, match="大于 0"):
        coefficients(facts((30, 10)), model, yield_rice_kg_mu=[300], cost_rice_yuan_mu=[0])
    with pytest.raises(SchemaError, match="别的单位"):
        check_ranges(facts((0.8, 2), (0.6, 2)), model.indicators)
    with pytest.raises(SchemaError, match="P1: 600"):
        check_ranges(facts((80, 2), (600, 2)), model.indicators)


def test_the_shipped_example_is_whole_and_every_row_says_where_it_is_from():
    model = gradation_model()
    assert sum(float(r["weight"]) for r in model.crops[0].indicators) == pytest.approx(1) and len(model.bins) == 3
    for name in GRADATION_TABLES:
        rows = shipped_rows("parameters", name)
        assert all(r["source"] and r["confidence"] in ("high", "medium", "low") for r in rows), name
