"""From checked sources to raw layers: the parent's half of reading, which trusts nothing it is handed (矢量读取)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from qianmo.schema.errors import EncodingError, QianmoError, UnsafeInputError
from qianmo.store.guard import WGS84_WKT, Consent
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_text import text_samples_of
from qianmo.store.raw import Note, RawLayer, Reading, Source, note_of
from qianmo.store.read_dbf import dbf_text_samples
from qianmo.store.read_raster import grids_of
from qianmo.store.read_shapes import shapes_of
from qianmo.store.read_table import layers_of_table
from qianmo.store.sandbox import run_guarded, task_of

__all__ = ["needs_encoding", "read_layers", "read_sources", "text_samples"]

_WKB = "__wkb__"
_ARROW_KINDS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_time,
)


def text_samples(source: Source, *, most: int = 4000) -> list[bytes]:
    """Raw texts whose encoding must be decided before the source can be read (编码样本).

    Returns
    -------
    list of bytes
        Empty where all is ASCII, or where the format states its encoding (GeoPackage, FileGDB, GeoJSON, KML, Excel,
        UTF-8 with BOM).
    """
    if source.driver == "ESRI Shapefile" and "dbf" in source.parts:
        return dbf_text_samples(source.parts["dbf"], most=most)
    if source.driver in ("CSV", "BoundaryText", "DXF") and not any(n.kind == "bom" for n in source.notes):
        return text_samples_of(source.main, most=most)
    return []


def needs_encoding(source: Source) -> bool:
    """True when the source cannot be read before its encoding was decided (是否需要判定编码)."""
    return bool(text_samples(source))


def read_layers(
    source: Source, *, workdir: Path, limits: Limits, encoding: str | None = None, consent: Consent | None = None
) -> list[RawLayer]:
    """Layers of one checked vector or table source (读取图层).

    Parameters
    ----------
    source : Source
        From `qianmo.store.guard.inspect` or `qianmo.store.sources.list_sources`.
    workdir : Path
        An existing folder of ours for what the reading process leaves.
    encoding : str, optional
        The decided encoding of its text; needed where `needs_encoding`.
    consent : Consent, optional
        What the user agreed to.

    Returns
    -------
    list of RawLayer
        Coordinates as stored, no reference system set, nothing repaired.

    Raises
    ------
    EncodingError
        No encoding was decided, or text cannot be decoded with it without loss.
    UnsafeInputError
        The reading process refused or died, or what it gave contradicts the headers.
    """
    encodings = {source.origin: encoding} if encoding else {}
    reading = read_sources([source], encodings=encodings, workdir=workdir, limits=limits, consent=consent)[0]
    if reading.error is not None:
        raise reading.error
    return list(reading.layers)


def read_sources(
    sources: Sequence[Source],
    *,
    workdir: Path,
    limits: Limits,
    encodings: Mapping[str, str] | None = None,
    consent: Consent | None = None,
    plain: Collection[str] = (),
) -> list[Reading]:
    """Read many sources in one reading process; each failure stays with its source (批量读取).

    Parameters
    ----------
    encodings : mapping of str to str, optional
        `Source.sha256` or, where names differ, `Source.origin` → decided encoding.
    plain : collection of str
        `Source.sha256` of tables that are read as plain text cells, whatever their columns are called.

    Returns
    -------
    list of Reading
        In the order of `sources`; layers or grids, or the error.
    """
    chosen, agreed = dict(encodings or {}), consent or Consent()
    twice = {o for o in chosen if len({s.sha256 for s in sources if s.origin == o}) > 1}
    undecided = {i: e for i, s in enumerate(sources) if (e := _undecided(s, _encoding(s, chosen), twice)) is not None}
    todo = [i for i in range(len(sources)) if i not in undecided]
    tasks = [
        task_of(s, encoding=_encoding(s, chosen), limits=limits, plain_tables=agreed.plain_tables, as_plain=s.sha256 in plain)
        for s in (sources[i] for i in todo)
    ]
    read = sorted({p.resolve() for i in todo for p in sources[i].parts.values()})
    answers = dict(zip(todo, run_guarded(tasks, read=read, workdir=workdir, limits=limits)))
    return [_reading(s, undecided.get(i) or answers[i], limits, agreed) for i, s in enumerate(sources)]


def _undecided(source: Source, encoding: str | None, twice: set[str]) -> EncodingError | None:
    if source.origin in twice:
        return EncodingError(
            f"{source.origin}: two different sources of this name share one decided encoding",
            expected="a decision for each source (by its SHA-256)",
            cure="rename one of them or read them one by one 文件重名，请改名或分别导入",
        )
    samples = [] if encoding else text_samples(source)
    if not samples:
        return None
    declared = f"; the file declares {source.declared_encoding}" if source.declared_encoding else ""
    return EncodingError(
        f"{source.origin}: {len(samples)} texts are not ASCII, as {samples[0][:20].hex(' ')}{declared}",
        expected="an encoding decided before reading",
        cure="let the encoding detective decide, or name it with --encoding GBK or UTF-8 请指定文本编码",
    )


def _encoding(source: Source, chosen: Mapping[str, str]) -> str | None:
    return (
        chosen.get(source.sha256)
        or chosen.get(source.origin)
        or ("utf-8" if any(n.kind == "bom" for n in source.notes) else None)
    )


def _reading(source: Source, answer: dict[str, Any] | QianmoError, limits: Limits, consent: Consent) -> Reading:
    if isinstance(answer, QianmoError):
        return Reading(source, error=answer)
    folder = Path(answer["folder"])
    try:
        grids = grids_of(source, [i for i in answer["items"] if i["item"] == "grid"], folder, limits)
        layers = [
            x for i in answer["items"] if i["item"] in ("layer", "table", "plain") for x in _layer(source, i, folder, limits, consent)
        ]
    except QianmoError as error:
        return Reading(source, error=error)
    return Reading(source, tuple(layers), tuple(grids))


def _layer(source: Source, item: Mapping[str, Any], folder: Path, limits: Limits, consent: Consent) -> list[RawLayer]:
    """One described Arrow file to layers, after schema, count and geometry were checked here."""
    table = _checked_table(source, item, folder / item["file"], limits)
    notes = [*source.notes, *(note_of(n) for n in item["notes"])]
    has_shape = _WKB in table.column_names
    frame = _frame(table.drop_columns([c for c in (_WKB, "__row__") if c in table.column_names]), table.num_rows)
    layer = RawLayer(
        frame,
        str(item["name"]),
        source.driver,
        item["geometry_type"],
        None,
        source.declared_encoding,
        item["encoding"],
        tuple(text_samples(source, most=100)),
        dict(item["types"]),
        dict(item["aliases"]),
        source.origin,
        source.sha256,
        item["count"],
        tuple(notes),
    )
    if item["item"] == "table":
        return layers_of_table(layer, limits=limits, consent=consent)
    if not has_shape:
        return [layer]
    shapes, told = shapes_of(
        table[_WKB],
        f"{source.origin}:{item['name']}",
        limits=limits,
        consent=consent,
        broken=[(int(r), str(w)) for r, w in item.get("broken", [])],
    )
    full = gpd.GeoDataFrame(frame, geometry=shapes)
    wkt, said = _declared(source, item, full)
    return _by_kind(replace(layer, frame=full, declared_crs_wkt=wkt, notes=(*notes, *told, *said)))


def _checked_table(source: Source, item: Mapping[str, Any], path: Path, limits: Limits) -> pa.Table:
    where = f"{source.origin}:{item['name']}"
    try:
        with pa.OSFile(str(path), "rb") as file:
            table = pa.ipc.open_file(file).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnsafeInputError(
            f"{where}: the reader's answer is broken ({str(error)[:100]})",
            expected="an Arrow file",
            cure="read the source again 请重试",
        ) from None
    odd = [f.name for f in table.schema if f.name != _WKB and not any(is_kind(f.type) for is_kind in _ARROW_KINDS)]
    if (
        odd
        or table.num_rows != item["rows"]
        or table.num_rows > limits.features_max
        or len(table.column_names) > limits.fields_max + 1
    ):
        raise UnsafeInputError(
            f"{where}: the reader gave {table.num_rows} rows, odd columns {odd}",
            expected=f"{item['rows']} rows of plain columns",
            cure="read the source again 请重试",
        )
    return table


def _frame(table: pa.Table, rows: int) -> pd.DataFrame:
    nullable = {f.name for f in table.schema if pa.types.is_integer(f.type) and table[f.name].null_count}
    whole = table.drop_columns(sorted(nullable)).to_pandas()
    if not len(table.column_names):
        return pd.DataFrame(index=pd.RangeIndex(rows))
    return pd.DataFrame(
        {n: table[n].to_pandas(types_mapper=lambda t: pd.Int64Dtype()) if n in nullable else whole[n] for n in table.column_names}
    )


def _declared(source: Source, item: Mapping[str, Any], frame: gpd.GeoDataFrame) -> tuple[str | None, list[Note]]:
    """Reference system as the source states it, or None; never set on the frame."""
    if source.driver in ("ESRI Shapefile", "LIBKML", "DXF"):
        return source.declared_crs_wkt, []
    said = item["crs"]
    if source.driver == "GeoJSON" and source.declared_crs_wkt is None:
        west, south, east, north = frame.total_bounds if len(frame) else (0.0, 0.0, 0.0, 0.0)
        if west < -180 or east > 180 or south < -90 or north > 90:
            return None, [
                Note(
                    "crs_not_stated",
                    "warning",
                    "GeoJSON without a crs member, yet the coordinates are not degrees",
                    found=f"x {west:.0f} to {east:.0f}",
                    cure="name the reference system 请指定坐标系",
                )
            ]
        return WGS84_WKT, [Note("crs_by_standard", "info", "GeoJSON without a crs member: WGS 84 by RFC 7946")]
    if not said or "Undefined" in said or "unknown" in said[:40].lower():
        return None, []
    return (pyproj.CRS.from_user_input(said).to_wkt() if said.startswith("EPSG:") else said), []


def _by_kind(layer: RawLayer) -> list[RawLayer]:
    """Drawings hold lines, points and texts in one layer: one layer a kind; closed lines become polygons."""
    if layer.driver != "DXF":
        return [layer]
    frame: gpd.GeoDataFrame = layer.frame
    shapes = frame.geometry.array
    kind = shapely.get_type_id(np.asarray(shapes))
    closed = shapely.is_closed(np.asarray(shapes)) & (kind == 1) & (shapely.get_num_coordinates(np.asarray(shapes)) >= 4)
    found = []
    for suffix, mask in (
        ("polygon", closed | np.isin(kind, (3, 6))),
        ("line", np.isin(kind, (1, 5)) & ~closed),
        ("point", np.isin(kind, (0, 4))),
    ):
        if mask.any():
            part = frame[mask].reset_index(drop=True)
            if suffix == "polygon":
                part.geometry = [shapely.Polygon(g.coords) if g.geom_type == "LineString" else g for g in part.geometry]
            note = (
                Note(
                    "closed_lines",
                    "info",
                    f"{int((closed & mask).sum())} closed lines read as polygons; arcs come as short chords",
                )
                if suffix == "polygon"
                else None
            )
            found.append(
                replace(
                    layer,
                    frame=part,
                    name=f"{layer.name}_{suffix}",
                    geometry_type=suffix,
                    notes=(*layer.notes, *([note] if note else [])),
                )
            )
    return found
