"""Numbers printed in the Jingshan case and by the national form, through the public functions."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.evaluation.basic_farmland_form import basic_farmland_form, conclusions
from qianmo.evaluation.compliance import verdicts
from qianmo.evaluation.compliance_finance import feedback_ratio
from qianmo.evaluation.compliance_quota import land_ticket_split, linkage_surplus
from qianmo.evaluation.facts import Facts
from qianmo.evaluation.indicators import indicators
from qianmo.schema.units import ha_to_mu, m2_to_mu, mu_to_m2


@pytest.fixture(scope="module")
def vectors(shared_domain: Path) -> dict:
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def squares(areas_m2: list[float], codes: list[str]) -> gpd.GeoDataFrame:
    """Rectangles in a row with a gap of 1 km between them."""
    x = 500_000 + np.cumsum([0.0] + [np.sqrt(a) + 1000 for a in areas_m2[:-1]])
    side = np.sqrt(areas_m2)
    table = {"patch_id": [f"P{i}" for i in range(len(codes))], "class_code": codes}
    table |= {"area_m2": areas_m2, "class_area_m2": areas_m2}
    return gpd.GeoDataFrame(table, geometry=shapely.box(x, 3_300_000, x + side, 3_300_000 + side), crs=4549)


def test_jingshan_farmland_grows_from_16443_to_26443_mu(vectors):
    v = vectors["jingshan"]
    old, gain = mu_to_m2(v["before_mu"]), mu_to_m2(v["gain_mu"])
    before = squares([old, gain], ["0101", "0201"])
    after = before.assign(class_code=["0101", "0103"])
    protected = squares([mu_to_m2(v["pbf_mu"])], ["0101"])
    works = pd.DataFrame({"patch_id": ["P1"], "measure": ["restore_farmland"]})
    facts = Facts(before, {"basic_farmland": protected}, "SD3", after=after, works=works)
    table = indicators(facts).set_index("key")
    row = table.loc["farmland_area"]
    assert row["after"] == pytest.approx(v["after_ha"], abs=1e-4)
    assert ha_to_mu(row["change"]) == pytest.approx(v["gain_mu"])
    assert row["change_pct"] == pytest.approx(v["gain_pct"], abs=1e-4)
    assert table.loc["basic_farmland_share", "after"] * 100 == pytest.approx(v["pbf_share_of_farmland_pct"], abs=1e-4)
    assert "60.8162%" in verdicts(facts, rule_ids=["Z-01"])["numbers"].iloc[0]


def test_1103_patches_below_three_mu_hold_at_most_3309_mu(vectors):
    v = vectors["jingshan"]
    count = v["small_patch_reduction"]
    just_below = np.nextafter(mu_to_m2(3), 0) * count
    assert m2_to_mu(just_below) < v["small_patch_area_cap_mu"] == 3 * count


def test_the_form_gives_the_published_conclusions(vectors):
    v = vectors["pbf_form"]
    c = conclusions(
        out_ha=v["out_ha"], in_ha=v["in_ha"], out_patches=v["n_out"], in_patches=v["n_in"], base_ha=v["base_pbf_ha"]
    )
    got = [c["out_share"] * 100, c["net_gain"] * 100, c["gain_mu"], c["mean_out_ha"], c["mean_in_ha"], c["mean_gain_mu"]]
    assert got == pytest.approx(
        [v["out_share_pct"], v["net_gain_pct"], v["gain_mu"], v["mps_out_ha"], v["mps_in_ha"], v["mps_gain_mu"]], abs=1e-4
    )
    assert c["contiguity_gain"] * 100 == pytest.approx(v["contiguity_gain_pct"], abs=1e-4)


def test_the_form_reads_the_same_from_tables(vectors):
    v = vectors["pbf_form"]
    out = squares([v["out_ha"] * 1e4 / v["n_out"]] * v["n_out"], ["0103"] * v["n_out"])
    into = squares([v["in_ha"] * 1e4 / v["n_in"]] * v["n_in"], ["0101"] * v["n_in"])
    form = basic_farmland_form(out, into, base_m2=v["base_pbf_ha"] * 1e4, scheme="SD3").set_index("field")["value"]
    assert form["scjg1"] == "增加90.00亩,增加比例7.5000%"
    assert form["scjg4"] == "平均单个图斑面积增加3.2500亩,集中连片度提升43.3333%"
    assert form["dcMjbl"] == pytest.approx(v["out_share_pct"], abs=1e-4)
    assert [form["dcTbsm"], form["drTbsm"]] == [160, 120]


def test_the_quota_and_finance_vectors_hold(vectors):
    h, t, e = vectors["homestead_swap"], vectors["land_ticket"], vectors["eod_simple"]
    ratio = h["reserve_mu"] / h["accepted_mu"]
    surplus = linkage_surplus(accepted=h["accepted_mu"], resettlement=h["resettle_mu"], reserve_ratio=ratio)
    assert surplus == pytest.approx(h["surplus_mu"], abs=1e-3)
    assert land_ticket_split(price=t["price"], cost=t["cost"], farmer_share=0.85) == pytest.approx((t["farmer"], t["collective"]))
    ratio = feedback_ratio(industry_net=e["pv_industry_net"], quota=e["pv_quota"], subsidy=0.0, ecology_cost=e["pv_eco_cost"])
    assert ratio == pytest.approx(e["feedback_ratio"], abs=1e-5)
