"""Oracles of the design note of the money (finance_ledger 1.3) and the worked examples of the domain note (5.2, 5.3).

Each number was recomputed there from the published question that its row names.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qianmo.finance.figures.break_even import break_even_capacity, break_even_quantity
from qianmo.finance.figures.construction_interest import construction_interest
from qianmo.finance.figures.coverage import debt_service_coverage
from qianmo.finance.figures.levelised_cost import levelised_cost
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rate_of_return, rates_of_return
from qianmo.finance.figures.time_value import capital_recovery_factor


def test_constructor_examination_2015():
    flows = [-160, 50, 50, 50, 50, 50]
    assert net_present_value(flows, 0.10, first="now") == pytest.approx(29.539338470422372, rel=1e-14)
    assert payback_years(flows, first="now") == pytest.approx(3.2, rel=1e-15)
    assert rate_of_return(flows) == pytest.approx(0.16991110392284417, rel=2e-14)


def test_consultant_examination_payback():
    """Last negative cumulative flow -10, then 50 in year 7."""
    assert payback_years([-100, 20, 20, 20, 15, 15, 50]) == pytest.approx(6.2, rel=1e-15)


def test_cost_engineer_examination_debt_service_coverage():
    assert debt_service_coverage(180 + 20, 37.5, 40 + 30) == pytest.approx(2.3214285714, abs=1e-10)


def test_break_even_points():
    assert break_even_capacity(2.8e6, 30_000 * 300, 30_000 * 150, 30_000 * 3) == pytest.approx(0.6349, abs=5e-5)
    assert break_even_quantity(4e6, 150, 130, tax_rate=0.05) == pytest.approx(320_000, abs=1e-6)
    assert round(break_even_quantity(32e6, 1600, 910, 200)) == 65_306


def test_interest_in_construction():
    interest = construction_interest([300, 600, 400], 0.12)
    np.testing.assert_allclose(interest, [18, 74.16, 143.0592], rtol=1e-14)
    assert interest.sum() == pytest.approx(235.2192, rel=1e-14)


def test_spreadsheet_examples():
    assert rate_of_return([-70000, 12000, 15000, 18000, 21000, 26000]) == pytest.approx(0.08663094803653, abs=5e-15)
    assert modified_rate_of_return([-120000, 39000, 30000, 21000, 37000, 46000], 0.10, 0.12) == pytest.approx(0.1260941303659, abs=5e-14)
    assert net_present_value([-10000, 3000, 4200, 6800], 0.10) == pytest.approx(1188.4434123352, abs=5e-11)


def test_two_rates_and_none():
    assert rates_of_return([-1000, 2500, -1540]) == (0.1, 0.4)
    assert rates_of_return([-1000, 2000, -1540]) == ()


def test_rates_near_minus_one():
    """Losses of nearly all the money, as in the edge samples of the pyxirr tests (-0.99999 and -0.993)."""
    assert rates_of_return([-1e6, 0, 0, 1e-9]) == pytest.approx((-0.99999,), rel=1e-15)
    assert rates_of_return([-1000, 7.0]) == (-0.993,)


def test_four_rates_between_20_and_70_percent():
    """Multiple IRRs, a problem of Ross, Westerfield and Jaffe (brainmass.com 39308); the rates by substitution in fractions."""
    from fractions import Fraction

    flows, rates = [-252, 1431, -3035, 2850, -1000], [Fraction(1, 4), Fraction(1, 3), Fraction(3, 7), Fraction(2, 3)]
    for r in rates:
        assert sum(Fraction(c) / (1 + r) ** t for t, c in enumerate(flows)) == 0
    assert rates_of_return(flows) == tuple(float(r) for r in rates)


@pytest.fixture(scope="module")
def vectors(shared_domain: Path) -> dict:
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def test_photovoltaic_example(vectors):
    """Domain 5.3: 20 MW, 3.2 yuan/W, 1150 h, 0.38 yuan/kWh, 0.045 yuan/W, 600 mu at 500 yuan, 0.55 % a year, 25 years."""
    wanted = vectors["pv_simple"]
    energy = np.array([0.0] + [20_000 * 1150 * (1 - 0.0055) ** t for t in range(25)])
    running = np.array([0.0] + [20e6 * 0.045 + 600 * 500] * 25)
    capital = np.array([20e6 * 3.2] + [0.0] * 25)
    flows = energy * 0.38 - running - capital
    assert energy[1] / 1000 == pytest.approx(wanted["year1_MWh"]) and energy[1] * 0.38 == pytest.approx(wanted["year1_revenue"])
    assert flows[1] == pytest.approx(wanted["year1_net"], rel=1e-12)
    assert rate_of_return(flows) == pytest.approx(wanted["irr"], abs=1e-6)
    assert payback_years(flows, first="now") == pytest.approx(wanted["payback_years"], abs=1e-4)
    assert net_present_value(flows, 0.06, first="now") == pytest.approx(wanted["npv_6pct"], abs=0.1)
    assert levelised_cost(capital + running, energy, 0.06) == pytest.approx(wanted["lcoe_6pct"], abs=1e-6)


def test_eod_package_example(vectors):
    """Domain 5.2: restoration 5000 + 5000, industry 4000 + 4000, quota 6000 in year 2, 1800 a year in years 2 to 21."""
    wanted = vectors["eod_simple"]
    flows = np.array(wanted["flows_wan"], float)
    assert rate_of_return(flows) == pytest.approx(wanted["irr"], abs=1e-6)
    assert net_present_value(flows, 0.06, first="now") == pytest.approx(wanted["npv_6pct"], abs=0.01)
    ecology = net_present_value([5000, 5000], 0.06, first="now")
    industry = net_present_value([-4000, -4000] + [1800] * 20, 0.06, first="now")
    quota = net_present_value([0, 0, 6000], 0.06, first="now")
    assert ecology == pytest.approx(wanted["pv_eco_cost"], abs=0.01)
    assert industry == pytest.approx(wanted["pv_industry_net"], abs=0.01)
    assert quota == pytest.approx(wanted["pv_quota"], abs=0.01)
    assert (industry + quota) / ecology == pytest.approx(wanted["feedback_ratio"], abs=1e-6)
    annuity = wanted["loan"] * capital_recovery_factor(0.036, 15)
    assert annuity == pytest.approx(wanted["annuity_15y_3p6"], abs=0.01)
    assert debt_service_coverage(1800, 0, annuity) == pytest.approx(wanted["dscr_typical"], abs=0.0005)
