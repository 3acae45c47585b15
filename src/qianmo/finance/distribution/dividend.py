"""Yearly dividends and losses of a joint venture, and of the members behind a party (年度分红与亏损分担)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away, largest_remainder
from qianmo.finance.distribution.members import QuantifiedShares
from qianmo.schema.errors import SchemaError

__all__ = ["Agreement", "DebtLike", "MemberDividend", "YearAllocation", "allocate_years", "debt_like", "member_dividends", "pays_like_debt"]


@dataclass(frozen=True)
class Agreement:
    """Terms of a joint venture (入股协议).

    Parameters
    ----------
    shares : mapping of party to share
        Summing to 1.
    loss_cap_fen : mapping of party to int
        Most that a party bears of all losses together, for example the collective's contribution.
    minimum_fen : mapping of party to int
        Guaranteed yearly payment (保底分红), topped up by the parties without one. It is debt-like, see `debt_like`.
    make_good_first : bool
        Profit first restores the losses that parties have borne, in proportion to them.
    """

    shares: Mapping[str, Fraction]
    loss_cap_fen: Mapping[str, int] = field(default_factory=dict)
    minimum_fen: Mapping[str, int] = field(default_factory=dict)
    make_good_first: bool = True


@dataclass(frozen=True)
class YearAllocation:
    """Profit or loss of one year by party (年度分配). [fen]

    `amount_fen` and `uncovered_fen` sum to `result_fen`; uncovered is the loss beyond all caps (≤ 0).
    `restored_fen` of the amounts only makes good earlier losses; `topped_up_fen` moved between parties for a guarantee.
    """

    result_fen: int
    amount_fen: Mapping[str, int]
    restored_fen: Mapping[str, int]
    topped_up_fen: Mapping[str, int]
    uncovered_fen: int


@dataclass(frozen=True)
class MemberDividend:
    """What a collective does with its income of a year (集体收益分配): fund first, then the rest by income shares. [fen]"""

    income_fen: int
    public_fund_fen: int
    reserved_fen: int
    member_fen: Mapping[str, int]


@dataclass(frozen=True)
class DebtLike:
    """A guaranteed payment that behaves like interest (明股实债提示).

    `rate` is the payment over the contribution; `above_risk_free` says that it beats lending without risk.
    """

    party: str
    rate: Fraction
    above_risk_free: bool


def allocate_years(results_fen: Sequence[int], agreement: Agreement) -> tuple[YearAllocation, ...]:
    """Profits and losses of successive years by party (分红与亏损分担).

    Parameters
    ----------
    results_fen : sequence of int, (years,)
        Distributable result; a loss is negative. [fen]

    Returns
    -------
    tuple of YearAllocation, (years,)
        Every year adds up to the fen. A capped party's losses not yet made good never exceed its cap; what it does not
        bear is borne by the others by ratio.

    Raises
    ------
    SchemaError
        Shares do not sum to 1 or are negative, terms name unknown parties, or a cap or minimum is negative.

    Examples
    --------
    >>> terms = Agreement({"集体": Fraction(3, 10), "企业": Fraction(7, 10)}, {"集体": 100})
    >>> [dict(y.amount_fen) for y in allocate_years([1000, -1000], terms)]
    [{'集体': 300, '企业': 700}, {'集体': -100, '企业': -900}]
    """
    _check(agreement)
    borne = dict.fromkeys(agreement.shares, 0)
    years = []
    for result in results_fen:
        year = _profit(int(result), agreement, borne) if result >= 0 else _loss(int(result), agreement, borne)
        years.append(year)
        for party in borne:
            borne[party] += year.restored_fen[party] if result >= 0 else year.amount_fen[party] - year.topped_up_fen[party]
    return tuple(years)


def member_dividends(income_fen: int, rights: QuantifiedShares, *, public_fund_rate: Any) -> MemberDividend:
    """Income of the collective: public-accumulation fund first, then its reserved share and the members (成员分红).

    A loss goes to the fund whole: members hold shares in income and owe nothing.

    Raises
    ------
    SchemaError
        The rate is outside 0..1.
    """
    rate = exact(public_fund_rate)
    if not 0 <= rate <= 1:
        raise SchemaError(f"公积公益金比例 {float(rate):g}", expected="0 至 1", cure="检查公积公益金比例")
    fund = half_away(income_fen * rate) if income_fen > 0 else income_fen
    reserved, *parts = largest_remainder(income_fen - fund, [rights.reserved, *rights.income.values()])
    return MemberDividend(income_fen, fund, reserved, dict(zip(rights.income, parts, strict=True)))


def debt_like(agreement: Agreement, contribution_fen: Mapping[str, int], *, risk_free_rate: Any) -> tuple[DebtLike, ...]:
    """Every guaranteed minimum of an agreement, flagged (保底条款识别).

    Raises
    ------
    SchemaError
        A party with a guarantee has no contribution.
    """
    found = []
    for party, least in agreement.minimum_fen.items():
        if least <= 0:
            continue
        if contribution_fen.get(party, 0) <= 0:
            raise SchemaError(f"{party} 有保底分红而没有出资", expected="出资大于 0", cure="检查出资")
        rate = Fraction(least, contribution_fen[party])
        found.append(DebtLike(party, rate, rate > exact(risk_free_rate)))
    return tuple(found)


def pays_like_debt(payments_fen: Sequence[Sequence[int]], contribution_fen: int, *, risk_free_rate: Any) -> bool:
    """True when in every scenario and year the payment is at least the risk-free return (实质固定回报).

    Parameters
    ----------
    payments_fen : sequence (scenarios,) of sequences (years,)
    """
    least = exact(risk_free_rate) * contribution_fen
    return bool(payments_fen) and all(len(years) > 0 and min(years) >= least for years in payments_fen)


def _check(agreement: Agreement) -> None:
    parties = set(agreement.shares)
    wrong = []
    if sum(agreement.shares.values(), Fraction(0)) != 1 or min(agreement.shares.values(), default=Fraction(-1)) < 0:
        wrong.append(f"股比 {({k: str(v) for k, v in agreement.shares.items()})}")
    for name in ("loss_cap_fen", "minimum_fen"):
        terms = getattr(agreement, name)
        wrong += [f"{p} 的 {name} 为 {v} 分" for p, v in terms.items() if p not in parties or v < 0]
    if wrong:
        raise SchemaError("; ".join(wrong), expected="股比不小于 0 且合计 1, 条款只涉及股东且不为负", cure="检查入股协议")


def _profit(result: int, agreement: Agreement, borne: Mapping[str, int]) -> YearAllocation:
    parties = list(agreement.shares)
    owed = [-borne[p] if agreement.make_good_first else 0 for p in parties]
    restored = largest_remainder(min(result, sum(owed)), owed) if any(owed) else (0,) * len(parties)
    split = largest_remainder(result - sum(restored), list(agreement.shares.values()))
    amount = {p: r + s for p, r, s in zip(parties, restored, split, strict=True)}
    topped = _top_up(amount, agreement)
    return YearAllocation(result, {p: amount[p] + topped[p] for p in parties}, dict(zip(parties, restored)), topped, 0)


def _loss(result: int, agreement: Agreement, borne: Mapping[str, int]) -> YearAllocation:
    parties = list(agreement.shares)
    amount, rest, open_ = dict.fromkeys(parties, 0), -result, [p for p in parties if agreement.shares[p] > 0]
    while rest and open_:
        split = dict(zip(open_, largest_remainder(rest, [agreement.shares[p] for p in open_])))
        room = {p: agreement.loss_cap_fen[p] + borne[p] if p in agreement.loss_cap_fen else None for p in open_}
        over = [p for p in open_ if room[p] is not None and split[p] > (room[p] or 0)]
        if not over:
            amount |= {p: -v for p, v in split.items()}
            rest = 0
        for p in over:
            amount[p] = -(room[p] or 0)
            rest -= room[p] or 0
            open_.remove(p)
    topped = _top_up(amount, agreement)
    return YearAllocation(result, {p: amount[p] + topped[p] for p in parties}, dict.fromkeys(parties, 0), topped, -rest)


def _top_up(amount: Mapping[str, int], agreement: Agreement) -> dict[str, int]:
    """Movements that lift guaranteed parties to their minimum, paid by the parties without a guarantee by ratio."""
    lacking = {p: max(m - amount[p], 0) for p, m in agreement.minimum_fen.items()}
    payers = [p for p in agreement.shares if p not in agreement.minimum_fen and agreement.shares[p] > 0]
    moved = dict.fromkeys(agreement.shares, 0)
    if not any(lacking.values()) or not payers:
        return moved
    moved |= lacking
    for p, paid in zip(payers, largest_remainder(sum(lacking.values()), [agreement.shares[p] for p in payers])):
        moved[p] -= paid
    return moved
