"""Rasters of a project warped once for the web map, and read tile by tile (网页栅格)."""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.windows import Window

from qianmo.geo.raster import Grid
from qianmo.schema.errors import MissingDataError
from qianmo.store.read_cog import read_cog

__all__ = ["MapRaster", "map_raster", "raster_block", "sweep_rasters"]

_HALF_M = math.pi * 6378137.0
_SIDE = 256
_FEW = 24
"""Whole numbers of at most this many values are classes, not quantities."""
_ABANDONED_S = 3600.0
"""A half-written picture that was not touched for this long has nobody who writes it. [s]"""


@dataclass(frozen=True)
class MapRaster:
    """A raster ready for the map (网页栅格): its file, deepest zoom, box in degrees, what index 1 and 255 stand for, and how it
    is coloured: ``shade``, ``diverging`` (index 128 is zero), ``sequence`` or ``class`` (then `values` are those of 1, 2, …)."""

    path: Path
    zoom: int
    box: tuple[float, float, float, float]
    low: float
    high: float
    how: str
    values: tuple[float, ...] = ()


def map_raster(source: Path, target: Path, *, is_height: bool) -> MapRaster:
    """The raster in web mercator with blocks that are tiles; made where `target` is not there yet (栅格入图).

    Values become whole numbers from 1 to 255, 0 where nothing was measured: a relief lit from the north-west where
    `is_height`, else the range from the second to the ninety-eighth percentile, about zero where it holds both signs.

    Raises
    ------
    MissingDataError
        The source is not there, or holds no value.
    """
    facts = target.with_suffix(".json")
    if not (target.is_file() and facts.is_file()):
        _warp(read_cog(source), target, facts, is_height=is_height)
    record = json.loads(facts.read_text(encoding="utf-8"))
    return MapRaster(target, int(record["zoom"]), tuple(record["box"]), record["low"], record["high"], record["how"], tuple(record["values"]))


def sweep_rasters(folder: Path, *, keep: Path, versions: int = 2, most_bytes: int = 4 << 30) -> tuple[Path, ...]:
    """Remove pictures of older states from the folder of the map (清理栅格缓存); what is removed is made again when it is asked for.

    Parameters
    ----------
    folder : Path
        Folder of files ``NAME-VERSION.tif`` with their ``.json``, where a version holds two hyphens.
    keep : Path
        The picture in use; it stays whatever its size.
    versions : int
        Versions of one raster that stay, the newest first: with two, an undo finds its picture again.
    most_bytes : int
        Bytes of all pictures together; beyond it the oldest go first.

    Returns
    -------
    tuple of Path
        Pictures that were removed, and half-written files that nobody writes any more.
    """
    pictures = sorted((p for p in folder.glob("*.tif") if p != keep), key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)
    kept: dict[str, int] = {_raster_name(keep): 1}
    left = most_bytes - (keep.stat().st_size if keep.is_file() else 0)
    gone = [p for p in folder.glob("*.part") if time.time() - p.stat().st_mtime > _ABANDONED_S]
    for picture in pictures:
        name, size = _raster_name(picture), picture.stat().st_size
        if kept.get(name, 0) >= versions or size > left:
            gone.append(picture)
        else:
            kept[name] = kept.get(name, 0) + 1
            left -= size
    for path in gone:
        with suppress(OSError):  # a reader on Windows still holds it: the next sweep takes it
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)
    return tuple(gone)


