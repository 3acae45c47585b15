"""From checked GeoTIFF sources to raw grids (栅格读取)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import RawGrid, Source, note_of
from qianmo.store.sandbox import run_guarded, task_of

__all__ = ["grids_of", "read_grids"]


def read_grids(source: Source, *, workdir: Path, limits: Limits, mapped: bool = False) -> list[RawGrid]:
    """Bands of one checked GeoTIFF, one grid a band (读取栅格).

    With `mapped` the values stay on disk in `workdir` and are read as they are used; the folder must outlive the grids.

    Raises
    ------
    UnsafeInputError
        The reading process refused or died, or what it gave contradicts its description.
    """
    answer = run_guarded(
        [task_of(source, encoding=None, limits=limits)],
        read=[p.resolve() for p in source.parts.values()],
        workdir=workdir,
        limits=limits,
    )[0]
    if isinstance(answer, Exception):
        raise answer
    return grids_of(source, answer["items"], Path(answer["folder"]), limits, mapped=mapped)


def grids_of(source: Source, items: Sequence[Mapping[str, Any]], folder: Path, limits: Limits, *, mapped: bool = False) -> list[RawGrid]:
    """Grids from the descriptions and .npy files of the reading process, checked again here (栅格复核).

    Raises
    ------
    UnsafeInputError
        Shape, type or size contradict the description.
    """
    return [_grid(source, item, folder / item["file"], limits, mapped=mapped) for item in items]


def _grid(source: Source, item: Mapping[str, Any], path: Path, limits: Limits, *, mapped: bool) -> RawGrid:
    try:
        values = np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None)
    except (ValueError, OSError, EOFError) as error:
        raise UnsafeInputError(
            f"{source.origin}: the reader's answer is broken ({error})", expected="a grid", cure="read the source again 请重试"
        ) from None
    if (
        list(values.shape) != item["shape"]
        or values.ndim != 2
        or values.size > limits.cells_max
        or values.dtype.kind not in "iuf"
    ):
        raise UnsafeInputError(
            f"{source.origin}: the reader gave {values.shape} of {values.dtype}",
            expected=f"{item['shape']} of numbers",
            cure="read the source again 请重试",
        )
    transform = Affine(*(float(v) for v in item["transform"]))
    if not np.isfinite(list(transform)).all() or transform.determinant == 0:
        raise UnsafeInputError(
            f"{source.origin}: cells without size or place {tuple(transform)[:6]}",
            expected="a finite geotransform",
            cure="georeference the raster again 请重新配准",
        )
    notes = (*source.notes, *(note_of(n) for n in item["notes"]))
    nodata = None if item["nodata"] is None else float(item["nodata"])
    name = source.stem if item["bands"] == 1 else f"{source.stem}_{item['band']}"
    return RawGrid(
        values,
        transform,
        item["crs"] or source.declared_crs_wkt,
        nodata,
        name,
        source.sha256,
        str(values.dtype),
        int(item["bands"]),
        int(item["band"]),
        source.origin,
        notes,
    )
