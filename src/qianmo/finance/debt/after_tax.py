"""Sculpting after tax: tax depends on interest, solved backward in time without a loop of guesses (税后债务雕刻)."""

from __future__ import annotations

from typing import Any

import numpy as np

from qianmo.finance.debt.sculpting import SculptedDebt
from qianmo.finance.yearly import same_years
from qianmo.schema.errors import SchemaError

__all__ = ["sculpted_debt_after_tax"]

_HALVINGS = 200


def sculpted_debt_after_tax(
    cash_before_tax: Any, profit_before_interest: Any, coverage: Any, rates: Any, tax_rates: Any, *, most: Any = None, refundable: bool = False
) -> tuple[SculptedDebt, np.ndarray]:
    """Largest debt whose service keeps its coverage by the cash left after income tax (税后现金流定债).

    Parameters
    ----------
    cash_before_tax : array (years,) or (years, scenarios)
        Cash available before income tax in the years of the loan, any one money unit.
    profit_before_interest : array like it
        Taxable profit before interest (息税前利润, after depreciation and surcharges).
    coverage : float or array (years,)
        Coverage asked of each year, above 0 and finite.
    rates : float or array (years,)
        Interest rate of each year, fraction, not negative.
    tax_rates : float or array (years,)
        Income tax rate of each year with the holiday, 0 to 1.
    most : float or array (scenarios,), optional
        Cap on the debt; where it binds, all coverages rise by one factor until the debt equals it.
    refundable : bool
        True: a loss earns tax back at once (the convention of SAM); False: tax of a year is never negative.

    Returns
    -------
    SculptedDebt
        Not rounded: this sizes a loan; book it with `sculpted_debt` or `repay`. `coverage` counts cash after tax.
    array like cash
        Income tax of each year at that debt.

    Raises
    ------
    SchemaError
        Lengths differ, a value is missing, coverage not above the tax rate, a negative interest rate, a tax rate outside
        0 to 1, or a negative cap.

    Notes
    -----
    With :math:`x = B_{t-1}` the year says :math:`x(1+i) = B_t + \\max(0, C - T(x))/k`, :math:`T = \\tau \\max(P - i x, 0)`.
    The left side less the right rises strictly in :math:`x` while :math:`k > \\tau`, so the year has one root, and because
    each side is straight between its kinks the root is the middle one of three straight-line roots. Going back from
    :math:`B_n = 0` gives the debt. Losses carried between years tie the years together and are not part of this:
    compare with `income_tax` at ``loss_years=0``.
    """
    cash, profit, wanted, rate, tax_rate = same_years(
        cash_before_tax=cash_before_tax, profit_before_interest=profit_before_interest, coverage=coverage, rates=rates, tax_rates=tax_rates
    )
    _check(wanted, rate, tax_rate)
    lift = np.ones(cash.shape[1:])
    balance = _opening_balances(cash, profit, wanted, rate, tax_rate, refundable)
    capped = np.zeros(cash.shape[1:], dtype=bool)
    if most is not None:
        cap = np.broadcast_to(np.asarray(most, dtype=np.float64), cash.shape[1:])
        if not (cap >= 0).all():
            raise SchemaError("a negative or missing cap on the debt", expected="a cap of 0 or more")
        capped = balance[0] > cap
        if capped.any():
            lift = _lift(cash, profit, wanted, rate, tax_rate, refundable, cap, capped)
            balance = _opening_balances(cash, profit, wanted * lift, rate, tax_rate, refundable)
            balance = np.where(capped & (cap == 0), 0.0, balance)
    return _accounts(cash, profit, rate, tax_rate, balance, capped, refundable)


def _opening_balances(
    cash: np.ndarray, profit: np.ndarray, wanted: np.ndarray, rate: np.ndarray, tax_rate: np.ndarray, refundable: bool
) -> np.ndarray:
    """Balance at the start of every year, backward from nothing owed at the end."""
    after, found = np.zeros(cash.shape[1:]), np.zeros(cash.shape)
    for t in range(len(cash) - 1, -1, -1):
        grow = 1.0 + rate[t]
        taxed = (after + (cash[t] - tax_rate[t] * profit[t]) / wanted[t]) / (grow - tax_rate[t] * rate[t] / wanted[t])
        untaxed = (after + cash[t] / wanted[t]) / grow
        inner = taxed if refundable else np.minimum(taxed, untaxed)
        after = found[t] = np.maximum(after / grow, inner)
    return found


def _lift(
    cash: np.ndarray, profit: np.ndarray, wanted: np.ndarray, rate: np.ndarray, tax_rate: np.ndarray, refundable: bool, cap: np.ndarray, capped: np.ndarray
) -> np.ndarray:
    """Factor on all coverages at which the debt equals the cap: bisection of a falling function, to the last bit."""
    low, high = np.ones(cap.shape), np.ones(cap.shape)
    for _ in range(_HALVINGS):
        over = capped & (cap > 0) & (_opening_balances(cash, profit, wanted * high, rate, tax_rate, refundable)[0] > cap)
        if not over.any():
            break
        low, high = np.where(over, high, low), np.where(over, high * 2.0, high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if ((middle <= low) | (middle >= high)).all():
            break
        over = _opening_balances(cash, profit, wanted * middle, rate, tax_rate, refundable)[0] > cap
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(capped, high, 1.0)


def _accounts(
    cash: np.ndarray, profit: np.ndarray, rate: np.ndarray, tax_rate: np.ndarray, opening: np.ndarray, capped: np.ndarray, refundable: bool
) -> tuple[SculptedDebt, np.ndarray]:
    closing = np.concatenate([opening[1:], np.zeros((1, *opening.shape[1:]))])
    interest = opening * rate
    base = profit - interest
    tax = tax_rate * (base if refundable else np.maximum(base, 0.0))
    service = opening + interest - closing
    kept = np.divide(cash - tax, service, out=np.full(cash.shape, np.nan), where=service > 0)
    return SculptedDebt(opening[0], service, closing, interest, opening - closing, kept, capped), tax


def _check(wanted: np.ndarray, rate: np.ndarray, tax_rate: np.ndarray) -> None:
    if (tax_rate < 0).any() or (tax_rate > 1).any():
        raise SchemaError(f"tax rates from {tax_rate.min():g} to {tax_rate.max():g}", expected="fractions from 0 to 1")
    if (rate < 0).any():
        raise SchemaError(f"an interest rate of {rate.min():g}", expected="not negative")
    if (wanted <= tax_rate).any() or (wanted <= 0).any():
        raise SchemaError(f"coverage {wanted.min():g}", expected="above 0 and above the tax rate in every year")
