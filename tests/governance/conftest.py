"""A few named people and a review open to three departments; a small library of invented projects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest

from qianmo.governance.library.typed import typed_table
from qianmo.governance.review_process import apply
from qianmo.governance.review_records import ReviewEvent, ReviewState
from qianmo.governance.review_rights import review_settings
from qianmo.schema.tables import table_spec

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


PROJECTS = [
    ("P-1", "公共服务与基础设施建设", "生活污水治理", "东片", 5, 1.0, "2025-03-01", 1_200_000.0),
    ("P-2", "公共服务与基础设施建设", "乡村道路拓宽", "西片", 3, 0.5, "2025-02-01", 2_400_000.0),
    ("P-3", "农用地整理", "高标准农田", "东片", 3, 0.5, "2025-04-01", 3_000_000.01),
    ("P-4", "乡村风貌提升和历史文化保护", "老街修缮", "西片", 1, 1.0, "2025-05-01", 600_000.0),
]


def typed(name, rows, columns):
    frame, faults = typed_table(name, pd.DataFrame(rows, columns=columns))
    assert faults.empty, faults
    return frame


@pytest.fixture
def tables():
    rows = [(*p, "APPROVED_RESERVE", "东村" if p[3] == "东片" else "西村", "镇政府", 2) for p in PROJECTS]
    heads = ["project_id", "project_class", "name", "region", "urgency", "fund_readiness", "proposed", "investment_yuan", "state", "villages", "responsible_body", "works_years"]
    funds = [("PROV", "省级补助", "province", "农用地整理;公共服务与基础设施建设", 1), ("TOWN", "镇级自筹", "town", "", 0)]
    years = [(f, y, a, 0, 0) for f, a in (("PROV", 2_000_000), ("TOWN", 700_000)) for y in (2026, 2027, 2028)]
    return {
        "library_project": typed("library_project", rows, heads),
        "library_payment": typed("library_payment", [("P-4", 1, "TOWN", 400_000), ("P-4", 2, "TOWN", 200_000)], ["project_id", "stage_year", "fund_ids", "amount_yuan"]),
        "library_fund": typed("library_fund", funds, ["fund_id", "name", "kind", "classes", "carry_years"]),
        "library_fund_year": typed("library_fund_year", years, ["fund_id", "year", "amount_yuan", "committed_yuan", "paid_yuan"]),
        "library_order": typed("library_order", [("P-1", "P-2", "先埋管后铺路")], ["before_id", "after_id", "reason"]),
        "library_floor": typed("library_floor", [("西片", 2026, 2028, 500_000)], list(table_spec("library_floor").column_names)),
    }
