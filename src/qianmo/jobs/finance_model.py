"""A file of project money opened and computed, as every finance command needs it (打开资金文件)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qianmo.finance.project.positions import Path as Place
from qianmo.finance.project.read import project_from
from qianmo.finance.project.records import Project
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.sheet.row import Sheet, Source
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.indicators import Figure, figures_of
from qianmo.jobs.finance_references import looked_up_references
from qianmo.store.finance_file import read_finance_file

__all__ = ["FinanceModel", "in_wan", "open_finance_file"]


@dataclass(frozen=True)
class FinanceModel:
    """A project with its sheet, all values, all figures, its table ``[package]`` and the references it used (资金模型)."""

    project: Project
    sheet: Sheet
    values: Mapping[str, Sequence[float]]
    figures: Mapping[str, Figure]
    package: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[Place, Source] = field(default_factory=dict)


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
    sheet = assemble(made)
    values = computed(sheet)
    return FinanceModel(made, sheet, values, figures_of(made, values), filled.get("package", {}), origins)


def in_wan(amount_fen: float) -> str:
    """Fen as 万元 with two decimals and separators (万元)."""
    return f"{amount_fen / 1e6:,.2f}"
