"""A table as lines of plain text, Chinese characters two cells wide (文本表格)."""

from __future__ import annotations

import unicodedata

from qianmo.reports.typography import cell_text
from qianmo.schema.book import BookColumn, BookTable

__all__ = ["text_table"]

_GAP = "  "


def text_table(table: BookTable, *, most: int = 20) -> tuple[str, ...]:
    """Title, head, rows and total of a table, columns aligned (文本表格).

    Parameters
    ----------
    table : BookTable
    most : int
        Rows shown; what is left out is said.

    Returns
    -------
    tuple of str
        Numbers to the right with thousands separators, text to the left. No line ends in blanks.
    """
    if table.frame.empty:
        return (f"{table.title}：{table.empty or '无'}",)
    shown = table.frame.head(most)
    cells = [[c.zh + (f"({c.unit})" if c.unit else "") for c in table.columns]]
    cells += [[_cell(row[k], c) for k, c in enumerate(table.columns)] for row in shown.itertuples(index=False, name=None)]
    if table.sums:
        cells.append([_total(table, c, first=k == 0) for k, c in enumerate(table.columns)])
    wide = [max(_width(row[k]) for row in cells) for k in range(len(table.columns))]
    right = [c.number_format not in ("text", "year") for c in table.columns]
    lines = [_GAP.join(_padded(text, w, r) for text, w, r in zip(row, wide, right)).rstrip() for row in cells]
    left = len(table.frame) - len(shown)
    return (table.title, *(f"  {line}" for line in lines), *((f"  … 其余 {left} 行见工作簿",) if left > 0 else ()))


def _cell(value: object, column: BookColumn) -> str:
    text = cell_text(value, column.number_format)
    if column.number_format in ("0.00", "0.0", "0.0000", "integer") and text.lstrip("-").replace(".", "", 1).isdigit():
        whole, dot, rest = text.partition(".")
        return f"{'-' if whole.startswith('-') else ''}{abs(int(whole)):,}{dot}{rest}"
    return text


def _total(table: BookTable, column: BookColumn, *, first: bool) -> str:
    if column.name in table.sums:
        return _cell(table.frame[column.name].sum(), column)
    return "合计" if first else ""


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, wide: int, right: bool) -> str:
    blanks = " " * (wide - _width(text))
    return blanks + text if right else text + blanks
