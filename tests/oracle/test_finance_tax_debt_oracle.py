"""The same taxes and debts by another route: fractions, lists of single losses, root finding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq

from qianmo.finance.debt.after_tax import sculpted_debt_after_tax
from qianmo.finance.debt.repayment import repay
from qianmo.finance.debt.sculpting import sculpted_debt
from qianmo.finance.tax.income import income_tax
from qianmo.finance.tax.land_value_added import land_value_added_tax
from qianmo.finance.tax.value_added import value_added_tax

BANDS = [(0.5, 0.3, 0.0), (1.0, 0.4, 0.05), (2.0, 0.5, 0.15), (float("inf"), 0.6, 0.35)]


def tax_with_a_list_of_losses(profits: list[int], rates: list[Fraction], years: int) -> list[Fraction]:
    """One entry a loss with the year it was made; no arrays, no ages."""
    losses: list[list[int]] = []
    found = []
    for now, profit in enumerate(profits):
        losses = [entry for entry in losses if now - entry[0] <= years]
        if profit < 0:
            losses.append([now, -profit])
        for entry in losses:
            if profit > 0:
                used = min(profit, entry[1])
                profit, entry[1] = profit - used, entry[1] - used
        found.append(max(profit, 0) * rates[now])
    return found


@pytest.mark.parametrize("years", [0, 1, 5, 10])
def test_income_tax_of_4000_scenarios_equals_the_list_of_losses(years):
    rng = np.random.default_rng(11)
    profit = np.rint(rng.normal(0, 1e9, (30, 1000)))
    quarters = rng.integers(0, 3, 30)
    found = income_tax(profit, quarters / 8, loss_years=years, exact=False)
    for k in range(1000):
        slow = tax_with_a_list_of_losses([int(p) for p in profit[:, k]], [Fraction(int(q), 8) for q in quarters], years)
        assert [Fraction(x) for x in found.tax_fen[:, k]] == slow
    made = np.maximum(-profit, 0).sum(axis=0)
    assert (made == found.loss_used_fen.sum(axis=0) + found.loss_expired_fen.sum(axis=0) + found.loss_pool_fen[-1]).all()


def test_value_added_tax_equals_the_running_maximum_of_the_sum():
    """Tax paid so far is the highest that output less input has summed to so far (reflection of a walk)."""
    rng = np.random.default_rng(3)
    output, bought = np.rint(rng.uniform(0, 1e8, (2, 30, 500)))
    found = value_added_tax(output, bought)
    highest = np.maximum(np.maximum.accumulate(np.cumsum(output - bought, axis=0), axis=0), 0)
    assert (np.cumsum(found.paid_fen, axis=0) == highest).all()


def test_land_value_added_tax_equals_the_tax_band_by_band_in_fractions():
    rng = np.random.default_rng(5)
    deductions = rng.integers(1, 10**9, 2000)
    revenue = (deductions * rng.uniform(0.5, 5, 2000)).astype(int)
    found = land_value_added_tax(revenue, deductions, BANDS)
    for r, d, tax in zip(revenue.tolist(), deductions.tolist(), found, strict=True):
        below, whole = Fraction(0), Fraction(0)
        for top, percent in ((Fraction(1, 2), 30), (Fraction(1), 40), (Fraction(2), 50), (Fraction(10**6), 60)):
            whole += max(min(Fraction(r - d), top * d) - below * d, Fraction(0)) * Fraction(percent, 100)
            below = top
        assert abs(Fraction(tax) - whole) <= Fraction(1, 2) + Fraction(1, 10**6)


def test_the_level_payment_equals_the_fraction():
    rate, years = Fraction(36, 1000), 15
    whole = 1 / sum(1 / (1 + rate) ** k for k in range(1, years + 1))
    loan = repay(10_800.0, 0.036, 15, exact=False)
    assert loan.service == pytest.approx(float(whole * 10_800), rel=1e-13)
    assert (repay(1_080_000_000.0, 0.036, 15).service[:-1] == int(whole * 1_080_000_000 + Fraction(1, 2))).all()


@pytest.mark.parametrize("plan", ["annuity", "equal_principal", "bullet", "accrued"])
def test_the_present_value_of_the_service_is_the_principal(plan):
    rates = np.random.default_rng(1).uniform(0.01, 0.09, (12, 40))
    loan = repay(np.full(40, 1e10), rates, 12, plan=plan, grace=2 if plan != "accrued" else 0, exact=False)
    assert (loan.service / np.cumprod(1 + rates, axis=0)).sum(axis=0) == pytest.approx(1e10, rel=1e-12)


def test_sculpted_debt_is_the_largest_that_a_linear_programme_allows():
    from scipy.optimize import linprog

    rng = np.random.default_rng(2)
    for _ in range(20):
        cash, asked, rate = rng.uniform(10, 100, 8), rng.uniform(1.1, 2, 8), rng.uniform(0, 0.1, 8)
        # unknowns: debt, service of each year; the balance after the last year is nothing
        grown = np.cumprod((1 + rate)[::-1])[::-1]
        row = np.concatenate([[grown[0]], -np.append(grown[1:], 1.0)])
        best = linprog([-1, *[0] * 8], A_eq=[row], b_eq=[0], bounds=[(0, None), *[(0, c / k) for c, k in zip(cash, asked, strict=True)]])
        assert sculpted_debt(cash, asked, rate, exact=False).debt == pytest.approx(-best.fun, rel=1e-7)


def balance_by_root_finding(after: float, cash: float, profit: float, asked: float, rate: float, tax_rate: float) -> float:
    """Balance before one year from the balance after it, the tax written as an if."""

    def lacks(x: float) -> float:
        base = profit - rate * x
        tax = tax_rate * base if base > 0 else 0.0
        return x * (1 + rate) - after - max(cash - tax, 0.0) / asked

    return brentq(lacks, 0, 1e5, xtol=1e-12, rtol=1e-15)


def test_every_year_after_tax_solves_its_own_equation():
    rng = np.random.default_rng(8)
    for _ in range(60):
        cash, profit = rng.normal(60, 40, 12), rng.normal(20, 40, 12)
        asked, rate, tax_rate = rng.uniform(1.05, 2, 12), rng.uniform(0, 0.15, 12), rng.choice([0, 0.125, 0.25], 12)
        after = 0.0
        for t in reversed(range(12)):
            after = balance_by_root_finding(after, cash[t], profit[t], asked[t], rate[t], tax_rate[t])
        found, tax = sculpted_debt_after_tax(cash, profit, asked, rate, tax_rate)
        assert found.debt == pytest.approx(after, rel=1e-11)
        assert tax == pytest.approx(income_tax(profit - found.interest, tax_rate, loss_years=0, exact=False).tax_fen, abs=1e-9)
        paid = found.service > 1e-9
        assert found.coverage[paid] == pytest.approx(asked[paid], rel=1e-9)


def test_forward_fixed_point_reaches_the_same_debt_after_tax():
    """The circular way of spreadsheets: guess interest, tax it, size the debt, again until nothing moves."""
    cash, profit, asked, rate, tax_rate = np.linspace(90, 60, 15), np.linspace(50, 30, 15), 1.3, 0.045, 0.25
    interest = np.zeros(15)
    for _ in range(200):
        tax = tax_rate * np.maximum(profit - interest, 0)
        loan = sculpted_debt(cash - tax, asked, rate, exact=False)
        interest = loan.interest
    assert sculpted_debt_after_tax(cash, profit, asked, rate, tax_rate)[0].debt == pytest.approx(loan.debt, rel=1e-12)
