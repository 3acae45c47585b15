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
        Numbers to the right, text to the left. No line ends in blanks.
    """
    if table.frame.empty:
        return (f"{table.title}：{table.empty or '无'}",)
    shown = table.frame.head(most)
    cells = [[c.zh + (f"({c.unit})" if c.unit else "") for c in table.columns]]
    cells += [[cell_text(row[k], c.number_format) for k, c in enumerate(table.columns)] for row in shown.itertuples(index=False, name=None)]
    if table.sums:
        cells.append([_total(table, c, first=k == 0) for k, c in enumerate(table.columns)])
    wide = [max(_width(row[k]) for row in cells) for k in range(len(table.columns))]
    right = [c.number_format not in ("text", "year") for c in table.columns]
    lines = [_GAP.join(_padded(text, w, r) for text, w, r in zip(row, wide, right)).rstrip() for row in cells]
    left = len(table.frame) - len(shown)
    return (table.title, *(f"  {line}" for line in lines), *((f"  … 其余 {left} 行见工作簿",) if left > 0 else ()))


def _total(table: BookTable, column: BookColumn, *, first: bool) -> str:
    if column.name in table.sums:
        return cell_text(table.frame[column.name].sum(), column.number_format)
    return "合计" if first else ""


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, wide: int, right: bool) -> str:
    blanks = " " * (wide - _width(text))
    return blanks + text if right else text + blanks
