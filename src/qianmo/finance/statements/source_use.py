"""Where the money of every year comes from and goes to, and the gap (资金来源与运用矩阵)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from qianmo.finance.project.records import Project
from qianmo.finance.statements.line_rows import gross_row, lines_of
from qianmo.schema.finance_codes import natures

__all__ = ["source_use_matrix"]


def source_use_matrix(project: Project, values: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Sources by legal nature, uses by purpose, and what is missing in each year (F-02).

    Parameters
    ----------
    project : Project
    values : mapping
        What `computed` gave.

    Returns
    -------
    DataFrame
        Columns ``part`` (来源, 运用, 余缺), ``zh``, then a column a year [fen]; amounts positive. The rows 余缺: surplus of the
        year before a short-term loan, and the gap (缺口) after the cash kept from years before: 0 where money suffices.
    """
    rows: list[tuple[str, str, list[float]]] = []
    for nature in natures().values():
        lines = lines_of(project, "operating", "subsidy", "funding", direction="in", test=lambda ln, n=nature.id: ln.nature == n)  # type: ignore[misc]
        if lines:
            rows.append(("来源", nature.zh, _sum(project, values, [gross_row(project, ln) for ln in lines])))
    rows += [("来源", f"借款: {ln.zh} ({natures()[ln.nature].zh})", list(values[f"loan.{ln.id}.drawn"])) for ln in project.loans]
    rows.append(("来源", "资本金", list(values["equity.paid"])))
    uses = (
        ("建设投资", "capex.gross"), ("流动资金增加", "working.increase"), ("经营成本", "cost.gross"), ("增值税", "vat.paid"), ("税金及附加", "surcharge.total"),
        ("所得税", "tax.due"), ("长期借款还本", "loans.principal"), ("长期借款付息", "loans.paid"), ("短期借款付息", "short.interest"),
    )  # fmt: skip
    rows += [("运用", zh, list(values[row])) for zh, row in uses]
    sources = _columns([r for p, _, r in rows if p == "来源"], project.years)
    spent = _columns([r for p, _, r in rows if p == "运用"], project.years)
    surplus = [s - u for s, u in zip(sources, spent, strict=True)]
    gap = [max(0.0, -before) for before in values["cash.before"]]
    rows += [("余缺", "来源合计", sources), ("余缺", "运用合计", spent), ("余缺", "当年余缺(来源 − 运用)", surplus), ("余缺", "缺口(动用以前年度结余后)", gap)]
    return pd.DataFrame([[p, zh, *r] for p, zh, r in rows], columns=["part", "zh", *range(1, project.years + 1)])


def _sum(project: Project, values: Mapping[str, Sequence[float]], names: Sequence[str]) -> list[float]:
    return _columns([list(values[n]) for n in names], project.years)


def _columns(rows: Sequence[Sequence[float]], years: int) -> list[float]:
    return [sum(r[t] for r in rows) for t in range(years)]
