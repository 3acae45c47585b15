"""High-standard farmland: scores, gaps, works and verdicts by hand, order, tables that cannot be meant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.high_standard import (
    HIGH_STANDARD_TABLES,
    high_standard_model,
    judge_area,
    judge_patches,
    score_patches,
    work_table,
)
from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

GOOD = {"plough_cm": 25, "depth_cm": 70, "organic_g_kg": 20, "ph": 6.5, "slope_deg": 3, "irrigation_assurance": 0.96, "drainage_storm_years": 10, "drainage_days": 1, "road_m": 50}
MODEL = high_standard_model(region="southeast")


def facts(*changes, land="dry", terrain="plain"):
    return pd.DataFrame([{"patch_id": f"P{k}", "land": land, "terrain": terrain} | GOOD | c for k, c in enumerate(changes)])


def scored(*changes, **kinds):
    return score_patches(facts(*changes, **kinds), MODEL)


def one(table, indicator):
    return table[table["indicator"] == indicator].iloc[0]


def test_scores_and_gaps_by_hand_at_and_beyond_the_limits():
    cases = {"depth_cm": ("depth", [(60, 2, 0), (55, 1, 5), (50, 1, 10), (49, 0, 11)]), "irrigation_assurance": ("irrigation", [(0.85, 2, 0), (0.8, 1, 0.05), (0.7, 0, 0.15)]),
             "drainage_days": ("drainage", [(1, 2, 0), (2, 1, 1), (3, 0, 2)]), "ph": ("ph", [(5.5, 2, 0), (8.3, 1, 0.3), (4.5, 0, 1.0)]), "slope_deg": ("slope", [(15, 2, 0), (16, 0, 1)])}  # fmt: skip
    for fact, (indicator, rows) in cases.items():
        for value, score, gap in rows:
            found = one(scored({fact: value}), indicator)
            assert (found["score"], found["gap"]) == (score, pytest.approx(gap)), (fact, value)


def test_rice_needs_more_water_and_may_drain_longer_and_only_dry_plots_have_a_slope_limit():
    rice = scored({"irrigation_assurance": 0.9, "drainage_days": 3, "slope_deg": 20}, land="paddy")
    dry = scored({"irrigation_assurance": 0.9, "drainage_days": 3})
    assert one(rice, "irrigation")["score"] == 1 and one(dry, "irrigation")["score"] == 2
    assert one(rice, "drainage")["score"] == 2 and one(dry, "drainage")["score"] == 0 and "slope" not in set(rice["indicator"])


def test_the_gap_is_told_with_the_work_that_closes_it():
    table = scored({"depth_cm": 45, "road_m": 350})
    found = judge_patches(table).iloc[0]
    assert found["verdict"] == "short" and found["gaps_zh"] == "有效土层厚度 45 厘米, 差 15 厘米; 到道路的距离 350 米, 超 150 米" and found["works_zh"] == "客土增厚土层、田间道路"
    assert found["points"] == 14 and found["full_points"] == 18 and found["score_share"] == pytest.approx(14 / 18)
    works = work_table(scored({"depth_cm": 45}, {"depth_cm": 55, "organic_g_kg": 5}, {"ph": 4.8}), pd.Series({"P0": 1.0, "P1": 2.0, "P2": 4.0}), MODEL).set_index("work")
    assert works.index.tolist() == ["improve_soil", "add_soil"] and works["area_ha"].tolist() == [6.0, 3.0] and works.loc["improve_soil", "indicators_zh"] == "有机质含量、土壤酸碱度"
    assert works["parcels"].tolist() == [2, 2] and works.loc["add_soil", "cost_item"] == "C-TOPSOIL"


def test_verdicts_short_goes_before_unknown_and_unknown_before_partly():
    found = judge_patches(scored({}, {"plough_cm": 22}, {"plough_cm": 22, "ph": np.nan}, {"plough_cm": 10, "ph": np.nan}, {"facility_life_years": 10}))
    assert found["verdict"].tolist() == ["met", "partly", "unknown", "short", "short"] and found["unknown"].tolist() == [0, 0, 1, 1, 0]
    assert "forest" not in set(scored({})["indicator"])  # asked for only where somebody gives it


def test_the_area_has_means_over_the_known_and_scores_of_its_own():
    table = scored({"depth_cm": 70}, {"depth_cm": 55}, {"depth_cm": np.nan})
    area = pd.Series({"P0": 1.0, "P1": 3.0, "P2": 5.0})
    found = judge_area(table, area, {"road_access_share": 0.93, "facility_share": 0.09, "mean_grade": 4.9}, MODEL, "plain").set_index(["scope", "indicator"])
    depth = found.loc[("parcel", "depth")]
    assert depth["value"] == pytest.approx((70 + 3 * 55) / 4) and depth["score"] == pytest.approx((2 + 3 * 1) / 4) and depth[["full_ha", "part_ha", "short_ha", "unknown_ha"]].tolist() == [1, 3, 0, 5]
    assert depth["work_zh"] == "客土增厚土层" and found.loc[("parcel", "ph"), "work_zh"] == ""
    assert found["score"].loc["area"].to_dict() == {"access": 0, "facility": 0, "mean_grade": 2} and found.loc[("area", "access"), "work_zh"] == "田间道路"
    hilly = judge_area(table, area, {"road_access_share": 0.93, "facility_share": 0.09, "mean_grade": np.nan}, MODEL, "hilly").set_index("indicator")
    assert hilly.loc["access", "score"] == 2 and "mean_grade" not in hilly.index


def test_seven_regions_have_their_grade_target():
    rows = shipped_rows("parameters", "high_standard_region")
    targets = {r["region"]: float(next(x["full_high"] for x in high_standard_model(region=r["region"]).rows if x["indicator"] == "mean_grade")) for r in rows}
    assert len(rows) == 7 and min(targets.values()) == 3.5 and max(targets.values()) == 7
    for name in HIGH_STANDARD_TABLES:
        assert all(r["source"] and r["confidence"] in ("high", "medium", "low") for r in shipped_rows("parameters", name)), name


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([("depth_cm", "depth"), ("ph", "ph"), ("drainage_days", "drainage"), ("irrigation_assurance", "irrigation")]), st.floats(0, 100), st.floats(0, 100))
def test_the_nearer_to_the_limit_the_score_is_never_lower(which, a, b):
    fact, indicator = which
    first, second = (one(scored({fact: v}), indicator) for v in (a, b))
    if (a - 6.75) * (b - 6.75) > 0 and first["gap"] <= second["gap"]:  # on one side of the middle
        assert first["score"] >= second["score"]
    assert (first["gap"] == 0) == (first["score"] == 2)


@pytest.mark.parametrize(("change", "word"), [
    ({"full_low": "", "full_high": ""}, "满分"), ({"full_low": "30", "full_high": "20"}, "满分"), ({"part_low": "30"}, "包含"), ({"scope": "village"}, "village"), ({"land": "sea"}, "sea"),
    ({"full_low": "厚"}, "厚"),
])  # fmt: skip
def test_limits_that_cannot_be_meant_are_refused(change, word):
    rows = [dict(r) for r in shipped_rows("parameters", "high_standard_indicator")]
    with pytest.raises(RuleError, match=word):
        high_standard_model({"high_standard_indicator": [rows[0] | change, *rows[1:]]}, region="tibet")


def test_two_rows_for_one_case_and_an_unknown_region_are_refused():
    rows = [dict(r) for r in shipped_rows("parameters", "high_standard_indicator")]
    with pytest.raises(RuleError, match="两行"):
        high_standard_model({"high_standard_indicator": [*rows, rows[0]]}, region="tibet")
    with pytest.raises(SchemaError, match="东南区"):
        high_standard_model(region="江南")


def test_a_row_of_the_region_goes_before_one_of_all():
    rows = [dict(r) for r in shipped_rows("parameters", "high_standard_indicator")]
    own = high_standard_model({"high_standard_indicator": [*rows, rows[1] | {"region": "southeast", "full_low": "80", "part_low": "60"}]}, region="southeast")
    assert one(score_patches(facts({"depth_cm": 70}), own), "depth")["score"] == 1
