"""Income tax with a holiday vector and losses that expire year by year (企业所得税, 亏损结转)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import same_years
from qianmo.schema.errors import SchemaError

__all__ = ["IncomeTaxYears", "first_year_of", "holiday_rates", "income_tax"]


@dataclass(frozen=True)
class IncomeTaxYears:
    """Income tax by year, arrays (years,) or (years, scenarios) [fen] (所得税逐年表).

    `tax_fen` tax (cost positive); `taxable_fen` profit after losses (应纳税所得额); `loss_used_fen` older losses set off
    (弥补以前年度亏损); `loss_expired_fen` losses that ran out of years at the end of the year; `loss_pool_fen` losses that
    may still be used in later years.
    """

    tax_fen: np.ndarray
    taxable_fen: np.ndarray
    loss_used_fen: np.ndarray
    loss_expired_fen: np.ndarray
    loss_pool_fen: np.ndarray


def income_tax(
    profit_before_tax_fen: Any, rates: Any, *, loss_years: int = 5, opening_losses_fen: Sequence[float] = (), exact: bool = True
) -> IncomeTaxYears:
    """Tax of every year; the oldest loss is used first and each lives `loss_years` years (先进先出弥补亏损).

    Parameters
    ----------
    profit_before_tax_fen : array (years,) or (years, scenarios)
        Profit before tax, losses negative [fen].
    rates : float or array (years,)
        Tax rate of each year with the holiday applied, see `holiday_rates`; fractions, 0 to 1.
    loss_years : int
        Years after the year of the loss in which it may be used; 0 for none.
    opening_losses_fen : sequence of float
        Losses from before year 1, newest last, positive [fen]; at most `loss_years` of them.
    exact : bool
        Whole fen.

    Returns
    -------
    IncomeTaxYears
        Tax is never negative. A profit in a year of exemption uses up losses too.

    Raises
    ------
    SchemaError
        Lengths differ, a value is missing, a rate is outside 0 to 1, or too many opening losses.

    Examples
    --------
    A loss of 100 in year 1 may be used until year 6, not in year 7:

    >>> income_tax([-100.0, 0.0, 0.0, 0.0, 0.0, 40.0, 100.0], 0.25).tax_fen.tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 25.0]
    """
    profit, rate = same_years(profit_before_tax_fen=profit_before_tax_fen, rates=rates)
    _check(rate, loss_years, opening_losses_fen)
    profit = whole_fen(profit, exact)
    used, expired, left = (np.zeros(profit.shape) for _ in range(3))
    pool = np.zeros((loss_years, *profit.shape[1:]))
    for age, amount in enumerate(opening_losses_fen, loss_years - len(opening_losses_fen)):
        pool[age] = whole_fen(amount, exact)
    for t in range(len(profit)):
        pool, used[t], expired[t] = _year(pool, profit[t])
        left[t] = pool.sum(axis=0)
    taxable = np.maximum(profit, 0.0) - used
    return IncomeTaxYears(whole_fen(taxable * rate, exact), taxable, used, expired, left)


def holiday_rates(
    rate: float, years: int, *, first_year: Any = 1, free_years: int = 0, half_years: int = 0, half_factor: float = 0.5
) -> np.ndarray:
    """Rate of every year with a holiday from the first year of income (免税与减半征收期).

    Parameters
    ----------
    rate : float
        Full rate.
    years : int
        Length of the timeline.
    first_year : int or array of int (scenarios,)
        Year (from 1) of the first income, in which the holiday begins; 0 for no holiday.
    free_years, half_years : int
        Years free, then years at the reduced rate (三免三减半: 3 and 3).
    half_factor : float
        Share of the rate due in the reduced years.

    Returns
    -------
    array (years,) or (years, scenarios)
        The rates, never above `rate`.
    """
    first = np.asarray(first_year)
    since = np.arange(1, years + 1).reshape((-1, *(1,) * first.ndim)) - first
    inside = (since >= 0) & (first > 0)
    factor = np.where(inside & (since < free_years), 0.0, np.where(inside & (since < free_years + half_years), half_factor, 1.0))
    return rate * factor


def first_year_of(income: Any) -> Any:
    """Year (from 1) of the first positive income, 0 where there is none (首个取得收入年度).

    Parameters
    ----------
    income : array (years,) or (years, scenarios)
        Income by year, any unit.

    Returns
    -------
    int or array of int (scenarios,)
        The holiday is counted from it, used or not.
    """
    positive = np.asarray(income, dtype=np.float64) > 0
    first = np.where(positive.any(axis=0), positive.argmax(axis=0) + 1, 0)
    return int(first) if first.ndim == 0 else first


def _check(rate: np.ndarray, loss_years: int, opening: Sequence[float]) -> None:
    if (rate < 0).any() or (rate > 1).any():
        raise SchemaError(f"income tax rates from {rate.min():g} to {rate.max():g}", expected="fractions from 0 to 1")
    if loss_years < 0 or len(opening) > loss_years or any(not np.isfinite(x) or x < 0 for x in opening):
        raise SchemaError(
            f"opening losses {list(opening)} with {loss_years} years to use them",
            expected="not negative, at most one for each year a loss may be carried",
        )


def _year(pool: np.ndarray, profit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One year: pool by age with the oldest first → pool of the next year, losses used, losses expired."""
    reach = np.cumsum(pool, axis=0)
    used = np.minimum(np.maximum(profit, 0.0), reach[-1] if len(pool) else 0.0)
    pool = pool - np.clip(used - (reach - pool), 0.0, pool)
    new = np.maximum(-profit, 0.0)
    if not len(pool):
        return pool, np.zeros_like(profit), new
    return np.concatenate([pool[1:], new[None]]), used, pool[0]
