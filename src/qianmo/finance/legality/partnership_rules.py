"""Rules of public-private partnership, private capital and equity (特许经营、社会资本与股权规则)."""

from __future__ import annotations

from collections.abc import Mapping

from qianmo.finance.legality.answer import (
    Answer,
    Measure,
    amount,
    at_least,
    at_most,
    is_never,
    is_never_true,
    is_true,
    parts_at_most,
)
from qianmo.finance.legality.project_facts import ProjectFacts, told, told_or
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter

__all__ = ["MEASURES"]


def _user_pays(facts: ProjectFacts) -> Answer:
    paid, income = told(facts, "government_payment_yuan", "project_income_yuan")
    if income <= 0:
        raise MissingDataError(f"大于零的项目收入(project_income_yuan, 现为 {amount(income, 'yuan')})")
    return at_most(facts, "M-01", paid / income, f"政府付费与缺口补助 {amount(paid, 'yuan')},占收入 {paid / income:.2%}")


def _concession(facts: ProjectFacts) -> Answer:
    (years,) = told(facts, "concession_years")
    return at_most(facts, "F-06", years, f"特许经营期 {years:g} 年")


def _private_share(facts: ProjectFacts) -> Answer:
    share, required = told(facts, "private_share", "private_share_required")
    return Answer(share >= required - 1e-9, share, f"民营企业股比 {share:.2%},清单要求 {required:.2%}", f"≥ {required:g}")


def _fiscal_duty(facts: ProjectFacts) -> Answer:
    duty, budget = told(facts, "fiscal_duty_yuan", "general_budget_yuan")
    if budget <= 0:
        raise MissingDataError("大于零的一般公共预算支出(general_budget_yuan)")
    return at_most(facts, "M-05", duty / budget, f"年度支出责任 {amount(duty, 'yuan')} / 预算 {amount(budget, 'yuan')} = {duty / budget:.2%}")


def _concession_fee(facts: ProjectFacts) -> Answer:
    fee, refund, users = told(facts, "concession_fee_yuan", "concession_fee_refund_yuan", "user_payments_present_yuan")
    words = f"出让费 {amount(fee, 'yuan')},返还 {amount(refund, 'yuan')},使用者付费现值 {amount(users, 'yuan')}"
    return Answer(refund == 0 and fee <= users, fee / users if users > 0 else None, words, "出让费 ≤ 使用者付费现值, 返还为 0")


def _subsidy(facts: ProjectFacts) -> Answer:
    (subsidy,) = told(facts, "operating_subsidy_yuan")
    if subsidy == 0:
        return Answer(True, 0.0, "无运营补贴", "1")
    (general,) = told(facts, "operating_subsidy_general")
    return Answer(general, subsidy, f"运营补贴 {amount(subsidy, 'yuan')},{'有' if general else '无'}普遍适用的政策依据", "1")


def _fixed_return(facts: ProjectFacts) -> Answer:
    """The contract says so, or the payouts show it; see `fixed_return`."""
    flag = told_or(facts, "fixed_return_to_equity", None)
    if flag is True:
        return Answer(False, 1.0, "合同约定固定回报", "0")
    lowest, project = told_or(facts, "payout_lowest_value_yuan", None), told_or(facts, "project_lowest_value_yuan", None)
    if lowest is None or project is None:
        if flag is None:
            told(facts, "fixed_return_to_equity")
        return Answer(True, 0.0, "合同未约定固定回报(未按情景核对兑付)", "0")
    words = f"最差情景:股东净现值 {amount(lowest, 'yuan')},项目净现值 {amount(project, 'yuan')}(按无风险利率)"
    if lowest > 0 and project >= 0:
        raise MissingDataError(f"含项目亏损情景的兑付测算({words};情景中项目从不亏损,无法判断是否保底)")
    return Answer(lowest <= 0, lowest, words, "项目亏损时股东不得稳赚")


def _exit(facts: ProjectFacts) -> Answer:
    (share,) = told(facts, "exit_private_share")
    low, high = parameter("exit_floor"), parameter("exit_cap")
    return Answer(low - 1e-9 <= share <= high + 1e-9, share, f"社会资本分享比例 {share:.2%}", f"{low:g} – {high:g}")


def _collective_share(facts: ProjectFacts) -> Answer:
    share, floor = told(facts, "collective_share", "collective_share_floor")
    return at_least(facts, "M-20", share - floor, f"集体收益比例 {share:.2%},下限 {floor:.2%}")


MEASURES: Mapping[str, Measure] = {
    "M-01": _user_pays,
    "M-02": is_never_true("guaranteed_return"),
    "F-06": _concession,
    "F-07": is_never("ppp_capital_subsidy_yuan"),
    "F-08": _private_share,
    "M-05": _fiscal_duty,
    "M-17": _concession_fee,
    "M-18": _subsidy,
    "M-03": is_never_true("buyback_of_principal"),
    "M-04": _fixed_return,
    "F-09": _exit,
    "F-10": is_true("equity_steps_complete"),
    "M-19": parts_at_most("M-19", "income_shares", "收益分配"),
    "M-20": _collective_share,
}
"""Measures by rule id."""
