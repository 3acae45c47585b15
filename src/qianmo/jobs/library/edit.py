"""The library in and out: list, add from the plan, import, export (项目库维护)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.governance.funds import fund_account
from qianmo.governance.library.board import class_summary
from qianmo.governance.library.difference import Difference
from qianmo.governance.library.typed import typed_table
from qianmo.governance.stages.history import opened_at
from qianmo.jobs.context import Context
from qianmo.jobs.library.compare import compared, library_or_new, store_comparison
from qianmo.jobs.library.from_plan import FROM_PLAN, plan_projects, proposed_project
from qianmo.jobs.library.store import (
    empty_table,
    fault_lines,
    history_frame,
    open_library,
    put_library,
    still_as_read,
    synthetic_words,
)
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.library_workbook import library_workbook
from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.schema.library import project_classes
from qianmo.schema.tables import table_spec
from qianmo.schema.workflows import workflow
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change

__all__ = ["SPECS", "add_from_plan", "export_library", "import_library", "list_library"]

_MOST_LINES = 40


def list_library(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Projects by class and state with their money."""
    library = open_library(Path(values["project"]))
    states = workflow("project_library").states
    shown = library.projects
    if values["state"]:
        shown = shown[shown["state"] == workflow("project_library").state(values["state"]).id]
    if values["project_class"]:
        shown = shown[shown["project_class"] == values["project_class"]]
    lines = [f"{library.project.name}: {len(library.projects)} 个项目" + ("".join(f" [合成: {w}]" for w in synthetic_words(library.projects)))]
    for r in shown.head(_MOST_LINES).to_dict("records"):
        year = "" if is_blank(r["start_year"]) else f", {r['start_year']} 年开工"
        lines.append(f"  {r['project_id']} {r['name']} [{r['project_class']}] {states[r['state']].zh}, {r['investment_yuan'] / 1e4:,.2f} 万元{year}")
    if len(shown) > _MOST_LINES:
        lines.append(f"  另有 {len(shown) - _MOST_LINES} 个, 用 qianmo library export 看全表")
    summary = class_summary(library.projects)
    lines += ["分类汇总:", *(f"  {r['project_class']}: {r['projects']} 个, {r['investment_yuan'] / 1e4:,.2f} 万元" for r in summary.to_dict("records") if r["projects"])]
    figures: dict[str, Any] = {"projects": len(library.projects), "shown": shown["project_id"].tolist(), "classes": summary.to_dict("records")}
    if {"library_fund", "library_fund_year"} <= set(library.tables):
        account = fund_account(library.tables["library_fund"], library.tables["library_fund_year"])
        lines.append("资金 (万元):")
        for r in account.to_dict("records"):
            amounts = (r[f"{c}_yuan"] / 1e4 for c in ("amount", "committed", "paid", "free"))
            lines.append("  {}: 到位 {:,.2f}, 已承诺 {:,.2f}, 已支付 {:,.2f}, 可用 {:,.2f}".format(r["name"], *amounts))
        figures["funds"] = account.to_dict("records")
    return JobReport(tuple(lines), (), figures)


