"""Rules of photovoltaic sites, leases, market entry and quotas (光伏用地、租赁、入市与指标规则)."""

from __future__ import annotations

from collections.abc import Mapping

from qianmo.finance.legality.answer import Answer, Measure, amount, at_least, at_most, is_true, numbers_in
from qianmo.finance.legality.project_facts import ProjectFacts, told
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter
from qianmo.schema.units import m2_to_mu

__all__ = ["MEASURES"]

FEN = 0.01
"""One fen in yuan."""

USES = ("industry", "commerce", "housing")
SCOPES = ("county", "city", "province")


def _protected(facts: ProjectFacts) -> Answer:
    area, off = told(facts, "photovoltaic_on_basic_farmland_m2", "photovoltaic_off_grassland_and_forest")
    words = f"占用永久基本农田 {_mu(area)};基本草原、Ⅰ级保护林地、重点国有林区{'未' if off else '有'}占用"
    return Answer(area <= parameter("conflict_tolerance_m2") and off, area, words, "0")


def _overlap(name: str, zh: str) -> Measure:
    def measure(facts: ProjectFacts) -> Answer:
        (area,) = told(facts, name)
        tolerance = parameter("conflict_tolerance_m2")
        return Answer(area <= tolerance, area, f"{zh} {_mu(area)}(图形容差 {tolerance:g} 平方米)", "0")

    return measure


def _forest(facts: ProjectFacts) -> Answer:
    (area,) = told(facts, "photovoltaic_on_forest_m2")
    if area == 0:
        return Answer(True, 0.0, "方阵不使用林地")
    rain, cover = told(facts, "yearly_rain_mm", "shrub_cover_pct")
    most_rain, most_cover = numbers_in(facts, "F-13", 2)
    words = f"使用林地 {_mu(area)},年降水 {rain:g} 毫米(< {most_rain:g}),灌木覆盖度 {cover:g} %(< {most_cover:g})"
    return Answer(rain < most_rain and cover < most_cover, rain, words, f"< {most_rain:g} 毫米, < {most_cover:g} %")


def _lease(facts: ProjectFacts) -> Answer:
    (years,) = told(facts, "lease_years")
    return at_most(facts, "M-24", years, f"最长租赁期限 {years:g} 年")


def _transfer(facts: ProjectFacts) -> Answer:
    years, left = told(facts, "land_transfer_years", "contract_remaining_years")
    return Answer(years <= left, years, f"流转 {years:g} 年,承包期剩余 {left:g} 年", f"≤ {left:g} 年")


def _consent(facts: ProjectFacts) -> Answer:
    ayes, everyone = told(facts, "entry_votes_for", "entry_votes_all")
    if everyone <= 0 or not 0 <= ayes <= everyone:
        raise MissingDataError(f"入市表决人数(同意 {ayes:g}, 总数 {everyone:g} 不成比例)")
    return Answer(3 * ayes >= 2 * everyone if "J-07" not in facts.overrides else ayes / everyone >= numbers_in(facts, "J-07", 1)[0],
                  ayes / everyone, f"同意 {ayes:g} / {everyone:g} = {ayes / everyone:.2%}", "≥ 2/3")  # fmt: skip


def _levy(facts: ProjectFacts) -> Answer:
    price, cost, levy = told(facts, "entry_price_yuan", "entry_cost_yuan", "entry_levy_yuan")
    low, high = numbers_in(facts, "J-08", 2)
    gain = price - cost
    words = f"增值 {amount(gain, 'yuan')},调节金 {amount(levy, 'yuan')}"
    if gain <= 0:
        return Answer(levy <= FEN, levy, f"{words};无增值不征收", "0")
    words += f",占 {levy / gain:.2%},净收益 {amount(gain - levy, 'yuan')}"
    return Answer(low - 1e-9 <= levy / gain <= high + 1e-9, levy / gain, words, f"{low:g} – {high:g}")


def _entry_term(facts: ProjectFacts) -> Answer:
    years, use = told(facts, "entry_years", "entry_use")
    industry, commerce = numbers_in(facts, "M-26", 2)
    most = industry if _use(use) == "industry" else commerce
    return Answer(years <= most, years, f"{'工业' if use == 'industry' else '商业等'}用途 {years:g} 年", f"≤ {most:g} 年")


def _entry_use(facts: ProjectFacts) -> Answer:
    use = _use(told(facts, "entry_use")[0])
    return Answer(use != "housing", None, f"入市用途:{ {'industry': '工业', 'commerce': '商业', 'housing': '商品住宅'}[use]}", "非商品住宅")


