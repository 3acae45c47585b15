"""May a parcel carry photovoltaics, and what does sinking ground cost."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from qianmo.finance.photovoltaic.candidates import Ground, candidate_table, racks_on
from qianmo.finance.photovoltaic.land import LAND_RULES, land_verdicts
from qianmo.finance.photovoltaic.money import default_terms
from qianmo.finance.photovoltaic.plant import default_plant
from qianmo.finance.photovoltaic.site_yield import site_yield
from qianmo.finance.photovoltaic.tilt_change import tilted_by, yield_change
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS, rule

AREA = np.array([20_000.0])
CLEAN = {k: np.zeros(1) for k in ("basic_farmland", "eco_redline", "farmland", "forest", "grass", "other_farm")}


def verdicts(**more):
    shares = {k: np.array([more.pop(k)]) if k in more else v for k, v in CLEAN.items()}
    told = {"facilities_on_construction": True, **more}
    return land_verdicts(AREA, shares, **told).iloc[0]


def test_clean_land_passes_every_rule():
    found = verdicts()
    assert all(found[r] == PASS for r in LAND_RULES) and found["verdict"] == PASS and found["reasons"] == ""


@pytest.mark.parametrize(("layer", "rule_id"), [("basic_farmland", "F-11"), ("farmland", "F-12")])
def test_protected_and_cultivated_land_fails(layer, rule_id):
    found = verdicts(**{layer: 0.1})
    assert rule(rule_id).confidence == "high" and found[rule_id] == FAIL and found["verdict"] == FAIL
    assert "2,000 m2 (10.0%)" in found["reasons"]


def test_a_sliver_below_the_tolerance_is_no_overlap():
    assert verdicts(basic_farmland=0.00001)["F-11"] == PASS


def test_the_redline_follows_its_rule_and_weak_evidence_never_fails():
    assert verdicts(eco_redline=0.2)["Z-12"] == (FAIL if rule("Z-12").confidence == "high" else CONFIRM)
    wet = verdicts(forest=1.0, rain_mm=1600.0, shrub_cover_pct=80.0, protected_land_free=True)
    assert rule("F-13").confidence == "medium" and wet["F-13"] == CONFIRM and wet["verdict"] == CONFIRM
    dry = verdicts(forest=1.0, rain_mm=350.0, shrub_cover_pct=30.0, protected_land_free=True)
    assert dry["F-13"] == PASS and dry["verdict"] == PASS


def test_what_nobody_told_has_no_data():
    assert verdicts(forest=0.5)["F-13"] == NO_DATA
    assert verdicts(grass=1.0)["F-11"] == NO_DATA
    assert verdicts(grass=1.0, protected_land_free=False)["F-11"] == FAIL
    assert verdicts(facilities_on_construction=None)["F-14"] == NO_DATA
    assert verdicts(facilities_on_construction=False)["F-14"] == FAIL
    bare = land_verdicts(AREA, {}).iloc[0]
    assert bare["verdict"] == NO_DATA and "缺永久基本农田图层" in bare["reasons"]


def test_rules_of_another_day_are_left_out_and_wrong_shares_are_refused():
    assert "F-11" not in land_verdicts(AREA, CLEAN, on=date(2020, 1, 1)).columns
    assert "F-11" in land_verdicts(AREA, CLEAN, on=date(2026, 1, 1)).columns
    with pytest.raises(SchemaError, match="basic_farmland"):
        land_verdicts(AREA, {"basic_farmland": np.array([12.0])})
    with pytest.raises(SchemaError, match="wetland"):
        land_verdicts(AREA, {"wetland": np.array([0.0])})


def test_ground_that_sinks_towards_the_sun_tilts_the_rack_by_its_own_angle(rng):
    slope = np.array([0.0, 0.02, -0.03])
    tilt, azimuth = tilted_by(np.full(3, 20.0), np.full(3, 180.0), np.zeros(3), slope)
    assert np.allclose(tilt, 20.0 + np.degrees(np.arctan(slope))) and np.allclose(azimuth, 180.0)
    level = tilted_by(np.zeros(1), np.zeros(1), np.array([0.1]), np.zeros(1))
    assert level[0][0] == pytest.approx(np.degrees(np.arctan(0.1))) and level[1][0] == pytest.approx(270.0)
    east, north = rng.normal(0, 0.05, (2, 50))
    there = tilted_by(np.full(50, 25.0), np.full(50, 200.0), east, north)
    apart = np.sin(np.radians(25)) * np.sin(np.radians(there[0])) * np.cos(np.radians(there[1] - 200)) + np.cos(np.radians(25)) * np.cos(np.radians(there[0]))
    assert (np.degrees(np.arccos(np.clip(apart, -1, 1))) <= np.degrees(np.arctan(np.hypot(east, north))) + 1e-9).all()


def test_tilting_away_from_the_sun_costs_energy(shaoguan):
    plant = default_plant(1.0, row_shading=False)
    change = yield_change(shaoguan, plant, np.zeros(4), np.array([0.0, -0.8, -0.5, 0.5]))
    assert change[0] == 0.0 and -0.3 < change[1] < change[2] < 0.0 and change[3] < 0.0
    turned = default_plant(1.0, tilt_deg=float(np.degrees(np.arctan(0.8)) - 20.0), azimuth_deg=0.0, row_shading=False)
    assert change[1] == pytest.approx(site_yield(shaoguan, turned).energy_kwh / site_yield(shaoguan, plant).energy_kwh - 1.0, abs=1e-9)


def test_rows_follow_the_ground_along_but_not_across():
    plant = default_plant(1.0, tilt_deg=20.0, azimuth_deg=180.0)
    n = 4
    ground = Ground(np.array([0.0, 0.2, 0.0, 0.0]), np.array([0.0, 0.0, 0.2, -0.2]), np.zeros(n), np.zeros((n, 4)))
    tilt, azimuth, rise = racks_on(ground, plant)
    assert np.allclose(tilt[[0, 2, 3]], 20.0) and np.allclose(azimuth[[0, 2, 3]], 180.0)
    assert azimuth[1] > 190.0 and rise[1] == pytest.approx(0.0), "ground that rises to the east turns the modules to the west"
    slope = np.degrees(np.arctan(0.2))
    assert np.allclose(rise[[0, 2, 3]], [0.0, -slope, slope]), "ground that falls to the south lowers the row in front"


def test_the_table_ranks_free_parcels_by_hours_and_puts_refused_ones_last(shaoguan):
    parcels = pd.DataFrame({"patch_id": list("abcd"), "class_code": ["1206"] * 4, "area_m2": [20_000.0, 40_000.0, 20_000.0, 20_000.0]})
    horizon = np.zeros((4, 8))
    horizon[1] = 20.0
    ground = Ground(np.zeros(4), np.array([0.1, 0.1, -0.1, 0.1]), np.full(4, 5.7), horizon)
    shares = {k: np.zeros(4) for k in CLEAN} | {"basic_farmland": np.array([0, 0, 0, 1.0])}
    judged = land_verdicts(parcels["area_m2"].to_numpy(), shares, facilities_on_construction=True)
    table, monthly, light = candidate_table(parcels, ground, judged, shaoguan, default_plant(5.0), default_terms())
    assert table["patch_id"].tolist()[0] == "a" and table["patch_id"].tolist()[-1] == "d"
    assert table["rank"].tolist() == [1, 2, 3, 0] and table["verdict"].tolist()[-1] == FAIL
    assert np.allclose(monthly.sum(axis=1), table["full_load_h"]) and np.allclose(light.sum(axis=1), table["plane_kwh_m2"])
    assert np.allclose(table["energy_mwh"], table["capacity_kw"] * table["full_load_h"] / 1000) and (table["energy_p90_mwh"] < table["energy_mwh"]).all()
    shaded = table.set_index("patch_id").loc["b"]
    assert shaded["horizon_loss_share"] > 0.01 and shaded["capacity_kw"] == 2000.0
    assert table["levelised_yuan_kwh"].is_monotonic_increasing or table["rank"].iloc[-1] == 0
    empty, *_ = candidate_table(parcels.iloc[:0], Ground(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 8))), judged.iloc[:0], shaoguan, default_plant(5.0), default_terms())
    assert empty.empty and list(empty.columns) == list(table.columns)
