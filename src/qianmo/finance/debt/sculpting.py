"""Debt sized and repaid so that every year keeps its coverage (债务雕刻, 偿债备付率定额)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import same_years
from qianmo.schema.errors import SchemaError

__all__ = ["SculptedDebt", "coverage_of_debt", "discount_factors", "gearing_cap", "loan_life_cover", "sculpted_debt"]


@dataclass(frozen=True)
class SculptedDebt:
    """A sculpted loan (雕刻债务) [fen].

    Parameters
    ----------
    debt : array () or (scenarios,)
        Amount at the start of year 1.
    service, balance, interest, principal : array (years,) or (years, scenarios)
        Debt service, balance at year end, interest, principal. Principal is negative in a year whose service does not
        reach the interest: the balance then grows.
    coverage : array like service
        Cash available over service; nan in a year without service.
    capped : array of bool () or (scenarios,)
        The gearing cap binds.
    """

    debt: np.ndarray
    service: np.ndarray
    balance: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    coverage: np.ndarray
    capped: np.ndarray


def sculpted_debt(cash_available: Any, coverage: Any, rates: Any, *, most: Any = None, exact: bool = True) -> SculptedDebt:
    """Largest debt whose service keeps the coverage asked of every year (按目标偿债备付率定债).

    Parameters
    ----------
    cash_available : array (years,) or (years, scenarios)
        Cash available for debt service (CFADS) of the years of the loan [fen]; a negative year serves nothing.
    coverage : float or array (years,)
        Coverage asked of each year, above 0; infinite for a year without service.
    rates : float or array (years,)
        Rate of each year, fraction.
    most : float or array (scenarios,), optional
        Cap, as `gearing_cap` gives it [fen]; above it debt and service are scaled by one factor.
    exact : bool
        Whole fen; the last year with service takes up the rounding.

    Returns
    -------
    SculptedDebt
        Debt rises with cash and falls with coverage and rates. No iteration.

    Raises
    ------
    SchemaError
        Lengths differ, a value is missing, coverage not above 0, a rate at or below −1, or a negative cap.

    Notes
    -----
    :math:`DS_t = C_t / k_t`, :math:`D = \\sum_t DS_t \\prod_{s \\le t} (1+i_s)^{-1}`; with a cap :math:`D' = \\min(D, D_{max})`
    and :math:`DS'_t = DS_t D'/D`.

    Examples
    --------
    >>> loan = sculpted_debt([1300.0, 1300.0], 1.3, 0.1, exact=False)
    >>> float(loan.debt.round(6)), loan.principal.round(6).tolist()
    (1735.537190, [826.446281, 909.090909])
    """
    cash, wanted, rate = _checked(cash_available, coverage, rates)
    service = np.maximum(cash, 0.0) / wanted
    debt = (service * discount_factors(rate)).sum(axis=0)
    share, capped = _share(debt, most)
    return _accounts(cash, service * share, debt * share, rate, capped, exact)


def coverage_of_debt(debt: Any, cash_available: Any, rates: Any) -> Any:
    """The one coverage at which a given debt is sculpted, the dual of `sculpted_debt` (给定债务的均匀备付率).

    Parameters
    ----------
    debt : float or array (scenarios,)
        Debt at the start of year 1 [fen], above 0.
    cash_available, rates
        As in `sculpted_debt`.

    Returns
    -------
    float or array (scenarios,)
        :math:`\\sum_t C_t d_t / D`; it equals the loan life cover at the start.

    Raises
    ------
    SchemaError
        Debt not above 0, or as in `sculpted_debt`.
    """
    cash, _, rate = _checked(cash_available, 1.0, rates)
    amount = np.asarray(debt, dtype=np.float64)
    if not (amount > 0).all():
        raise SchemaError("a debt of 0 or less has no coverage", expected="a debt above 0")
    return (np.maximum(cash, 0.0) * discount_factors(rate)).sum(axis=0) / amount


def loan_life_cover(cash_available: Any, balance: Any, rates: Any) -> np.ndarray:
    """Present value of the cash left in the loan's life over the balance, at the start of every year (贷款寿命期备付率 LLCR).

    Parameters
    ----------
    cash_available : array (years,) or (years, scenarios)
        Cash available in the years of the loan [fen].
    balance : array like it
        Balance at the START of each year [fen].
    rates : float or array (years,)
        Rate of each year.

    Returns
    -------
    array
        nan where nothing is owed.

    Raises
    ------
    SchemaError
        Lengths differ or a value is missing.
    """
    cash, owed, rate = same_years(cash_available=cash_available, balance=balance, rates=rates)
    value, found = np.zeros(cash.shape[1:]), np.zeros(cash.shape)
    for t in range(len(cash) - 1, -1, -1):
        value = found[t] = (value + cash[t]) / (1.0 + rate[t])
    return np.divide(found, owed, out=np.full(found.shape, np.nan), where=owed > 0)


def gearing_cap(cost: Any, gearing: Any) -> Any:
    """Most debt that a cost may carry (资本金比例对应的债务上限).

    Parameters
    ----------
    cost : float or array (scenarios,)
        Total investment [fen], not negative.
    gearing : float
        Largest share of debt, 0 to 1; one less the least equity share.

    Returns
    -------
    float or array (scenarios,)
        [fen].

    Raises
    ------
    SchemaError
        Gearing outside 0 to 1, or a negative cost.
    """
    share, total = np.asarray(gearing, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    if not ((share >= 0) & (share <= 1)).all():
        raise SchemaError(f"gearing {gearing}", expected="a share of debt from 0 to 1", cure="100 % debt is 1.0; percent must be written as a fraction")
    if not (total >= 0).all():
        raise SchemaError("a negative or missing cost", expected="a cost of 0 or more")
    return total * share


def discount_factors(rates: np.ndarray) -> np.ndarray:
    """Value at the start of year 1 of one fen at the end of every year, with a rate for each year (逐年折现系数).

    Parameters
    ----------
    rates : array (years,) or (years, scenarios)
        Fractions above −1.

    Returns
    -------
    array
        Falls from year to year where rates are positive.
    """
    return 1.0 / np.cumprod(1.0 + rates, axis=0)


def _checked(cash: Any, coverage: Any, rates: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    asked = np.asarray(coverage, dtype=np.float64)
    if not (asked > 0).all():
        raise SchemaError(f"coverage {asked.min():g}", expected="above 0 in every year")
    never = np.isinf(asked)
    money, finite, rate = same_years(cash_available=cash, coverage=np.where(never, 1.0, asked), rates=rates)
    if (rate <= -1).any():
        raise SchemaError(f"an interest rate of {rate.min():g}", expected="above -1")
    never = never[:, None] if never.ndim and never.ndim < finite.ndim else never
    return money, np.where(np.broadcast_to(never, finite.shape), np.inf, finite), rate


def _share(debt: np.ndarray, most: Any) -> tuple[np.ndarray, np.ndarray]:
    """Factor that brings debt under the cap, and whether it binds."""
    if most is None:
        return np.ones_like(debt), np.zeros(debt.shape, dtype=bool)
    cap = np.asarray(most, dtype=np.float64)
    if not (cap >= 0).all():
        raise SchemaError("a negative or missing cap on the debt", expected="a cap of 0 or more")
    capped = debt > cap
    return np.where(capped, np.divide(cap, debt, out=np.zeros_like(debt), where=debt > 0), 1.0), capped


def _accounts(cash: np.ndarray, service: np.ndarray, debt: np.ndarray, rate: np.ndarray, capped: np.ndarray, exact: bool) -> SculptedDebt:
    last = len(service) - 1 - np.argmax(service[::-1] > 0, axis=0)
    owed = start = whole_fen(debt, exact)
    paid, balance, interest, principal = (np.zeros(service.shape) for _ in range(4))
    for t in range(len(service)):
        interest[t] = whole_fen(owed * rate[t], exact)
        paid[t] = np.where(t == last, owed + interest[t], whole_fen(service[t], exact)) if exact else service[t]
        principal[t] = paid[t] - interest[t]
        owed = balance[t] = owed - principal[t]
    kept = np.divide(cash, paid, out=np.full(cash.shape, np.nan), where=paid > 0)
    return SculptedDebt(np.asarray(start), paid, balance, interest, principal, kept, capped)
