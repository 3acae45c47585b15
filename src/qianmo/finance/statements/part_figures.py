"""Investment, returns by profit, break-even, sub-projects and the feedback ratio (投资、收益率、盈亏平衡、子项目)."""

from __future__ import annotations

import math

import numpy as np

from qianmo.finance.figures.break_even import break_even_capacity
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.returns import return_on_equity, return_on_investment
from qianmo.finance.project.records import Project
from qianmo.finance.statements.figure import Figure, Values, existing
from qianmo.finance.statements.line_rows import gross_row, lines_of, net_row
from qianmo.schema.finance_codes import kinds

__all__ = ["feedback_flows", "part_figures", "profit_figures"]


def profit_figures(project: Project, values: Values) -> list[Figure]:
    """Total investment, ROI, ROE, break-even point, lowest cash (投资与收益率)."""
    running = [t for t, f in enumerate(values["time.operation"]) if f]
    total, own = math.fsum(values["use.total"]), math.fsum(values["equity.paid"])
    ebit, net = [values["profit.ebit"][t] for t in running], [values["profit.net"][t] for t in running]
    normal = max(running, key=lambda t: (values["income.recurring"][t], -t)) if running else 0
    variable = math.fsum(values[net_row(project, ln)][normal] for ln in lines_of(project, "operating", direction="out") if kinds()[ln.kind].variable)
    taxes, sales = values["surcharge.total"][normal], values["income.recurring"][normal]
    bep = existing(lambda: break_even_capacity(values["cost.total"][normal] - variable, sales, variable, taxes))
    note = f"取第 {normal + 1} 年 (经常性收入最高的首个运营年, 不含指标与土地收入)"
    return [
        Figure("total_investment", "总投资", "分", total, "建设投资 + 建设期利息 + 流动资金", ("use.total",)),
        Figure("equity_total", "资本金", "分", own, "各年资本金之和", ("equity.paid",)),
        Figure("debt_total", "长期借款", "分", math.fsum(values["loans.drawn"]), "各年借款之和", ("loans.drawn",)),
        Figure("roi", "总投资收益率 ROI", "比例", existing(lambda: return_on_investment(ebit, total)), "运营期年平均息税前利润 ÷ 总投资", ("profit.ebit", "use.total")),
        Figure("roe", "资本金净利润率 ROE", "比例", existing(lambda: return_on_equity(net, own)), "运营期年平均净利润 ÷ 资本金", ("profit.net", "equity.paid")),
        Figure("bep", "盈亏平衡点 BEP(生产能力利用率)", "比例", bep, "固定成本 ÷ (经常性营业收入 − 可变成本 − 税金及附加)", ("cost.total", "income.recurring", "surcharge.total"), note=note),
        Figure("lowest_cash", "最低累计盈余资金", "分", min(values["cash.closing"]), "各年累计盈余资金的最小值", ("cash.closing",)),
        Figure("short_term_peak", "短期借款最高额", "分", max(values["short.borrowed"]), "各年短期借款的最大值", ("short.borrowed",)),
    ]  # fmt: skip


def part_figures(project: Project, values: Values) -> list[Figure]:
    """Value of every sub-project, feedback ratio, lowest accounts (子项目与反哺比)."""
    rate, first = project.benchmark.value, project.first_flow
    found = [
        Figure(f"npv_sub_{s.id}", f"子项目净现值: {s.zh}", "分", float(net_present_value(list(values[f"sub.{s.id}.net"]), rate, first=first)), "Σ (收入 − 经营成本 − 建设投资) 折现", (f"sub.{s.id}.net", "rate.benchmark"))
        for s in project.sub_projects
    ]  # fmt: skip
    gain, cost = feedback_flows(project, values)
    whole = float(net_present_value(cost, rate, first=first))
    if whole > 0:
        back = float(net_present_value(gain, rate, first=first))
        rows = tuple(dict.fromkeys(gross_row(project, ln) for ln in lines_of(project, "operating", "subsidy", "capital")))
        words = "PV(关联产业净收益 + 指标收入 + 补贴, 不含土地出让收入) ÷ PV(生态修复投资与管护)"
        found += [
            Figure("pv_restoration_cost", "生态修复成本现值", "分", whole, "Σ 生态子项目投资与经营成本折现", rows),
            Figure("pv_feedback", "反哺资金现值", "分", back, "Σ 其他子项目净收益与生态子项目收入折现", rows),
            Figure("feedback_ratio", "自平衡比(反哺比)", "倍", back / whole, words, rows),
        ]
    for sub in project.sub_projects:
        if sub.account:
            found.append(Figure(f"lowest_account_{sub.id}", f"资金账户最低余额: {sub.zh}", "分", min(values[f"sub.{sub.id}.account"]), "各年资金账户余额的最小值, 应不小于 0", (f"sub.{sub.id}.account",)))
    return found


def feedback_flows(project: Project, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Money of the related industry and the cost of restoration by year (反哺资金与修复成本).

    Parameters
    ----------
    project : Project
    values : mapping

    Returns
    -------
    array (years,)
        Net flow of the sub-projects that are not ecological and income of those that are, land transfer proceeds left
        out (F-03) [fen].
    array (years,)
        Investment and running cost of the ecological sub-projects, positive [fen].
    """
    ecological = {s.id for s in project.sub_projects if s.kind == "ecological"}
    gain, cost = np.zeros(project.years), np.zeros(project.years)
    for line in lines_of(project, "operating", "subsidy", "capital"):
        amount = np.asarray(values[gross_row(project, line)])
        if kinds()[line.kind].direction == "in":
            gain += amount if line.nature != "land_transfer" else 0.0
        elif line.sub_project in ecological:
            cost += amount
        else:
            gain -= amount
    return gain, cost
