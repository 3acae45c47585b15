"""The office of a review answers its own points before anything is decided; older logs end as they did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qianmo.governance.review_meeting import agenda_from_opinions
from qianmo.governance.review_process import event_from_record, replay
from qianmo.governance.review_progress import due_outcome, open_points, waiting_desks
from qianmo.schema.errors import ReviewRefusedError

OLD_LOG = Path(__file__).with_name("review_log_march_2026.jsonl")
"""A review of a whole round, a return and a meeting, as it was written before the office had a seat."""

POINTS = {
    "EE02": {"department": "生态环境", "mandatory": True, "suggested": "manual", "zh": "环评类别与文件"},
    "ALL1": {"department": "联席办", "mandatory": True, "suggested": "confirm", "zh": "村民同意与公示材料"},
    "ALL2": {"department": "联席办", "mandatory": True, "suggested": "manual", "zh": "投资估算、实施计划、风险"},
}
MET = [{"item": "ALL1", "answer": "pass", "text_confirmed": True}, {"item": "ALL2", "answer": "pass"}]


@pytest.fixture
def three_signed(desk):
    """All departments have signed; the office has not."""
    d = desk(suggestions=POINTS).opened()
    d.opine("zi", "1")
    d.opine("nong", "2")
    d.opine("sheng", "3", answers=[{"item": "EE02", "answer": "pass"}])
    return d


def test_the_secretary_who_distributes_gets_the_seat_of_the_office_beside_the_departments(desk):
    d = desk(suggestions=POINTS).opened()
    assert [(s.department, s.person) for s in d.state.groups[0].seats][-1] == ("联席办", "mi")
    assert ("opinion", "联席办", "R1/departments/4") in waiting_desks(d.state)


def test_nothing_is_decided_and_no_meeting_called_before_the_office_has_answered(three_signed):
    d = three_signed
    assert due_outcome(d.state) == "" and open_points(d.state) == {"联席办": ("ALL1", "ALL2")}
    for verb, who, data in (("decide", "xian", {"outcome": "pass"}), ("convene", "mi", {"agenda": [{"id": "package", "title": "结论"}], "members": ["zi"]})):
        with pytest.raises(ReviewRefusedError, match="必审部门意见未齐"):
            d.do(verb, who, **data)
    with pytest.raises(ReviewRefusedError) as caught:
        d.opine("mi", "4", answers=MET[:1])
    assert caught.value.code == "checklist_gap" and "ALL2" in caught.value.zh
    d.opine("mi", "4", answers=MET)
    assert due_outcome(d.state) == "pass" and open_points(d.state) == {} and [a["id"] for a in agenda_from_opinions(d.state)] == ["package"]
    d.meet()
    assert d.do("decide", "xian", outcome="pass").phase == "DONE"


def test_a_condition_of_the_office_becomes_a_task_and_an_item_of_the_agenda(three_signed):
    answers = [MET[0], {"item": "ALL2", "answer": "condition", "reason": "缺风险分析"}]
    state = three_signed.opine("mi", "4", "condition", answers=answers, conditions=["补风险分析"])
    assert [(t.text, t.raised_by) for t in state.tasks] == [("补风险分析", "联席办")]
    assert agenda_from_opinions(state)[0]["title"] == "联席办附条件:补风险分析" and due_outcome(state) == "condition"


def test_only_a_secretary_or_an_officer_of_the_office_fills_its_seat(desk):
    seats = [{"department": d, "person": p} for d, p in (("自然资源", "zi"), ("农业农村", "nong"), ("生态环境", "sheng"), ("联席办", "shui"))]
    d = desk(suggestions=POINTS)
    d.do("accept", "mi")
    with pytest.raises(ReviewRefusedError) as caught:
        d.do("distribute", "mi", groups=[{"id": "departments", "seats": seats}])
    assert caught.value.code == "seats_wrong"
    d.do("enrol", "mi", id="ban", name="班科", department="发展改革", role="secretary")
    d.do("distribute", "mi", groups=[{"id": "departments", "seats": [*seats[:3], {"department": "联席办", "person": "ban"}]}])
    assert d.do("transfer", "mi", seat="R1/departments/4", to="mi", reason="调岗").groups[0].seats[3].person == "mi"
    with pytest.raises(ReviewRefusedError, match="对方不是同一部门"):
        d.do("delegate", "mi", seat="R1/departments/4", to="zi", until="2026-12-01", reason="出差")


@pytest.mark.parametrize("mode", ["sequence", "vote"])
def test_where_no_group_countersigns_the_office_comes_last_in_a_group_of_its_own(desk, mode):
    d = desk(suggestions=POINTS).opened(mode=mode)
    assert [(g.id, g.mode, len(g.seats)) for g in d.state.groups] == [("departments", mode, 3), ("office", "all", 1)]


def test_a_new_round_keeps_the_seat_of_the_office_and_asks_it_again(three_signed):
    d = three_signed
    d.opine("mi", "4", answers=MET)
    d.do("return", "mi", reason="缺图")
    d.do("resubmit", "shen", package="c" * 64, reason="已补", suggestions=POINTS)
    assert d.state.groups[0].seats[3].department == "联席办" and open_points(d.state)["联席办"] == ("ALL1", "ALL2")


def test_a_log_written_before_the_office_had_a_seat_replays_unchanged():
    state = replay(event_from_record(json.loads(line)) for line in OLD_LOG.read_text(encoding="utf-8").splitlines())
    assert (state.phase, state.outcome, state.round, state.decided_by) == ("DONE", "condition", 2, "xian")
    assert [(s.department, s.person) for s in state.groups[0].seats] == [("自然资源", "zi"), ("农业农村", "nong"), ("生态环境", "sheng")]
    assert [(o.person, o.on_behalf_of, o.standing) for o in state.opinions] == [("zi", "", "superseded"), ("ran", "zi", "valid"), ("nong", "", "valid"), ("sheng", "", "valid")]
    assert state.settings["office_points"] == 0 and open_points(state) == {"联席办": ("ALL1", "ALL2")}
