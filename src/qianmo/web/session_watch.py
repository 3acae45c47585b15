"""Sessions: since when, last used, from where; they end idle, at the latest after some hours, and when their owner says so (会话管理)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from qianmo.web.models import Person
from qianmo.web.security_log import came_from, ended

__all__ = ["KeptSession", "connect", "end_sessions", "is_over", "sessions_of", "watch"]

_SINCE, _SEEN, _FROM, _AGENT = "desk_since", "desk_seen", "desk_from", "desk_agent"
_POLLED = "/api/tasks/"
"""A page that waits for a task asks here by itself; that is no sign of a person."""


@dataclass(frozen=True)
class KeptSession:
    """One open session of a person (会话)."""

    key: str
    since: datetime | None
    seen: datetime | None
    came_from: str
    agent: str


def connect() -> None:
    """Note beginning and end of sessions; once in a process (登记)."""
    user_logged_in.connect(_begun, dispatch_uid="desk-session-begun")
    user_logged_out.connect(_ended, dispatch_uid="desk-session-ended")


def watch(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a session that is over ends here; the browser then forgets what it kept (会话时限)."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if is_over(request.session):
                ended(request.user, request, "time")
                logout(request)
            elif _now() - float(request.session.get(_SEEN, 0.0)) > min(300.0, settings.QIANMO_IDLE_S / 4) and not request.path.startswith(_POLLED):
                request.session[_SEEN] = _now()
        response = get_response(request)
        if getattr(request, "desk_signed_out", False):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return answer


def is_over(session: Any) -> bool:
    """Whether a session was idle for too long, or lasted too long (会话已过期)."""
    now = _now()
    since, seen = float(session.get(_SINCE, now)), float(session.get(_SEEN, now))
    return now - seen > settings.QIANMO_IDLE_S or now - since > settings.QIANMO_MOST_S


def sessions_of(person: Person) -> list[KeptSession]:
    """Open sessions of a person, the last used first (我的会话)."""
    found = []
    for kept in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        told = kept.get_decoded()
        if told.get(SESSION_KEY) == str(person.pk) and not is_over(told):
            found.append(KeptSession(kept.session_key, _moment(told.get(_SINCE)), _moment(told.get(_SEEN)), str(told.get(_FROM, "")), str(told.get(_AGENT, ""))))
    return sorted(found, key=lambda s: s.seen.timestamp() if s.seen else 0.0, reverse=True)


def end_sessions(person: Person, *, but: str = "") -> int:
    """End the sessions of a person but for one, and say how many (结束会话)."""
    keys = [s.key for s in sessions_of(person) if s.key != but]
    Session.objects.filter(session_key__in=keys).delete()
    return len(keys)


def _now() -> float:
    """Seconds since 1970 [s]."""
    return timezone.now().timestamp()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _begun(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and hasattr(request, "session"):
        request.session[_SINCE] = request.session[_SEEN] = _now()
        request.session[_FROM] = came_from(request)
        request.session[_AGENT] = "".join(c for c in request.META.get("HTTP_USER_AGENT", "") if c.isprintable())[:120]


def _ended(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        request.desk_signed_out = True  # type: ignore[attr-defined]
