"""Coverage of interest, debt service and loans, and the share of liabilities (偿债能力指标)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qianmo.finance.figures.flow_years import checked_flows, checked_rate
from qianmo.schema.errors import FigureError

__all__ = [
    "current_ratio",
    "debt_service_coverage",
    "interest_coverage",
    "liability_ratio",
    "loan_life_coverage",
    "lowest_coverage",
    "project_life_coverage",
    "quick_ratio",
]


def interest_coverage(ebit: ArrayLike, interest: ArrayLike) -> Any:
    """Earnings before interest and tax for one unit of interest payable (利息备付率 ICR), year by year.

    Parameters
    ----------
    ebit, interest : float or array_like of one shape
        Earnings before interest and tax; interest charged to cost, at least 0. [one money unit]

    Returns
    -------
    float or ndarray
        nan in years without interest; negative in years of loss. Practice asks for at least 1, often 2.

    Raises
    ------
    FigureError
        Interest below zero, values that are not finite.

    Examples
    --------
    >>> interest_coverage(180.0, 30.0)
    6.0
    """
    return _share(ebit, interest, "interest")


def debt_service_coverage(ebitda: ArrayLike, tax: ArrayLike, debt_service: ArrayLike) -> Any:
    """Money left after income tax for one unit of principal and interest due (偿债备付率 DSCR), year by year.

    Parameters
    ----------
    ebitda, tax, debt_service : float or array_like of one shape
        Earnings before interest, tax, depreciation and amortisation; income tax; principal and interest due (with lease
        payments), at least 0. [one money unit]

    Returns
    -------
    float or ndarray
        nan in years without debt service. Practice asks for at least 1, often 1.3.

    Raises
    ------
    FigureError
        Debt service below zero, values that are not finite.

    Examples
    --------
    >>> round(debt_service_coverage(180.0 + 20.0, 37.5, 40.0 + 30.0), 4)
    2.3214
    """
    return _share(np.asarray(ebitda, dtype=np.float64) - np.asarray(tax, dtype=np.float64), debt_service, "debt service")


def lowest_coverage(coverage: ArrayLike) -> Any:
    """Lowest of the yearly ratios, years without debt left out (最低备付率); nan when no year has any."""
    found = np.asarray(coverage, dtype=np.float64)
    is_empty = np.isnan(found)
    lowest = np.where(is_empty.all(axis=0), np.nan, np.where(is_empty, np.inf, found).min(axis=0))
    return float(lowest) if lowest.ndim == 0 else lowest


def loan_life_coverage(cash_available: ArrayLike, balance: ArrayLike, rate: ArrayLike) -> Any:
    r"""Present value of the cash over the rest of the loan for one unit of the balance (贷款期偿债覆盖率 LLCR).

    Parameters
    ----------
    cash_available : array_like, (years,) or (years, scenarios)
        Cash available for debt service at the end of each year.
    balance : array_like, same shape
        Loan owed at the **beginning** of each year; 0 when it is repaid. The loan lives until the last year with a balance.
    rate : float or (years,)
        Rate of the loan.

    Returns
    -------
    ndarray, same shape
        :math:`\sum_{k=t}^{T} CFADS_k \prod_{j=t}^{k} (1+i_j)^{-1} / B_t`; nan in years without a balance.

    Raises
    ------
    FigureError
        Shapes that differ, a balance below zero, values that are not finite.
    """
    cash, owed = _cash_and_balance(cash_available, balance)
    alive = np.cumsum(owed[::-1] > 0.0, axis=0)[::-1] > 0
    return _share(_present_values_ahead(np.where(alive, cash, 0.0), rate), owed, "balance")


def project_life_coverage(cash_available: ArrayLike, balance: ArrayLike, rate: ArrayLike) -> Any:
    """Present value of the cash over the rest of the project for one unit of the loan's balance (项目期偿债覆盖率 PLCR).

    Inputs, result and errors as in `loan_life_coverage`; the cash of years after the loan counts too, so that the ratio
    is never below that one where the cash is not negative.
    """
    cash, owed = _cash_and_balance(cash_available, balance)
    return _share(_present_values_ahead(cash, rate), owed, "balance")


def liability_ratio(liabilities: ArrayLike, assets: ArrayLike) -> Any:
    """Liabilities over assets (资产负债率 LOAR); nan where there are no assets."""
    return _share(liabilities, assets, "assets")


def current_ratio(current_assets: ArrayLike, current_liabilities: ArrayLike) -> Any:
    """Current assets over current liabilities (流动比率); nan where there are no such liabilities."""
    return _share(current_assets, current_liabilities, "current liabilities")


def quick_ratio(current_assets: ArrayLike, stocks: ArrayLike, current_liabilities: ArrayLike) -> Any:
    """Current assets without stocks over current liabilities (速动比率); nan where there are no such liabilities."""
    return _share(np.asarray(current_assets, dtype=np.float64) - np.asarray(stocks, dtype=np.float64), current_liabilities, "current liabilities")


def _share(top: ArrayLike, bottom: ArrayLike, what: str) -> Any:
    above, below = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    if not (np.isfinite(above).all() and np.isfinite(below).all()):
        raise FigureError(f"{what} or what is set against it is not finite", expected="finite numbers")
    if (below < 0.0).any():
        raise FigureError(f"{what} is {below.min()}", expected="amounts at or above 0: costs and debts are given as positive numbers")
    found = np.where(below > 0.0, above / np.where(below > 0.0, below, 1.0), np.nan)
    return float(found) if found.ndim == 0 else found


def _cash_and_balance(cash_available: ArrayLike, balance: ArrayLike) -> tuple[Any, Any]:
    cash, owed = checked_flows(cash_available, "cash_available"), checked_flows(balance, "balance")
    if cash.shape != owed.shape:
        raise FigureError(f"cash_available has shape {cash.shape}, balance {owed.shape}", expected="one shape")
    return cash, owed


def _present_values_ahead(cash: Any, rate: ArrayLike) -> Any:
    """At the beginning of each year, the present value of this and all later years' cash."""
    rates = np.broadcast_to(checked_rate(rate), (cash.shape[0],))
    ahead, total = np.empty_like(cash), np.zeros(cash.shape[1:])
    for t in range(cash.shape[0] - 1, -1, -1):
        total = (cash[t] + total) / (1.0 + rates[t])
        ahead[t] = total
    return ahead
