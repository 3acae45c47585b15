"""Move a project on, and accept its works (项目办理与验收)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.acceptance.form import RESULTS, blank_form, check_form, quota_of, refusals_of_result
from qianmo.governance.acceptance.money import settled
from qianmo.governance.blank import is_blank
from qianmo.governance.library.typed import typed_table
from qianmo.governance.stages.history import moved, state_before
from qianmo.governance.stages.move import open_steps
from qianmo.jobs.context import Context
from qianmo.jobs.library.store import Library, entries_of, fault_lines, history_frame, open_library, put_library, still_as_read
from qianmo.jobs.plain_table import plain_frame, plain_layers
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.acceptance import acceptance_fields
from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA
from qianmo.schema.workflows import actor_words, document_words, workflow, workflow_words
from qianmo.store.finance_file import write_bytes_once
from qianmo.store.parquet import read_frame
from qianmo.store.project import change

__all__ = ["SPECS", "accept_form", "accept_works", "move_project", "over_share", "planned_form"]


def move_project(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Take one step with a project, or say which steps are open."""
    folder, project = Path(values["project"]), values["id"]
    library = open_library(folder)
    row, flow = library.row(project), workflow("project_library")
    history = entries_of(library.history, project)
    state = str(row["state"])
    steps = open_steps(flow, state, before=state_before(history))
    if not values["to"]:
        lines = [f"{project} {row['name']}: {flow.state(state).zh}, 可办:"]
        for s in steps:
            who, papers = "、".join(actor_words(a)[0] for a in s.actors), "、".join(document_words(d)[0] for d in s.documents)
            lines.append(f"  {s.state_to} {flow.state(s.state_to).zh} — {s.zh} ({who})" + (f"; 材料: {papers}" if papers else "") + ("; 须写理由" if s.needs_reason else ""))
        past = [f"  {e.time:%Y-%m-%d} {e.actor}: {flow.state(e.state_to).zh}" + (f" ({e.reason})" if e.reason else "") for e in history]
        return JobReport((*lines, "办理记录:", *past), (), {"state": state, "open": [s.state_to for s in steps]})
    if not values["role"]:
        raise SchemaError("没有 --role", expected="、".join(f"{a} {zh}" for a, (zh, _) in workflow_words("actor").items()))
    documents = [_document(text) for text in values["document"] or ()]
    filled = {k for k, v in row.items() if not is_blank(v)}
    longer = moved(flow, history, values["to"], item=project, actor=values["actor"] or context.user, role=values["role"], time=context.clock(), reason=values["reason"] or "",
                   documents=documents, filled=filled)  # fmt: skip
    projects = library.projects.copy()
    projects.loc[projects["project_id"] == project, "state"] = values["to"]
    if longer[-1].state_to == "APPROVED" and longer[-1].state_from == "SCHEDULED":
        projects.loc[projects["project_id"] == project, ["start_year", "end_year"]] = pd.NA
    what = f"项目库: {project} {flow.state(state).zh} → {flow.state(values['to']).zh}"
    with change(folder, what=what, user=context.user, now=context.clock()) as stage:
        still_as_read(stage, library)
        put_library(stage, {**library.tables, "library_project": projects}, history_frame(library.history, longer[-1:]), context, source=what)
    return JobReport((f"{project} {row['name']}: {flow.state(state).zh} → {flow.state(values['to']).zh}",), (), {"state": values["to"], "steps": len(longer)})


