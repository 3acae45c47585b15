"""Money and yield of photovoltaics against published and shipped numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qianmo.finance.photovoltaic.design_code import design_code_energy, overall_efficiency
from qianmo.finance.photovoltaic.exceedance import combined_uncertainty, exceedance, lifetime_energy, random_lifetimes
from qianmo.finance.photovoltaic.land import avoided_carbon_t, capacity_on
from qianmo.finance.photovoltaic.money import default_terms, plant_money
from qianmo.schema.errors import SchemaError

VECTOR = {"year1_MWh": 23000, "year1_revenue": 8740000.0, "year1_net": 7540000.0, "irr": 0.102694, "payback_years": 8.6996, "npv_6pct": 27009192.3, "lcoe_6pct": 0.283493}
"""domain.md 5.3: 20 MW, 3.2 yuan/W, 1,150 h, 0.38 yuan/kWh, 0.045 yuan/W O&M, 500 yuan x 600 mu, 0.55 % a year, 25 years."""


def test_the_vector_is_the_shipped_one(shared_domain):
    assert json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))["pv_simple"] == VECTOR


def test_twenty_megawatts_have_the_money_of_the_worked_example():
    terms = default_terms(
        price_yuan_kwh=0.38, capital_yuan_w=3.2, operation_yuan_w_year=0.045, rent_yuan_mu_year=500.0, degradation=0.0055, years=25, discount_rate=0.06,
    )  # fmt: skip
    found = plant_money(20_000.0, 20_000.0 * 1150.0, 600.0, terms)
    assert found.energy_kwh[0] / 1000 == VECTOR["year1_MWh"]
    assert found.revenue_fen[0] / 100 == VECTOR["year1_revenue"]
    assert found.net_fen[1] / 100 == VECTOR["year1_net"]
    assert found.rate_of_return == pytest.approx(VECTOR["irr"], abs=5e-7)
    assert found.payback_years == pytest.approx(VECTOR["payback_years"], abs=5e-5)
    assert found.net_present_value_fen / 100 == pytest.approx(VECTOR["npv_6pct"], abs=0.05)
    assert found.levelised_yuan_kwh == pytest.approx(VECTOR["lcoe_6pct"], abs=5e-7)
    by_hand = sum((23e6 * 0.9945**t * 0.38 - 1.2e6) / 1.06 ** (t + 1) for t in range(25)) - 64e6
    assert found.net_present_value_fen / 100 == pytest.approx(by_hand, abs=0.1), "another route: the sum written out"
    assert (found.net_fen == np.round(found.net_fen)).all(), "booked to the fen"


def test_thirty_mu_carry_a_megawatt():
    """domain.md 5.3: 20 m2/kW = 30 mu per MW."""
    assert float(capacity_on(30 * 10_000 / 15)) == 1000.0
    assert float(capacity_on(20_000.0, {"pv_m2_per_kw": 40.0})) == 500.0
    with pytest.raises(SchemaError, match="area"):
        capacity_on(np.array([1.0, -1.0]))


def test_the_code_and_its_ratio_are_inverse_and_0_748_belongs_to_pvwatts_8():
    """finance_ledger.md 2: K = 0.748 against the light on the plane."""
    assert overall_efficiency(44_129_003.3, 1180.26, 50_000.0) == pytest.approx(0.748, abs=5e-4)
    assert design_code_energy(1180.26, 50_000.0, overall_efficiency(44_129_003.3, 1180.26, 50_000.0)) == pytest.approx(44_129_003.3)
    with pytest.raises(SchemaError, match="80"):
        design_code_energy(1000.0, 1.0, 80.0)


def test_carbon_follows_the_factor():
    assert float(avoided_carbon_t(1_000_000.0, {"photovoltaic_carbon_t_mwh": 0.5})) == 500.0


def test_a_plant_that_never_pays_says_so():
    found = plant_money(1000.0, 1000.0, 30.0, default_terms(price_yuan_kwh=0.1))
    assert np.isnan(found.rate_of_return) and found.note and np.isnan(found.payback_years)
    with pytest.raises(SchemaError, match="money terms have no price"):
        default_terms(price=1.0)
    with pytest.raises(SchemaError, match="元/千瓦时"):
        default_terms(price_yuan_kwh=-1.0)


def test_exceedance_equals_the_quantiles_of_random_years(rng):
    """P50 and P90 against 200,000 drawn lives: the formula and the simulation share no code but the normal law."""
    parts, yearly = [0.04, 0.02, 0.03], 0.05
    lives = random_lifetimes(100.0, degradation=0.005, years=10, scenarios=200_000, parts=parts, variability=yearly, rng=rng)
    assert lives.shape == (10, 200_000) and (lives >= 0).all()
    first = exceedance(100.0, combined_uncertainty(parts, variability=yearly), 0.9)
    assert np.quantile(lives[0], 0.1) == pytest.approx(float(first), rel=2e-3)
    assert np.median(lives[0]) == pytest.approx(100.0, rel=1e-3)
    flat = random_lifetimes(100.0, degradation=0.0, years=10, scenarios=200_000, parts=parts, variability=yearly, rng=rng).mean(axis=0)
    assert np.quantile(flat, 0.1) == pytest.approx(float(exceedance(100.0, combined_uncertainty(parts, variability=yearly, years=10), 0.9)), rel=2e-3)
    again = [random_lifetimes(1.0, degradation=0.0, years=3, scenarios=5, parts=parts, variability=yearly, rng=np.random.default_rng(4)) for _ in range(2)]
    assert np.array_equal(*again)


def test_probabilities_and_shares_out_of_range_are_refused():
    with pytest.raises(SchemaError, match="level 90"):
        exceedance(1.0, 0.1, 90)
    with pytest.raises(SchemaError):
        combined_uncertainty([-0.1])
    with pytest.raises(SchemaError):
        lifetime_energy(1.0, 1.5, 25)
    assert lifetime_energy(1.0, 0.0055, 25)[-1] == pytest.approx(0.9945**24)
