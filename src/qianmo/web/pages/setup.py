"""The first person comes in with the one-time word that the desk printed (首用户设置)."""

from __future__ import annotations

from django.contrib.auth import login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.web.forms import FirstPersonForm
from qianmo.web.setup_token import is_open, is_right

__all__ = ["first_person"]


def first_person(request: HttpRequest) -> HttpResponse:
    """Make the first person, who manages the desk; closed for ever after that."""
    if not is_open():
        raise Http404
    form = FirstPersonForm(request.POST or None, initial={"token": request.GET.get("token", "")})
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            if not is_right(form.cleaned_data["token"]):
                form.add_error("token", _("This is not the word that the desk printed when it started."))
            else:
                person = form.save(commit=False)
                person.role, person.clearance = "manager", 3
                person.save()
                login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
                return redirect("home")
    return render(request, "desk/setup.html", {"form": form}, status=422 if form.errors else 200)
