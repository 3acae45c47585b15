"""Debt does what its docstrings say."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.finance.debt.after_tax import sculpted_debt_after_tax
from qianmo.finance.debt.construction import construction_loan
from qianmo.finance.debt.loan_years import join_loans
from qianmo.finance.debt.repayment import PLANS, repay
from qianmo.finance.debt.sculpting import coverage_of_debt, gearing_cap, loan_life_cover, sculpted_debt
from qianmo.finance.debt.short_term import short_term_loan
from qianmo.finance.debt.special_bond import bond_coverage
from qianmo.schema.errors import SchemaError


@pytest.mark.parametrize("plan", [p for p in PLANS if p != "capacity"])
@pytest.mark.parametrize("grace", [0, 3])
def test_every_plan_closes_at_nothing_to_the_fen(plan, grace):
    loan = repay(np.array([123_456_789.0, 1.0, 0.0]), 0.0437, 12, plan=plan, grace=grace)
    assert (loan.closing[-1] == 0).all() and (loan.closing == loan.opening + loan.capitalised - loan.principal).all()
    assert (loan.interest == np.floor(loan.interest)).all() and (loan.closing[:-1] >= 0).all()


def test_the_level_payment_is_level_and_level_principal_is_level():
    assert np.ptp(repay(1e9, 0.045, 20).service[:-1]) == 0
    assert np.ptp(repay(1e9, 0.045, 20, plan="equal_principal").principal) == 0


def test_grace_pays_interest_only():
    loan = repay(1e6, 0.05, 5, grace=2)
    assert loan.service[:2].tolist() == [50_000, 50_000] and np.ptp(loan.service[2:-1]) == 0


def test_a_rate_of_nothing_divides_the_principal():
    assert repay(900.0, 0.0, 3).principal.tolist() == [300, 300, 300]


def test_a_new_rate_makes_a_new_level_payment():
    loan = repay(1e8, [0.05, 0.05, 0.04, 0.04], 4)
    later = repay(loan.closing[1], 0.04, 2)
    assert (loan.service[2:] == later.service).all() and loan.service[0] == loan.service[1] != loan.service[2]


def test_paid_at_the_end_with_all_interest():
    loan = repay(10_000.0, 0.1, 2, plan="accrued")
    assert loan.service.tolist() == [0, 12_100] and loan.interest.tolist() == [1000, 1100]


def test_capacity_repays_what_it_can_and_says_what_it_cannot():
    loan = repay(1000.0, 0.1, 3, plan="capacity", capacity_fen=[50, 500, 400])
    assert loan.principal.tolist() == [0, 400, 340] and loan.shortfall.tolist() == [50, 0, 0] and loan.closing[-1] == 260


def test_construction_hands_over_to_repayment():
    building = construction_loan([30_000.0, 60_000.0, 40_000.0], 0.12)
    whole = join_loans(building, repay(building.closing[-1], 0.12, 5, plan="equal_principal"))
    assert len(whole.opening) == 8 and whole.closing[-1] == 0 and (whole.opening[1:] == whole.closing[:-1]).all()
    assert whole.principal.sum() == whole.drawn.sum() + whole.capitalised.sum()
    with pytest.raises(SchemaError, match="closes construction"):
        join_loans(building, repay(1.0, 0.12, 5))


def test_interest_paid_in_construction_does_not_join_the_balance():
    loan = construction_loan([10_000.0, 0.0], 0.1, capitalise=False)
    assert loan.closing.tolist() == [10_000, 10_000] and loan.service.tolist() == [500, 1000]


def test_a_short_loan_fills_the_year_and_no_more():
    found = short_term_loan([-100.0, 50.0, 200.0], 0.04, least_cash_fen=10.0, exact=False)
    assert found.borrowed[0] == 110 and (found.cash >= 10).all() and found.borrowed[-1] == 0


def test_one_row_a_scenario_equals_one_call_a_scenario():
    start, surplus = np.array([0.0, 500.0]), np.array([-100.0, 50.0, 200.0])
    both = short_term_loan(surplus, 0.04, opening_cash_fen=start)
    for k in (0, 1):
        assert (both.cash[:, k] == short_term_loan(surplus, 0.04, opening_cash_fen=start[k]).cash).all()


def test_sculpted_debt_keeps_each_year_of_coverage():
    cash, asked, rates = np.array([900.0, 1300.0, 700.0]), [1.5, 1.3, 1.2], [0.04, 0.05, 0.06]
    loan = sculpted_debt(cash, asked, rates, exact=False)
    assert loan.coverage == pytest.approx(asked) and loan.balance[-1] == pytest.approx(0, abs=1e-9) and not loan.capped
    assert coverage_of_debt(loan.debt, cash, rates) == pytest.approx(loan_life_cover(cash, [loan.debt, *loan.balance[:-1]], rates)[0])


def test_the_cap_scales_every_year_alike():
    free, held = (sculpted_debt([900.0, 1300.0], 1.3, 0.05, most=m, exact=False) for m in (None, gearing_cap(1000.0, 0.8)))
    assert held.debt == 800 and held.capped and np.ptp(held.service / free.service) < 1e-12
    assert coverage_of_debt(800.0, [900.0, 1300.0], 0.05) == pytest.approx(held.coverage[0])


def test_a_year_without_cash_or_without_service_serves_nothing():
    loan = sculpted_debt([-50.0, 900.0, 900.0], [1.2, 1.2, np.inf], 0.05, exact=False)
    assert loan.service[0] == 0 == loan.service[2] and loan.principal[0] < 0 and np.isnan(loan.coverage[2])


def test_whole_fen_close_the_sculpted_loan():
    loan = sculpted_debt(np.array([[90_011.0, 0.0], [130_007.0, 0.0], [70_003.0, 5.0]]), 1.3, 0.0437)
    assert (loan.balance[-1] == 0).all() and (loan.principal.sum(axis=0) == loan.debt).all() and (loan.debt == np.floor(loan.debt)).all()


def test_gearing_above_one_is_refused():
    with pytest.raises(SchemaError, match="gearing 70"):
        gearing_cap(1000.0, 70)


def test_after_tax_and_without_tax_are_the_same_when_nothing_is_taxed():
    cash = np.array([900.0, 1300.0, 700.0])
    loan, tax = sculpted_debt_after_tax(cash, cash, 1.3, 0.05, 0.0)
    assert loan.debt == pytest.approx(sculpted_debt(cash, 1.3, 0.05, exact=False).debt) and not tax.any()


def test_the_cap_after_tax_lifts_all_coverages_by_one_factor():
    cash, asked = np.array([900.0, 1300.0, 700.0]), np.array([1.2, 1.3, 1.4])
    loan, _ = sculpted_debt_after_tax(cash, cash - 300, asked, 0.05, 0.25, most=1000.0)
    assert loan.debt == pytest.approx(1000.0, rel=1e-13) and loan.capped and np.ptp(loan.coverage / asked) < 1e-12
    assert sculpted_debt_after_tax(cash, cash - 300, asked, 0.05, 0.25, most=0.0)[0].debt == 0


def test_a_total_of_one_point_two_does_not_hide_a_year_that_cannot_pay():
    found = bond_coverage({"指标收入": [0.0, 0.0, 1320.0]}, [0, 0, 1000.0], [50.0, 25.0, 25.0], least=1.1, least_all=1.2)
    assert found.coverage == pytest.approx(1.2) and found.reaches and not found.survives and not found.passes and found.short_years == (1, 2)


def test_sources_years_and_total_stand_in_one_table():
    found = bond_coverage({"基金": [100.0, 0.0], "专项": [100.0, 300.0]}, [50.0, 100.0], [10.0, 5.0], other_service=[40.0, 45.0], least=1.1, least_all=2.5)
    total = found.table.loc["total"]
    assert total["income"] == 500 and total["service"] == 165 and found.coverage == pytest.approx(500 / 165) and found.coverage_all == 2.0
    assert found.share_by_source == {"基金": 0.2, "专项": 0.8} and found.survives and found.reaches is False
    assert bond_coverage({"a": [1.0]}, [0.0], [0.0]).reaches is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: repay(1, 0.1, 3, plan="balloon"), "annuity"),
        (lambda: repay(1, 0.1, 3, grace=3), "grace"),
        (lambda: repay(-1, 0.1, 3), "principal_fen"),
        (lambda: repay(1, -0.1, 3), "rate"),
        (lambda: repay(1, [0.1, 0.1], 3), "3 years"),
        (lambda: repay(1, 0.1, 3, plan="capacity"), "capacity_fen"),
        (lambda: sculpted_debt([1, 2], 0.0, 0.1), "coverage 0"),
        (lambda: sculpted_debt([1, 2], 1.3, 0.1, most=-1), "cap"),
        (lambda: coverage_of_debt(0.0, [1, 2], 0.1), "above 0"),
        (lambda: sculpted_debt_after_tax([1, 2], [1, 2], 1.3, 0.1, 25), "tax rates"),
        (lambda: sculpted_debt_after_tax([1, 2], [1, 2], 0.2, 0.1, 0.25), "above the tax rate"),
        (lambda: bond_coverage({}, [1], [1]), "no source"),
        (lambda: bond_coverage({"income": [1]}, [1], [1]), "named"),
        (lambda: bond_coverage({"a": [1]}, [-1], [1]), "principal"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, said):
    with pytest.raises(SchemaError, match=said):
        call()
