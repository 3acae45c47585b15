"""Where the days went: waits by desk, returns, desks that change nothing (办理用时统计)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from qianmo.governance.calendar import WorkCalendar, due_date, working_days_between
from qianmo.governance.review_opinions import is_overruled
from qianmo.governance.review_process import apply
from qianmo.governance.review_progress import waiting_desks
from qianmo.governance.review_records import ReviewEvent, ReviewState
from qianmo.governance.review_rights import local_day
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

__all__ = ["desk_changes", "desk_waits", "parallel_days", "waiting_by_desk"]


@dataclass
class _Wait:
    round: int
    step: str
    department: str
    seat: str
    opened: datetime
    closed: datetime | None = None
    ended_by: str = ""


def desk_waits(
    events: Iterable[ReviewEvent], *, today: date, calendar: WorkCalendar | None = None, allowed: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Every wait of one review for one desk, with its term (办理用时表).

    Parameters
    ----------
    events : iterable of ReviewEvent
        All events of the review, in order.
    today : date
        Where a wait lasts, its days are counted up to this day.
    calendar : WorkCalendar, optional
    allowed : mapping, optional
        Working days by step; ``codes/review_steps.csv`` by default.

    Returns
    -------
    DataFrame, table ``desk_wait``
        In the order in which the waits began. The days of a review that moved step by step add up to its whole length.
    """
    terms = {r["step"]: int(r["working_days"]) for r in shipped_rows("codes", "review_steps")} | dict(allowed or {})
    waits, state = _fold(events)
    names = list(table_spec("desk_wait").column_names)
    if state is None:
        return pd.DataFrame(columns=names)
    pauses = [(local_day(a), None if b is None else local_day(b)) for a, b in state.suspensions]
    rows = []
    for w in waits:
        first, last = local_day(w.opened), None if w.closed is None else local_day(w.closed)
        end = last or max(today, first)
        due = due_date(first, terms[w.step], calendar=calendar, suspended=pauses)
        days = working_days_between(first, end, calendar=calendar, suspended=pauses)
        rows.append((state.project, w.round, w.step, w.department, w.seat, first, last, days, terms[w.step], due.day, days > terms[w.step], due.is_provisional, w.ended_by))
    return pd.DataFrame(rows, columns=names)


def waiting_by_desk(waits: pd.DataFrame) -> pd.DataFrame:
    """Median and longest wait, share on time and days lost for each step and desk (部门用时统计), the most days first.

    Returns
    -------
    DataFrame
        step, department, waits, median_days, longest_days, total_days, on_time (0 to 1, of those that ended), days_lost (beyond the term).
    """
    if waits.empty:
        return pd.DataFrame(columns=["step", "department", "waits", "median_days", "longest_days", "total_days", "on_time", "days_lost"])
    over = (waits["days"] - waits["allowed_days"]).clip(lower=0)
    ended = waits["closed"].notna()
    grouped = waits.assign(over=over, good=(~waits["is_late"].astype(bool)).where(ended)).groupby(["step", "department"], sort=False)
    made = grouped.agg(
        waits=("days", "size"), median_days=("days", "median"), longest_days=("days", "max"), total_days=("days", "sum"), on_time=("good", "mean"), days_lost=("over", "sum")
    )
    return made.reset_index().sort_values(["total_days", "step", "department"], ascending=[False, True, True], kind="stable", ignore_index=True)


def desk_changes(states: Sequence[ReviewState]) -> pd.DataFrame:
    """What each desk added over many reviews (部门作用统计).

    A desk that signed, and never rejected, set a condition, overruled a verdict or returned the package, changed nothing: it is marked as a
    candidate for merging or for a notice in place of an approval (可合并). One review says little; `opinions` tells how many there were.

    Returns
    -------
    DataFrame
        department, opinions, rejects, conditions, overrules, returns, adds_nothing.
    """
    counts: dict[str, dict[str, Any]] = {}
    for state in states:
        for o in state.opinions:
            row = counts.setdefault(o.department, _blank(o.department))
            row["opinions"] += 1
            row["rejects"] += o.result == "reject"
            row["conditions"] += o.result == "condition"
            row["overrules"] += sum(is_overruled(str(state.suggestions.get(a["item"], {}).get("suggested", "")), a["answer"]) for a in o.answers)
        for _, department, _ in state.returns:
            counts.setdefault(department, _blank(department))["returns"] += 1
    made = pd.DataFrame(list(counts.values()), columns=list(_blank("")))
    made["adds_nothing"] = (made["opinions"] > 0) & (made[["rejects", "conditions", "overrules", "returns"]].sum(axis=1) == 0)
    return made.sort_values("department", ignore_index=True)


def parallel_days(waits: pd.DataFrame, *, step: str = "opinion") -> dict[str, int]:
    """Days of the desks of a step one after another, and if all had begun together (并行后的用时).

    Returns
    -------
    dict
        sequential: the sum of the days of each round; parallel: the longest wait of each round, summed over the rounds.
    """
    part = waits[waits["step"] == step].groupby("round")["days"]
    return {"sequential": int(part.sum().sum()), "parallel": int(part.max().sum())}


def _blank(department: str) -> dict[str, Any]:
    return {"department": department, "opinions": 0, "rejects": 0, "conditions": 0, "overrules": 0, "returns": 0}


def _fold(events: Iterable[ReviewEvent]) -> tuple[list[_Wait], ReviewState | None]:
    state: ReviewState | None = None
    waits: list[_Wait] = []
    going: dict[tuple[int, str, str, str], _Wait] = {}
    for event in events:
        state = apply(state, event)
        now = {(state.round, *desk) for desk in waiting_desks(state)}
        at = event.time if state.latest is None else state.latest
        for key in [k for k in going if k not in now]:
            wait = going.pop(key)
            wait.closed, wait.ended_by = at, event.verb
        for key in sorted(now - going.keys()):
            going[key] = _Wait(*key, at)
            waits.append(going[key])
    return waits, state
