r"""Exit settlement by capital, time and performance (退出结算).

.. math:: C = \frac{\sum_k I^{priv}_k (T-t_k)}{\sum_k I^{all}_k (T-t_k)}, \qquad s = \mathrm{clip}(C P (1+\rho), floor, cap)

The private side gets :math:`s\,\Delta V`; the remainder goes to collective and government by a fixed ratio. Where
:math:`\Delta V \le 0` there is nothing to share and the loss rule of the agreement holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from qianmo.finance.distribution.dividend import Agreement, allocate_years
from qianmo.finance.distribution.exact import exact, half_away, largest_remainder
from qianmo.finance.distribution.time_weight import Contribution, time_weights
from qianmo.schema.errors import SchemaError

__all__ = ["ExitSettlement", "ExitTerms", "capital_time_share", "exit_sensitivity", "exit_share", "settle_exit"]


@dataclass(frozen=True)
class ExitTerms:
    """Terms agreed before the investment (退出约定): floor and cap of the private share, collective's part of the remainder."""

    floor: Fraction
    cap: Fraction
    collective_share: Fraction
    performance_band: tuple[Fraction, Fraction]
    risk_band: tuple[Fraction, Fraction]


@dataclass(frozen=True)
class ExitSettlement:
    """Amounts at exit (退出结算). [fen] They sum to the increment; `is_loss` says the loss rule was used."""

    share: Fraction
    private_fen: int
    collective_fen: int
    government_fen: int
    is_loss: bool


def capital_time_share(contributions: Sequence[Contribution], private: Sequence[str], *, until: Any, rate: Any = None) -> Fraction:
    """Private part of all contributions weighted by time (资金时间占比 C).

    Raises
    ------
    SchemaError
        All contributions together weigh nothing.

    Examples
    --------
    Private 1700 for 5 years, public 1000 for 5 years: 17/27.

    >>> given = [Contribution("企业", 1700, Fraction(0)), Contribution("政府", 1000, Fraction(0))]
    >>> round(float(capital_time_share(given, ["企业"], until=5)), 5)
    0.62963
    """
    weights = time_weights(contributions, until=until, rate=rate)
    total = sum(weights.values(), Fraction(0))
    if total <= 0:
        raise SchemaError("投入的时间权重合计为 0", expected="退出以前的投入", cure="检查投入时间")
    return sum((w for p, w in weights.items() if p in private), Fraction(0)) / total


def exit_share(capital_share: Any, performance: Any, risk: Any, terms: ExitTerms) -> Fraction:
    """Private share of the increment, clipped to floor and cap (退出比例).

    Raises
    ------
    SchemaError
        The capital share is outside 0..1, performance or risk outside its band, or floor above cap.
    """
    c, p, r = exact(capital_share), exact(performance), exact(risk)
    for name, value, (least, most) in (
        ("资金时间占比", c, (Fraction(0), Fraction(1))), ("绩效系数", p, terms.performance_band), ("风险系数", r, terms.risk_band),
        ("下限", terms.floor, (Fraction(0), terms.cap)), ("上限", terms.cap, (terms.floor, Fraction(1))),
        ("集体所占比例", terms.collective_share, (Fraction(0), Fraction(1))),
    ):  # fmt: skip
        if not least <= value <= most:
            raise SchemaError(f"{name} {float(value):g}", expected=f"{float(least):g} 至 {float(most):g}", cure="检查退出约定")
    return min(max(c * p * (1 + r), terms.floor), terms.cap)


def settle_exit(increment_fen: int, share: Fraction, terms: ExitTerms, *, loss_rule: Agreement | None = None) -> ExitSettlement:
    """Increment to private side, collective and government, to the fen (退出结算).

    Parameters
    ----------
    increment_fen : int
        Pool after cost and levy. [fen]
    loss_rule : Agreement, optional
        Shares of parties ``private``, ``collective``, ``government`` in a loss; needed when the increment is below 0.

    Raises
    ------
    SchemaError
        A loss without a loss rule, or a loss that the rule leaves uncovered.

    Examples
    --------
    >>> terms = ExitTerms(Fraction(1, 5), Fraction(3, 5), Fraction(7, 10), (Fraction(0), Fraction(6, 5)), (Fraction(0), Fraction(1, 5)))
    >>> found = settle_exit(3_000_000_000, Fraction("0.595"), terms)
    >>> found.private_fen, found.collective_fen, found.government_fen
    (1785000000, 850500000, 364500000)
    """
    if increment_fen > 0:
        private = half_away(share * increment_fen)
        collective, government = largest_remainder(increment_fen - private, [terms.collective_share, 1 - terms.collective_share])
        return ExitSettlement(share, private, collective, government, False)
    if increment_fen == 0:
        return ExitSettlement(Fraction(0), 0, 0, 0, True)
    if loss_rule is None or set(loss_rule.shares) - {"private", "collective", "government"}:
        raise SchemaError(f"增值为 {increment_fen / 100:,.2f} 元而没有亏损条款", expected="private、collective、government 的亏损分担比例", cure="补充协议的亏损分担条款")
    year = allocate_years([increment_fen], loss_rule)[0]
    if year.uncovered_fen:
        raise SchemaError(f"亏损中 {-year.uncovered_fen / 100:,.2f} 元超出各方上限", expected="至少一方承担其余亏损", cure="修改亏损上限")
    got = {k: year.amount_fen.get(k, 0) for k in ("private", "collective", "government")}
    return ExitSettlement(Fraction(0), got["private"], got["collective"], got["government"], True)


def exit_sensitivity(
    increment_fen: int, capital_share: Any, risk: Any, terms: ExitTerms, *, performance: Sequence[Any], floors: Sequence[Any], caps: Sequence[Any]
) -> tuple[Mapping[str, Any], ...]:
    """Private share and amounts over performance, floor and cap (敏感性); pairs with floor above cap are left out.

    Returns
    -------
    tuple of dict
        performance, floor, cap, share, private_fen, collective_fen, government_fen; share never falls in any of the three.
    """
    rows: list[Mapping[str, Any]] = []
    for p, low, high in product(performance, floors, caps):
        if exact(low) > exact(high):
            continue
        changed = ExitTerms(exact(low), exact(high), terms.collective_share, terms.performance_band, terms.risk_band)
        share = exit_share(capital_share, p, risk, changed)
        paid = settle_exit(increment_fen, share, changed)
        rows.append({
            "performance": exact(p), "floor": exact(low), "cap": exact(high), "share": share, "private_fen": paid.private_fen,
            "collective_fen": paid.collective_fen, "government_fen": paid.government_fen,
        })  # fmt: skip
    return tuple(rows)
