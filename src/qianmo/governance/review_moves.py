"""Moves of seats: hand over, delegate, add and drop signers, urge (席位办理: 转办 委托 加签 减签 催办)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from qianmo.governance.review_progress import current_group
from qianmo.governance.review_records import MODES, Group, Person, ReviewEvent, ReviewState, Seat
from qianmo.governance.review_rights import local_day, local_time, may_hold, moment, refused

__all__ = ["SEAT_MOVES", "opened_groups"]


def opened_groups(state: ReviewState, told: Iterable[Mapping[str, Any]], round_number: int) -> tuple[Group, ...]:
    """Groups of a round from what the secretary says (分发环节): id, mode, seats of department and person, share for a vote.

    Raises
    ------
    ReviewRefusedError
        No groups or seats, an unknown mode, a person who is no officer of the department, or one person or department twice in a group.
    """
    groups: list[Group] = []
    for part in told:
        name, mode = str(part["id"]), str(part.get("mode", "all"))
        seats = [(str(s["department"]), str(s["person"])) for s in part["seats"]]
        if not seats or mode not in MODES or name in [g.id for g in groups] or name == "applicant":
            raise refused("groups_empty" if not seats else "wrong_data", found=f"{name} {mode}", expected="、".join(MODES))
        wrong = [f"{d} {p}" for d, p in seats if p not in state.roster or not may_hold(state.roster[p], d)]
        if wrong or len({p for _, p in seats}) < len(seats) or (mode != "vote" and len({d for d, _ in seats}) < len(seats)):
            raise refused("seats_wrong", found="、".join(wrong) or name, expected="每席一名本部门经办人, 联席办席位由联席办经办人")
        made: list[Seat] = []
        for number, (department, person) in enumerate(seats, 1):
            before = (made[-1].id,) if mode == "sequence" and made else ()
            made.append(Seat(f"R{round_number}/{name}/{number}", department, person, before))
        share = float(part.get("share", state.settings.get("vote_share", 0.5)))
        if not 0 <= share < 1:
            raise refused("wrong_data", found=f"share {share}", expected="0 至 1")
        groups.append(Group(name, mode, tuple(made), share))
    if not groups:
        raise refused("groups_empty")
    return tuple(groups)


def _open_seat(state: ReviewState, event: ReviewEvent) -> tuple[Group, Seat]:
    """The seat of the event, when it has not signed and its group is open."""
    found = state.seat(str(event.data["seat"]))
    if found is None:
        raise refused("unknown_seat", found=str(event.data["seat"]))
    group, seat = found
    if state.valid(seat.id) is not None:
        raise refused("seat_signed", found=seat.department)
    live = current_group(state)
    order = [g.id for g in state.groups]
    if live is None or order.index(group.id) < order.index(live.id):
        raise refused("group_closed", found=group.id)
    return group, seat


def _put(state: ReviewState, group: Group, seats: Iterable[Seat]) -> ReviewState:
    return replace(state, groups=tuple(replace(g, seats=tuple(seats)) if g.id == group.id else g for g in state.groups))


def _swap(state: ReviewState, group: Group, seat: Seat) -> ReviewState:
    return _put(state, group, [seat if s.id == seat.id else s for s in group.seats])


def _receiver(state: ReviewState, group: Group, seat: Seat, to: str) -> Person:
    """The person who gets the seat: of its department, and without another seat in the group."""
    person = state.roster.get(to)
    if person is None:
        raise refused("unknown_person", found=to)
    if to == seat.person:
        raise refused("same_person", found=person.name)
    if not may_hold(person, seat.department):
        raise refused("other_department", found=f"{person.name} ({person.department})", expected=seat.department)
    if any(to in (s.person, s.delegate) for s in group.seats if s.id != seat.id) or any(o.person == to and o.seat.startswith(f"R{state.round}/{group.id}/") and o.standing == "valid" for o in state.opinions):
        raise refused("seat_taken", found=person.name)
    return person


def _transfer(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    to = _receiver(state, group, seat, str(event.data["to"]))
    if to.id in seat.past:
        raise refused("was_holder", found=to.name)
    return _swap(state, group, replace(seat, person=to.id, past=(*seat.past, seat.person), delegate="", delegate_until=None))


def _delegate(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    to = _receiver(state, group, seat, str(event.data["to"]))
    until = date.fromisoformat(str(event.data["until"]))
    if until < local_day(moment(state, event)):
        raise refused("past_date", found=str(until))
    return _swap(state, group, replace(seat, delegate=to.id, delegate_until=until))


def _undelegate(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    if not seat.delegate:
        raise refused("no_delegation", found=seat.department)
    return _swap(state, group, replace(seat, delegate="", delegate_until=None))


def _add_sign(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    if group.mode == "vote":
        raise refused("vote_is_fixed")
    new = state.roster.get(str(event.data["person"]))
    if new is None or new.role != "officer":
        raise refused("unknown_person", found=str(event.data["person"]), expected="officer")
    if any(new.id in (s.person, s.delegate) for s in group.seats):
        raise refused("seat_taken", found=new.name)
    where = event.data["where"]
    if where not in ("before", "after"):
        raise refused("wrong_data", found=f"where {where}", expected="before (前加签), after (后加签)")
    number = 1 + max(int(s.id.rsplit("/", 1)[1]) for s in group.seats)
    name = f"R{state.round}/{group.id}/{number}"
    if where == "before":
        added = Seat(name, new.department, new.id, seat.waits_for, person.id)
        seats = [x for s in group.seats for x in ((added, replace(s, waits_for=(name,))) if s.id == seat.id else (s,))]
    else:
        added = Seat(name, new.department, new.id, (seat.id,), person.id)
        seats = [x for s in group.seats for x in ((s, added) if s.id == seat.id else (_waiting_instead(s, seat.id, name),))]
    return _put(state, group, seats)


def _waiting_instead(seat: Seat, old: str, new: str) -> Seat:
    return replace(seat, waits_for=tuple(new if w == old else w for w in seat.waits_for))


def _drop_sign(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    if not seat.added_by:
        raise refused("not_added", found=seat.department)
    if any(o.seat == seat.id for o in state.opinions):
        raise refused("seat_signed", found=seat.department)
    rest = []
    for s in group.seats:
        if s.id != seat.id:
            waits = tuple(dict.fromkeys(x for w in s.waits_for for x in (seat.waits_for if w == seat.id else (w,))))
            rest.append(replace(s, waits_for=waits))
    return _put(state, group, rest)


def _urge(state: ReviewState, event: ReviewEvent, person: Person) -> ReviewState:
    group, seat = _open_seat(state, event)
    now = moment(state, event)
    if seat.urged and now - seat.urged[-1] < timedelta(hours=float(state.settings["urge_h"])):
        raise refused("urged_lately", found=f"{local_time(seat.urged[-1]):%Y-%m-%d %H:%M}")
    return _swap(state, group, replace(seat, urged=(*seat.urged, now)))


SEAT_MOVES = {"transfer": _transfer, "delegate": _delegate, "undelegate": _undelegate, "add_sign": _add_sign, "drop_sign": _drop_sign, "urge": _urge}
"""Moves by verb."""
