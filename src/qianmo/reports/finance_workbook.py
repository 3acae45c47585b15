"""A project of money as a workbook with live formulas: inputs, calculations, statements, figures, checks (财务模型工作簿)."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.finance.sheet.words import formula_words
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.indicators import Figure
from qianmo.finance.statements.statements import statement_items, statement_names, total_of_row
from qianmo.reports.finance_charts import add_charts
from qianmo.reports.finance_check_rows import check_formulas
from qianmo.reports.finance_figure_rows import WAN, figure_rows, yearly_values
from qianmo.reports.sheet_formula import FIRST_YEAR, SINGLE, Places, excel_formula_of

__all__ = ["CALCULATIONS", "CHECKS", "FIGURES", "INPUTS", "FinanceBook", "finance_workbook"]

INPUTS, CALCULATIONS, FIGURES, CHECKS, COVER, CHARTS = "输入", "计算", "指标", "校验", "说明", "图表"
_TOTAL, _WORDS, _OPENING, _TOP = 4, 5, 6, 4
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SHORT = {"investment": "全部投资", "equity": "资本金", "parties": "投资各方", "profit": "利润", "plan": "财务计划", "balance": "资产负债", "debt": "借款", "investment_use": "总投资使用"}


@dataclass(frozen=True)
class FinanceBook:
    """The file and what the engine says of every formula in it (工作簿与各格数值).

    `cells` maps (sheet, address) to the engine's value: a number, or a text where a figure does not exist.
    """

    content: bytes
    cells: dict[tuple[str, str], float | str] = field(default_factory=dict)


@dataclass
class _Pen:
    """The workbook being written, its looks, and the values noted on the way."""

    book: Workbook
    looks: dict[str, Format]
    places: Places
    cells: dict[tuple[str, str], float | str]
    stored: bool

    def formula(self, sheet: Worksheet, row: int, column: int, text: str, value: float | str, look: str) -> None:
        """One formula with the value of the engine beside it."""
        self.cells[(sheet.get_name(), xl_rowcol_to_cell(row, column))] = value
        sheet.write_formula(row, column, text if text.startswith("=") else f"={text}", self.looks[look], value if self.stored else 0)


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
    pen = _Pen(book, _looks(book), _places(sheet), {}, stored)
    sheets = {name: book.add_worksheet(name) for name in (COVER, INPUTS, CALCULATIONS, *_SHORT.values(), FIGURES, CHECKS, CHARTS)}
    years = list(values["time.calendar"])
    for name in (INPUTS, CALCULATIONS):
        _head(pen, sheets[name], f"{project.name} · {name}", project, years, "金额单位: 分 (1 万元 = 1,000,000 分)")
    _write_rows(pen, sheets, sheet, values)
    for name, zh in statement_names().items():
        _head(pen, sheets[_SHORT[name]], zh, project, years, "金额单位: 万元", narrow=True)
        _write_statement(pen, sheets[_SHORT[name]], project, sheet, values, name)
    covered = _write_figures(pen, sheets[FIGURES], project, values, figures, years)
    checked = _write_checks(pen, sheets[CHECKS], project, values, years)
    add_charts(book, sheets[CHARTS], sheets[FIGURES], pen.places, covered)
    _write_cover(pen, sheets[COVER], project, checked, sum(len(c.years) for c in checks_of(project, values)))
    book.close()
    return FinanceBook(output.getvalue(), pen.cells)


def _looks(book: Workbook) -> dict[str, Format]:
    base: dict[str, Any] = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
    money, grid = {"num_format": "#,##0;[Red]-#,##0;-"}, {"border": 1, "border_color": "#D0D0D0"}
    look = {
        "plain": base, "title": base | {"font_name": "黑体", "font_size": 14}, "note": base | {"font_size": 9, "font_color": "#555555"},
        "head": base | grid | {"bold": True, "bg_color": "#E8EDF2", "align": "center"}, "part": base | {"bold": True, "bg_color": "#F3F3F3"},
        "label": base | grid, "main": base | grid | {"bold": True}, "small": base | grid | {"font_size": 8, "font_color": "#555555"},
        "input": base | grid | {"font_color": "#0000C0", "bg_color": "#FFF9DB", "num_format": "General"}, "fen": base | grid | money,
        "free": base | grid | {"num_format": "0.000000"}, "wan": base | grid | {"num_format": "#,##0.00;[Red]-#,##0.00;-", "font_color": "#1E6B34"},
        "share": base | grid | {"num_format": "0.00%"}, "times": base | grid | {"num_format": "0.000"}, "flag": base | grid | {"num_format": "0;-0;·", "align": "center"},
        "zero": base | {"num_format": ";;", "font_color": "#BBBBBB"}, "year": base | grid | {"num_format": "0"}, "wrap": base | {"text_wrap": True},
        "bad": {"bg_color": "#F8D0D0", "font_color": "#C8102E"},
    }  # fmt: skip
    return {name: book.add_format(style) for name, style in look.items()}


def _places(sheet: Sheet) -> Places:
    """Rows of inputs and calculations in order, calculations under the heads of their parts."""
    at: dict[str, tuple[str, int, bool]] = {}
    row, part, inputs = _TOP, "", _TOP
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


def _head(pen: _Pen, sheet: Worksheet, title: str, project: Project, years: Sequence[float], unit: str, *, narrow: bool = False) -> None:
    """Title, unit, heads of the columns; a narrow sheet hides what a statement has no use for, at the same places."""
    sheet.write_string(0, 0, title, pen.looks["title"])
    sheet.write_string(1, 0, f"{unit}；黄底蓝字为输入，其余为公式，一行一式；收入与成本均为正数，净额流入为正。", pen.looks["note"])
    for column, text in enumerate(("编号", "项目", "单位", "单值", "合计/期末", "算式或来源", "期初")):
        sheet.merge_range(2, column, 3, column, text, pen.looks["head"])
    for t, year in enumerate(years):
        sheet.write_number(2, FIRST_YEAR + t, t + 1, pen.looks["head"])
        sheet.write_number(3, FIRST_YEAR + t, year, pen.looks["head"])
    for column, width in enumerate((8, 36, 7, 12, 13, 20, 5) if narrow else (22, 38, 9, 17, 17, 26, 5)):
        sheet.set_column(column, column, width, None, {"hidden": narrow and column in (SINGLE, _WORDS, _OPENING)})
    sheet.set_column(FIRST_YEAR, FIRST_YEAR + project.years, 11 if narrow else 15)
    sheet.freeze_panes(_TOP, 3)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2, 3)


def _write_rows(pen: _Pen, sheets: Mapping[str, Worksheet], sheet: Sheet, values: Mapping[str, Sequence[float]]) -> None:
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
        target.write_string(at, _WORDS, words, pen.looks["small"])
        _write_values(pen, target, row, at, values[row.id], sheet.years)


def _write_values(pen: _Pen, target: Worksheet, row: Row, at: int, yearly: Sequence[float], years: int) -> None:
    look = "input" if row.is_input else _look(row)
    for t, value in enumerate(yearly, 1):
        column = FIRST_YEAR + t - 1 if row.has_years else SINGLE
        if row.formula is None:
            target.write_number(at, column, value, pen.looks[look])
        else:
            pen.formula(target, at, column, excel_formula_of(row.formula, pen.places, t), value, look)
    if not row.has_years:
        return
    target.write_number(at, _OPENING, 0, pen.looks["zero"])
    if row.total:
        last = FIRST_YEAR + years - 1
        text = xl_rowcol_to_cell(at, last) if row.total == "last" else f"SUM({xl_rowcol_to_cell(at, FIRST_YEAR)}:{xl_rowcol_to_cell(at, last)})"
        pen.formula(target, at, _TOTAL, text, total_of_row(row, yearly), look if row.formula is not None else "fen")


def _look(row: Row) -> str:
    if row.unit == "分":
        return "free" if "未取整" in row.zh else "fen"
    return {"标志": "flag", "年": "year"}.get(row.unit, "free")


def _write_statement(pen: _Pen, target: Worksheet, project: Project, sheet: Sheet, values: Mapping[str, Sequence[float]], name: str) -> None:
    for n, item in enumerate(statement_items(project, name)):
        at, row, yearly = _TOP + n, sheet.rows[item.row], values[item.row]
        main = "." not in item.number or (name == "parties" and item.number.count(".") == 1)
        for column, text in enumerate((item.number, item.zh, "万元")):
            target.write_string(at, column, text, pen.looks["main" if main else "label"])
        target.write_string(at, _WORDS, item.row, pen.looks["small"])
        for t, value in enumerate(yearly, 1):
            pen.formula(target, at, FIRST_YEAR + t - 1, f"{pen.places.cell(item.row, t)}/{WAN}", value / WAN, "wan")
        if row.total:
            _, source, _ = pen.places.at[item.row]
            pen.formula(target, at, _TOTAL, f"'{CALCULATIONS}'!{xl_rowcol_to_cell(source, _TOTAL)}/{WAN}", total_of_row(row, yearly) / WAN, "wan")


def _write_figures(pen: _Pen, target: Worksheet, project: Project, values: Mapping[str, Sequence[float]], figures: Mapping[str, Figure], years: Sequence[float]) -> int:
    """The sheet of figures; gives the row of the yearly debt service coverage."""
    _head(pen, target, "评价指标", project, years, "单位见各行")
    rows = figure_rows(project, figures, pen.places, FIGURES, _TOP)
    for line, row in rows.items():
        for column, text in enumerate((row.name, row.zh, row.unit)):
            target.write_string(line, column, text, pen.looks["small" if column == 0 else "label"])
        target.write_string(line, _WORDS, row.words, pen.looks["small"])
        look = {"万元": "wan", "比例": "share", "标志": "flag", "分": "fen"}.get(row.unit, "times")
        if row.yearly is None:
            figure = figures[row.key]
            missing = figure.note if row.name.startswith("irr_") else "—"
            pen.formula(target, line, SINGLE, row.single, missing if math.isnan(figure.value) else figure.value / row.scale, look)
            continue
        known = figures[row.key].by_year if row.key else yearly_values(row.name, project, values)
        for column in (_OPENING, FIRST_YEAR + project.years):
            target.write_number(line, column, 0, pen.looks["zero"])
        for t in range(1, project.years + 1):
            pen.formula(target, line, FIRST_YEAR + t - 1, row.yearly(t), "" if math.isnan(known[t - 1]) else float(known[t - 1]), look)
    return next(line for line, row in rows.items() if row.name == "dscr.by_year")


def _write_checks(pen: _Pen, target: Worksheet, project: Project, values: Mapping[str, Sequence[float]], years: Sequence[float]) -> int:
    """The sheet of checks, 1 in a year that fails; gives the row of their sum."""
    _head(pen, target, "校验: 0 为通过, 1 为不通过", project, years, "无单位")
    known = {c.id: c for c in checks_of(project, values)}
    formulas = check_formulas(project, pen.places)
    for n, (name, at_year) in enumerate(formulas.items()):
        line, check = _TOP + n, known[name]
        for column, text in enumerate((name, check.zh, "标志")):
            target.write_string(line, column, text, pen.looks["small" if column == 0 else "label"])
        for t in range(1, project.years + 1):
            pen.formula(target, line, FIRST_YEAR + t - 1, at_year(t), float(t in check.years), "flag")
        span = f"{xl_rowcol_to_cell(line, FIRST_YEAR)}:{xl_rowcol_to_cell(line, FIRST_YEAR + project.years - 1)}"
        pen.formula(target, line, _TOTAL, f"SUM({span})", float(len(check.years)), "flag")
    last = _TOP + len(formulas)
    target.write_string(last, 1, "不通过的年次合计", pen.looks["part"])
    whole = f"SUM({xl_rowcol_to_cell(_TOP, _TOTAL)}:{xl_rowcol_to_cell(last - 1, _TOTAL)})"
    pen.formula(target, last, _TOTAL, whole, float(sum(len(known[n].years) for n in formulas)), "flag")
    target.conditional_format(_TOP, _TOTAL, last, FIRST_YEAR + project.years - 1, {"type": "cell", "criteria": ">", "value": 0, "format": pen.looks["bad"]})
    return last


def _write_cover(pen: _Pen, target: Worksheet, project: Project, checked: int, failed: int) -> None:
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
    cell = f"'{CHECKS}'!{xl_rowcol_to_cell(checked, _TOTAL)}"
    words = "全部通过" if not failed else f"有 {failed} 个年次不通过，见“校验”表"
    pen.formula(target, end, 1, f'IF({cell}=0,"全部通过","有 "&{cell}&" 个年次不通过，见“校验”表")', words, "wrap")
    for n, name in enumerate((INPUTS, CALCULATIONS, *_SHORT.values(), FIGURES, CHECKS, CHARTS), end + 2):
        target.write_url(n, 0, f"internal:'{name}'!A1", pen.looks["plain"], name)
