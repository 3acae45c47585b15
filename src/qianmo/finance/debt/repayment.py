"""Repayment plans of a loan: level payment, level principal, at the end, by capacity (还款方式)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qianmo.finance.debt.loan_years import LoanYears
from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import from_start, same_shape, same_years
from qianmo.schema.errors import SchemaError

__all__ = ["PLANS", "repay"]

PLANS = ("annuity", "equal_principal", "interest_first", "bullet", "accrued", "capacity")
"""等额还本付息, 等额还本利息照付, 先息后本, 到期一次还本(按年付息), 到期一次还本付息, 最大能力还款."""


def repay(
    principal_fen: Any, rate: Any, years: int, *, plan: str = "annuity", grace: int = 0, capacity_fen: Any = None, exact: bool = True
) -> LoanYears:
    """Yearly account of a loan from the first year of repayment (还本付息计划).

    Parameters
    ----------
    principal_fen : float or array (scenarios,)
        Balance at the start of year 1 [fen], not negative; after construction ``construction_loan(...).closing[-1]``.
    rate : float or array (years,) or (years, scenarios)
        Yearly rate, fraction; the level payment is worked out anew in a year in which the rate changes.
    years : int
        Years of the loan with the grace, at least 1.
    plan : str
        One of `PLANS`. ``bullet`` and ``interest_first`` pay interest every year and the principal in the last;
        ``accrued`` pays all of both in the last; ``capacity`` pays what `capacity_fen` leaves after interest.
    grace : int
        First years that pay interest only (宽限期), fewer than `years`.
    capacity_fen : array (years,) or (years, scenarios)
        Cash for principal and interest together, for ``capacity`` only [fen].
    exact : bool
        Whole fen; the last year takes up the rounding, so the balance closes at 0.00.

    Returns
    -------
    LoanYears
        The balance closes at 0 but for ``capacity``, where what cannot be paid stays, and interest that the capacity does
        not reach is in `shortfall` (interest is taken as paid, from other money).

    Raises
    ------
    SchemaError
        Unknown plan, a negative or missing value, grace not shorter than the loan, or capacity given or missing against the plan.

    Notes
    -----
    Level payment of balance :math:`B` over :math:`n` years at rate :math:`i`: :math:`A = B\\, i / (1 - (1+i)^{-n})`.

    Examples
    --------
    >>> float(repay(10_800.0, 0.036, 15, exact=False).service[0].round(2))
    944.39
    """
    _check(years, plan, grace, capacity_fen)
    rates, able = same_years(rate=np.full(years, rate) if np.ndim(rate) == 0 else rate, capacity_fen=0.0 if capacity_fen is None else capacity_fen)
    same_shape(rate=rate, least=0.0)
    balance, rates, able = from_start("principal_fen", principal_fen, rates, able, least=0.0)
    if len(rates) != years:
        raise SchemaError(f"rates or capacity for {len(rates)} years", expected=f"{years} years")
    return _accounts(whole_fen(balance, exact), rates, whole_fen(able, exact), plan, grace, exact)


def _accounts(balance: np.ndarray, rates: np.ndarray, able: np.ndarray, plan: str, grace: int, exact: bool) -> LoanYears:
    years = len(rates)
    opening, interest, principal, closing, capitalised, shortfall = (np.zeros(rates.shape) for _ in range(6))
    pay = _PLANS[plan](balance, years, grace, exact)
    for t in range(years):
        opening[t] = balance
        interest[t] = whole_fen(balance * rates[t], exact)
        if plan == "accrued" and t < years - 1:
            capitalised[t] = interest[t]
        elif plan == "capacity":
            principal[t] = np.clip(able[t] - interest[t], 0.0, balance) if t >= grace else 0.0
            shortfall[t] = np.maximum(interest[t] - able[t], 0.0)
        elif t == years - 1:
            principal[t] = balance
        elif t >= grace:
            principal[t] = np.minimum(pay(t, balance, rates, interest[t]), balance)
        balance = closing[t] = opening[t] + capitalised[t] - principal[t]
    return LoanYears(opening, np.zeros(rates.shape), interest, principal, closing, capitalised, shortfall)


_Pay = Callable[[int, np.ndarray, np.ndarray, np.ndarray], Any]
"""Principal of a year from its number, the balance, all rates and the interest of the year."""


def _annuity(start: np.ndarray, years: int, grace: int, exact: bool) -> _Pay:
    payment = np.zeros_like(start)

    def pay(t: int, balance: np.ndarray, rates: np.ndarray, interest: np.ndarray) -> Any:
        nonlocal payment
        anew = np.ones(np.shape(balance), dtype=bool) if t == grace else rates[t] != rates[t - 1]
        payment = np.where(anew, whole_fen(balance * _annuity_share(rates[t], years - t), exact), payment)
        return payment - interest

    return pay


def _annuity_share(rate: np.ndarray, years: int) -> np.ndarray:
    """Level payment of a balance of one."""
    return np.divide(rate, -np.expm1(-years * np.log1p(rate)), out=np.full(rate.shape, 1.0 / years), where=rate > 0)


def _equal_principal(start: np.ndarray, years: int, grace: int, exact: bool) -> _Pay:
    part = whole_fen(start / (years - grace), exact)
    return lambda t, balance, rates, interest: part


def _at_the_end(start: np.ndarray, years: int, grace: int, exact: bool) -> _Pay:
    return lambda t, balance, rates, interest: np.zeros_like(balance)


_PLANS: dict[str, Callable[[np.ndarray, int, int, bool], _Pay]] = {
    "annuity": _annuity, "equal_principal": _equal_principal, "interest_first": _at_the_end, "bullet": _at_the_end,
    "accrued": _at_the_end, "capacity": _at_the_end,
}  # fmt: skip


def _check(years: int, plan: str, grace: int, capacity: Any) -> None:
    if plan not in PLANS:
        raise SchemaError(f"repayment plan {plan!r}", expected=", ".join(PLANS))
    if years < 1 or not 0 <= grace < years:
        raise SchemaError(f"a loan of {years} years with {grace} years of grace", expected="grace of 0 years or more, shorter than the loan")
    if (plan == "capacity") != (capacity is not None):
        raise SchemaError(f"plan {plan!r} {'without' if capacity is None else 'with'} capacity_fen", expected="capacity_fen for the plan 'capacity' and for no other")
