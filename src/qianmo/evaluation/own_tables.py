"""Tables of a county in place of the shipped ones, column by column (自定模型表)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["Rows", "known_tables", "number_of", "region_of", "table_rows"]

Rows = Sequence[Mapping[str, str]]

_REMARKS = ("source", "confidence", "note")
"""Columns that say where a row comes from; a county may leave them out."""


def known_tables(own: Mapping[str, Rows], names: Sequence[str]) -> None:
    """Refuse tables that the model does not have (模型表名检查).

    Raises
    ------
    SchemaError
        An unknown table.
    """
    strange = [n for n in own if n not in names]
    if strange:
        raise SchemaError(f"没有模型表 {', '.join(strange)}", expected=", ".join(names))


def table_rows(name: str, own: Rows | None) -> Rows:
    """Rows of one table: the county's where given, else the shipped ones (模型表).

    Raises
    ------
    SchemaError
        A needed column is missing, or the table has no rows.
    """
    shipped = shipped_rows("parameters", name)
    if own is None:
        return shipped
    needed = [c for c in shipped[0] if c not in _REMARKS]
    lost = [c for c in needed if not own or c not in own[0]]
    if lost:
        raise SchemaError(f"{name}.csv 缺列 {', '.join(lost)}", expected=", ".join(needed))
    return own


def number_of(row: Mapping[str, str], key: str, *, what: str, otherwise: float | None = None) -> float:
    """A number of a row; `otherwise` where the cell is blank (表中数值).

    Raises
    ------
    RuleError
        Blank without `otherwise`, or no finite number; `what` names the row.
    """
    text = str(row.get(key, "") or "").strip()
    if not text and otherwise is not None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RuleError(f"{what}: {key} 为 {text!r}", expected="一个数")
    return value


def region_of(rows: Rows, asked: str | None, *, what: str) -> Mapping[str, str]:
    """The row of the region that is asked for by code or name, or the only one (分区).

    Raises
    ------
    SchemaError
        No such region, or none asked for where there are several; all are listed.
    """
    listed = ", ".join(f"{r['region']} {r['name_zh']}" for r in rows)
    if not asked and len(rows) == 1:
        return rows[0]
    found = [r for r in rows if asked and asked in (r["region"], r["name_zh"])]
    if not found:
        said = f"没有分区 {asked}" if asked else "没有指明分区"
        raise SchemaError(f"{what}: {said}", expected=listed, cure="用 --region 指明所在分区 (代码或名称)")
    return found[0]
