"""One's own sessions, and ending those of somebody who left (我的会话)."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from qianmo.web.models import Person
from qianmo.web.security_log import ended
from qianmo.web.session_watch import end_sessions, sessions_of

__all__ = ["end_sessions_of", "my_sessions"]


def my_sessions(request: HttpRequest) -> HttpResponse:
    """Sessions of the person; all others end after the password or the second factor was given once more."""
    person = request.user
    if not isinstance(person, Person):
        raise Http404
    if request.method == "POST":
        if not did_recently_reauthenticate(request):
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': reverse('sessions')})}")
        number = end_sessions(person, but=str(request.session.session_key))
        ended(person, request, f"others: {number}")
        messages.success(request, _("Sessions ended: %(n)s") % {"n": number})
        return redirect("sessions")
    return render(request, "desk/sessions.html", {"sessions": sessions_of(person), "own": request.session.session_key, "is_sure": did_recently_reauthenticate(request)})


def end_sessions_of(request: HttpRequest, pk: int) -> HttpResponse:
    """End every session of a person; the account stays as it is."""
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    number = end_sessions(person, but=str(request.session.session_key))
    ended(person, request, f"by {request.user}: {number}")
    messages.success(request, _("Sessions ended: %(n)s") % {"n": number})
    return redirect("person", pk=pk)
