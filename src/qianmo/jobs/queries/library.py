"""The project library as pages show it: tables, steps, results, and where each project lies (项目库查询)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.library.check import LIBRARY_TABLES
from qianmo.governance.library.check_money import listed
from qianmo.governance.stages.history import Entry
from qianmo.jobs.library.store import LIBRARY_RESULTS, Library, empty_table, entries_of, open_library
from qianmo.schema.tables import table_spec
from qianmo.store.columns import read_columns
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project

__all__ = ["LibraryView", "library_view", "workbook_of"]

_OF_A_PROJECT = ("library_payment", "library_rank", "portfolio_start", "portfolio_payment", "acceptance_line")


@dataclass(frozen=True, eq=False)
class LibraryView:
    """The library of one state of a project folder (项目库视图).

    `tables` holds the tables of the library, empty where there are none, and the results that rest on them; `portfolio` and
    `weights` are what the last year plan and the last ranking kept, empty where there is none; `villages` gives the unit codes of
    the villages of the one map by name.
    """

    library: Library
    tables: Mapping[str, pd.DataFrame]
    portfolio: Mapping[str, Any]
    weights: Mapping[str, float]
    villages: Mapping[str, tuple[str, ...]]

    @property
    def generation(self) -> int:
        """Number of the state."""
        return self.library.project.generation

    @property
    def projects(self) -> pd.DataFrame:
        """Table ``library_project``."""
        return self.tables["library_project"]

    @cached_property
    def project_rows(self) -> list[dict[str, Any]]:
        """Rows of ``library_project`` as records, made once."""
        return self.projects.to_dict("records")

    @property
    def is_synthetic(self) -> bool:
        """Whether one of the projects is invented."""
        return bool(self.projects["synthetic"].fillna(False).any())

    def entries(self, project: str) -> tuple[Entry, ...]:
        """Steps of one project, oldest first."""
        return entries_of(self.library.history, project)

    def changes(self, project: str = "") -> list[dict[str, Any]]:
        """Lines of the log of changes, youngest first: all, or those that touch a project (改动记录)."""
        rows: list[dict[str, Any]] = self.library.changes.to_dict("records")
        kept = [r for r in rows if not project or r["project_id"] == project or (r["table_name"] == "library_order" and project in str(r["row_key"]).split(" / "))]
        return kept[::-1]

    def unit_codes(self, project: Mapping[str, Any]) -> tuple[str, ...]:
        """Administrative codes of the villages of a project; empty where no village is known (项目所在村代码)."""
        return tuple(code for name in listed(project.get("villages")) for code in self.villages.get(name, ()))

    def in_unit(self, code: str) -> list[dict[str, Any]]:
        """Projects one of whose villages is the administrative unit, contains it or lies in it (所在行政单元的项目)."""
        return [r for r in self.project_rows if code and any(c.startswith(code) or code.startswith(c) for c in self.unit_codes(r))]

    def of_projects(self, kept: Collection[str]) -> LibraryView:
        """The same with the rows of some projects only (按项目裁剪)."""
        tables = dict(self.tables)
        for name in ("library_project", *_OF_A_PROJECT):
            if name in tables:
                tables[name] = tables[name][tables[name]["project_id"].isin(kept)].reset_index(drop=True)
        order = tables["library_order"]
        tables["library_order"] = order[order["before_id"].isin(kept) & order["after_id"].isin(kept)].reset_index(drop=True)
        history, changes = self.library.history, self.library.changes
        mine = replace(self.library, history=history[history["project_id"].isin(kept)], changes=changes[changes["project_id"].isin(kept)])
        return replace(self, tables=tables, library=mine)

    def without(self, names: Collection[str]) -> LibraryView:
        """The same with some tables empty (隐去表)."""
        tables = {n: t.iloc[:0] if n in names else t for n, t in self.tables.items()}
        changes = self.library.changes
        return replace(self, tables=tables, library=replace(self.library, changes=changes[~changes["table_name"].isin(names)]))


def library_view(folder: Path) -> LibraryView:
    """The library of the current state (当前项目库); empty tables where there is none yet.

    Raises
    ------
    MissingDataError
        The folder is no project.
    """
    return _view(folder, open_project(folder).generation)


def workbook_of(view: LibraryView, *, title: str) -> bytes:
    """The library as a workbook that can be edited and read back (项目库工作簿)."""
    from qianmo.reports.library_workbook import library_workbook  # loaded with the first file that is asked for

    tables = {n: view.tables[n] for n in LIBRARY_TABLES}
    return library_workbook(tables, title=title, synthetic=("虚拟项目",) if view.is_synthetic else ())


@lru_cache(maxsize=4)
def _view(folder: Path, generation: int) -> LibraryView:
    library = open_library(folder, needed=())
    place = library.project.state / "tables"
    tables = {n: library.tables.get(n, empty_table(n)) for n in LIBRARY_TABLES}
    for name in (*LIBRARY_RESULTS, "acceptance_line"):
        path = place / f"{name}.parquet"
        tables[name] = read_frame(path) if path.is_file() else pd.DataFrame(columns=list(table_spec(name).column_names))
    return LibraryView(Library(library.project, tables, library.history, library.changes), tables, _record(place / "portfolio.json") if len(tables["portfolio_start"]) else {},
                       _record(place / "library_weights.json"), _villages(library.project.state / "layers" / "village.parquet"))  # fmt: skip


def _record(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _villages(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.is_file():
        return {}
    rows = read_columns(path).select(["village_name", "village_code"]).to_pylist()
    found: dict[str, tuple[str, ...]] = {}
    for r in rows:
        found[str(r["village_name"])] = (*found.get(str(r["village_name"]), ()), str(r["village_code"]))
    return found
