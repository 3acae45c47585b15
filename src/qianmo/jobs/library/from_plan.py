"""What the plan knows of its sub-projects, as projects of the library (规划子项目转入项目库)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.governance.blank import is_blank
from qianmo.jobs.context import Context
from qianmo.planning.subproject_gains import subproject_gains
from qianmo.schema.measures import measure
from qianmo.store.columns import read_columns
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.stage import read_catalog

__all__ = ["FROM_PLAN", "PLAN_FIGURES", "plan_projects", "proposed_project"]

FROM_PLAN = "由规划子项目转入"
"""Reason of the first step of a project that came from the plan (转入说明)."""

PLAN_FIGURES = ("area_m2", "investment_yuan", "new_farmland_m2", "freed_construction_m2", "ecological_m2", "works_years", "start_year", "end_year")
"""Columns that the plan fills (由规划填写的数值字段)."""

_GAINS = ("freed_construction_m2", "ecological_m2")


def plan_projects(folder: Path) -> list[dict[str, Any]]:
    """Sub-projects of the plan, in its order; none where there is no plan (规划子项目).

    Rows of table ``subproject`` with freed_construction_m2 and ecological_m2 from the parcels of the plan (None where it has none),
    and `is_synthetic`: the plan rests on invented data.
    """
    project = open_project(folder)
    tables = project.state / "tables"
    if not (tables / "subproject.parquet").is_file():
        return []
    catalog = read_catalog(project.state)
    is_synthetic = any(catalog[n].synthetic for n in ("subproject", "plan_parcel", "landuse_patch") if n in catalog)
    scheme = next((catalog[n].class_scheme for n in ("plan_parcel", "landuse_patch") if n in catalog and catalog[n].class_scheme), "")
    gains: dict[str, dict[str, float]] = {}
    if scheme and (tables / "plan_parcel.parquet").is_file():
        columns = read_columns(tables / "plan_parcel.parquet").select(["subproject_id", "class_code", "target_class", "measure", "class_area_m2"])
        gains = {str(k): dict(r) for k, r in subproject_gains(columns.to_pandas(), scheme=scheme).iterrows()}
    return [{**r, **{c: gains.get(str(r["subproject_id"]), {}).get(c) for c in _GAINS}, "is_synthetic": is_synthetic} for r in read_frame(tables / "subproject.parquet").to_dict("records")]


def proposed_project(r: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A row of table ``library_project`` for a sub-project; what the plan does not know stays blank (候选项目)."""
    years = [None if is_blank(r[c]) else int(r[c]) for c in ("start_year", "end_year")]
    return {
        "project_id": r["subproject_id"], "project_class": r["project_class"], "name": r["name"], "villages": r["village_name"], "region": r["village_name"],
        "state": "CANDIDATE", "area_m2": r["area_m2"], "scale": round(float(r["area_m2"]) / 1e4, 4), "scale_unit": "公顷", "investment_yuan": r["cost_yuan"],
        "new_farmland_m2": r["new_farmland_m2"], **{c: r[c] for c in _GAINS}, "activity_id": measure(str(r["measure"])).activity_id or None,
        "works_years": years[1] - years[0] + 1 if years[0] and years[1] else None, "proposed": context.clock().date().isoformat(), "start_year": years[0], "end_year": years[1],
        "synthetic": True if r["is_synthetic"] else None, "note": FROM_PLAN,
    }  # fmt: skip
