"""Other thresholds for the lights of a detection: counts before and after, kept only when asked (红绿灯阈值试算)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.detect_land import tree_of, words
from qianmo.schema.errors import MissingDataError
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.stage import read_catalog
from qianmo.survey.change.lights import Question, lights, what_if, with_thresholds

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Judge the stored signals again; images are not read. The project changes only with --keep."""
    folder = Path(values["project"])
    project = open_project(folder)
    signals = _table(project, "change_signal")
    fields = signals[signals["farmland"]]
    new = tree_of(values["thresholds"])
    used = _table(project, "change_branch").set_index("node")["threshold"].to_dict()
    old = with_thresholds(new, used)
    context.step("红绿灯试算", 0.3)
    counts, moved = what_if(fields, old, new)
    answer, branches = lights(fields, new)
    if values["keep"]:
        _keep(context, folder, project, signals, answer, branches, new)
    return _report(fields, counts, int(moved.sum()), branches, old, new, kept=values["keep"], folder=folder)


def _table(project: Project, name: str) -> pd.DataFrame:
    path = project.state / "tables" / f"{name}.parquet"
    if not path.is_file():
        raise MissingDataError(f"项目 {project.folder} 中没有地块信号", expected="有地类图斑的项目上运行过的变化检测", cure="先运行 qianmo detect 前期 后期 --into 项目")
    return read_frame(path)


def _keep(context: Context, folder: Path, project: Project, signals: pd.DataFrame, answer: pd.DataFrame, branches: pd.DataFrame, tree: tuple[Question, ...]) -> None:
    datasets = read_catalog(project.state)
    judged = signals.copy()
    judged.loc[judged["farmland"], list(answer.columns)] = answer.to_numpy()
    with change(folder, what="红绿灯阈值", user=context.user, now=context.clock()) as stage:
        stage.put_table("change_signal", judged)
        stage.put_table("change_branch", branches)
        if "change_parcel" in datasets:
            layer = read_frame(project.state / "layers" / "change_parcel.parquet")
            found = judged.set_index("patch_id")[list(answer.columns)].reindex(layer["patch_id"])
            drawn = gpd.GeoDataFrame(layer.assign(**{c: found[c].to_numpy() for c in answer.columns}), geometry="geometry", crs=layer.crs)
            told = datasets["change_parcel"]
            told.lineage.parameters["thresholds"] = {q.node: q.threshold for q in tree}
            stage.put_layer(drawn, told)


def _report(
    fields: pd.DataFrame, counts: pd.DataFrame, moved: int, branches: pd.DataFrame, old: tuple[Question, ...], new: tuple[Question, ...], *, kept: bool, folder: Path
) -> JobReport:
    zh = words("light")
    before, after = (counts.groupby(k)["parcels"].sum().to_dict() for k in ("before", "after"))
    edits = [f"{a.node} {a.threshold:g} → {b.threshold:g}" for a, b in zip(old, new) if a.threshold != b.threshold]
    lines = [
        f"耕地图斑 {len(fields)} 个; 改动的阈值: {', '.join(edits) or '无'}",
        *(f"  {zh[k]}: {before.get(k, 0)} → {after.get(k, 0)}" for k in zh),
        f"改判 {moved} 个" + (", 已保存" if kept else ", 未保存 (加 --keep 保存)"),
        *(f"  {q.node} {q.question_zh} ({q.threshold:g}): 是 {q.yes}, 否 {q.no}, 缺 {q.missing}" for q in branches.itertuples()),
    ]
    figures = {"parcels": len(fields), "moved": moved, "before": before, "after": after, "pairs": counts.to_dict("records")}
    return JobReport(tuple(lines), ((str(folder / "onemap.gpkg"), "项目数据库"),) if kept else (), figures)


SPECS = (
    JobSpec(
        "lights", "红绿灯阈值试算", "try other thresholds of the traffic lights",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("thresholds", "path", "阈值文件 (TOML 的 [thresholds], 或 CSV 的 node,threshold); 不填则用随包阈值", "thresholds by node, the shipped ones by default"),
            JobOption("keep", "flag", "保存新的红绿灯", "keep the new lights", default=False),
        ),
        run,
    ),
)  # fmt: skip
