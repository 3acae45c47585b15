"""What is overdue rises to the office and then to the county, by working days beyond the term."""

from __future__ import annotations

from datetime import date, timedelta

from qianmo.governance.review_escalation import escalations
from qianmo.governance.review_waiting import desk_waits


def _levels(d, day: date) -> dict[str, tuple[int, int, str]]:
    found = escalations(desk_waits(d.events, today=day))
    return {r.department: (r.days_over, r.level, r.role) for r in found.itertuples()}


def test_an_opinion_rises_the_day_after_its_term_and_again_four_working_days_over(desk):
    d = desk().opened()
    due = desk_waits(d.events, today=date(2026, 3, 3)).set_index("department").loc["农业农村", "due"]
    assert _levels(d, due) == {}
    first = next(x for x in (due + timedelta(n) for n in range(1, 9)) if _levels(d, x))
    assert first.weekday() < 5 and set(_levels(d, first).values()) == {(1, 1, "secretary")}
    later = next(x for x in (due + timedelta(n) for n in range(1, 30)) if any(v[0] == 4 for v in _levels(d, x).values()))
    assert set(_levels(d, later).values()) == {(4, 2, "issuer")} and (later - due).days >= 4


def test_what_was_signed_does_not_rise_and_a_suspended_review_stands_still(desk):
    d = desk().opened()
    late = date(2026, 5, 29)
    assert set(_levels(d, late)) == {"自然资源", "农业农村", "生态环境"}
    d.opine("nong", "2")
    assert set(_levels(d, late)) == {"自然资源", "生态环境"}
    d.do("suspend", "mi", reason="等材料")
    assert _levels(d, late) == {}
