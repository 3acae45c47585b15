"""Records of a joint review: persons, seats, opinions, tasks, meeting, state (联席审查记录)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

__all__ = [
    "APPLICANT_DESK", "FINAL", "MANDATORY", "MEETING_DESK", "MODES", "OFFICE_DESK", "PHASES", "RESULTS", "Group", "Meeting", "Opinion", "Person", "ReviewEvent", "ReviewState", "Seat", "Task",
]  # fmt: skip

PHASES = ("SUBMITTED", "ACCEPTED", "IN_REVIEW", "MEETING", "RESOLVED", "RETURNED", "DONE", "WITHDRAWN", "VOIDED")
"""已送审, 已受理, 审查中, 会议中, 已议定, 修改中, 已办结, 已撤回, 已作废."""

FINAL = ("WITHDRAWN", "VOIDED")
MODES = ("all", "any", "sequence", "vote")
RESULTS = ("pass", "condition", "reject", "abstain")
"""同意, 附条件同意, 不同意, 弃权 (only in a vote)."""

MANDATORY = ("自然资源", "农业农村", "生态环境")
"""Departments without whose opinion nothing is decided, rule V-08 (必审部门)."""

APPLICANT_DESK, MEETING_DESK = "申报方", "联席会议"
"""Owner of the conditions of an opinion; raiser of the follow-ups of a meeting."""

OFFICE_DESK = "联席办"
"""The office of the review: its own points are answered by its secretary, whatever department the account has (联席办席位)."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ReviewEvent:
    """One move, as it is kept (办理动作).

    Parameters
    ----------
    id : str
        Unique in the review; the same event delivered twice counts once.
    verb : str
        A verb of ``codes/review_verbs.csv``.
    actor : str
        Id of the person who acts.
    time : datetime
        With time zone.
    data : mapping
        What the verb needs; JSON types only.
    """

    id: str
    verb: str
    actor: str
    time: datetime
    data: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True)
class Person:
    """One person of the roster (名册人员); `role` is applicant, secretary, officer, issuer or reader."""

    id: str
    name: str
    department: str
    role: str


@dataclass(frozen=True)
class Seat:
    """The place of one department in a group (席位). It may sign when all of `waits_for` have."""

    id: str
    department: str
    person: str
    waits_for: tuple[str, ...] = ()
    added_by: str = ""
    delegate: str = ""
    delegate_until: date | None = None
    past: tuple[str, ...] = ()
    urged: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Group:
    """Seats that sign together in one way (签署环节): 会签, 或签, 依次, 票签; groups follow each other."""

    id: str
    mode: str
    seats: tuple[Seat, ...]
    share: float = 0.5


@dataclass(frozen=True)
class Opinion:
    """One signed opinion (意见); it is never removed. `standing` is valid, taken_back or superseded.

    `seal` is the hash of all it says; `signature` what a key made of the seal, '' where nobody signed by key. It is kept, not checked, here.
    """

    id: str
    round: int
    package: str
    group: str
    seat: str
    department: str
    person: str
    on_behalf_of: str
    result: str
    reason: str
    answers: tuple[Mapping[str, Any], ...]
    conditions: tuple[str, ...]
    time: datetime
    seal: str
    standing: str = "valid"
    signature: str = ""


@dataclass(frozen=True)
class Task:
    """A condition of an opinion or a follow-up of a meeting (条件与督办): `standing` is open, reported, closed, or dropped with its opinion."""

    id: str
    text: str
    raised_by: str
    owner: str
    due: date | None
    standing: str = "open"


@dataclass(frozen=True)
class Meeting:
    """A joint meeting (联席会议).

    `agenda` holds (id, title); `recused` (item, person, reason); `votes` (item, person, choice); `results` item → passed, refused.
    """

    id: str
    round: int
    opened: datetime
    agenda: tuple[tuple[str, str], ...]
    members: tuple[str, ...]
    quorum_share: float
    pass_share: float
    present: tuple[str, ...] = ()
    recused: tuple[tuple[str, str, str], ...] = ()
    votes: tuple[tuple[str, str, str], ...] = ()
    minutes: str = ""
    standing: str = "open"
    results: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True)
class ReviewState:
    """All that is known of a review after its events so far (审查状态)."""

    phase: str
    project: str
    package: str
    round: int
    roster: Mapping[str, Person]
    settings: Mapping[str, Any]
    suggestions: Mapping[str, Mapping[str, Any]]
    groups: tuple[Group, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    tasks: tuple[Task, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    copied: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    suspensions: tuple[tuple[datetime, datetime | None], ...] = ()
    returns: tuple[tuple[int, str, str], ...] = ()
    outcome: str = ""
    decided_by: str = ""
    latest: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    @property
    def is_suspended(self) -> bool:
        """True while the clock stands still (挂起)."""
        return bool(self.suspensions) and self.suspensions[-1][1] is None

    @property
    def meeting(self) -> Meeting | None:
        """The meeting that is going on."""
        return self.meetings[-1] if self.meetings and self.meetings[-1].standing == "open" else None

    def seat(self, seat_id: str) -> tuple[Group, Seat] | None:
        """A seat with its group, None where there is none."""
        return next(((g, s) for g in self.groups for s in g.seats if s.id == seat_id), None)

    def valid(self, seat_id: str) -> Opinion | None:
        """The opinion that stands for a seat."""
        return next((o for o in reversed(self.opinions) if o.seat == seat_id and o.standing == "valid"), None)
