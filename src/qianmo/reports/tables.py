"""Tables as an Excel workbook with live formulas (Excel 附表)."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from qianmo.reports.formulas import excel_formula, formula_columns
from qianmo.reports.marks import MARK, mark_text
from qianmo.reports.plan_tables import column_totals
from qianmo.reports.typography import cell_text, chinese_text
from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.errors import SchemaError

__all__ = ["workbook"]

_FIRST_ROW = 4
"""Row of the first data row from 0: title, mark, header, units stand above."""

_XLSX_FORMATS = MappingProxyType({"integer": "0", "year": "0", "0.0": "0.0", "0.00": "0.00", "#,##0.00": "#,##0.00", "0.0000": "0.0000", "0.00%": "0.00%", "text": "@"})
_NARROW, _WIDE = 7, 46
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_MOST_MARKS = 2
_MOST_ROWS = 1_048_000


def workbook(
    tables: Sequence[BookTable], *, title: str, office: str = "", date: str = "", vintage: str = "", crs_text: str = "",
    synthetic: Sequence[str] = (), made: datetime | None = None,
) -> bytes:
    """One sheet a table behind a cover sheet with the list (附表工作簿).

    Sums and derived columns are formulas; their values are stored too, so that a reader without recalculation shows them.
    Text is never read as a formula, whatever it begins with. Areas are in hectares; mu columns are formulas of them.

    Parameters
    ----------
    tables : sequence of BookTable
        In the order of their numbers.
    title, office, date, vintage, crs_text : str
        For the cover.
    synthetic : sequence of str
        Labels of invented inputs; the sheets of tables that use some carry the red mark.
    made : datetime, optional
        Time of making written into the file; a fixed one by default, so that the same input gives the same bytes.

    Returns
    -------
    bytes
        An .xlsx file.

    Raises
    ------
    SchemaError
        A table has more rows than a sheet holds.
    """
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False})
    book.set_properties({"title": title, "author": office, "created": made or _EPOCH})
    formats = _formats(book)
    cover = book.add_worksheet("封面与目录")
    names = [_sheet_name(n, t) for n, t in enumerate(tables, start=1)]
    for n, (table, name) in enumerate(zip(tables, names, strict=True), start=1):
        _write_table(book.add_worksheet(name), table, n, formats)
    _write_cover(cover, tables, names, formats, (title, office, date, vintage, crs_text), synthetic)
    book.close()
    return output.getvalue()


def _write_table(sheet: Worksheet, table: BookTable, number: int, formats: dict[str, Format]) -> None:
    rows, last = len(table.frame), len(table.columns) - 1
    if rows > _MOST_ROWS:
        raise SchemaError(f"table {table.key} has {rows} rows", expected=f"at most {_MOST_ROWS}", cure="按村分表输出")
    _banner(sheet, 0, last, chinese_text(f"表{number}  {table.title}"), formats["title"])
    _banner(sheet, 1, last, chinese_text(mark_text(table.synthetic)), formats["mark"])
    widths = _widths(table)
    sheet.set_row(0, 26)
    sheet.set_row(1, 14.0 * max(1, math.ceil(_cells(mark_text(table.synthetic)) * 1.15 / sum(widths))))
    sheet.set_row(2, 32)
    for n, column in enumerate(table.columns):
        _head(sheet, n, column, formats)
        sheet.set_column(n, n, widths[n])
    _heights(sheet, table, widths)
    total = _FIRST_ROW + rows
    for n, column in enumerate(table.columns):
        _write_column(sheet, table, n, column, total, formats)
    if rows and table.sums:
        _write_totals(sheet, table, total, formats)
        total += 1
    if not rows:
        _banner(sheet, _FIRST_ROW, last, chinese_text(table.empty), formats["text"])
        total += 1
    for line in filter(None, (f"注：{table.note}" if table.note else "", f"数据来源：{table.source_words}" if table.source else "")):
        sheet.write_string(total, 0, chinese_text(line), formats["note"])
        total += 1
    _page(sheet, table, last)


def _head(sheet: Worksheet, n: int, column: BookColumn, formats: dict[str, Format]) -> None:
    if column.unit:
        sheet.write_string(2, n, column.zh, formats["head"])
        sheet.write_string(3, n, column.unit, formats["unit"])
    else:
        sheet.merge_range(2, n, 3, n, column.zh, formats["head"])


def _heights(sheet: Worksheet, table: BookTable, widths: list[float]) -> None:
    texts = [(c.name, w) for c, w in zip(table.columns, widths, strict=True) if c.number_format == "text" and w >= _WIDE]
    for k in range(len(table.frame) if texts else 0):
        lines = max(math.ceil(_cells(cell_text(table.frame[name].iloc[k], "text")) * 1.1 / (wide - 3)) for name, wide in texts)
        if lines > 1:
            sheet.set_row(_FIRST_ROW + k, 14.0 * lines + 2)


def _write_column(sheet: Worksheet, table: BookTable, n: int, column: BookColumn, total_row: int, formats: dict[str, Format]) -> None:
    shapes = [formats[f] for f in table.formats(column)]
    places = {c.name: k for k, c in enumerate(table.columns)}

    def address(row: int) -> Callable[[str, bool], str]:
        return lambda name, of_total: xl_rowcol_to_cell(total_row if of_total else row, places[name], row_abs=of_total)

    for k, (value, shape) in enumerate(zip(table.frame[column.name], shapes, strict=True)):
        row = _FIRST_ROW + k
        if column.number_format == "text":
            sheet.write_string(row, n, cell_text(value, "text"), shape)
        elif column.formula:
            sheet.write_formula(row, n, excel_formula(column.formula, address(row)), shape, _cached(value))
        elif _blank(value):
            sheet.write_blank(row, n, None, shape)
        else:
            sheet.write_number(row, n, float(value), shape)


def _write_totals(sheet: Worksheet, table: BookTable, row: int, formats: dict[str, Format]) -> None:
    totals, given = column_totals(table), dict(table.totals)
    places = {c.name: k for k, c in enumerate(table.columns)}
    for n, column in enumerate(table.columns):
        shape = formats[column.number_format + " total"]
        if n == 0:
            sheet.write_string(row, 0, "合计", formats["text total"])
        elif column.name in table.sums:
            first, last = xl_rowcol_to_cell(_FIRST_ROW, n), xl_rowcol_to_cell(row - 1, n)
            sheet.write_formula(row, n, f"=SUM({first}:{last})", shape, totals[column.name])
        elif column.formula and column.name in totals and set(formula_columns(column.formula)) <= set(totals):
            text = excel_formula(column.formula, lambda c, of_total: xl_rowcol_to_cell(row, places[c]))
            sheet.write_formula(row, n, text, shape, _cached(totals[column.name]))
        elif column.name in given:
            sheet.write_number(row, n, given[column.name], shape)
        else:
            sheet.write_blank(row, n, None, shape)


def _write_cover(
    sheet: Worksheet, tables: Sequence[BookTable], names: Sequence[str], formats: dict[str, Format], facts: tuple[str, ...],
    synthetic: Sequence[str],
) -> None:
    title, office, date, vintage, crs_text = facts
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, 1, 48)
    sheet.set_column(2, 2, 10)
    sheet.set_column(3, 3, 40)
    sheet.merge_range(0, 0, 0, 3, chinese_text(f"{title}附表"), formats["cover"])
    row = 1
    for label, value in (("编制单位", office), ("编制日期", date), ("数据时点", vintage), ("坐标系统", crs_text)):
        sheet.merge_range(row, 0, row, 3, chinese_text(f"{label}：{value or '未注明'}"), formats["plain"])
        row += 1
    if synthetic:
        text = f"{mark_text(synthetic)}。合成数据仅供演示，不得作为审批依据。"
        sheet.set_row(row, 15.0 * math.ceil(_cells(text) / 96))
        sheet.merge_range(row, 0, row, 3, chinese_text(text), formats["mark"])
        row += 1
    for n, head in enumerate(("编号", "表名", "行数", "合成数据标记")):
        sheet.write_string(row, n, head, formats["head"])
    for n, (table, name) in enumerate(zip(tables, names, strict=True), start=1):
        sheet.write_string(row + n, 0, f"表{n}", formats["text"])
        sheet.write_url(row + n, 1, f"internal:'{name}'!A1", formats["link"], string=chinese_text(table.title))
        sheet.write_number(row + n, 2, len(table.frame), formats["integer"])
        sheet.write_string(row + n, 3, chinese_text(mark_text(table.synthetic, most=_MOST_MARKS)), formats["red"])
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _page(sheet: Worksheet, table: BookTable, last: int) -> None:
    sheet.freeze_panes(_FIRST_ROW, 1 if last else 0)
    sheet.set_paper(9)
    if sum(_widths(table)) > 88:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, _FIRST_ROW - 1)
    sheet.set_footer(f'&L{(MARK if table.synthetic else "")}&C第 &P 页 共 &N 页')
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


def _banner(sheet: Worksheet, row: int, last: int, text: str, shape: Format) -> None:
    if last:
        sheet.merge_range(row, 0, row, last, "", shape)
    sheet.write_string(row, 0, text, shape)


def _formats(book: Workbook) -> dict[str, Format]:
    base = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
    grid = {**base, "border": 1}
    made = {
        "title": {**base, "font_name": "黑体", "font_size": 14, "align": "center"}, "cover": {**base, "font_name": "黑体", "font_size": 18, "align": "center"},
        "mark": {**base, "font_color": "#C8102E", "bold": True, "text_wrap": True}, "plain": base, "note": {**base, "font_size": 9},
        "head": {**grid, "bold": True, "align": "center", "text_wrap": True, "bg_color": "#EFEFEF"},
        "unit": {**grid, "font_size": 9, "align": "center", "bg_color": "#EFEFEF"}, "link": {**grid, "font_color": "#1F4E9E", "underline": 1},
        "red": {**grid, "font_color": "#C8102E", "text_wrap": True},
    }  # fmt: skip
    for name, shown in _XLSX_FORMATS.items():
        made[name] = {**grid, "num_format": shown, **({"text_wrap": True, "indent": 1} if name == "text" else {})}
        made[name + " total"] = {**made[name], "bold": True, "top": 2}
    return {name: book.add_format(look) for name, look in made.items()}


def _widths(table: BookTable) -> list[float]:
    widths = [_width(c, table) for c in table.columns]
    least = max(_cells(table.title) * 1.45 + 12, _cells(table.empty) if table.frame.empty else 0.0)
    widths[-1] += max(least - sum(widths), 0.0)
    return widths


def _width(column: BookColumn, table: BookTable) -> float:
    shown = [cell_text(v, f) for v, f in zip(table.frame[column.name].head(400), table.formats(column), strict=False)]
    longest = max((_cells(s) for s in shown), default=0)
    head = max(_cells(column.zh) * (0.6 if len(column.zh) > 6 else 1.0), _cells(column.unit))
    return min(max(longest + 2.5, head + 1.5, _NARROW), _WIDE)


def _cells(text: str) -> float:
    return sum(1.0 if ord(c) < 0x2000 else 2.0 for c in text)


def _sheet_name(number: int, table: BookTable) -> str:
    safe = "".join(c for c in table.title if c not in "[]:*?/\\'")
    return f"表{number} {safe}"[:31]


def _cached(value: Any) -> float | str:
    return "" if _blank(value) else float(value)


def _blank(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and not np.isfinite(value))
