"""Coverage of interest, debt service and loans (偿债能力指标)."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from qianmo.finance.figures.coverage import (
    debt_service_coverage,
    interest_coverage,
    liability_ratio,
    loan_life_coverage,
    lowest_coverage,
)
from qianmo.finance.project.records import Project
from qianmo.finance.statements.bond import bond_balance, bond_life
from qianmo.finance.statements.figure import Figure, Values
from qianmo.schema.policy_rates import policy_rate

__all__ = ["bond_figures", "debt_figures"]


def debt_figures(values: Values) -> list[Figure]:
    """ICR, DSCR, LLCR and LOAR, the worst year of each (偿债备付率等)."""
    interest = np.asarray(values["profit.interest"])
    icr = interest_coverage(values["profit.ebit"], interest)
    dscr = debt_service_coverage(values["profit.ebitda"], values["tax.due"], values["debt.service"])
    opening = np.concatenate([[0.0], np.asarray(values["loans.closing"])[:-1]])
    running = np.asarray(values["time.operation"]) > 0
    owed = np.where(running, opening, 0.0)
    rate = np.divide(np.asarray(values["loans.interest"]), opening, out=np.zeros(len(opening)), where=opening > 0)
    llcr = loan_life_coverage(np.where(running, values["debt.cash"], 0.0), owed, np.where(running, rate, 0.0))
    start = next((float(x) for x in llcr if not math.isnan(x)), math.nan)
    loar = liability_ratio(np.maximum(values["balance.liabilities"], 0.0), np.maximum(values["balance.assets"], 0.0))
    return [
        Figure("icr_min", "最低利息备付率 ICR", "倍", float(lowest_coverage(icr)), "息税前利润 ÷ 应付利息", ("profit.ebit", "profit.interest"), tuple(icr)),
        Figure("dscr_min", "最低偿债备付率 DSCR", "倍", float(lowest_coverage(dscr)), "(息税折旧摊销前利润 − 所得税) ÷ 还本付息额", ("profit.ebitda", "tax.due", "debt.service"), tuple(dscr)),
        Figure("llcr", "还款期初贷款寿命期备付率 LLCR", "倍", start, "Σ 可用于还本付息的资金折现 ÷ 借款余额", ("debt.cash", "loans.closing", "loans.interest"), tuple(llcr)),
        Figure("loar_max", "最高资产负债率 LOAR", "比例", float(np.nanmax(loar)) if np.isfinite(loar).any() else math.nan, "负债 ÷ 资产", ("balance.liabilities", "balance.assets"), tuple(loar)),
    ]  # fmt: skip


def bond_figures(project: Project, values: Values) -> list[Figure]:
    """Coverage of the special bonds and of all debt to the maturity of the bonds (专项债券本息覆盖倍数)."""
    balance = bond_balance(project, values)
    if balance is None:
        return []
    years, rows = bond_life(project), ("debt.cash", "loans.principal", "loans.paid")
    least = [policy_rate(f"special_bond_coverage_{k}", date(project.base_year, 7, 1)) for k in ("bond", "all")]
    notes = [f"计至第 {years} 年; 通行要求不低于 {r.value:g} ({r.source})" for r in least]
    words = "Σ (各项收入 − 经营成本与税费) ÷ Σ 还本付息, 至债券到期"
    yearly = tuple(float(x) for x in balance.table["coverage"].iloc[:-1]) + (math.nan,) * (project.years - years)
    return [
        Figure("bond_coverage", "专项债券本息覆盖倍数", "倍", balance.coverage, words, rows, yearly, notes[0]),
        Figure("bond_coverage_all", "全部债务本息覆盖倍数", "倍", balance.coverage_all, words, rows, (), notes[1]),
    ]
