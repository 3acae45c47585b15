"""A few named people and a review that is open to three departments."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from qianmo.governance.review_process import apply
from qianmo.governance.review_records import ReviewEvent, ReviewState
from qianmo.governance.review_rights import review_settings

BEIJING = timezone(timedelta(hours=8))
START = datetime(2026, 3, 2, 9, 0, tzinfo=BEIJING)
ROSTER = [
    {"id": "shen", "name": "沈申", "department": "游乌镇", "role": "applicant"},
    {"id": "mi", "name": "米书", "department": "联席办", "role": "secretary"},
    {"id": "zi", "name": "自强", "department": "自然资源", "role": "officer"},
    {"id": "ran", "name": "冉然", "department": "自然资源", "role": "officer"},
    {"id": "zhi", "name": "资治", "department": "自然资源", "role": "officer"},
    {"id": "nong", "name": "农生", "department": "农业农村", "role": "officer"},
    {"id": "tian", "name": "田禾", "department": "农业农村", "role": "officer"},
    {"id": "sheng", "name": "盛态", "department": "生态环境", "role": "officer"},
    {"id": "shui", "name": "水利", "department": "水利", "role": "officer"},
    {"id": "xian", "name": "县长", "department": "县政府", "role": "issuer"},
    {"id": "du", "name": "杜阅", "department": "村委会", "role": "reader"},
]
PACKAGE = "a" * 64
SEATS = [{"department": "自然资源", "person": "zi"}, {"department": "农业农村", "person": "nong"}, {"department": "生态环境", "person": "sheng"}]


class Desk:
    """Plays moves one after the other and keeps the events."""

    def __init__(self, *, suggestions: dict[str, Any] | None = None, meeting_always: float = 1) -> None:
        self.state: ReviewState | None = None
        self.events: list[ReviewEvent] = []
        self.now = START
        settings = {**review_settings(), "meeting_always": meeting_always}
        self.do("submit", "shen", project="游乌镇", package=PACKAGE, roster=ROSTER, settings=settings, suggestions=suggestions or {})

    def do(self, verb: str, actor: str, *, hours: float = 1, **data: Any) -> ReviewState:
        """One move, an hour later."""
        self.now += timedelta(hours=hours)
        event = ReviewEvent(f"e{len(self.events) + 1}", verb, actor, self.now, data)
        self.state = apply(self.state, event)
        self.events.append(event)
        return self.state

    def opened(self, *, mode: str = "all", groups: list[dict[str, Any]] | None = None) -> Desk:
        """Accepted and given to the departments."""
        self.do("accept", "mi")
        self.do("distribute", "mi", groups=groups or [{"id": "departments", "mode": mode, "seats": SEATS}])
        return self

    def opine(self, actor: str, seat: str, result: str = "pass", **data: Any) -> ReviewState:
        """An opinion on the package under review; a short seat id means the first round."""
        seat = seat if "/" in seat else f"R{self.state.round}/departments/{seat}"
        if result != "pass":
            data.setdefault("reason", "理由")
        if result == "condition":
            data.setdefault("conditions", ["补充材料"])
        return self.do("opine", actor, seat=seat, package=self.state.package, result=result, **data)

    def all_in(self, results: tuple[str, str, str] = ("pass", "pass", "pass")) -> Desk:
        """Three opinions."""
        for actor, seat, result in zip(("zi", "nong", "sheng"), "123", results):
            self.opine(actor, seat, result)
        return self

    def meet(self, choice: str = "yes") -> Desk:
        """A meeting of three with one item."""
        self.do("convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi", "nong", "sheng"])
        for who in ("zi", "nong", "sheng"):
            self.do("attend", who)
            self.do("vote", who, item="package", choice=choice)
        self.do("close_meeting", "mi", minutes="会议议定同意。")
        return self


@pytest.fixture
def desk():
    """Maker of reviews."""
    return Desk
