"""Carbon accounts: the vectors of the domain text, sums that must close, errors against random draws, refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.carbon_account import carbon_by_class, carbon_by_patch, carbon_totals
from qianmo.evaluation.carbon_plan import plan_terms, state_flow_terms, wetland_flow, yearly_plan
from qianmo.evaluation.carbon_stock import carbon_stock
from qianmo.evaluation.carbon_terms import carbon_factors, stock_terms, term_totals, terms, warming_potential
from qianmo.evaluation.land import land_of
from qianmo.evaluation.services import land_with
from qianmo.schema.errors import CodeError, RuleError, SchemaError


def land(codes, hectares=1.0, **overrides):
    area = np.broadcast_to(np.asarray(hectares, float) * 1e4, len(codes))
    return land_of(pd.DataFrame({"class_code": codes, "area_m2": area, "class_area_m2": area, "slope_deg": 3.0}), scheme="SD3", overrides=overrides)


def value(table):
    return float(term_totals(table)["value"].iloc[0])


def test_dry_land_to_arbor_forest_gives_the_vector_of_the_domain_text():
    before, after = (land([c], carbon_counts_annual_crop=1) for c in ("0103", "0301"))
    change = value(stock_terms(after)) - value(stock_terms(before))
    assert change == pytest.approx(73.8, abs=1e-9) and change * 44 / 12 == pytest.approx(270.6, abs=1e-9)
    first = plan_terms(before, after, np.array(["afforest"], object), year=1, warming=28)
    soil = value(first[first["part"] == "soil"])
    assert soil == pytest.approx(-1.25 * 44 / 12)  # (110 - 85) / 20 a year


def test_restored_wetland_gives_the_vector_and_may_be_a_source():
    assert wetland_flow(1.0, sink_t_ha=1.2, methane_kg_ha=100, warming=28) == pytest.approx(-1.6)
    pond, marsh = land(["1104"]), land(["1108"])
    total = term_totals(plan_terms(pond, marsh, np.array(["pond_to_wetland"], object), year=7, warming=28)).iloc[0]
    assert total["value"] == pytest.approx(-1.6)
    assert total["low"] == pytest.approx(-1.6 - np.hypot(1.3 * 44 / 12, 80 * 0.028)) and total["high"] == pytest.approx(-1.6 + np.hypot(0.7 * 44 / 12, 200 * 0.028))
    assert total["high"] > 0
    assert value(plan_terms(pond, marsh, np.array(["pond_to_wetland"], object), year=7, warming=34)) == pytest.approx(-1.0)


def test_terms_give_the_stock_of_the_planner_and_its_coefficient(rng):
    codes = rng.choice(["0101", "0103", "0201", "0301", "0307", "1104", "0702", "1206"], 40)
    before = land(codes, rng.uniform(0.1, 9, 40))
    each = term_totals(stock_terms(before), stock_terms(before)["row"].to_numpy(), groups=40)["value"]
    assert np.allclose(each, carbon_stock(before), rtol=1e-12)
    after = land_with(before, np.where(codes == "1206", "0307", codes).astype(object), np.where(codes == "1206", "afforest", "keep").astype(object))
    table = carbon_by_patch(before, after, np.arange(40).astype(str), np.full(40, "keep", object), warming=28)
    assert np.allclose(table["change_t"], carbon_stock(after) - carbon_stock(before), atol=1e-9)


def test_the_years_add_up_to_the_change_of_the_stock(rng):
    codes = np.array(["1206", "0201", "0404", "0103", "0702"], object)
    target = np.array(["0307", "0103", "0307", "0307", "0103"], object)
    before = land(codes, rng.uniform(1, 5, 5))
    measure = np.array(["afforest", "restore_farmland", "afforest", "retire_steep", "reclaim_homestead"], object)
    after = land_with(before, target, measure)
    years = yearly_plan(before, after, measure, np.array([2026, 2027, 2026, 2028, 2028.0]), warming=28)
    assert years["year"].tolist() == list(range(2027, 2049))
    change = float((carbon_stock(after) - carbon_stock(before)).sum())
    assert years["net"].sum() == pytest.approx(-change * 44 / 12) and years["sum"].iloc[-1] == pytest.approx(-change * 44 / 12)
    assert np.allclose(years["net"].cumsum(), years["sum"]) and (years["low"] <= years["net"]).all() and (years["net"] <= years["high"]).all()
    assert years.loc[0, "biomass"] != 0 and years["wetland_methane"].eq(0).all()


def test_a_lost_orchard_burns_in_the_first_year_and_soil_takes_twenty():
    before, measure = land(["0201"]), np.array(["restore_farmland"], object)
    after = land_with(before, np.array(["0103"], object), measure)
    at = [plan_terms(before, after, measure, year=y, warming=28) for y in (1, 2, 20, 21)]
    biomass = [value(t[t["part"] == "biomass"]) for t in at]
    # AGB 12 goes at once and the crop's is no stock, BGB 3 -> what dry land holds, dead matter 1 -> 0.5
    roots = carbon_factors().loc["cropland_dry:BGB", "default"]
    assert biomass[0] == pytest.approx((12 + 3 - roots + 1 - 0.5) * 44 / 12) and biomass[1:] == [0, 0, 0]
    soil = carbon_factors().loc[["orchard:SOC", "cropland_dry:SOC"], "default"]
    assert value(at[2][at[2]["part"] == "soil"]) == pytest.approx((soil.iloc[0] - soil.iloc[1]) / 20 * 44 / 12) and at[3].empty


def test_paddy_brings_methane_and_high_standard_land_gains_soil():
    dry = land(["0103"], 2.0)
    wet, measure = land(["0101"], 2.0), np.array(["dry_to_paddy"], object)
    table = plan_terms(dry, wet, measure, year=30, warming=28)
    assert value(table) == pytest.approx(2 * 148 * 0.028)
    back = plan_terms(wet, land(["0307"], 2.0), np.array(["retire_steep"], object), year=30, warming=28)
    assert value(back) == pytest.approx(-2 * 148 * 0.028)
    better = plan_terms(dry, dry, np.array(["high_standard"], object), year=20, warming=28)
    assert value(better) == pytest.approx(-2 * 0.25 * 44 / 12)
    assert plan_terms(dry, dry, np.array(["high_standard"], object), year=21, warming=28).empty


def test_the_joint_error_is_that_of_random_draws(rng):
    names = [f"f{k}" for k in range(6)]
    middle, half = rng.uniform(1, 9, 6), rng.uniform(0.1, 2, 6)
    factors = pd.DataFrame({"low": middle - half, "default": middle, "high": middle + half}, index=names)
    table = terms(np.arange(30), [names[k] for k in rng.integers(0, 6, 30)], rng.normal(0, 5, 30))
    told = term_totals(table, factors=factors).iloc[0]
    draws = middle + half * rng.standard_normal((200_000, 6))  # the range as one standard deviation of each factor
    weight = table.groupby("factor")["weight"].sum().reindex(names).fillna(0).to_numpy()
    found = draws @ weight
    assert told["value"] == pytest.approx(found.mean(), abs=4 * found.std() / 400)
    assert told["high"] - told["value"] == pytest.approx(found.std(), rel=0.01) and told["value"] - told["low"] == pytest.approx(found.std(), rel=0.01)


def test_the_same_land_before_and_after_has_no_error_whatever_its_factors():
    before = land(["0301", "0103"], [100.0, 1.0])
    after = land(["0301", "0307"], [100.0, 1.0])
    table = carbon_totals(before, after, np.array(["keep", "retire_steep"], object), warming=28, warming_source="x").set_index("item")
    alone = carbon_totals(land(["0103"]), land(["0307"]), np.array(["retire_steep"], object), warming=28, warming_source="x").set_index("item")
    for column in ("value", "low", "high"):
        assert table.loc["change", column] == pytest.approx(alone.loc["change", column])
    assert table.loc["stock", "high"] - table.loc["stock", "value"] > 1000


def test_land_without_a_factor_is_left_out_and_said():
    table = carbon_totals(land(["0103", "0702"], [3.0, 1.0]), None, None, warming=28, warming_source="x").set_index("item")
    assert table.loc["flow", "known_share"] == pytest.approx(0.75) and table.loc["flow", "value"] == pytest.approx(3 * 0.422 * 44 / 12)
    assert table.loc["stock", "known_share"] == 1
    each = carbon_by_patch(land(["0103", "0702"]), None, np.array(["a", "b"]), None, warming=28)
    assert np.isnan(each.loc[1, "flow_t_yr"]) and each["change_t"].isna().all()


def test_classes_add_up_to_the_stock_with_the_densities_of_the_domain_text():
    before = land(["0103", "0101", "0301", "1108", "0702", "0103"], [1, 2, 3, 4, 5, 6])
    table = carbon_by_class(before).set_index("class")
    assert table["stock_t"].sum() == pytest.approx(carbon_stock(before).sum()) and table["area_ha"].sum() == pytest.approx(21)
    assert table.loc["forest_arbor", "density"] == pytest.approx(164.0) and table.loc["wetland_marsh", "density"] == pytest.approx(262.5)
    assert table.loc["built", "density"] == pytest.approx(46.3)


def test_the_ridge_of_a_field_counts_with_its_own_class():
    whole = land(["0103"])
    part = replace(whole, class_area=whole.area * 0.9)
    assert value(stock_terms(part)) == pytest.approx(float(carbon_stock(part)[0]), rel=1e-12) and value(stock_terms(part)) != value(stock_terms(whole))


def test_the_warming_potential_is_a_choice_of_report_or_a_parameter():
    assert warming_potential(None)[0] == 28 and warming_potential("AR6")[0] == 27 and warming_potential(None, {"gwp_ch4": 30})[0] == 30
    assert warming_potential("AR4", {"gwp_ch4": 30})[0] == 25
    with pytest.raises(RuleError, match="AR7"):
        warming_potential("AR7")
    with pytest.raises(RuleError, match="gwp_ch4"):
        warming_potential(None, {"gwp_ch4": 0})


def test_what_cannot_be_accounted_is_refused():
    with pytest.raises(CodeError, match="9999"):
        stock_terms(land(["9999"]))
    with pytest.raises(SchemaError):
        plan_terms(land(["0103"]), land(["0103", "0103"]), np.array(["keep"], object), year=1, warming=28)
    with pytest.raises(SchemaError, match="年"):
        plan_terms(land(["0103"]), land(["0103"]), np.array(["keep"], object), year=0, warming=28)


def test_every_factor_of_a_class_exists_and_lies_in_its_range():
    table = carbon_factors()
    assert (table["low"] <= table["default"]).all() and (table["default"] <= table["high"]).all() and table["source"].ne("").all()
    flows = state_flow_terms(land(["0103", "0301", "0201", "0404", "1104", "1108", "1206"]), warming=28)
    assert set(flows["factor"]) - {"unknown"} <= set(table.index)


def test_the_range_of_one_patch_is_its_area_times_the_ends_of_the_density():
    table = term_totals(stock_terms(land(["0301"], 2.0))).iloc[0]
    ends = carbon_factors().loc[[f"forest_arbor:{p}" for p in ("AGB", "BGB", "SOC", "DOM")]].sum(numeric_only=True)
    assert (table["low"], table["value"], table["high"]) == pytest.approx((2 * ends["low"], 2 * ends["default"], 2 * ends["high"]))