def add_from_plan(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Put the sub-projects of the plan into the library as candidates."""
    folder = Path(values["project"])
    offered = plan_projects(folder)
    if not offered:
        raise MissingDataError(f"项目 {folder} 中没有规划子项目", cure="先运行 qianmo plan, 或用 qianmo library import 导入项目表")
    library = library_or_new(folder)
    known = set(library.projects["project_id"])
    wanted = {str(i) for i in values.get("only") or ()}
    strange = sorted(wanted - {str(r["subproject_id"]) for r in offered})
    if strange:
        raise MissingDataError(f"规划中没有子项目 {'、'.join(strange)}", expected="、".join(str(r["subproject_id"]) for r in offered[:20]))
    plan = [r for r in offered if r["subproject_id"] not in known and (not wanted or r["subproject_id"] in wanted)]
    frame, faults = typed_table("library_project", pd.DataFrame([proposed_project(r, context) for r in plan], columns=list(table_spec("library_project").column_names)))
    _refuse(faults, "规划子项目")
    entries = [e for r in plan for e in opened_at(workflow("project_library"), "CANDIDATE", item=r["subproject_id"], actor=context.user, time=context.clock(), reason=FROM_PLAN)]
    tables = {**library.tables, "library_project": pd.concat([library.projects, frame], ignore_index=True)}
    if plan:
        with change(folder, what=f"项目库: 由规划转入 {len(plan)} 个项目", user=context.user, now=context.clock()) as stage:
            still_as_read(stage, library)
            put_library(stage, tables, history_frame(library.history, entries), context, source="规划子项目")
    lines = (f"由规划转入 {len(plan)} 个候选项目, 已在库中 {len(known)} 个",)
    return JobReport(lines, (), {"added": [r["subproject_id"] for r in plan]})


def import_library(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read a workbook or CSV files into the library; nothing is stored unless every row can be taken, or `take_clean` is given."""
    folder, files = Path(values["project"]), [Path(f) for f in values["files"]]
    context.step("读取表格", 0.0)
    library = library_or_new(folder)
    found = compared(library, files)
    differences, told = found.differences, found.refused
    lines = [line for d in differences for line in _told(d)]
    if len(found.errors) or (len(told) and not values["take_clean"]):
        everything = pd.concat([told, found.errors], ignore_index=True)
        raise SchemaError(f"{len(everything)} 处不能读入: " + "; ".join(fault_lines(everything)), expected="每行都可读入的表格", cure="改正后重读; 只读入无冲突的行用 --take-clean (检查错误仍须改正)")
    if found.changed and not values["dry"]:
        context.step("写入项目", 0.8)
        store_comparison(context, folder, library, found, names=", ".join(f.name for f in files))
    for line in fault_lines(found.warnings):
        context.note(line)
    lines += [f"拒绝: {line}" for line in fault_lines(told)]
    lines.append("试读, 没有写入" if values["dry"] else "没有变化, 没有写入" if not found.changed else f"已写入 {folder}")
    figures = {d.table: {k: d.count(k) for k in ("added", "changed", "removed")} for d in differences}
    return JobReport(tuple(lines), (), {"changes": figures, "refused": told.to_dict("records"), "warnings": len(found.warnings)}, int(len(told) > 0))


def export_library(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Write the library as a workbook that can be edited and read back."""
    folder = Path(values["project"])
    library = open_library(folder, needed=())
    out = Path(values["out"]) if values["out"] else folder / "book" / "项目库.xlsx"
    if out.suffix.lower() != ".xlsx":
        raise SchemaError(f"输出文件 {out}", expected="以 .xlsx 结尾的文件名")
    made = context.clock().replace(tzinfo=None)
    projects = library.tables.get("library_project", empty_table("library_project"))
    replace_bytes(out, library_workbook(library.tables, title=library.project.name, synthetic=synthetic_words(projects), made=made))
    return JobReport((f"项目库: {len(projects)} 个项目",), ((str(out), "项目库工作簿 (可编辑, 用 qianmo library import 读回)"),), {"projects": len(projects)})


def _told(d: Difference) -> list[str]:
    head = f"{table_spec(d.table).zh}: 新增 {d.count('added')}, 修改 {d.count('changed')}, 删除 {d.count('removed')}, 拒绝 {len(d.refused)}"
    rows = [
        f"  第 {r['row']} 行 {r['key']} {table_spec(d.table).column(r['column']).zh}: {r['before'] or '(空)'} → {r['after'] or '(空)'}"
        for r in d.changes[d.changes["kind"] == "changed"].head(_MOST_LINES).to_dict("records")
    ]
    return [head, *rows]


def _refuse(faults: pd.DataFrame, what: str) -> None:
    if len(faults):
        raise NotAllowedError(f"{what}: " + "; ".join(fault_lines(faults)), cure="改正后重试")


_PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)

SPECS = (
    JobSpec(
        "library-list", "项目库清单与分类汇总", "projects of the library by class and state",
        (
            _PROJECT,
            JobOption("state", "choice", "只列此状态", "only this state", choices=tuple(workflow("project_library").states)),
            JobOption("project_class", "choice", "只列此类别", "only this class", choices=tuple(project_classes())),
        ),
        list_library,
    ),
    JobSpec("library-add", "规划子项目转入项目库", "put the sub-projects of the plan into the library",
            (_PROJECT, JobOption("only", "texts", "只转入这些子项目 (编号, 可重复); 默认全部", "only these sub-projects, repeat for more; all by default")), add_from_plan),
    JobSpec(
        "library-import", "读入项目库表格", "read a workbook or CSV files into the library",
        (
            _PROJECT,
            JobOption("files", "paths", "项目库工作簿 (XLSX) 或 CSV", "workbook or CSV files", required=True, positional=True),
            JobOption("take_clean", "flag", "只读入没有冲突的行, 其余列出", "take the rows without conflict and list the others", default=False),
            JobOption("dry", "flag", "试读: 只列差异, 不写入", "show the differences, store nothing", default=False),
        ),
        import_library,
    ),
    JobSpec(
        "library-export", "导出项目库工作簿", "the library as a workbook that can be edited and read back",
        (_PROJECT, JobOption("out", "path", "输出的 .xlsx; 默认在项目的 book 文件夹", "the .xlsx to write; in the folder book of the project by default")),
        export_library,
    ),
)  # fmt: skip
