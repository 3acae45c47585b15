"""Look at, undo and redo the states of a project (历史、撤销、重做)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.messages import chinese_message
from qianmo.store.project import history, open_project, redo, undo
from qianmo.store.stage import read_catalog

__all__ = ["SPECS", "show_history", "show_status", "undo_change"]

_PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)


def show_status(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Datasets of the current state with their CRS, scheme, vintage and source."""
    project = open_project(Path(values["project"]))
    lines = [f"项目 {project.name}, 版本 {project.generation:04d}"]
    for d in read_catalog(project.state).values():
        mark = " [合成]" if d.synthetic else ""
        scheme = f", 分类 {d.class_scheme}" if d.class_scheme else ""
        place = f", {d.crs}" if d.crs else ""
        lines.append(f"  {d.name} {d.zh}: {d.rows} 条{place}{scheme}, 时点 {d.vintage or '未注明'}, 来源 {d.lineage.source}{mark}")
        for decision in d.lineage.decisions:
            others = ", ".join(f"{c.value} ({c.score:.2f})" for c in decision.candidates[1:4])
            lines.append(f"      {chinese_message(decision.question)}: {decision.chosen}" + (f"; 其他候选 {others}" if others else ""))
    return JobReport(tuple(lines))


def show_history(context: Context, values: Mapping[str, Any]) -> JobReport:
    """All kept states, newest last; the current one is marked."""
    project = open_project(Path(values["project"]))
    lines = [
        f"{'→' if g.number == project.generation else ' '} {g.number:04d} {g.time} {g.user}: {g.what} (自 {g.parent:04d})"
        for g in history(project.folder)
    ]
    return JobReport(tuple(lines))


def undo_change(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Go back one state, or forward again."""
    folder = Path(values["project"])
    done = redo(folder) if values["redo"] else undo(folder)
    word = "已重做" if values["redo"] else "已撤销"
    return JobReport((f"{word}: {done.what} ({done.number:04d}); 当前版本 {open_project(folder).generation:04d}",))


SPECS = (
    JobSpec("status", "查看项目数据与来源", "show the datasets of a project and where they came from", (_PROJECT,), show_status),
    JobSpec("history", "查看项目历史版本", "list the states of a project", (_PROJECT,), show_history),
    JobSpec(
        "undo", "撤销上一步", "undo the last change of a project",
        (_PROJECT, JobOption("redo", "flag", "重做", "bring the undone change back", default=False)), undo_change,
    ),
)  # fmt: skip
