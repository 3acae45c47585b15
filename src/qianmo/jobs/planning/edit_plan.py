"""Set other measures on some patches of a plan by hand, as a new variant with its limits checked again (手改方案)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from qianmo import __version__
from qianmo.jobs.context import Context
from qianmo.jobs.planning.plan_variants import (
    STATEMENT,
    VARIANT,
    edits_from,
    hand_made_record,
    planning_desk,
    variant_records,
    with_edits,
)
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.units import m2_to_mu
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, history, open_project
from qianmo.store.stage import read_catalog

__all__ = ["SPECS", "next_variant", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Change a plan by hand; the plan it came from stays, and the new one carries no proof."""
    context.step("读取方案", 0.0)
    project = open_project(Path(values["project"]))
    datasets, base = read_catalog(project.state), str(values["plan"])
    if base not in datasets or datasets[base].kind != "plan_parcel":
        plans = [d.name for d in datasets.values() if d.kind == "plan_parcel"]
        raise MissingDataError(f"项目没有方案图层 {base} (no such plan)", expected="、".join(plans) or "先运行 qianmo plan", cure="用 --plan 指定方案图层")
    edits = edits_from(values["set"])
    desk, frame = planning_desk(project), read_frame(project.state / "layers" / f"{base}.parquet")
    context.step("修改并复核约束", 0.2)
    before, after, table = with_edits(desk, frame, edits, reason=f"人工修改 ({context.user})")
    changed = np.flatnonzero(before != after)
    if not len(changed):
        raise SchemaError("手改没有改变任何图斑 (nothing changes)", expected="与原方案不同的措施", cure="核对所选图斑与措施")
    record = hand_made_record(desk, before, after)
    name = next_variant(project)
    title = str(values["title"] or "").strip()[:40] or f"手改方案{int(name.removeprefix(VARIANT))}"
    moment = context.clock().isoformat(timespec="seconds")
    source, records = datasets[base], dict(variant_records(project))
    rows = table["patch_id"].astype(str).isin(set(desk.patch_id[changed].astype(str))).to_numpy()
    area, cost = float(table.loc[rows, "area_m2"].sum()), float(table["cost_yuan"].sum() - frame["cost_yuan"].sum())
    told = {"base": base, "made_from": [base], "base_zh": source.zh, "base_generation": project.generation, "hand_made": True, "patches": len(changed), "broken_limits": record["broken"]}
    records[name] = {**record, "title": title, "base": base, "base_zh": source.zh, "base_generation": project.generation, "user": context.user, "time": moment,
                     "edits": [asdict(e) for e in edits], "patches": len(changed), "area_m2": round(area, 2), "cost_change_yuan": round(cost, 2)}  # fmt: skip
    context.step("保存手改方案", 0.6)
    with change(project.folder, what=f"手改方案: {title}", user=context.user, now=context.clock()) as stage:
        lineage = Lineage(f"qianmo edit-plan ({base})", "", f"qianmo {__version__} edit-plan", moment, context.user, told)
        drawn = gpd.GeoDataFrame(table, geometry="geometry", crs=frame.crs)
        stage.put_layer(drawn, Dataset(name, "plan_parcel", title, source.crs, source.class_scheme, source.vintage, source.synthetic, len(drawn), lineage))
        kept = {k: v for k, v in records.items() if k in stage.datasets}
        stage.put_json("variant_plans", kept)
    figures = {"name": name, "patches": len(changed), "area_m2": area, "cost_change_yuan": cost, "objective": record["objective"],
               "objective_before": record["objective_before"], "broken": record["broken"], "limits": record["limits"]}  # fmt: skip
    return JobReport(tuple(_lines(title, record, len(changed), area, cost, source.zh)), ((name, "手改方案图层"),), figures)


def next_variant(project: Project) -> str:
    """Name of the layer of the next variant (下一手改方案编号); that of a variant in any kept state, undone ones too, is not given again."""
    names = {n for g in history(project.folder) for n in read_catalog(replace(project, generation=g.number).state)}
    numbers = [int(n.removeprefix(VARIANT)) for n in names if n.startswith(VARIANT) and n.removeprefix(VARIANT).isdigit()]
    return f"{VARIANT}{max(numbers, default=0) + 1:02d}"


def _lines(title: str, record: Mapping[str, Any], patches: int, area: float, cost: float, base: str) -> list[str]:
    lines = [
        f"{title} (自{base}): {patches} 个图斑, {m2_to_mu(area):.2f} 亩, 工程费变化 {cost / 1e4:+.2f} 万元",
        f"  {STATEMENT}",
        f"  得分 {record['objective_before']:.6g} → {record['objective']:.6g}; 独立复核 {record['checks']} 项",
    ]
    for x in record["limits"]:
        if x["over"] > 0:
            was = "原方案已突破" if x["over_before"] > 0 else "原方案满足"
            lines.append(f"  突破 {x['zh']}: {x['value']:,.2f}, 要求 {x['relation']} {x['bound']:,.2f} {x['unit']}, 超出 {x['over']:,.2f} ({was})")
    if not record["broken"]:
        lines.append(f"  {len(record['limits'])} 项约束全部满足")
    if record["least_block_unchecked"]:
        lines.append("  最小连片规模未复核: 它不是逐图斑的约束")
    return lines


SPECS = (
    JobSpec(
        "edit-plan", "手改方案", "set other measures on some patches of a plan by hand, as a new variant with its limits checked again",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("set", "texts", "图斑编号=措施[:目标地类], 维持现状写 keep", "patch=measure[:class], keep for no works", required=True),
            JobOption("plan", "text", "方案图层", "layer of the plan to change", default="plan_parcel"),
            JobOption("title", "text", "名称", "what to call it"),
        ),
        run,
    ),
)  # fmt: skip
