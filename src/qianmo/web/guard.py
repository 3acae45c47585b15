"""Every route names the right it needs; nobody reaches a view without it (路由守卫)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from qianmo.web.authorise import OwnPasswordNeeded, SecondFactorNeeded, may, viewer_of

__all__ = ["Route", "pattern"]


@dataclass(frozen=True)
class Route:
    """One address (路由): its pattern, name, view, the action of ``codes/desk_roles.csv`` it needs ('public' for none, 'account' for
    anybody who is signed in), and
    whether programs call it, which are answered 401 in place of the sign-in page."""

    address: str
    name: str
    view: Callable[..., HttpResponse]
    action: str
    is_data: bool = False


def pattern(route: Route) -> URLPattern:
    """The route as Django takes it, with its guard around the view (加守卫的路由)."""
    return path(route.address, route.view if route.action == "public" else _guarded(route), name=route.name)


def _guarded(route: Route) -> Callable[..., HttpResponse]:
    @wraps(route.view)
    def view(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if route.is_data:
                return JsonResponse({"error": {"id": "", "found": _("Nobody is signed in."), "expected": "", "cure": _("Sign in first.")}}, status=401)
            return redirect_to_login(request.get_full_path())
        if route.action == "account":
            return route.view(request, *args, **named)
        try:
            viewer = viewer_of(request)
        except OwnPasswordNeeded:
            if route.is_data or request.method != "GET":
                raise
            messages.warning(request, _("Somebody else chose your password. Choose your own here; then the desk is open to you."))
            return redirect("account_change_password")
        except SecondFactorNeeded:
            if route.is_data or request.method != "GET":
                raise
            messages.warning(request, _("Your role needs a second factor. Set one up here; then the desk is open to you."))
            return redirect("mfa_index")
        if not may(viewer, route.action):
            raise PermissionDenied
        return route.view(request, *args, **named)

    return view
