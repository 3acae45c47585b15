"""Make a move in a joint review from the command line, with the form of a department (办理、审查表)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.governance.review_meeting import agenda_from_opinions
from qianmo.governance.review_opinions import ANSWERS
from qianmo.governance.review_progress import due_outcome
from qianmo.governance.review_records import MANDATORY, OFFICE_DESK, ReviewState
from qianmo.governance.review_rights import refused, review_verbs
from qianmo.jobs.context import Context
from qianmo.jobs.review.opened import PROJECT, REVIEW, add_event, open_review
from qianmo.jobs.review.show import state_lines
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.typography import word
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.durable import replace_bytes
from qianmo.store.review_packages import read_package
from qianmo.store.scratch import read_toml

__all__ = ["SPECS", "act", "answers_from_form", "form"]

_FORM = ("item", "item_zh", "mandatory", "suggested", "why", "parcels", "answer", "reason", "text_confirmed")
_ACTOR = JobOption("actor", "text", "办理人编号", "id of the person who acts", required=True)
_PLAIN = ("reason", "result", "to", "until", "where", "person", "item", "choice", "minutes", "outcome", "task", "opinion", "member", "due")


def act(context: Context, values: Mapping[str, Any]) -> JobReport:
    """One move by one person; when the command says so, it is on the disk."""
    review = open_review(values)
    verb = str(values["verb"])
    told = _told(values)

    def content(state: ReviewState | None) -> Mapping[str, Any]:
        assert state is not None
        return _filled(verb, str(values["actor"]), told, values, state)

    event, state = add_event(review.folder, verb, str(values["actor"]), context, content, event_id=values["request"] or "")
    known = review_verbs()[verb]
    return JobReport((f"{known.zh} 已记录 ({event.id}): {known.consequence_zh}", *state_lines(review.id, state)), (), {"event": event.id, "phase": state.phase, "review": review.id})


def form(context: Context, values: Mapping[str, Any]) -> JobReport:
    """The form of a department as CSV, filled in by the rules; the officer completes the columns answer, reason, text_confirmed."""
    review = open_review(values)
    _, tables = read_package(review.folder, review.state.package)
    points = tables["review_point"]
    points = points[points["department"] == values["department"]]
    if points.empty:
        raise MissingDataError(f"没有部门 {values['department']} 的审查要点", expected="、".join(dict.fromkeys(tables["review_point"]["department"])))
    out = Path(values["out"]) if values["out"] else Path(f"{review.id}_{values['department']}_审查表.csv")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(_FORM)
    for p in points.itertuples():
        ready = p.suggested if p.suggested == "pass" else ""
        rows.writerow((p.item_id, p.item_zh, int(p.mandatory), p.suggested, _cell(p.why), p.parcels, ready, "", ""))
    replace_bytes(out, text.getvalue().encode("utf-8-sig"))
    words = "、".join(f"{a} ({word('review_answer', a)})" for a in ANSWERS)
    return JobReport((f"{values['department']}: {len(points)} 项要点, 版本号 {review.state.package[:12]}; answer 填 {words}",), ((str(out), "部门审查表"),), {"points": len(points)})


def answers_from_form(path: Path) -> list[dict[str, Any]]:
    """Answers of a completed form; rows without an answer are left out.

    Raises
    ------
    MissingDataError, SchemaError
        The file is not there, not UTF-8, or lacks the columns item and answer.
    """
    if not path.is_file():
        raise MissingDataError(f"没有审查表 {path}", cure="先用 qianmo review form 生成")
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise SchemaError(f"{path.name}: {fault}", expected="UTF-8 编码的 CSV", cure="另存为 CSV UTF-8") from None
    if rows and not {"item", "answer"} <= set(rows[0]):
        raise SchemaError(f"{path.name} 的列为 {', '.join(map(str, rows[0]))}", expected=", ".join(_FORM))
    made = []
    for row in rows:
        if (row.get("answer") or "").strip():
            confirmed = (row.get("text_confirmed") or "").strip().lower() in ("1", "true", "是", "y", "yes")
            made.append({"item": row["item"].strip(), "answer": row["answer"].strip(), "reason": (row.get("reason") or "").strip(), "text_confirmed": confirmed})
    return made


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Content of the move from the options, then from the file; the options win."""
    told: dict[str, Any] = {}
    if values["data"]:
        path = Path(values["data"])
        if path.suffix == ".json":
            try:
                told = json.loads(path.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError) as fault:
                raise SchemaError(f"{path.name}: {fault}", expected="JSON 对象") from None
        else:
            told = read_toml(path)
        if not isinstance(told, dict):
            raise SchemaError(f"{path.name} 不是对象", expected="JSON 对象或 TOML")
    told = json.loads(json.dumps(told, default=str))
    told |= {name: values[name] for name in _PLAIN if values[name] is not None}
    if values["condition"]:
        told["conditions"] = list(values["condition"])
    if values["answers"]:
        told["answers"] = answers_from_form(Path(values["answers"]))
    return told


