"""Errors as pages: cause and cure in the language of the person, an id that is logged, never a trace (错误页)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qianmo.schema import errors as house
from qianmo.schema.messages import ErrorKind, error_kind, in_language

__all__ = ["STATUS", "bad_request", "csrf_failure", "error_words", "forbidden", "kept_error", "kept_words", "log_error", "not_found", "refused_page", "server_error", "status_of", "told"]

STATUS: tuple[tuple[type[house.QianmoError], int], ...] = (
    (house.MissingDataError, 404), (house.NotAllowedError, 409), (house.ChoiceNeededError, 409), (house.InfeasibleError, 422), (house.UnsafeInputError, 415),
    (house.QianmoError, 422),
)  # fmt: skip
"""Status of each kind of error, the first that fits."""

_log = logging.getLogger("qianmo.web")


def status_of(error: house.QianmoError) -> int:
    """The HTTP status of an error (状态码)."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def error_words(error: house.QianmoError) -> dict[str, str]:
    """Cause, expected state and cure in the language of the page (错误说明)."""
    kind = error_kind(error)
    found = error.found if not isinstance(error, house.ReviewRefusedError) else error.zh if _language() == "zh" else error.en
    return _in_words(kind, found, error.expected, error.cure)


def kept_words(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a task kept of its error, in the language of the page; {} where it has none (任务错误说明)."""
    if not record:
        return {}
    kind = error_kind(str(record.get("kind", "")))
    return {**record, **_in_words(kind, str(record.get("found", "")), str(record.get("expected", "")), str(record.get("cure", "")))}


def kept_error(error: house.QianmoError, number: str) -> dict[str, str]:
    """What a task keeps of an error (任务错误记录)."""
    return {"id": number, "kind": type(error).__name__, "found": error.found, "expected": error.expected, "cure": error.cure}


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def _in_words(kind: ErrorKind, found: str, expected: str, cure: str) -> dict[str, str]:
    language = _language()
    general, help_ = (kind.zh, kind.cure_zh) if language == "zh" else (kind.en, kind.cure_en)
    return {
        "found": in_language(found, language, general) or general,
        "expected": in_language(expected, language, _("As the words in brackets say:")),
        "cure": in_language(cure, language, help_) or help_,
    }


def log_error(request: HttpRequest | None, cause: BaseException | str, *, status: int) -> str:
    """Log an error under a new id and give the id (错误编号)."""
    number = secrets.token_hex(4)
    who = getattr(getattr(request, "user", None), "username", "") or "-"
    where = f"{request.method} {request.path}" if request else "-"
    level = logging.ERROR if status >= 500 else logging.WARNING
    _log.log(level, "%s %s %s user=%s %s", number, status, where, who, cause, exc_info=cause if isinstance(cause, BaseException) and status >= 500 else None)
    return number


def told(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: an error of the house becomes a page, or JSON where a program asked (错误处理)."""

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, fault: Exception) -> HttpResponse | None:
        if isinstance(fault, house.QianmoError):
            return _shown(request, status_of(fault), fault, **error_words(fault))
        return None

    answer.process_exception = process_exception  # type: ignore[attr-defined]
    return answer


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request itself is wrong."""
    cause = exception if isinstance(exception, SuspiciousOperation) else "bad request"
    return _shown(request, 400, cause, found=_("The request cannot be read."), cure=_("Go back and try again."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but without the right."""
    if type(exception).__name__ == "SecondFactorNeeded":
        return _shown(request, 403, "second factor needed", found=_("Your role needs a second factor."), cure=_("Set one up on the page of your account."))
    if type(exception).__name__ == "OwnPasswordNeeded":
        return _shown(request, 403, "own password needed", found=_("Your password was chosen by somebody else."), cure=_("Choose your own on the page of your account."))
    if getattr(getattr(request, "user", None), "role", "") == "newcomer":
        return _shown(request, 403, "no role yet", found=_("Your account has no rights yet."), cure=_("Ask a manager of the desk for the right."))
    return _shown(request, 403, exception or PermissionDenied(), found=_("Your role does not include this."), cure=_("Ask a manager of the desk for the right."))


def refused_page(request: HttpRequest, status: int, cause: str) -> HttpResponse:
    """A page that sends somebody back to the sign-in page (登录未成)."""
    return _shown(request, status, cause, found=_("The sign-in with the account of the office did not work."), cure=_("Try again; if it fails again, tell the manager of the desk the number below."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is no such page."""
    return _shown(request, 404, exception or Http404(), found=_("There is no such page."), cure=_("Check the address, or start from the home page."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form did not come from this desk, or its page was too old."""
    return _shown(request, 403, f"csrf: {reason}", found=_("The form is too old or came from another site."), cure=_("Reload the page and send the form again."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of the program; the id leads to the log."""
    import sys

    fault = sys.exc_info()[1]
    return _shown(request, 500, fault or "unknown fault", found=_("The program made a mistake; nothing was changed by this step."),
                  cure=_("Tell the manager of the desk the number below; the log holds the details."))  # fmt: skip


def _shown(request: HttpRequest, status: int, cause: BaseException | str, *, found: str, cure: str = "", expected: str = "") -> HttpResponse:
    number = log_error(request, cause, status=status)
    body: dict[str, Any] = {"id": number, "found": found, "expected": expected, "cure": cure}
    if _wants_data(request):
        return JsonResponse({"error": body}, status=status, json_dumps_params={"ensure_ascii": False})
    return render(request, "desk/error.html", {"error": body, "status": status}, status=status)


def _wants_data(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/tiles/")) or request.headers.get("Accept", "").startswith("application/json")
