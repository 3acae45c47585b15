"""The statements and figures of a project of money (项目财务评价)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.finance.statements.bond import bond_balance
from qianmo.finance.statements.checks import Check, checks_of
from qianmo.finance.statements.indicators import Figure
from qianmo.finance.statements.source_use import source_use_matrix
from qianmo.finance.statements.statements import statement_names, statements
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import FinanceModel, in_wan, open_finance_file
from qianmo.jobs.finance.references import PROJECT_OPTION
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import SchemaError
from qianmo.store.finance_file import write_statement_tables

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compute the eight statements, the figures and the checks; exit code 1 when the money does not suffice."""
    context.step("读取与计算", 0.0)
    model = open_finance_file(Path(values["file"]), values["project"])
    tables = statements(model.project, model.sheet, model.values)
    wanted = values["statement"]
    if wanted and wanted not in tables:
        raise SchemaError(f"没有报表 {wanted!r}", expected=", ".join(statement_names()))
    checks = checks_of(model.project, model.values)
    doubtful = _to_confirm(model)
    lines = [model.project.name, *_figure_lines(model), "", *_check_lines(checks)]
    if doubtful:
        lines += ["", f"待核实: {len(doubtful)} 项政策费率未与原文核对 — {'、'.join(doubtful)}; 来源见 qianmo finance explain"]
    if wanted:
        lines += ["", f"{statement_names()[wanted]} (万元)", *_table_lines(tables[wanted])]
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        folder = Path(values["out"])
        named = {name: in_yuan(tables[name]) for name in tables} | {"source_use": in_yuan(source_use_matrix(model.project, model.values))}
        bond = bond_balance(model.project, model.values)
        if bond is not None:
            amounts = [c for c in bond.table.columns if not c.startswith("coverage")]
            named["bond"] = bond.table.assign(**{c: bond.table[c] / 100.0 for c in amounts}).reset_index()
        write_statement_tables(folder, named)
        files = ((str(folder), "八张报表与资金来源运用表 (CSV, 元)"),)
    code = 0 if all(c.passes for c in checks) else 1
    return JobReport(tuple(lines), files, _figures(model, checks) | {"to_confirm": doubtful}, code)


def _to_confirm(model: FinanceModel) -> list[str]:
    """Names of the policy rates of the sheet that nobody has compared with the original."""
    rows = [r for r in model.sheet.rows.values() if r.is_input and r.id.startswith("rate.") and r.source.confidence in ("low", "medium")]
    return list(dict.fromkeys(r.zh for r in rows))


def in_yuan(table: pd.DataFrame) -> pd.DataFrame:
    """A table of fen with its amounts in yuan (分折元)."""
    found = table.drop(columns=["row"], errors="ignore").copy()
    amounts = [c for c in found.columns if c == "total" or isinstance(c, int)]
    found[amounts] = found[amounts] / 100.0
    return found


def _figure_lines(model: FinanceModel) -> list[str]:
    lines = []
    for figure in model.figures.values():
        note = f"  ({figure.note})" if figure.note else ""
        lines.append(f"  {figure.zh}: {shown(figure)}{note}")
    return lines


def shown(figure: Figure) -> str:
    """A figure as a bureau writes it (指标写法)."""
    if math.isnan(figure.value):
        return "—"
    match figure.unit:
        case "分":
            return f"{in_wan(figure.value)} 万元"
        case "比例":
            return f"{figure.value:.2%}"
        case _:
            return f"{figure.value:.3f} {figure.unit}"


def _check_lines(checks: list[Check]) -> list[str]:
    return [f"  {'通过' if c.passes else '不通过'}: {c.zh}" + ("" if c.passes else f" — 第 {', '.join(map(str, c.years))} 年") for c in checks]


def _table_lines(table: pd.DataFrame) -> list[str]:
    years = [c for c in table.columns if isinstance(c, int)]
    lines = ["\t".join(["序号", "项目", "合计", *map(str, years)])]
    for row in table.itertuples(index=False):
        amounts = ["—" if math.isnan(x) else in_wan(x) for x in row[3:]]
        lines.append("\t".join([row[0], row[1], *amounts]))
    return lines


def _figures(model: FinanceModel, checks: list[Check]) -> dict[str, Any]:
    """Money in yuan, rates as fractions, and each figure's unit."""
    figures = {name: _plain(f.value / 100.0 if f.unit == "分" else f.value) for name, f in model.figures.items()}
    units = {name: "元" if f.unit == "分" else f.unit for name, f in model.figures.items()}
    notes = {name: f.note for name, f in model.figures.items() if f.note}
    yearly = {name: [_plain(x) for x in f.by_year] for name, f in model.figures.items() if f.by_year}
    flows = {row: [x / 100.0 for x in model.values[row]] for row in ("flow.before_tax", "flow.after_tax", "flow.equity", "cash.closing")}
    return {
        "project": model.project.name, "figures": figures, "units": units, "notes": notes, "by_year": yearly, "flows_yuan": flows,
        "checks": {c.id: {"passes": c.passes, "years": list(c.years)} for c in checks},
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


SPECS = (
    JobSpec(
        "finance-run", "项目财务评价: 八张报表与指标", "statements and figures of a project of money",
        (
            JobOption("file", "path", "项目资金文件 (TOML)", "file of project money (TOML)", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("out", "path", "报表输出文件夹", "folder for the statements"),
            JobOption("statement", "text", "在屏幕上显示的报表", "statement to show", default=""),
        ),
        run,
    ),
)  # fmt: skip
