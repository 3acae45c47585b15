"""The figures a project is judged by (评价指标)."""

from __future__ import annotations

import math

from qianmo.finance.project.records import Project
from qianmo.finance.statements.debt_figures import bond_figures, debt_figures
from qianmo.finance.statements.figure import Figure, Values
from qianmo.finance.statements.flow_figures import flow_figures
from qianmo.finance.statements.part_figures import feedback_flows, part_figures, profit_figures
from qianmo.schema.errors import FinanceInputError

__all__ = ["Figure", "feedback_flows", "figures_of"]


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
        found += flow_figures(project, values, flow, zh)
    found += debt_figures(values)
    found += profit_figures(project, values)
    found += part_figures(project, values)
    found += bond_figures(project, values)
    return {f.id: f for f in found}


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
