"""Red lines: draw or upload one, see what it covers, take the table along (占压分析)."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from shapely.geometry import mapping

from qianmo.jobs.queries.page_tables import red_line_table
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.web.authorise import line_for, may, shown_layers, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.forms import RedLineForm
from qianmo.web.models import DrawnLine, Person

__all__ = ["all_lines", "line_table", "show_line"]

_LISTED = 100


def all_lines(request: HttpRequest) -> HttpResponse:
    """Red lines of the person, and the form for a new one."""
    viewer = viewer_of(request)
    form = RedLineForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and isinstance(request.user, Person):
        line = red_line_from(form.cleaned_data["record"])
        covered = over_layers(shown_layers(viewer), line, region=viewer.region)
        report = {"area_m2": line.area_m2, "vertices": line.vertices, "layers": [asdict(c) for c in covered]}
        made = DrawnLine.objects.create(title=form.cleaned_data["title"], shape=mapping(line.shape), report=report,
                                        generation=layers().project().generation, person=request.user)  # fmt: skip
        return redirect("line", number=made.number)
    kept = DrawnLine.objects.select_related("person")
    if not may(viewer, "manage"):
        kept = kept.filter(person=request.user)
    return render(request, "desk/lines.html", {"form": form, "lines": kept[:_LISTED]}, status=422 if form.errors else 200)


def show_line(request: HttpRequest, number: str) -> HttpResponse:
    """What the red line covered, for the layers the person may still see."""
    line = line_for(viewer_of(request), str(number))
    return render(request, "desk/line.html", {"line": line, "covered": _still_seen(request, line)})


def line_table(request: HttpRequest, number: str) -> HttpResponse:
    """The same as an Excel table."""
    line = line_for(viewer_of(request), str(number))
    body = red_line_table(line.title, float(line.report["area_m2"]), _still_seen(request, line))
    response = HttpResponse(body, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f'attachment; filename="red-line-{line.number}.xlsx"'
    return response


def _still_seen(request: HttpRequest, line: DrawnLine) -> list[dict[str, object]]:
    seen = {e.name for e in visible_entries(viewer_of(request))}
    return [c for c in line.report["layers"] if c["layer"] in seen]
