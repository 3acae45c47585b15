"""Figures of a project as live formulas: yearly ratios and single values (指标公式)."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qianmo.finance.figures.present_value import discounted_flows
from qianmo.finance.project.records import Project
from qianmo.finance.statements.bond import bond_life
from qianmo.finance.statements.indicators import Figure, feedback_flows
from qianmo.finance.statements.line_rows import gross_row, lines_of, net_row
from qianmo.reports.sheet_formula import Places
from qianmo.schema.finance_codes import kinds

__all__ = ["WAN", "FigureRow", "figure_rows", "yearly_values"]

WAN = 1_000_000
"""Fen in 万元: a unit, not a price."""


@dataclass(frozen=True)
class FigureRow:
    """A row of the sheet of figures (指标行).

    `yearly` gives the formula of a year, `single` the formula of the one value; `key` names the figure of `Figure` that it
    must equal, and `scale` what the engine's number is divided by.
    """

    name: str
    zh: str
    unit: str
    words: str
    yearly: Callable[[int], str] | None = None
    single: str = ""
    key: str = ""
    scale: float = 1.0


def figure_rows(project: Project, figures: Mapping[str, Figure], places: Places, sheet: str, top: int) -> dict[int, FigureRow]:
    """Rows of the sheet of figures by their row from 0, those above used by those below (指标各行).

    Parameters
    ----------
    project : Project
    figures : mapping
        What `figures_of` gave: a return that does not exist is said in words.
    places : Places
        Of the rows of the model.
    sheet : str
        Name of the sheet of figures.
    top : int
        Its first row.
    """
    draft = _rows(project, figures, places, Places(defaultdict(lambda: (sheet, 0, True)), project.years))
    at = {row.name: (sheet, top + n, True) for n, row in enumerate(draft)}
    return dict(enumerate(_rows(project, figures, places, Places(at, project.years)), top))


def _rows(project: Project, figures: Mapping[str, Figure], m: Places, h: Places) -> list[FigureRow]:
    rows: list[FigureRow] = []
    for flow, zh in (("before_tax", "所得税前"), ("after_tax", "所得税后"), ("equity", "资本金")):
        rows += _flow_rows(project, figures, m, h, flow, zh)
    return [*rows, *_debt_rows(m, h), *_single_rows(project, m), *_part_rows(project, figures, m, h), *_bond_rows(project, figures, m)]


def _flow_rows(project: Project, figures: Mapping[str, Figure], m: Places, h: Places, flow: str, zh: str) -> list[FigureRow]:
    money, rate = f"flow.{flow}", m.cell("rate.benchmark", 1)
    late = 0 if project.first_flow == "now" else 1
    present, cum, discounted_cum = f"{flow}.present", f"{flow}.cum", f"{flow}.present_cum"
    irr, guess = figures[f"irr_{flow}"], figures[f"irr_{flow}"].value
    found = f"=IRR({m.span(money)},{round(guess, 2):g})" if not math.isnan(guess) else f'="{irr.note}"'

    def figure(name: str, unit: str, single: str, scale: float = 1.0) -> FigureRow:
        told = figures[f"{name}_{flow}"]
        return FigureRow(told.id, told.zh, unit, told.words, single=single, key=told.id, scale=scale)

    return [
        FigureRow(cum, f"{zh}: 累计净现金流量", "分", "逐年累计", lambda t: f"{h.cell(cum, t - 1)}+{m.cell(money, t)}"),
        FigureRow(present, f"{zh}: 折现净现金流量", "分", "净现金流量 ÷ (1+基准收益率)^t", lambda t: f"{m.cell(money, t)}/(1+{rate})^({m.cell('time.year', t)}-1+{late})"),
        FigureRow(discounted_cum, f"{zh}: 累计折现净现金流量", "分", "逐年累计", lambda t: f"{h.cell(discounted_cum, t - 1)}+{h.cell(present, t)}"),
        figure("npv", "万元", f"=NPV({rate},{m.span(money)})*(1+{rate})^{1 - late}/{WAN}", WAN),
        figure("irr", "比例", found),
        figure("mirr", "比例", f'=IFERROR(MIRR({m.span(money)},{rate},{rate}),"—")'),
        figure("payback", "年", _payback(m.span(money), h.span(cum), m, late)),
        figure("dynamic_payback", "年", _payback(h.span(present), h.span(discounted_cum), m, late)),
    ]


def _payback(flow: str, cum: str, m: Places, late: int) -> str:
    """The last year whose cumulative flow is negative, and the part of the next year that turns it."""
    last = f"SUMPRODUCT(MAX(({cum}<0)*{m.span('time.year')}))"
    turn = f"{last}-1+{late}-INDEX({cum},1,{last})/INDEX({flow},1,{last}+1)"
    return f'=IF({last}={m.years},"—",IF({last}=0,0,{turn}))'


def _ratio(top: str, bottom: str) -> str:
    return f'IF({bottom}>0,({top})/{bottom},"")'


def _debt_rows(m: Places, h: Places) -> list[FigureRow]:
    def rate(t: int) -> str:
        opening = m.cell("loans.closing", t - 1)
        return f"IF(AND({m.cell('time.operation', t)}>0,{opening}>0),{m.cell('loans.interest', t)}/MAX({opening},1),0)"

    def owed(t: int) -> str:
        return f"{m.cell('time.operation', t)}*{m.cell('loans.closing', t - 1)}"

    alive, worth, llcr = "llcr.alive", "llcr.worth", "llcr.by_year"
    first = f'=IFERROR(INDEX({h.span(llcr)},1,MATCH(TRUE,INDEX(ISNUMBER({h.span(llcr)}),0),0)),"—")'
    least = '=IF(COUNT({0})>0,MIN({0}),"—")'
    return [
        FigureRow("icr.by_year", "利息备付率 ICR", "倍", "息税前利润 ÷ 应付利息", lambda t: _ratio(m.cell("profit.ebit", t), m.cell("profit.interest", t)), key="icr_min"),
        FigureRow("icr_min", "最低利息备付率 ICR", "倍", "各年最小值", single=least.format(h.span("icr.by_year")), key="icr_min"),
        FigureRow("dscr.by_year", "偿债备付率 DSCR", "倍", "(息税折旧摊销前利润 − 所得税) ÷ 还本付息额", lambda t: _ratio(m.cell("debt.cash", t), m.cell("debt.service", t)), key="dscr_min"),
        FigureRow("dscr_min", "最低偿债备付率 DSCR", "倍", "各年最小值", single=least.format(h.span("dscr.by_year")), key="dscr_min"),
        FigureRow(alive, "贷款存续标志", "标志", "本年或以后年初仍有余额", lambda t: f"IF(OR({owed(t)}>0,{h.cell(alive, t + 1)}>0),1,0)"),
        FigureRow(worth, "存续期可用资金现值", "分", "(可用资金 + 下年现值) ÷ (1+利率)", lambda t: f"({m.cell('debt.cash', t)}*{m.cell('time.operation', t)}*{h.cell(alive, t)}+{h.cell(worth, t + 1)})/(1+{rate(t)})"),
        FigureRow(llcr, "贷款寿命期备付率 LLCR", "倍", "现值 ÷ 年初余额", lambda t: _ratio(h.cell(worth, t), f"({owed(t)})"), key="llcr"),
        FigureRow("llcr", "还款期初贷款寿命期备付率 LLCR", "倍", "首个有余额的年份", single=first, key="llcr"),
        FigureRow("loar.by_year", "资产负债率 LOAR", "比例", "负债 ÷ 资产", lambda t: _ratio(f"MAX({m.cell('balance.liabilities', t)},0)", f"MAX({m.cell('balance.assets', t)},0)"), key="loar_max"),
        FigureRow("loar_max", "最高资产负债率 LOAR", "比例", "各年最大值", single=f'=IF(COUNT({h.span("loar.by_year")})>0,MAX({h.span("loar.by_year")}),"—")', key="loar_max"),
    ]  # fmt: skip


def _single_rows(project: Project, m: Places) -> list[FigureRow]:
    def whole(name: str) -> str:
        return f"SUM({m.span(name)})"

    running = m.span("time.operation")
    sales = m.span("income.recurring")
    best = f"SUMPRODUCT(MAX({sales}*({running}>0)))"
    normal = f"MATCH(1,INDEX(({sales}={best})*({running}>0),0),0)"
    variable = [f"INDEX({m.span(net_row(project, ln))},1,{normal})" for ln in lines_of(project, "operating", direction="out") if kinds()[ln.kind].variable]
    moving = "+".join(variable) or "0"
    fixed = f"INDEX({m.span('cost.total')},1,{normal})-({moving})"
    margin = f"INDEX({sales},1,{normal})-({moving})-INDEX({m.span('surcharge.total')},1,{normal})"
    mean = 'IF(AND(SUM({1})>0,{2}>0),SUMPRODUCT({0},{1})/SUM({1})/{2},"—")'
    return [
        FigureRow("total_investment", "总投资", "万元", "建设投资 + 建设期利息 + 流动资金", single=f"={whole('use.total')}/{WAN}", key="total_investment", scale=WAN),
        FigureRow("equity_total", "资本金", "万元", "各年之和", single=f"={whole('equity.paid')}/{WAN}", key="equity_total", scale=WAN),
        FigureRow("debt_total", "长期借款", "万元", "各年之和", single=f"={whole('loans.drawn')}/{WAN}", key="debt_total", scale=WAN),
        FigureRow("roi", "总投资收益率 ROI", "比例", "运营期年平均息税前利润 ÷ 总投资", single="=" + mean.format(m.span("profit.ebit"), running, whole("use.total")), key="roi"),
        FigureRow("roe", "资本金净利润率 ROE", "比例", "运营期年平均净利润 ÷ 资本金", single="=" + mean.format(m.span("profit.net"), running, whole("equity.paid")), key="roe"),
        FigureRow("bep", "盈亏平衡点 BEP(生产能力利用率)", "比例", "固定成本 ÷ (经常性营业收入 − 可变成本 − 税金及附加), 取经常性收入最高的首个运营年", single=f'=IF({margin}>0,({fixed})/({margin}),"—")', key="bep"),
        FigureRow("lowest_cash", "最低累计盈余资金", "万元", "各年最小值", single=f"=MIN({m.span('cash.closing')})/{WAN}", key="lowest_cash", scale=WAN),
        FigureRow("short_term_peak", "短期借款最高额", "万元", "各年最大值", single=f"=MAX({m.span('short.borrowed')})/{WAN}", key="short_term_peak", scale=WAN),
    ]  # fmt: skip


def _part_rows(project: Project, figures: Mapping[str, Figure], m: Places, h: Places) -> list[FigureRow]:
    rate, late = m.cell("rate.benchmark", 1), 0 if project.first_flow == "now" else 1

    def worth(span: str) -> str:
        return f"NPV({rate},{span})*(1+{rate})^{1 - late}/{WAN}"

    rows = [
        FigureRow(f"npv_sub_{s.id}", f"子项目净现值: {s.zh}", "万元", "Σ (收入 − 经营成本 − 建设投资) 折现", single=f"={worth(m.span(f'sub.{s.id}.net'))}", key=f"npv_sub_{s.id}", scale=WAN)
        for s in project.sub_projects
    ]  # fmt: skip
    if "feedback_ratio" in figures:
        gain, cost = _feedback(project)
        rows += [
            FigureRow("feedback.gain", "反哺资金", "分", "其他子项目净收益与生态子项目收入, 不含土地出让收入", lambda t: _signed(gain, m, t)),
            FigureRow("feedback.cost", "生态修复成本", "分", "生态子项目投资与经营成本", lambda t: _signed(cost, m, t)),
            FigureRow("pv_restoration_cost", figures["pv_restoration_cost"].zh, "万元", "折现", single=f"={worth(h.span('feedback.cost'))}", key="pv_restoration_cost", scale=WAN),
            FigureRow("pv_feedback", figures["pv_feedback"].zh, "万元", "折现", single=f"={worth(h.span('feedback.gain'))}", key="pv_feedback", scale=WAN),
            FigureRow("feedback_ratio", figures["feedback_ratio"].zh, "倍", figures["feedback_ratio"].words, single=f"={worth(h.span('feedback.gain'))}/({worth(h.span('feedback.cost'))})", key="feedback_ratio"),
        ]  # fmt: skip
    for sub in project.sub_projects:
        if sub.account:
            key, lowest = f"lowest_account_{sub.id}", f"=MIN({m.span(f'sub.{sub.id}.account')})/{WAN}"
            rows.append(FigureRow(key, figures[key].zh, "万元", figures[key].words, single=lowest, key=key, scale=WAN))
    return rows


def _bond_rows(project: Project, figures: Mapping[str, Figure], m: Places) -> list[FigureRow]:
    """Cash over service until the last bond is repaid."""
    if "bond_coverage" not in figures:
        return []
    life = f"({m.span('time.year')}<={bond_life(project)})"

    def due(every: bool) -> str:
        names = [ln.id for ln in project.loans if every or ln.nature == "special_bond"]
        return "+".join(f"SUMPRODUCT({m.span(f'loan.{n}.{part}')}*{life})" for n in names for part in ("principal", "paid"))

    cash = f"SUMPRODUCT({m.span('debt.cash')}*{life})"
    return [
        FigureRow(key, figures[key].zh, "倍", figures[key].words, single=f'=IF({due(every)}>0,{cash}/({due(every)}),"—")', key=key)
        for key, every in (("bond_coverage", False), ("bond_coverage_all", True))
    ]


def _feedback(project: Project) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Signed rows of the money that feeds back and of the cost of restoration."""
    ecological = {s.id for s in project.sub_projects if s.kind == "ecological"}
    gain, cost = [], []
    for line in lines_of(project, "operating", "subsidy", "capital"):
        row = gross_row(project, line)
        if kinds()[line.kind].direction == "in":
            if line.nature != "land_transfer":
                gain.append(("+", row))
        elif line.sub_project in ecological:
            cost.append(("+", row))
        else:
            gain.append(("-", row))
    return gain, cost


