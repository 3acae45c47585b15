"""Hourly weather files: EPW, PVGIS typical years (气象文件读取)."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.weather import HOURS_OF_YEAR, Weather, checked_weather
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_weather import check_weather_file

__all__ = ["read_weather"]

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EPW_COLUMNS = {"air_c": (6, 99.9), "ghi_w_m2": (13, 9999.0), "dni_w_m2": (14, 9999.0), "dhi_w_m2": (15, 9999.0), "wind_m_s": (21, 999.0)}
"""Column of an EPW row (from 0) and the value that stands for missing, by the EnergyPlus file format."""
_PVGIS_COLUMNS = {"air_c": "T2m", "ghi_w_m2": "G(h)", "dni_w_m2": "Gb(n)", "dhi_w_m2": "Gd(h)", "wind_m_s": "WS10m"}


def read_weather(path: Path, *, limits: Limits) -> Weather:
    """Read one typical year (读取气象年).

    EPW: the label of an hour is its end, the sun stands at its middle. PVGIS: instants in UTC, later than their label by the "irradiance
    time offset" of the file, 0 where it says nothing. The months of a typical year come from different years: only month, day and hour count. A leap day
    is left out and named in the notes.

    Parameters
    ----------
    path : Path
        An .epw, or the .csv or .json of a PVGIS typical year.

    Raises
    ------
    MissingDataError, UnsafeInputError, EncodingError
        See `qianmo.store.guard_weather.check_weather_file`.
    SchemaError
        Neither format; hours missing or twice (the first are named); a value that is no number or marked missing (lines named).
    """
    path = Path(path)
    data = check_weather_file(path, limits=limits)
    reader = _reader(path, data)
    return checked_weather(reader(path.name, data, hashlib.sha256(data).hexdigest()))


def _reader(path: Path, data: bytes) -> Callable[[str, bytes, str], Weather]:
    if path.suffix.lower() == ".json":
        return _pvgis_json
    if data.startswith(b"LOCATION,"):
        return _epw
    if re.search(rb"^time\(UTC\),", data, re.MULTILINE):
        return _pvgis_csv
    shown = data[:40].decode("utf-8", "replace").splitlines() or [""]
    raise SchemaError(f"{path.name} begins with {shown[0]!r}", expected="LOCATION,… (EPW) or a row time(UTC),… (PVGIS)", cure="请提供 EPW 或 PVGIS 典型年文件")


def _epw(name: str, data: bytes, digest: str) -> Weather:
    lines = data.decode("utf-8", "replace").splitlines()
    head = next(csv.reader(lines[:1]))
    place = [_number(v, name, f"LOCATION {k}") for k, v in zip(("latitude", "longitude", "UTC offset", "elevation"), [*head, *[""] * 10][6:10])]
    first = next((k for k, line in enumerate(lines) if line.startswith("DATA PERIODS,")), None)
    if first is None:
        raise SchemaError(f"{name}: no line DATA PERIODS", expected="an EPW with eight head lines", cure="文件头不完整，请重新导出")
    period = next(csv.reader([lines[first]]))
    if len(period) < 3 or period[2].strip() not in ("1", ""):
        raise SchemaError(f"{name} line {first + 1}: {period[2] if len(period) > 2 else '?'} records an hour", expected="1", cure="请先汇总为逐时数据")
    rows = [(first + 2 + k, row) for k, row in enumerate(csv.reader(lines[first + 1 :])) if row]
    short = [at for at, row in rows if len(row) < 22]
    if short:
        raise SchemaError(f"{name} line {short[0]}: fewer than 22 columns", expected="35 columns of EPW", cure="文件被截断，请重新获取")
    when = [tuple(int(_number(row[k], name, f"line {at} column {k + 1}")) for k in (1, 2, 3)) for at, row in rows]
    series = {}
    for column, (k, missing) in _EPW_COLUMNS.items():
        values = np.array([_number(row[k], name, f"line {at} column {k + 1}") for at, row in rows])
        _refuse_missing(values >= missing, [at for at, _ in rows], name, column)
        series[column] = values
    order, notes = _order([(m, d, h - 1) for m, d, h in when], [at for at, _ in rows], name, first=1)
    series = {k: v[order] for k, v in series.items()}
    title = f"{head[1]} {head[3]} {head[4]} {head[5]}".strip() if len(head) > 5 else name
    return Weather(name, "EPW", place[0], place[1], place[3], place[2], 30.0, **series, source=title, sha256=digest, notes=notes)


def _pvgis_csv(name: str, data: bytes, digest: str) -> Weather:
    lines = data.decode("utf-8", "replace").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("time(UTC),"))
    head: dict[str, str] = {m.group(1): m.group(2) for line in lines[:start] if (m := re.match(r"([^:,]+):\s*(\S+)", line))}
    columns = lines[start].split(",")
    body = []
    for at, line in enumerate(lines[start + 1 :], start + 2):
        if not re.match(r"\d{8}:\d{4},", line):
            break
        body.append((at, line.split(",")))
    rows = [{"time(UTC)": cells[0], **dict(zip(columns[1:], cells[1:]))} for _, cells in body]
    place = {k: head.get(k) for k in ("Latitude (decimal degrees)", "Longitude (decimal degrees)", "Elevation (m)", "Irradiance Time Offset (h)")}
    lat, lon, high, shift = place.values()
    return _pvgis(name, digest, rows, [at for at, _ in body], lat, lon, high, shift)


def _pvgis_json(name: str, data: bytes, digest: str) -> Weather:
    found = json.loads(data)
    rows = _inside(found, ("outputs", "tmy_hourly"), name)
    place = _inside(found, ("inputs", "location"), name)
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows) or not isinstance(place, dict):
        raise SchemaError(f"{name}: outputs.tmy_hourly is no list of rows", expected="the JSON of a PVGIS typical year", cure="请从 PVGIS 重新下载")
    shift = place.get("irradiance_time_offset", place.get("irradiance time offset"))
    return _pvgis(name, digest, rows, list(range(1, len(rows) + 1)), place.get("latitude"), place.get("longitude"), place.get("elevation"), shift)


def _pvgis(name: str, digest: str, rows: Sequence[Mapping[str, Any]], at: Sequence[int], lat: Any, lon: Any, high: Any, shift: Any) -> Weather:
    place = [_number(v, name, k) for k, v in (("latitude", lat), ("longitude", lon), ("elevation", 0.0 if high is None else high))]
    lacking = [v for v in _PVGIS_COLUMNS.values() if rows and v not in rows[0]]
    if lacking:
        raise SchemaError(f"{name}: no column {', '.join(lacking)}", expected=", ".join(_PVGIS_COLUMNS.values()), cure="请下载 PVGIS 的 TMY 文件")
    series = {k: np.array([_number(r.get(v), name, f"row {a} {v}") for a, r in zip(at, rows)]) for k, v in _PVGIS_COLUMNS.items()}
    when = []
    for a, r in zip(at, rows):
        stamp = re.fullmatch(r"\d{4}(\d\d)(\d\d):(\d\d)\d\d", str(r.get("time(UTC)", "")))
        if stamp is None:
            raise SchemaError(f"{name} row {a}: time {r.get('time(UTC)')!r}", expected="YYYYMMDD:HHMM", cure="请下载 PVGIS 的 TMY 文件")
        when.append(tuple(int(v) for v in stamp.groups()))
    order, notes = _order(when, at, name)
    series = {k: v[order] for k, v in series.items()}
    minute = 0.0 if shift is None else _number(shift, name, "irradiance time offset") * 60.0
    if shift is None:
        notes = (*notes, "文件未注明辐照时刻偏移 (irradiance time offset)，按整点计算，以导入检查的闭合误差为准")
    return Weather(name, "PVGIS", place[0], place[1], place[2], 0.0, minute, **series, source="PVGIS TMY (c) European Union", sha256=digest, notes=notes)


def _inside(found: Any, keys: tuple[str, ...], name: str) -> Any:
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise SchemaError(f"{name}: no {'.'.join(keys)}", expected="the JSON of a PVGIS typical year", cure="请从 PVGIS 重新下载 TMY 的 JSON")
        found = found[key]
    return found


def _order(when: Sequence[tuple[int, ...]], at: Sequence[int], name: str, *, first: int = 0) -> tuple[np.ndarray, tuple[str, ...]]:
    """Rows in the order of the hours of a year without leap day; gaps and repeats are refused. `first` is the label of the first hour of a day."""
    before = np.concatenate([[0], np.cumsum(_DAYS)])
    place = np.full(HOURS_OF_YEAR, -1)
    leap = 0
    for k, (month, day, hour) in enumerate(when):
        if (month, day) == (2, 29):
            leap += 1
            continue
        if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and 0 <= hour <= 23):
            raise SchemaError(f"{name} line {at[k]}: month {month}, day {day}, hour {hour + first}", expected=f"an hour of the year, {first} to {first + 23}", cure="核对日期与小时列")
        hours = (int(before[month - 1]) + day - 1) * 24 + hour
        if place[hours] >= 0:
            raise SchemaError(f"{name} lines {at[place[hours]]} and {at[k]} are the same hour", expected="every hour once", cure="删除重复的小时")
        place[hours] = k
    gaps = np.flatnonzero(place < 0)
    if len(gaps):
        raise MissingDataError(f"{name}: {len(gaps)} hours are missing, first {', '.join(_said(g) for g in gaps[:5])}", expected="8760 hours", cure="补齐缺失的小时，或改用完整的典型年")
    return place, ((f"略去闰日 2 月 29 日的 {leap} 小时",) if leap else ())


def _said(hour: int) -> str:
    month = int(np.searchsorted(np.cumsum(_DAYS) * 24, hour, side="right"))
    day = (hour - int(np.sum(_DAYS[:month])) * 24) // 24 + 1
    return f"{month + 1:02d}-{day:02d} {hour % 24:02d}:00"


def _refuse_missing(bad: np.ndarray, at: Sequence[int], name: str, column: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        shown = ", ".join(str(at[k]) for k in rows[:5])
        raise MissingDataError(f"{name}: {column} is missing in {len(rows)} rows, lines {shown}", expected="a value in every hour", cure="补齐缺测值，或改用完整的典型年")


def _number(value: Any, name: str, where: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise SchemaError(f"{name} {where}: {value!r}", expected="a number", cure="改正该值") from None
    if not np.isfinite(found):
        raise SchemaError(f"{name} {where}: {value!r}", expected="a finite number", cure="改正该值")
    return found + 0.0
