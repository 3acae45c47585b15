"""Red lines: draw or upload one, see what it covers, take the table along (占压分析)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from shapely.geometry import mapping

from qianmo.jobs.queries.page_tables import red_line_table
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.jobs.queries.uploads import ACCEPTED, red_line_limit_mb
from qianmo.web.authorise import line_for, may, shown_layers, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.forms import RedLineForm
from qianmo.web.models import DrawnLine, Person

__all__ = ["all_lines", "keep_line", "line_shape", "line_table", "show_line"]

_LISTED = 100


def all_lines(request: HttpRequest) -> HttpResponse:
    """Red lines of the person, and the form for a new one."""
    viewer = viewer_of(request)
    form = RedLineForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and isinstance(request.user, Person):
        return redirect("line", number=keep_line(request, form.cleaned_data["title"], form.cleaned_data["record"]).number)
    kept = DrawnLine.objects.select_related("person")
    if not may(viewer, "manage"):
        kept = kept.filter(person=request.user)
    shown = {"form": form, "lines": kept[:_LISTED], "accepted": ",".join(ACCEPTED), "limit_mb": red_line_limit_mb()}
    return render(request, "desk/lines.html", shown, status=422 if form.errors else 200)


def keep_line(request: HttpRequest, title: str, record: Mapping[str, Any], *, source: Mapping[str, Any] | None = None) -> DrawnLine:
    """Lay a red line over all layers the person may see, and keep it with its report (保存红线).

    Raises
    ------
    SchemaError, TopologyError
        It is no outline that can be laid over.
    """
    viewer, line = viewer_of(request), red_line_from(record)
    covered = over_layers(shown_layers(viewer), line, region=viewer.region)
    report = {"area_m2": line.area_m2, "vertices": line.vertices, "layers": [asdict(c) for c in covered], "source": dict(source or {})}
    return DrawnLine.objects.create(title=title, shape=mapping(line.shape), report=report, generation=layers().project().generation, person=request.user)


def line_shape(request: HttpRequest, number: str) -> HttpResponse:
    """Its outline as GeoJSON in CGCS2000 degrees, for the map."""
    line = line_for(viewer_of(request), str(number))
    return JsonResponse({"type": "Feature", "geometry": line.shape, "properties": {"title": line.title}}, json_dumps_params={"ensure_ascii": False})


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
