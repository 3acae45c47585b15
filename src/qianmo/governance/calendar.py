"""Working days with statutory holidays and make-up days, and deadlines counted in them (工作日历与时限)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["Due", "WorkCalendar", "calendar_from_rows", "due_date", "work_calendar", "working_days_between"]

_LONGEST = 2000
"""Working days a deadline may have at most; more is a slip of the pen."""


@dataclass(frozen=True)
class WorkCalendar:
    """Days off and make-up working days of the years that were announced (工作日历).

    Parameters
    ----------
    off, work : frozenset of date
        Statutory days off; weekend days that are worked.
    years : tuple of int
        Years for which the arrangement was announced; in other years weekends alone are off and an answer is provisional.
    """

    off: frozenset[date]
    work: frozenset[date]
    years: tuple[int, ...]

    def is_working_day(self, day: date) -> bool:
        """True on a working day (工作日): a make-up day, or a weekday that is no holiday."""
        return day in self.work or (day.weekday() < 5 and day not in self.off)

    def is_announced(self, first: date, last: date) -> bool:
        """True when every year from `first` to `last` is in the table (已公布)."""
        return all(year in self.years for year in range(first.year, last.year + 1))


@dataclass(frozen=True)
class Due:
    """A deadline (时限).

    `day` is None while the clock stands still; `is_provisional` where a year without announced holidays was crossed.
    """

    day: date | None
    is_provisional: bool


@cache
def work_calendar() -> WorkCalendar:
    """The shipped calendar of ``schema/codes/holidays.csv`` (随包工作日历)."""
    return calendar_from_rows(shipped_rows("codes", "holidays"))


def calendar_from_rows(rows: Iterable[dict[str, str]]) -> WorkCalendar:
    """A calendar from rows ``year, kind, from, until`` (由表行得到日历); an office adds the rows of a new year here.

    Raises
    ------
    RuleError
        A row has a kind other than off and work, dates out of order or outside its year, a day is both, or a make-up day
        is no weekend day.
    """
    days: dict[str, set[date]] = {"off": set(), "work": set()}
    years = set()
    for row in rows:
        try:
            year, first, last = int(row["year"]), date.fromisoformat(row["from"]), date.fromisoformat(row["until"])
        except (KeyError, ValueError) as fault:
            raise RuleError(f"holiday row {row}: {fault}", expected="year, kind, from, until with dates as YYYY-MM-DD") from None
        if row.get("kind") not in days or not first <= last or {first.year, last.year} != {year}:
            raise RuleError(f"holiday row {row}", expected="kind off or work, from <= until, both in the year")
        days[row["kind"]] |= {first + timedelta(n) for n in range((last - first).days + 1)}
        years.add(year)
    both = sorted(days["off"] & days["work"])
    strange = sorted(d for d in days["work"] if d.weekday() < 5)
    if both or strange:
        raise RuleError(f"days {', '.join(map(str, both or strange))} are {'off and worked' if both else 'weekdays'}", expected="make-up days on weekends that are not off")
    return WorkCalendar(frozenset(days["off"]), frozenset(days["work"]), tuple(sorted(years)))


def due_date(
    start: date, working_days: int, *, calendar: WorkCalendar | None = None, suspended: Sequence[tuple[date, date | None]] = ()
) -> Due:
    """Last day of a term of working days (到期日).

    Counting starts on the day after `start` (次日起算); days off are not counted, and neither are the days of a suspension, from
    its first day until the day before it is lifted. A suspension that began before the term ran out and was not lifted stops the clock.

    Parameters
    ----------
    start : date
        Day on which the term was opened.
    working_days : int
        Length of the term, 0 to 2000. [working day]
    calendar : WorkCalendar, optional
        The shipped one by default.
    suspended : sequence of (first day, day of resumption or None)
        In any order; they may overlap.

    Returns
    -------
    Due
        Never earlier than without the suspensions, and never earlier for a longer term.

    Raises
    ------
    SchemaError
        The term is negative or absurd, or a suspension ends before it begins.
    """
    calendar = calendar or work_calendar()
    if not 0 <= working_days <= _LONGEST:
        raise SchemaError(f"a term of {working_days} working days", expected=f"0 to {_LONGEST}")
    wrong = [s for s in suspended if s[1] is not None and s[1] < s[0]]
    if wrong:
        raise SchemaError(f"suspensions end before they begin: {wrong}")
    day, left = start, working_days
    while left:
        day += timedelta(1)
        if any(first <= day and until is None for first, until in suspended):
            return Due(None, not calendar.is_announced(start, day))
        if calendar.is_working_day(day) and not any(first <= day < until for first, until in suspended if until is not None):
            left -= 1
    return Due(day, not calendar.is_announced(start, day))


def working_days_between(
    start: date, end: date, *, calendar: WorkCalendar | None = None, suspended: Sequence[tuple[date, date | None]] = ()
) -> int:
    """Working days after `start` up to and with `end`, without those suspended (经过的工作日); 0 where `end` is not after `start`.

    It is the inverse of `due_date`: the days between the start and the due date are the term.
    """
    calendar = calendar or work_calendar()
    if end <= start:
        return 0
    first, last = np.datetime64(start, "D") + 1, np.datetime64(end, "D") + 1
    off = [np.datetime64(d) for d in calendar.off]
    count = int(np.busday_count(first, last, holidays=off)) + sum(start < d <= end for d in calendar.work)
    for day in _suspended_days(suspended, start, end):
        count -= calendar.is_working_day(day)
    return count


def _suspended_days(suspended: Sequence[tuple[date, date | None]], start: date, end: date) -> set[date]:
    found: set[date] = set()
    for first, until in suspended:
        low = max(first, start + timedelta(1))
        high = end if until is None else min(until - timedelta(1), end)
        found |= {low + timedelta(n) for n in range((high - low).days + 1)}
    return found
