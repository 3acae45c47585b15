"""Tables without drawings: which column is which, and what to say about rows (无图形表格的列与行)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache

import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

__all__ = ["bare_header", "columns_of", "known_words", "numbers", "rows_text"]

_NOISE = re.compile(r"[\s_\-/\\:：]|[(（\[【].*?[)）\]】]")
_MOST_ROWS = 5


def bare_header(text: str) -> str:
    """A header without blanks, dashes and what stands in brackets, in small letters (表头归一).

    Examples
    --------
    >>> bare_header("Station_ID (no.)")
    'stationid'
    """
    return _NOISE.sub("", str(text)).casefold()


@cache
def known_words(table: str, column: str) -> tuple[str, ...]:
    """Headers that mean a column, from ``codes/plain_fields.csv``; the column's own name and label among them (表头词)."""
    rows = [r for r in shipped_rows("codes", "plain_fields") if r["table"] == table and r["column"] == column]
    own = [c for c in table_spec(table).columns if c.name == column]
    words = [w for r in rows for w in r["words"].split(";")] + [c.name for c in own] + [c.zh for c in own]
    return tuple(dict.fromkeys(bare_header(w) for w in words))


def columns_of(headers: Sequence[str], table: str) -> dict[str, str]:
    """Target column → header of the source, for the columns that are there (列对照).

    Raises
    ------
    SchemaError
        Two headers mean the same column.
    """
    targets = [r["column"] for r in shipped_rows("codes", "plain_fields") if r["table"] == table and r["column"] != "unit"]
    found: dict[str, str] = {}
    for target in targets:
        fitting = [h for h in headers if bare_header(h) in known_words(table, target)]
        if len(fitting) > 1:
            raise SchemaError(f"列 {'、'.join(fitting)} 含义相同", expected="每项内容一列", cure="删除或改名其中一列")
        if fitting:
            found[target] = fitting[0]
    return found


def numbers(cells: pd.Series, where: str, *, first: bool = False) -> pd.Series:
    """Cells of text as finite numbers, blank cells as NaN (数值列). With `first` only the part before a dash is read.

    Raises
    ------
    SchemaError
        A cell is no number, or not finite; the rows are named.
    """
    texts = [None if pd.isna(c) or not str(c).strip() else str(c).strip() for c in cells]
    texts = [t.split("-")[0] if first and t and not t.startswith("-") else t for t in texts]
    values = [math.nan if t is None else _number(t) for t in texts]
    bad = [k for k, (t, v) in enumerate(zip(texts, values)) if t is not None and not math.isfinite(v)]
    if bad:
        raise SchemaError(
            f"{where}: {rows_text(bad)}不是数值, 如 {texts[bad[0]]!r}", expected="有限的十进制数, 小数点用 .", cure="改正单元格; 缺测请留空, 不要填 NaN、- 或文字"
        )
    return pd.Series(values, index=cells.index, dtype=float)


def rows_text(rows: Sequence[int]) -> str:
    """Rows in words, counted from 1 below the header (行号).

    Examples
    --------
    >>> rows_text([0, 4])
    '表头下第 1、5 行'
    """
    shown = "、".join(str(r + 1) for r in rows[:_MOST_ROWS])
    return f"表头下第 {shown} 行" + (f"等 {len(rows)} 行" if len(rows) > _MOST_ROWS else "")


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
