"""One layer seen before an ingest: candidates with place and reasons, fields, and the error with the step that cures it (图层预检)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.geo.crs import china_crs
from qianmo.jobs.ingest.layer import Setting, layer_bounds, layer_county, mapping_of
from qianmo.jobs.ingest.place import place
from qianmo.jobs.ingest.read import Read
from qianmo.onemap.encoding import detect_encoding
from qianmo.onemap.evidence import admin_box, shipped_admin_boxes
from qianmo.onemap.locate import locate
from qianmo.onemap.projections import declared_reading, lonlat_of, readings
from qianmo.onemap.recognise import recognise
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.errors import ChoiceNeededError, CrsError, QianmoError
from qianmo.schema.tables import table_spec
from qianmo.store.raw import RawLayer

__all__ = ["ASKED", "about_layer", "encoding_samples", "error_record", "place_record"]

ASKED = ("ChoiceNeededError", "CrsError")
"""Kinds of error that an answer of the user cures."""

_TEXTS, _LONG, _SHOWN = 6, 40, 8


def error_record(error: QianmoError, *, step: int = 0) -> dict[str, Any]:
    """An error as plain words, with the step of the wizard that cures it (错误记录): 1 what, 2 where, 3 fields."""
    choices = list(error.choices) if isinstance(error, ChoiceNeededError) else []
    found = step or (2 if isinstance(error, CrsError) or "坐标" in error.found else 1 if isinstance(error, ChoiceNeededError) else 3)
    return {"type": type(error).__name__, "found": error.found, "expected": error.expected, "cure": error.cure, "choices": choices, "step": found}


def encoding_samples(samples: Sequence[bytes], declared: str | None, decision: Decision | None) -> dict[str, Any]:
    """The candidates of an encoding, each with some texts as they would read (编码候选与样例)."""
    found = detect_encoding(samples, declared=declared)
    telling = sorted({s.strip(b" \x00") for s in samples if any(b > 127 for b in s)}, key=len, reverse=True)[:_TEXTS]
    shown = [{"value": c.value, "score": round(c.score, 2), "reasons": list(c.reasons), "texts": [_decoded(t, c.value) for t in telling]} for c in found.candidates]
    return {"chosen": decision.chosen if decision else "", "candidates": shown, "declared": declared or ""}


def _decoded(text: bytes, encoding: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text.decode(encoding, errors="replace"))[:_LONG]


def about_layer(raw: RawLayer, read: Read, setting: Setting) -> dict[str, Any]:
    """What a vector layer is, where it may lie and how its fields would be used; nothing is raised (图层预检)."""
    row: dict[str, Any] = {
        "name": f"{read.reading.source.origin}#{raw.name}", "kind": "layer", "rows": len(raw.frame), "error": None, "skip": read.said.skip, "role": "", "geometry": raw.geometry_type or "",
        "table": None, "place": None, "scheme": None, "columns": [], "fields": {}, "units": {}, "missing": [], "sample": {}, "said": _said(read),
    }  # fmt: skip
    frame = raw.frame
    if not isinstance(frame, gpd.GeoDataFrame) or not bool((~frame.geometry.isna() & ~frame.geometry.is_empty).any()):
        return row
    columns = [str(c) for c in frame.columns if c != frame.geometry.name]
    row["columns"] = columns
    row["sample"] = {c: _value(frame[c]) for c in columns}
    try:
        row["table"] = _table(raw, read, columns, frame)
        row["place"] = _place(raw, read, frame, setting)
        _fields(row, raw, read, frame, setting)
    except QianmoError as error:
        row["error"] = error_record(error)
    return row


def _said(read: Read) -> dict[str, str]:
    said = read.said
    return {"table": said.table, "crs": said.crs, "datum": said.datum, "class_scheme": said.class_scheme}


def _value(values: pd.Series) -> str:
    good = values.dropna()
    return str(good.iloc[0])[:_LONG] if len(good) else ""


def _table(raw: RawLayer, read: Read, columns: list[str], frame: gpd.GeoDataFrame) -> dict[str, Any]:
    found = recognise(columns, pd.DataFrame(frame[columns]).head(500), raw.geometry_type, raw.name)
    return {"chosen": read.said.table or found.chosen, "candidates": [_candidate(c) for c in found.candidates[:_SHOWN]]}


def _candidate(found: Candidate) -> dict[str, Any]:
    return {"value": found.value, "score": round(found.score, 2), "reasons": list(found.reasons)}


def _place(raw: RawLayer, read: Read, frame: gpd.GeoDataFrame, setting: Setting) -> dict[str, Any]:
    county = setting.recipe.county_code or layer_county(frame)
    sample = shapely.get_coordinates(frame.geometry.to_numpy())[:20000]
    found = place_record(layer_bounds(frame), sample, wkt=raw.declared_crs_wkt, known=setting.known, datum=read.said.datum, county=county)
    return {**found, "chosen": read.said.crs or found["chosen"]}


def place_record(
    bounds: Sequence[float], sample: np.ndarray, *, wkt: str | None, known: Mapping[str, tuple[float, float, float, float]], datum: str = "", county: str = ""
) -> dict[str, Any]:
    """Where coordinates may lie, as the wizard shows it: candidates with reasons and boxes, the county, what the file declares (位置候选)."""
    found = locate(bounds, sample=sample, declared_wkt=wkt, datum=datum or None, county_code=county or None, known_extents=known)
    shown = []
    for c in found.candidates[:_SHOWN]:
        head = c.value.split(";")[0]
        info = china_crs().get(int(head[5:])) if head.startswith("EPSG:") and head[5:].isdigit() else None
        shown.append(_candidate(c) | {"name": info.name if info else "", "box": _box(c.value, bounds, wkt)})
    box = admin_box(county, shipped_admin_boxes()) if county else None
    return {"chosen": found.chosen, "candidates": shown, "county": {"code": box[0], "box": list(box[1])} if box else None, "declared": _name(wkt)}


def _name(wkt: str | None) -> str:
    try:
        return str(pyproj.CRS.from_wkt(wkt).name) if wkt else ""
    except pyproj.exceptions.CRSError:
        return ""


def _box(value: str, bounds: Sequence[float], wkt: str | None) -> list[float] | None:
    """Longitude-latitude box of a candidate on its own datum; None where the numbers cannot be that."""
    head, *marks = value.split(";")
    reading = next((r for r in readings() if r.value == head), None) or declared_reading(wkt=wkt)
    if reading is None:
        return None
    x, y = np.meshgrid(np.linspace(bounds[0], bounds[2], 3), np.linspace(bounds[1], bounds[3], 3))
    points = np.column_stack([x.ravel(), y.ravel()])
    lonlat = lonlat_of(reading, points[:, ::-1] if "swap" in marks else points)
    if not np.isfinite(lonlat).all():
        return None
    return [float(v) for v in (*lonlat.min(axis=0), *lonlat.max(axis=0))]


def _is_crs(value: str, wkt: str | None) -> bool:
    head = value.split(";")[0]
    try:
        pyproj.CRS.from_user_input(wkt if head == "declared" and wkt else head)
    except pyproj.exceptions.CRSError:
        return False
    return True


def _fields(row: dict[str, Any], raw: RawLayer, read: Read, frame: gpd.GeoDataFrame, setting: Setting) -> None:
    """How the fields would be used; some rows stand for the layer."""
    table, spot = row["table"]["chosen"], row["place"]["chosen"]
    if not table:
        return
    some = frame.head(500).rename_geometry("geometry") if frame.geometry.name != "geometry" else frame.head(500)
    if spot and setting.crs is not None and _is_crs(spot, raw.declared_crs_wkt):
        moved, _, _ = place(some.geometry.to_numpy(), Decision("", spot, ()), setting.crs, wkt=raw.declared_crs_wkt, helmert=setting.recipe.helmert)
        some = gpd.GeoDataFrame(some.drop(columns="geometry"), geometry=moved, crs=pyproj.CRS.from_epsg(setting.crs))
    mapping = mapping_of(some, table, read.said)
    spec = table_spec(table)
    row["fields"], row["units"], row["missing"] = dict(mapping.fields), dict(mapping.units), list(mapping.missing)
    row["targets"] = [{"name": c.name, "zh": c.zh, "source": c.source or "", "unit": c.unit, "required": c.required and table != "other_layer"} for c in spec.columns]
