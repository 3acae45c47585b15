"""Rows of the library changed by a form: a fund and its years, payments of a project, order, floors (表单维护资金、用款与先后)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.governance.library.cells import cell_text
from qianmo.governance.library.check import check_library
from qianmo.governance.library.check_money import fen_of
from qianmo.governance.library.difference import Difference, compare_table, fingerprints, row_key
from qianmo.governance.library.typed import FAULT_COLUMNS, fault_row, typed_table
from qianmo.jobs.context import Context
from qianmo.jobs.library.compare import Comparison, library_or_new, store_comparison
from qianmo.jobs.library.store import Library, empty_table
from qianmo.schema.tables import table_spec

__all__ = ["RowSet", "edit_rows", "fresh_errors", "mark_of_rows", "pay_out", "rows_within"]


@dataclass(frozen=True)
class RowSet:
    """All rows of a table that a form holds (一组行).

    `within` gives the columns that are the same in all of them, empty for the whole table; `rows` the texts of each row as it shall
    be; `mark` is `mark_of_rows` when the form was opened.
    """

    table: str
    rows: Sequence[Mapping[str, str]]
    mark: str
    within: Mapping[str, str] = field(default_factory=dict)


def rows_within(frame: pd.DataFrame, table: str, within: Mapping[str, str]) -> pd.DataFrame:
    """Rows whose cells read as `within` says (所辖行)."""
    keep = pd.Series(True, index=frame.index)
    for name, text in within.items():
        column = table_spec(table).column(name)
        keep &= pd.Series([cell_text(column, v) == text for v in frame[name]], index=frame.index, dtype=bool)
    return frame[keep]


def mark_of_rows(frame: pd.DataFrame, table: str, within: Mapping[str, str]) -> str:
    """Fingerprint of these rows as they are now; a form carries it so that nobody overwrites another's change unseen (行组指纹)."""
    marks = fingerprints(table, rows_within(frame, table, within))
    return hashlib.sha256("\x1f".join(f"{k}={v}" for k, v in sorted(marks.items())).encode()).hexdigest()[:16]


def edit_rows(context: Context, folder: Path, sets: Sequence[RowSet], *, reason: str, what: str) -> pd.DataFrame:
    """Put sets of rows in the place of those that are there, all or none (表单写入).

    Parameters
    ----------
    sets : sequence of RowSet
        One a table.
    reason, what : str
        Why, and which form it came by; both stand in the log ``library_change``.

    Returns
    -------
    DataFrame, columns `typed.FAULT_COLUMNS`
        What is wrong; `row` counts the rows of the set from 1, 0 for one outside. Without rows the change is stored, otherwise nothing is.
    """
    library = library_or_new(folder)
    told = [_whole_refusal(s, "须写明理由", "say why", cure="填写理由") for s in sets[:1] if not reason.strip()]
    told += [_whole_refusal(s, *words) for s in sets if (words := _meanwhile(library, s))]
    if told:
        return pd.DataFrame(told, columns=list(FAULT_COLUMNS))
    typed = {s.table: typed_table(s.table, pd.DataFrame([{**r, **s.within} for r in s.rows], columns=list(table_spec(s.table).column_names))) for s in sets}
    wrong = [faults for _, faults in typed.values() if len(faults)]
    if wrong:
        return pd.concat(wrong, ignore_index=True)
    differences = [_difference(library, s, typed[s.table][0]) for s in sets]
    tables = {**library.tables, **{d.table: d.frame for d in differences}}
    places = {s.table: [row_key(s.table, r) for r in typed[s.table][0].to_dict("records")] for s in sets}
    errors = _in_sets(fresh_errors(check_library(library.tables), check_library(tables)), tables, places)
    found = pd.concat([*(d.refused for d in differences), errors], ignore_index=True)
    if found.empty and any(len(d.changes) for d in differences):
        store_comparison(context, folder, library, Comparison(tuple(differences), found, errors, errors, tables, ""), names=what, reason=reason.strip())
    return found


