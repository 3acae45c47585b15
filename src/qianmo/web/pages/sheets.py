"""Sheets: print what the map shows (打印图件)."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.web.authorise import shown_layer, task_for, viewer_of, visible_entries
from qianmo.web.desk import project_folder
from qianmo.web.errors import kept_words
from qianmo.web.models import LayerRight, Person, Task
from qianmo.web.tasks import ask

__all__ = ["new_sheet", "sheet_file", "show_sheet"]

_MOST, _LONGEST = 60, 40
_BLOCK = ("number", "office", "drawn", "checked", "approved")
"""Fields of the title block that who prints may fill; the others are known or left to be signed."""

_SIDES = ("west", "south", "east", "north")


def new_sheet(request: HttpRequest) -> HttpResponse:
    """Ask for a sheet of the layers in view that the person may see, cut to the person's region."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer = viewer_of(request)
    names = [n for n in request.POST.get("layers", "").split(",") if n][:_MOST]
    if not names:
        raise SchemaError("no layer to print", expected="a layer that is switched on", cure="switch a layer on and print again")
    for name in names:
        shown_layer(viewer, name)
    try:
        box = {side: float(request.POST.get(side, "")) for side in _SIDES}
    except ValueError as fault:
        raise SchemaError("the part of the map to print is not given", expected="west, south, east, north in degrees", cure="print from the map page") from fault
    size = request.POST.get("size", "A3")
    if size not in ("A3", "A4"):
        raise SchemaError(f"paper size {size!r}", expected="A3, A4", cure="print from the map page")
    signed = {k: request.POST.get(k, "").strip()[:_LONGEST] for k in _BLOCK}
    review = "、".join(sorted({r for r in LayerRight.objects.filter(layer__in=names).values_list("review_number", flat=True) if r}))
    values = {"layer": names, **box, "size": size, "title": request.POST.get("title", "")[:60], "region": viewer.region, "review_number": review, **signed}
    if not isinstance(request.user, Person):
        raise MissingDataError("nobody is signed in")
    return redirect("sheet", number=ask(request.user, "sheet", values).number)


def show_sheet(request: HttpRequest, number: str) -> HttpResponse:
    """How far the sheet is, and where to get it."""
    task = _sheet(request, number)
    return render(request, "desk/print_sheet.html", {"task": task, "fault": kept_words(task.error)})


def sheet_file(request: HttpRequest, number: str) -> HttpResponseBase:
    """The PDF, while the person may still see all its layers."""
    task = _sheet(request, number)
    path = project_folder() / "sheets" / f"{task.number}.pdf"
    if task.state != "done" or not path.is_file():
        raise MissingDataError(_("The sheet is not ready."), cure=_("Wait until its page says so."))
    return FileResponse(path.open("rb"), content_type="application/pdf", as_attachment=True, filename=f"sheet-{str(task.number)[:8]}.pdf")


def _sheet(request: HttpRequest, number: str) -> Task:
    viewer = viewer_of(request)
    task = task_for(viewer, str(number))
    seen = {e.name for e in visible_entries(viewer)}
    fits = task.values.get("region", "").startswith(viewer.region)
    if task.job != "sheet" or not fits or not set(task.values.get("layer", [])) <= seen:
        raise MissingDataError(f"no task {number}", expected="a task of your list", cure="open the list of tasks")
    return task
