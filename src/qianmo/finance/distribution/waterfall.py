r"""Distribution waterfall with hurdles and catch-up (分层分配).

Tier :math:`k` runs until the investor has earned the hurdle :math:`h_k` on the contributions. Its balance is

.. math:: B_{k,t} = B_{k,t-1}(1+h_k) + contribution_t - paid_t

where *paid* is everything the investor got, in whatever tier. The tier pays the investor the part :math:`s_k` of its cash,
so it takes at most :math:`B_k / s_k`. A catch-up tier pays until the sponsor holds the part :math:`c` of all profit paid out so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, whole_amounts
from qianmo.schema.errors import SchemaError

__all__ = ["Tier", "Waterfall", "waterfall"]


@dataclass(frozen=True)
class Tier:
    """One tier (分配层级): a hurdle, a catch-up, or (with neither) all the rest.

    Parameters
    ----------
    investor_share : Fraction
        Part of the tier's cash that goes to the investor, 0 to 1; above 0 under a hurdle.
    hurdle : Fraction or None
        Yearly return up to which the tier runs; 0 is the return of capital.
    catch_up : Fraction or None
        Sponsor's part of all profit at which the tier ends.
    """

    investor_share: Fraction
    hurdle: Fraction | None = None
    catch_up: Fraction | None = None


@dataclass(frozen=True)
class Waterfall:
    """What each side gets (分层分配结果): by year, and by year and tier; `balance` after each year by tier (0 without hurdle). [fen]"""

    investor: tuple[Fraction, ...]
    sponsor: tuple[Fraction, ...]
    investor_by_tier: tuple[tuple[Fraction, ...], ...]
    sponsor_by_tier: tuple[tuple[Fraction, ...], ...]
    balance: tuple[tuple[Fraction, ...], ...]


def waterfall(contributions_fen: Sequence[Any], cash_fen: Sequence[Any], tiers: Sequence[Tier], *, whole: bool = True) -> Waterfall:
    """Cash of each year through the tiers (分层分配).

    Parameters
    ----------
    contributions_fen : sequence of numbers, (years,)
        Paid in by the investor in each year, at least 0. [fen]
    cash_fen : sequence of numbers, (years,)
        To be paid out in each year, at least 0; it comes after the contribution of the year. [fen]
    tiers : sequence of Tier
        Hurdles rise strictly; the last tier has neither hurdle nor catch-up.
    whole : bool
        Round each year's payments to whole fen by largest remainder; balances go on from what was paid. False: exact
        fractions, so that the investor's return equals the hurdle exactly.

    Returns
    -------
    Waterfall
        investor + sponsor = cash in every year.

    Raises
    ------
    SchemaError
        Amounts are negative, lengths differ, or the tiers are not as described.

    Examples
    --------
    1,000,000 paid in, 1,450,000 paid out a year later; 8 % first, full catch-up to 20 %, then 80/20:

    >>> tiers = [Tier(Fraction(1), Fraction(0)), Tier(Fraction(1), Fraction(8, 100)), Tier(Fraction(0), catch_up=Fraction(1, 5)), Tier(Fraction(4, 5))]
    >>> found = waterfall([1_000_000, 0], [0, 1_450_000], tiers)
    >>> int(sum(found.investor)) - 1_000_000, int(sum(found.sponsor))
    (360000, 90000)
    """
    paid_in, cash = [exact(c) for c in contributions_fen], [exact(c) for c in cash_fen]
    _check(paid_in, cash, tiers)
    balance = [Fraction(0)] * len(tiers)
    got, kept, put = Fraction(0), Fraction(0), Fraction(0)
    rows: list[tuple[tuple[Fraction, ...], tuple[Fraction, ...], tuple[Fraction, ...]]] = []
    for contribution, amount in zip(paid_in, cash, strict=True):
        put += contribution
        balance = [b * (1 + (t.hurdle or 0)) + contribution if t.hurdle is not None else b for b, t in zip(balance, tiers)]
        first, second = _year(amount, balance, tiers, got, kept, put)
        if whole:
            parts = [Fraction(p) for p in whole_amounts(first + second)]
            first, second = parts[: len(tiers)], parts[len(tiers) :]
        paid = sum(first, Fraction(0))
        got, kept = got + paid, kept + sum(second, Fraction(0))
        balance = [b - paid if t.hurdle is not None else b for b, t in zip(balance, tiers)]
        rows.append((tuple(first), tuple(second), tuple(balance)))
    return Waterfall(
        tuple(sum(r[0], Fraction(0)) for r in rows), tuple(sum(r[1], Fraction(0)) for r in rows), tuple(r[0] for r in rows),
        tuple(r[1] for r in rows), tuple(r[2] for r in rows),
    )  # fmt: skip


def _year(
    cash: Fraction, balance: Sequence[Fraction], tiers: Sequence[Tier], got: Fraction, kept: Fraction, put: Fraction
) -> tuple[list[Fraction], list[Fraction]]:
    """Cash of one year by tier: to the investor, to the sponsor. `got`, `kept`, `put` are the sums before."""
    first, second = [Fraction(0)] * len(tiers), [Fraction(0)] * len(tiers)
    for k, tier in enumerate(tiers):
        paid = sum(first, Fraction(0))
        if tier.hurdle is not None:
            room = max(balance[k] - paid, Fraction(0)) / tier.investor_share
        elif tier.catch_up is not None:
            mine = kept + sum(second, Fraction(0))
            profit = max(got + paid - put, Fraction(0)) + mine
            room = max(tier.catch_up * profit - mine, Fraction(0)) / (1 - tier.investor_share - tier.catch_up)
        else:
            room = cash
        used = min(cash, room)
        first[k], second[k] = used * tier.investor_share, used * (1 - tier.investor_share)
        cash -= used
    return first, second


def _check(paid_in: Sequence[Fraction], cash: Sequence[Fraction], tiers: Sequence[Tier]) -> None:
    wrong = []
    if len(paid_in) != len(cash):
        wrong.append(f"投入 {len(paid_in)} 年, 分配 {len(cash)} 年")
    wrong += [f"第 {t + 1} 年{what} {v}" for what, row in (("投入", paid_in), ("分配", cash)) for t, v in enumerate(row) if v < 0]
    hurdles = [t.hurdle for t in tiers if t.hurdle is not None]
    if any(b <= a for a, b in zip(hurdles, hurdles[1:])):
        wrong.append(f"门槛 {[float(h) for h in hurdles]} 不递增")
    for k, t in enumerate(tiers, 1):
        last = t.hurdle is None and t.catch_up is None
        if not 0 <= t.investor_share <= 1 or (t.hurdle is not None and (t.investor_share == 0 or t.hurdle <= -1)):
            wrong.append(f"第 {k} 层: 投资方比例 {float(t.investor_share):g}")
        if t.hurdle is not None and t.catch_up is not None:
            wrong.append(f"第 {k} 层既有门槛又有追赶")
        if t.catch_up is not None and not 0 <= t.catch_up < 1 - t.investor_share:
            wrong.append(f"第 {k} 层: 追赶至 {float(t.catch_up):g}, 而另一方只得 {float(1 - t.investor_share):g}")
        if last != (k == len(tiers)):
            wrong.append(f"第 {k} 层 (共 {len(tiers)} 层) {'没有' if last else '有'}止点")
    if wrong or not tiers:
        raise SchemaError(
            "; ".join(wrong) or "没有分层", cure="检查分层条款",
            expected="年数一致, 金额不小于 0, 门槛递增, 每层一种止点, 追赶比例低于另一方所得, 末层没有止点",
        )  # fmt: skip
