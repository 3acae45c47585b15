"""The look of the finance workbook, and the pen that notes what every formula must give (工作簿样式与记录)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from qianmo.finance.project.records import Project
from qianmo.reports.sheet_formula import FIRST_YEAR, SINGLE, Places

__all__ = ["CALCULATIONS", "CHECKS", "FIGURES", "INPUTS", "OPENING", "TOP", "TOTAL", "WORDS", "Pen", "cell_looks", "sheet_head"]

INPUTS, CALCULATIONS, FIGURES, CHECKS = "输入", "计算", "指标", "校验"
TOTAL, WORDS, OPENING, TOP = 4, 5, 6, 4
"""Columns of the total, the formula in words and the opening zeros; the first row of data."""


@dataclass
class Pen:
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


def cell_looks(book: Workbook) -> dict[str, Format]:
    """Fonts, borders, fills and number formats by name (单元格样式)."""
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


def sheet_head(pen: Pen, sheet: Worksheet, title: str, project: Project, years: Sequence[float], unit: str, *, narrow: bool = False) -> None:
    """Title, unit, heads of the columns; a narrow sheet hides what a statement has no use for, at the same places."""
    sheet.write_string(0, 0, title, pen.looks["title"])
    sheet.write_string(1, 0, f"{unit}；黄底蓝字为输入，其余为公式，一行一式；收入与成本均为正数，净额流入为正。", pen.looks["note"])
    for column, text in enumerate(("编号", "项目", "单位", "单值", "合计/期末", "算式或来源", "期初")):
        sheet.merge_range(2, column, 3, column, text, pen.looks["head"])
    for t, year in enumerate(years):
        sheet.write_number(2, FIRST_YEAR + t, t + 1, pen.looks["head"])
        sheet.write_number(3, FIRST_YEAR + t, year, pen.looks["head"])
    for column, width in enumerate((8, 36, 7, 12, 13, 20, 5) if narrow else (22, 38, 9, 17, 17, 26, 5)):
        sheet.set_column(column, column, width, None, {"hidden": narrow and column in (SINGLE, WORDS, OPENING)})
    sheet.set_column(FIRST_YEAR, FIRST_YEAR + project.years, 11 if narrow else 15)
    sheet.freeze_panes(TOP, 3)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2, 3)
