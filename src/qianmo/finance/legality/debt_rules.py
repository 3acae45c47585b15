"""Rules of special bonds, equity, loans and the collective's debt (专项债券、资本金、借款与集体债务规则)."""

from __future__ import annotations

from collections.abc import Mapping

from qianmo.finance.legality.answer import Answer, Measure, amount, at_least, at_most, is_never, is_never_true, parts_at_most
from qianmo.finance.legality.project_facts import ProjectFacts, told, told_or
from qianmo.schema.errors import MissingDataError
from qianmo.schema.finance_rules import capital_shares
from qianmo.schema.rules import unit_cost

__all__ = ["MEASURES"]

FEN = 0.01
"""One fen in yuan."""


def _income(facts: ProjectFacts) -> Answer:
    (income,) = told(facts, "project_income_yuan")
    return Answer(income > 0, income, f"项目收入合计 {amount(income, 'yuan')}", "> 0")


def _coverage(rule_id: str, name: str, zh: str) -> Measure:
    def measure(facts: ProjectFacts) -> Answer:
        (ratio,) = told(facts, name)
        return at_least(facts, rule_id, ratio, f"{zh} {ratio:.3f}")

    return measure


def _term(facts: ProjectFacts) -> Answer:
    bond, project = told(facts, "bond_years", "project_years")
    return Answer(bond <= project, bond, f"债券 {bond:g} 年,项目 {project:g} 年", f"≤ {project:g} 年")


def _survival(facts: ProjectFacts) -> Answer:
    (lowest,) = told(facts, "lowest_cumulative_cash_yuan")
    return Answer(lowest >= -FEN, lowest, f"累计盈余资金最低 {amount(lowest, 'yuan')}", "≥ 0")


def _capital(facts: ProjectFacts) -> Answer:
    equity, total = told(facts, "equity_yuan", "total_investment_yuan")
    if total <= 0:
        raise MissingDataError("大于零的项目总投资(total_investment_yuan)")
    industry = told_or(facts, "industry", "general")
    known = capital_shares()
    if industry not in known:
        raise MissingDataError(f"资本金行业类别 industry(可选: {', '.join(f'{k}({v.zh})' for k, v in known.items())};现为 {industry})")
    least = float(facts.overrides.get("M-13", known[industry].least))
    words = f"资本金 {amount(equity, 'yuan')} / 总投资 {amount(total, 'yuan')} = {equity / total:.2%}({known[industry].zh})"
    return Answer(equity / total >= least - 1e-9, equity / total, words, f"≥ {least:g}")


def _private_loan(facts: ProjectFacts) -> Answer:
    rate, lpr = told(facts, "private_loan_rate", "lpr_one_year_rate")
    if lpr <= 0:
        raise MissingDataError("大于零的一年期LPR(lpr_one_year_rate)")
    return at_most(facts, "M-15", rate / lpr, f"借款利率 {rate:.3%},一年期LPR {lpr:.3%},{rate / lpr:.2f} 倍")


def _bank_loan(facts: ProjectFacts) -> Answer:
    """Every rate within the market range that the price list gives for long-term loans."""
    (rates,) = told(facts, "bank_loan_rates")
    if not rates:
        raise MissingDataError("至少一笔金融机构贷款利率(bank_loan_rates)")
    band = unit_cost("B-LOAN")
    low, high = band.low / 100.0, band.high / 100.0
    odd = [r for r in rates if not low - 1e-9 <= r <= high + 1e-9]
    shown = "、".join(f"{r:.3%}" for r in rates)
    return Answer(not odd, max(rates), f"贷款利率 {shown}", f"{low:.2%} – {high:.2%}")


MEASURES: Mapping[str, Measure] = {
    "M-06": _income,
    "M-07": _coverage("M-07", "bond_coverage", "专项债券本息覆盖倍数"),
    "M-08": _coverage("M-08", "debt_coverage", "全部债务本息覆盖倍数"),
    "M-09": is_never("bond_for_running_cost_yuan"),
    "M-10": _term,
    "M-11": _survival,
    "M-12": parts_at_most("M-12", "pledged_shares", "质押收入"),
    "M-13": _capital,
    "M-14": is_never("borrowed_equity_yuan"),
    "M-15": _private_loan,
    "M-16": _bank_loan,
    "M-21": is_never_true("members_liable"),
    "M-22": is_never_true("collective_guarantee"),
    "M-23": is_never_true("land_ownership_pledged"),
    "M-33": _coverage("M-33", "lowest_debt_service_coverage", "偿债备付率最低"),
}
"""Measures by rule id."""
