"""Five ways to share one increment, from the same facts (增值分配方案)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away, largest_remainder, whole_amounts
from qianmo.finance.distribution.game import Game
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.shapley import shapley_fen
from qianmo.finance.distribution.time_weight import Contribution, time_weights, weighted_shares
from qianmo.finance.distribution.waterfall import Tier, waterfall
from qianmo.schema.errors import SchemaError

__all__ = ["SCHEME_WORDS", "Scheme", "Situation", "raised_contributions", "schemes_for"]

Split = Mapping[str, int]
Scheme = Callable[["Situation"], Split]
"""From the facts to whole fen by party, summing to the pool (分配方案)."""

SCHEME_WORDS = MappingProxyType({
    "contract": "协议比例", "time_weighted": "时间加权", "shapley": "夏普利值", "nucleolus": "核仁", "waterfall": "分层分配", "formula": "三因素公式",
})  # fmt: skip
"""What a scheme is called (方案名称)."""


@dataclass(frozen=True, eq=False)
class Situation:
    """The facts of an increment to share (分配情形).

    Parameters
    ----------
    parties : tuple of str
    pool_fen : int
        What there is to share, above 0. [fen]
    contract : mapping of party to share
        Agreed ratio; empty without one.
    contributions : tuple of Contribution
        What was brought in, and when, in whole years for the waterfall.
    until : Fraction
        Year of exit.
    rate : Fraction or None
        Rate of the time weights; None for yuan-years.
    performance, risk : mapping of party to factor
        1 where missing.
    game : Game or None
        What coalitions could earn; all together earn the pool.
    tiers : tuple of Tier
        Of the waterfall; empty without one.
    investor : str
        The party the tiers serve first; the others share the sponsor's side by contract, else equally.
    formula : function or None
        From the facts to the share of each party by the three-factor formula.
    """

    parties: tuple[str, ...]
    pool_fen: int
    contract: Mapping[str, Fraction] = field(default_factory=dict)
    contributions: tuple[Contribution, ...] = ()
    until: Fraction = Fraction(0)
    rate: Fraction | None = None
    performance: Mapping[str, Any] = field(default_factory=dict)
    risk: Mapping[str, Any] = field(default_factory=dict)
    game: Game | None = None
    tiers: tuple[Tier, ...] = ()
    investor: str = ""
    formula: Callable[[Situation], Mapping[str, Fraction]] | None = None


def schemes_for(situation: Situation) -> dict[str, Scheme]:
    """The schemes that the facts are enough for, in fixed order (可用方案)."""
    usable = {
        "contract": bool(situation.contract), "time_weighted": bool(situation.contributions), "formula": situation.formula is not None,
        "shapley": situation.game is not None, "nucleolus": situation.game is not None,
        "waterfall": bool(situation.tiers and situation.contributions and situation.investor),
    }  # fmt: skip
    ways: dict[str, Scheme] = {
        "contract": _contract, "time_weighted": _time_weighted, "formula": _formula, "shapley": _shapley, "nucleolus": _nucleolus,
        "waterfall": _waterfall,
    }  # fmt: skip
    return {key: way for key, way in ways.items() if usable[key]}


def _by_share(situation: Situation, shares: Mapping[str, Any]) -> Split:
    parts = [exact(shares.get(p, 0)) for p in situation.parties]
    return dict(zip(situation.parties, largest_remainder(situation.pool_fen, parts), strict=True))


def _contract(situation: Situation) -> Split:
    return _by_share(situation, situation.contract)


def _time_weighted(situation: Situation) -> Split:
    weights = time_weights(situation.contributions, until=situation.until, rate=situation.rate)
    return _by_share(situation, weighted_shares(weights, performance=situation.performance, risk=situation.risk))


def _formula(situation: Situation) -> Split:
    if situation.formula is None:
        raise SchemaError("没有三因素公式", expected="退出约定")
    return _by_share(situation, situation.formula(situation))


def _shapley(situation: Situation) -> Split:
    return _ordered(situation, shapley_fen(_game(situation)))


def _nucleolus(situation: Situation) -> Split:
    found = nucleolus(_game(situation)).amounts
    return _ordered(situation, dict(zip(found, whole_amounts(list(found.values())), strict=True)))


def _waterfall(situation: Situation) -> Split:
    years = int(situation.until) + 1
    paid_in = [Fraction(0)] * years
    for c in situation.contributions:
        if c.party == situation.investor:
            if c.year.denominator != 1:
                raise SchemaError(f"{c.party} 第 {float(c.year):g} 年的投入", expected="整年", cure="分层分配按整年计算")
            paid_in[int(c.year)] += c.amount_fen
    capital = sum(paid_in, Fraction(0))
    cash = [Fraction(0)] * (years - 1) + [capital + situation.pool_fen]
    gain = half_away(sum(waterfall(paid_in, cash, situation.tiers).investor, Fraction(0)) - capital)
    others = [p for p in situation.parties if p != situation.investor]
    shares = [situation.contract.get(p, Fraction(0)) for p in others]
    rest = largest_remainder(situation.pool_fen - gain, shares if any(shares) else [1] * len(others))
    return _ordered(situation, {situation.investor: gain, **dict(zip(others, rest))})


def _game(situation: Situation) -> Game:
    if situation.game is None or situation.game.total != situation.pool_fen or set(situation.game.parties) != set(situation.parties):
        told = "没有联盟价值" if situation.game is None else f"全体联盟 {situation.game.total} 分, 可分配增值 {situation.pool_fen} 分"
        raise SchemaError(told, expected="参与方一致, 全体联盟的价值等于可分配增值", cure="全体联盟的价值应等于可分配增值")
    return situation.game


def _ordered(situation: Situation, amounts: Mapping[str, int]) -> Split:
    return {p: amounts[p] for p in situation.parties}


def raised_contributions(contributions: Sequence[Contribution], party: str, factor: Fraction) -> tuple[Contribution, ...]:
    """The contributions with those of one party times a factor, to whole fen (提高一方投入)."""
    return tuple(
        Contribution(c.party, half_away(c.amount_fen * factor), c.year) if c.party == party else c for c in contributions
    )  # fmt: skip
