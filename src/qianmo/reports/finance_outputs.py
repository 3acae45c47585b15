"""The sheets of figures and of checks in the finance workbook (指标表与校验表)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from qianmo.finance.project.records import Project
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.indicators import Figure
from qianmo.reports.finance_check_rows import check_formulas
from qianmo.reports.finance_figure_rows import figure_rows, yearly_values
from qianmo.reports.finance_pen import FIGURES, OPENING, TOP, TOTAL, WORDS, Pen, sheet_head
from qianmo.reports.sheet_formula import FIRST_YEAR, SINGLE

__all__ = ["write_checks", "write_figures"]


def write_figures(pen: Pen, target: Worksheet, project: Project, values: Mapping[str, Sequence[float]], figures: Mapping[str, Figure], years: Sequence[float]) -> int:
    """The sheet of figures; gives the row of the yearly debt service coverage."""
    sheet_head(pen, target, "评价指标", project, years, "单位见各行")
    rows = figure_rows(project, figures, pen.places, FIGURES, TOP)
    for line, row in rows.items():
        for column, text in enumerate((row.name, row.zh, row.unit)):
            target.write_string(line, column, text, pen.looks["small" if column == 0 else "label"])
        target.write_string(line, WORDS, row.words, pen.looks["small"])
        look = {"万元": "wan", "比例": "share", "标志": "flag", "分": "fen"}.get(row.unit, "times")
        if row.yearly is None:
            figure = figures[row.key]
            missing = figure.note if row.name.startswith("irr_") else "—"
            pen.formula(target, line, SINGLE, row.single, missing if math.isnan(figure.value) else figure.value / row.scale, look)
            continue
        known = figures[row.key].by_year if row.key else yearly_values(row.name, project, values)
        for column in (OPENING, FIRST_YEAR + project.years):
            target.write_number(line, column, 0, pen.looks["zero"])
        for t in range(1, project.years + 1):
            pen.formula(target, line, FIRST_YEAR + t - 1, row.yearly(t), "" if math.isnan(known[t - 1]) else float(known[t - 1]), look)
    return next(line for line, row in rows.items() if row.name == "dscr.by_year")


def write_checks(pen: Pen, target: Worksheet, project: Project, values: Mapping[str, Sequence[float]], years: Sequence[float]) -> int:
    """The sheet of checks, 1 in a year that fails; gives the row of their sum."""
    sheet_head(pen, target, "校验: 0 为通过, 1 为不通过", project, years, "无单位")
    known = {c.id: c for c in checks_of(project, values)}
    formulas = check_formulas(project, pen.places)
    for n, (name, at_year) in enumerate(formulas.items()):
        line, check = TOP + n, known[name]
        for column, text in enumerate((name, check.zh, "标志")):
            target.write_string(line, column, text, pen.looks["small" if column == 0 else "label"])
        for t in range(1, project.years + 1):
            pen.formula(target, line, FIRST_YEAR + t - 1, at_year(t), float(t in check.years), "flag")
        span = f"{xl_rowcol_to_cell(line, FIRST_YEAR)}:{xl_rowcol_to_cell(line, FIRST_YEAR + project.years - 1)}"
        pen.formula(target, line, TOTAL, f"SUM({span})", float(len(check.years)), "flag")
    last = TOP + len(formulas)
    target.write_string(last, 1, "不通过的年次合计", pen.looks["part"])
    whole = f"SUM({xl_rowcol_to_cell(TOP, TOTAL)}:{xl_rowcol_to_cell(last - 1, TOTAL)})"
    pen.formula(target, last, TOTAL, whole, float(sum(len(known[n].years) for n in formulas)), "flag")
    target.conditional_format(TOP, TOTAL, last, FIRST_YEAR + project.years - 1, {"type": "cell", "criteria": ">", "value": 0, "format": pen.looks["bad"]})
    return last
