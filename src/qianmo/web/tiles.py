"""Tiles over HTTP: each asks for the right of its layer (瓦片服务)."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.tiles import picture_tile, vector_tile
from qianmo.schema.desk import Viewer
from qianmo.web.authorise import shown_layer, viewer_of
from qianmo.web.desk import layers

__all__ = ["TILE_KINDS", "layer_picture", "layer_tile", "tile_response"]

_SMALL = 160 << 10
"""Smaller tiles are sent as they are: packing takes longer than it saves in an office network. [bytes]"""


TILE_KINDS: dict[str, tuple[Callable[..., bytes], str]] = {"mvt": (vector_tile, "application/vnd.mapbox-vector-tile"), "png": (picture_tile, "image/png")}
"""What makes a tile, and its type, by the ending of its address."""


def layer_tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as vectors, from the state of this moment (矢量瓦片)."""
    return _tile(request, version, layer, (zoom, column, row), "mvt")


def layer_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as a picture, for small scales (底图瓦片)."""
    return _tile(request, version, layer, (zoom, column, row), "png")


def tile_response(
    request: HttpRequest, viewer: Viewer, shown: ShownLayer, version: str, place: tuple[int, int, int], kind: tuple[Callable[..., bytes], str]
) -> HttpResponse:
    """The tile of a layer that the viewer may see, for the browser to keep where its address is that of the present state (瓦片应答).

    Raises
    ------
    MissingDataError
        There is no such tile.
    """
    make, media = kind
    body = make(shown, *place, region=viewer.region)
    response = HttpResponse(body, content_type=media, status=200 if body else 204)
    if len(body) > _SMALL and media != "image/png" and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    if version == layers().version(shown.dataset.name):
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _tile(request: HttpRequest, version: str, layer: str, place: tuple[int, int, int], kind: str) -> HttpResponse:
    viewer = viewer_of(request)
    return tile_response(request, viewer, shown_layer(viewer, layer), version, place, TILE_KINDS[kind])
