"""Home of the project: its catalogue, one layer, health (首页)."""

from __future__ import annotations

from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from qianmo.jobs.queries.catalogue import subjects
from qianmo.schema.desk import LayerDemand
from qianmo.schema.errors import MissingDataError
from qianmo.schema.tables import table_names, table_spec
from qianmo.web.authorise import DEFAULT_DEMAND, demands, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.forms import LayerForm
from qianmo.web.models import LayerRight
from qianmo.web.words import UNITS, both, level_word

__all__ = ["choose_unit", "health", "layer_rights", "show_home", "show_layer"]


def show_home(request: HttpRequest) -> HttpResponse:
    """The catalogue by subject and legal rank."""
    entries, asked = visible_entries(viewer_of(request)), demands()
    groups = [
        {"title": both(zh, en), "rows": [{"entry": e, "demand": asked.get(e.name, DEFAULT_DEMAND)} for e in entries if e.subject == subject]}
        for subject, (zh, en) in subjects().items()
    ]
    project = layers().project()
    shown = {"project": project, "groups": [g for g in groups if g["rows"]], "synthetic": any(e.dataset.synthetic for e in entries)}
    return render(request, "desk/home.html", shown)


def show_layer(request: HttpRequest, layer: str) -> HttpResponse:
    """One dataset with its source, its decisions and its columns."""
    viewer = viewer_of(request)
    entry = next((e for e in visible_entries(viewer) if e.name == layer), None)
    if entry is None:
        raise MissingDataError(f"no layer {layer!r} on the map", expected="a drawn layer of the project", cure="choose a layer of the catalogue")
    kind = entry.dataset.kind
    columns = table_spec(kind).columns if kind in table_names() else ()
    return render(request, "desk/layer.html", {"entry": entry, "demand": demands().get(layer, DEFAULT_DEMAND), "columns": columns})


def layer_rights(request: HttpRequest, layer: str) -> HttpResponse:
    """What the layer demands: secrecy, departments, region."""
    if all(e.name != layer for e in visible_entries(viewer_of(request))):
        raise MissingDataError(f"no layer {layer!r} on the map", expected="a drawn layer of the project", cure="choose a layer of the catalogue")
    right = LayerRight.objects.filter(layer=layer).first() or LayerRight(layer=layer)
    form = LayerForm(request.POST or None, instance=right)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("home")
    least = max((d.secrecy for d in _behind(layer)), default=0)
    note = _("It was made from data of the level %(level)s, and stays at least as secret whatever is chosen here.") % {"level": level_word(least)} if least else ""
    return render(request, "desk/form.html", {"form": form, "note": note, "title": _("Rights of the layer %(layer)s") % {"layer": layer}}, status=422 if form.errors else 200)


def _behind(layer: str) -> list[LayerDemand]:
    """Demands of what the layer was made from."""
    asked = demands()
    return [asked.own[n] for n in layers().origins().behind(layer, asked.own.keys())]


def choose_unit(request: HttpRequest) -> HttpResponse:
    """Choose the unit of area: mu, hectare or square metre."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    following = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()}):
        following = "/"
    response = HttpResponseRedirect(following)
    unit = request.POST.get("unit", "")
    if unit in UNITS:
        response.set_cookie("unit", unit, max_age=365 * 86400, samesite="Lax")
    return response


def health(request: HttpRequest) -> HttpResponse:
    """Whether the desk answers and its database can be read."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return JsonResponse({"ready": True})
