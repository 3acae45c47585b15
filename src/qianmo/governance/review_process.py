"""A joint review as a fold over its events: what was done makes the state (联席审查流程).

Events are only added. `apply` gives the next state or refuses with a reason; `replay` folds all of them. The result of parallel
opinions does not depend on the order in which they arrive, an event delivered twice counts once, and no opinion is ever removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from qianmo.governance.review_content import bytes_hash
from qianmo.governance.review_meeting import MEETING_MOVES
from qianmo.governance.review_moves import SEAT_MOVES, opened_groups, with_office
from qianmo.governance.review_opinions import OPINION_MOVES, without_conditions
from qianmo.governance.review_progress import can_sign, due_outcome, missing_mandatory, needs_meeting
from qianmo.governance.review_records import MANDATORY, Person, ReviewEvent, ReviewState
from qianmo.governance.review_rights import NEWER, SETTINGS, check_rights, refused
from qianmo.schema.errors import SchemaError

__all__ = ["apply", "event_from_record", "event_record", "replay"]

Move = Callable[[ReviewState, ReviewEvent, Person], ReviewState]
_ROLES = ("applicant", "secretary", "officer", "issuer", "reader")


def replay(events: Iterable[ReviewEvent]) -> ReviewState:
    """State after all events in order (重放).

    Raises
    ------
    ReviewRefusedError
        An event cannot follow those before it: the log was changed. Also without any event.
    """
    state: ReviewState | None = None
    for event in events:
        state = apply(state, event)
    if state is None:
        raise refused("first_is_submit")
    return state


def apply(state: ReviewState | None, event: ReviewEvent) -> ReviewState:
    """State after one more event (办理); `state` is None before the first.

    Parameters
    ----------
    state : ReviewState or None
    event : ReviewEvent
        Its time must carry a zone. Where it is earlier than an event before, limits in hours are measured from the latest
        time seen, so that a clock set back opens no window again.

    Returns
    -------
    ReviewState
        `state` itself where the same event was seen before.

    Raises
    ------
    ReviewRefusedError
        The move is not allowed or not complete; the reason is in the error, and nothing has changed.
    """
    if event.time.tzinfo is None:
        raise SchemaError(f"event {event.id} has the time {event.time} without a zone", expected="a time with a zone")
    mark = _mark(event)
    if state is None:
        if event.verb != "submit":
            raise refused("first_is_submit", found=event.verb)
        state = _submitted(event)
    else:
        if event.id in state.seen:
            if state.seen[event.id] == mark:
                return state
            raise refused("id_reused", found=event.id)
        person = check_rights(state, event)
        try:
            state = _MOVES[event.verb](state, event, person)
        except KeyError as fault:
            raise refused("wrong_data", found=f"{event.verb} 缺 {fault.args[0]}") from None
        except (TypeError, ValueError, AttributeError) as fault:
            raise refused("wrong_data", found=f"{event.verb}: {fault}") from None
    latest = event.time if state.latest is None else max(state.latest, event.time)
    return replace(state, latest=latest, seen={**state.seen, event.id: mark})


def event_record(event: ReviewEvent) -> dict[str, Any]:
    """The event in JSON types (动作记录)."""
    return {"id": event.id, "verb": event.verb, "actor": event.actor, "time": event.time.isoformat(), "data": dict(event.data)}


def event_from_record(record: Mapping[str, Any]) -> ReviewEvent:
    """The event from its record (读取动作记录).

    Raises
    ------
    SchemaError
        A part is missing, or the time is none.
    """
    try:
        return ReviewEvent(str(record["id"]), str(record["verb"]), str(record["actor"]), datetime.fromisoformat(record["time"]), dict(record["data"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise SchemaError(f"review event {str(record)[:80]}: {fault}", expected="id, verb, actor, time, data") from None


def _mark(event: ReviewEvent) -> str:
    """Hash by which an event that comes twice is known; what no log can hold is refused."""
    try:
        return bytes_hash(json.dumps(event_record(event), ensure_ascii=False, sort_keys=True, allow_nan=False).encode("utf-8"))
    except (TypeError, ValueError) as fault:
        raise refused("wrong_data", found=f"{event.verb}: {fault}", expected="JSON 类型, 有限的数") from None


def _submitted(event: ReviewEvent) -> ReviewState:
    data = event.data
    try:
        persons = [Person(str(p["id"]), str(p["name"]), str(p["department"]), str(p["role"])) for p in data["roster"]]
        settings = {name: float(data["settings"].get(name, NEWER[name]) if name in NEWER else data["settings"][name]) for name in SETTINGS}
        package, project = str(data["package"]), str(data["project"])
        suggestions = {str(k): dict(v) for k, v in data.get("suggestions", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise refused("wrong_data", found=f"submit: {fault}") from None
    roster = {p.id: p for p in persons}
    if len(roster) != len(persons) or any(p.role not in _ROLES or not p.id for p in persons):
        raise refused("wrong_data", found="roster", expected="每人一次, 角色 " + "、".join(_ROLES))
    if event.actor not in roster:
        raise refused("unknown_person", found=event.actor)
    if roster[event.actor].role != "applicant":
        raise refused("no_right", found=f"{roster[event.actor].name} 送审", expected="applicant")
    return ReviewState("SUBMITTED", project, package, 1, roster, settings, suggestions, packages=(package,))


def _enrol(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    new = Person(str(event.data["id"]), str(event.data["name"]), str(event.data["department"]), str(event.data["role"]))
    if new.id in state.roster or new.role not in _ROLES:
        raise refused("wrong_data", found=new.id, expected="新的编号, 角色 " + "、".join(_ROLES))
    return replace(state, roster={**state.roster, new.id: new})


def _accept(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return replace(state, phase="ACCEPTED")


def _distribute(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    groups = opened_groups(state, with_office(state, event.data["groups"], person.id), state.round)
    seated = {s.department for g in groups if g.mode != "any" for s in g.seats}
    lacking = [d for d in MANDATORY if d not in seated]
    if lacking:
        raise refused("mandatory_missing", found="、".join(lacking), cure="必审部门须在会签、依次或票签环节有席位, 或签不算")
    return replace(state, phase="IN_REVIEW", groups=groups)


def _return(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    """Back to the applicant, or to an earlier group whose seats then sign anew."""
    if person.role != "secretary":
        found = state.seat(str(event.data["seat"]))
        if found is None or not can_sign(state, found[1]):
            raise refused("not_yet_turn", found=person.department)
    target = str(event.data.get("to", "applicant"))
    falling = [o for o in state.opinions if o.standing == "valid" and _falls(state, o.seat, target)]
    marked = tuple(replace(o, standing="superseded") if o in falling else o for o in state.opinions)
    tasks = without_conditions(state.tasks, falling)
    meetings = tuple(replace(m, standing="broken_off") if m.standing == "open" else m for m in state.meetings)
    logged = (*state.returns, (state.round, person.department, target))
    if target == "applicant":
        return replace(state, phase="RETURNED", opinions=marked, tasks=tasks, meetings=meetings, returns=logged)
    if target not in [g.id for g in state.groups]:
        raise refused("unknown_group", found=target, expected="applicant, " + ", ".join(g.id for g in state.groups))
    if person.role != "secretary":
        raise refused("no_right", found=f"{person.name} 退回至 {target}", expected="secretary")
    closed = tuple(replace(m, standing="overtaken") if m.round == state.round and m.standing == "closed" else m for m in meetings)
    return replace(state, phase="IN_REVIEW", opinions=marked, tasks=tasks, meetings=closed, returns=logged)


def _falls(state: ReviewState, seat: str, target: str) -> bool:
    """True when an opinion of the seat does not stand after a return to the target."""
    order = [g.id for g in state.groups]
    found = state.seat(seat)
    return target == "applicant" or found is None or target not in order or order.index(found[0].id) >= order.index(target)


def _resubmit(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    package = str(event.data["package"])
    if package == state.package and not event.data.get("unchanged"):
        raise refused("same_package", cure="材料确无变化时写明 unchanged = true 与理由")
    round_number = state.round + 1
    groups = opened_groups(state, [_as_told(g) for g in state.groups], round_number) if state.groups else ()
    suggestions = {str(k): dict(v) for k, v in event.data.get("suggestions", state.suggestions).items()}
    phase = "IN_REVIEW" if groups else "SUBMITTED"
    return replace(state, phase=phase, package=package, round=round_number, groups=groups, suggestions=suggestions, packages=(*state.packages, package))


def _as_told(group: Any) -> dict[str, Any]:
    seats = [{"department": s.department, "person": s.person} for s in group.seats if not s.added_by]
    return {"id": group.id, "mode": group.mode, "share": group.share, "seats": seats}


def _copy(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    to = str(event.data["to"])
    if to not in state.roster:
        raise refused("unknown_person", found=to)
    return replace(state, copied=state.copied | {to})


def _suspend(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return replace(state, suspensions=(*state.suspensions, (event.time, None)))


def _resume(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    if not state.is_suspended:
        raise refused("not_suspended")
    first = state.suspensions[-1][0]
    return replace(state, suspensions=(*state.suspensions[:-1], (first, max(event.time, first))))


def _decide(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    lacking = missing_mandatory(state)
    if lacking:
        raise refused("opinions_missing", found="、".join(lacking))
    due = due_outcome(state)
    if not due:
        raise refused("opinions_missing")
    if needs_meeting(state):
        raise refused("meeting_needed")
    if event.data["outcome"] != due:
        raise refused("wrong_outcome", found=str(event.data["outcome"]), expected=due)
    return replace(state, phase="DONE", outcome=due, decided_by=person.id)


def _withdraw(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return replace(state, phase="WITHDRAWN", meetings=_broken_off(state))


def _void(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return replace(state, phase="VOIDED", meetings=_broken_off(state))


def _broken_off(state: ReviewState) -> tuple[Any, ...]:
    return tuple(replace(m, standing="broken_off") if m.standing == "open" else m for m in state.meetings)


def _report_task(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return _task(state, event, "reported")


def _close_task(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    return _task(state, event, "closed")


def _task(state: ReviewState, event: ReviewEvent, standing: str) -> ReviewState:
    task = next(t for t in state.tasks if t.id == event.data["task"])
    if task.standing == "closed":
        raise refused("task_closed", found=task.text)
    return replace(state, tasks=tuple(replace(t, standing=standing) if t.id == task.id else t for t in state.tasks))


_MOVES: dict[str, Move] = {
    "enrol": _enrol, "accept": _accept, "distribute": _distribute, "return": _return, "resubmit": _resubmit, "copy": _copy, "suspend": _suspend,
    "resume": _resume, "decide": _decide, "withdraw": _withdraw, "void": _void, "report_task": _report_task, "close_task": _close_task,
    **OPINION_MOVES, **SEAT_MOVES, **MEETING_MOVES,
}  # fmt: skip
