"""Return on the investment and on the equity, by accounting profit (总投资收益率, 资本金净利润率)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qianmo.schema.errors import FigureError

__all__ = ["return_on_equity", "return_on_investment"]


def return_on_investment(ebit: ArrayLike, total_investment: float) -> float:
    """Average yearly earnings before interest and tax over the total investment (总投资收益率 ROI).

    Parameters
    ----------
    ebit : float or array_like, (years,)
        Earnings before interest and tax of a normal year, or of the operating years, which are averaged.
    total_investment : float
        Construction cost, interest in construction and working capital, above 0.

    Raises
    ------
    FigureError
        No year, or an investment that is not above zero.

    Examples
    --------
    >>> round(return_on_investment([300.0, 400.0, 500.0], 4000.0), 4)
    0.1
    """
    return _average(ebit) / _capital(total_investment, "total_investment")


def return_on_equity(net_profit: ArrayLike, equity: float) -> float:
    """Average yearly net profit over the project's equity (资本金净利润率 ROE).

    Parameters
    ----------
    net_profit : float or array_like, (years,)
        Net profit of a normal year, or of the operating years, which are averaged.
    equity : float
        Equity put in, above 0.

    Raises
    ------
    FigureError
        No year, or an equity that is not above zero.

    Examples
    --------
    >>> round(return_on_equity(200.0, 1600.0), 4)
    0.125
    """
    return _average(net_profit) / _capital(equity, "equity")


def _average(yearly: ArrayLike) -> float:
    found = np.atleast_1d(np.asarray(yearly, dtype=np.float64))
    if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
        raise FigureError(f"yearly profit of shape {found.shape}", expected="finite numbers, one a year")
    return float(found.mean())


def _capital(amount: float, what: str) -> float:
    if not np.isfinite(amount) or amount <= 0:
        raise FigureError(f"{what} is {amount}", expected="an amount above 0")
    return float(amount)
