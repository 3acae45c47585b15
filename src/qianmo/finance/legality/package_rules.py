"""Rules of an EOD package and of public debt (EOD 与政府债务规则)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qianmo.finance.legality.answer import Answer, Measure, amount, at_least, at_most, is_never, is_never_true, numbers_in
from qianmo.finance.legality.project_facts import ProjectFacts, told, told_or
from qianmo.schema.errors import MissingDataError
from qianmo.schema.finance_rules import finance_facts

__all__ = ["MEASURES"]

FEN = 0.01
"""One fen in yuan: what booked amounts may differ by."""


def _self_balance(facts: ProjectFacts) -> Answer:
    industry, quota, cost = told(facts, "industry_net_yuan", "quota_income_yuan", "ecology_cost_yuan")
    subsidy = told_or(facts, "subsidy_yuan", 0.0)
    if cost <= 0:
        raise MissingDataError("大于零的生态治理成本现值(ecology_cost_yuan)")
    ratio = (industry + quota + subsidy) / cost
    parts = f"产业 {amount(industry, 'yuan')} + 指标 {amount(quota, 'yuan')} + 补助 {amount(subsidy, 'yuan')}"
    return at_least(facts, "F-01", ratio, f"现值:({parts}) / 治理成本 {amount(cost, 'yuan')} = {ratio:.4f}")


def _land_income(facts: ProjectFacts) -> Answer:
    (share,) = told(facts, "land_transfer_income_share")
    return at_most(facts, "F-03", share, f"土地出让收入占项目收益 {share:.2%}")


def _size(facts: ProjectFacts) -> Answer:
    count, money, level = told(facts, "eod_subprojects", "eod_investment_yuan", "eod_level")
    most, city, county = numbers_in(facts, "F-04", 3)
    if level not in ("city", "county"):
        raise MissingDataError(f"项目层级 eod_level(city 或 county, 现为 {level})")
    cap = city if level == "city" else county
    words = f"子项目 {count:g} 个(≤ {most:g}),投资 {money / 1e8:,.2f} 亿元(≤ {cap:g})"
    return Answer(count <= most and money / 1e8 <= cap, count, words, f"{most:g} 个, {cap:g} 亿元")


def _linkage(facts: ProjectFacts) -> Answer:
    score, single = told(facts, "linkage_score", "single_implementer")
    answer = at_least(facts, "F-05", score, f"关联度 {score:g},单一实施主体:{'是' if single else '否'}")
    return Answer(answer.ok and single, score, answer.numbers, f"{answer.limit}, 单一主体")


def _account(facts: ProjectFacts) -> Answer:
    (lowest,) = told(facts, "restoration_account_lowest_yuan")
    return Answer(lowest >= -FEN, lowest, f"账户最低余额 {amount(lowest, 'yuan')}", "≥ 0")


def _probability(facts: ProjectFacts) -> Answer:
    (share,) = told(facts, "self_balance_probability")
    return at_least(facts, "M-30", share, f"自平衡比不低于 1 的概率 {share:.2%}")


def _ecology_first(facts: ProjectFacts) -> Answer:
    ecology, industry = (_progress(name, values) for name, values in zip(PROGRESS, told(facts, *PROGRESS)))
    if len(ecology) != len(industry) or not ecology:
        raise MissingDataError(f"等长的逐年进度({PROGRESS[0]} {len(ecology)} 年, {PROGRESS[1]} {len(industry)} 年)")
    year, lag = min(enumerate((e - i for e, i in zip(ecology, industry)), 1), key=lambda pair: pair[1])
    words = f"第 {year} 年治理累计 {ecology[year - 1]:.2%},产业累计 {industry[year - 1]:.2%}"
    return at_least(facts, "M-31", lag, words)


PROGRESS = ("ecology_progress", "industry_progress")


def _progress(name: str, values: Sequence[float]) -> list[float]:
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not 0.0 <= v <= 1.0 for v in values):
        raise MissingDataError(f"{finance_facts()[name].zh}({name}): 应为 0 到 1 的逐年累计比例")
    return [float(v) for v in values]


MEASURES: Mapping[str, Measure] = {
    "F-01": _self_balance,
    "F-02": is_never_true("government_guarantee", "government_buyback"),
    "F-03": _land_income,
    "F-04": _size,
    "F-05": _linkage,
    "M-28": _account,
    "M-29": is_never("transfer_gap_yuan", tolerance=FEN / 2),
    "M-30": _probability,
    "M-31": _ecology_first,
    "M-36": is_never("tax_share_to_private_yuan"),
}
"""Measures by rule id."""
