"""Show a joint review and where its days went (审查状态、用时统计)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.review_process import event_from_record, replay
from qianmo.governance.review_progress import due_outcome, open_points, waiting_desks
from qianmo.governance.review_records import ReviewState
from qianmo.governance.review_rights import local_day, local_time, review_verbs
from qianmo.governance.review_waiting import desk_changes, desk_waits, parallel_days, waiting_by_desk
from qianmo.jobs.context import Context
from qianmo.jobs.review.opened import PROJECT, REVIEW, OpenedReview, open_review
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.typography import word
from qianmo.schema.errors import MissingDataError
from qianmo.schema.shipped import shipped_rows
from qianmo.store.project import open_project
from qianmo.store.review_log import read_log, review_folder, review_ids

__all__ = ["SPECS", "show", "state_lines", "waiting"]


def show(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Phase, version, desks waited for with their terms, opinions, tasks, and on request every event."""
    review = open_review(values)
    today = local_day(context.clock())
    waits = desk_waits(review.events, today=today)
    lines = state_lines(review.id, review.state)
    lines += [_due_line(w, today) for w in waits[waits["closed"].isna()].itertuples()]
    if values["log"]:
        names = {p.id: p.name for p in review.state.roster.values()}
        lines += [f"  {e.id} {local_time(e.time):%Y-%m-%d %H:%M} {names.get(e.actor, e.actor)} {review_verbs()[e.verb].zh}" + (f": {e.data['reason']}" if e.data.get("reason") else "") for e in review.events]
    if waits["is_provisional"].any():
        context.note("时限跨入尚未公布放假安排的年份, 按周末推算, 公布后须更新 codes/holidays.csv")
    return JobReport(tuple(lines), (), _figures(review))


def waiting(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Waits by step and desk over all reviews of the project, returns, desks that changed nothing, days if all were side by side."""
    project = open_project(Path(values["project"]))
    names = [values["review"]] if values["review"] else review_ids(project.folder)
    if not names:
        raise MissingDataError("项目还没有联合审查 (no review)", cure="先送审: qianmo review open PROJECT FILE")
    today = local_day(context.clock())
    logs = [[event_from_record(e["event"]) for e in read_log(review_folder(project.folder, n))] for n in names]
    waits = pd.concat([desk_waits(log, today=today) for log in logs], ignore_index=True)
    states = [replay(log) for log in logs]
    table, changes = waiting_by_desk(waits), desk_changes(states)
    steps = {r["step"]: r["zh"] for r in shipped_rows("codes", "review_steps")}
    lines = [f"{len(names)} 件审查, 退回 {sum(len(s.returns) for s in states)} 次; 用时按工作日:"]
    for r in table.itertuples():
        on_time = "" if pd.isna(r.on_time) else f", 按时 {r.on_time:.0%}"
        lines.append(f"  {steps[r.step]} {r.department}: {r.waits} 次, 中位 {r.median_days:g} 天, 最长 {r.longest_days} 天, 合计 {r.total_days} 天{on_time}, 超期 {r.days_lost} 天")
    idle = changes.loc[changes["adds_nothing"].astype(bool), "department"].tolist()
    if idle:
        lines.append(f"  只有同意、未改变任何判定的部门: {'、'.join(idle)} (可研究改为告知; 件数少时不作结论)")
    both = parallel_days(waits)
    lines.append(f"  部门意见逐个办理合计 {both['sequential']} 天, 全部并行为 {both['parallel']} 天")
    return JobReport(tuple(lines), (), {"waits": table.to_dict("records"), "changes": changes.to_dict("records"), **both})


def state_lines(name: str, state: ReviewState) -> list[str]:
    """The state in words (审查状态)."""
    steps = {r["step"]: r["zh"] for r in shipped_rows("codes", "review_steps")}
    mark = " [挂起]" if state.is_suspended else ""
    lines = [f"审查 {name}: {word('review_phase', state.phase)}{mark}, 第 {state.round} 轮, 版本号 {state.package[:12]}"]
    due = state.outcome or due_outcome(state)
    if due:
        lines.append(f"  {'结论' if state.outcome else '现有意见导向'}: {word('review_outcome', due)}")
    for o in state.opinions:
        signer = state.roster[o.person].name + (f" (受{state.roster[o.on_behalf_of].name}委托)" if o.on_behalf_of else "")
        lines.append(f"  {o.department} {word('review_result', o.result)} {signer} [{word('review_standing', o.standing)}]" + (f": {o.reason}" if o.reason else ""))
    if state.phase in ("MEETING", "RESOLVED", "DONE"):
        lines += [f"  未作答的必审要点: {d} {'、'.join(items)}" for d, items in open_points(state).items()]
    lines += [f"  {t.id} {t.raised_by} → {t.owner}: {t.text} [{word('review_task', t.standing)}]" for t in state.tasks]
    return [*lines, *(f"  待办: {steps[step]} {desk}" + (f" {seat}" if seat else "") for step, desk, seat in waiting_desks(state))]


def _due_line(wait: Any, today: date) -> str:
    steps = {r["step"]: r["zh"] for r in shipped_rows("codes", "review_steps")}
    due = "时限中止" if wait.due is None or pd.isna(wait.due) else f"到期 {wait.due}" + (" 已超期" if wait.due < today else "")
    return f"  时限: {steps[wait.step]} {wait.department} 已办 {wait.days} 个工作日, 限 {wait.allowed_days} 个, {due}"


def _figures(review: OpenedReview) -> dict[str, Any]:
    s = review.state
    return {"review": review.id, "phase": s.phase, "round": s.round, "package": s.package, "outcome": s.outcome or due_outcome(s), "opinions": len(s.opinions), "events": len(review.events),
            "waiting": [list(w) for w in waiting_desks(s)]}  # fmt: skip


SPECS = (
    JobSpec("review-state", "审查状态", "state of a joint review with its terms", (PROJECT, REVIEW, JobOption("log", "flag", "列出全部动作", "list every event")), show),
    JobSpec("review-waiting", "审查用时统计", "where the days of the reviews went, desk by desk", (PROJECT, REVIEW), waiting),
)
