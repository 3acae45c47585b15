"""A project of money as a workbook with live formulas: inputs, calculations, statements, figures, checks (财务模型工作簿)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.finance.sheet.words import formula_words
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.indicators import Figure
from qianmo.finance.statements.statements import statement_items, statement_names, total_of_row
from qianmo.reports.finance_charts import add_charts
from qianmo.reports.finance_figure_rows import WAN
from qianmo.reports.finance_outputs import write_checks, write_figures
from qianmo.reports.finance_pen import (
    CALCULATIONS,
    CHECKS,
    FIGURES,
    INPUTS,
    OPENING,
    TOP,
    TOTAL,
    WORDS,
    Pen,
    cell_looks,
    sheet_head,
)
from qianmo.reports.sheet_formula import FIRST_YEAR, SINGLE, Places, excel_formula_of

__all__ = ["CALCULATIONS", "CHECKS", "FIGURES", "INPUTS", "FinanceBook", "finance_workbook"]

COVER, CHARTS = "说明", "图表"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SHORT = {"investment": "全部投资", "equity": "资本金", "parties": "投资各方", "profit": "利润", "plan": "财务计划", "balance": "资产负债", "debt": "借款", "investment_use": "总投资使用"}


@dataclass(frozen=True)
class FinanceBook:
    """The file and what the engine says of every formula in it (工作簿与各格数值).

    `cells` maps (sheet, address) to the engine's value: a number, or a text where a figure does not exist.
    """

    content: bytes
    cells: dict[tuple[str, str], float | str] = field(default_factory=dict)


def finance_workbook(
    project: Project, sheet: Sheet, values: Mapping[str, Sequence[float]], figures: Mapping[str, Figure], *, stored: bool = True, made: datetime | None = None
) -> FinanceBook:
    """The whole model in FAST layout: one formula a row, the same columns on every sheet (FAST 布局工作簿).

    Parameters
    ----------
    project : Project
    sheet : Sheet
    values : mapping
        What `computed` gave.
    figures : mapping
        What `figures_of` gave.
    stored : bool
        Write the engine's values beside the formulas, so that a reader without recalculation shows them; without them
        every formula shows 0 until it is recalculated.
    made : datetime, optional
        Time written into the file; a fixed one by default, so that the same project gives the same bytes.

    Returns
    -------
    FinanceBook
        Inputs may be changed by hand: all else follows. Amounts are whole fen on the sheets of inputs and calculations, 万元
        in the statements.
    """
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": project.name, "created": made or _EPOCH})
    book.set_calc_mode("auto")
    pen = Pen(book, cell_looks(book), _places(sheet), {}, stored)
    sheets = {name: book.add_worksheet(name) for name in (COVER, INPUTS, CALCULATIONS, *_SHORT.values(), FIGURES, CHECKS, CHARTS)}
    years = list(values["time.calendar"])
    for name in (INPUTS, CALCULATIONS):
        sheet_head(pen, sheets[name], f"{project.name} · {name}", project, years, "金额单位: 分 (1 万元 = 1,000,000 分)")
    _write_rows(pen, sheets, sheet, values)
    for name, zh in statement_names().items():
        sheet_head(pen, sheets[_SHORT[name]], zh, project, years, "金额单位: 万元", narrow=True)
        _write_statement(pen, sheets[_SHORT[name]], project, sheet, values, name)
    covered = write_figures(pen, sheets[FIGURES], project, values, figures, years)
    checked = write_checks(pen, sheets[CHECKS], project, values, years)
    add_charts(book, sheets[CHARTS], sheets[FIGURES], pen.places, covered)
    _write_cover(pen, sheets[COVER], project, checked, sum(len(c.years) for c in checks_of(project, values)))
    book.close()
    return FinanceBook(output.getvalue(), pen.cells)


def _places(sheet: Sheet) -> Places:
    """Rows of inputs and calculations in order, calculations under the heads of their parts."""
    at: dict[str, tuple[str, int, bool]] = {}
    row, part, inputs = TOP, "", TOP
    for entry in sheet.rows.values():
        if entry.is_input:
            at[entry.id] = (INPUTS, inputs, entry.has_years)
            inputs += 1
            continue
        row += entry.section != part
        part = entry.section
        at[entry.id] = (CALCULATIONS, row, entry.has_years)
        row += 1
    return Places(at, sheet.years)


def _write_rows(pen: Pen, sheets: Mapping[str, Worksheet], sheet: Sheet, values: Mapping[str, Sequence[float]]) -> None:
    part = ""
    for row in sheet.rows.values():
        name, at, _ = pen.places.at[row.id]
        target = sheets[name]
        if not row.is_input and row.section != part:
            part = row.section
            target.write_string(at - 1, 0, part, pen.looks["part"])
        words = row.source.words() if row.formula is None else formula_words(sheet, row.formula)
        for column, text in enumerate((row.id, row.zh, row.unit)):
            target.write_string(at, column, text, pen.looks["small" if column == 0 else "label"])
        target.write_string(at, WORDS, words, pen.looks["small"])
        _write_values(pen, target, row, at, values[row.id], sheet.years)


def _write_values(pen: Pen, target: Worksheet, row: Row, at: int, yearly: Sequence[float], years: int) -> None:
    look = "input" if row.is_input else _look(row)
    for t, value in enumerate(yearly, 1):
        column = FIRST_YEAR + t - 1 if row.has_years else SINGLE
        if row.formula is None:
            target.write_number(at, column, value, pen.looks[look])
        else:
            pen.formula(target, at, column, excel_formula_of(row.formula, pen.places, t), value, look)
    if not row.has_years:
        return
    target.write_number(at, OPENING, 0, pen.looks["zero"])
    if row.total:
        last = FIRST_YEAR + years - 1
        text = xl_rowcol_to_cell(at, last) if row.total == "last" else f"SUM({xl_rowcol_to_cell(at, FIRST_YEAR)}:{xl_rowcol_to_cell(at, last)})"
        pen.formula(target, at, TOTAL, text, total_of_row(row, yearly), look if row.formula is not None else "fen")


def _look(row: Row) -> str:
    if row.unit == "分":
        return "free" if "未取整" in row.zh else "fen"
    return {"标志": "flag", "年": "year"}.get(row.unit, "free")


def _write_statement(pen: Pen, target: Worksheet, project: Project, sheet: Sheet, values: Mapping[str, Sequence[float]], name: str) -> None:
    for n, item in enumerate(statement_items(project, name)):
        at, row, yearly = TOP + n, sheet.rows[item.row], values[item.row]
        main = "." not in item.number or (name == "parties" and item.number.count(".") == 1)
        for column, text in enumerate((item.number, item.zh, "万元")):
            target.write_string(at, column, text, pen.looks["main" if main else "label"])
        target.write_string(at, WORDS, item.row, pen.looks["small"])
        for t, value in enumerate(yearly, 1):
            pen.formula(target, at, FIRST_YEAR + t - 1, f"{pen.places.cell(item.row, t)}/{WAN}", value / WAN, "wan")
        if row.total:
            _, source, _ = pen.places.at[item.row]
            pen.formula(target, at, TOTAL, f"'{CALCULATIONS}'!{xl_rowcol_to_cell(source, TOTAL)}/{WAN}", total_of_row(row, yearly) / WAN, "wan")


def _write_cover(pen: Pen, target: Worksheet, project: Project, checked: int, failed: int) -> None:
    target.set_column(0, 0, 16)
    target.set_column(1, 1, 84)
    target.set_landscape()
    target.set_paper(9)
    target.fit_to_pages(1, 1)
    target.write_string(0, 0, project.name, pen.looks["title"])
    when = "首年现金流不折现" if project.first_flow == "now" else "各年现金流年末发生，首年折现一年"
    lines = (
        ("数据文件", project.file), ("计算期", f"{project.years} 年，自 {project.base_year} 年起，建设 {project.construction_months} 个月"), ("折现约定", when),
        ("用法", "改黄底蓝字的输入，其余各表随之重算。"), ("工作表", "输入 → 计算 → 八张报表 → 指标 → 校验；各表年份所在列相同，一行只有一个算式。"),
        ("单位", "输入与计算两表的金额为整数分，逐笔四舍五入到分；报表为万元。"), ("来源", "政策费率的文号与可信度写在“输入”表的来源列，可信度低或中者须核对原文。"),
    )  # fmt: skip
    for n, (key, text) in enumerate(lines, 2):
        target.write_string(n, 0, key, pen.looks["part"])
        target.write_string(n, 1, text, pen.looks["wrap"])
    end = 2 + len(lines)
    target.write_string(end, 0, "校验", pen.looks["part"])
    cell = f"'{CHECKS}'!{xl_rowcol_to_cell(checked, TOTAL)}"
    words = "全部通过" if not failed else f"有 {failed} 个年次不通过，见“校验”表"
    pen.formula(target, end, 1, f'IF({cell}=0,"全部通过","有 "&{cell}&" 个年次不通过，见“校验”表")', words, "wrap")
    for n, name in enumerate((INPUTS, CALCULATIONS, *_SHORT.values(), FIGURES, CHECKS, CHARTS), end + 2):
        target.write_url(n, 0, f"internal:'{name}'!A1", pen.looks["plain"], name)
