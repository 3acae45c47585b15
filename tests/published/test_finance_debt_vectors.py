"""Numbers printed elsewhere: design note finance_ledger 1.3, domain.md section 8."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.finance.debt.construction import construction_loan
from qianmo.finance.debt.repayment import repay
from qianmo.finance.debt.sculpting import sculpted_debt


def test_eod_loan_of_10800_at_3_6_per_cent_for_15_years():
    """domain.md 5.2: annuity 944.39, DSCR 1.906 on 1800 a year."""
    loan = repay(10_800.0, 0.036, 15, exact=False)
    assert loan.service == pytest.approx(944.39, abs=0.005)
    assert 1800 / loan.service[0] == pytest.approx(1.906, abs=5e-4)


def test_interest_in_construction_by_the_half_year_rule():
    """Cost-engineer exam: draws 300, 600, 400 at 12 %: 18, 74.16, 143.06, total 235.22."""
    loan = construction_loan([300.0, 600.0, 400.0], 0.12, exact=False)
    assert loan.interest == pytest.approx([18, 74.16, 143.0592], abs=1e-10) and loan.interest.sum() == pytest.approx(235.2192)


def test_debt_sized_for_coverage_equals_sam_single_owner():
    """PySAM 7.1.1 Singleowner, debt option DSCR 1.3, 4.5 %, 15 years: 17,505,438.521180123 dollars (finance_ledger 1.3)."""
    year = np.arange(15)
    cash = 44_129_003.30060718 * 0.0591 * (1 - 0.005) ** year - 7 * 50_000 - 0.0025 * 24e6
    found = sculpted_debt(cash, 1.3, 0.045, exact=False)
    assert found.debt == pytest.approx(17_505_438.521180123, rel=1e-13)
    assert found.debt / 24e6 == pytest.approx(0.7293932717158384, rel=1e-13)