def pay_out(context: Context, folder: Path, fund: str, year: str, amount: str, *, mark: str, reason: str) -> pd.DataFrame:
    """Record money that was paid from a fund in a year: it adds to what is paid, within what is promised (拨付登记).

    Returns
    -------
    DataFrame, columns `typed.FAULT_COLUMNS`
        As `edit_rows`; the same payment sent twice is refused the second time, since the mark is no longer that of the row.
    """
    within = {"fund_id": fund, "year": year}
    library = library_or_new(folder)
    mine = rows_within(library.tables.get("library_fund_year", empty_table("library_fund_year")), "library_fund_year", within).to_dict("records")
    paid, wrong = typed_table("library_fund_year", pd.DataFrame([{**within, "amount_yuan": amount}]))
    value = paid["amount_yuan"].iloc[0]
    if not mine:
        return pd.DataFrame([fault_row("library_fund_year", 0, fund, "year", year, "该年度没有此资金", "the fund has no money in this year")], columns=list(FAULT_COLUMNS))
    if len(wrong) or is_blank(value) or not value > 0:
        return pd.DataFrame([fault_row("library_fund_year", 0, fund, "paid_yuan", amount, "拨付金额应为大于 0 的数", "a payment is a number above 0")], columns=list(FAULT_COLUMNS))
    before = 0 if is_blank(mine[0]["paid_yuan"]) else fen_of(mine[0]["paid_yuan"])
    texts = {c.name: cell_text(c, mine[0][c.name]) for c in table_spec("library_fund_year").columns}
    row = {**texts, "paid_yuan": f"{(before + fen_of(value)) / 100:.2f}"}
    return edit_rows(context, folder, [RowSet("library_fund_year", [row], mark, within)], reason=reason, what=f"拨付登记 {fund} {year} 年 {fen_of(value) / 100:,.2f} 元")


def fresh_errors(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Errors that were not there before (新出现的错误)."""
    known = set(zip(before["table"], before["key"], before["column"], before["zh"], strict=True))
    is_new = [r["severity"] == "error" and (r["table"], r["key"], r["column"], r["zh"]) not in known for r in after.to_dict("records")]
    return after[pd.Series(is_new, dtype=bool).to_numpy()] if len(after) else after


def _meanwhile(library: Library, rows: RowSet) -> tuple[str, str] | None:
    frame = library.tables.get(rows.table, empty_table(rows.table))
    now = mark_of_rows(frame, rows.table, rows.within)
    if now == rows.mark:
        return None
    if rows.table == "library_fund" and rows.mark == mark_of_rows(frame.iloc[:0], rows.table, {}):
        return "库中已有此编号", "the library holds this id already"
    return "打开表单之后他人已改动, 没有写入; 请重新打开", "somebody changed it since the form was opened; nothing was stored, open it again"


def _whole_refusal(rows: RowSet, zh: str, en: str, *, cure: str = "重新打开后再改") -> tuple[object, ...]:
    return fault_row(rows.table, 0, " / ".join(rows.within.values()), "", "", zh, en, cure=cure)


def _difference(library: Library, rows: RowSet, typed: pd.DataFrame) -> Difference:
    current = library.tables.get(rows.table, empty_table(rows.table))
    mine = rows_within(current, rows.table, rows.within)
    others = current.drop(index=mine.index)
    edited = pd.concat([others, typed.astype(current.dtypes.to_dict())], ignore_index=True)
    protect = ("state",) if rows.table == "library_project" else ()
    return compare_table(rows.table, current, edited, fingerprints(rows.table, current), rows=[0] * len(others) + list(range(1, len(typed) + 1)), protect=protect)


def _in_sets(faults: pd.DataFrame, tables: Mapping[str, pd.DataFrame], places: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Faults with the number of their row in the form."""
    out = faults.copy()
    rows = []
    for f in faults.to_dict("records"):
        key = row_key(f["table"], tables[f["table"]].iloc[int(f["row"]) - 1].to_dict()) if f["row"] else ""
        here = places.get(f["table"], ())
        rows.append(here.index(key) + 1 if key in here else 0)
    out["row"] = rows
    return out
