"""A short-term loan that covers a bad year and is repaid in the next (短期借款)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import from_start, same_shape, same_years

__all__ = ["ShortTermYears", "short_term_loan"]


@dataclass(frozen=True)
class ShortTermYears:
    """Short-term borrowing by year, arrays (years,) or (years, scenarios) [fen] (短期借款逐年表).

    `borrowed` at year end; `repaid` in the year after; `interest` on it, paid with it; `cash` held at year end (累计盈余资金).
    """

    borrowed: np.ndarray
    repaid: np.ndarray
    interest: np.ndarray
    cash: np.ndarray


def short_term_loan(surplus_fen: Any, rates: Any, *, opening_cash_fen: Any = 0.0, least_cash_fen: Any = 0.0, exact: bool = True) -> ShortTermYears:
    """Borrow what the cash of the year lacks, repay with interest in the next (短期借款滚动).

    Parameters
    ----------
    surplus_fen : array (years,) or (years, scenarios)
        Net cash of the year after all else (净现金流量) [fen]; negative where money lacks.
    rates : float or array (years,)
        Rate of short-term money; the rate of the year of repayment counts. Fraction, not negative.
    opening_cash_fen : float or array (scenarios,)
        Cash before year 1 [fen].
    least_cash_fen : float or array (years,)
        Cash that must be held at every year end [fen].
    exact : bool
        Whole fen.

    Returns
    -------
    ShortTermYears
        Cash is never below the least. A loan left at the end of the last year means the plan does not survive
        (财务生存能力不足).

    Raises
    ------
    SchemaError
        Lengths differ, or a value is missing, or a rate negative.

    Examples
    --------
    >>> short_term_loan([-100.0, 50.0, 200.0], 0.04, exact=False).borrowed.tolist()
    [100.0, 54.0, 0.0]
    """
    surplus, rate, least = same_years(surplus_fen=surplus_fen, rates=rates, least_cash_fen=least_cash_fen)
    start, surplus, rate, least = from_start("opening_cash_fen", opening_cash_fen, surplus, rate, least)
    same_shape(rates=rates, least=0.0)
    surplus, least = whole_fen(surplus, exact), whole_fen(least, exact)
    borrowed, repaid, interest, cash = (np.zeros(surplus.shape) for _ in range(4))
    held, owed = whole_fen(start, exact), np.zeros(surplus.shape[1:])
    for t in range(len(surplus)):
        repaid[t], interest[t] = owed, whole_fen(owed * rate[t], exact)
        left = held + surplus[t] - repaid[t] - interest[t]
        owed = borrowed[t] = np.maximum(least[t] - left, 0.0)
        held = cash[t] = left + owed
    return ShortTermYears(borrowed, repaid, interest, cash)
