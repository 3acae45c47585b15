"""Market entry of collective construction land, and land tickets (集体经营性建设用地入市与地票)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away, largest_remainder
from qianmo.finance.distribution.increment import Levy, land_levy
from qianmo.schema.errors import SchemaError

__all__ = ["LandTicket", "MarketEntry", "land_ticket", "market_entry"]


@dataclass(frozen=True)
class LandTicket:
    """Net income of a land ticket (地票净收益分配). [fen] A loss is borne by the collective alone."""

    net_fen: int
    farmer_fen: int
    collective_fen: int


@dataclass(frozen=True)
class MarketEntry:
    """Sale of collective construction land (入市收益分配). [fen] `parts_fen` sum to the net of the levy."""

    levy: Levy
    buyer_charge_fen: int
    parts_fen: Mapping[str, int]


def land_ticket(price_fen: int, cost_fen: int, *, farmer_share: Any) -> LandTicket:
    """Price less reclamation cost, split between farmer and collective (地票收益分配).

    Raises
    ------
    SchemaError
        The share is outside 0..1 or an amount is negative.

    Examples
    --------
    >>> land_ticket(1900, 500, farmer_share=0.85)
    LandTicket(net_fen=1400, farmer_fen=1190, collective_fen=210)
    """
    share = exact(farmer_share)
    if not 0 <= share <= 1 or min(price_fen, cost_fen) < 0:
        raise SchemaError(f"价款 {price_fen} 分, 成本 {cost_fen} 分, 农户比例 {float(share):g}", expected="金额不小于 0, 比例在 0 至 1", cure="检查地票价款与比例")
    net = price_fen - cost_fen
    if net <= 0:
        return LandTicket(net, 0, net)
    farmer, collective = largest_remainder(net, [share, 1 - share])
    return LandTicket(net, farmer, collective)


def market_entry(
    price_fen: int, cost_fen: int, *, levy_rate: Any, levy_band: tuple[Any, Any], split: Mapping[str, Any], buyer_charge_rate: Any = 0
) -> MarketEntry:
    """Levy on the added value, the net by the resolution of the collective, and the buyer's charge on the price (入市收益分配).

    Parameters
    ----------
    split : mapping of use to share
        Collective fund, members, infrastructure and so on; sums to 1.
    buyer_charge_rate : number
        Part of the price that the buyer pays on top; 0 where it has expired.

    Raises
    ------
    SchemaError
        The rate is outside the band, the split does not sum to 1, or an amount is negative. A net loss cannot be split.
    """
    shares = {k: exact(v) for k, v in split.items()}
    charge = exact(buyer_charge_rate)
    if sum(shares.values(), Fraction(0)) != 1 or min(shares.values()) < 0 or not 0 <= charge <= 1:
        raise SchemaError(f"分配 {({k: float(v) for k, v in shares.items()})}, 受让方缴纳 {float(charge):g}", expected="比例合计 1, 缴纳比例在 0 至 1", cure="检查收益分配方案")
    levy = land_levy(price_fen, cost_fen, levy_rate, band=levy_band)
    if levy.net_fen < 0:
        raise SchemaError(f"成交价 {price_fen} 分低于成本 {cost_fen} 分", expected="不低于成本", cure="亏损不作分配, 请复核底价")
    return MarketEntry(levy, half_away(price_fen * charge), dict(zip(shares, largest_remainder(levy.net_fen, list(shares.values())), strict=True)))
