"""Internal rates of return: all of them, or one that may be shown (财务内部收益率 FIRR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import ArrayLike

from qianmo.finance.figures.flow_years import NOW, checked_flows, checked_rate
from qianmo.finance.figures.present_value import present_value_profile
from qianmo.finance.figures.real_roots import multiplicity_at, precise_roots, trimmed
from qianmo.schema.errors import FigureError, RateOfReturnError

__all__ = ["ReturnReport", "modified_rate_of_return", "rate_of_return", "rates_of_return", "return_report"]

ENOUGH = Fraction(1, 1 << 56)
"""Relative width at which the interval of a rate is narrow enough."""


@dataclass(frozen=True)
class ReturnReport:
    """What may be said about the return of a project (内部收益率说明).

    `rate` is None when there is no rate or no single one; `reason` then says why: ``zero`` (no money moves),
    ``one_sign`` (money moves one way only), ``none`` (the present value is never zero), ``several``, or ``touches`` (the
    present value comes to zero without crossing it). `modified` is None where no benchmark was given.
    """

    rate: float | None
    rates: tuple[float, ...]
    reason: str
    modified: float | None
    profile: tuple[tuple[float, float], ...]


def rates_of_return(flows: ArrayLike) -> tuple[float, ...]:
    r"""All internal rates of return above -1 (全部内部收益率).

    With :math:`v = 1/(1+r)` the present value is a polynomial in v. Its roots are isolated in whole numbers, on
    :math:`v \in (0, 1)` for rates above zero and on :math:`1/v = 1+r \in (0, 1)` for rates below, each one certified by
    Descartes' rule of signs, and narrowed until the rate is known to the last bit or two of a float. Amounts are taken
    as the decimals they print as, so that 0.1 means one tenth.

    Parameters
    ----------
    flows : array_like, (years,)
        Money in positive, out negative; when the first flow falls does not matter. [any money unit]

    Returns
    -------
    tuple of float
        In rising order, each distinct rate once; empty when no rate makes the present value zero, or when no money moves
        at all (then every rate would).

    Raises
    ------
    FigureError
        More than one project, or a value that is not finite.

    Examples
    --------
    >>> rates_of_return([-1000, 2500, -1540])
    (0.1, 0.4)
    >>> rates_of_return([-1000, 3000, -2500])
    ()
    """
    return tuple(rate for rate, _ in _rates_and_crossings(_whole_numbers(flows)))


def rate_of_return(flows: ArrayLike, *, benchmark: float | None = None) -> float:
    """The internal rate of return, where there is exactly one that may be shown (财务内部收益率).

    Parameters
    ----------
    flows : array_like, (years,)
        Money in positive, out negative.
    benchmark : float, optional
        Rate of the modified return that the refusal names; without it the refusal names none.

    Returns
    -------
    float
        The only rate above -1 at which the present value is zero, to 1e-15 relative.

    Raises
    ------
    RateOfReturnError
        No rate, several, or one at which the present value only touches zero. The error lists all rates, the modified rate of
        return at the benchmark and the present value between the rates.

    Examples
    --------
    >>> round(rate_of_return([-70000, 12000, 15000, 18000, 21000, 26000]), 14)
    0.08663094803653
    """
    report = return_report(flows, benchmark=benchmark)
    if report.rate is not None:
        return report.rate
    raise _refusal(report)


def return_report(flows: ArrayLike, *, benchmark: float | None = None) -> ReturnReport:
    """Everything that may be said about the return, without an error (内部收益率说明).

    Parameters
    ----------
    flows : array_like, (years,)
        Money in positive, out negative.
    benchmark : float, optional
        Rate at which money is borrowed and put back in the modified rate of return; also a point of the profile.
    """
    whole = _whole_numbers(flows)
    found = _rates_and_crossings(whole)
    rates = tuple(rate for rate, _ in found)
    signs = {c > 0 for c in whole if c}
    reason = "zero" if not signs else "one_sign" if len(signs) == 1 else "none" if not found else "several" if len(found) > 1 else ""
    reason = reason or ("" if found[0][1] else "touches")
    modified = None if benchmark is None or len(signs) < 2 else modified_rate_of_return(flows, benchmark, benchmark)
    points = sorted({*_points(rates), *([] if benchmark is None else [float(benchmark)])})
    return ReturnReport(rates[0] if not reason else None, rates, reason, modified, present_value_profile(flows, points, first=NOW))


def modified_rate_of_return(flows: ArrayLike, finance_rate: float, reinvest_rate: float) -> float:
    r"""Modified internal rate of return (修正内部收益率 MIRR).

    Parameters
    ----------
    flows : array_like, (years,)
        Money in positive, out negative; n + 1 flows.
    finance_rate, reinvest_rate : float
        Rate paid for the money put in, rate earned by the money that comes back; fractions above -1.

    Returns
    -------
    float
        Above -1.

    Raises
    ------
    FigureError
        Money moves one way only, or there is one flow.

    Notes
    -----
    .. math:: \left(\frac{\sum_t \max(c_t, 0)(1 + r_r)^{n-t}}{-\sum_t \min(c_t, 0)(1 + r_f)^{-t}}\right)^{1/n} - 1

    Examples
    --------
    >>> round(modified_rate_of_return([-120000, 39000, 30000, 21000, 37000, 46000], 0.10, 0.12), 13)
    0.1260941303659
    """
    array = checked_flows(flows)
    years = array.shape[0] - 1
    if array.ndim != 1 or years == 0 or not ((array > 0).any() and (array < 0).any()):
        raise FigureError(f"flows of shape {array.shape} with signs {sorted(set(np.sign(array.ravel())))}", expected="one project with money out and money in")
    finance, reinvest = float(checked_rate(finance_rate, "finance_rate")), float(checked_rate(reinvest_rate, "reinvest_rate"))
    t = np.arange(years + 1)
    back = (np.maximum(array, 0.0) * (1.0 + reinvest) ** (years - t)).sum()
    put_in = -(np.minimum(array, 0.0) * (1.0 + finance) ** -t).sum()
    return float((back / put_in) ** (1.0 / years) - 1.0)


def _whole_numbers(flows: ArrayLike) -> list[int]:
    """The flows as whole numbers in one unit, exactly."""
    array = checked_flows(flows)
    if array.ndim != 1:
        raise FigureError(f"flows have shape {array.shape}", expected="one project, (years,)", cure="use rates_of_many for many scenarios")
    exact = [Fraction(Decimal(repr(float(c)))) for c in array]
    unit = lcm(*(c.denominator for c in exact))
    return [int(c * unit) for c in exact]


def _rates_and_crossings(whole: Sequence[int]) -> list[tuple[float, bool]]:
    """Rates in order, each with whether the present value changes sign there."""
    found = trimmed(whole)
    if len({c > 0 for c in found if c}) < 2:
        return []
    below = [(float(place - 1), crosses) for place, crosses in precise_roots(found[::-1], ENOUGH)]
    zero = [(0.0, multiplicity_at(found, Fraction(1)) % 2 == 1)] if sum(found) == 0 else []
    above = [(float(1 / place - 1), crosses) for place, crosses in precise_roots(found, ENOUGH)]
    return below + zero + above[::-1]


def _points(rates: Sequence[float]) -> list[float]:
    """Rates at which the profile is shown: around and between the roots, or some round ones where there is no root."""
    if not rates:
        return [0.0, 0.05, 0.1, 0.2, 0.5]
    factors = [1.0 + r for r in rates]
    middles = [(a * b) ** 0.5 - 1.0 for a, b in zip(factors, factors[1:])]
    ends = [factors[0] / 1.05 - 1.0, factors[-1] * 1.05 - 1.0]
    return [ends[0], *(x for pair in zip(rates, middles) for x in pair), rates[-1], ends[1]]


def _refusal(report: ReturnReport) -> RateOfReturnError:
    listed = ", ".join(f"{r:.6%}" for r in report.rates)
    found = {
        "zero": "all flows are zero",
        "one_sign": "the flows never change sign",
        "none": "no rate above -100 % makes the present value zero",
        "several": f"{len(report.rates)} internal rates of return: {listed}",
        "touches": f"the present value touches zero at {listed} without crossing it",
    }[report.reason]
    shown = "; ".join(f"NPV({r:.4%}) = {v:.2f}" for r, v in report.profile) if report.rates else ""
    modified = "" if report.modified is None else f"modified rate of return {report.modified:.6%}"
    advice = "; ".join(part for part in ("judge by the net present value", modified, shown) if part)
    return RateOfReturnError(found, rates=report.rates, modified=report.modified, profile=report.profile, cure=advice)
