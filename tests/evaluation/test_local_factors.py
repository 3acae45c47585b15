"""Factors of a project in place of the shipped ones: every user of a table sees them, and faults are named."""

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.carbon_account import carbon_by_class, carbon_totals, carbon_used_factors
from qianmo.evaluation.carbon_stock import carbon_stock
from qianmo.evaluation.carbon_terms import carbon_factors
from qianmo.evaluation.land import land_of
from qianmo.evaluation.service_value import equivalents, service_value, value_by_class
from qianmo.evaluation.soil_loss import soil_loss
from qianmo.evaluation.water_yield import water_yield
from qianmo.schema.errors import SchemaError
from qianmo.schema.local_factors import factor_overrides, factor_values

OWN = factor_overrides({
    "carbon_density": {"forest_arbor": {"SOC": [70, 90, 120], "DOM": 3}}, "carbon_flow": {"forest": [-0.9, -0.8, -0.7]},
    "soil_cover": {"forest_arbor": [0.01, 0.05, 0.1]}, "water_balance": {"forest_arbor": [0.7, 0.8, 0.9]},
})  # fmt: skip


def _wood(overrides):
    patches = pd.DataFrame({"class_code": ["0301"], "area_m2": [10_000.0], "class_area_m2": [10_000.0], "ridge_area_m2": [0.0], "slope_deg": [12.0], "is_terraced": [False]})
    return land_of(patches, scheme="SD3", overrides=overrides)


def test_stock_flow_soil_loss_and_water_take_the_local_value_and_say_so():
    ours, shipped = _wood(OWN), _wood({})
    soil = carbon_factors().loc["forest_arbor:SOC", "default"] + carbon_factors().loc["forest_arbor:DOM", "default"]
    assert carbon_stock(ours)[0] - carbon_stock(shipped)[0] == pytest.approx(93.0 - soil)
    assert soil_loss(ours)[0] / soil_loss(shipped)[0] == pytest.approx(0.05 / factor_values("soil_cover", "cover")["forest_arbor"])
    assert water_yield(ours)[0] > water_yield(shipped)[0]
    totals = carbon_totals(ours, None, None, warming=28.0, warming_source="").set_index("item")
    assert totals.loc["stock", "value"] == pytest.approx(carbon_stock(ours)[0]) and totals.loc["flow", "value"] == pytest.approx(-0.8 * 44 / 12)
    assert totals.loc["flow", ["low", "high"]].tolist() == pytest.approx([-0.9 * 44 / 12, -0.7 * 44 / 12])
    assert carbon_by_class(ours)["stock_t"].iloc[0] == pytest.approx(carbon_stock(ours)[0])
    used = carbon_used_factors(ours).set_index("factor")
    assert used.loc["forest_arbor:SOC", "source"] == "project.toml [factors]" and used.loc["forest_arbor:AGB", "source"] != "project.toml [factors]"


def test_an_equivalent_of_the_project_changes_the_value_of_its_class_alone():
    own = factor_overrides({"service_equivalent": {"wetland": {"Food production": 1.51}}})
    shipped = factor_values("service_equivalent", "equivalent")["wetland.Food production"]
    assert equivalents(own)["wetland"] == pytest.approx(52.02 + 1.51 - shipped) and equivalents()["wetland"] == pytest.approx(52.02)
    assert {k: v for k, v in equivalents(own).items() if k != "wetland"} == {k: v for k, v in equivalents().items() if k != "wetland"}
    patches = pd.DataFrame({"class_code": ["1108"], "area_m2": [10_000.0], "class_area_m2": [10_000.0], "ridge_area_m2": [0.0], "slope_deg": [0.0], "is_terraced": [False]})
    assert service_value(land_of(patches, scheme="SD3", overrides=own))[0] == pytest.approx((52.02 + 1.51 - shipped) * 2600.0)


def test_the_sensitivity_of_the_value_is_that_of_a_change_of_the_equivalents():
    """Two hectares of paddy, one of wetland, half of housing: the index by its definition, with every equivalent of the class half as much again."""
    rows = pd.DataFrame({"class_code": ["0101", "1108", "0702"], "area_m2": [20_000.0, 10_000.0, 5_000.0], "slope_deg": 0.0, "is_terraced": False})
    rows = rows.assign(class_area_m2=rows["area_m2"], ridge_area_m2=0.0)
    table = value_by_class(land_of(rows, scheme="SD3", overrides={})).set_index("class")
    assert table["value_yuan_yr"].sum() == pytest.approx((2 * 3.89 + 52.02) * 2600.0) and table["area_ha"].sum() == pytest.approx(3.5)
    for kind in ("paddy", "wetland"):
        more = {s.partition(".")[2]: 1.5 * v for s, v in factor_values("service_equivalent", "equivalent").items() if s.startswith(f"{kind}.")}
        changed = value_by_class(land_of(rows, scheme="SD3", overrides=factor_overrides({"service_equivalent": {kind: more}}))).set_index("class")
        rise = changed["value_yuan_yr"].sum() / table["value_yuan_yr"].sum() - 1.0
        assert table.loc[kind, "sensitivity"] == pytest.approx(rise / 0.5) and changed.loc[kind, "source"] == "project.toml [factors]"
    assert table["sensitivity"].sum() == pytest.approx(1.0) and table.loc["none", "sensitivity"] == 0.0 and (table["source"] == "").all()


def test_the_shipped_table_is_not_changed_by_a_project():
    carbon_totals(_wood(OWN), None, None, warming=28.0, warming_source="")
    assert carbon_factors().loc["forest_arbor:SOC", "default"] != 90.0 and not np.isclose(factor_values("soil_cover", "cover")["forest_arbor"], 0.05)


@pytest.mark.parametrize("told, word", [
    ({"carbon_density": {"forest_arbor": {"SOIL": 3}}}, "carbon_density.forest_arbor.SOIL: 没有这个系数"),
    ({"carbon_densty": {"forest_arbor": {"SOC": 3}}}, "没有这个系数"),
    ({"carbon_density": {"forest_arbor": {"SOC": [90, 70, 120]}}}, "次序不对"),
    ({"carbon_density": {"forest_arbor": {"SOC": [70, 90]}}}, "不是三个数"),
    ({"carbon_density": {"forest_arbor": {"SOC": "多"}}}, "不是三个数"),
    ({"soil_cover": {"forest_arbor": -0.1}}, "小于 0"),
    ({"service_equivalent": {"wetland": {"Food production": [0.4, 0.5, 0.6]}}}, "不是一个数"),
    ({"service_equivalent": {"wetland": {"Food": 0.5}}}, "service_equivalent.wetland.Food: 没有这个系数"),
    ({"service_equivalent": {"wetland": {"Food production": "多"}}}, "不是一个数"),
    (3, "不是表"),
])  # fmt: skip
def test_a_factor_that_cannot_be_meant_is_refused_by_name(told, word):
    with pytest.raises(SchemaError, match=word):
        factor_overrides(told)
