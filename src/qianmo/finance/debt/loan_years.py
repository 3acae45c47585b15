"""The yearly account of a loan: draws, interest, principal, balance (借款还本付息计划表)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["LoanYears", "join_loans"]


@dataclass(frozen=True)
class LoanYears:
    """A loan by year, arrays (years,) or (years, scenarios) [fen] (借款逐年表).

    Always `closing` = `opening` + `drawn` + `capitalised` − `principal`, and cash paid is `service`.

    Parameters
    ----------
    opening, closing : array
        Balance at the start and end of the year (期初, 期末余额).
    drawn : array
        Drawn in the year (本年借款).
    interest : array
        Interest accrued in the year (应计利息).
    principal : array
        Principal repaid (还本).
    capitalised : array
        Part of the interest added to the balance instead of paid (计入本金的利息, as in construction).
    shortfall : array
        Part of the interest due that the stated capacity does not cover and other money must (缺口); 0 in plans without one.
    """

    opening: np.ndarray
    drawn: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    closing: np.ndarray
    capitalised: np.ndarray
    shortfall: np.ndarray

    @property
    def interest_paid(self) -> np.ndarray:
        """Interest paid in cash [fen]."""
        return self.interest - self.capitalised

    @property
    def service(self) -> np.ndarray:
        """Debt service in cash: principal and interest paid [fen] (还本付息额)."""
        return self.principal + self.interest - self.capitalised


def join_loans(first: LoanYears, then: LoanYears) -> LoanYears:
    """One account from the years of construction and the years of repayment (建设期与还款期衔接).

    Parameters
    ----------
    first, then : LoanYears
        The second opens with what the first closes with.

    Returns
    -------
    LoanYears
        The years of both.

    Raises
    ------
    SchemaError
        The balances do not meet.
    """
    if not np.array_equal(first.closing[-1], then.opening[0]):
        found = f"the loan closes construction with {np.max(first.closing[-1]):.2f} fen and opens repayment with {np.max(then.opening[0]):.2f}"
        raise SchemaError(found, expected="the same balance")
    return LoanYears(*(np.concatenate([getattr(first, f.name), getattr(then, f.name)]) for f in fields(LoanYears)))
