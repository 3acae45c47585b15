"""The figures a project is judged by (评价指标)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from qianmo.finance.figures.break_even import break_even_capacity
from qianmo.finance.figures.coverage import (
    debt_service_coverage,
    interest_coverage,
    liability_ratio,
    loan_life_coverage,
    lowest_coverage,
)
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rates_of_return
from qianmo.finance.figures.returns import return_on_equity, return_on_investment
from qianmo.finance.project.records import Project
from qianmo.finance.statements.bond import bond_balance, bond_life
from qianmo.finance.statements.line_rows import gross_row, lines_of, net_row
from qianmo.schema.errors import FigureError, FinanceInputError
from qianmo.schema.finance_codes import kinds
from qianmo.schema.policy_rates import policy_rate

__all__ = ["Figure", "feedback_flows", "figures_of"]

Values = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Figure:
    """One figure (指标).

    Parameters
    ----------
    id, zh : str
    unit : str
        分, 比例, 年, 倍.
    value : float
        nan where it has no value; `note` says why.
    words : str
        The formula in words.
    rows : tuple of str
        Rows of the sheet it is made of.
    by_year : tuple of float
        The ratio of every year, where there is one.
    note : str
    """

    id: str
    zh: str
    unit: str
    value: float
    words: str
    rows: tuple[str, ...]
    by_year: tuple[float, ...] = ()
    note: str = ""


def figures_of(project: Project, values: Values) -> dict[str, Figure]:
    """All figures of a project by id (全部指标).

    Parameters
    ----------
    project : Project
    values : mapping
        What `computed` gave for its sheet.

    Returns
    -------
    dict of str to Figure
        Never rounded. A rate of return that does not exist or is not single is nan with the reason in its note.

    Raises
    ------
    FinanceInputError
        The flow of the whole investment never changes its sign: there is nothing to judge; or the loans are more than the
        whole investment (gearing above 1).
    """
    _check_signs(project, values)
    _check_gearing(project, values)
    found: list[Figure] = []
    for flow, zh in (("before_tax", "项目投资所得税前"), ("after_tax", "项目投资所得税后"), ("equity", "资本金")):
        found += _flow_figures(project, values, flow, zh)
    found += _debt_figures(values)
    found += _profit_figures(project, values)
    found += _part_figures(project, values)
    found += _bond_figures(project, values)
    return {f.id: f for f in found}


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


def _check_signs(project: Project, values: Values) -> None:
    flow = values["flow.before_tax"]
    if min(flow) < 0 < max(flow) or not project.returns:
        return
    source = project.sources["years"]
    what = "没有为正的年份" if max(flow) <= 0 else "没有为负的年份"
    raise FinanceInputError(
        f"全部投资净现金流量{what}, 内部收益率不存在", file=project.file, line=source.line, key=source.key,
        expected="计算期内既有投入又有净收入的年份", cure="核对收入行与投资行的年份和金额, 或延长计算期 years; 没有收益的公益项目在 [project] 写 returns = false",
    )  # fmt: skip


def _check_gearing(project: Project, values: Values) -> None:
    debt, whole = math.fsum(values["loans.drawn"]), math.fsum(values["use.total"])
    if debt <= whole:
        return
    loan = max(project.loans, key=lambda ln: math.fsum(values[f"loan.{ln.id}.drawn"]))
    source = loan.sources[loan.sizing]
    raise FinanceInputError(
        f"借款合计 {debt / 1e6:,.2f} 万元大于总投资 {whole / 1e6:,.2f} 万元, 负债比例 {debt / whole:.4f} 大于 1" if whole else "有借款而没有投资",
        file=project.file, line=source.line, key=source.key, expected="借款不大于总投资", cure="减小借款, 或以 most 限制按备付率确定的借款",
    )  # fmt: skip


def _flow_figures(project: Project, values: Values, flow: str, zh: str) -> list[Figure]:
    money, rate, first, row = list(values[f"flow.{flow}"]), _yearly_rate(project), project.first_flow, (f"flow.{flow}", "rate.benchmark")
    when = "首年不折现" if first == "now" else "首年折现一年"
    irr, note = _rate_of_return(money, project.benchmark.value)
    modified = _safe(lambda: modified_rate_of_return(money, project.benchmark.value, project.benchmark.value))
    return [
        Figure(f"npv_{flow}", f"{zh}财务净现值 FNPV", "分", float(net_present_value(money, rate, first=first)), f"Σ 净现金流量 ÷ (1+基准收益率)^t, {when}", row),
        Figure(f"irr_{flow}", f"{zh}财务内部收益率 FIRR", "比例", irr, "使 Σ 净现金流量 ÷ (1+r)^t = 0 的 r", row[:1], note=note),
        Figure(f"mirr_{flow}", f"{zh}修正内部收益率 MIRR", "比例", modified, "投入按基准收益率折现, 收回按基准收益率增值", row),
        Figure(f"payback_{flow}", f"{zh}静态投资回收期 Pt", "年", float(payback_years(money, first=first)), "累计净现金流量最后一次由负转正的年限", row[:1]),
        Figure(f"dynamic_payback_{flow}", f"{zh}动态投资回收期 Pt'", "年", float(payback_years(money, rate=rate, first=first)), "累计折现净现金流量最后一次由负转正的年限", row),
    ]  # fmt: skip


def _yearly_rate(project: Project) -> float:
    return project.benchmark.value


def _rate_of_return(money: Sequence[float], benchmark: float) -> tuple[float, str]:
    roots = rates_of_return(money)
    if len(roots) == 1:
        return roots[0], ""
    if not roots:
        return math.nan, "净现金流量没有使净现值为零的折现率"
    return math.nan, f"有 {len(roots)} 个内部收益率 ({', '.join(f'{r:.4%}' for r in roots)}), 不取其一; 请用净现值与修正内部收益率"


def _safe(figure: Callable[[], float]) -> float:
    """A figure that may not exist."""
    try:
        return float(figure())
    except FigureError:
        return math.nan


def _debt_figures(values: Values) -> list[Figure]:
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


def _profit_figures(project: Project, values: Values) -> list[Figure]:
    running = [t for t, f in enumerate(values["time.operation"]) if f]
    total, own = math.fsum(values["use.total"]), math.fsum(values["equity.paid"])
    ebit, net = [values["profit.ebit"][t] for t in running], [values["profit.net"][t] for t in running]
    normal = max(running, key=lambda t: (values["income.recurring"][t], -t)) if running else 0
    variable = math.fsum(values[net_row(project, ln)][normal] for ln in lines_of(project, "operating", direction="out") if kinds()[ln.kind].variable)
    taxes, sales = values["surcharge.total"][normal], values["income.recurring"][normal]
    bep = _safe(lambda: break_even_capacity(values["cost.total"][normal] - variable, sales, variable, taxes))
    note = f"取第 {normal + 1} 年 (经常性收入最高的首个运营年, 不含指标与土地收入)"
    return [
        Figure("total_investment", "总投资", "分", total, "建设投资 + 建设期利息 + 流动资金", ("use.total",)),
        Figure("equity_total", "资本金", "分", own, "各年资本金之和", ("equity.paid",)),
        Figure("debt_total", "长期借款", "分", math.fsum(values["loans.drawn"]), "各年借款之和", ("loans.drawn",)),
        Figure("roi", "总投资收益率 ROI", "比例", _safe(lambda: return_on_investment(ebit, total)), "运营期年平均息税前利润 ÷ 总投资", ("profit.ebit", "use.total")),
        Figure("roe", "资本金净利润率 ROE", "比例", _safe(lambda: return_on_equity(net, own)), "运营期年平均净利润 ÷ 资本金", ("profit.net", "equity.paid")),
        Figure("bep", "盈亏平衡点 BEP(生产能力利用率)", "比例", bep, "固定成本 ÷ (经常性营业收入 − 可变成本 − 税金及附加)", ("cost.total", "income.recurring", "surcharge.total"), note=note),
        Figure("lowest_cash", "最低累计盈余资金", "分", min(values["cash.closing"]), "各年累计盈余资金的最小值", ("cash.closing",)),
        Figure("short_term_peak", "短期借款最高额", "分", max(values["short.borrowed"]), "各年短期借款的最大值", ("short.borrowed",)),
    ]  # fmt: skip


def _bond_figures(project: Project, values: Values) -> list[Figure]:
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


def _part_figures(project: Project, values: Values) -> list[Figure]:
    rate, first = _yearly_rate(project), project.first_flow
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
            Figure("feedback_ratio", "反哺比(资金自平衡系数)", "倍", back / whole, words, rows),
        ]
    for sub in project.sub_projects:
        if sub.account:
            found.append(Figure(f"lowest_account_{sub.id}", f"资金账户最低余额: {sub.zh}", "分", min(values[f"sub.{sub.id}.account"]), "各年资金账户余额的最小值, 应不小于 0", (f"sub.{sub.id}.account",)))
    return found


