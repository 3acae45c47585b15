"""Joint review: checklists of 4 departments by 60 rules over 500 parcels, and random offices that try a million moves.

The figure of the first task is the number of links between points and parcels; that of the second the number of moves that were
allowed, which is the same in every run. Notes: share of refusals, milliseconds a move at the 95th percentile, verbs that were used.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from measure import Outcome, Way

from qianmo.governance.review_checklist import checklist
from qianmo.governance.review_process import apply, replay
from qianmo.governance.review_progress import due_outcome, waiting_desks
from qianmo.governance.review_records import FINAL, ReviewEvent, ReviewState
from qianmo.governance.review_rights import review_settings, review_verbs
from qianmo.schema.errors import ReviewRefusedError
from qianmo.schema.rules import rules

__all__ = ["ways"]

_PARCELS, _RULES, _MOVES = 500, 60, 1_000_000
_SMALL = 2000
DEPARTMENTS = ("自然资源", "农业农村", "生态环境", "水利")
START = datetime(2026, 3, 2, tzinfo=UTC)


def ways(size: int, cache: Path) -> list[Way]:
    """The checklists at their size; a million moves, or two thousand when small."""
    moves = _SMALL if size <= _SMALL else _MOVES
    return [Way("review", "checklists 4 x 60 rules", _PARCELS, _checklists), Way("moves", "random offices", moves, lambda: _random_offices(moves))]


def _checklists() -> float:
    ids = list(rules())[:_RULES]
    verdicts = pd.DataFrame(
        [(r, rules()[r].zh, ("pass", "fail", "needs_confirmation")[n % 3], "1 = 1", rules()[r].severity, rules()[r].source, rules()[r].confidence, "") for n, r in enumerate(ids)],
        columns=["rule_id", "text_zh", "verdict", "numbers", "severity", "source", "confidence", "missing"],
    )
    points = [{"item_id": f"{d}{n}", "department": d, "mandatory": "1", "item_zh": "要点", "item_en": "point", "evidence": "", "auto_check": "yes", "rule_links": ";".join(ids[n * 4 : n * 4 + 4])}
              for d in DEPARTMENTS for n in range(_RULES // 4)]  # fmt: skip
    findings = pd.DataFrame({"rule_id": np.repeat(ids, _PARCELS), "patch_id": np.tile([f"P{n:05d}" for n in range(_PARCELS)], _RULES)})
    _, links = checklist(verdicts, findings=findings, points=points)
    return float(links["parcels"].sum())


def _random_offices(moves: int) -> Outcome:
    """Reviews one after another; each promise of the engine is checked after every move that was allowed."""
    rng = np.random.default_rng(20260101)
    verbs = [v for v in review_verbs() if v != "submit"]
    roster = [{"id": f"{d}{n}", "name": d, "department": d, "role": "officer"} for d in DEPARTMENTS for n in range(3)]
    roster += [{"id": r, "name": r, "department": r, "role": r} for r in ("applicant", "secretary", "issuer", "reader")]
    allowed, spent, used = 0, [], Counter[str]()
    state: ReviewState | None = None
    events: list[ReviewEvent] = []
    for number in range(moves):
        if state is None or state.phase in (*FINAL, "DONE") or len(events) > 120:
            if state is not None and replay(events) != state:
                raise AssertionError("replay differs from live")
            state, events = _begun(roster, ("all", "sequence", "vote")[int(rng.integers(3))])
        event = _try(state, verbs, roster, rng, number)
        begun = time.perf_counter()
        try:
            after = apply(state, event)
        except ReviewRefusedError:
            spent.append(time.perf_counter() - begun)
            continue
        spent.append(time.perf_counter() - begun)
        _promises(state, after)
        state, allowed = after, allowed + 1
        events.append(event)
        used[event.verb] += 1
    slow = float(np.quantile(spent, 0.95) * 1e3)
    return Outcome(float(allowed), {"refused": 1 - allowed / moves, "p95_ms": slow, "verbs": float(len(used))})


def _begun(roster: list[dict[str, str]], mode: str) -> tuple[ReviewState, list[ReviewEvent]]:
    seats = [{"department": d, "person": f"{d}0"} for d in DEPARTMENTS]
    told = [("submit", "applicant", {"project": "p", "package": "0" * 64, "roster": roster, "settings": review_settings()}), ("accept", "secretary", {}),
            ("distribute", "secretary", {"groups": [{"id": "g", "mode": mode, "seats": seats}]})]  # fmt: skip
    state, events = None, []
    for n, (verb, who, data) in enumerate(told):
        events.append(ReviewEvent(f"b{n}", verb, who, START, data))
        state = apply(state, events[-1])
    assert state is not None
    return state, events


def _try(state: ReviewState, verbs: list[str], roster: list[dict[str, str]], rng: np.random.Generator, number: int) -> ReviewEvent:
    """Half of the moves are what the review waits for, a quarter pass seats around, the rest is anybody trying anything."""
    seats = [s for g in state.groups for s in g.seats]
    seat = seats[int(rng.integers(len(seats)))]
    verb, actor, to = verbs[int(rng.integers(len(verbs)))], roster[int(rng.integers(len(roster)))]["id"], roster[int(rng.integers(len(roster)))]["id"]
    luck = rng.random()
    if luck < 0.5:
        step, _, wanted = waiting_desks(state)[0]
        seat = next((s for s in seats if s.id == wanted), seat)
        meeting = (("attend", seats[0].person), ("vote", seats[0].person), ("close_meeting", "secretary"))[int(rng.integers(3))]
        verb, actor = {"opinion": ("opine", seat.delegate or seat.person), "issue": ("decide", "issuer"), "revise": ("resubmit", "applicant"), "return": ("return", "secretary"),
                       "meeting": meeting if state.phase == "MEETING" else ("convene", "secretary")}[step]  # fmt: skip
        if state.is_suspended:
            verb, actor = "resume", "secretary"
    elif luck < 0.75:
        verb = ("delegate", "transfer", "add_sign", "undelegate", "drop_sign", "take_back", "urge", "resume", "suspend", "return")[int(rng.integers(10))]
        actor = seat.person if rng.random() < 0.7 else "secretary"
        to = f"{seat.department}{int(rng.integers(3))}" if rng.random() < 0.7 else to
    elif verb in ("withdraw", "void") and rng.random() < 0.9:
        verb = "copy"
    result = ("pass", "pass", "pass", "condition", "reject")[int(rng.integers(5))]
    conditions = ["c"] if verb == "opine" and result == "condition" else []
    data = {
        "seat": seat.id, "to": to if rng.random() < 0.9 else "applicant", "person": to, "reason": "x", "result": result, "conditions": conditions,
        "package": state.package if verb == "opine" else f"{number:064d}", "where": ("before", "after")[int(rng.integers(2))], "until": "2030-01-01", "outcome": due_outcome(state) or "pass",
        "opinion": state.opinions[-1].id if state.opinions else "-", "task": state.tasks[-1].id if state.tasks else "-", "agenda": [{"id": "package", "title": "t"}],
        "members": [seats[0].person], "item": "package", "choice": ("yes", "yes", "no")[int(rng.integers(3))], "minutes": "m", "id": f"p{number}", "name": "x", "department": "水利", "role": "officer",
    }  # fmt: skip
    if verb in ("attend", "vote", "recuse") and state.meeting is not None and luck < 0.5:
        actor = state.meeting.members[0]
    return ReviewEvent(f"m{number}", verb, actor, START + timedelta(minutes=number % 500_000), data)


def _promises(before: ReviewState, after: ReviewState) -> None:
    lost = {o.id: o.seal for o in before.opinions}.items() - {o.id: o.seal for o in after.opinions}.items()
    people = {p.id: p.department for p in after.roster.values()}
    for group in after.groups:
        holders = [s.person for s in group.seats]
        for s in group.seats:
            if people[s.person] != s.department or (s.delegate and (people[s.delegate] != s.department or s.delegate in holders)):
                raise AssertionError("a right was widened")
        if len(set(holders)) < len(holders):
            raise AssertionError("one person fills two seats")
    stuck = not waiting_desks(after) and after.phase not in (*FINAL, "DONE")
    if lost or before.phase in FINAL or stuck:
        raise AssertionError(f"lost {lost}, moved after the end, or stuck {stuck}")
