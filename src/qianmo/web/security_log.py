"""Who signs in, fails to, signs out, and whose rights change, line by line in the log; never a password (安全日志)."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

__all__ = ["came_from", "connect", "ended", "plain"]

_log = logging.getLogger("qianmo.web.security")


def connect() -> None:
    """Listen to what Django and the history tell; once in a process (登记)."""
    from allauth.mfa.signals import authenticator_added, authenticator_removed
    from simple_history.signals import post_create_historical_record

    user_logged_in.connect(_in, dispatch_uid="desk-log-in")
    user_logged_out.connect(_out, dispatch_uid="desk-log-out")
    user_login_failed.connect(_failed, dispatch_uid="desk-log-failed")
    post_create_historical_record.connect(_changed, dispatch_uid="desk-log-changed")
    authenticator_added.connect(_factor_added, dispatch_uid="desk-log-factor-added")
    authenticator_removed.connect(_factor_removed, dispatch_uid="desk-log-factor-removed")


def ended(person: Any, request: HttpRequest | None, why: str) -> None:
    """Note that sessions ended otherwise than by signing out (会话结束)."""
    _log.info("sessions ended user=%s from=%s why=%s", plain(person), came_from(request), plain(why))


def _in(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    _log.info("signed in user=%s from=%s", plain(getattr(user, "username", "")), came_from(request))


def _out(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    _log.info("signed out user=%s from=%s", plain(getattr(user, "username", "")), came_from(request))


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    _log.warning("sign-in failed user=%s from=%s", plain(credentials.get("username", "")), came_from(request))


def _changed(instance: Any = None, history_user: Any = None, **_: Any) -> None:
    if instance._meta.model_name in ("person", "layerright"):
        _log.info("rights changed %s=%s by=%s", instance._meta.model_name, plain(instance), plain(history_user or "-"))


def _factor_added(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    _log.info("second factor added user=%s from=%s", plain(user), came_from(request))


def _factor_removed(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    _log.info("second factor removed user=%s from=%s", plain(user), came_from(request))


def plain(word: object) -> str:
    """A word without line breaks or control characters, so that nobody writes lines of his own into the log."""
    return "".join(c if c.isprintable() else "?" for c in str(word))[:150]


def came_from(request: HttpRequest | None) -> str:
    """Address a request came from (来源地址)."""
    return request.META.get("REMOTE_ADDR", "-") if request is not None else "-"
