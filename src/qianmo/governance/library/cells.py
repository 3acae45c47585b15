"""Cells of the library tables as a clerk writes them and back: Chinese words, dates, yes and no (单元格读写)."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

from qianmo.governance.blank import is_blank
from qianmo.schema.codes import zone_activities
from qianmo.schema.library import coded_values, project_classes
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import Column, table_spec
from qianmo.schema.workflows import workflow, workflow_words

__all__ = ["LISTS", "WrongCellError", "cell_text", "cell_value", "column_header", "column_of_header", "value_choices"]

LISTS = ("villages", "zones", "fund_ids", "classes", "regions", "documents")
"""Columns that hold several values with a semicolon between."""

_UNITS = {"m2": "平方米", "yuan": "元", "year": "年"}
_TRUE, _FALSE = ("是", "true", "1", "yes", "1.0"), ("否", "false", "0", "no", "0.0", "")
_SPLIT = re.compile(r"[;；、]")


class WrongCellError(ValueError):
    """A cell that is not what its column holds; the message says what was expected, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en
        super().__init__(zh)


def column_header(column: Column) -> str:
    """Label of a column with its unit, as in the head of a sheet (表头)."""
    unit = _UNITS.get(column.unit, column.unit)
    return f"{column.zh}({unit})" if unit and unit != "年" else column.zh


def column_of_header(table: str, header: str) -> str:
    """Column that a head of a sheet names: its label with or without unit, or its name; '' for none (表头对应字段)."""
    plain = re.sub(r"[\s*]", "", header).replace("（", "(").replace("）", ")")
    for c in table_spec(table).columns:
        if plain in (column_header(c), c.zh, c.name):
            return c.name
    return ""


def value_choices(column: Column) -> dict[str, tuple[str, str]]:
    """Value → Chinese and English word for a column with codes; empty for one without (可选值)."""
    if column.codes == "project_classes":
        return {z: (z, e) for z, e in project_classes().items()}
    if column.codes == "workflow_states":
        return {s.id: (s.zh, s.en) for s in workflow("project_library").states.values()}
    if column.codes == "zone_names":
        return {r["zone"]: (r["zh"], r["en"]) for r in shipped_rows("codes", "zone_names")}
    if column.codes == "zone_activity_matrix":
        return {k: (r["activity_zh"], r["activity_en"]) for k, r in zone_activities().items()}
    if column.codes in ("workflow_actors", "workflow_documents"):
        return workflow_words(column.codes.removeprefix("workflow_").removesuffix("s"))
    if column.codes == "library_values":
        return dict(coded_values(column.name))
    if column.codes in ("acceptance_fields", "acceptance_cut_reasons"):
        key = "field" if column.codes == "acceptance_fields" else "reason"
        return {r[key]: (r["zh"], r["en"]) for r in shipped_rows("codes", column.codes)}
    return {}


def cell_text(column: Column, value: Any) -> str:
    """A stored value as the clerk reads it, in Chinese; '' for a blank (显示文字)."""
    if is_blank(value):
        return ""
    if column.type == "boolean":
        return "是" if bool(value) else "否"
    words = value_choices(column)
    if words:
        parts = _SPLIT.split(str(value)) if column.name in LISTS else [str(value)]
        return "；".join(words.get(p.strip(), (p.strip(), ""))[0] for p in parts)
    if column.type == "integer":
        return str(int(value))
    if column.type == "real":
        return repr(float(value)).removesuffix(".0")
    return "；".join(p.strip() for p in _SPLIT.split(str(value))) if column.name in LISTS else str(value).strip()


def cell_value(column: Column, text: Any) -> Any:
    """The stored value of what a clerk wrote (读入单元格).

    Parameters
    ----------
    column : Column
    text : str, number, bool or None
        Chinese words, codes, numbers as text, ``2026-03-01``.

    Returns
    -------
    str, int, float, bool or None
        None for a blank.

    Raises
    ------
    WrongCellError
        It is not what the column holds.
    """
    written = "" if is_blank(text) else str(text).strip()
    if column.type == "boolean":
        if written.casefold() in _TRUE:
            return True
        if written.casefold() in _FALSE:
            return None if not written else False
        raise WrongCellError("应为 是 或 否", "yes or no")
    if not written:
        return None
    if column.name in LISTS:
        return ";".join(str(_chosen(column, p.strip())) for p in _SPLIT.split(written) if p.strip())
    if column.type in ("integer", "real"):
        return _number(column, written)
    if column.type == "date":
        return _day(written)
    return _chosen(column, written)


def _chosen(column: Column, written: str) -> str:
    words = value_choices(column)
    if not words or written in words:
        return written
    for value, (zh, en) in words.items():
        if written in (zh, en):
            return value
    shown = [zh for zh, _ in words.values()]
    raise WrongCellError("应为: " + "、".join(shown[:20]), "one of: " + ", ".join(list(words)[:20]))


def _number(column: Column, written: str) -> int | float:
    try:
        value = float(written.replace(",", "").replace("，", ""))
    except ValueError:
        raise WrongCellError("应为数字", "a number") from None
    if not math.isfinite(value):
        raise WrongCellError("应为有限的数字", "a finite number")
    if column.type == "integer":
        if value != int(value):
            raise WrongCellError("应为整数", "a whole number")
        return int(value)
    return value


def _day(written: str) -> str:
    parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?", written)
    try:
        return date(*(int(p) for p in parts.groups())).isoformat() if parts else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> str:
    raise WrongCellError("应为日期, 如 2026-03-01", "a day such as 2026-03-01")

