"""Years of works: level yearly spending, ecology first (年度计划)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.costs import split_exactly
from qianmo.schema.errors import RuleError
from qianmo.schema.measures import measure

__all__ = ["YEAR_COLUMNS", "schedule", "year_plan", "yearly_cents"]

YEAR_COLUMNS = ("year", "subprojects", "area_m2", "new_farmland_m2", "cost_yuan")
ECOLOGY = "生态保护修复"


def schedule(subproject: pd.DataFrame, *, start_year: int, years: int) -> pd.DataFrame:
    """Give each sub-project its years (安排年度).

    A year's fair share is the total over the years. Sub-projects dearer than that start in the
    first year and run as many years as they have shares. Then ecology takes the earliest year with
    room; then the rest, those that make farmland first and the dear before the cheap, go to the
    year with the least spending. Ties go to the earlier year and the smaller id, so the result
    does not depend on the order of rows.

    Returns
    -------
    DataFrame, table ``subproject``
        With ``start_year`` and ``end_year``.

    Raises
    ------
    RuleError
        Fewer than one year.
    """
    if years < 1:
        raise RuleError(f"{years} years of works", expected="at least 1 (parameter plan_years)")
    table = subproject.sort_values("subproject_id").reset_index(drop=True)
    cents = np.rint(table["cost_yuan"].to_numpy(float) * 100).astype(np.int64)
    share = cents.sum() / years
    spent = np.zeros(years)
    start, end = np.zeros(len(table), int), np.zeros(len(table), int)
    for k in _order(table, cents, share):
        if cents[k] > share:
            span = min(years, int(np.ceil(cents[k] / share - 1e-9)))
            first = 0
        else:
            span, first = 1, _year_for(table["project_class"][k], cents[k], share, spent)
        spent[first : first + span] += split_exactly(int(cents[k]), np.ones(span))
        start[k], end[k] = start_year + first, start_year + first + span - 1
    table["start_year"], table["end_year"] = start, end
    return table


def yearly_cents(subproject: pd.DataFrame, year: int) -> int:
    """Spending of one year, in cents; a sub-project of several years spends level (年度投资)."""
    total = 0
    cents = np.rint(subproject["cost_yuan"].to_numpy(float) * 100).astype(np.int64)
    for cost, start, end in zip(cents, subproject["start_year"].to_numpy(int), subproject["end_year"].to_numpy(int)):
        if start <= year <= end:
            total += int(split_exactly(int(cost), np.ones(end - start + 1))[year - start])
    return total


def year_plan(subproject: pd.DataFrame, *, start_year: int, years: int) -> pd.DataFrame:
    """Year plan: what is finished and what is spent in each year (年度计划表).

    Returns
    -------
    DataFrame, columns `YEAR_COLUMNS`, one row a year
        Counts and areas in the year a sub-project ends, money in the years it runs; every column
        sums to its total over the sub-projects.
    """
    rows = []
    for year in range(start_year, start_year + years):
        ends = subproject[subproject["end_year"] == year]
        rows.append(
            {
                "year": year,
                "subprojects": len(ends),
                "area_m2": float(np.rint(ends["area_m2"].to_numpy(float) * 100).sum() / 100),
                "new_farmland_m2": float(np.rint(ends["new_farmland_m2"].to_numpy(float) * 100).sum() / 100),
                "cost_yuan": yearly_cents(subproject, year) / 100,
            }
        )
    return pd.DataFrame(rows, columns=list(YEAR_COLUMNS))


def _order(table: pd.DataFrame, cents: np.ndarray, share: float) -> list[int]:
    def key(k: int) -> tuple[bool, bool, bool, int, int]:
        is_ecology = table["project_class"][k] == ECOLOGY
        return (cents[k] <= share, not is_ecology, not measure(table["measure"][k]).creates_farmland, -int(cents[k]), k)

    return sorted(range(len(table)), key=key)


def _year_for(project_class: str, cents: int, share: float, spent: np.ndarray) -> int:
    room = np.flatnonzero(spent + cents <= share + 1e-6)
    if project_class == ECOLOGY and len(room):
        return int(room[0])
    return int(np.argmin(spent))
