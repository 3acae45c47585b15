"""Reading vector files inside the reading process: GDAL gives Arrow, dBASE is decoded by us (子进程矢量读取)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qianmo.schema.errors import EncodingError, UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.guard_text import text_samples_of
from qianmo.store.raw import Note
from qianmo.store.read_encoding import check_not_utf8, codec_of, decode_strictly
from qianmo.store.sandbox_arrow import AGAIN, WKB, arrow_of, geometry_column, unreadable, write_table
from qianmo.store.sandbox_shapefile import read_shapefile_task

__all__ = ["read_vector_task"]

_EXTENSION = {"OpenFileGDB": "gdb", "GPKG": "gpkg", "GeoJSON": "geojson", "LIBKML": "kml", "DXF": "dxf"}
_PASSED_OVER = ("layer_styles", "qgis_projects", "qgis_resources")
_EXACT = float(2**53)
_HIDDEN = "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"


def read_vector_task(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    """Read all layers of one source to Arrow files beside a description (读取一个矢量来源).

    Raises
    ------
    UnsafeInputError
        GDAL cannot read it, or what it read contradicts the headers or the limits.
    EncodingError
        Text cannot be decoded without loss.
    """
    if task["driver"] == "ESRI Shapefile":
        return [read_shapefile_task(task, out)]
    path = _stage(task, out)
    items = []
    stated = _stated_counts(path, Path(next(iter(task["parts"].values())))) if task["driver"] == "OpenFileGDB" else {}
    for number, (name, _) in enumerate(_layers(path, task)):
        if name not in _PASSED_OVER:
            items.append(_layer(path, name, number, task, out))
            if items[-1]["rows"] != stated.get(name, items[-1]["rows"]):
                raise UnsafeInputError(
                    f"{task['origin']}:{name}: {items[-1]['rows']} rows read",
                    expected=f"{stated[name]} as the header of its table says",
                    cure=AGAIN,
                )
    if not items:
        raise UnsafeInputError(f"{task['origin']}: no layer", expected="at least one layer", cure=AGAIN)
    return items


def _stage(task: dict[str, Any], out: Path) -> str:
    """A neutral name in our own folder, so that no sibling file is ever found."""
    main = next(iter(task["parts"].values()))
    name = f"s{task['id']}.{_EXTENSION[task['driver']]}"
    if task["driver"] == "DXF":
        raw = Path(main).read_bytes().removeprefix(b"\xef\xbb\xbf")
        check_not_utf8(text_samples_of(Path(main), most=200), codec_of(task["encoding"]), task["origin"])
        text = decode_strictly(raw, codec_of(task["encoding"]), task["origin"])
        (out / name).write_text(text, encoding="utf-8", newline="")
    else:
        (out / name).symlink_to(main)
    return name


def _layers(path: str, task: dict[str, Any]) -> list[list[Any]]:
    import pyogrio

    pyogrio.set_gdal_config_options({"DXF_ENCODING": "UTF-8", "DXF_MERGE_BLOCK_GEOMETRIES": "FALSE"})
    try:
        return pyogrio.list_layers(path).tolist()
    except (pyogrio.errors.DataSourceError, ValueError) as error:
        raise unreadable(task["origin"], error) from None


def _stated_counts(path: str, folder: Path) -> dict[str, int]:
    """Row count of each table as its own header states it."""
    _, catalogue, _ = arrow_of(path, "GDB_SystemCatalog", {"origin": folder.name, "features_max": 1 << 20})
    if "Name" not in catalogue.column_names:
        raise UnsafeInputError(f"{folder.name}: the system catalogue cannot be read", expected="a whole geodatabase", cure=AGAIN)
    stated = {}
    for number, name in zip(catalogue[0].to_pylist(), catalogue["Name"].to_pylist()):
        table = folder / f"a{number:08x}.gdbtable"
        if table.is_file():
            with table.open("rb") as file:
                head = file.read(24)
            stated[name] = int.from_bytes(head[4:8], "little") if head[0] == 3 else int.from_bytes(head[16:24], "little")
    return stated


def _layer(path: str, name: str | int, number: int, task: dict[str, Any], out: Path) -> dict[str, Any]:
    meta, table, heard = arrow_of(path, name, task)
    shown = task["stem"] if str(name) == f"s{task['id']}" else str(name)
    where = f"{task['origin']}:{shown}"
    notes = [Note("reader_warning", "warning", "the reader warned", found=h) for h in heard]
    fid = meta["fid_column"] if meta["fid_column"] in table.column_names else table.column_names[0]
    geometry = geometry_column(table)
    types = dict(zip(meta["fields"], (f"{t}/{s}" for t, s in zip(meta["ogr_types"], meta["ogr_subtypes"]))))
    aliases = {
        f.name: f.metadata[b"GDAL:OGR:alternative_name"].decode()
        for f in table.schema
        if f.metadata and b"GDAL:OGR:alternative_name" in f.metadata
    }
    names = [n for n in table.column_names if n not in (fid, geometry)]
    _check_names([*names, *aliases.values()], where, task)
    columns = {n: _column(table[n], n, where, notes, task) for n in names}
    kept = {n: c for n, c in columns.items() if c is not None and not (task["driver"] == "LIBKML" and c.null_count == len(c))}
    if geometry:
        kept[WKB] = table[geometry].cast(pa.large_binary())
    crs = meta.get("crs")
    return {
        "item": "layer",
        "name": shown,
        "rows": table.num_rows,
        "geometry_type": meta["geometry_type"] if geometry else None,
        "crs": crs,
        "types": {n: types[n] for n in names if n in types},
        "aliases": aliases,
        "encoding": meta["encoding"],
        "count": meta.get("count"),
        "file": write_table(_plain(kept, table.num_rows), out, f"t{task['id']}_{number}.arrow"),
        "notes": [asdict(n) for n in notes],
    }


def _plain(columns: dict[str, Any], rows: int) -> pa.Table:
    return pa.table(columns) if columns else pa.table({"__row__": pa.array(np.arange(rows))})


def _check_names(names: list[str], where: str, task: dict[str, Any]) -> None:
    if len(names) > task["fields_max"]:
        raise UnsafeInputError(
            f"{where}: {len(names)} fields",
            expected=f"at most {task['fields_max']}",
            cure="drop fields that are not needed 请删减字段",
        )
    if hidden := [ascii(n) for n in names if has_hidden_marks(n)]:
        raise UnsafeInputError(
            f"{where}: field names with hidden marks: {', '.join(hidden[:5])}",
            expected="visible characters",
            cure="rename the fields 请重命名字段",
        )


def _column(column: pa.ChunkedArray, name: str, where: str, notes: list[Note], task: dict[str, Any]) -> pa.ChunkedArray | None:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_struct(column.type):
        notes.append(Note("list_as_text", "info", f"field {name}: lists are kept as JSON text"))
        column = pa.chunked_array(
            [
                pa.array(
                    [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()],
                    pa.string(),
                )
            ]
        )
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        notes.append(Note("binary_dropped", "info", f"field {name}: binary values were not read"))
        return None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        _check_text(column, name, where, notes, task)
    if pa.types.is_floating(column.type):
        _check_float(column, name, where, notes)
    return column


def _check_text(column: pa.ChunkedArray, name: str, where: str, notes: list[Note], task: dict[str, Any]) -> None:
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > task["text_cell_max"]:
        raise UnsafeInputError(
            f"{where}: field {name} holds a text of {longest} bytes",
            expected=f"at most {task['text_cell_max']}",
            cure="shorten the value 请缩短文本",
        )
    if all(_is_ascii(c) for c in column.chunks):
        return
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise EncodingError(
            f"{where}: field {name} holds bytes that are not UTF-8", expected="UTF-8, as the format demands", cure=AGAIN
        ) from None
    distinct = pc.unique(column)
    for text in distinct.filter(pc.match_substring(distinct, "\ufffd")).to_pylist():
        row = int(pc.index(column, text).as_py())
        raise EncodingError(
            f"{where}: field {name}, row {row} holds U+FFFD (text was lost before it came here)",
            expected="readable text",
            cure=AGAIN,
        )
    hidden = distinct.filter(pc.match_substring_regex(distinct, _HIDDEN))
    if len(hidden):
        notes.append(
            Note(
                "value_hidden",
                "warning",
                f"field {name}: bidirectional or zero-width characters kept as they are",
                rows=_rows(pc.is_in(column, hidden)),
            )
        )


def _is_ascii(chunk: pa.Array) -> bool:
    data = chunk.buffers()[2]
    return data is None or data.size == 0 or int(np.frombuffer(data, dtype=np.uint8).max()) < 128


def _check_float(column: pa.ChunkedArray, name: str, where: str, notes: list[Note]) -> None:
    if column.null_count == len(column):
        return
    huge = pc.greater_equal(pc.abs(column), pa.scalar(_EXACT, column.type))
    whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
    if whole and pc.any(huge).as_py():
        notes.append(
            Note(
                "ids_rounded",
                "error",
                f"field {name}: whole numbers beyond 2^53 stored as decimals, so last digits are lost (ids of 16 or more digits)",
                found=f"{pc.max(column).as_py():.0f}",
                expected="text or 64-bit integers",
                cure="export the field as text; do not use it as an id 请将该字段改为文本后重新导出",
                rows=_rows(huge),
            )
        )
    if pc.any(pc.invert(pc.is_finite(column))).as_py():
        notes.append(
            Note(
                "not_finite",
                "warning",
                f"field {name}: values that are not finite",
                rows=_rows(pc.invert(pc.is_finite(column))),
                cure="correct the values 请改正数值",
            )
        )


def _rows(mask: pa.ChunkedArray) -> tuple[int, ...]:
    return tuple(int(r) for r in np.flatnonzero(np.array(mask.fill_null(False).to_pylist(), dtype=bool))[:20])
