"""Tables of text to typed tables, every wrong cell named with its row (表格读入)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from qianmo.governance.library.cells import WrongCellError, cell_value, column_header, column_of_header
from qianmo.schema.errors import SchemaError
from qianmo.schema.library import column_word
from qianmo.schema.tables import table_spec

__all__ = ["FAULT_COLUMNS", "empty_faults", "fault_row", "typed_table"]

FAULT_COLUMNS = ("table", "row", "key", "column", "severity", "found", "zh", "en", "cure")
"""Columns of every table of faults of the library; `row` counts data rows from 1, or is the row of the sheet where one was read."""

_DTYPES = {"integer": "Int64", "real": "float64", "boolean": "boolean", "text": "object", "date": "object"}


def typed_table(table: str, raw: pd.DataFrame, *, first_row: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of what clerks wrote as a typed table (读入项目库表).

    Parameters
    ----------
    table : str
        Name of a table of the library.
    raw : DataFrame
        Heads are labels or names of columns, cells text or values.
    first_row : int
        Number of the first data row, for the faults.

    Returns
    -------
    frame : DataFrame
        All columns of the table in order; a wrong cell is blank.
    faults : DataFrame, columns `FAULT_COLUMNS`
        One row a wrong cell.

    Raises
    ------
    SchemaError
        An unknown head, a head that occurs twice, or a required column that is missing.
    """
    spec = table_spec(table)
    heads = [column_of_header(table, str(h)) for h in raw.columns]
    _check_heads(table, [str(h) for h in raw.columns], heads)
    columns: dict[str, list[Any]] = {c.name: [None] * len(raw) for c in spec.columns}
    faults = []
    key = next(c.name for c in spec.columns if c.required)
    keys = raw.iloc[:, heads.index(key)].map(lambda v: str(v).strip()).tolist()
    for at, head in enumerate(heads):
        column = spec.column(head)
        for n, written in enumerate(raw.iloc[:, at].tolist()):
            try:
                columns[head][n] = cell_value(column, written)
            except WrongCellError as wrong:
                faults.append(fault_row(table, first_row + n, keys[n], head, str(written), wrong.zh, wrong.en))
    frame = pd.DataFrame({c.name: pd.array(columns[c.name], dtype=_DTYPES[c.type]) if c.type != "real" else pd.Series(columns[c.name], dtype="float64") for c in spec.columns})
    return frame, pd.DataFrame(faults, columns=list(FAULT_COLUMNS))


def fault_row(table: str, row: int, key: str, column: str, found: str, zh: str, en: str, *, severity: str = "error", cure: str = "") -> tuple[Any, ...]:
    """One row of a table of faults, in both languages (问题行)."""
    label = table_spec(table).column(column).zh if column in table_spec(table).column_names else ""
    return table, row, key, column, severity, found, f"{label}: {zh}" if label else zh, f"{column_word(column)}: {en}" if label else en, cure or "改正该单元格"


def empty_faults() -> pd.DataFrame:
    """A table of faults without rows (空问题表)."""
    return pd.DataFrame(columns=list(FAULT_COLUMNS))


def _check_heads(table: str, written: Sequence[str], heads: Sequence[str]) -> None:
    spec = table_spec(table)
    strange = [w for w, h in zip(written, heads) if not h]
    twice = sorted({w for w, h in zip(written, heads) if h and list(heads).count(h) > 1})
    missing = [f"{column_header(c)} ({c.name})" for c in spec.columns if c.required and c.name not in heads]
    if strange or twice or missing:
        found = "; ".join(
            f"{word} {', '.join(names)}" for word, names in (("不认识的列", strange), ("重复的列", twice), ("缺少列", missing)) if names
        )  # fmt: skip
        raise SchemaError(f"{spec.zh}: {found}", expected="、".join(column_header(c) for c in spec.columns), cure="用 qianmo library export 导出模板, 不改表头")