def _signed(parts: Sequence[tuple[str, str]], m: Places, year: int) -> str:
    return "0" + "".join(f"{sign}{m.cell(row, year)}" for sign, row in parts)


def yearly_values(name: str, project: Project, values: Mapping[str, Sequence[float]]) -> Sequence[float]:
    """What the engine says of a yearly row that is no figure of its own (辅助行数值).

    Parameters
    ----------
    name : str
        Name of the row, as ``equity.present``.
    project : Project
    values : mapping
        What `computed` gave.
    """
    part, _, kind = name.partition(".")
    if part == "feedback":
        return list(feedback_flows(project, values)[kind == "cost"])
    if part == "llcr":
        return _loan_life(values, kind)
    flow = list(values[f"flow.{part}"])
    if kind != "cum":
        flow = list(discounted_flows(flow, project.benchmark.value, first=project.first_flow))
    return flow if kind == "present" else list(itertools.accumulate(flow))


def _loan_life(values: Mapping[str, Sequence[float]], kind: str) -> list[float]:
    """Whether a loan still lives in a year, or the worth of the cash in the rest of its life."""
    found, alive, worth = [], 0.0, 0.0
    for t in range(len(values["loans.closing"]) - 1, -1, -1):
        opening = values["loans.closing"][t - 1] if t else 0.0
        running = values["time.operation"][t]
        alive = float(running * opening > 0 or alive > 0)
        rate = values["loans.interest"][t] / opening if running and opening > 0 else 0.0
        worth = (values["debt.cash"][t] * running * alive + worth) / (1.0 + rate)
        found.append(alive if kind == "alive" else worth)
    return found[::-1]
