"""A short way in for tiles: the right is asked again only when some right has changed (瓦片直通).

A map asks for hundreds of tiles at once. Of Django's whole way of a request, tiles need the session, the person and the
right; the answers to these are kept with the stamp of the rights and are used while the stamp stays the same. Whatever
is unusual, be it an error, a guest or a method other than GET, takes the long way.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import DisallowedHost
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, parse_cookie

from qianmo.schema.desk import Viewer
from qianmo.schema.errors import QianmoError
from qianmo.web.authorise import DEFAULT_DEMAND, Demands, demands, lacks_second_factor, may_see
from qianmo.web.desk import layers
from qianmo.web.models import Person
from qianmo.web.rights_stamp import rights_stamp
from qianmo.web.session_watch import is_over
from qianmo.web.tiles import TILE_KINDS, tile_response

__all__ = ["forget", "is_known", "tile_door"]

_ADDRESS = re.compile(r"/tiles/([^/~]+)/([^/]+)/([0-9]{1,9})/([0-9]{1,9})/([0-9]{1,9})\.(mvt|png)", re.ASCII)
_KEPT_S = 60.0
"""An answer is asked for again after this time, changed or not, so that a session outlives its end by no more. [s]"""
_SESSIONS = 512


@dataclass(frozen=True)
class _Kept:
    """Who a session is, and what the layers demand, under one stamp."""

    stamp: str
    until: float
    viewer: Viewer
    asked: Demands


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


def tile_door(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: tiles of the present state for who may see them, at once; all else goes on, kept states too (瓦片直通)."""

    def answer(request: HttpRequest) -> HttpResponse:
        found = _ADDRESS.fullmatch(request.path_info) if request.method == "GET" and not request.META.get("QUERY_STRING") else None
        return (_tile(request, *found.groups()) if found else None) or get_response(request)

    return answer


def forget() -> None:
    """Forget what is kept; for tests (清空)."""
    with _lock:
        _kept.clear()


def is_known(cookies: str) -> bool:
    """Whether the cookies of a request belong to a session of somebody (会话是否有效); asked by the server before it reads a large body."""
    found = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    try:
        return _known(found) is not None
    finally:
        close_old_connections()


def _tile(request: HttpRequest, version: str, layer: str, zoom: str, column: str, row: str, kind: str) -> HttpResponse | None:
    kept = _known(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    if kept is None or not may_see(kept.viewer, kept.asked.get(layer, DEFAULT_DEMAND)):
        return None
    try:
        request.get_host()
        return tile_response(request, kept.viewer, layers().layer(layer), version, (int(zoom), int(column), int(row)), TILE_KINDS[kind])
    except (DisallowedHost, QianmoError):
        return None


def _known(session: str) -> _Kept | None:
    """Who a session is; None for guests. The stamp is read first, so that what is read after it is never older."""
    if not session:
        return None
    stamp, now = rights_stamp(), time.monotonic()
    kept = _kept.get(session)
    if kept is not None and stamp and kept.stamp == stamp and now < kept.until:
        return kept
    probe = HttpRequest()
    probe.session = SessionStore(session)
    person = get_user(probe)
    if not isinstance(person, Person) or not person.is_active or is_over(probe.session) or person.password_given or lacks_second_factor(person):
        return None
    kept = _Kept(stamp, now + _KEPT_S, person.viewer(), demands())
    if stamp:
        with _lock:
            if len(_kept) >= _SESSIONS:
                _kept.clear()
            _kept[session] = kept
    return kept
