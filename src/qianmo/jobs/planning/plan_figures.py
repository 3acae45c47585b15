"""Figures of a stored plan by name, for whoever must not type them again (方案数值)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qianmo.finance.project.references import Referred
from qianmo.jobs.opened import read_tables
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.project import open_project
from qianmo.store.proof_folder import file_sha256
from qianmo.store.stage import read_catalog

__all__ = ["PlanFigures", "plan_figures"]

_TABLES = ("plan_parcel", "subproject", "cost_by_measure", "year_plan", "indicators")
_INDICATOR_UNITS = {"ha": "公顷", "ratio": "", "count": ""}


@dataclass(frozen=True)
class PlanFigures:
    """The figures of a plan with their units (方案数值表).

    `values` name → number and unit; `generation` and `digest` (SHA-256 of the plan's parcels) say which plan it is.
    """

    project: str
    generation: int
    digest: str
    synthetic: bool
    values: dict[str, tuple[float, str]]

    def refer(self, name: str) -> Referred:
        """One figure as a project file takes it.

        Raises
        ------
        SchemaError
            The plan has no such figure; the nearest names are given.
        """
        if name.partition(".")[0] == "households":
            raise SchemaError(
                f"方案 {self.project} 没有户数: 图斑不含权利人 (a plan has no households)", expected='households = "300 户"', cure="按宅基地登记或宗地表填写户数, 并在 source 注明来源"
            )
        if name not in self.values:
            near = difflib.get_close_matches(name, self.values, 6, 0.5) or [n for n in self.values if n.partition(".")[0] == name.partition(".")[0]][:6]
            raise SchemaError(f"方案 {self.project} 中没有 {name}", expected=", ".join(near or list(self.values)[:12]), cure="见 docs/how-to/finance-from-plan.md 的数值名称表")
        value, unit = self.values[name]
        label = "（合成数据）" if self.synthetic else ""
        return Referred(f"{value!r} {unit}" if unit else value, f"方案 {self.project}{label}, 第 {self.generation} 版, 规划图斑 SHA-256 {self.digest[:12]}", "high")


def plan_figures(folder: Path) -> PlanFigures:
    """Read the plan of a project (读取方案).

    Parameters
    ----------
    folder : Path
        Project with a plan.

    Returns
    -------
    PlanFigures
        ``new_farmland`` and ``area`` [m2], ``cost`` [yuan]; ``measure.<m>.area``, ``.class_area``, ``.patches``, ``cost.<m>``; ``works.<m>``;
        ``subproject.<id>.cost``, ``.area``, ``.new_farmland``, ``.patches``; ``class.<m>.cost`` by class of sub-project;
        ``year.<year>.cost``, ``.area``, ``.new_farmland``; ``patch.<id>.area``; ``indicator.<key>.before``, ``.after``, ``.change``.

    Raises
    ------
    MissingDataError
        There is no project, or it has no plan.
    """
    project = open_project(folder)
    tables = read_tables(project, _TABLES)
    if "plan_parcel" not in tables or "subproject" not in tables:
        raise MissingDataError(f"项目 {folder} 还没有方案 (no plan)", expected="先编制方案", cure=f"qianmo plan {folder}")
    plan = read_catalog(project.state).get("plan_parcel")
    digest = file_sha256(project.state / "tables" / "plan_parcel.parquet")
    values = {name: (float(value), unit) for name, value, unit in _figures(tables) if pd.notna(value)}
    return PlanFigures(project.name, project.generation, digest, bool(plan and plan.synthetic), values)


def _figures(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, float, str]]:
    parcels, parts = tables["plan_parcel"], tables["subproject"]
    yield "new_farmland", _sum(parts["new_farmland_m2"]), "m2"
    yield "area", _sum(parts["area_m2"]), "m2"
    yield "cost", _sum(parts["cost_yuan"]), "元"
    for name, mine in parcels[parcels["measure"] != "keep"].groupby("measure", sort=True):
        yield f"measure.{name}.area", _sum(mine["area_m2"]), "m2"
        yield f"measure.{name}.class_area", _sum(mine["class_area_m2"]), "m2"
        yield f"measure.{name}.patches", len(mine), "个"
    for name, mine in parts.groupby("measure", sort=True):
        yield f"measure.{name}.new_farmland", _sum(mine["new_farmland_m2"]), "m2"
    for row in tables.get("cost_by_measure", pd.DataFrame()).to_dict("records"):
        yield f"cost.{row['measure']}", row["total_yuan"], "元"
        yield f"works.{row['measure']}", row["works_yuan"], "元"
    for row in parts.to_dict("records"):
        name = f"subproject.{row['subproject_id']}"
        yield f"{name}.cost", row["cost_yuan"], "元"
        yield f"{name}.area", row["area_m2"], "m2"
        yield f"{name}.new_farmland", row["new_farmland_m2"], "m2"
        yield f"{name}.patches", row["patches"], "个"
    for name, mine in parts.groupby("project_class", sort=True):
        yield f"class.{name}.cost", _sum(mine["cost_yuan"]), "元"
        yield f"class.{name}.area", _sum(mine["area_m2"]), "m2"
    for row in tables.get("year_plan", pd.DataFrame()).to_dict("records"):
        name = f"year.{row['year']}"
        yield f"{name}.cost", row["cost_yuan"], "元"
        yield f"{name}.area", row["area_m2"], "m2"
        yield f"{name}.new_farmland", row["new_farmland_m2"], "m2"
    for row in tables.get("indicators", pd.DataFrame()).to_dict("records"):
        if row["unit"] in _INDICATOR_UNITS:
            for part in ("before", "after", "change"):
                yield f"indicator.{row['key']}.{part}", row[part], _INDICATOR_UNITS[row["unit"]]
    for row in parcels[["patch_id", "area_m2"]].to_dict("records"):
        yield f"patch.{row['patch_id']}.area", row["area_m2"], "m2"


def _sum(column: pd.Series) -> float:
    """A sum of cents or hundredths of a square metre without float noise."""
    return round(float(column.sum()), 2)
