"""Tables of single things as Excel files: steps of an import, files of red lines, an overlay that is not kept, a row, sessions (单项导出)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from qianmo.jobs.queries.identify import one_row, row_number
from qianmo.jobs.queries.page_tables import red_line_table
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.jobs.queries.uploads import look_of
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.web.authorise import hidden_columns, shown_layer, shown_layers, upload_for, viewer_of
from qianmo.web.desk import project_folder
from qianmo.web.forms import RedLineForm
from qianmo.web.known_here import known_of
from qianmo.web.models import Person
from qianmo.web.session_watch import sessions_of
from qianmo.web.sheets import Head, Sheet, excel
from qianmo.web.words import both, said, table_word

__all__ = ["import_table", "line_file_table", "overlay_table", "row_table", "sessions_table"]


def import_table(request: HttpRequest, number: str, table: str) -> HttpResponse:
    """One table of the steps of an import: texts by encoding, places, repairs, layers."""
    upload_for(viewer_of(request), str(number))
    look = look_of(project_folder(), str(number))
    return excel(_chosen(table, {"encodings": _encodings, "places": _places, "repairs": _repairs, "layers": _layers})(look), stem="import")


def line_file_table(request: HttpRequest, number: str, table: str) -> HttpResponse:
    """One table of an uploaded red line: places or outlines."""
    upload_for(viewer_of(request), str(number), kind="red-line")
    look = look_of(project_folder(), str(number))
    made = _chosen(table, {"places": lambda told: _places({"layers": [{"name": _named(told), "place": told.get("place")}]}), "outlines": _outlines})
    return excel(made(look), stem="red-line")


def overlay_table(request: HttpRequest) -> HttpResponse:
    """What a red line that was drawn and not kept covers; nothing is kept.

    Raises
    ------
    SchemaError, TopologyError
        It is no outline that can be laid over.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer, form = viewer_of(request), RedLineForm({"title": request.POST.get("title", "").strip() or _("Red line"), "shape": request.POST.get("shape", "")})
    if not form.is_valid():
        raise SchemaError("the outline is no GeoJSON", expected="a polygon", cure="draw it again on the map (请在地图上重新绘制)")
    line = red_line_from(form.cleaned_data["record"])
    covered = [asdict(c) for c in over_layers(shown_layers(viewer), line, region=viewer.region)]
    response = HttpResponse(red_line_table(form.cleaned_data["title"], line.area_m2, covered), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = 'attachment; filename="red-line.xlsx"'
    return response


def row_table(request: HttpRequest, layer: str, table: str, key: str) -> HttpResponse:
    """Fields of a row, or the history of a patch."""
    viewer = viewer_of(request)
    shown = shown_layer(viewer, layer)
    found = one_row(shown, row_number(shown, key, region=viewer.region), region=viewer.region, hidden=hidden_columns(viewer))
    if table == "fields":
        rows: list[dict[str, Any]] = [{"name": v.name, "zh": both(v.zh, v.name), "value": v.value, "unit": v.unit, "meaning": v.meaning} for v in found.values]
        heads = (("name", _("Column"), "code"), ("zh", _("Name")), ("value", _("Value")), ("unit", _("Unit")), ("meaning", _("Meaning")))
    elif table == "history" and layer == "landuse_patch":
        rows = known_of(viewer, found.key, str(found.value("village_code") or ""))["history"]
        heads = (("number", _("Version"), "count"), ("what", _("Change")), ("user", _("Person")), ("time", _("Stored")), ("class_code", _("Class"), "code"), ("class_zh", _("Land use")), ("area_m2", _("Area"), "area"),
                 ("measure_zh", _("Plan")), ("target_class", _("Class it leads to"), "code"))  # type: ignore[assignment]  # fmt: skip
    else:
        raise MissingDataError(f"no table {table!r}", expected="fields, history", cure="start from the page of the row")
    return excel(_sheet(table, f"{found.layer_zh} {found.key}", heads, rows), stem="row")


def sessions_table(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in."""
    kept = sessions_of(request.user) if isinstance(request.user, Person) else []
    rows = [{"agent": s.agent, "from": s.came_from, "since": f"{s.since:%Y-%m-%d %H:%M}" if s.since else "", "seen": f"{s.seen:%Y-%m-%d %H:%M}" if s.seen else ""} for s in kept]
    return excel(_sheet("sessions", _("Where I am signed in"), (("agent", _("Browser")), ("from", _("Address"), "code"), ("since", _("Signed in")), ("seen", _("Last used"))), rows), stem="account")


def _chosen(table: str, known: Mapping[str, Callable[[Mapping[str, Any]], Sheet]]) -> Callable[[Mapping[str, Any]], Sheet]:
    if table not in known:
        raise MissingDataError(f"no table {table!r}", expected=", ".join(known), cure="start from the page of the upload")
    return known[table]


def _encodings(look: Mapping[str, Any]) -> Sheet:
    rows = [
        {"file": _file(r), "encoding": c["value"], "score": c["score"], "chosen": _yes(c["value"] == r["encoding"].get("chosen")), "texts": " | ".join(c.get("texts", ()))}
        for r in look.get("sources", ()) if r.get("encoding") for c in r["encoding"].get("candidates", ())
    ]  # fmt: skip
    heads = (("file", _("File")), ("encoding", _("Text encoding"), "code"), ("score", _("Score"), "number"), ("chosen", _("Chosen")), ("texts", _("Texts as each encoding reads them")))
    return _sheet("encodings", _("Text encoding"), heads, rows)


def _places(look: Mapping[str, Any]) -> Sheet:
    rows = [
        {"file": _file(r), "crs": c["value"], "name": c.get("name", ""), "score": c["score"], "chosen": _yes(c["value"] == r["place"].get("chosen")), "why": "; ".join(said(w) for w in c.get("reasons", ())),
         **dict(zip(("west", "south", "east", "north"), c.get("box") or (None,) * 4, strict=True))}
        for group in ("sources", "layers") for r in look.get(group, ()) if r.get("place") for c in r["place"].get("candidates", ())
    ]  # fmt: skip
    heads = (("file", _("File")), ("crs", _("Reference system"), "code"), ("name", _("Name")), ("score", _("Score"), "number"), ("chosen", _("Chosen")), ("why", _("Reasons")), ("west", _("West"), "number"),
             ("south", _("South"), "number"), ("east", _("East"), "number"), ("north", _("North"), "number"))  # fmt: skip
    return _sheet("places", _("Candidates"), heads, rows)


def _repairs(look: Mapping[str, Any]) -> Sheet:
    rows = [{**r, "layer": table_word(r["layer"]), "what": both(r["what"], r["kind"]), "rows": "、".join(map(str, r["rows"]))} for r in look.get("repairs", ())]
    heads = (("layer", _("Layer")), ("what", _("Repair")), ("count", _("Number of rows"), "count"), ("rows", _("First rows")), ("change_m2", f"{_('Change of area')} (m²)", "number"))
    return _sheet("repairs", _("What would be repaired"), heads, rows)


def _layers(look: Mapping[str, Any]) -> Sheet:
    rows = [
        {"layer": _file(r), "what": table_word(r["table"].get("chosen") or r.get("role") or r.get("kind", "")), "crs": (r.get("place") or {}).get("chosen", ""),
         "scheme": (r.get("scheme") or {}).get("chosen", ""), "rows": r.get("rows")}
        for r in look.get("layers", ()) if not r.get("skip")
    ]  # fmt: skip
    return _sheet("layers", _("Layers"), (("layer", _("Layer")), ("what", _("What the layer is")), ("crs", _("Reference system"), "code"), ("scheme", _("Classification")), ("rows", _("Rows"), "count")), rows)


def _outlines(look: Mapping[str, Any]) -> Sheet:
    rows = [{"number": k, **s} for k, s in enumerate(look.get("shapes", ()), start=1)]
    return _sheet("outlines", _("Outlines of the file"), (("number", _("No."), "count"), ("name", _("Name")), ("vertices", _("Vertices"), "count"), ("area_m2", _("Area"), "area"), ("fault", _("Fault"), "code")), rows)


def _file(row: Mapping[str, Any]) -> str:
    return str(row.get("name", "")).replace("upload/", "")


def _named(look: Mapping[str, Any]) -> str:
    return " · ".join(look.get("sources", ()))


def _yes(is_so: bool) -> str:
    return _("yes") if is_so else ""


def _sheet(name: str, title: str, heads: Sequence[tuple[str, ...]], rows: Sequence[Mapping[str, Any]]) -> Sheet:
    return Sheet(name, title, tuple(Head(*h) for h in heads), rows)