def raster_block(raster: MapRaster, zoom: int, column: int, row: int) -> np.ndarray | None:
    """The 256 x 256 numbers of one tile; None where it lies outside (栅格瓦片)."""
    span = 2 * _HALF_M / (1 << zoom)
    west, north = column * span - _HALF_M, _HALF_M - row * span
    try:
        with rasterio.open(raster.path, driver="GTiff") as opened:
            cell = opened.transform.a
            left, top = (west - opened.transform.c) / cell, (opened.transform.f - north) / cell
            side = span / cell
            x0, y0 = max(round(left), 0), max(round(top), 0)
            x1, y1 = min(round(left + side), opened.width), min(round(top + side), opened.height)
            if x1 <= x0 or y1 <= y0 or zoom > raster.zoom:
                return None
            scale = _SIDE / side
            a, b, c, d = (round((v - o) * scale) for v, o in ((x0, left), (y0, top), (x1, left), (y1, top)))
            out = np.zeros((_SIDE, _SIDE), np.uint8)
            if c > a and d > b:
                out[b:d, a:c] = opened.read(1, window=Window(x0, y0, x1 - x0, y1 - y0), out_shape=(d - b, c - a), resampling=Resampling.nearest)
            return out
    except RasterioError as fault:
        raise MissingDataError(f"the picture of raster {raster.path.stem} cannot be read", cure="delete the folder .map of the project; it is made again") from fault


def _raster_name(picture: Path) -> str:
    return picture.stem.rsplit("-", 3)[0]


def _warp(grid: Grid, target: Path, facts: Path, *, is_height: bool) -> None:
    if not grid.valid.any():
        raise MissingDataError(f"raster {target.stem} holds no value", expected="cells with values", cure="ingest it again")
    index, low, high, how, values = _indexed(grid, is_height=is_height)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    profile = {"driver": "GTiff", "height": index.shape[0], "width": index.shape[1], "count": 1, "dtype": "uint8", "nodata": 0,
               "crs": rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()), "transform": grid.transform}  # fmt: skip
    smooth = "NEAREST" if how == "class" else "BILINEAR"
    with MemoryFile() as memory:
        with memory.open(**profile) as made:
            made.write(index, 1)
        copy(memory.name, str(part), driver="COG", tiling_scheme="GoogleMapsCompatible", compress="DEFLATE", warp_resampling=smooth,
             overview_resampling="NEAREST" if how == "class" else "AVERAGE", add_alpha="NO", sparse_ok="YES", blocksize=_SIDE)  # fmt: skip
    with rasterio.open(part, driver="GTiff") as opened:
        zoom = round(math.log2(2 * _HALF_M / _SIDE / opened.transform.a))
        bounds = rasterio.warp.transform_bounds(opened.crs, "EPSG:4326", *opened.bounds)
    record = {k: v for k, v in asdict(MapRaster(target, zoom, bounds, low, high, how, values)).items() if k != "path"}
    os.replace(part, target)
    part.write_text(json.dumps(record), encoding="utf-8")
    os.replace(part, facts)


def _indexed(grid: Grid, *, is_height: bool) -> tuple[np.ndarray, float, float, str, tuple[float, ...]]:
    valid = grid.valid
    values = grid.values.astype(np.float64)
    held = values[valid]
    classes = np.unique(held) if grid.values.dtype.kind in "iu" else np.empty(0)
    if 0 < len(classes) <= _FEW and not is_height:
        index = np.where(valid, np.searchsorted(classes, values) + 1, 0)
        return index.astype(np.uint8), float(classes[0]), float(classes[-1]), "class", tuple(classes.tolist())
    if is_height:
        shade = _relief(np.where(valid, values, held.mean()), abs(grid.transform.a), abs(grid.transform.e))
        return np.where(valid, 1 + np.rint(shade * 254), 0).astype(np.uint8), float(held.min()), float(held.max()), "shade", ()
    low, high = (float(v) for v in np.percentile(held, [2, 98]))
    how = "sequence"
    if low < 0 < high:
        low, high, how = -max(-low, high), max(-low, high), "diverging"
    share = np.clip((np.where(valid, values, low) - low) / ((high - low) or 1.0), 0, 1)
    return np.where(valid, 1 + np.rint(share * 254), 0).astype(np.uint8), low, high, how, ()


def _relief(height: np.ndarray, cell_x: float, cell_y: float) -> np.ndarray:
    """Light on a surface from the north-west at 45 degrees, 0 to 1 (晕渲)."""
    down, right = np.gradient(height, cell_y, cell_x)
    normal = 1.0 / np.sqrt(1.0 + right**2 + down**2)
    light = (right + down) * 0.5 + math.sqrt(0.5)
    return np.clip(light * normal, 0, 1)
