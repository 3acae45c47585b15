"""Tiles over HTTP: each asks for the right of its layer (瓦片服务)."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.tiles import picture_tile, vector_tile
from qianmo.web.authorise import shown_layer, viewer_of
from qianmo.web.desk import layers

__all__ = ["layer_picture", "layer_tile"]

_SMALL = 64 << 10
"""Smaller tiles are sent as they are: packing takes longer than it saves in an office network. [bytes]"""


def layer_tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as vectors, from the state of this moment (矢量瓦片)."""
    return _tile(request, version, layer, zoom, column, row, vector_tile, "application/vnd.mapbox-vector-tile")


def layer_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as a picture, for small scales (底图瓦片)."""
    return _tile(request, version, layer, zoom, column, row, picture_tile, "image/png")


def _tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int, make: Callable[..., bytes], kind: str) -> HttpResponse:
    viewer = viewer_of(request)
    shown: ShownLayer = shown_layer(viewer, layer)
    body = make(shown, zoom, column, row, region=viewer.region)
    response = HttpResponse(body, content_type=kind, status=200 if body else 204)
    if len(body) > _SMALL and kind != "image/png" and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    if version == layers().version(layer):
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response
