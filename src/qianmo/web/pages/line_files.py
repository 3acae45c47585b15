"""Red lines from files: upload, answer what is asked, choose the outline, lay it over (上传红线)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from qianmo.jobs.queries.red_line_file import chosen_outline, look_at_red_line
from qianmo.jobs.queries.tiles import bounds_lonlat
from qianmo.jobs.queries.uploads import keep_look, look_of, province_boxes, red_line_limit_mb, remove_upload, upload_files
from qianmo.schema.errors import QianmoError, SchemaError
from qianmo.web.authorise import upload_for, viewer_of, visible_entries
from qianmo.web.desk import layers, project_folder
from qianmo.web.errors import error_words
from qianmo.web.import_map import detail, overview
from qianmo.web.models import Person
from qianmo.web.pages.lines import keep_line
from qianmo.web.sketches import outline_sketch
from qianmo.web.upload_stream import QuarantineHandler

__all__ = ["KIND", "show_line_file", "upload_line"]

KIND = "red-line"
"""Kind of an upload that holds a red line."""

_ENCODINGS = ("GB18030", "UTF-8", "BIG5")


@csrf_exempt
def upload_line(request: HttpRequest) -> HttpResponse:
    """Files go to the quarantine while they come in; then the page that asks or offers."""
    handler = None
    if request.method == "POST":
        handler = QuarantineHandler(request, most_mb=red_line_limit_mb())
        request.upload_handlers = [handler]
    try:
        return _protected(request, handler)
    finally:
        if handler is not None:
            handler.half.drop()


@csrf_protect
def _protected(request: HttpRequest, handler: QuarantineHandler | None = None) -> HttpResponse:
    if handler is None:
        return redirect("lines")
    if not request.FILES:
        raise SchemaError("没有选择文件", expected="至少一个文件", cure="选择红线文件后再上传")
    title = str(request.POST.get("title", "")).strip()[:120]
    record = {"person": viewer_of(request).name, "made": timezone.now().isoformat(timespec="seconds"), "kind": KIND, "title": title}
    number = handler.half.finish(record)
    _look(request, number)
    return redirect("line-file", number=number)


def show_line_file(request: HttpRequest, number: str) -> HttpResponse:
    """What the files hold: a question, a fault with its cure, or outlines to choose from."""
    viewer, number = viewer_of(request), str(number)
    batch = upload_for(viewer, number, kind=KIND)
    look, fault, status = look_of(project_folder(), number), {}, 200
    if request.method == "POST" and isinstance(request.user, Person):
        if "remove" in request.POST:
            remove_upload(project_folder(), number)
            return redirect("lines")
        try:
            if "again" in request.POST:
                look = _look(request, number, crs=_said(request, "crs"), encoding=_said(request, "encoding"))
            else:
                return _kept(request, batch, look)
        except QianmoError as error:
            fault, status = error_words(error), 422
    known = _known(request)
    place = look.get("place")
    maps = [m for m in (overview(place, province_boxes()), detail(place, known)) if m] if place else []
    told = look.get("error") and {**look["error"], **error_words(QianmoError(look["error"]["found"], expected=look["error"]["expected"], cure=look["error"]["cure"]))}
    shown = {"batch": batch, "look": look, "error": told, "fault": fault, "maps": maps, "encodings": _ENCODINGS, "title": batch.get("title") or _stem(batch),
             "offers_repair": any(s["fault"] == "crosses" and s["repaired"] for s in look.get("shapes", [])), "shapes": [_shown(s) for s in look.get("shapes", [])],
             "sketch": outline_sketch([s["geometry"] for s in look.get("shapes", [])], known.values())}  # fmt: skip
    return render(request, "desk/line_file.html", shown, status=status)


def _kept(request: HttpRequest, batch: Mapping[str, Any], look: Mapping[str, Any]) -> HttpResponse:
    chosen = [int(k) for k in request.POST.getlist("shape") if k.isdigit()]
    repair = "repair" in request.POST
    record = chosen_outline(look, chosen, repair=repair)
    told = {"files": look["sources"], "crs": look["crs"], "repaired": repair and any(look["shapes"][k]["fault"] == "crosses" for k in chosen)}
    made = keep_line(request, str(request.POST.get("title", "")).strip()[:120] or _stem(batch), record, source=told)
    remove_upload(project_folder(), str(batch["number"]))
    return redirect("line", number=made.number)


def _look(request: HttpRequest, number: str, *, crs: str = "", encoding: str = "") -> dict[str, Any]:
    look = look_at_red_line(upload_files(project_folder(), number), crs=crs, encoding=encoding, known=_known(request))
    keep_look(project_folder(), number, {**look, "said": {"crs": crs, "encoding": encoding}})
    return {**look, "said": {"crs": crs, "encoding": encoding}}


def _said(request: HttpRequest, name: str) -> str:
    """What was typed, before what was chosen."""
    return (str(request.POST.get(f"{name}_other", "")).strip() or str(request.POST.get(name, "")).strip())[:60]


def _known(request: HttpRequest) -> dict[str, tuple[float, float, float, float]]:
    found = {e.name: bounds_lonlat(layers().head(e.name)) for e in visible_entries(viewer_of(request)) if e.is_drawn}
    return {k: (b[0], b[1], b[2], b[3]) for k, b in found.items() if b}


def _stem(batch: Mapping[str, Any]) -> str:
    names = batch.get("names") or [""]
    return str(names[0]).rsplit(".", 1)[0][:120]


def _shown(shape: Mapping[str, Any]) -> dict[str, Any]:
    how = {"": _("polygon"), "closed": _("closed line"), "joined": _("lines joined to a ring"), "rows": _("points joined in the order of the rows")}
    fault = {"": "", "crosses": _("It crosses itself."), "outside": _("It lies outside the project area."), "large": _("It has too many vertices.")}
    return {**shape, "how": how[shape["how"]], "fault_word": fault[shape["fault"]], "can": not shape["fault"] or bool(shape["fault"] == "crosses" and shape["repaired"])}
