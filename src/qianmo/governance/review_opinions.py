"""Signing an opinion and taking it back (签署意见、撤回意见)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from qianmo.governance.review_content import record_hash
from qianmo.governance.review_progress import current_group
from qianmo.governance.review_records import APPLICANT_DESK, RESULTS, Opinion, Person, ReviewEvent, ReviewState, Seat, Task
from qianmo.governance.review_rights import local_day, may_sign_for, moment, refused

__all__ = ["ANSWERS", "OPINION_MOVES", "is_overruled", "opinion_seal", "without_conditions"]

ANSWERS = ("pass", "condition", "reject", "na")
"""Answers to one point of a checklist: 通过, 附条件, 不通过, 不涉及."""


def is_overruled(suggested: str, answer: str) -> bool:
    """True when an answer departs from what the rules say (改变判定); points without a clear verdict cannot be overruled."""
    return suggested in ("pass", "condition", "reject") and answer != suggested


def opinion_seal(package: str, seat: str, person: str, result: str, reason: str, answers: Sequence[Mapping[str, Any]], conditions: Sequence[str]) -> str:
    """Hash that binds an opinion to the package, the seat and all that it says (意见摘要); a signature of a key would sign this."""
    return record_hash([package, seat, person, result, reason, list(answers), list(conditions)])


def _opine(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    data = event.data
    seat = _seat_to_sign(state, event)
    result, reason = str(data["result"]), str(data.get("reason", "")).strip()
    if str(data["package"]) != state.package:
        raise refused("wrong_package", found=str(data["package"])[:12], expected=state.package[:12], cure="打开当前版本重新审查")
    answers = tuple({"item": str(a["item"]), "answer": str(a["answer"]), "reason": str(a.get("reason", "")).strip(), "text_confirmed": bool(a.get("text_confirmed"))}
                    for a in data.get("answers", ()))  # fmt: skip
    conditions = tuple(str(c).strip() for c in data.get("conditions", ()) if str(c).strip())
    _check_result(state, seat, result, reason, conditions)
    _check_answers(state, seat, result, answers)
    due = date.fromisoformat(str(data["due"])) if data.get("due") else None
    seal = opinion_seal(state.package, seat.id, person.id, result, reason, answers, conditions)
    behalf = "" if person.id == seat.person else seat.person
    opinion = Opinion(event.id, state.round, state.package, seat.id.split("/")[1], seat.id, seat.department, person.id, behalf, result, reason, answers, conditions,
                      event.time, seal, signature=str(data.get("signature", "")))  # fmt: skip
    tasks = tuple(Task(f"{event.id}#{n}", text, seat.department, APPLICANT_DESK, due) for n, text in enumerate(conditions, 1))
    return replace(state, opinions=(*state.opinions, opinion), tasks=(*state.tasks, *tasks))


def _seat_to_sign(state: ReviewState, event: ReviewEvent) -> Seat:
    found = state.seat(str(event.data["seat"]))
    if found is None:
        raise refused("unknown_seat", found=str(event.data["seat"]))
    group, seat = found
    if state.valid(seat.id) is not None:
        raise refused("seat_signed", found=seat.department)
    if not may_sign_for(seat, event.actor, local_day(moment(state, event))):
        raise refused("no_right", found=event.actor)
    live = current_group(state)
    if live is None or group.id != live.id:
        order = [g.id for g in state.groups]
        closed = live is None or order.index(group.id) < order.index(live.id)
        raise refused("group_closed" if closed else "not_yet_turn", found=group.id)
    waits = [w for w in seat.waits_for if state.valid(w) is None]
    if waits:
        raise refused("not_yet_turn", found=seat.department, expected="、".join(waits))
    return seat


def _check_result(state: ReviewState, seat: Seat, result: str, reason: str, conditions: Sequence[str]) -> None:
    found = state.seat(seat.id)
    assert found is not None
    allowed = RESULTS if found[0].mode == "vote" else RESULTS[:3]
    if result not in allowed:
        raise refused("bad_result", found=result, expected="、".join(allowed))
    if result in ("reject", "condition") and not reason:
        raise refused("needs_reason", found=result)
    if result == "condition" and not conditions:
        raise refused("no_conditions")
    if result != "condition" and conditions:
        raise refused("wrong_data", found=f"{result} 不能附条件")


def _check_answers(state: ReviewState, seat: Seat, result: str, answers: Sequence[Mapping[str, Any]]) -> None:
    """Every mandatory point answered, overrules with reason, weak texts confirmed, the result no better than the answers."""
    points = {k: v for k, v in state.suggestions.items() if v["department"] == seat.department}
    if not points or seat.added_by:
        return
    told = {a["item"]: a for a in answers}
    strange = [a["item"] for a in answers if a["item"] not in points or a["answer"] not in ANSWERS]
    if strange or len(told) < len(answers):
        raise refused("unknown_item", found="、".join(strange) or "重复", expected="、".join(points) + "; " + "、".join(ANSWERS))
    gaps = [k for k, v in points.items() if v["mandatory"] and k not in told]
    if gaps:
        raise refused("checklist_gap", found="、".join(gaps))
    for item, given in told.items():
        suggested = points[item]["suggested"]
        needs = is_overruled(suggested, given["answer"]) or given["answer"] in ("condition", "reject")
        if needs and not given["reason"]:
            raise refused("overrule_reason", found=f"{item} {suggested} → {given['answer']}")
        if suggested == "confirm" and given["answer"] in ("pass", "reject") and not given["text_confirmed"]:
            raise refused("text_unconfirmed", found=item)
    rank = ("pass", "condition", "reject")
    worst = max((rank.index(a["answer"]) for a in answers if a["answer"] in rank), default=0)
    if result in rank and rank.index(result) < worst:
        raise refused("better_than_answers", found=f"{result} < {rank[worst]}")


def _take_back(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    opinion = next((o for o in state.opinions if o.id == event.data["opinion"]), None)
    if opinion is None or opinion.standing != "valid" or opinion.round != state.round:
        raise refused("unknown_opinion", found=str(event.data["opinion"]))
    if moment(state, event) - opinion.time > timedelta(hours=float(state.settings["undo_h"])):
        raise refused("undo_over", found=f"{state.settings['undo_h']:g} h")
    order = [g.id for g in state.groups]
    for group in state.groups:
        for seat in group.seats:
            later = order.index(group.id) > order.index(opinion.group) or opinion.seat in seat.waits_for
            if later and state.valid(seat.id) is not None:
                raise refused("built_upon", found=seat.department)
    kept = tuple(replace(o, standing="taken_back") if o.id == opinion.id else o for o in state.opinions)
    return replace(state, opinions=kept, tasks=without_conditions(state.tasks, (opinion,)))


def without_conditions(tasks: Sequence[Task], opinions: Sequence[Opinion]) -> tuple[Task, ...]:
    """The tasks with those dropped that came from opinions which no longer stand (条件随意见失效); closed ones stay closed."""
    gone = {o.id for o in opinions}
    return tuple(replace(t, standing="dropped") if t.id.split("#")[0] in gone and t.standing != "closed" else t for t in tasks)


OPINION_MOVES = {"opine": _opine, "take_back": _take_back}
"""Moves by verb."""