def _filled(verb: str, actor: str, told: dict[str, Any], values: Mapping[str, Any], state: ReviewState) -> dict[str, Any]:
    """What can be looked up is filled in: the seat of the person, the version that was named, the usual groups and agenda."""
    data = dict(told)
    if values["seat"] or "seat" not in data:
        seat = str(values["seat"] or "") or _seat_of(state, actor, verb)
        data |= {"seat": seat} if seat else {}
    if verb == "opine":
        version = str(values["version"] or data.get("package") or "")
        if len(version) < 8:
            raise refused("wrong_data", found="version", expected="所审版本号, 至少前 8 位", cure=f"用 --version 写明所审版本, 现为 {state.package[:12]}")
        data["package"] = state.package if state.package.startswith(version) else version
    if verb == "distribute" and "groups" not in data:
        data["groups"] = [{"id": "departments", "mode": "all", "seats": _usual_seats(state)}]
    if verb == "convene":
        data.setdefault("agenda", agenda_from_opinions(state))
        data.setdefault("members", list(dict.fromkeys(s.person for g in state.groups for s in g.seats if s.department != OFFICE_DESK)))
    if verb == "decide":
        data.setdefault("outcome", due_outcome(state))
    if verb in ("vote", "recuse"):
        data.setdefault("item", "package")
    return data


def _seat_of(state: ReviewState, actor: str, verb: str) -> str:
    if verb not in ("opine", "transfer", "delegate", "undelegate", "add_sign", "return"):
        return ""
    mine = [s.id for g in state.groups for s in g.seats if actor in (s.person, s.delegate) and (verb == "return" or state.valid(s.id) is None)]
    return mine[0] if len(mine) == 1 else ""


def _usual_seats(state: ReviewState) -> list[dict[str, str]]:
    """The first officer of each mandatory department, then of every other department on the roster."""
    first: dict[str, str] = {}
    for p in state.roster.values():
        if p.role == "officer":
            first.setdefault(p.department, p.id)
    order = [*(d for d in MANDATORY if d in first), *(d for d in first if d not in MANDATORY)]
    return [{"department": d, "person": first[d]} for d in order]


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


SPECS = (
    JobSpec(
        "review-do", "办理", "make one move in a joint review",
        (
            PROJECT, JobOption("verb", "choice", "动作", "verb", required=True, positional=True, choices=tuple(v for v in review_verbs() if v not in ("submit", "resubmit"))), REVIEW, _ACTOR,
            JobOption("seat", "text", "席位编号 (本人只有一席时可省)", "seat"), JobOption("version", "text", "所审版本号", "version that was reviewed"),
            JobOption("result", "text", "意见: pass 同意, condition 附条件, reject 不同意, abstain 弃权", "opinion"), JobOption("reason", "text", "理由", "reason"),
            JobOption("condition", "texts", "条件 (可多次)", "condition; may be given several times"), JobOption("answers", "path", "填好的审查表 (CSV)", "completed form"),
            JobOption("to", "text", "转给、委托、抄送或退回到", "receiver, or group to return to"), JobOption("until", "text", "委托截止日期", "last day of a delegation"),
            JobOption("person", "text", "加签人员", "signer to add"), JobOption("where", "text", "前加签 before 或后加签 after", "before or after"),
            JobOption("item", "text", "议题编号", "agenda item"), JobOption("choice", "text", "表决: yes 同意, no 反对, abstain 弃权", "vote"), JobOption("member", "text", "到会人员", "member present"),
            JobOption("minutes", "text", "会议纪要", "minutes"), JobOption("outcome", "text", "结论", "outcome"), JobOption("task", "text", "条件或任务编号", "task"),
            JobOption("opinion", "text", "意见编号", "opinion"), JobOption("due", "text", "条件期限", "due date of the conditions"),
            JobOption("data", "path", "其余内容 (TOML 或 JSON)", "content of the move as a file"), JobOption("request", "text", "请求编号, 重复提交只算一次", "id of a request that may be sent twice"),
        ),
        act,
    ),
    JobSpec(
        "review-form", "部门审查表", "write the form of a department, filled in by the rules",
        (PROJECT, REVIEW, JobOption("department", "text", "部门", "department", required=True), JobOption("out", "path", "输出文件 (CSV)", "file to write")), form,
    ),
)  # fmt: skip
