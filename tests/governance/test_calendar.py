"""Working days follow the published arrangements, and terms are counted from the next day."""

from __future__ import annotations

from datetime import date

import pytest

from qianmo.governance.calendar import calendar_from_rows, due_date, work_calendar, working_days_between
from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows


def test_make_up_days_are_worked_and_bridge_days_are_off():
    calendar = work_calendar()
    assert calendar.is_working_day(date(2026, 2, 14)) and not calendar.is_working_day(date(2026, 2, 16))
    assert calendar.is_working_day(date(2025, 9, 28)) and not calendar.is_working_day(date(2025, 10, 8))
    assert calendar.is_working_day(date(2024, 2, 9)) and not calendar.is_working_day(date(2024, 6, 10))


@pytest.mark.parametrize(("year", "days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_the_working_days_that_the_holidays_leave(year, days):
    """Weekdays less the statutory days of the year: 11 days in 2024, 13 from 2025; a statutory day on a weekend is given back."""
    counted = working_days_between(date(year - 1, 12, 31), date(year, 12, 31))
    weekdays = sum(date.fromordinal(o).weekday() < 5 for o in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
    assert counted == days == weekdays - (11 if year == 2024 else 13)


def test_a_term_over_the_spring_festival_counts_the_make_up_day():
    assert due_date(date(2026, 2, 12), 3).day == date(2026, 2, 24)  # Fri 13, Sat 14 worked, then off until Mon 23
    assert due_date(date(2026, 2, 12), 0).day == date(2026, 2, 12)


def test_the_day_of_the_start_is_not_counted_and_a_start_on_a_day_off_is_allowed():
    assert due_date(date(2026, 3, 2), 1).day == date(2026, 3, 3) and due_date(date(2026, 3, 7), 1).day == date(2026, 3, 9)


def test_suspended_days_are_not_counted_and_an_open_suspension_stops_the_clock():
    assert due_date(date(2026, 3, 2), 5).day == date(2026, 3, 9)
    assert due_date(date(2026, 3, 2), 5, suspended=[(date(2026, 3, 4), date(2026, 3, 6))]).day == date(2026, 3, 11)
    assert due_date(date(2026, 3, 2), 5, suspended=[(date(2026, 3, 4), None)]).day is None
    assert due_date(date(2026, 3, 2), 1, suspended=[(date(2026, 3, 4), None)]).day == date(2026, 3, 3)


def test_a_year_that_was_not_announced_is_provisional():
    assert not due_date(date(2026, 3, 2), 5).is_provisional and due_date(date(2026, 12, 28), 10).is_provisional


def test_wrong_rows_and_terms_are_refused():
    row = {"year": "2027", "kind": "off", "from": "2027-01-01", "until": "2027-01-03"}
    assert calendar_from_rows([row]).years == (2027,)
    for wrong in ({"kind": "rest"}, {"until": "2026-12-31"}, {"from": "一月一日"}, {"year": "2028"}):
        with pytest.raises(RuleError):
            calendar_from_rows([{**row, **wrong}])
    with pytest.raises(RuleError, match="weekdays"):
        calendar_from_rows([{**row, "kind": "work", "from": "2027-01-05", "until": "2027-01-05"}])
    with pytest.raises(RuleError, match="off and worked"):
        calendar_from_rows([row, {**row, "kind": "work", "from": "2027-01-02", "until": "2027-01-02"}])
    for start, term, spans in ((date(2026, 1, 1), -1, []), (date(2026, 1, 1), 10**6, []), (date(2026, 1, 1), 1, [(date(2026, 1, 2), date(2026, 1, 1))])):
        with pytest.raises(SchemaError):
            due_date(start, term, suspended=spans)


def test_every_holiday_row_names_its_source():
    assert all(r["source"] and r["confidence"] == "high" and r["announced"] == "yes" for r in shipped_rows("codes", "holidays"))
