"""A loan in the years of construction and its hand-over to repayment (建设期借款与利息)."""

from __future__ import annotations

from typing import Any

import numpy as np

from qianmo.finance.debt.loan_years import LoanYears
from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import from_start, same_years

__all__ = ["construction_loan"]


def construction_loan(draws_fen: Any, rates: Any, *, opening_fen: Any = 0.0, capitalise: bool = True, exact: bool = True) -> LoanYears:
    """Draws through construction with interest by the half-year rule (建设期利息, 当年借款按半年计息).

    Parameters
    ----------
    draws_fen : array (years,) or (years, scenarios)
        Drawn in each year of construction [fen], not negative.
    rates : float or array (years,)
        Yearly rate, fraction.
    opening_fen : float or array (scenarios,)
        Balance before year 1 [fen].
    capitalise : bool
        True: interest joins the balance; False: it is paid in the year by other money.
    exact : bool
        Whole fen.

    Returns
    -------
    LoanYears
        ``closing[-1]`` is the principal that `repay` starts from.

    Raises
    ------
    SchemaError
        Lengths differ, or a value is missing or negative.

    Notes
    -----
    :math:`q_j = (P_{j-1} + A_j / 2)\\, i_j` and, capitalised, :math:`P_j = P_{j-1} + A_j + q_j`.

    Examples
    --------
    >>> loan = construction_loan([300.0, 600.0, 400.0], 0.12, exact=False)
    >>> loan.interest.round(4).tolist()
    [18.0, 74.16, 143.0592]
    """
    drawn, rate = same_years(draws_fen=draws_fen, rates=rates, least=0.0)
    start, drawn, rate = from_start("opening_fen", opening_fen, drawn, rate, least=0.0)
    drawn, before = whole_fen(drawn, exact), whole_fen(start, exact)
    opening, interest, closing = (np.zeros(drawn.shape) for _ in range(3))
    for t in range(len(drawn)):
        opening[t] = before
        interest[t] = whole_fen((before + drawn[t] / 2.0) * rate[t], exact)
        before = closing[t] = opening[t] + drawn[t] + interest[t] * capitalise
    nothing = np.zeros(drawn.shape)
    return LoanYears(opening, drawn, interest, nothing, closing, interest * capitalise, nothing)
