"""Reading the CSV lists that ship inside the package (随包数据表)."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from qianmo.schema.errors import MissingDataError

__all__ = ["shipped_names", "shipped_rows"]


@cache
def shipped_rows(folder: str, name: str) -> tuple[dict[str, str], ...]:
    """Rows of one shipped CSV list, all values as text, blanks as ''.

    Raises
    ------
    MissingDataError
        No such list.
    """
    path = resources.files("qianmo.schema") / folder / f"{name}.csv"
    if not path.is_file():
        raise MissingDataError(f"no list {folder}/{name}.csv in the package", expected=", ".join(shipped_names(folder)))
    text = path.read_text(encoding="utf-8-sig")
    return tuple({k: (v or "").strip() for k, v in row.items()} for row in csv.DictReader(text.splitlines()))


@cache
def shipped_names(folder: str) -> tuple[str, ...]:
    """Names of the CSV lists in one folder of the schema, sorted."""
    names = (p.name for p in (resources.files("qianmo.schema") / folder).iterdir())
    return tuple(sorted(n[:-4] for n in names if n.endswith(".csv")))
