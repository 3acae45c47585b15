"""Income shares of the members of a collective, kept apart from its ownership (成员量化份额).

A quantified share is a share in income. What the collective owns stays whole and undivided, whatever the shares say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact
from qianmo.schema.errors import SchemaError

__all__ = ["Decision", "Member", "MemberRule", "QuantifiedShares", "capped_shares", "decision", "quantified_shares"]


@dataclass(frozen=True)
class Member:
    """One member household or person (成员): heads, contracted land, years of membership, group for the veto."""

    member_id: str
    heads: int = 1
    land_mu: Fraction = Fraction(0)
    years: Fraction = Fraction(0)
    group: str = ""


@dataclass(frozen=True)
class MemberRule:
    """Published rule for members' shares (量化规则).

    Parameters
    ----------
    head_weight, land_weight, years_weight : Fraction
        At least 0, summing to 1.
    years_cap : Fraction or None
        Years beyond this count no more.
    reserved : Fraction
        Share kept by the collective as such (集体股), 0 to below 1.
    cap : Fraction or None
        Greatest share of one member; what is above goes to the others in proportion.
    """

    head_weight: Fraction = Fraction(1)
    land_weight: Fraction = Fraction(0)
    years_weight: Fraction = Fraction(0)
    years_cap: Fraction | None = None
    reserved: Fraction = Fraction(0)
    cap: Fraction | None = None


@dataclass(frozen=True)
class QuantifiedShares:
    """Shares in income, and who owns (量化份额).

    `income` and `reserved` sum to 1. `ownership` names the collective with 1: income shares give no part of the land.
    """

    income: Mapping[str, Fraction]
    reserved: Fraction
    ownership: Mapping[str, Fraction]


@dataclass(frozen=True)
class Decision:
    """Outcome of a vote (表决结果): share in favour of those entitled, and the groups whose veto stands."""

    passed: bool
    in_favour: Fraction
    vetoes: tuple[str, ...]


def quantified_shares(members: Sequence[Member], rule: MemberRule, *, collective: str) -> QuantifiedShares:
    """Income share of each member by head count, land and years (成员量化份额).

    Parameters
    ----------
    members : sequence of Member, (n,)
    rule : MemberRule
    collective : str
        Name of the owner.

    Returns
    -------
    QuantifiedShares
        Exact fractions; members with equal heads, land and years have equal shares.

    Raises
    ------
    SchemaError
        Weights do not sum to 1, a weighted quantity is 0 for all, a member is listed twice, a quantity is negative, or the
        cap cannot be kept.

    Examples
    --------
    >>> found = quantified_shares([Member("甲", 3), Member("乙", 1)], MemberRule(), collective="村集体")
    >>> {k: str(v) for k, v in found.income.items()}, found.ownership["村集体"] == 1
    ({'甲': '3/4', '乙': '1/4'}, True)
    """
    weights = (rule.head_weight, rule.land_weight, rule.years_weight)
    if min(weights) < 0 or sum(weights, Fraction(0)) != 1 or not 0 <= rule.reserved < 1:
        raise SchemaError(f"权重 {[str(w) for w in weights]}, 集体股 {rule.reserved}", expected="权重不小于 0 且合计 1, 集体股在 0 与 1 之间", cure="检查量化规则")
    names = [m.member_id for m in members]
    if len(set(names)) < len(names) or not names:
        raise SchemaError(f"{len(names)} 名成员, {len(set(names))} 个不同编号", expected="每名成员一次", cure="检查成员名册")
    amounts = {
        "heads": [exact(m.heads) for m in members], "land_mu": [exact(m.land_mu) for m in members],
        "years": [min(exact(m.years), rule.years_cap) if rule.years_cap is not None else exact(m.years) for m in members],
    }  # fmt: skip
    share = [Fraction(0)] * len(names)
    for (what, amount), weight in zip(amounts.items(), weights, strict=True):
        total = sum(amount, Fraction(0))
        if min(amount) < 0 or (weight > 0 and total == 0):
            raise SchemaError(f"成员的 {what} 最小 {min(amount)}, 合计 {total}", expected="不小于 0, 有权重的项合计大于 0", cure="检查成员名册")
        if weight:
            share = [s + weight * a / total for s, a in zip(share, amount)]
    income = {name: s * (1 - rule.reserved) for name, s in zip(names, share)}
    if rule.cap is not None:
        income = capped_shares(income, rule.cap)
    return QuantifiedShares(income, rule.reserved, {collective: Fraction(1)})


def capped_shares(shares: Mapping[str, Fraction], cap: Fraction) -> dict[str, Fraction]:
    """Shares with none above a cap, the surplus spread over the others in proportion (持股上限).

    Order among members is kept and the sum does not change.

    Raises
    ------
    SchemaError
        The cap times the number of members with a share is below the sum.
    """
    holders = {k: s for k, s in shares.items() if s > 0}
    total = sum(shares.values(), Fraction(0))
    if cap * len(holders) < total:
        raise SchemaError(f"{len(holders)} 名成员, 持股上限 {cap}", expected=f"不低于 {total / max(len(holders), 1)}", cure="提高持股上限")
    held: dict[str, Fraction] = {}
    while True:
        rest, free = total - cap * len(held), {k: s for k, s in holders.items() if k not in held}
        whole = sum(free.values(), Fraction(0))
        over = [k for k, s in free.items() if s * rest / whole > cap]
        if not over:
            return {k: cap if k in held else (shares[k] * rest / whole if k in free else Fraction(0)) for k in shares}
        held |= dict.fromkeys(over, cap)
        if len(held) == len(holders):
            return {k: cap if k in held else Fraction(0) for k in shares}


def decision(members: Sequence[Member], in_favour: Mapping[str, bool], *, passing: Any, veto: Any) -> Decision:
    """Vote of the members with a veto for each group (成员表决与少数否决).

    Parameters
    ----------
    members : sequence of Member
        All entitled members; those who are not in `in_favour` did not vote and count in the base.
    in_favour : mapping of member_id to bool
    passing : number
        Share of all members needed, such as 2/3; it must be reached.
    veto : number
        A group (Member.group) in which more than this share votes against blocks the decision.

    Raises
    ------
    SchemaError
        A vote of somebody who is no member.
    """
    strange = set(in_favour) - {m.member_id for m in members}
    if strange or not members:
        raise SchemaError(f"非成员投票: {sorted(strange)}", expected="只有成员投票", cure="检查成员名册")
    share = Fraction(sum(bool(v) for v in in_favour.values()), len(members))
    groups: dict[str, list[bool]] = {}
    for m in members:
        if m.group:
            groups.setdefault(m.group, []).append(in_favour.get(m.member_id) is False)
    vetoes = tuple(g for g, against in groups.items() if Fraction(sum(against), len(against)) > _written(veto))
    return Decision(share >= _written(passing) and not vetoes, share, vetoes)


def _written(share: Any) -> Fraction:
    """A share as meant: 0.6667 in a table stands for two thirds."""
    return exact(share).limit_denominator(1000)
