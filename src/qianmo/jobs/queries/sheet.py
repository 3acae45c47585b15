"""A table of a page as an Excel sheet (网页表格导出)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

__all__ = ["sheet"]

_WIDTHS = (8, 60)


def sheet(title: str, head: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> bytes:
    """A workbook with one sheet: title, headings, rows (导出表格).

    Text stays text: what begins with ``=`` is no formula and an address no link. Numbers stay numbers.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    page = book.add_worksheet()
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    page.write_string(0, 0, title, bold)
    page.write_row(1, 0, head, bold)
    widths = [len(h) * 2 for h in head]
    for line, row in enumerate(rows, start=2):
        for column, value in enumerate(row):
            if isinstance(value, int | float) and not isinstance(value, bool):
                page.write_number(line, column, value)
            else:
                page.write_string(line, column, str(value), wrap)
            widths[column] = max(widths[column], len(str(value)) * 2)
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width, _WIDTHS[0]), _WIDTHS[1]))
    page.freeze_panes(2, 1)
    book.close()
    return out.getvalue()
