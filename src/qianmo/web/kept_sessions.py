"""Sessions, their persons and the table of rights, read again only when one of them has changed (会话与权限暂存).

Each answer is kept with the stamp of the rights (`web.rights_stamp`), which triggers of the database change in the transaction of any change of a
session, a person or a right. The stamp is read first, in every request, so what is read after it is never older than it says.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from qianmo.web.rights_stamp import rights_stamp

__all__ = ["KeptUser", "SessionStore", "forget", "one_moment", "under_stamp"]

T = TypeVar("T")

_MOST, _KEPT_S = 1024, 60.0
"""Answers that are kept, and how long at most, so that a session outlives its end by no more. [s]"""

_LARGEST = 4096
"""A session that holds more (a workbook that waits for a yes) is read every time. [characters]"""


@dataclass(frozen=True)
class _Kept:
    stamp: str
    until: float
    answer: Any


_moment: ContextVar[list[str] | None] = ContextVar("desk_moment", default=None)
"""The stamp that a request which changes nothing read at its first question; empty before it."""

_kept: dict[Hashable, _Kept] = {}
_lock = threading.Lock()


def under_stamp(key: Hashable, make: Callable[[], T], *, fits: Callable[[T], bool] = lambda _: True) -> T:
    """The answer to `key`, made again where sessions, people or rights have changed since; kept where it `fits` (按权限版本暂存)."""
    stamp, now = _stamp(), time.monotonic()
    held = _kept.get(key)
    if held is not None and stamp and held.stamp == stamp and now < held.until:
        return held.answer
    made = make()
    if stamp and fits(made):
        with _lock:
            if len(_kept) >= _MOST:
                _kept.clear()
            _kept[key] = _Kept(stamp, now + _KEPT_S, made)
    return made


def one_moment(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what only reads is decided by the rights of one moment, that of its first question (同一时刻)."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return get_response(request)
        token = _moment.set([])
        try:
            return get_response(request)
        finally:
            _moment.reset(token)

    return answer


def _stamp() -> str:
    held = _moment.get()
    if held is None:
        return rights_stamp()
    if not held:
        held.append(rights_stamp())
    return held[0]


def forget() -> None:
    """Forget what is kept; for tests (清空)."""
    with _lock:
        _kept.clear()


class SessionStore(DatabaseSessions):
    """Sessions in the database, each read once as long as nothing changes (会话存储)."""

    @classmethod
    def get_model_class(cls) -> Any:
        """The table of Django's own sessions."""
        from django.contrib.sessions.models import Session

        return Session

    def load(self) -> dict[str, Any]:
        """What the session holds; a copy, which the request may change."""
        key = self.session_key
        told = under_stamp(("session", key), super().load, fits=lambda found: bool(found) and len(str(found)) < _LARGEST)
        if not told:
            self._session_key = None
        return copy.deepcopy(told)


class KeptUser(AuthenticationMiddleware):
    """Who a session is, asked of Django in full once as long as nothing changes (当前用户)."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its person, found when first asked for."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]


def _person(request: HttpRequest) -> Any:
    if not hasattr(request, "_cached_user"):
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        found = under_stamp(("person", key), lambda: get_user(request), fits=lambda p: p.is_authenticated) if key and key == request.session.session_key else get_user(request)
        request._cached_user = copy.copy(found)  # type: ignore[attr-defined]
    return request._cached_user
