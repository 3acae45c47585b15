"""True for any project: no fen appears or is lost, more cash never lowers the debt, scenarios do not touch each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qianmo.finance.debt.repayment import PLANS, repay
from qianmo.finance.debt.sculpting import sculpted_debt
from qianmo.finance.tax.income import income_tax
from qianmo.finance.tax.land_value_added import land_value_added_tax
from qianmo.finance.tax.value_added import value_added_tax

FEN = st.integers(-(10**11), 10**11).map(float)
BANDS = [(0.5, 0.3, 0.0), (1.0, 0.4, 0.05), (2.0, 0.5, 0.15), (float("inf"), 0.6, 0.35)]


def table(elements):
    return hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=elements)


@given(table(FEN), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_every_loss_is_used_expired_or_in_the_pool(profit, years):
    found = income_tax(profit, 0.25, loss_years=years)
    assert (np.maximum(-profit, 0).sum(axis=0) == found.loss_used_fen.sum(axis=0) + found.loss_expired_fen.sum(axis=0) + found.loss_pool_fen[-1]).all()
    one = income_tax(profit[:, 0], 0.25, loss_years=years)
    assert (one.tax_fen == found.tax_fen[:, 0]).all() and (found.tax_fen >= 0).all()


@given(table(FEN.map(abs)), st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_every_fen_of_input_tax_is_set_off_or_in_the_pool(output, bought):
    found = value_added_tax(output, np.full(output.shape, float(bought)), pool_fen=7.0)
    assert (output.sum(axis=0) - found.paid_fen.sum(axis=0) == 7.0 + bought * len(output) - found.pool_fen[-1]).all()


@given(st.integers(0, 10**13), st.floats(0, 0.3), st.integers(1, 40), st.sampled_from([p for p in PLANS if p != "capacity"]), st.data())
@settings(max_examples=150, deadline=None)
def test_any_loan_closes_at_nothing(principal, rate, years, plan, data):
    loan = repay(float(principal), rate, years, plan=plan, grace=data.draw(st.integers(0, years - 1)))
    assert loan.closing[-1] == 0 and (loan.principal >= -0.5 * years).all()
    assert loan.principal.sum() == principal + loan.capitalised.sum()


@given(table(st.floats(0, 1e11)), st.floats(0, 1e10))
@settings(max_examples=60, deadline=None)
def test_more_cash_never_lowers_the_debt(cash, more):
    assert (sculpted_debt(cash + more, 1.3, 0.05).debt >= sculpted_debt(cash, 1.3, 0.05).debt).all()


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**10))
@settings(max_examples=100, deadline=None)
def test_more_revenue_never_lowers_the_land_tax_and_never_takes_more_than_sixty_per_cent(revenue, deductions, more):
    low, high = (land_value_added_tax(float(r), float(deductions), BANDS) for r in (revenue, revenue + more))
    assert 0 <= high - low <= 0.6 * more + 1
