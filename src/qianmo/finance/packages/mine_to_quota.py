"""Mine restoration paid by quota: new farmland, quota, sale, three uses, and what a delay does (矿山修复—指标—反哺)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from qianmo.finance.distribution.exact import exact, fen_of_yuan, shares_of
from qianmo.finance.distribution.quota_chain import QuotaLot, QuotaOutcome, quota_chain
from qianmo.finance.packages.sheet import Item, PackageSheet, amount_in, compared_items, line_total
from qianmo.finance.packages.variants import Variant, variant
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Line, Project
from qianmo.finance.project.units import measured

__all__ = ["mine_to_quota"]


def mine_to_quota(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> PackageSheet:
    """The chain of the quota of a restored mine (A-19, F-01).

    Parameters
    ----------
    entry : Entry
        ``[package]``: `mine_area`, `not_reclaimable`, `quota_line`, `uses` (shares that sum to 1), `delay_months`.
    project, values
        The project and its computed sheet.

    Returns
    -------
    PackageSheet
        New farmland and quota [mu], income and its uses [yuan], figures of the plan and with the delay. The chain must equal the
        quota line of the statements to the fen.

    Raises
    ------
    FinanceInputError
        A key is missing or out of range; the line named is no quota.
    """
    name = entry.text("quota_line")
    line = next((ln for ln in project.lines if ln.id == name and ln.kind == "quota_income"), None)
    if line is None:
        entry.fail("quota_line", f"没有指标科目 {name!r}", expected=", ".join(ln.id for ln in project.lines if ln.kind == "quota_income"))
    uses = entry.child("uses")
    shares = {k: uses.number(k, least=0.0, most=1.0) for k in uses.data}
    if sum(shares_of(shares).values()) != 1 or sum(exact(v) for v in shares.values()) != 1:
        entry.fail("uses", f"用途比例 {shares}", expected="合计为 1")
    lot = _lot(entry, line)
    outcome = quota_chain([lot], shares)
    later = entry.integer("delay_months", 24, least=1, most=12 * project.years)
    plan, stressed = variant(project), variant(project, later_months={name: later})
    income = sum(outcome.income_fen.values()) / 100.0
    return PackageSheet(
        {"指标链": _chain(lot, outcome), "收益用途": [Item(f"use.{n}", k, v / 100.0, "元") for n, (k, v) in enumerate(outcome.use_fen.items(), 1)],
         "计划": compared_items("plan", "计划", plan), f"指标推迟 {later} 个月": compared_items("delay", f"推迟 {later} 个月", stressed)},
        {"指标收入": _yearly(values, name), "资金账户(计划)": _account(plan), f"资金账户(推迟 {later} 个月)": _account(stressed)},
        [("指标链收入与报表指标收入一致(到分)", fen_of_yuan(round(income, 2)) == round(line_total(project, values, name) * 100))],
    )  # fmt: skip


def _lot(entry: Entry, line: Line) -> QuotaLot:
    """The lot, with price and accepted share of the quota line, so that they are written once."""
    area = amount_in(entry, "mine_area", "亩")
    price = round(measured(line.factors[-1], "元/亩"), 6)
    accepted = next((v for key, _, v in line.shares if key == "accepted_share"), 1.0)
    return QuotaLot(line.id, "area", exact(area), exact(entry.number("not_reclaimable", 0.0, least=0.0, most=1.0)), exact(accepted), None, exact(price))


def _chain(lot: QuotaLot, outcome: QuotaOutcome) -> list[Item]:
    new, quota, income = (float(sum(m.values(), Fraction(0))) for m in (outcome.new_farmland_mu, outcome.quota_mu, outcome.income_fen))
    return [
        Item("mine_area", "修复面积", float(lot.area_mu), "亩"),
        Item("new_farmland", "新增耕地(验收)", new, "亩", "修复面积 × (1 − 不能复垦比例) × 验收比例"),
        Item("quota", "可交易指标", quota, "亩"),
        Item("price", "指标单价", float(lot.price_yuan_mu), "元/亩"),
        Item("quota_income", "指标收入", income / 100.0, "元", "指标 × 单价"),
    ]


def _yearly(values: Mapping[str, Sequence[float]], name: str) -> list[float]:
    return [x / 100.0 for x in values[f"line.{name}.amount"]]


def _account(found: Variant) -> list[float]:
    kept = [s.id for s in found.project.sub_projects if s.account]
    return [sum(found.values[f"sub.{s}.account"][t] for s in kept) / 100.0 for t in range(found.project.years)]
