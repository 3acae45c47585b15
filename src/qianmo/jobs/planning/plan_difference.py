"""What two plans of one area do differently: two states of a project, or two projects (方案对比)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qianmo.jobs.compared import Earlier, compared, plan_of
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.durable import replace_bytes
from qianmo.store.project import Project, history, open_project

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compare the plan of a project with that of an earlier state of it, or of another project; the projects stay as they are."""
    context.step("读取两个方案", 0.0)
    project = open_project(Path(values["project"]))
    now = plan_of(project)
    if now is None:
        raise MissingDataError(f"项目 {project.folder} 还没有方案 (no plan)", cure="先运行 qianmo plan")
    earlier, name = _other(project, values, now)
    context.step("逐图斑比较", 0.3)
    found = compared(earlier, now.plan_parcel, now.score, now.certificate)
    files = []
    if values["out"]:
        path = Path(values["out"])
        replace_bytes(path, found.tables["plan_diff"].to_csv(index=False).encode("utf-8-sig"))
        files.append((str(path), "变化图斑表"))
    lines = [f"{name} → 第 {project.generation:04d} 版 ({project.folder.name})", *(line.replace("与上一方案比较", "方案对比") for line in found.lines)]
    return JobReport(tuple(lines), tuple(files), {**found.figures, "measures": found.tables["plan_diff_measure"].to_dict("records")})


def _other(project: Project, values: Mapping[str, Any], now: Earlier) -> tuple[Earlier, str]:
    """The plan to compare with and its name: of another project, of a numbered state, or of the last state with another plan."""
    if values["other"] and values["state"] is not None:
        raise SchemaError("--other 与 --state 同时给出", expected="两者之一 (one of them)")
    if values["other"]:
        other = open_project(Path(values["other"]))
        found = plan_of(other)
        if found is None:
            raise MissingDataError(f"项目 {other.folder} 还没有方案 (no plan)", cure="先运行 qianmo plan")
        return found, f"{other.folder.name} 第 {other.generation:04d} 版"
    held = {g.number: replace(project, generation=g.number) for g in history(project.folder)}
    if values["state"] is not None:
        number = int(values["state"])
        found = plan_of(held[number]) if number in held else None
        if found is None:
            with_plan = [k for k, p in held.items() if plan_of(p) is not None]
            raise SchemaError(f"第 {number} 版没有方案 (no plan in that state)", expected=f"有方案的版本: {', '.join(map(str, with_plan))}", cure="用 qianmo history 查看版本")
        return found, f"第 {number:04d} 版"
    for number in sorted((k for k in held if k < project.generation), reverse=True):
        found = plan_of(held[number])
        if found is not None and not found.plan_parcel.equals(now.plan_parcel):
            return found, f"第 {number:04d} 版"
    raise MissingDataError("没有更早的不同方案可比较 (no earlier plan that differs)", expected="--state 版本号, 或 --other 另一个项目", cure="用 qianmo history 查看版本")


SPECS = (
    JobSpec(
        "plan-diff", "方案对比", "what two plans of one area do differently, patch by patch, in sums and limits",
        (
            JobOption("project", "path", "项目文件夹 (其当前方案)", "project folder, its current plan", required=True, positional=True),
            JobOption("state", "integer", "与哪一版比较 (qianmo history 的编号), 默认上一个不同的方案", "state to compare with, by default the last with another plan"),
            JobOption("other", "path", "与另一个项目的方案比较", "project whose plan to compare with"),
            JobOption("out", "path", "变化图斑表 CSV", "file for the table of changed patches"),
        ),
        run,
    ),
)  # fmt: skip
