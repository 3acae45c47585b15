"""One table of a page as an Excel workbook (页面表格导出)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

__all__ = ["table_workbook"]

_FORMATS = {"money": "#,##0.00", "fen": "#,##0.00", "area": "#,##0.00", "number": "#,##0.0###", "score": "0.0000", "share": "0.00%", "year": "0", "count": "#,##0"}
_WHOLE, _NARROW, _WIDE = "#,##0", 8, 60
"""Whole figures of a column of numbers; least and largest width of a column, in characters."""


def table_workbook(title: str, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], *, whole: Sequence[Any] = (), notes: Sequence[str] = ()) -> bytes:
    """A workbook with the table on its first sheet, and how its figures came about on the second (表格导出).

    Parameters
    ----------
    title : str
    heads : sequence of (label, kind)
        Kind is one of money, fen, area, number, score, share, year, count; anything else is text.
    rows : sequence of rows
        One value a head; None for a blank.
    whole : sequence, optional
        The line of sums below.
    notes : sequence of str
        Lines of the second sheet.

    Returns
    -------
    bytes
        An .xlsx file without macros or formulas; text stays text whatever it begins with.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    sheet = book.add_worksheet("表")
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1, "border_color": "#BFBFBF", "text_wrap": True})
    looks = {k: book.add_format({"num_format": f}) for k, f in _FORMATS.items()}
    whole_look, wrap = book.add_format({"num_format": _WHOLE}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for k, (label, _) in enumerate(heads):
        sheet.write_string(1, k, label, bold)
    for n, row in enumerate([*rows, *([whole] if whole else [])], start=2):
        for k, (value, (_, kind)) in enumerate(zip(row, heads, strict=True)):
            if value is None or value == "":
                continue
            if kind in looks and isinstance(value, int | float):
                sheet.write_number(n, k, value, whole_look if kind == "number" and float(value).is_integer() else looks[kind])
            else:
                sheet.write_string(n, k, str(value), wrap)
    sheet.freeze_panes(2, 1)
    for k, (label, _) in enumerate(heads):
        longest = max([len(label), *(len(str(r[k])) for r in rows if r[k] is not None)])
        sheet.set_column(k, k, min(max(2 * longest, _NARROW), _WIDE))
    if notes:
        told = book.add_worksheet("说明")
        told.set_column(0, 0, 110, book.add_format({"text_wrap": True, "valign": "top"}))
        for n, line in enumerate(notes):
            told.write_string(n, 0, line)
    book.close()
    return out.getvalue()
