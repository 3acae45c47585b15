"""Tables without drawings to the project: rain, its stations, soil types (降水、雨量站与土种入库)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo import __version__
from qianmo.evaluation.rain import rain_months, rain_stations_summary, rain_years
from qianmo.jobs.ingest.layer import Setting
from qianmo.jobs.ingest.read import Read
from qianmo.onemap.rain import check_stations, gaps, rain_days, rain_stations
from qianmo.onemap.soil_table import soil_types
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameters
from qianmo.schema.tables import table_spec
from qianmo.store.parquet import read_frame
from qianmo.store.raw import RawLayer
from qianmo.store.stage import Stage, read_catalog

__all__ = ["PLAIN_TABLES", "RAIN_RESULTS", "PlainTable", "plain_lines", "prepare_plain", "put_plain", "rain_results"]

PLAIN_TABLES = ("rain_day", "rain_station", "soil_type")
"""Tables without drawings that sources fill; they do not rest on the land-use layer and stay when it changes."""

RAIN_RESULTS = ("rain_year", "rain_month", "rain_summary")
"""Tables made from the rain alone; they go and come with it."""

_KEYS = {"rain_day": "station_id", "rain_station": "station_id", "soil_type": "soil_code"}


@dataclass(frozen=True)
class PlainTable:
    """One table ready for the project with its record (待入库表格)."""

    frame: pd.DataFrame
    dataset: Dataset


def prepare_plain(reads: list[Read], setting: Setting, *, state: Path | None) -> list[PlainTable]:
    """Rain, stations and soil types of the sources, checked against each other and against those the project holds.

    A station or code that is delivered again replaces its earlier rows; the others stay.

    Parameters
    ----------
    state : Path or None
        Folder of the current generation; None for a new project.

    Raises
    ------
    SchemaError
        A table is wrong, or a series has no station with a place; file, rows and cure are named.
    """
    found: dict[str, list[tuple[pd.DataFrame, Read, list[str]]]] = {}
    for read in reads:
        for raw in read.reading.layers:
            frame, remarks = _table(raw, read, setting)
            found.setdefault(read.said.plain, []).append((frame, read, [*_comments(raw), *remarks]))
    made = {kind: _joined(kind, parts, setting, state) for kind, parts in found.items()}
    if "rain_day" in made:
        stations = made["rain_station"].frame if "rain_station" in made else _stored(state, "rain_station")
        series = check_stations(made["rain_day"].frame, stations)
        setting.notes += gaps(series)
        made["rain_day"] = PlainTable(series, made["rain_day"].dataset)
    return list(made.values())


def put_plain(stage: Stage, tables: list[PlainTable], *, overrides: Mapping[str, Any]) -> None:
    """Put the tables and what follows from the rain into a stage."""
    for item in tables:
        stage.put_source_table(item.frame, item.dataset)
    for name, frame in rain_results(stage.folder, overrides).items():
        stage.put_table(name, frame)


def rain_results(state: Path, overrides: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Yearly and monthly rain and the summary of the stations; nothing where the project holds no rain (降水统计表)."""
    days, stations = _stored(state, "rain_day"), _stored(state, "rain_station")
    if days is None or stations is None:
        return {}
    p = {k: float(v) for k, v in overrides.items() if k in parameters() and not isinstance(v, str)}
    return {"rain_year": rain_years(days, overrides=p), "rain_month": rain_months(days, overrides=p), "rain_summary": rain_stations_summary(days, stations, overrides=p)}


def plain_lines(tables: list[PlainTable]) -> list[str]:
    """What came in, in words."""
    lines = []
    for item in tables:
        frame, d = item.frame, item.dataset
        span = f", {min(frame['day'])} 至 {max(frame['day'])}, {frame['station_id'].nunique()} 个站" if d.kind == "rain_day" else ""
        lines.append(f"  {d.zh} {d.name}: {d.rows} 条{span}" + (" [合成]" if d.synthetic else ""))
    return lines


def _table(raw: RawLayer, read: Read, setting: Setting) -> tuple[pd.DataFrame, list[str]]:
    said, where = read.said, raw.source_path if raw.name in raw.source_path else f"{raw.source_path} 表 {raw.name}"
    if said.plain == "rain_day":
        return rain_days(raw.frame, origin=where, unit=said.unit, today=setting.now.date())
    if said.plain == "rain_station":
        return rain_stations(raw.frame, origin=where, names=dict(said.names)), []
    return soil_types(raw.frame, origin=where, names=dict(said.names)), []


def _comments(raw: RawLayer) -> list[str]:
    return [f"表头前的说明行: {n.found}" for n in raw.notes if n.kind == "comment_lines"]


def _joined(kind: str, parts: list[tuple[pd.DataFrame, Read, list[str]]], setting: Setting, state: Path | None) -> PlainTable:
    frame = pd.concat([f for f, _, _ in parts], ignore_index=True)
    keys = ["station_id", "day"] if kind == "rain_day" else [_KEYS[kind]]
    twice = frame.duplicated(keys, keep=False)
    zh = table_spec(kind).zh
    if twice.any():
        first = frame[twice].iloc[0]
        raise SchemaError(f"{zh}: 几个来源有重复记录 {int(twice.sum())} 条, 如 {' '.join(str(first[k]) for k in keys)}", expected="每条记录只在一个来源中", cure="去掉重复的来源或记录")
    before = _stored(state, kind)
    stays = None if before is None else before[~before[_KEYS[kind]].isin(frame[_KEYS[kind]])]
    earlier = None
    if state is not None and stays is not None and len(stays):
        frame, earlier = pd.concat([stays, frame], ignore_index=True), read_catalog(state).get(kind)
    remarks = [r for _, _, told in parts for r in told]
    setting.notes += [r for r in remarks if not r.startswith("表头前")]
    reads = [r for _, r, _ in parts]
    facts: dict[str, Any] = {"unit": "mm" if kind == "rain_day" else "", "remarks": remarks, "licence": "; ".join(dict.fromkeys(r.said.licence for r in reads if r.said.licence))}
    decisions = tuple(r.encoding for r in reads if r.encoding is not None)
    if earlier is not None:
        facts["earlier"] = {"source": earlier.lineage.source, "time": earlier.lineage.time, "user": earlier.lineage.user, **earlier.lineage.parameters}
    kept = [] if earlier is None else [earlier.lineage]
    lineage = Lineage(
        "; ".join([*(x.source for x in kept), *(r.reading.source.origin for r in reads)]),
        "; ".join([*(x.source_sha256 for x in kept), *(r.reading.source.sha256 for r in reads)]), f"qianmo {__version__} ingest",
        setting.now.isoformat(timespec="seconds"), setting.user, facts, decisions,
    )  # fmt: skip
    vintage = next((r.said.vintage for r in reads if r.said.vintage), "") or _span(frame)
    synthetic = any(r.said.synthetic for r in reads) or bool(earlier and earlier.synthetic)
    return PlainTable(frame, Dataset(kind, kind, zh, "", "", vintage, synthetic, len(frame), lineage))


def _span(frame: pd.DataFrame) -> str:
    if "day" not in frame.columns:
        return ""
    years = {min(frame["day"]).year, max(frame["day"]).year}
    return "-".join(str(y) for y in sorted(years))


def _stored(state: Path | None, name: str) -> pd.DataFrame | None:
    path = None if state is None else state / "tables" / f"{name}.parquet"
    return read_frame(path) if path is not None and path.is_file() else None
