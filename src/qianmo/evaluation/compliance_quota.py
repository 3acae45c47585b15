"""Rules of quotas: J-01 to J-08 (增减挂钩、指标与入市规则)."""

from __future__ import annotations

from collections.abc import Mapping

from qianmo.evaluation.answers import Measure, between, numbers_in, share_at_least
from qianmo.evaluation.classes import class_table
from qianmo.evaluation.facts import Answer, Facts, limit, mu, told, told_or
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["MEASURES", "land_ticket_split", "linkage_surplus"]

STATES = ("VERIFIED", "IN_STORE", "LISTED", "SOLD", "USED", "EXPIRED")


def linkage_surplus(*, accepted: float, resettlement: float, reserve_ratio: float) -> float:
    """Surplus quota (节余指标), any one unit of area: accepted reclaimed land less resettlement less the rural reserve.

    >>> round(linkage_surplus(accepted=85.5, resettlement=36.0, reserve_ratio=0.05), 3)
    45.225
    """
    return accepted - resettlement - reserve_ratio * accepted


def land_ticket_split(*, price: float, cost: float, farmer_share: float) -> tuple[float, float]:
    """Net proceeds of a land ticket for farmer and collective (地票价款分配), in the unit of price and cost."""
    net = price - cost
    return farmer_share * net, net - farmer_share * net


def _reclaimed(facts: Facts) -> tuple[float, float, str]:
    """Accepted reclaimed land, new building land [m2], and where the numbers come from."""
    if facts.documents.get("reclaimed_accepted_m2") is not None:
        old, new = told(facts, "reclaimed_accepted_m2", "new_build_m2")
        return old, new, "验收资料"
    table, flows = class_table(facts.scheme), facts.flows
    was, now = (table["construction"].reindex(flows[c]).to_numpy(bool) for c in ("from_class", "to_class"))
    area = flows["area_m2"].to_numpy(float)
    rate = parameter("reclaim_accept_rate", facts.overrides)
    return rate * float(area[was & ~now].sum()), float(area[~was & now].sum()), f"方案测算(验收率 {rate:g})"


def _j01(facts: Facts) -> Answer:
    old, new, words = _reclaimed(facts)
    words = f"{words}:拆旧复垦 {mu(old)},建新 {mu(new)},差 {mu(old - new)}"
    least = limit(facts, "J-01")
    ok = old >= least * new
    if facts.after is not None:
        built, farm = _net(facts, "construction"), _net(facts, "farmland")
        ok = ok and built <= 0 <= farm
        words += f";建设用地变化 {mu(built)},耕地变化 {mu(farm)}"
    margin = f"{'富余' if old >= new else '差'} {mu(abs(old - new))}"
    return Answer(bool(ok), old / new if new else None, words, margin=margin, threshold=f"{least:g}")


def _net(facts: Facts, name: str) -> float:
    """Net gain of the classes with a flag [m2]."""
    table, flows = class_table(facts.scheme), facts.flows
    was, now = (table[name].reindex(flows[c]).to_numpy(bool) for c in ("from_class", "to_class"))
    area = flows["area_m2"].to_numpy(float)
    return float(area[now & ~was].sum() - area[was & ~now].sum())


def _j02(facts: Facts) -> Answer:
    old, _, source = _reclaimed(facts)
    (resettlement,) = told(facts, "resettlement_m2")
    ratio = parameter("rural_reserve_ratio", facts.overrides)
    surplus = linkage_surplus(accepted=old, resettlement=resettlement, reserve_ratio=ratio)
    words = f"{source}:复垦 {mu(old)} - 安置 {mu(resettlement)} - 预留 {mu(ratio * old)} = 节余 {mu(surplus)}"
    return Answer(surplus >= 0, surplus / M2_PER_HA, words, threshold="0", unit="ha", comparator=">=")


def _j03(facts: Facts) -> Answer:
    used, back = told(facts, "turnover_use_date", "turnover_return_date")
    most = limit(facts, "J-03")
    years = (back - used).days / 365.25
    whole = back.year - used.year - ((back.month, back.day) < (used.month, used.day))
    exact = whole < most or (whole == most and (back.month, back.day) == (used.month, used.day))
    return Answer(exact, round(years, 2), f"{used} 使用,{back} 归还,{years:.2f} 年", threshold=f"{most:g}")


def _j04(facts: Facts) -> Answer:
    (scope,) = told(facts, "quota_trade_scope")
    return Answer(scope in ("county", "city", "province"), None, f"流转范围 {scope}")


def _j05(facts: Facts) -> Answer:
    price, cost, paid = told(facts, "ticket_price_yuan", "ticket_cost_yuan", "ticket_farmer_paid_yuan")
    if price <= cost:
        raise MissingDataError(f"有净收益的地票价款(价 {price:g} 元不高于成本 {cost:g} 元)")
    share = parameter("ticket_farmer_share", facts.overrides)
    farmer, collective = land_ticket_split(price=price, cost=cost, farmer_share=share)
    words = f"净价款 {price - cost:.2f} 元,农户应得 {farmer:.2f} 元、集体 {collective:.2f} 元,实付农户 {paid:.2f} 元"
    margin = f"差 {paid - farmer:+.2f} 元"
    return Answer(abs(paid - farmer) <= 0.005, paid / (price - cost), words, margin=margin, threshold=f"{share:g}")


def _j06(facts: Facts) -> Answer:
    (state,) = told(facts, "quota_state")
    return Answer(state in STATES, None, f"指标状态 {state}")


def _j08(facts: Facts) -> Answer:
    low, high = numbers_in(facts, "J-08", 2)
    price, cost = told(facts, "entry_price_yuan", "entry_cost_yuan")
    gain = price - cost
    if gain <= 0:
        raise MissingDataError(f"有增值的入市价款(价 {price:g} 元不高于成本 {cost:g} 元)")
    levy = told_or(facts, "entry_levy_yuan", parameter("levy_rate", facts.overrides) * gain)
    words = f"增值 {gain:.2f} 元,调节金 {levy:.2f} 元,净收益 {gain - levy:.2f} 元"
    return between("J-08", levy / gain, words, low=low, high=high)


MEASURES: Mapping[str, Measure] = {
    "J-01": _j01,
    "J-02": _j02,
    "J-03": _j03,
    "J-04": _j04,
    "J-05": _j05,
    "J-06": _j06,
    "J-07": share_at_least("J-07", "entry_votes_for", "entry_votes_all", "入市同意", parameter="consent_ratio"),
    "J-08": _j08,
}
"""Measures of the rules of quotas by rule id."""

