"""What a workbook or CSV files would change in the library, and taking it (项目库表格比较与写入)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.library.change_log import change_lines
from qianmo.governance.library.check import LIBRARY_TABLES, check_library
from qianmo.governance.library.difference import Difference, compare_table, row_key
from qianmo.governance.library.typed import empty_faults, typed_table
from qianmo.governance.stages.history import opened_at
from qianmo.jobs.context import Context
from qianmo.jobs.library.store import Library, empty_table, history_frame, open_library, put_library, still_as_read
from qianmo.jobs.plain_table import plain_frame, plain_layers
from qianmo.reports.library_workbook import BASE_SHEET, CHOICE_SHEET, COVER_SHEET
from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import table_spec
from qianmo.schema.workflows import workflow
from qianmo.store.project import change

__all__ = ["Comparison", "compared", "library_or_new", "store_comparison"]

_FIRST_ROW = 2


@dataclass(frozen=True)
class Comparison:
    """What files would change (比较结果): the differences of each table, rows that cannot be taken, faults the library would have after it.

    `refused`, `errors` and `warnings` have the columns `typed.FAULT_COLUMNS`; `tables` is the library after the changes.
    """

    differences: tuple[Difference, ...]
    refused: pd.DataFrame
    errors: pd.DataFrame
    warnings: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    sha256: str

    @property
    def changed(self) -> int:
        """How many lines of change there are."""
        return sum(len(d.changes) for d in self.differences)


def compared(library: Library, files: Sequence[Path]) -> Comparison:
    """Compare files with the library; nothing is stored (读入前比较).

    Raises
    ------
    SchemaError
        A table is not known, occurs twice, or lacks a column.
    """
    sheets, base, sha256 = _read(list(files))
    is_first = library.projects.empty
    differences, refused = [], []
    for name, (raw, _) in sheets.items():
        edited, wrong = typed_table(name, raw, first_row=_FIRST_ROW)
        bad = set(wrong["row"])
        keep = [n for n in range(len(edited)) if n + _FIRST_ROW not in bad]
        protect = () if is_first or name != "library_project" else ("state",)
        current = library.tables.get(name, empty_table(name))
        marks = base.get(name, {})
        if bad:
            held = {row_key(name, r) for n, r in enumerate(edited.to_dict("records")) if n + _FIRST_ROW in bad}
            marks = {k: v for k, v in marks.items() if k not in held}
        found = compare_table(name, current, edited.iloc[keep], marks, rows=[n + _FIRST_ROW for n in keep], protect=protect, fresh={"state": "CANDIDATE"})
        differences.append(found)
        refused += [wrong.assign(table=name), found.refused]
    told = pd.concat(refused, ignore_index=True) if refused else empty_faults()
    tables = {**library.tables, **{d.table: d.frame for d in differences}}
    faults = _with_sheet_rows(check_library(tables), sheets)
    is_error = faults["severity"] == "error"
    return Comparison(tuple(differences), told, faults[is_error], faults[~is_error], tables, sha256)


def store_comparison(context: Context, folder: Path, library: Library, found: Comparison, *, names: str, reason: str = "") -> None:
    """Store the tables of a comparison, open the history of new projects, and log each change with who, when and why (写入比较结果).

    Raises
    ------
    NotAllowedError
        The library has changed since it was compared.
    """
    entries = _fresh_entries(list(found.differences), found.tables["library_project"], context, names)
    text = f'[project]\nname = "{folder.name}"\n[parameters]\n[plan]\n[documents]\n[office]\n'
    fresh = change_lines(found.differences, library.tables, first=len(library.changes) + 1, actor=context.user, time=context.clock(), reason=reason, source=names)
    log = pd.concat([library.changes, fresh.astype(library.changes.dtypes.to_dict())], ignore_index=True)
    with change(folder, what=f"项目库: {names}" if reason else f"项目库: 读入 {names}", user=context.user, now=context.clock(), settings_text=text) as stage:
        still_as_read(stage, library)
        put_library(stage, found.tables, history_frame(library.history, entries), context, source=names, sha256=found.sha256, changes=log)


def library_or_new(folder: Path) -> Library:
    """The library, an empty one where the project has none yet or does not exist (项目库或空库)."""
    if not (folder / "current").is_file():
        return Library(None, {"library_project": empty_table("library_project")}, empty_table("library_history"))  # type: ignore[arg-type]
    library = open_library(folder, needed=())
    library.tables.setdefault("library_project", empty_table("library_project"))
    return library


def _read(files: list[Path]) -> tuple[dict[str, tuple[pd.DataFrame, str]], dict[str, dict[str, str]], str]:
    """Tables by name, fingerprints of the export, hash of the first file."""
    titles = {table_spec(n).zh: n for n in LIBRARY_TABLES} | {n: n for n in LIBRARY_TABLES}
    sheets: dict[str, tuple[pd.DataFrame, str]] = {}
    base: dict[str, dict[str, str]] = {}
    strange = []
    layers = plain_layers(files)
    for layer, _ in layers:
        frame = plain_frame(layer)
        name = titles.get(layer.name.removesuffix(".csv"), "")
        if layer.name == BASE_SHEET:
            for table, key, mark in frame.itertuples(index=False, name=None):
                base.setdefault(str(table), {})[str(key)] = str(mark)
        elif name in sheets:
            raise SchemaError(f"{table_spec(name).zh} 出现两次: {sheets[name][1]} 与 {layer.source_path}", expected="每张表一次")
        elif name:
            sheets[name] = (frame, str(layer.source_path))
        elif layer.name not in (COVER_SHEET, CHOICE_SHEET):
            strange.append(layer.name)
    sha = layers[0][1] if layers else ""
    if strange or not sheets:
        raise SchemaError(f"不认识的表 {', '.join(strange)}" if strange else "没有可读入的表", expected="、".join(titles), cure="工作表或 CSV 文件用这些名称")
    return sheets, base, sha


def _with_sheet_rows(faults: pd.DataFrame, sheets: Mapping[str, tuple[pd.DataFrame, str]]) -> pd.DataFrame:
    """Faults of the library with the row of the sheet they came from; 0 for rows that were in the library before."""
    out = faults.copy()
    rows = []
    for r in faults.to_dict("records"):
        raw = sheets.get(r["table"])
        first = [] if raw is None else [str(v) for v in raw[0].iloc[:, 0]]
        rows.append(first.index(r["key"]) + _FIRST_ROW if r["key"] in first else 0)
    out["row"] = rows
    return out


def _fresh_entries(differences: list[Difference], projects: pd.DataFrame, context: Context, names: str) -> list[Any]:
    fresh = {str(k) for d in differences if d.table == "library_project" for k in d.changes.loc[d.changes["kind"] == "added", "key"]}
    return [
        e for r in projects.to_dict("records") if r["project_id"] in fresh
        for e in opened_at(workflow("project_library"), str(r["state"]), item=str(r["project_id"]), actor=context.user, time=context.clock(), reason=f"由 {names} 读入")
    ]  # fmt: skip
