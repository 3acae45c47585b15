"""Reading GeoTIFF inside the reading process (子进程栅格读取)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.raw import Note

__all__ = ["read_raster_task"]

_AGAIN = "export the raster again as GeoTIFF 请重新导出为 GeoTIFF"


def read_raster_task(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    """Read each band to a .npy file beside a description (读取一个栅格来源).

    Raises
    ------
    UnsafeInputError
        Not readable, too large, complex numbers.
    """
    import rasterio
    from rasterio.errors import RasterioError

    name = f"s{task['id']}.tif"
    (out / name).symlink_to(task["parts"]["tif"])
    try:
        with rasterio.open(name, driver="GTiff") as opened:
            if opened.width * opened.height > task["cells_max"] or opened.count > task["bands_max"]:
                raise UnsafeInputError(
                    f"{task['origin']}: {opened.width} x {opened.height} x {opened.count}",
                    expected="a raster within the limits",
                    cure="cut the raster 请裁剪",
                )
            return [_band(opened, band, task, out) for band in range(1, opened.count + 1)]
    except (RasterioError, ValueError, IndexError) as error:
        raise UnsafeInputError(
            f"{task['origin']}: cannot be read ({str(error)[:200]})", expected="a complete GeoTIFF", cure=_AGAIN
        ) from None


def _band(opened: Any, band: int, task: dict[str, Any], out: Path) -> dict[str, Any]:
    values, notes = opened.read(band), []
    if values.dtype.kind not in "iuf":
        raise UnsafeInputError(
            f"{task['origin']}: cells of type {values.dtype}", expected="whole or decimal numbers", cure=_AGAIN
        )
    scale, offset = opened.scales[band - 1], opened.offsets[band - 1]
    if (scale, offset) != (1.0, 0.0):
        notes.append(
            Note(
                "scaled",
                "warning",
                "the file states a scale and offset; cells are given as stored",
                found=f"scale {scale}, offset {offset}",
                cure="apply value = cell * scale + offset 请按比例换算",
            )
        )
    transform = tuple(opened.transform)[:6]
    if opened.transform.is_identity and "tfw" in task["parts"]:
        transform, note = _world_file(Path(task["parts"]["tfw"]), task["origin"])
        notes.append(note)
    elif opened.transform.is_identity:
        notes.append(
            Note(
                "no_place",
                "error",
                "the raster says nothing about its place",
                expected="a geotransform or a .tfw",
                cure="give the raster with its .tfw, or georeference it 请提供 .tfw 或配准",
            )
        )
    if transform[1] or transform[3]:
        notes.append(
            Note(
                "rotated",
                "error",
                "the raster is rotated",
                found=str(transform),
                expected="rows to the east, columns to the south",
                cure="warp it to north up 请重采样为正北向",
            )
        )
    if values.dtype.kind == "f" and np.isinf(values).any():
        notes.append(
            Note(
                "not_finite",
                "warning",
                f"{int(np.isinf(values).sum())} cells are infinite",
                cure="set them to nodata 请设为无数据值",
            )
        )
    nodata = opened.nodatavals[band - 1]
    np.save(out / f"t{task['id']}_{band}.npy", values, allow_pickle=False)
    return {
        "item": "grid",
        "file": f"t{task['id']}_{band}.npy",
        "shape": list(values.shape),
        "dtype": str(values.dtype),
        "transform": list(transform),
        "crs": opened.crs.to_wkt() if opened.crs else None,
        "nodata": None if nodata is None else repr(float(nodata)),
        "bands": opened.count,
        "band": band,
        "notes": [asdict(n) for n in notes],
    }


def _world_file(path: Path, origin: str) -> tuple[tuple[float, ...], Note]:
    words = path.read_text(encoding="ascii", errors="replace").split()
    try:
        a, d, b, e, c, f = (float(w) for w in words)
    except ValueError:
        raise UnsafeInputError(
            f"{origin}: {path.name} does not hold six numbers", expected="a world file", cure="repair or remove it 请修正 .tfw"
        ) from None
    if not np.isfinite([a, b, c, d, e, f]).all() or a == 0 or e == 0:
        raise UnsafeInputError(
            f"{origin}: {path.name} gives cells without size", expected="finite numbers", cure="repair or remove it 请修正 .tfw"
        )
    corner = (a, b, c - (a + b) / 2, d, e, f - (d + e) / 2)
    return corner, Note("world_file", "info", "place taken from the .tfw", found=path.name)
