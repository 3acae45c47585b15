r"""Contributions weighted by time, performance and risk (投入的时间加权).

Two forms. Yuan-years: :math:`W_i = \sum_k C_{ik} (T - t_k)`. Compounded at a rate: :math:`W_i = \sum_k C_{ik} (1+\rho)^{T-t_k}`.
Exit shares are :math:`s_i = W_i P_i R_i / \sum_j W_j P_j R_j` with published performance and risk factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, shares_of
from qianmo.schema.errors import SchemaError

__all__ = ["Contribution", "performance_factor", "time_weights", "weighted_shares", "years_between"]

_DIGITS = 40
_DAYS = 365


@dataclass(frozen=True)
class Contribution:
    """Money or value brought in (投入): party, whole fen, years after the base date."""

    party: str
    amount_fen: int
    year: Fraction


def years_between(first: date, last: date) -> Fraction:
    """Years from one day to another on the basis of 365 days (年数)."""
    return Fraction((last - first).days, _DAYS)


def time_weights(contributions: Sequence[Contribution], *, until: Any, rate: Any = None) -> dict[str, Fraction]:
    r"""Weight of each party's contributions at the time of exit (时间加权投入).

    Parameters
    ----------
    contributions : sequence of Contribution
    until : number
        Time of exit :math:`T`, in years after the base date.
    rate : number, optional
        Yearly rate :math:`\rho` > -1: compounded values. None: yuan-years.

    Returns
    -------
    dict of party to Fraction
        [fen·year] or [fen]. Exact for whole years; broken years compound with 40 digits, the same on every machine.

    Raises
    ------
    SchemaError
        A contribution lies after the exit or is negative.

    Examples
    --------
    >>> found = time_weights([Contribution("企业", 100, Fraction(0)), Contribution("企业", 50, Fraction(2))], until=5)
    >>> int(found["企业"])
    650
    """
    end = exact(until)
    late = [c for c in contributions if c.year > end or c.amount_fen < 0]
    if late:
        raise SchemaError(f"{late[0].party} 第 {float(late[0].year):g} 年投入 {late[0].amount_fen} 分", expected=f"不小于 0, 不晚于第 {float(end):g} 年", cure="检查投入时间与金额")
    found: dict[str, Fraction] = {}
    for c in contributions:
        factor = end - c.year if rate is None else _power(1 + exact(rate), end - c.year)
        found[c.party] = found.get(c.party, Fraction(0)) + c.amount_fen * factor
    return found


def weighted_shares(
    weights: Mapping[str, Fraction], *, performance: Mapping[str, Any] | None = None, risk: Mapping[str, Any] | None = None
) -> dict[str, Fraction]:
    """Exit share of each party: weight × performance × risk over the sum (时间加权退出份额).

    Raises
    ------
    SchemaError
        A factor is negative, or all products are 0.
    """
    p, r = performance or {}, risk or {}
    return shares_of({k: w * exact(p.get(k, 1)) * exact(r.get(k, 1)) for k, w in weights.items()})


def performance_factor(scores: Mapping[str, Any], weights: Mapping[str, Any], *, low: Any, high: Any) -> Fraction:
    """Performance factor from key figures scored 0 to 100 (绩效系数).

    Parameters
    ----------
    scores : mapping of figure to score, 0..100
    weights : mapping of figure to weight
        At least 0, over the same figures.
    low, high : number
        Factor at score 0 and at score 100.

    Returns
    -------
    Fraction
        From low to high, linear in the weighted score.

    Raises
    ------
    SchemaError
        Figures differ, a score is outside 0..100, or no weight is above 0.

    Examples
    --------
    >>> float(performance_factor({"就业": 50, "税收": 100}, {"就业": 1, "税收": 1}, low=0.8, high=1.2))
    1.1
    """
    if set(scores) != set(weights) or any(not 0 <= exact(s) <= 100 for s in scores.values()):
        raise SchemaError(f"评分 {sorted(scores)}, 权重 {sorted(weights)}", expected="指标一致, 评分在 0 至 100", cure="检查绩效评分")
    share = shares_of(weights)
    mean = sum((share[k] * exact(s) for k, s in scores.items()), Fraction(0))
    return exact(low) + (exact(high) - exact(low)) * mean / 100


def _power(base: Fraction, years: Fraction) -> Fraction:
    if base <= 0:
        raise SchemaError(f"折算率 {float(base - 1):g}", expected="大于 -1", cure="检查折算率")
    if years.denominator == 1:
        return base**years.numerator
    context = Context(prec=_DIGITS)
    decimal = [context.divide(Decimal(f.numerator), Decimal(f.denominator)) for f in (base, years)]
    return Fraction(context.power(*decimal))
