"""What a sheet that came back changes, against the library as it is now (项目库往返比较)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from qianmo.governance.library.cells import cell_text
from qianmo.governance.library.typed import FAULT_COLUMNS, fault_row
from qianmo.schema.tables import Column, table_spec

__all__ = ["CHANGE_COLUMNS", "KEYS", "Difference", "applied", "compare_table", "fingerprints", "row_key"]

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "library_project": ("project_id",), "library_payment": ("project_id", "stage_year", "fund_ids"), "library_fund": ("fund_id",),
        "library_fund_year": ("fund_id", "year"), "library_order": ("before_id", "after_id"), "library_floor": ("region", "first_year", "last_year"),
    }
)  # fmt: skip
"""Columns that tell the rows of each table apart."""

CHANGE_COLUMNS = ("table", "row", "key", "kind", "column", "before", "after")
"""Columns of a list of changes; `kind` is added, changed or removed; a changed row has one line a column."""


@dataclass(frozen=True)
class Difference:
    """What one sheet changes (差异).

    `changes` has the columns `CHANGE_COLUMNS`; `refused` lists rows that cannot be taken, with their row in the sheet. `frame` is
    the table after the changes; refused rows are in it as they are in the library now.
    """

    table: str
    changes: pd.DataFrame
    refused: pd.DataFrame
    frame: pd.DataFrame

    def count(self, kind: str) -> int:
        """How many rows were added, changed or removed."""
        return int(self.changes.loc[self.changes["kind"] == kind, "key"].nunique())


def row_key(table: str, row: Mapping[str, Any]) -> str:
    """What tells a row from the others, in words (行标识)."""
    spec = table_spec(table)
    return " / ".join(cell_text(spec.column(c), row.get(c)) for c in KEYS[table])


def fingerprints(table: str, frame: pd.DataFrame) -> dict[str, str]:
    """Key of each row → short hash of all its cells (行指纹): goes out with a sheet and tells later who changed what."""
    return {row_key(table, r): _hash(_texts(table, r)) for r in frame.to_dict("records")}


def compare_table(
    table: str, current: pd.DataFrame, edited: pd.DataFrame, base: Mapping[str, str], *, rows: Sequence[int] | None = None, protect: Sequence[str] = (), fresh: Mapping[str, Any] | None = None
) -> Difference:  # fmt: skip
    """Compare a sheet with the library, knowing how the library was when the sheet went out (三方比较).

    Parameters
    ----------
    table : str
    current : DataFrame
        The table as it is now.
    edited : DataFrame
        The table of the sheet, typed.
    base : mapping
        `fingerprints` of the table when the sheet went out; empty for a sheet that never did.
    rows : sequence of int, optional
        Row of each row in the sheet; from 2 on by default, below the head.
    protect : sequence of str
        Columns that a sheet may not change, such as the state.
    fresh : mapping, optional
        Values that protected columns of new rows must have.

    Returns
    -------
    Difference
        A row that was changed on both sides, that was taken out on one side and changed on the other, that occurs twice, or that
        touches a protected column is refused.
    """
    now = {row_key(table, r): r for r in current.to_dict("records")}
    was = dict(base)
    changes: list[tuple[Any, ...]] = []
    refused: list[tuple[Any, ...]] = []
    taken: dict[str, Mapping[str, Any]] = dict(now)
    seen: dict[str, int] = {}
    for n, r in zip(rows if rows is not None else range(2, len(edited) + 2), edited.to_dict("records"), strict=True):
        key = row_key(table, r)
        if key in seen:
            refused.append(_refusal(table, n, key, f"与第 {seen[key]} 行重复", f"the same as row {seen[key]}"))
            continue
        seen[key] = n
        mine = _hash(_texts(table, r))
        there = _hash(_texts(table, now[key])) if key in now else None
        told = _conflict(key, mine, there, was.get(key))
        touched = [c for c in protect if _touched(table, c, r, now.get(key), fresh or {})]
        if mine == there or (key in was and mine == was[key]):
            continue
        if told:
            refused.append(_refusal(table, n, key, *told))
        elif touched:
            labels = "、".join(table_spec(table).column(c).zh for c in touched)
            refused.append(_refusal(table, n, key, f"表格不能改{labels}, 请用办理命令", f"{', '.join(touched)} can not be changed by a sheet"))
        else:
            changes += _changes(table, n, key, now.get(key), r)
            taken[key] = r
    for key in [k for k in was if k not in seen and k in now]:
        if _hash(_texts(table, now[key])) != was[key]:
            refused.append(_refusal(table, 0, key, "表格中已删除, 但库中此后有改动", "taken out of the sheet, but changed in the library since"))
        else:
            changes += [(table, 0, key, "removed", "", "", "")]
            del taken[key]
    order = [*[k for k in now if k in taken], *[k for k in taken if k not in now]]
    frame = pd.DataFrame([taken[k] for k in order], columns=list(table_spec(table).column_names))
    return Difference(table, pd.DataFrame(changes, columns=list(CHANGE_COLUMNS)), pd.DataFrame(refused, columns=list(FAULT_COLUMNS)), _as(current, frame))


def applied(tables: Mapping[str, pd.DataFrame], differences: Sequence[Difference]) -> dict[str, pd.DataFrame]:
    """The tables after all changes (应用差异)."""
    return {**tables, **{d.table: d.frame for d in differences}}


def _conflict(key: str, mine: str, there: str | None, was: str | None) -> tuple[str, str] | None:
    if was is None and there is not None and mine != there:
        return "库中已有相同编号而内容不同的行", "the library holds another row of this key"
    if was is not None and there is None and mine != was:
        return "此后库中已删除该行", "taken out of the library since"
    if was is not None and there is not None and was != there and mine not in (was, there):
        return "导出后库中也改过该行", "changed in the library too since the export"
    return None


def _touched(table: str, column: str, mine: Mapping[str, Any], there: Mapping[str, Any] | None, fresh: Mapping[str, Any]) -> bool:
    c = table_spec(table).column(column)
    wanted = there.get(column) if there is not None else fresh.get(column)
    return cell_text(c, mine.get(column)) != cell_text(c, wanted)


def _changes(table: str, n: int, key: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    if before is None:
        return [(table, n, key, "added", "", "", "")]
    pairs = ((c, cell_text(c, before.get(c.name)), cell_text(c, after.get(c.name))) for c in table_spec(table).columns)
    return [(table, n, key, "changed", c.name, old, new) for c, old, new in pairs if old != new]


def _refusal(table: str, row: int, key: str, zh: str, en: str) -> tuple[Any, ...]:
    return fault_row(table, row, key, "", "", zh, en, cure="重新导出后在新表上修改")


def _texts(table: str, row: Mapping[str, Any]) -> list[str]:
    columns: tuple[Column, ...] = table_spec(table).columns
    return [cell_text(c, row.get(c.name)) for c in columns]


def _hash(texts: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:16]


def _as(model: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({c: model[c].dtype for c in frame.columns if c in model}) if len(model.columns) else frame
