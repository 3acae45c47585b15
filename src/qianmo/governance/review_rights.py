"""Who may do what and when: the verbs of an office as data (办理权限)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from types import MappingProxyType

from qianmo.governance.review_records import APPLICANT_DESK, FINAL, MEETING_DESK, OFFICE_DESK, Person, ReviewEvent, ReviewState, Seat
from qianmo.schema.errors import ReviewRefusedError, RuleError
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows

__all__ = ["Verb", "check_rights", "local_day", "local_time", "may_hold", "may_read", "may_sign_for", "moment", "open_verbs", "refused", "review_settings", "review_verbs"]

_BEIJING = timezone(timedelta(hours=8))
SETTINGS = ("quorum_share", "pass_share", "vote_share", "undo_h", "urge_h", "meeting_always", "office_points")
NEWER = {"office_points": 0.0}
"""Settings that logs written before they came do not hold, and what those logs mean by it (后增设置)."""


@dataclass(frozen=True)
class Verb:
    """One move (办理动作): who may make it, in which phases, whether a reason is due, what follows."""

    id: str
    zh: str
    en: str
    who: tuple[str, ...]
    phases: tuple[str, ...]
    needs_reason: bool
    consequence_zh: str
    consequence_en: str


@cache
def review_verbs() -> Mapping[str, Verb]:
    """All verbs by id, of ``codes/review_verbs.csv`` (办理动作表)."""
    return MappingProxyType(
        {
            r["verb"]: Verb(r["verb"], r["zh"], r["en"], tuple(r["who"].split(";")), tuple(p for p in r["phases"].split(";") if p), r["reason"] == "1",
                            r["consequence_zh"], r["consequence_en"])
            for r in shipped_rows("codes", "review_verbs")
        }
    )  # fmt: skip


def review_settings(overrides: Mapping[str, float] | None = None) -> dict[str, float]:
    """Settings that a review carries from its first event, so that later changes of parameters do not touch it (审查设置)."""
    return {name: parameter(f"review_{name}", overrides) for name in SETTINGS}


def refused(code: str, *, found: str = "", expected: str = "", cure: str = "") -> ReviewRefusedError:
    """The refusal of a move in words (拒绝理由); `found` says on what, after the Chinese words.

    Raises
    ------
    RuleError
        No such code.
    """
    row = _refusals().get(code)
    if row is None:
        raise RuleError(f"no refusal {code!r}", expected="a code of schema/codes/review_refusals.csv")
    tail = f": {found}" if found else ""
    return ReviewRefusedError(code, row["zh"] + tail, row["en"], expected=expected, cure=cure)


def check_rights(state: ReviewState, event: ReviewEvent) -> Person:
    """The person who acts, when verb, phase, right and reason are in order (权限核对).

    Raises
    ------
    ReviewRefusedError
        The verb or the person is unknown, the review has ended or is suspended, the phase or the person does not fit, or the reason is missing.
    """
    verb = review_verbs().get(event.verb)
    if verb is None:
        raise refused("unknown_verb", found=event.verb)
    person = state.roster.get(event.actor)
    if person is None:
        raise refused("unknown_person", found=event.actor)
    if state.phase in FINAL:
        raise refused("final", found={"WITHDRAWN": "已撤回", "VOIDED": "已作废"}[state.phase])
    if event.verb == "submit":
        raise refused("already_submitted")
    if state.phase not in verb.phases:
        raise refused("wrong_phase", found=f"{verb.zh},现为{_phase_word(state.phase)}", expected="、".join(map(_phase_word, verb.phases)))
    if state.is_suspended and event.verb not in ("resume", "void", "withdraw", "copy"):
        raise refused("is_suspended", cure="先由联席办恢复 (resume)")
    if not any(_is(relation, state, person, event) for relation in verb.who):
        raise refused("no_right", found=f"{person.name} {verb.zh}", expected="、".join(verb.who))
    if verb.needs_reason and not str(event.data.get("reason", "")).strip():
        raise refused("needs_reason", found=verb.zh)
    return person


def may_sign_for(seat: Seat, person: str, day: date) -> bool:
    """True when the person fills the seat or is its delegate on that day (可签)."""
    return seat.person == person or (seat.delegate == person and seat.delegate_until is not None and day <= seat.delegate_until)


def may_hold(person: Person, department: str) -> bool:
    """True when a person can fill a seat (可任席位): an officer of its department, and for the seat of the office the secretary of the review."""
    return (person.role == "officer" and person.department == department) or (person.role == "secretary" and department == OFFICE_DESK)


def may_read(state: ReviewState, person: str) -> bool:
    """True for everybody on the roster with a part in the review, and for readers it was copied to (可阅)."""
    found = state.roster.get(person)
    return found is not None and (found.role != "reader" or person in state.copied)


def moment(state: ReviewState, event: ReviewEvent) -> datetime:
    """Time of an event, but never before those seen already: a clock set back opens nothing again (办理时刻)."""
    return event.time if state.latest is None else max(event.time, state.latest)


def local_time(time: datetime) -> datetime:
    """A moment in Beijing time (北京时间)."""
    return time.astimezone(_BEIJING)


def local_day(time: datetime) -> date:
    """The day of a moment in Beijing time (北京时间日期)."""
    return local_time(time).date()


def open_verbs(state: ReviewState, actor: str, event_time: datetime) -> tuple[str, ...]:
    """Verbs that may be open to a person now (可办动作): what the buttons of a page show.

    Relations that hang on a seat, an opinion or a task are tried on all of them; a verb listed here can still be refused for what it says.
    """
    found = []
    for verb in review_verbs():
        if any(_passes(state, ReviewEvent("?", verb, actor, event_time, {"reason": "?", **target})) for target in _targets(state)):
            found.append(verb)
    return tuple(found)


def _passes(state: ReviewState, event: ReviewEvent) -> bool:
    try:
        check_rights(state, event)
    except ReviewRefusedError:
        return False
    return True


def _targets(state: ReviewState) -> list[dict[str, str]]:
    seats = [{"seat": s.id} for g in state.groups for s in g.seats]
    return [{}, *seats, *({"opinion": o.id} for o in state.opinions), *({"task": t.id} for t in state.tasks)]


def _is(relation: str, state: ReviewState, person: Person, event: ReviewEvent) -> bool:
    if relation == "roster":
        return person.role != "reader"
    if relation in ("applicant", "secretary", "issuer"):
        return person.role == relation
    if relation == "member":
        return state.meeting is not None and person.id in state.meeting.members
    if relation == "author":
        return any(o.id == event.data.get("opinion") and o.person == person.id for o in state.opinions)
    if relation in ("owner", "raiser"):
        task = next((t for t in state.tasks if t.id == event.data.get("task")), None)
        if task is None or person.role == "reader":
            return False
        if relation == "raiser":
            return person.role == "secretary" if task.raised_by == MEETING_DESK else person.department == task.raised_by
        return person.role == "applicant" if task.owner == APPLICANT_DESK else task.owner in (person.department, person.id)
    found = state.seat(str(event.data.get("seat", "")))
    if found is None:
        return False
    seat = found[1]
    if relation == "holder":
        return seat.person == person.id
    if relation == "adder":
        return seat.added_by == person.id
    return relation == "delegate" and may_sign_for(seat, person.id, local_day(moment(state, event))) and seat.person != person.id


@cache
def _phase_word(phase: str) -> str:
    return next((r["zh"] for r in shipped_rows("codes", "report_words") if (r["group"], r["code"]) == ("review_phase", phase)), phase)


@cache
def _refusals() -> Mapping[str, dict[str, str]]:
    return MappingProxyType({r["code"]: r for r in shipped_rows("codes", "review_refusals")})
