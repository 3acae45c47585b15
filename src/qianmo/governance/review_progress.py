"""What follows from the state: who may sign, what is complete, which outcome is due (审查进展)."""

from __future__ import annotations

from collections.abc import Sequence

from qianmo.governance.review_records import MANDATORY, MEETING_DESK, Group, Opinion, ReviewState, Seat

__all__ = ["can_sign", "current_group", "departments_of", "due_outcome", "group_result", "missing_mandatory", "needs_meeting", "open_points", "standing_opinions", "waiting_desks"]


def standing_opinions(state: ReviewState) -> tuple[Opinion, ...]:
    """Opinions that stand in the current round, on the current package (有效意见)."""
    return tuple(o for o in state.opinions if o.standing == "valid" and o.round == state.round and o.package == state.package)


def group_result(state: ReviewState, group: Group) -> str:
    """What a group has come to (环节结果): '' while it is open, else pass, condition or reject.

    会签 all must sign, one reject refuses · 或签 the first consent decides · 依次 a reject stops the row · 票签 more than
    `share` of the votes cast, abstentions left out, none cast refuses.
    """
    signed = [o for o in (state.valid(s.id) for s in group.seats) if o is not None]
    results = [o.result for o in signed]
    full = len(signed) == len(group.seats)
    if group.mode == "any":
        consents = [r for r in results if r != "reject"]
        return consents[0] if consents else "reject" if full else ""
    if group.mode == "sequence" and "reject" in results:
        return "reject"
    if not full:
        return ""
    if group.mode == "vote":
        cast = [r for r in results if r != "abstain"]
        yes = sum(r != "reject" for r in cast)
        if not cast or yes <= group.share * len(cast) + 1e-9:
            return "reject"
        return "condition" if "condition" in cast else "pass"
    return "reject" if "reject" in results else "condition" if "condition" in results else "pass"


def current_group(state: ReviewState) -> Group | None:
    """The first group that is open (当前环节); None when all are complete or one refused."""
    for group in state.groups:
        result = group_result(state, group)
        if not result:
            return group
        if result == "reject":
            return None
    return None


def can_sign(state: ReviewState, seat: Seat) -> bool:
    """True when it is the turn of a seat that has not signed (轮到签署)."""
    group = current_group(state)
    if state.phase != "IN_REVIEW" or group is None or seat not in group.seats or state.valid(seat.id) is not None:
        return False
    return all(state.valid(w) is not None for w in seat.waits_for)


def missing_mandatory(state: ReviewState) -> tuple[str, ...]:
    """Mandatory departments without a standing opinion (缺意见的必审部门), rule V-08."""
    there = {o.department for o in standing_opinions(state)}
    return tuple(d for d in MANDATORY if d not in there)


def open_points(state: ReviewState) -> dict[str, tuple[str, ...]]:
    """Mandatory points that no standing opinion answers, by department (未作答的必审要点); a review of an older log may end with some of the office."""
    answered = {(o.department, a["item"]) for o in standing_opinions(state) for a in o.answers}
    found: dict[str, tuple[str, ...]] = {}
    for item, v in state.suggestions.items():
        if v["mandatory"] and (v["department"], item) not in answered:
            found[v["department"]] = (*found.get(v["department"], ()), item)
    return found


def due_outcome(state: ReviewState) -> str:
    """The outcome that opinions and meeting lead to (应出结论): '' while something is missing, else pass, condition or refuse."""
    results = [group_result(state, g) for g in state.groups]
    if "reject" in results and not missing_mandatory(state):
        return "refuse"
    if not results or "" in results or missing_mandatory(state):
        return ""
    meetings = [m for m in state.meetings if m.round == state.round and m.standing == "closed"]
    if any(m.results.get("package") == "refused" for m in meetings):
        return "refuse"
    follow_ups = any(t.raised_by == MEETING_DESK and t.standing != "dropped" for t in state.tasks)
    return "condition" if "condition" in results or follow_ups else "pass"


def needs_meeting(state: ReviewState) -> bool:
    """True while the joint meeting of this round is due before a decision (须开会)."""
    if any(m.round == state.round and m.standing == "closed" for m in state.meetings):
        return False
    return bool(state.settings.get("meeting_always", 1)) or due_outcome(state) != "pass"


def waiting_desks(state: ReviewState) -> tuple[tuple[str, str, str], ...]:
    """Who is waited for (待办): (step of ``codes/review_steps.csv``, department, seat or '').

    In every phase before the end there is one at least, and it can make its move: no review gets stuck. Where a row (依次) was stopped
    before the mandatory departments signed, the office must return the package.
    """
    if state.phase == "SUBMITTED":
        return (("accept", "联席办", ""),)
    if state.phase == "ACCEPTED":
        return (("distribute", "联席办", ""),)
    if state.phase == "MEETING":
        return (("meeting", "联席办", ""),)
    if state.phase == "RESOLVED":
        return (("issue", "县政府", ""),)
    if state.phase == "RETURNED":
        return (("revise", "申报方", ""),)
    if state.phase != "IN_REVIEW":
        return ()
    group = current_group(state)
    if group is not None:
        return tuple(("opinion", s.department, s.id) for s in group.seats if can_sign(state, s))
    due = due_outcome(state)
    if not due:
        return (("return", "联席办", ""),)
    if not needs_meeting(state):
        return (("issue", "县政府", ""),)
    return (("meeting", "联席办", ""),)


def departments_of(groups: Sequence[Group]) -> tuple[str, ...]:
    """Departments with a seat, in order, each once."""
    return tuple(dict.fromkeys(s.department for g in groups for s in g.seats))
