"""One row of a layer with all its fields (要素页)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from qianmo.jobs.queries.identify import identify, one_row, row_number
from qianmo.jobs.queries.search import place_of
from qianmo.web.authorise import hidden_columns, shown_layer, shown_layers, viewer_of
from qianmo.web.known_here import known_of

__all__ = ["show_row"]


def show_row(request: HttpRequest, layer: str, key: str) -> HttpResponse:
    """Fields of the row, and what else lies at its inner point."""
    viewer = viewer_of(request)
    shown = shown_layer(viewer, layer)
    number = row_number(shown, key, region=viewer.region)
    found = one_row(shown, number, region=viewer.region, hidden=hidden_columns(viewer))
    place = place_of(shown, number)
    here = identify(shown_layers(viewer), place.lon, place.lat, region=viewer.region, hidden=hidden_columns(viewer))
    others = [f for f in here if (f.layer, f.row) != (layer, number)]
    known = known_of(viewer, found.key, str(found.value("village_code") or "")) if shown.dataset.name == "landuse_patch" else None
    return render(request, "desk/row.html", {"found": found, "others": others, "place": place, "dataset": shown.dataset, "known": known})
