"""The one map and the description of its layers (一张图)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qianmo.jobs.queries.catalogue import subjects
from qianmo.jobs.queries.layers import LayerHead
from qianmo.jobs.queries.styles import style_of
from qianmo.jobs.queries.tiles import PICTURE_ZOOM, bounds_lonlat, wants_picture
from qianmo.web.authorise import may, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.frame import unit_of
from qianmo.web.words import both, unit_word

__all__ = ["map_style", "show_map"]


def show_map(request: HttpRequest) -> HttpResponse:
    """The page of the map; it says so where the map was not built."""
    settings = {"language": "zh" if (get_language() or "zh").startswith("zh") else "en", "unit": unit_of(request), "mayOverlay": may(viewer_of(request), "overlay"),
                "words": _words(), "units": {u: unit_word(u) for u in ("mu", "ha", "m2")}}  # fmt: skip
    return render(request, "desk/map.html", {"built": _built(), "settings": settings})


def map_style(request: HttpRequest) -> HttpResponse:
    """Layers the person may see with colours, legend and box, from the top down."""
    viewer = viewer_of(request)
    titles = {s: both(zh, en) for s, (zh, en) in subjects().items()}
    found = [_layer(layers().head(e.name), titles[e.subject], e.rank) for e in visible_entries(viewer) if e.is_drawn]
    layers().warm([f["name"] for f in found])
    response = JsonResponse({"layers": [f for f in found if f["box"]], "pictureZoom": PICTURE_ZOOM}, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-store"
    return response


def _layer(head: LayerHead, subject: str, rank: int) -> dict[str, Any]:
    style, d = style_of(head), head.dataset
    symbols = [{"value": v, "label": s.label, "fill": s.fill, "edge": s.edge, "hatch": s.hatch} for v, s in style.symbols.items()]
    single = {"label": style.single.label, "fill": style.single.fill, "edge": style.single.edge, "width": style.single.width_pt, "hatch": style.single.hatch}
    return {
        "name": d.name, "title": both(d.zh, d.name.replace("_", " ")), "subject": subject, "rank": rank, "kind": d.kind, "geometry": head.kind,
        "version": layers().version(d.name), "picture": wants_picture(head), "column": style.column, "label": style.label, "symbols": symbols, "single": single,
        "box": bounds_lonlat(head), "synthetic": d.synthetic, "vintage": d.vintage, "source": d.lineage.source,
    }  # fmt: skip


def _built() -> dict[str, Any] | None:
    """Addresses of the built map; None where it was not built."""
    manifest = files("qianmo.web") / "static" / "map" / "manifest.json"
    if not manifest.is_file():
        return None
    entry = json.loads(manifest.read_text(encoding="utf-8"))["src/main.ts"]
    return {"script": static(f"map/{entry['file']}"), "styles": [static(f"map/{c}") for c in entry.get("css", [])]}


def _words() -> dict[str, str]:
    return {
        "layers": _("Layers"), "legend": _("Legend"), "search": _("Search"), "searchHint": _("Code, place, name or coordinates"), "nothing": _("Nothing found."),
        "here": _("What lies here"), "close": _("Close"), "draw": _("Draw a red line"), "drawing": _("Click to add corners; double-click or Enter ends, Backspace takes one back, Esc stops."),
        "report": _("Red line overlay"), "keep": _("Keep this red line"), "area": _("Area"), "rows": _("Rows"), "layer": _("Layer"),
        "synthetic": _("synthetic"), "open": _("Open page"), "failed": _("The request failed:"),
        "noWebgl": _("This browser cannot draw the map (WebGL is off). The tables of each layer stay usable."), "title": _("Title"), "unit": _("Unit of area"),
        "source": _("Source"), "date": _("Date"), "measured": _("Ellipsoidal area"), "zoomIn": _("Zoom in"), "zoomOut": _("Zoom out"),
    }  # fmt: skip
