"""The project library in a project folder: read, write, history of steps (项目库存取)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo import __version__
from qianmo.governance.blank import is_blank
from qianmo.governance.library.check import LIBRARY_TABLES
from qianmo.governance.library.check_money import listed
from qianmo.governance.library.typed import typed_table
from qianmo.governance.stages.history import Entry
from qianmo.jobs.context import Context
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, NotAllowedError
from qianmo.schema.tables import table_spec
from qianmo.store.durable import same_bytes
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, open_project
from qianmo.store.stage import Stage, read_catalog

__all__ = ["LIBRARY_RESULTS", "Library", "empty_table", "entries_of", "fault_lines", "history_frame", "open_library", "put_library", "still_as_read", "synthetic_words"]

_LOGS = ("library_history", "library_change")

LIBRARY_RESULTS = ("library_rank", "portfolio_start", "portfolio_payment", "fund_balance")
"""Tables that rest on the library and go when it changes."""


@dataclass(frozen=True)
class Library:
    """The library of a project (项目库): the project, its tables, the steps that were taken, and the log of changed cells."""

    project: Project
    tables: dict[str, pd.DataFrame]
    history: pd.DataFrame
    changes: pd.DataFrame = field(default_factory=lambda: empty_table("library_change"))

    @property
    def projects(self) -> pd.DataFrame:
        """Table ``library_project``."""
        return self.tables["library_project"]

    def row(self, project_id: str) -> dict[str, Any]:
        """One project.

        Raises
        ------
        MissingDataError
            No such project.
        """
        found = self.projects[self.projects["project_id"] == project_id]
        if found.empty:
            near = "、".join(str(p) for p in self.projects["project_id"].head(10))
            raise MissingDataError(f"项目库中没有项目 {project_id!r}", expected=f"项目编号, 如 {near}", cure="qianmo library list 项目文件夹")
        return dict(found.iloc[0])


def open_library(folder: Path, *, needed: Sequence[str] = ("library_project",)) -> Library:
    """Open the library of a project (打开项目库).

    Raises
    ------
    MissingDataError
        No project, or one of the needed tables is not there or has no rows.
    """
    project = open_project(folder)
    paths = {n: project.state / "tables" / f"{n}.parquet" for n in (*LIBRARY_TABLES, *_LOGS)}
    tables = {n: read_frame(p) for n, p in paths.items() if p.is_file()}
    lacking = [table_spec(n).zh for n in needed if n not in tables or tables[n].empty]
    if lacking:
        raise MissingDataError(f"项目 {folder} 中没有 {'、'.join(lacking)}", cure="qianmo library import 项目文件夹 文件, 或 qianmo library add 项目文件夹 (从规划方案)")
    history = tables.pop("library_history", empty_table("library_history"))
    changes = tables.pop("library_change", empty_table("library_change"))
    return Library(project, tables, history, changes)


def empty_table(name: str) -> pd.DataFrame:
    """A table without rows, its columns typed (空表)."""
    return typed_table(name, pd.DataFrame(columns=list(table_spec(name).column_names)))[0]


def put_library(
    stage: Stage, tables: Mapping[str, pd.DataFrame], history: pd.DataFrame, context: Context, *, source: str, sha256: str = "", changes: pd.DataFrame | None = None
) -> None:  # fmt: skip
    """Put the tables, the history and, where it is given, the log of changes into a stage with their lineage; results that rested on the old ones go (写入项目库)."""
    now = context.clock().isoformat(timespec="seconds")
    lineage = Lineage(source, sha256, f"qianmo {__version__} library", now, context.user, {})
    old = read_catalog(stage.folder)
    logs = {"library_history": history} if changes is None else {"library_history": history, "library_change": changes}
    for name, frame in {**tables, **logs}.items():
        kept = old[name].lineage if name in old and name in _LOGS else lineage
        synthetic = name == "library_project" and bool(frame["synthetic"].fillna(False).any())
        stage.put_source_table(frame, Dataset(name, name, table_spec(name).zh, "", "", "", synthetic, len(frame), kept))
    stage.remove_tables(LIBRARY_RESULTS)


def still_as_read(stage: Stage, library: Library) -> None:
    """Make sure that nobody changed the library between reading it and writing it back (写入前核对).

    Raises
    ------
    NotAllowedError
        Somebody did; nothing is stored.
    """
    if library.project is None:
        return
    for name in (*LIBRARY_TABLES, *_LOGS):
        read, now = (folder / "tables" / f"{name}.parquet" for folder in (library.project.state, stage.folder))
        if same_bytes(read, now):
            continue
        raise NotAllowedError(f"{table_spec(name).zh} 在读取之后被他人改动, 本次没有写入", cure="重新打开后再办理一次")


def entries_of(history: pd.DataFrame, project_id: str) -> tuple[Entry, ...]:
    """Steps of one project, oldest first (办理记录)."""
    rows = history[history["project_id"] == project_id].sort_values("number").to_dict("records")
    return tuple(
        Entry("project_library", project_id, int(r["number"]), _text(r["state_from"]), str(r["state_to"]), str(r["actor"]), str(r["role"]),
              datetime.fromisoformat(str(r["time"])), _text(r["reason"]), listed(r["documents"]))
        for r in rows
    )  # fmt: skip


def history_frame(history: pd.DataFrame, entries: Sequence[Entry]) -> pd.DataFrame:
    """The table of steps with further ones at its end (追加办理记录)."""
    rows = [(e.item, e.number, e.state_from, e.state_to, e.actor, e.role, e.time.isoformat(), e.reason, ";".join(e.documents)) for e in entries]
    fresh = pd.DataFrame(rows, columns=list(table_spec("library_history").column_names)).astype(history.dtypes.to_dict())
    return pd.concat([history, fresh], ignore_index=True)


def fault_lines(faults: pd.DataFrame, *, most: int = 20) -> list[str]:
    """Faults as lines for the terminal (问题清单)."""
    lines = [
        f"{table_spec(r['table']).zh}" + (f" 第 {r['row']} 行" if r["row"] else "") + f" {r['key']}: {r['zh']}" + (f", 现为 {r['found']}" if r["found"] not in ("", "None") else "")
        for r in faults.head(most).to_dict("records")
    ]
    return [*lines, *([f"另有 {len(faults) - most} 处"] if len(faults) > most else [])]


def synthetic_words(projects: pd.DataFrame) -> tuple[str, ...]:
    """Words for the mark of invented projects; empty where there are none (合成标记)."""
    count = int(projects["synthetic"].fillna(False).sum())
    return (f"{count} 个虚拟项目",) if count else ()


def _text(value: Any) -> str:
    return "" if is_blank(value) else str(value)
