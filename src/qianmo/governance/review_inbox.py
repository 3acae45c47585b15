"""What of a review waits for one person (我的待办)."""

from __future__ import annotations

from datetime import date

from qianmo.governance.review_progress import waiting_desks
from qianmo.governance.review_records import Person, ReviewState
from qianmo.governance.review_rights import may_sign_for

__all__ = ["waits_for"]

_ROLES = {"accept": "secretary", "distribute": "secretary", "meeting": "secretary", "return": "secretary", "issue": "issuer", "revise": "applicant"}


def waits_for(state: ReviewState, person: Person, day: date) -> tuple[tuple[str, str, str], ...]:
    """The rows of `waiting_desks` that this person can end (我的待办).

    A seat waits for its holder and, until the day the delegation ends, for the delegate; a meeting for the office, and for members who have
    not come or have an item without their vote. Nothing waits while the review is suspended, but for the office, which may resume it.
    """
    if state.is_suspended and person.role != "secretary":
        return ()
    return tuple(w for w in waiting_desks(state) if _is_theirs(state, person, day, *w))


def _is_theirs(state: ReviewState, person: Person, day: date, step: str, department: str, seat: str) -> bool:
    if step == "opinion":
        found = state.seat(seat)
        return found is not None and may_sign_for(found[1], person.id, day)
    if person.role == _ROLES.get(step):
        return True
    meeting = state.meeting
    if step != "meeting" or meeting is None or person.id not in meeting.members:
        return False
    done = {(i, p) for i, p, _ in (*meeting.votes, *meeting.recused)}
    return person.id not in meeting.present or any((i, person.id) not in done for i, _ in meeting.agenda)
