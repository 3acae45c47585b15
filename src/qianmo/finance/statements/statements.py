"""The eight statements as tables with the usual numbers of their items (财务八表)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.schema.shipped import shipped_rows

__all__ = ["Item", "statement_items", "statement_names", "statements", "total_of_row"]


@dataclass(frozen=True)
class Item:
    """One item of a statement (项目行): its number, label and the row of the sheet behind it."""

    number: str
    zh: str
    row: str


def statement_names() -> dict[str, str]:
    """The statements in order with their Chinese names (报表名称)."""
    return {r["statement"]: r["zh"] for r in shipped_rows("codes", "finance_statement_names")}


def statement_items(project: Project, statement: str) -> list[Item]:
    """Items of one statement for a project: those of a loan or a party once for each (报表项目).

    Parameters
    ----------
    project : Project
    statement : str
        A key of `statement_names`.
    """
    items: list[Item] = []
    rows = [r for r in shipped_rows("codes", "finance_statements") if r["statement"] == statement]
    ones: dict[str, list[tuple[str, str]]] = {
        "loan": [(ln.id, ln.zh) for ln in project.loans], "party": [(p.id, p.zh) for p in project.parties],
        "owner": [(p.id, p.zh) for p in project.parties if p.equity_share],
    }  # fmt: skip
    grouped = statement == "parties"
    for row in rows if not grouped else []:
        if not row["each"]:
            items.append(Item(row["number"], row["zh"], row["row"]))
        for name, zh in ones.get(row["each"], []):
            items.append(Item(row["number"], f"{row['zh']}: {zh}", row["row"].format(id=name)))
    for n, (name, zh) in enumerate(ones["party"] if grouped else [], 1):
        mine = [r for r in rows if r["each"] == "party" or (name, zh) in ones["owner"]]
        items += [Item(f"{n}.{r['number']}", f"{zh}: {r['zh']}", r["row"].format(id=name)) for r in mine]
    return items


def statements(project: Project, sheet: Sheet, values: Mapping[str, Sequence[float]]) -> dict[str, pd.DataFrame]:
    """All eight statements (八张报表).

    Parameters
    ----------
    project : Project
    sheet : Sheet
    values : mapping
        What `computed` gave.

    Returns
    -------
    dict of str to DataFrame
        Columns ``number``, ``zh``, ``row``, ``total``, then one a year (1 … n), amounts in fen; costs are positive in cost
        rows as the Chinese forms have them, net rows are in positive and out negative. ``total`` is the sum over the years,
        the value at the end for a balance, nan where neither has a meaning.
    """
    tables = {}
    for name in statement_names():
        lines = []
        for item in statement_items(project, name):
            yearly = values[item.row]
            lines.append([item.number, item.zh, item.row, total_of_row(sheet.rows[item.row], yearly), *yearly])
        tables[name] = pd.DataFrame(lines, columns=["number", "zh", "row", "total", *range(1, project.years + 1)])
    return tables


def total_of_row(row: Row, yearly: Sequence[float]) -> float:
    """What the column of totals shows for a row (合计列)."""
    if row.total == "last":
        return yearly[-1]
    return math.fsum(yearly) if row.total == "sum" else math.nan
