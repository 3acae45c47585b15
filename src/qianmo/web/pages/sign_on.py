"""To the server of the office and back (统一认证登录)."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from qianmo.web.errors import refused_page

__all__ = ["come_back", "go_to_server"]


def go_to_server(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Say where the next page lies, with the link to it; the desk itself sends nobody to another site."""
    _only_where_set_up(provider_id)
    if request.method != "POST":
        return redirect("account_login")
    from allauth.socialaccount.adapter import get_adapter
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error

    try:
        answer = get_adapter().get_provider(request, provider=provider_id).redirect_from_request(request)
    except (OSError, OAuth2Error, ValueError) as fault:  # OSError: what requests raises where no server answers
        return refused_page(request, 502, f"sign-on: {fault}")
    if not isinstance(answer, HttpResponseRedirect):
        return answer
    return render(request, "desk/sign_on.html", {"address": answer.url, "host": urlsplit(answer.url).netloc, "name": settings.QIANMO_SIGN_ON})


def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take the answer of the server; whoever is not vouched for stays outside."""
    _only_where_set_up(provider_id)
    from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView

    from qianmo.web.oidc.provider import DeskSignOnAdapter, nonce_of

    adapter = DeskSignOnAdapter(request, provider_id)
    adapter.nonce = nonce_of(request, provider_id)
    answer: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
    return answer


def _only_where_set_up(provider_id: str) -> None:
    if not settings.QIANMO_SIGN_ON or provider_id != "office":
        raise Http404