def accept_works(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Check an acceptance form, fill in its money and store it; without a form, write a blank one."""
    folder, project = Path(values["project"]), values["id"]
    library = open_library(folder)
    row = library.row(project)
    if not values["form"]:
        form = planned_form(library, project)
        out = Path(values["out"]) if values["out"] else folder / "book" / f"{project}_验收表.csv"
        write_bytes_once(out, _labelled(form).to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        return JobReport((f"{project} {row['name']}: 空白验收表",), ((str(out), "填写实测数、核减数、原因后用 --form 读入"),))
    return accept_form(context, library, project, _form(Path(values["form"]), project), values["result"])


def planned_form(library: Library, project: str) -> pd.DataFrame:
    """A blank acceptance form with the planned areas of a project (空白验收表)."""
    row = library.row(project)
    planned = {"YS_GM_XZGDMJ": row["new_farmland_m2"], "YS_GM_ZGM": row["area_m2"]}
    return blank_form(project, {k: float(v) / M2_PER_HA for k, v in planned.items() if not is_blank(v)})


def over_share(library: Library) -> float:
    """Share of the planned quantity above it that is still paid in this project folder (超计划支付比例)."""
    overrides = {k: float(v) for k, v in library.project.settings.get("parameters", {}).items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    return parameter("library_over_delivery_share", overrides)


def accept_form(context: Context, library: Library, project: str, form: pd.DataFrame, result: str) -> JobReport:
    """Check a typed form, fill in its money and store it (验收表入库).

    Raises
    ------
    NotAllowedError
        The result does not follow from the form; every reason is named.
    """
    row, folder = library.row(project), library.project.folder
    faults = check_form(form)
    reasons = refusals_of_result(form, result)
    if len(faults) or reasons:
        told = fault_lines(faults) or list(reasons)
        raise NotAllowedError(f"{project} 验收结论“{RESULTS[result]}”不成立: " + "; ".join(told), cure="改正验收表, 或改用限期整改")
    found = settled(form, over_share=over_share(library))
    quota = quota_of(form) if result == "pass" else dict.fromkeys(quota_of(form), 0.0)
    record = {"result": result, "contract_fen": found.contract_fen, "payable_fen": found.payable_fen, "deducted_fen": found.deducted_fen, **quota}
    with change(folder, what=f"项目库: {project} 验收 {RESULTS[result]}", user=context.user, now=context.clock()) as stage:
        place = stage.folder / "tables" / "acceptance_line.parquet"
        others = read_frame(place) if place.is_file() else found.lines.iloc[:0]
        stage.put_table("acceptance_line", pd.concat([others[others["project_id"] != project], found.lines], ignore_index=True))
        stage.put_json(f"acceptance_{project}", record)
    lines = [
        f"{project} {row['name']}: {RESULTS[result]}",
        f"合同 {found.contract_fen / 100:,.2f} 元, 应付 {found.payable_fen / 100:,.2f} 元, 核减 {found.deducted_fen / 100:,.2f} 元", *(f"  {w}" for w in found.words),
        f"可入库指标: 新增耕地 {quota['new_farmland_m2'] / 1e4:g} 公顷, 其中水田 {quota['paddy_m2'] / 1e4:g} 公顷",
    ]  # fmt: skip
    return JobReport(tuple(lines), (), record)


def _document(text: str) -> str:
    words = workflow_words("document")
    found = next((d for d, (zh, en) in words.items() if text in (d, zh, en)), "")
    if not found:
        raise SchemaError(f"没有材料 {text!r}", expected="、".join(f"{d} {zh}" for d, (zh, _) in list(words.items())[:24]))
    return found


def _labelled(form: pd.DataFrame) -> pd.DataFrame:
    fields = acceptance_fields().fields
    out = pd.DataFrame({"项目编号": form["project_id"], "验收指标": form["field"], "指标名称": [fields[f].zh for f in form["field"]], "单位": [fields[f].unit for f in form["field"]]})
    labels = {"planned": "计划数", "price_yuan": "单价(元)", "measured": "实测数", "cut": "核减数", "reason_code": "核减原因", "reason": "核减说明"}
    return out.assign(**{zh: form[name] for name, zh in labels.items()})


def _form(path: Path, project: str) -> pd.DataFrame:
    layers = plain_layers([path])
    if not layers:
        raise MissingDataError(f"{path.name}: 没有表格", expected="验收表")
    raw = plain_frame(layers[0][0]).drop(columns=["指标名称", "单位"], errors="ignore")
    form, faults = typed_table("acceptance_line", raw, first_row=2)
    if len(faults):
        raise SchemaError("; ".join(fault_lines(faults)), expected="验收表中的数字与原因", cure="改正后重新读入")
    strange = sorted(set(form["project_id"]) - {project})
    if strange:
        raise SchemaError(f"{path.name} 是项目 {', '.join(map(str, strange))} 的验收表", expected=project)
    return form


_PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)
_ID = JobOption("id", "text", "项目编号", "id of the project", required=True, positional=True)

SPECS = (
    JobSpec(
        "library-move", "项目办理一步", "take one step with a project, or list the open ones",
        (
            _PROJECT, _ID,
            JobOption("to", "choice", "新状态; 不写则列出可办环节", "state to go to; lists the open steps where it is not given", choices=tuple(workflow("project_library").states)),
            JobOption("role", "choice", "角色", "role", choices=tuple(workflow_words("actor"))),
            JobOption("actor", "text", "办理人; 默认当前用户", "person; the current user by default"),
            JobOption("reason", "text", "理由", "reason in words"),
            JobOption("document", "texts", "已有材料 (名称或编号), 可重复", "document that is there, repeat for more"),
        ),
        move_project,
    ),
    JobSpec(
        "library-accept", "项目验收与核减", "check an acceptance form with cuts and work out its money",
        (
            _PROJECT, _ID,
            JobOption("form", "path", "填好的验收表 (CSV 或 XLSX); 不写则生成空白表", "filled form; a blank one is written where it is not given"),
            JobOption("result", "choice", "结论: pass 通过, mend 限期整改, fail 不通过", "result", default="pass", choices=tuple(RESULTS)),
            JobOption("out", "path", "空白表的位置", "where to write the blank form"),
        ),
        accept_works,
    ),
)  # fmt: skip
