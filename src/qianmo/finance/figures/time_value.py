"""Value of money over time: single sums, even payments, effective rates (资金时间价值)."""

from __future__ import annotations

from math import expm1, log1p

from qianmo.finance.figures.flow_years import checked_rate
from qianmo.schema.errors import FigureError

__all__ = [
    "capital_recovery_factor",
    "effective_rate",
    "future_value",
    "future_value_of_annuity",
    "present_value",
    "present_value_of_annuity",
    "sinking_fund_factor",
]


def future_value(amount: float, rate: float, periods: float) -> float:
    """What an amount now is worth after some periods, (F/P, i, n) (复利终值).

    >>> round(future_value(1000.0, 0.10, 5), 2)
    1610.51
    """
    return amount * (1.0 + float(checked_rate(rate))) ** periods


def present_value(amount: float, rate: float, periods: float) -> float:
    """What an amount after some periods is worth now, (P/F, i, n) (复利现值)."""
    return amount * (1.0 + float(checked_rate(rate))) ** -periods


def present_value_of_annuity(payment: float, rate: float, periods: int) -> float:
    """What even payments at the end of each period are worth now, (P/A, i, n) (年金现值).

    >>> round(present_value_of_annuity(1.0, 0.10, 5), 4)
    3.7908
    """
    return payment * _annuity(rate, periods)


def future_value_of_annuity(payment: float, rate: float, periods: int) -> float:
    """What even payments at the end of each period are worth with the last of them, (F/A, i, n) (年金终值)."""
    return payment * _annuity(rate, periods) * (1.0 + rate) ** periods


def capital_recovery_factor(rate: float, periods: int) -> float:
    """Even payment that repays one unit with interest, (A/P, i, n) (资金回收系数)."""
    return 1.0 / _annuity(rate, periods)


def sinking_fund_factor(rate: float, periods: int) -> float:
    """Even payment that grows to one unit, (A/F, i, n) (偿债基金系数)."""
    return (1.0 + rate) ** -periods / _annuity(rate, periods)


def effective_rate(nominal_rate: float, periods: float) -> float:
    """Yearly rate of a nominal yearly rate compounded some times a year (有效利率); `periods` may be below 1.

    >>> round(effective_rate(0.12, 12), 6)
    0.126825
    """
    if periods <= 0:
        raise FigureError(f"periods is {periods}", expected="compounding periods a year, above 0")
    return expm1(periods * log1p(float(checked_rate(nominal_rate / periods))))


def _annuity(rate: float, periods: int) -> float:
    if periods < 1:
        raise FigureError(f"periods is {periods}", expected="at least one period")
    found = float(checked_rate(rate))
    return float(periods) if found == 0.0 else -expm1(-periods * log1p(found)) / found
