"""From restored mine land to quota income and its uses (矿地修复指标链)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away, largest_remainder
from qianmo.schema.errors import SchemaError

__all__ = ["QuotaLot", "QuotaOutcome", "quota_chain", "quota_income_by_year"]


@dataclass(frozen=True)
class QuotaLot:
    """One restoration area with its quota (指标批次).

    Parameters
    ----------
    quota_id, kind : str
        Kind: area, paddy, capacity.
    area_mu, not_reclaimable, accept_rate : Fraction
        Restored area; part that cannot become farmland; part that passes acceptance.
    eligible_mu : Fraction or None
        Most that the balance of farmland may use; None: all new farmland.
    price_yuan_mu : Fraction
    accepted_year, payment_years : int
        Year of acceptance (from 0), and years until the buyer pays: no money comes before both.
    """

    quota_id: str
    kind: str
    area_mu: Fraction
    not_reclaimable: Fraction
    accept_rate: Fraction
    eligible_mu: Fraction | None
    price_yuan_mu: Fraction
    accepted_year: int = 0
    payment_years: int = 0


@dataclass(frozen=True)
class QuotaOutcome:
    """Quota and income (指标与收益): new farmland and quota by lot [mu], income by lot and use [fen]."""

    new_farmland_mu: Mapping[str, Fraction]
    quota_mu: Mapping[str, Fraction]
    income_fen: Mapping[str, int]
    use_fen: Mapping[str, int]


def quota_chain(lots: Sequence[QuotaLot], uses: Mapping[str, Any]) -> QuotaOutcome:
    """New farmland, quota, income, and income by use (指标链).

    Parameters
    ----------
    lots : sequence of QuotaLot
    uses : mapping of use to share
        Works repayment, construction, industry incubation, operation; sums to 1.

    Raises
    ------
    SchemaError
        A rate is outside 0..1, an amount negative, a lot listed twice, or shares do not sum to 1.

    Examples
    --------
    >>> lot = QuotaLot("HS-1", "area", Fraction(1000), Fraction(0), Fraction(4, 5), None, Fraction(150_000))
    >>> sum(quota_chain([lot], {"works": 1}).income_fen.values()) // 100
    120000000
    """
    shares = {k: exact(v) for k, v in uses.items()}
    wrong = [lot.quota_id for lot in lots if not _is_sound(lot)]
    if wrong or len({lot.quota_id for lot in lots}) < len(lots):
        raise SchemaError(f"指标批次 {', '.join(wrong) or '编号重复'}", expected="面积、单价不小于 0, 比例在 0 至 1, 编号不重复", cure="检查指标批次")
    if sum(shares.values(), Fraction(0)) != 1 or min(shares.values()) < 0:
        raise SchemaError(f"用途 {({k: float(v) for k, v in shares.items()})}", expected="比例合计 1", cure="用途比例之和应为 1")
    new = {lot.quota_id: lot.area_mu * (1 - lot.not_reclaimable) * lot.accept_rate for lot in lots}
    quota = {lot.quota_id: new[lot.quota_id] if lot.eligible_mu is None else min(new[lot.quota_id], lot.eligible_mu) for lot in lots}
    income = {lot.quota_id: half_away(quota[lot.quota_id] * lot.price_yuan_mu * 100) for lot in lots}
    parts = largest_remainder(sum(income.values()), list(shares.values()))
    return QuotaOutcome(new, quota, income, dict(zip(shares, parts, strict=True)))


def quota_income_by_year(lots: Sequence[QuotaLot], outcome: QuotaOutcome, *, years: int) -> tuple[int, ...]:
    """Income in the year it is paid, (years,) [fen]: acceptance plus payment time; later payments fall outside (指标回款).

    Raises
    ------
    SchemaError
        A time is negative.
    """
    found = [0] * years
    for lot in lots:
        paid = lot.accepted_year + lot.payment_years
        if min(lot.accepted_year, lot.payment_years) < 0:
            raise SchemaError(f"指标 {lot.quota_id} 第 {lot.accepted_year} 年验收, {lot.payment_years} 年后回款", expected="不小于 0", cure="检查验收与回款年份")
        if paid < years:
            found[paid] += outcome.income_fen[lot.quota_id]
    return tuple(found)


def _is_sound(lot: QuotaLot) -> bool:
    rates = (lot.not_reclaimable, lot.accept_rate)
    return min(lot.area_mu, lot.price_yuan_mu, lot.eligible_mu or Fraction(0)) >= 0 and all(0 <= r <= 1 for r in rates)
