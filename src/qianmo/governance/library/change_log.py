"""Who changed which cell of the library, when and why (项目库改动记录)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from qianmo.governance.library.cells import cell_text
from qianmo.governance.library.difference import Difference, row_key
from qianmo.schema.tables import table_spec

__all__ = ["change_lines"]


def change_lines(
    differences: Sequence[Difference], before: Mapping[str, pd.DataFrame], *, first: int, actor: str, time: datetime, reason: str, source: str
) -> pd.DataFrame:  # fmt: skip
    """Lines of the log for what was changed (改动记录).

    Parameters
    ----------
    differences : sequence of Difference
    before : mapping
        Tables before the change, by name.
    first : int
        Number of the first line, from 1.
    actor, time, reason, source
        Who, when, why, and the form or file it came by.

    Returns
    -------
    DataFrame, columns of table ``library_change``
        A line a changed cell; one a row that was added or removed, with its cells as JSON, column → text.
    """
    lines: list[tuple[Any, ...]] = []
    for d in differences:
        was, now = (({} if t is None else {row_key(d.table, r): r for r in t.to_dict("records")}) for t in (before.get(d.table), d.frame))
        for c in d.changes.to_dict("records"):
            key, kind = str(c["key"]), str(c["kind"])
            row = was[key] if kind == "removed" else now[key]
            old, new = (str(c["before"]), str(c["after"])) if kind == "changed" else (_words(d.table, row), "") if kind == "removed" else ("", _words(d.table, row))
            lines.append((first + len(lines), time.isoformat(timespec="seconds"), actor, reason, source, d.table, _project(d.table, row), key, kind, c["column"], old, new))
    return pd.DataFrame(lines, columns=list(table_spec("library_change").column_names))


def _words(table: str, row: Mapping[str, Any]) -> str:
    """Its cells that are filled in, by column, as JSON: pages show them in their language."""
    cells = ((c.name, cell_text(c, row.get(c.name))) for c in table_spec(table).columns)
    return json.dumps({name: text for name, text in cells if text}, ensure_ascii=False)


def _project(table: str, row: Mapping[str, Any]) -> str:
    """The project whose row it is; none for a row that joins two, so that nobody learns of the other."""
    return str(row["project_id"]) if table in ("library_project", "library_payment") else ""
