"""Tiles over HTTP: each asks for the right of its layer (瓦片服务)."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse

from qianmo.jobs.queries.changes import side
from qianmo.jobs.queries.rasters import raster_tile, raster_version
from qianmo.jobs.queries.tiles import picture_tile, vector_tile
from qianmo.web.authorise import compared_layers, shown_layer, shown_raster, viewer_of
from qianmo.web.desk import layers

__all__ = ["changes_tile", "layer_picture", "layer_tile", "raster_picture", "state_of"]

_SMALL = 64 << 10
"""Smaller tiles are sent as they are: packing takes longer than it saves in an office network. [bytes]"""


def layer_tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as vectors, from the state of this moment (矢量瓦片)."""
    return _tile(request, version, layer, zoom, column, row, vector_tile, "application/vnd.mapbox-vector-tile")


def layer_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as a picture, for small scales (底图瓦片)."""
    after = request.GET.get("after") == "1"
    return _tile(request, version, layer, zoom, column, row, partial(picture_tile, after=after), "image/png")


def changes_tile(request: HttpRequest, before: str, after: str, zoom: int, column: int, row: int) -> HttpResponse:
    """What changed between two sides, of one tile (变化瓦片)."""
    viewer = viewer_of(request)
    shown = compared_layers(viewer, side(before), side(after))
    return _answer(request, vector_tile(shown, zoom, column, row, region=viewer.region), "application/vnd.mapbox-vector-tile", keep=False)


def raster_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One tile of a raster (栅格瓦片)."""
    raster = shown_raster(viewer_of(request), layer)
    return _answer(request, raster_tile(raster, zoom, column, row), "image/png", keep=version == raster_version(layers(), layer))


def state_of(version: str) -> int:
    """The number of the kept state that a version word names; 0 for the present (瓦片版本)."""
    number, mark, _ = version.partition("~")
    return int(number) if mark and number.isdigit() and len(number) < 9 else 0


def _tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int, make: Callable[..., bytes], kind: str) -> HttpResponse:
    viewer, generation = viewer_of(request), state_of(version)
    shown = shown_layer(viewer, layer, generation)
    body = make(shown, zoom, column, row, region=viewer.region)
    return _answer(request, body, kind, keep=version == layers(generation).version(layer))


def _answer(request: HttpRequest, body: bytes, kind: str, *, keep: bool) -> HttpResponse:
    response = HttpResponse(body, content_type=kind, status=200 if body else 204)
    if len(body) > _SMALL and kind != "image/png" and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    if keep:
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response
