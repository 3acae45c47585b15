"""Rasters of a project on the web map (栅格图层)."""

from __future__ import annotations

import io
import threading
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from qianmo.jobs.queries.layers import MapLayers
from qianmo.schema.errors import MissingDataError
from qianmo.store.columns import file_stamp

if TYPE_CHECKING:
    from qianmo.store.map_raster import MapRaster

__all__ = ["raster_colours", "raster_of", "raster_tile", "raster_version"]

_HEIGHTS = ("dem", "dsm", "dtm", "height")
_SCALES = {
    "shade": ("#1f1f1f", "#8a8a86", "#ffffff"),
    "sequence": ("#ffffcc", "#c2e699", "#78c679", "#31a354", "#006837"),
    "diverging": ("#b2182b", "#ef8a62", "#f7f7f7", "#67a9cf", "#2166ac"),
    "class": ("#a6cee3", "#1f78b4", "#b2df8a", "#33a02c", "#fb9a99", "#e31a1c", "#fdbf6f", "#ff7f00", "#cab2d6", "#6a3d9a", "#ffff99", "#b15928"),
}
"""Colours from the least to the greatest value; of sinking ground red is down. [hex]"""

_making = threading.Lock()


def raster_version(layers: MapLayers, name: str) -> str:
    """A short word that changes when the raster changes (栅格版本).

    Raises
    ------
    MissingDataError
        The project has no such raster.
    """
    inode, moment, size = file_stamp(layers.project().state / "rasters" / f"{name}.tif")
    return f"{inode:x}-{moment & 0xFFFFFFFFFF:x}-{size:x}"


def raster_of(layers: MapLayers, name: str) -> MapRaster:
    """One raster of the current state, warped for the map when first asked for, when pictures of older states are swept away (栅格图层).

    Raises
    ------
    MissingDataError
        The project has no such raster, or it is empty.
    """
    from qianmo.store.map_raster import map_raster, sweep_rasters  # the library of rasters is large: loaded when one is shown

    if all(e.name != name or e.dataset.kind != "raster" for e in layers.entries()):
        raise MissingDataError(f"no raster {name!r} on the map", expected="a raster of the project", cure="choose a layer of the catalogue")
    target = layers.folder / ".map" / f"{name}-{raster_version(layers, name)}.tif"
    with _making:
        is_new = not target.is_file()
        made = map_raster(layers.project().state / "rasters" / f"{name}.tif", target, is_height=name.lower() in _HEIGHTS)
        if is_new:
            sweep_rasters(target.parent, keep=target)
    return made


def raster_tile(raster: MapRaster, zoom: int, column: int, row: int) -> bytes:
    """One tile as a PNG of 256 x 256 (栅格瓦片); empty where it lies outside."""
    from qianmo.store.map_raster import raster_block

    if not (0 <= zoom <= 24 and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
        raise MissingDataError(f"no tile {zoom}/{column}/{row}", expected="zoom 0 to 24, column and row inside it", cure="use the map page")
    block = raster_block(raster, zoom, column, row)
    if block is None or not block.any():
        return b""
    image = Image.fromarray(block, "P")
    image.putpalette(_palette(raster.how))
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, optimize=False, compress_level=1)
    return out.getvalue()


def raster_colours(raster: MapRaster) -> list[tuple[float, str]]:
    """Values with their colours for the legend, from the least (图例)."""
    if raster.how == "class":
        return [(v, _SCALES["class"][n % len(_SCALES["class"])]) for n, v in enumerate(raster.values)]
    colours = _SCALES[raster.how]
    return [(raster.low + (raster.high - raster.low) * n / (len(colours) - 1), c) for n, c in enumerate(colours)]


@cache
def _palette(how: str) -> bytes:
    colours = np.array([[int(c[n : n + 2], 16) for n in (1, 3, 5)] for c in _SCALES[how]], dtype=float)
    if how == "class":
        table = np.resize(colours, (255, 3))
    else:
        at = np.linspace(0, len(colours) - 1, 255)
        table = np.column_stack([np.interp(at, np.arange(len(colours)), colours[:, k]) for k in range(3)])
    return b"\xff\xff\xff" + np.rint(table).astype(np.uint8).tobytes()
