"""Who comes in by sign-on gets an account without rights; a manager gives them (统一认证账户)."""

from __future__ import annotations

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from qianmo.web.errors import refused_page
from qianmo.web.models import Person
from qianmo.web.security_log import came_from, plain

__all__ = ["NO_ROLE", "SignOnPeople"]

NO_ROLE = "newcomer"
"""Role without any right (新登录)."""

_log = logging.getLogger("qianmo.web.security")


class SignOnPeople(DefaultSocialAccountAdapter):
    """Accounts of those who sign in with the account of the office (统一认证账户)."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """An account is made for whoever the server vouches for; it may do nothing."""
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody is asked to fill in a form."""
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Name as the server says; the account name is made unique, so it is never that of somebody else."""
        person = sociallogin.user
        person.username = _free("".join(c for c in str(data.get("username") or "") if c.isalnum() or c in "._-")[:60] or "office")
        person.first_name = str(data.get("name") or data.get("first_name") or "")[:150]
        person.role, person.region, person.department, person.clearance = NO_ROLE, "", "", 0
        return person

    def get_requests_session(self) -> Any:
        """A session of requests that is led nowhere else."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Sign-in only: an account here is never joined to one of the server by a link."""
        if sociallogin.state.get("process") not in (None, "login"):
            raise ImmediateHttpResponse(refused_page(request, 403, "sign-on: process other than sign-in"))

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None) -> None:
        """A page with cause, cure and number, in place of allauth's."""
        _log.warning("sign-on failed from=%s cause=%s", came_from(request), plain(exception or error or "-"))
        raise ImmediateHttpResponse(refused_page(request, 403, f"sign-on: {exception or error}"))


def _free(name: str) -> str:
    """The name where nobody has it, else with a number."""
    taken = {n.lower() for n in Person.objects.filter(username__istartswith=name).values_list("username", flat=True)}
    return next(n for k in range(1, len(taken) + 2) if (n := name if k == 1 else f"{name}-{k}").lower() not in taken)
