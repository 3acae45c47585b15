"""Homestead swap balanced by an industrial park: areas, yearly cash, break-even (宅基地置换与产业园平衡)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away
from qianmo.schema.errors import SchemaError

__all__ = ["AreaDifference", "HomesteadAreas", "SwapBalance", "area_differences", "break_even_occupancy", "homestead_areas", "swap_balance"]


@dataclass(frozen=True)
class HomesteadAreas:
    """Areas of a homestead swap (置换面积). [mu] freed = old - resettle; surplus = accepted - resettle - reserve."""

    old_mu: Fraction
    resettle_mu: Fraction
    freed_mu: Fraction
    accepted_mu: Fraction
    reserve_mu: Fraction
    surplus_mu: Fraction


@dataclass(frozen=True)
class SwapBalance:
    """Money of a homestead swap by year (置换资金平衡). [fen]

    `balance_fen` is cumulative. `break_even` is the first year (from 0) with a balance of at least 0 after a year below 0
    or with money spent, `lasting` the first from which it stays so; None when never. `deepest_fen` is the lowest balance.
    """

    income_fen: tuple[int, ...]
    uses_fen: tuple[int, ...]
    balance_fen: tuple[int, ...]
    break_even: int | None
    lasting: int | None
    deepest_fen: int


@dataclass(frozen=True)
class AreaDifference:
    """A planned area against the parcels it should consist of (面积核对). [m2]"""

    name: str
    planned_m2: float
    parcels_m2: float
    is_balanced: bool


def homestead_areas(households: int, old_mu_each: Any, new_mu_each: Any, *, accept_rate: Any, reserve_ratio: Any) -> HomesteadAreas:
    """Areas of a swap (置换面积).

    Parameters
    ----------
    households : int
    old_mu_each, new_mu_each : number
        Homestead before; plot after resettlement. [mu]
    accept_rate : number
        Part of the old area that passes acceptance after reclamation, 0..1.
    reserve_ratio : number
        Part of the accepted area kept for rural industry, 0..1.

    Returns
    -------
    HomesteadAreas
        The surplus can be negative: then resettlement takes more than is won.

    Raises
    ------
    SchemaError
        An area or number is negative, or a rate outside 0..1.

    Examples
    --------
    >>> float(homestead_areas(300, 0.30, 0.12, accept_rate=0.95, reserve_ratio=0.05).surplus_mu)
    45.225
    """
    old, new, accept, reserve = (exact(v) for v in (old_mu_each, new_mu_each, accept_rate, reserve_ratio))
    if households < 0 or min(old, new) < 0 or not (0 <= accept <= 1 and 0 <= reserve <= 1):
        raise SchemaError(
            f"{households} 户, 户均 {float(old):g} 与 {float(new):g} 亩, 比例 {float(accept):g} 与 {float(reserve):g}",
            expected="户数、面积不小于 0, 比例在 0 至 1", cure="检查户数、面积与比例",
        )  # fmt: skip
    before, after = households * old, households * new
    accepted = before * accept
    kept = accepted * reserve
    return HomesteadAreas(before, after, before - after, accepted, kept, accepted - after - kept)


def area_differences(
    areas: HomesteadAreas, *, old_parcels_m2: Sequence[float], resettlement_parcels_m2: Sequence[float], m2_per_mu: float, tolerance_m2: float
) -> tuple[AreaDifference, ...]:
    """Planned old and resettlement area against the sums of the parcels of a plan (面积与宗地核对)."""
    pairs = (("old", areas.old_mu, old_parcels_m2), ("resettle", areas.resettle_mu, resettlement_parcels_m2))
    found = []
    for name, planned, parcels in pairs:
        wanted, given = float(planned) * m2_per_mu, float(sum(parcels))
        found.append(AreaDifference(name, wanted, given, abs(wanted - given) <= tolerance_m2))
    return tuple(found)


def swap_balance(one_off_fen: Sequence[int], yearly_fen: Sequence[int], uses_fen: Mapping[str, Sequence[int]], *, occupancy: Sequence[Any]) -> SwapBalance:
    """Income less uses by year (资金平衡).

    Parameters
    ----------
    one_off_fen : sequence of int, (years,)
        Land income of the park, or quota income on the surplus. [fen]
    yearly_fen : sequence of int, (years,)
        Tax share, rent and other income of a full park. [fen]
    uses_fen : mapping of use to sequence of int, (years,)
        Houses, supporting works, compensation; park works, services, operation; costs as positive numbers. [fen]
    occupancy : sequence of numbers, (years,)
        Let part of the park, 0..1.

    Raises
    ------
    SchemaError
        Lengths differ, or an occupancy lies outside 0..1.
    """
    let = [exact(o) for o in occupancy]
    lengths = {len(one_off_fen), len(yearly_fen), len(let), *(len(u) for u in uses_fen.values())}
    if len(lengths) != 1 or any(not 0 <= o <= 1 for o in let):
        raise SchemaError(f"各序列年数 {sorted(lengths)}, 出租率 {[float(o) for o in let]}", expected="年数一致, 出租率在 0 至 1", cure="检查年度序列")
    income = [a + half_away(b * o) for a, b, o in zip(one_off_fen, yearly_fen, let)]
    uses = [sum(u[t] for u in uses_fen.values()) for t in range(len(let))]
    balance, total = [], 0
    for a, b in zip(income, uses):
        total += a - b
        balance.append(total)
    spent = [sum(uses[: t + 1]) > 0 for t in range(len(uses))]
    even = next((t for t, b in enumerate(balance) if b >= 0 and spent[t]), None)
    lasting = next((t for t in range(len(balance)) if spent[t] and min(balance[t:]) >= 0), None)
    return SwapBalance(tuple(income), tuple(uses), tuple(balance), even, lasting, min(balance, default=0))


def break_even_occupancy(one_off_fen: Sequence[int], yearly_fen: Sequence[int], uses_fen: Mapping[str, Sequence[int]]) -> Fraction | None:
    """Constant occupancy at which the balance of the last year is just 0 (盈亏平衡出租率).

    Returns
    -------
    Fraction or None
        0 where no letting is needed; above 1 means that a full park does not pay; None without yearly income.
    """
    short = sum(sum(u) for u in uses_fen.values()) - sum(one_off_fen)
    yearly = sum(yearly_fen)
    if short <= 0:
        return Fraction(0)
    return Fraction(short, yearly) if yearly > 0 else None
