"""The joint meeting: agenda, presence, recusal, vote, result, follow-ups (联席会议)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from qianmo.governance.review_progress import current_group, missing_mandatory, open_points, standing_opinions
from qianmo.governance.review_records import MEETING_DESK, OFFICE_DESK, Meeting, Person, ReviewEvent, ReviewState, Task
from qianmo.governance.review_rights import refused

__all__ = ["CHOICES", "MEETING_MOVES", "agenda_from_opinions", "item_count", "quorum_met"]

CHOICES = ("yes", "no", "abstain")


def agenda_from_opinions(state: ReviewState) -> list[dict[str, str]]:
    """Agenda that follows from the opinions (议题建议).

    Every reject and every condition, the points of the office itself (联席办) that nobody has answered and the rules do not pass, then the package as a whole.
    """
    found = []
    for o in standing_opinions(state):
        if o.result == "reject":
            found.append({"id": f"{o.seat}", "title": f"{o.department}不同意:{o.reason}"})
        found += [{"id": f"{o.seat}#{n}", "title": f"{o.department}附条件:{c}"} for n, c in enumerate(o.conditions, 1)]
    found += [
        {"id": item, "title": f"{item} {v.get('zh', '')}:须由会议核实"}
        for item in open_points(state).get(OFFICE_DESK, ()) if (v := state.suggestions[item])["suggested"] != "pass"
    ]  # fmt: skip
    return [*sorted(found, key=lambda a: a["id"]), {"id": "package", "title": f"送审版本 {state.package[:12]} 的联审结论"}]


def item_count(meeting: Meeting, item: str) -> dict[str, int]:
    """Votes on one item (计票): entitled, present, recused, yes, no, abstain."""
    out = {p for i, p, _ in meeting.recused if i == item}
    entitled = [p for p in meeting.members if p not in out]
    cast = {p: c for i, p, c in meeting.votes if i == item}
    counted = {c: sum(v == c for v in cast.values()) for c in CHOICES}
    return {"entitled": len(entitled), "present": sum(p in meeting.present for p in entitled), "recused": len(out), **counted}


def quorum_met(meeting: Meeting, item: str) -> bool:
    """True when enough of those entitled on an item are present (达到法定人数), to four decimals as the parameter is written."""
    count = item_count(meeting, item)
    return count["entitled"] > 0 and round(count["present"] / count["entitled"], 4) >= round(meeting.quorum_share, 4)


def _convene(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    if current_group(state) is not None:
        raise refused("opinions_missing", found=current_group(state).id)  # type: ignore[union-attr]
    if missing_mandatory(state):
        raise refused("opinions_missing", found="、".join(missing_mandatory(state)), cure="退回后重新签署")
    agenda = tuple((str(a["id"]), str(a["title"])) for a in event.data["agenda"])
    members = tuple(str(m) for m in event.data["members"])
    if not agenda or len({a for a, _ in agenda}) < len(agenda) or "package" not in {a for a, _ in agenda}:
        raise refused("no_agenda", expected="含 package (送审版本的联审结论), 编号不重复")
    wrong = [m for m in members if m not in state.roster or state.roster[m].role in ("applicant", "reader")]
    if wrong or len(set(members)) < len(members) or not members:
        raise refused("members_wrong", found="、".join(wrong), expected="名册中的经办人、联席办、出具人, 每人一次")
    made = Meeting(event.id, state.round, event.time, agenda, members, float(state.settings["quorum_share"]), float(state.settings["pass_share"]))
    return replace(state, phase="MEETING", meetings=(*state.meetings, made))


def _going_on(state: ReviewState) -> Meeting:
    meeting = state.meeting
    if meeting is None:
        raise refused("wrong_phase", found="MEETING")
    return meeting


def _put(state: ReviewState, meeting: Meeting) -> ReviewState:
    return replace(state, meetings=(*state.meetings[:-1], meeting))


def _attend(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    meeting = _going_on(state)
    who = str(event.data.get("member", person.id))
    if who not in meeting.members or (who != person.id and person.role != "secretary"):
        raise refused("members_wrong", found=who)
    return state if who in meeting.present else _put(state, replace(meeting, present=(*meeting.present, who)))


def _item(meeting: Meeting, event: ReviewEvent) -> str:
    item = str(event.data["item"])
    if item not in [a for a, _ in meeting.agenda]:
        raise refused("unknown_agenda", found=item, expected="、".join(a for a, _ in meeting.agenda))
    return item


def _recuse(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    meeting = _going_on(state)
    item = _item(meeting, event)
    if any((i, p) == (item, person.id) for i, p, _ in meeting.votes):
        raise refused("voted", found=person.name)
    if any((i, p) == (item, person.id) for i, p, _ in meeting.recused):
        raise refused("is_recused", found=person.name)
    return _put(state, replace(meeting, recused=(*meeting.recused, (item, person.id, str(event.data["reason"])))))


def _vote(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    meeting = _going_on(state)
    item, choice = _item(meeting, event), str(event.data["choice"])
    if choice not in CHOICES:
        raise refused("wrong_data", found=choice, expected="、".join(CHOICES))
    if person.id not in meeting.present:
        raise refused("not_present", found=person.name)
    if any((i, p) == (item, person.id) for i, p, _ in meeting.recused):
        raise refused("is_recused", found=person.name)
    if any((i, p) == (item, person.id) for i, p, _ in meeting.votes):
        raise refused("voted", found=person.name)
    return _put(state, replace(meeting, votes=(*meeting.votes, (item, person.id, choice))))


def _close(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    """Results by presence and votes; without a quorum the meeting fails (流会) and the review waits for another."""
    meeting = _going_on(state)
    minutes = str(event.data["minutes"]).strip()
    if not minutes:
        raise refused("needs_reason", found="会议纪要")
    if not all(quorum_met(meeting, item) for item, _ in meeting.agenda):
        return replace(_put(state, replace(meeting, minutes=minutes, standing="no_quorum")), phase="IN_REVIEW")
    for item, title in meeting.agenda:
        count = item_count(meeting, item)
        if count["yes"] + count["no"] + count["abstain"] < count["present"]:
            raise refused("votes_missing", found=title)
    results = {item: _result(meeting, item) for item, _ in meeting.agenda}
    tasks = []
    for number, told in enumerate(event.data.get("follow_ups", ()), 1):
        tasks.append(Task(f"{event.id}#{number}", str(told["text"]), MEETING_DESK, str(told["owner"]), date.fromisoformat(str(told["due"]))))
    closed = replace(meeting, minutes=minutes, standing="closed", results=results)
    return replace(_put(state, closed), phase="RESOLVED", tasks=(*state.tasks, *tasks))


def _result(meeting: Meeting, item: str) -> str:
    count = item_count(meeting, item)
    return "passed" if count["yes"] > meeting.pass_share * count["present"] + 1e-9 else "refused"


MEETING_MOVES = {"convene": _convene, "attend": _attend, "recuse": _recuse, "vote": _vote, "close_meeting": _close}
"""Moves by verb."""
