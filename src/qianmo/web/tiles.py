"""Tiles over HTTP: each asks for the right of its layer (瓦片服务)."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse

from qianmo.jobs.queries.changes import side
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.rasters import raster_tile, raster_version
from qianmo.jobs.queries.tiles import picture_tile, vector_tile
from qianmo.schema.desk import Viewer
from qianmo.web.authorise import compared_layers, compared_plans, shown_layer, shown_raster, viewer_of
from qianmo.web.desk import layers

__all__ = ["TILE_KINDS", "changes_tile", "layer_picture", "layer_tile", "plan_changes_tile", "raster_picture", "state_of", "tile_response"]

_SMALL = 160 << 10
"""Smaller tiles are sent as they are: packing takes longer than it saves in an office network. [bytes]"""

_NEAR = ("127.0.0.1", "::1")
"""Callers on this machine get tiles as they are: a browser here reads them faster than they are packed, and a proxy packs by its own rules."""

TILE_KINDS: dict[str, tuple[Callable[..., bytes], str]] = {"mvt": (vector_tile, "application/vnd.mapbox-vector-tile"), "png": (picture_tile, "image/png")}
"""What makes a tile, and its type, by the ending of its address."""


def layer_tile(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as vectors, from the state of this moment (矢量瓦片)."""
    return _tile(request, version, layer, (zoom, column, row), TILE_KINDS["mvt"])


def layer_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One layer of one tile as a picture, for small scales (底图瓦片)."""
    make, media = TILE_KINDS["png"]
    return _tile(request, version, layer, (zoom, column, row), (partial(make, after=request.GET.get("after") == "1"), media))


def changes_tile(request: HttpRequest, before: str, after: str, zoom: int, column: int, row: int) -> HttpResponse:
    """What changed between two sides, of one tile (变化瓦片)."""
    viewer = viewer_of(request)
    shown = compared_layers(viewer, side(before), side(after))
    return _answer(request, vector_tile(shown, zoom, column, row, region=viewer.region), TILE_KINDS["mvt"][1], keep=False)


def plan_changes_tile(request: HttpRequest, before: str, after: str, zoom: int, column: int, row: int) -> HttpResponse:
    """Patches on which two plans differ, of one tile (方案差异瓦片)."""
    viewer = viewer_of(request)
    shown = compared_plans(viewer, side(before), side(after))
    return _answer(request, vector_tile(shown, zoom, column, row, region=viewer.region), TILE_KINDS["mvt"][1], keep=False)


def raster_picture(request: HttpRequest, version: str, layer: str, zoom: int, column: int, row: int) -> HttpResponse:
    """One tile of a raster (栅格瓦片)."""
    raster = shown_raster(viewer_of(request), layer)
    return _answer(request, raster_tile(raster, zoom, column, row), "image/png", keep=version == raster_version(layers(), layer))


def state_of(version: str) -> int:
    """The number of the kept state that a version word names; 0 for the present (瓦片版本)."""
    number, mark, _ = version.partition("~")
    return int(number) if mark and number.isdigit() and len(number) < 9 else 0


def tile_response(
    request: HttpRequest, viewer: Viewer, shown: ShownLayer, version: str, place: tuple[int, int, int], kind: tuple[Callable[..., bytes], str]
) -> HttpResponse:
    """The tile of a layer that the viewer may see, for the browser to keep where its address is that of the state it shows (瓦片应答).

    Raises
    ------
    MissingDataError
        There is no such tile.
    """
    make, media = kind
    kept = layers(state_of(version))
    body = kept.tiles.get((shown.reading, viewer.region, place), partial(make, shown, *place, region=viewer.region)) if make is vector_tile else make(shown, *place, region=viewer.region)
    return _answer(request, body, media, keep=version == kept.version(shown.dataset.name))


def _tile(
    request: HttpRequest, version: str, layer: str, place: tuple[int, int, int], kind: tuple[Callable[..., bytes], str]
) -> HttpResponse:
    viewer = viewer_of(request)
    return tile_response(request, viewer, shown_layer(viewer, layer, state_of(version)), version, place, kind)


def _answer(request: HttpRequest, body: bytes, media: str, *, keep: bool) -> HttpResponse:
    response = HttpResponse(body, content_type=media)  # an empty tile too: after 204 the server closes the connection
    if len(body) > _SMALL and media != "image/png" and request.META.get("REMOTE_ADDR") not in _NEAR and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    if keep:
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response
