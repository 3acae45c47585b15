"""Charts inside the finance workbook, drawn from its own cells (工作簿图表)."""

from __future__ import annotations

from typing import Any

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from qianmo.reports.sheet_formula import FIRST_YEAR, Places

__all__ = ["add_charts"]

_SIZE = {"width": 960, "height": 380}
_FONT = {"name": "宋体", "size": 10}
_WAN_FORMAT = "#,##0,,"
"""Whole fen shown in 万元: two steps of a thousand."""


def add_charts(book: Workbook, sheet: Worksheet, figures: Worksheet, places: Places, coverage_row: int) -> None:
    """Yearly and cumulative flow, debt service coverage, and cash (现金流量图, 偿债备付率图, 资金图).

    Parameters
    ----------
    book : Workbook
    sheet : Worksheet
        Where the charts stand.
    figures : Worksheet
        The sheet of figures.
    places : Places
    coverage_row : int
        Row of the yearly debt service coverage on the sheet of figures.
    """
    first, last = (xl_col_to_name(c, col_abs=True) for c in (FIRST_YEAR, FIRST_YEAR + places.years - 1))
    covered = f"='{figures.get_name()}'!{first}${coverage_row + 1}:{last}${coverage_row + 1}"
    flow = _chart(book, "column", "项目投资净现金流量", "万元", _WAN_FORMAT)
    flow.add_series(_series(places, "flow.after_tax", "所得税后净现金流量", {"fill": {"color": "#4F7CAC"}}))
    line = book.add_chart({"type": "line"})
    line.add_series(_series(places, "flow.after_tax_cum", "累计所得税后净现金流量", {"line": {"color": "#C8102E", "width": 2}}))
    flow.combine(line)
    sheet.insert_chart(1, 1, flow)
    debt = _chart(book, "column", "偿债备付率", "倍", "0.0")
    debt.add_series({"name": "偿债备付率 DSCR", "categories": _span(places, "time.calendar"), "values": covered, "fill": {"color": "#1E6B34"}})
    sheet.insert_chart(22, 1, debt)
    cash = _chart(book, "column", "累计盈余资金与长期借款余额", "万元", _WAN_FORMAT)
    cash.add_series(_series(places, "cash.closing", "累计盈余资金", {"fill": {"color": "#7FA650"}}))
    owed = book.add_chart({"type": "line"})
    owed.add_series(_series(places, "loans.closing", "长期借款余额", {"line": {"color": "#8C510A", "width": 2}}))
    cash.combine(owed)
    sheet.insert_chart(43, 1, cash)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)


def _chart(book: Workbook, kind: str, title: str, unit: str, shown: str) -> Any:
    chart = book.add_chart({"type": kind})
    chart.set_title({"name": title, "name_font": {"name": "黑体", "size": 13}})
    chart.set_x_axis({"num_font": _FONT, "label_position": "low"})
    chart.set_y_axis({"name": unit, "name_font": _FONT, "num_font": _FONT, "num_format": shown, "major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}}})
    chart.set_legend({"position": "bottom", "font": _FONT})
    chart.set_size(_SIZE)
    return chart


def _span(places: Places, name: str) -> str:
    """The years of a row with its row number fixed too, as charts want it."""
    sheet, row, _ = places.at[name]
    first, last = (xl_rowcol_to_cell(row, c, row_abs=True, col_abs=True) for c in (FIRST_YEAR, FIRST_YEAR + places.years - 1))
    return f"='{sheet}'!{first}:{last}"


def _series(places: Places, name: str, zh: str, look: dict[str, Any]) -> dict[str, Any]:
    return {"name": zh, "categories": _span(places, "time.calendar"), "values": _span(places, name)} | look
