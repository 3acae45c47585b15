"""Is the library right: each wrong row with what is wrong and how to mend it (项目库检查)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.governance.library.cells import WrongCellError, cell_value
from qianmo.governance.library.check_money import check_money
from qianmo.governance.library.conformity import ZONES, conformity
from qianmo.governance.library.typed import FAULT_COLUMNS, fault_row
from qianmo.schema.tables import table_spec

__all__ = ["LIBRARY_TABLES", "check_library"]

LIBRARY_TABLES = ("library_project", "library_payment", "library_fund", "library_fund_year", "library_order", "library_floor")
"""Tables that a town fills in."""

_IDS = {"library_project": "project_id", "library_fund": "fund_id"}
_ID = re.compile(r"(?!\.{1,2}$)[^\s/\\?#%;；、<>\"']{1,40}")
_SHARES = ("fund_readiness", "village_consent")
_NOT_NEGATIVE = ("area_m2", "scale", "new_farmland_m2", "basic_farmland_m2", "freed_construction_m2", "ecological_m2")


def check_library(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every fault of the library (项目库检查).

    Parameters
    ----------
    tables : mapping
        Some or all of `LIBRARY_TABLES`, typed.

    Returns
    -------
    DataFrame, columns `typed.FAULT_COLUMNS`
        `severity` error or warning; no rows when the library is right.
    """
    rows: list[tuple[Any, ...]] = []
    for name in LIBRARY_TABLES:
        if name in tables:
            rows += _cells(name, tables[name])
    if "library_project" in tables:
        rows += _projects(tables["library_project"])
    rows += check_money(tables)
    return pd.DataFrame(rows, columns=list(FAULT_COLUMNS))


def _cells(table: str, frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Blanks that may not be, and values that the column does not hold."""
    spec = table_spec(table)
    key = next(c.name for c in spec.columns if c.required)
    keys = frame[key].map(str).tolist() if key in frame else [""] * len(frame)
    for c in spec.columns:
        if c.name not in frame:
            if c.required:
                yield fault_row(table, 0, "", c.name, "", "缺少此列", "column missing")
            continue
        for n, value in enumerate(frame[c.name].tolist()):
            try:
                read = cell_value(c, value)
            except WrongCellError as wrong:
                yield fault_row(table, n + 1, keys[n], c.name, str(value), wrong.zh, wrong.en)
                continue
            if read is None and c.required:
                yield fault_row(table, n + 1, keys[n], c.name, "", "不能为空", "may not be blank", cure="填写该单元格")
            elif _IDS.get(table) == c.name and not _ID.fullmatch(str(read)):
                yield fault_row(table, n + 1, keys[n], c.name, str(value), "编号不超过 40 字, 不含空格、引号与 / \\ ? # % ; 、 < >", "at most 40 signs, without blanks, quotes and / \\ ? # % ; < >")


def _projects(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    seen: dict[str, int] = {}
    for n, row in enumerate(frame.to_dict("records"), start=1):
        project = str(row.get("project_id"))

        def told(column: str, zh: str, en: str, *, cure: str = "", severity: str = "error", row: Mapping[str, Any] = row, n: int = n, project: str = project) -> tuple[Any, ...]:
            return fault_row("library_project", n, project, column, str(row.get(column)), zh, en, severity=severity, cure=cure)

        if project in seen:
            yield told("project_id", f"与第 {seen[project]} 行重复", f"the same as row {seen[project]}", cure="每个项目编号只出现一次")
        seen.setdefault(project, n)
        if _above(row, "investment_yuan") is False:
            yield told("investment_yuan", "应大于 0", "above 0", cure="填写投资, 单位元")
        for column in _NOT_NEGATIVE:
            if _given(row, column) and float(row[column]) < 0:
                yield told(column, "不能为负数", "not negative")
        for column in _SHARES:
            if _given(row, column) and not 0 <= float(row[column]) <= 1:
                yield told(column, "应在 0 与 1 之间", "between 0 and 1", cure="百分数请除以 100")
        if _given(row, "urgency") and not 1 <= int(row["urgency"]) <= 5:
            yield told("urgency", "应为 1 至 5", "from 1 to 5")
        if _given(row, "works_years") and int(row["works_years"]) < 1:
            yield told("works_years", "至少 1 年", "at least 1")
        if _given(row, "earliest_start", "latest_start") and row["earliest_start"] > row["latest_start"]:
            yield told("latest_start", f"早于最早开工年 {row['earliest_start']}", "before the earliest start")
        if _given(row, "start_year", "end_year") and row["start_year"] > row["end_year"]:
            yield told("end_year", f"早于开工年 {row['start_year']}", "before the start")
        if _given(row, "scale") != _given(row, "scale_unit"):
            yield told("scale_unit", "建设规模与规模单位须同时填写", "scale and unit go together")
        yield from _zones(row, told)


def _zones(row: Mapping[str, Any], told: Any) -> Iterator[tuple[Any, ...]]:
    zones = [z for z in str(row.get("zones") or "").split(";") if z] if _given(row, "zones") else []
    strange = [z for z in zones if z not in ZONES]
    if strange:
        yield told("zones", f"没有管控区 {'、'.join(strange)}, 应为: {'、'.join(ZONES)}", f"one of {', '.join(ZONES)}")
    elif zones and _given(row, "activity_id") and str(row["activity_id"]).startswith("ZA"):
        answer = conformity(str(row["activity_id"]), zones)
        if answer.verdict == "P":
            yield told("activity_id", answer.zh, "the activity is forbidden in one of the zones", cure="调整选址或活动类型")
        elif answer.verdict == "C" and row.get("plan_conformity") == "conforms":
            yield told("plan_conformity", answer.zh, "allowed under conditions only", severity="warning", cure="填“有条件符合”并落实条件")


def _given(row: Mapping[str, Any], *columns: str) -> bool:
    return not any(is_blank(row.get(c)) for c in columns)


def _above(row: Mapping[str, Any], column: str) -> bool | None:
    return float(row[column]) > 0 if _given(row, column) else None
