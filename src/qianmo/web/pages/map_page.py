"""The one map and the description of its layers (一张图)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language

from qianmo.jobs.queries.catalogue import CatalogueEntry, subjects
from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.rasters import raster_colours, raster_version
from qianmo.jobs.queries.states import kept_states
from qianmo.jobs.queries.styles import style_of
from qianmo.jobs.queries.tiles import PICTURE_ZOOM, bounds_lonlat, wants_picture
from qianmo.schema.errors import MissingDataError
from qianmo.web.authorise import DEFAULT_DEMAND, demands, may, shown_raster, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.frame import unit_of
from qianmo.web.map_words import map_words
from qianmo.web.words import WORDED_UNITS, both, level_word, local_time, unit_word, value_unit

__all__ = ["map_style", "raster_style", "show_map"]


def show_map(request: HttpRequest) -> HttpResponse:
    """The page of the map; it says so where the map was not built."""
    settings = {"language": "zh" if (get_language() or "zh").startswith("zh") else "en", "unit": unit_of(request), "mayOverlay": may(viewer_of(request), "overlay"), "mayRun": may(viewer_of(request), "run"),
                "mayEdit": may(viewer_of(request), "run") and not viewer_of(request).region,
                "words": map_words() | {f"unit-{u}": value_unit(u) for u in WORDED_UNITS}, "units": {u: unit_word(u) for u in ("mu", "ha", "m2")}}  # fmt: skip
    return render(request, "desk/map.html", {"built": _built(), "settings": settings, "print_fields": ("layers", "west", "south", "east", "north", "size", "title", "number", "office", "drawn", "checked", "approved")})


def map_style(request: HttpRequest) -> HttpResponse:
    """Layers the person may see with colours, legend and box, from the top down."""
    viewer, generation = viewer_of(request), _state(request)
    titles = {s: both(zh, en) for s, (zh, en) in subjects().items()}
    asked = demands(generation)
    found = [_layer(layers(generation), e, titles[e.subject], level_word(asked.get(e.name, DEFAULT_DEMAND).secrecy)) for e in visible_entries(viewer, generation) if e.is_drawn]
    if not generation:
        layers().warm([f["name"] for f in found])
    now = layers().project().generation
    states = [{"number": s.number, "what": s.what, "time": local_time(s.time)} for s in kept_states(layers().folder) if s.number != now]
    rasters = [_raster(e, titles[e.subject]) for e in visible_entries(viewer) if e.dataset.kind == "raster"] if not generation else []
    body = {"rasters": rasters, "layers": [f for f in found if f["box"]], "pictureZoom": PICTURE_ZOOM, "generation": generation or now, "states": states}
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-store"
    return response


def raster_style(request: HttpRequest, layer: str) -> HttpResponse:
    """Box, deepest zoom and legend of one raster; it is warped for the map when this is first asked for."""
    raster = shown_raster(viewer_of(request), layer)
    legend = [{"value": v, "colour": c} for v, c in raster_colours(raster)]
    return JsonResponse({"box": raster.box, "zoom": raster.zoom, "legend": legend, "how": raster.how})


def _raster(entry: CatalogueEntry, subject: str) -> dict[str, Any]:
    d = entry.dataset
    return {"name": d.name, "title": both(d.zh, d.name.replace("_", " ")), "subject": subject, "version": raster_version(layers(), d.name),
            "synthetic": d.synthetic, "vintage": d.vintage}  # fmt: skip


def _state(request: HttpRequest) -> int:
    word = request.GET.get("at", "")
    if word and not (word.isdigit() and len(word) < 9):
        raise MissingDataError(f"no state {word!r} of the project", expected="a number", cure="choose it on the map page")
    return int(word or 0)


def _symbols(symbols: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"value": v, "label": s.label, "fill": s.fill, "edge": s.edge, "hatch": s.hatch} for v, s in symbols.items()]


def _layer(kept: MapLayers, entry: CatalogueEntry, subject: str, secrecy: str) -> dict[str, Any]:
    head = kept.head(entry.name)
    style, d = style_of(head), head.dataset
    single = {"label": style.single.label, "fill": style.single.fill, "edge": style.single.edge, "width": style.single.width_pt, "hatch": style.single.hatch}
    return {
        "name": d.name, "title": both(d.zh, d.name.replace("_", " ")), "subject": subject, "rank": entry.rank, "kind": d.kind, "geometry": head.kind,
        "version": kept.version(d.name), "picture": wants_picture(head), "column": style.column, "label": style.label, "symbols": _symbols(style.symbols), "single": single,
        "afterSymbols": _symbols(style.after_symbols),
        "box": bounds_lonlat(head), "synthetic": d.synthetic, "vintage": d.vintage, "source": d.lineage.source,
        "secrecy": secrecy, "stored": local_time(d.lineage.time)[:10], "rows": d.rows,
    }  # fmt: skip


def _built() -> dict[str, Any] | None:
    """Addresses of the built map; None where it was not built."""
    manifest = files("qianmo.web") / "static" / "map" / "manifest.json"
    if not manifest.is_file():
        return None
    entry = json.loads(manifest.read_text(encoding="utf-8"))["src/main.ts"]
    return {"script": static(f"map/{entry['file']}"), "styles": [static(f"map/{c}") for c in entry.get("css", [])]}
