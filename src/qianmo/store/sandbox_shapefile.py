"""Reading a shapefile set inside the reading process: GDAL gives the shapes, dBASE is decoded by us (子进程 Shapefile 读取)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_records import rebuilt_index, record_fault
from qianmo.store.raw import Note
from qianmo.store.read_dbf import read_dbf_table
from qianmo.store.sandbox_arrow import AGAIN, WKB, arrow_of, geometry_column, write_table

__all__ = ["read_shapefile_task"]

_FAULTS_MOST = 100


def read_shapefile_task(task: dict[str, Any], out: Path) -> dict[str, Any]:
    """Shapes by GDAL and attributes by our own reader, checked against each other (读取 Shapefile)."""
    parts = {k: Path(v) for k, v in task["parts"].items()}
    base = f"s{task['id']}"
    (out / f"{base}.shp").symlink_to(parts["shp"])
    if "shx" in parts:
        (out / f"{base}.shx").symlink_to(parts["shx"])
    else:
        _write_index(parts["shp"], out / f"{base}.shx")
    meta, shapes, heard = arrow_of(f"{base}.shp", 0, task)
    notes = [Note("reader_warning", "warning", "the reader warned", found=h) for h in heard if "dbf" not in h.lower()]
    wkb = shapes[geometry_column(shapes) or shapes.column_names[-1]].cast(pa.large_binary())
    if shapes.num_rows != task["count"]:
        raise UnsafeInputError(
            f"{task['origin']}: {shapes.num_rows} shapes read", expected=f"{task['count']} as the index counts", cure=AGAIN
        )
    broken = _broken(out / f"{base}.shp", wkb)
    columns: dict[str, Any] = {}
    types: dict[str, str] = {}
    if "dbf" in parts:
        table, types, told, deleted = read_dbf_table(parts["dbf"], encoding=task["encoding"])
        columns, notes = {n: table[n] for n in table.column_names}, [*notes, *told]
        if deleted.any():
            keep = pa.array(~deleted)
            broken = [[int((~deleted)[:r].sum()), why] for r, why in broken if not deleted[r]]
            columns, wkb = {n: c.filter(keep) for n, c in columns.items()}, wkb.filter(keep)
            notes.append(
                Note(
                    "deleted_records",
                    "info",
                    f"{int(deleted.sum())} records marked deleted were left out",
                    rows=tuple(np.flatnonzero(deleted)[:20].tolist()),
                )
            )
    return {
        "item": "layer",
        "name": task["stem"],
        "rows": len(wkb),
        "geometry_type": meta["geometry_type"],
        "crs": None,
        "types": types,
        "aliases": {},
        "encoding": task["encoding"] or "ascii",
        "count": task["count"],
        "file": write_table(pa.table(columns | {WKB: wkb}), out, f"t{task['id']}_0.arrow"),
        "broken": broken,
        "notes": [asdict(n) for n in notes],
    }


def _broken(shp: Path, wkb: pa.ChunkedArray) -> list[list[Any]]:
    """Rows and reasons of records that are not null in the file and yet gave no shape."""
    rows = np.flatnonzero(np.array(wkb.is_null().to_pylist(), dtype=bool)).tolist() if wkb.null_count else []
    return [[r, why] for r in rows[:_FAULTS_MOST] if (why := record_fault(shp, r))]


def _write_index(shp: Path, shx: Path) -> None:
    index = rebuilt_index(shp)
    with shp.open("rb") as file:
        head = bytearray(file.read(100))
    head[24:28] = (50 + 4 * len(index)).to_bytes(4, "big")
    shx.write_bytes(bytes(head) + index.astype(">i4").tobytes())
