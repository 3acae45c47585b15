"""A move made on a page: the signed-in person acts, and what is posted twice counts once (网页办理)."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from qianmo.governance.review_records import Person, ReviewState
from qianmo.jobs.context import Context
from qianmo.jobs.queries.review_desk import ReviewView, buttons
from qianmo.jobs.review.opened import add_event
from qianmo.schema.errors import ReviewRefusedError, SchemaError
from qianmo.web.authorise import viewer_of
from qianmo.web.authorise_review import roster_person
from qianmo.web.errors import error_words

__all__ = ["act", "actor_of", "event_id", "fresh_id", "is_done", "now", "refusal", "verbs_of"]

_ID = re.compile(r"[0-9a-f]{32}")
_ASIDE = ("csrfmiddlewaretoken",)


def now() -> datetime:
    """The present moment (当前时刻)."""
    return timezone.now()


def fresh_id() -> str:
    """What a form carries so that its answer counts once (表单编号)."""
    return secrets.token_hex(16)


def actor_of(request: HttpRequest, view: ReviewView) -> Person:
    """The person of the roster that the signed-in account is; nothing that was posted is asked (办理人).

    Raises
    ------
    PermissionDenied
        The account is nobody on the roster.
    """
    person = roster_person(viewer_of(request), view.state)
    if person is None:
        raise PermissionDenied("not on the roster")
    return person


def verbs_of(request: HttpRequest, view: ReviewView) -> tuple[str, ...]:
    """Verbs open to the signed-in person; none for who is not on the roster (可办动作)."""
    person = roster_person(viewer_of(request), view.state)
    return () if person is None else buttons(view, person.id, now())


def event_id(request: HttpRequest, verb: str, actor: str, review: str) -> str:
    """Id of what was posted (请求编号): of the form it came from and of all it says.

    The same form sent twice gives the same id, so it counts once; the same form with another content gives another.

    Raises
    ------
    SchemaError
        The form carries no number.
    """
    form = request.POST.get("event", "")
    if not _ID.fullmatch(form):
        raise SchemaError("the form carries no number", expected="a form of this desk", cure="open the page again and send the form once more")
    said = sorted((k, v) for k, v in request.POST.lists() if k not in _ASIDE)
    files = sorted((f.name or "", hashlib.sha256(f.read()).hexdigest(), f.seek(0)) for f in request.FILES.getlist("documents"))
    text = json.dumps([review, verb, actor, said, files], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def is_done(view: ReviewView, number: str) -> bool:
    """Whether what was posted is in the log already (已办)."""
    return number in view.state.seen


def act(request: HttpRequest, view: ReviewView, verb: str, person: Person, number: str, content: Callable[[ReviewState], Mapping[str, Any]]) -> None:
    """Make the move; when this returns it is on the disk (办理).

    Raises
    ------
    ReviewRefusedError
        The move is not allowed or not complete; nothing was kept.
    """

    def said(state: ReviewState | None) -> Mapping[str, Any]:
        if state is None:
            raise SchemaError("the review has no events", expected="a review that was submitted")
        return content(state)

    add_event(view.folder, verb, person.id, Context(user=viewer_of(request).name, clock=now), said, event_id=number)


def refusal(fault: ReviewRefusedError) -> str:
    """Why a move was refused and what helps, in the language of the page (拒绝理由)."""
    words = error_words(fault)
    parts = [words["found"]]
    if fault.expected:
        parts.append(_("Expected: %(what)s") % {"what": words["expected"]})
    if fault.cure:
        parts.append(words["cure"])
    return "; ".join(parts)
