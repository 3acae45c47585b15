"""Evaluate a project: present use, fragmentation, conflicts, compliance, potential (现状评价)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.evaluation.evaluate import evaluate
from qianmo.evaluation.soil import soil_areas
from qianmo.geo.cells import cells_inside
from qianmo.jobs.context import Context
from qianmo.jobs.ingest.plain import rain_results
from qianmo.jobs.opened import PLAN_TABLES, Opened, open_for_work, plan_layers
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.units import m2_to_mu
from qianmo.store.parquet import read_frame
from qianmo.store.project import change
from qianmo.store.read_cog import read_cog

__all__ = ["SPECS", "faults_of", "run"]

_WORDS = {"pass": "通过", "fail": "不通过", "needs_confirmation": "待核实规则文本", "no_data": "缺数据"}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compute all evaluation tables and keep them in the project."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    context.step("现状、破碎度、冲突、合规与潜力", 0.15)
    tables = evaluate(
        opened.patches, opened.layers, scheme=opened.scheme, overrides=opened.overrides, documents=opened.documents, faults=faults_of(opened)
    )
    tables |= rain_results(opened.project.state, opened.overrides) | _soil(opened)
    context.step("保存评价成果", 0.85)
    with change(opened.project.folder, what="现状评价", user=context.user, now=context.clock()) as stage:
        stage.remove_tables(PLAN_TABLES)
        for name in plan_layers(stage.datasets):
            stage.remove(name)
        for name, frame in tables.items():
            stage.put_table(name, pd.DataFrame(frame))
    return JobReport(tuple(_lines(tables)), ((str(opened.project.folder), "项目 (评价表在当前版本的 tables/)"),), {"tables": len(tables)})


def _soil(opened: Opened) -> dict[str, pd.DataFrame]:
    """Soil types of the land-use patches, by the cells whose centre lies in one."""
    if "soil" not in opened.datasets:
        return {}
    grid = read_cog(opened.project.state / "rasters" / "soil.tif")
    _, row, column = cells_inside(opened.patches.geometry.to_numpy(), grid.transform, grid.values.shape)
    path = opened.project.state / "tables" / "soil_type.parquet"
    types = read_frame(path) if path.is_file() else None
    cell = abs(grid.transform.a * grid.transform.e)
    return {"soil_area": soil_areas(grid.values[row, column], grid.valid[row, column], cell_m2=cell, types=types)}


def faults_of(opened: Opened) -> pd.DataFrame | None:
    """Faults of the checks at ingest; None where the project was made without checks."""
    path = opened.project.state / "layers" / "fault.parquet"
    if path.is_file():
        return read_frame(path)
    checked = any(d.lineage.tool.endswith("ingest") for d in opened.datasets.values())
    return pd.DataFrame({"layer": [], "row": [], "rule": [], "severity": [], "what": []}) if checked else None


def _lines(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    total = tables["land_structure"]["area_m2"].sum()
    lines = [f"评价面积 {total / 1e4:.4f} 公顷 ({m2_to_mu(total):.2f} 亩)"]
    last = tables["fragmentation"].iloc[-1]
    lines.append(
        f"耕地图斑 {int(last['patches'])} 个, 平均 {m2_to_mu(last['mean_patch_m2']):.2f} 亩; 3 亩以下 {int(last['small_patches'])} 个"
    )
    count = tables["verdicts"]["verdict"].value_counts()
    lines.append("合规判定: " + "、".join(f"{_WORDS[v]} {int(count.get(v, 0))}" for v in _WORDS))
    failed = tables["verdicts"][tables["verdicts"]["verdict"] == "fail"]
    lines += [f"      不通过 {r.rule_id} {r.text_zh}: {r.numbers}" for r in failed.itertuples()]
    if "rain_summary" in tables:
        lines += [
            f"降水 {r.station_name or r.station_id}: "
            + (f"{r.whole_years} 个整年平均 {r.mean_year_mm:.1f} 毫米" if r.whole_years else "没有资料完整的年份")
            + f", 最大日 {r.wettest_mm:.1f} 毫米"
            for r in tables["rain_summary"].itertuples()
        ]
    potential = tables["potential_summary"]
    lines += [
        f"  潜力 {r.zh}: {int(r.patches)} 个图斑, {m2_to_mu(r.area_m2):.2f} 亩, {r.cost_yuan / 1e4:.1f} 万元"
        + (f"; 另有 {int(r.blocked_patches)} 个受限" if r.blocked_patches else "")
        for r in potential.itertuples()
    ]
    return lines


SPECS = (
    JobSpec(
        "evaluate", "现状评价", "present use, fragmentation, conflicts, compliance, potential",
        (JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),), run,
    ),
)  # fmt: skip
