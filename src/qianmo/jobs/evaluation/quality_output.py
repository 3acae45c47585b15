"""Keep the result of an evaluation by a standard: tables with their lineage, workbook, sheets (评价成果保存)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo import __version__
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened
from qianmo.reports.tables import workbook
from qianmo.schema.book import BookMap, BookTable
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change

__all__ = ["Kept", "keep_result"]


@dataclass(frozen=True, eq=False)
class Kept:
    """What an evaluation leaves (评价成果).

    `title` names the workbook, `key` the lineage record; `tables` go into the project and take the place of those called `replaced`; `printed` are the sheets
    of the workbook; `told` is recorded beside the hashes of `inputs` and of the sources of the layers called `used`.
    """

    title: str
    key: str
    tables: Mapping[str, pd.DataFrame]
    replaced: tuple[str, ...]
    printed: Sequence[BookTable]
    sheets: Sequence[BookMap]
    inputs: Sequence[Path]
    used: Sequence[str]
    told: Mapping[str, Any]


def keep_result(context: Context, opened: Opened, kept: Kept, folder: Path) -> tuple[tuple[str, str], ...]:
    """Write one generation, then workbook and sheets into `folder`; returns the files with a word on each (保存)."""
    made = workbook(
        kept.printed, title=f"{opened.project.name} {kept.title}", date=f"{context.clock():%Y年%m月%d日}", vintage=opened.vintage, crs_text=opened.patches.crs.name,
        synthetic=tuple(opened.synthetic.values()), made=context.clock(),
    )  # fmt: skip
    lineage = {
        "tool": f"qianmo {__version__} quality", "at": context.clock().isoformat(timespec="seconds"), "user": context.user, **kept.told,
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in kept.inputs},
        "sources": {n: opened.datasets[n].lineage.source_sha256 for n in kept.used if n in opened.datasets},
    }  # fmt: skip
    with change(opened.project.folder, what=kept.title, user=context.user, now=context.clock()) as stage:
        stage.remove_tables(kept.replaced)
        for name, frame in kept.tables.items():
            stage.put_table(name, frame)
        stage.put_json(f"{kept.key}_lineage", lineage)
    files = [(folder / f"{kept.title}附表.xlsx", made, "附表"), *((folder / f"{m.title}.png", m.png, m.title) for m in kept.sheets)]
    for path, data, _ in files:
        replace_bytes(path, data)
    return tuple((str(p), w) for p, _, w in files)