def _reclaimed(facts: ProjectFacts) -> Answer:
    old, new = told(facts, "reclaimed_accepted_m2", "new_build_m2")
    words = f"拆旧复垦 {_mu(old)},建新 {_mu(new)},差 {_mu(old - new)}"
    return Answer(old >= numbers_in(facts, "J-01", 1)[0] * new, old / new if new else None, words, "复垦 ≥ 建新")


def _surplus(facts: ProjectFacts) -> Answer:
    """The surplus that is claimed must not be above accepted land less resettlement less the rural reserve."""
    old, resettled, claimed = told(facts, "reclaimed_accepted_m2", "resettlement_m2", "quota_surplus_m2")
    (ratio,) = numbers_in(facts, "J-02", 1)
    surplus = old - resettled - ratio * old
    words = f"复垦 {_mu(old)} - 安置 {_mu(resettled)} - 预留 {_mu(ratio * old)} = 节余 {_mu(surplus)},申报 {_mu(claimed)}"
    return Answer(claimed <= surplus + 1e-6, claimed, words, f"≤ {_mu(surplus)}")


def _turnover(facts: ProjectFacts) -> Answer:
    used, back = told(facts, "turnover_use_date", "turnover_return_date")
    most = int(numbers_in(facts, "J-03", 1)[0])
    last = (used.year + most, used.month, used.day)
    return Answer((back.year, back.month, back.day) <= last, round((back - used).days / 365.25, 2), f"{used} 使用,{back} 归还", f"≤ {most} 年")


def _scope(facts: ProjectFacts) -> Answer:
    (scope,) = told(facts, "quota_trade_scope")
    if scope not in (*SCOPES, "nation"):
        raise MissingDataError(f"流转范围 quota_trade_scope(county、city、province 或 nation, 现为 {scope})")
    return Answer(scope in SCOPES, None, f"流转范围 {scope}", "省域内")


def _ticket(facts: ProjectFacts) -> Answer:
    price, cost, paid = told(facts, "ticket_price_yuan", "ticket_cost_yuan", "ticket_farmer_paid_yuan")
    net, share = price - cost, numbers_in(facts, "J-05", 1)[0]
    if net <= 0:
        raise MissingDataError(f"有净收益的地票价款(净价款 {amount(net, 'yuan')})")
    words = f"净价款 {amount(net, 'yuan')},农户应得 {amount(share * net, 'yuan')},实付 {amount(paid, 'yuan')},集体 {amount(net - paid, 'yuan')}"
    return Answer(abs(paid - share * net) <= FEN / 2 + 1e-9 * net, paid / net, words, f"农户 {share:.0%}")


def _acceptance(facts: ProjectFacts) -> Answer:
    income, accepted = told(facts, "quota_first_income_year", "quota_acceptance_year")
    return at_least(facts, "M-34", income - accepted, f"{accepted:g} 年验收入库,{income:g} 年首笔收入")


def _sold(facts: ProjectFacts) -> Answer:
    sold, accepted = told(facts, "quota_sold_m2", "quota_accepted_m2")
    return Answer(sold <= accepted + 1e-6, sold / accepted if accepted else None, f"交易 {_mu(sold)},验收 {_mu(accepted)}", "交易 ≤ 验收")


def _use(use: str) -> str:
    if use not in USES:
        raise MissingDataError(f"入市用途 entry_use({'、'.join(USES)}, 现为 {use})")
    return use


def _mu(area_m2: float) -> str:
    return f"{m2_to_mu(area_m2):,.2f} 亩"


MEASURES: Mapping[str, Measure] = {
    "F-11": _protected,
    "F-12": _overlap("photovoltaic_on_farmland_m2", "光伏方阵占用耕地"),
    "M-32": _overlap("photovoltaic_on_redline_m2", "光伏占用生态保护红线"),
    "F-13": _forest,
    "F-14": is_true("photovoltaic_facilities_as_construction"),
    "M-24": _lease,
    "M-25": _transfer,
    "J-07": _consent,
    "J-08": _levy,
    "M-26": _entry_term,
    "M-27": _entry_use,
    "J-01": _reclaimed,
    "J-02": _surplus,
    "J-03": _turnover,
    "J-04": _scope,
    "J-05": _ticket,
    "M-34": _acceptance,
    "M-35": _sold,
}
"""Measures by rule id."""
