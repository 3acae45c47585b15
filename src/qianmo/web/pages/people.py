"""People and their rights (用户与权限)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.web.forms import PersonForm, RightsForm
from qianmo.web.models import Person

__all__ = ["all_people", "new_person", "show_person"]


def all_people(request: HttpRequest) -> HttpResponse:
    """Everybody with an account."""
    return render(request, "desk/people.html", {"people": Person.objects.order_by("username")})


def new_person(request: HttpRequest) -> HttpResponse:
    """Make an account."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("people")
    return render(request, "desk/form.html", {"form": form, "title": _("New account")}, status=422 if form.errors else 200)


def show_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Rights of one person; the last manager stays one."""
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        raise Http404
    form = RightsForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        others = Person.objects.filter(role="manager", is_active=True).exclude(pk=pk).exists()
        if not others and not (form.cleaned_data["role"] == "manager" and form.cleaned_data["is_active"]):
            form.add_error(None, _("This is the last manager. Make another person a manager first."))
        else:
            form.save()
            messages.success(request, _("Saved."))
            return redirect("people")
    history = person.history.select_related("history_user").order_by("-history_date")[:20]
    shown = {"form": form, "title": _("Rights of %(name)s") % {"name": person.username}, "history": history}
    return render(request, "desk/person.html", shown, status=422 if form.errors else 200)
