"""A layer or table as compact columns, without building rows (列式读取)."""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qianmo.schema.errors import MissingDataError

__all__ = ["LayerOutline", "distinct_values", "file_stamp", "matching_rows", "read_columns", "read_outline", "release_memory", "steady_memory"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Names of settings of the C library, as in malloc.h."""


@dataclass(frozen=True)
class LayerOutline:
    """What the head of a GeoParquet file tells (图层概况): rows, columns, kinds of geometry, and box in its CRS."""

    rows: int
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    box: tuple[float, float, float, float] | None


def read_outline(path: Path) -> LayerOutline:
    """The head of a layer's file, without reading its rows (图层概况).

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    file_stamp(path)
    meta = pq.read_metadata(path)
    geometry = json.loads((meta.metadata or {}).get(b"geo", b"{}")).get("columns", {}).get("geometry", {})
    box = geometry.get("bbox")
    whole = tuple(float(v) for v in box) if box and len(box) == 4 and all(v == v for v in box) else None
    return LayerOutline(meta.num_rows, tuple(meta.schema.to_arrow_schema().names), tuple(geometry.get("geometry_types", ())), whole)  # type: ignore[arg-type]


def distinct_values(path: Path, column: str) -> tuple[str, ...]:
    """Texts that occur in a column, sorted, without reading the others (取值).

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    file_stamp(path)
    found = pc.unique(pq.read_table(path, columns=[column]).column(column)).to_pylist()
    return tuple(sorted(str(v) for v in found if v not in (None, "")))


def file_stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced (文件标记): its number, time and size. States that share a file share the stamp.

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    try:
        found = path.stat()
    except OSError:
        raise MissingDataError(f"no table {path.stem} in the project", cure="run the job that makes it first") from None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_columns(path: Path) -> pa.Table:
    """All columns of a Parquet file, text by code and dictionary, geometry as WKB (列表).

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    file_stamp(path)
    schema = pq.read_schema(path)
    text = [f.name for f in schema if pa.types.is_large_string(f.type) or pa.types.is_string(f.type)]
    return pq.read_table(path, read_dictionary=text, use_threads=False, pre_buffer=False).unify_dictionaries().combine_chunks()


def matching_rows(path: Path, column: str, value: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows whose text in one column is a value, with some columns, '' for those the file lacks; the other rows are not kept (按值取行).

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    file_stamp(path)
    held = pq.read_schema(path).names
    if column not in held:
        return []
    found = pq.read_table(path, columns=list(dict.fromkeys([column, *(c for c in columns if c in held)])), filters=[(column, "=", value)])
    return [{c: row.get(c, "") for c in columns} for row in found.to_pylist()]


def steady_memory() -> None:
    """Settings of a process that runs for days (长驻进程内存): what is read once goes back to the system when it is let go.

    Large pieces are taken from the system one by one, whoever asks for them, and threads share two heaps; without it the freed parts of a layer
    stay scattered over the heaps of eight threads.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        option = getattr(ctypes.CDLL(None), "mallopt", None)
        if option is not None:
            for name, value in ((_M_ARENA_MAX, 2), (_M_MMAP_THRESHOLD, 1 << 20), (_M_TRIM_THRESHOLD, 8 << 20)):
                option(name, value)


def release_memory() -> None:
    """Give memory that reading needed and nothing holds any more back to the system (释放内存)."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
