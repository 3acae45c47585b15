"""A file of project money opened and computed, as every finance command needs it (打开资金文件)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import key_lines
from qianmo.finance.project.read import project_from
from qianmo.finance.project.records import Project
from qianmo.finance.sheet.row import Sheet
from qianmo.finance.statements.indicators import Figure, figures_of
from qianmo.finance.statements.settle import settled
from qianmo.jobs.finance.references import looked_up_references
from qianmo.store.finance_file import read_finance_file

__all__ = ["FinanceModel", "in_wan", "open_finance_file"]


@dataclass(frozen=True)
class FinanceModel:
    """A project with its sheet, all values, all figures and its table ``[package]`` (资金模型)."""

    project: Project
    sheet: Sheet
    values: Mapping[str, Sequence[float]]
    figures: Mapping[str, Figure]
    package: Entry


def open_finance_file(path: Path, project: str | None = None) -> FinanceModel:
    """Read, check and compute a file (读取并计算); `project` is the folder of the plan it refers to, in place of the one it names.

    Raises
    ------
    FinanceInputError, MissingDataError
        As `read_finance_file`, `project_from` and `figures_of` say.
    """
    data, text = read_finance_file(path)
    filled, origins = looked_up_references(data, Path(path), text, project)
    made = project_from(filled, file=Path(path).name, text=text, origins=origins)
    whole = document(filled, Path(path).name, key_lines(text), origins)
    sheet, values = settled(made)
    return FinanceModel(made, sheet, values, figures_of(made, values), whole.child("package"))


def in_wan(amount_fen: float) -> str:
    """Fen as 万元 with two decimals and separators (万元)."""
    return f"{amount_fen / 1e6:,.2f}"
