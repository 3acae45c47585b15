"""Tiles of a layer from its current state: vectors, and a picture for small scales (瓦片)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from PIL import Image

from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.tile_picture import TilePicture, picture_codes, tile_picture
from qianmo.geo.tile_rings import MAX_ZOOM, TileField, tile_window
from qianmo.jobs.queries.layers import LayerHead, ShownLayer
from qianmo.jobs.queries.styles import style_of
from qianmo.schema.errors import MissingDataError

__all__ = ["MAX_TILE_BYTES", "PICTURE_ZOOM", "bounds_lonlat", "picture_tile", "vector_tile", "wants_picture"]

MAX_TILE_BYTES = 500_000
"""No tile is larger; a fuller one is drawn on a coarser grid."""

PICTURE_ZOOM = 12
"""Deepest zoom at which a layer of many polygons is shown as a picture."""

_MANY = 4000

_BOUNDS = ("bounds",)
"""Key under which a head keeps its bounds, apart from the names of columns."""


def wants_picture(head: LayerHead) -> bool:
    """Whether small scales show the layer as a picture: many polygons would not fit a tile (是否用底图)."""
    return head.kind == 3 and head.outline.rows > _MANY


def vector_tile(shown: ShownLayer, zoom: int, column: int, row: int, *, region: str = "") -> bytes:
    """One layer of one tile as Map Vector Tile bytes (矢量瓦片).

    Parameters
    ----------
    zoom, column, row : int
        The tile in the usual numbering, row from the north; zoom at most 18.
    region : str
        First digits of the administrative code the viewer may see; '' shows all.

    Returns
    -------
    bytes
        At most 500,000; empty where nothing lies.

    Raises
    ------
    MissingDataError
        There is no such tile.
    """
    from qianmo.geo.vector_tile import layer_tile, rows_in  # compiled code, loaded with the first tile and not at the start

    _check(zoom, column, row)
    if zoom <= PICTURE_ZOOM and wants_picture(shown.head):
        return b""
    rows = rows_in(shown.rings, tile_window(zoom, column, row))
    allowed = shown.in_region(region) if region else None
    if allowed is not None:
        rows = rows[allowed[rows]]
    if not len(rows):
        return b""
    return layer_tile(shown.rings, rows, (zoom, column, row), name=shown.dataset.name, fields=_fields(shown), most=MAX_TILE_BYTES)


def picture_tile(shown: ShownLayer, zoom: int, column: int, row: int, *, region: str = "", after: bool = False) -> bytes:
    """One layer of one tile as a PNG of 256 x 256 with the class colours; of a plan also those it aims at (栅格底图瓦片).

    Raises
    ------
    MissingDataError
        There is no such tile.
    """
    _check(zoom, column, row)
    style = style_of(shown.head)
    symbols, by = (style.after_symbols, style.after) if after and style.after else (style.symbols, style.column)
    codes = picture_codes(_picture(shown, by, ["", *symbols], region), zoom, column, row)
    colours = [s.fill or "#d9d9d9" for s in symbols.values()] or [style.single.fill or "#d9d9d9"]
    image = Image.fromarray(np.minimum(codes, 255).astype(np.uint8), "P")
    image.putpalette(b"\xff\xff\xff" + b"".join(bytes.fromhex(c[1:]) for c in colours[:255]))
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, optimize=False, compress_level=6)
    return out.getvalue()


def _check(zoom: int, column: int, row: int) -> None:
    if not (0 <= zoom <= MAX_ZOOM and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
        raise MissingDataError(f"no tile {zoom}/{column}/{row}", expected=f"zoom 0 to {MAX_ZOOM}, column and row inside it", cure="use the map page")


def _fields(shown: ShownLayer) -> dict[str, TileField]:
    def make() -> dict[str, TileField]:
        style = style_of(shown.head)
        named = {"c": style.column, "n": style.label, "a": style.after}
        return {key: shown.coded(column) for key, column in named.items() if column}

    return _once(shown, "tile fields", make)


def _picture(shown: ShownLayer, column: str, values: list[str], region: str) -> TilePicture:
    def make() -> TilePicture:
        count = shown.table.num_rows
        codes = np.ones(count, np.int64)
        if column:
            coded = shown.coded(column)
            place = {v: n for n, v in enumerate(values)}
            codes = np.array([place.get(v, 0) for v in coded.values])[coded.codes]
        allowed = shown.in_region(region) if region else None
        return tile_picture(shown.rings, codes if allowed is None else np.where(allowed, codes, 0), zoom=PICTURE_ZOOM)

    return _once(shown, ("picture", column, region), make)


def _once(shown: ShownLayer, key: Any, make: Callable[[], Any]) -> Any:
    if key not in shown.made:
        shown.made[key] = make()
    return shown.made[key]


def bounds_lonlat(head: LayerHead) -> tuple[float, float, float, float] | None:
    """West, south, east and north of a layer; None where it is empty. [degree]"""
    if _BOUNDS not in head.made:
        head.made[_BOUNDS] = _bounds(head)
    return head.made[_BOUNDS]


def _bounds(head: LayerHead) -> tuple[float, float, float, float] | None:
    box = head.outline.box
    if box is None or not head.dataset.crs:
        return None
    corners = np.array([shapely.Point(box[0], box[1]), shapely.Point(box[2], box[3])], dtype=object)
    low, high = transform(corners, head.dataset.crs, CGCS2000)
    return low.x, low.y, high.x, high.y
