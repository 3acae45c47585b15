"""One project of the library changed or proposed by a form (项目表单维护)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from qianmo.governance.library.cells import cell_text
from qianmo.governance.library.check import check_library
from qianmo.governance.library.difference import compare_table, fingerprints, row_key
from qianmo.governance.library.typed import typed_table
from qianmo.jobs.context import Context
from qianmo.jobs.library.compare import Comparison, library_or_new, store_comparison
from qianmo.jobs.library.rows import fresh_errors
from qianmo.jobs.library.store import empty_table
from qianmo.schema.tables import table_spec

__all__ = ["edit_project", "mark_of", "next_id", "project_texts"]

_TABLE = "library_project"


def project_texts(row: Mapping[str, object]) -> dict[str, str]:
    """The cells of a project as a clerk reads them (项目单元格文字)."""
    return {c.name: cell_text(c, row.get(c.name)) for c in table_spec(_TABLE).columns}


def mark_of(row: Mapping[str, object]) -> str:
    """Fingerprint of a project as it is now; a form carries it so that nobody overwrites another's change unseen (项目指纹)."""
    return next(iter(fingerprints(_TABLE, pd.DataFrame([dict(row)])).values()))


def next_id(projects: pd.DataFrame) -> str:
    """A free id after the pattern of the others (下一个项目编号)."""
    known = set(projects["project_id"].map(str))
    return next(name for n in range(len(known) + 1, len(known) + 100_000) if (name := f"ZXM-{n:03d}") not in known)


def edit_project(context: Context, folder: Path, given: Mapping[str, str], *, mark: str = "", reason: str = "") -> pd.DataFrame:
    """Change a project, or propose a new one, from the texts of a form (项目维护).

    Parameters
    ----------
    given : mapping
        Column → text, all columns of ``library_project`` that may be written; a blank state is that of the library, or candidate.
    mark : str
        `mark_of` the project when the form was opened; '' proposes a new project.
    reason : str
        Why; it stands in the log of changes.

    Returns
    -------
    DataFrame, columns `typed.FAULT_COLUMNS`
        What is wrong; without rows the project is stored, otherwise nothing is.
    """
    library = library_or_new(folder)
    current = library.tables.get(_TABLE, empty_table(_TABLE))
    now = {str(r["project_id"]): r for r in current.to_dict("records")}
    there = now.get(given.get("project_id", ""))
    texts = {**given, "state": str(there["state"]) if there is not None else "CANDIDATE"}
    frame, wrong = typed_table(_TABLE, pd.DataFrame([texts]))
    if len(wrong):
        return wrong
    key = row_key(_TABLE, frame.to_dict("records")[0])
    found = compare_table(_TABLE, current, frame, {key: mark} if mark else {}, rows=[0], protect=("state",), fresh={"state": "CANDIDATE"})
    tables = {**library.tables, _TABLE: found.frame}
    errors = fresh_errors(check_library(library.tables), check_library(tables))
    told = pd.concat([found.refused, errors], ignore_index=True)
    if len(told):
        return told
    if len(found.changes):
        kept = Comparison((found,), found.refused, errors, errors, tables, "")
        store_comparison(context, folder, library, kept, names=f"表单 {key}", reason=reason.strip())
    return told
