"""Daily rain and its stations from tables as offices keep them (逐日降水与雨量站)."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from qianmo.onemap.plain_table import bare_header, columns_of, known_words, numbers, rows_text
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["check_stations", "gaps", "rain_days", "rain_stations"]

_STAMP = re.compile(
    r"(?P<y>\d{4})(?P<a>[-/.年]?)(?P<m>\d{1,2})(?:[-/.月]?)(?P<d>\d{1,2})日?(?:[ T](?P<clock>\d{1,2}:\d{2})(?::\d{2}(?:\.0+)?)?)?"
)
_UNIT = re.compile(r"[(（\[【]\s*([^()（）\[\]【】]*?)\s*[)）\]】]\s*$")


def rain_days(frame: pd.DataFrame, *, origin: str, unit: str, today: datetime.date) -> tuple[pd.DataFrame, list[str]]:
    """Rain of each day and station (逐日降水量规整).

    Parameters
    ----------
    frame : DataFrame of text cells, n rows
        One column of dates and one a station, named by its number; or columns of date, station number and rain.
        Blank cells are days without a measurement.
    origin : str
        File, for the messages.
    unit : str
        Unit as the user states it; '' where the headers say it, as in ``81502750 (mm)``.
    today : date
        Days after it are refused.

    Returns
    -------
    (DataFrame of table ``rain_day``, list of str)
        In the order of station and day, no row where nothing was measured; and remarks: clock times of the stamps.

    Raises
    ------
    SchemaError
        No date column, no unit or another than millimetres, dates that do not exist or lie ahead, two values for a day,
        rain below 0, above ``rain_day_max_mm`` or no number. The rows are named. [mm]
    """
    frame = frame.reset_index(drop=True)
    found = columns_of(list(map(str, frame.columns)), "rain_day")
    if "day" not in found:
        raise SchemaError(f"{origin}: 没有日期列 (表头: {'、'.join(map(str, frame.columns))})", expected="日期、DATETIME 或 date 列", cure="把日期列的表头改为 日期")
    days, clocks = _days(frame[found["day"]], f"{origin} 列 {found['day']}", today)
    if "station_id" in found and "rain_mm" in found:
        _check_unit(found["rain_mm"], unit, origin)
        station = frame[found["station_id"]]
        if blank := [k for k, s in enumerate(station) if pd.isna(s)]:
            raise SchemaError(f"{origin}: {rows_text(blank)}没有站号", expected="每行一个站号", cure="补上站号或删除该行")
        parts = [pd.DataFrame({"station_id": station.astype(str), "day": days, "rain_mm": numbers(frame[found["rain_mm"]], f"{origin} 列 {found['rain_mm']}")})]
    else:
        stations = [str(c) for c in frame.columns if c != found["day"]]
        if not stations:
            raise SchemaError(f"{origin}: 只有日期列, 没有降水量", expected="每个雨量站一列, 表头为站号", cure="补上雨量站的列")
        for name in stations:
            _check_unit(name, unit, origin)
        parts = [pd.DataFrame({"station_id": _UNIT.sub("", n).strip(), "day": days, "rain_mm": numbers(frame[n], f"{origin} 列 {n}")}) for n in stations]
    for part in parts:
        _check_rain(part, origin)
    table = pd.concat(parts).dropna(subset=["rain_mm"]).sort_values(["station_id", "day"], kind="stable").reset_index(drop=True)
    if table.empty:
        raise MissingDataError(f"{origin}: 没有一天有降水量", expected="至少一天的日降水量", cure="核对文件是否导出完整")
    return table, _clock_remarks(clocks, origin)


def rain_stations(frame: pd.DataFrame, *, origin: str, names: dict[str, str] | None = None) -> pd.DataFrame:
    """Stations with their place (雨量站规整): table ``rain_station``; `names` are shown in place of those of the source.

    Raises
    ------
    SchemaError
        No column of station numbers, longitudes or latitudes; a station without, twice, or outside degrees.
    """
    frame = frame.reset_index(drop=True)
    found = columns_of(list(map(str, frame.columns)), "rain_station")
    lacking = [zh for c, zh in (("station_id", "站号"), ("longitude_deg", "经度"), ("latitude_deg", "纬度")) if c not in found]
    if lacking:
        raise SchemaError(
            f"{origin}: 雨量站表缺少 {'、'.join(lacking)} 列 (表头: {'、'.join(map(str, frame.columns))})", expected="站号、经度、纬度 (十进制度)", cure="补上这些列; 平面坐标请先换算为经纬度"
        )
    out = pd.DataFrame({"station_id": frame[found["station_id"]], "station_name": frame[found["station_name"]] if "station_name" in found else None})
    for column in ("longitude_deg", "latitude_deg", "elevation_m"):
        out[column] = numbers(frame[found[column]], f"{origin} 列 {found[column]}") if column in found else float("nan")
    _faulty(out["station_id"].isna(), out, f"{origin}: {{}}没有站号", "补上站号或删除该行")
    _faulty(out["station_id"].duplicated(keep=False), out, f"{origin}: {{}}站号重复", "每个站只留一行")
    _faulty(out[["longitude_deg", "latitude_deg"]].isna().any(axis=1), out, f"{origin}: {{}}的雨量站没有经纬度", "补上该站的经度和纬度 (十进制度)")
    outside = (out["longitude_deg"].abs() > 180) | (out["latitude_deg"].abs() > 90)
    _faulty(outside, out, f"{origin}: {{}}的经纬度超出范围", "核对经度与纬度是否写反, 或误填了平面坐标")
    if out.empty:
        raise MissingDataError(f"{origin}: 没有雨量站", expected="至少一个站", cure="核对文件是否导出完整")
    told = {str(k): v for k, v in (names or {}).items()}
    out["station_id"] = out["station_id"].astype(str)
    out["station_name"] = [told.get(i) or (None if pd.isna(n) else str(n)) for i, n in zip(out["station_id"], out["station_name"])]
    return out


def check_stations(days: pd.DataFrame, stations: pd.DataFrame | None) -> pd.DataFrame:
    """The series with station numbers of the list; a series may be named by the station's name (站号核对).

    Raises
    ------
    SchemaError
        A series whose station is not in the list: it would have no place.
    """
    known = set() if stations is None else set(stations["station_id"])
    named = {} if stations is None else {str(n): i for i, n in zip(stations["station_id"], stations["station_name"]) if n}
    strange = sorted({s for s in days["station_id"] if s not in known and s not in named})
    if strange:
        raise SchemaError(
            f"雨量站 {'、'.join(strange)} 有降水序列, 但没有坐标 (站表中: {'、'.join(sorted(known)) or '无'})", expected="每个站在雨量站表中有一行, 含站号、经度、纬度",
            cure="同时给出雨量站表 (role = \"rain_station\"), 或改正序列的表头使之等于站号",
        )  # fmt: skip
    return days.assign(station_id=[s if s in known else named[s] for s in days["station_id"]])


def gaps(days: pd.DataFrame) -> list[str]:
    """Remarks on days without a measurement between the first and the last of each station; nothing is filled (缺测)."""
    shown, told = int(parameter("rain_gap_days_shown")), []
    for station, series in days.groupby("station_id", sort=True):
        ordered = pd.DatetimeIndex(sorted(pd.to_datetime(series["day"])))
        missing = pd.date_range(ordered[0], ordered[-1]).difference(ordered)
        if len(missing):
            runs = _runs(missing)
            text = "、".join(f"{a:%Y-%m-%d}" + ("" if a == b else f" 至 {b:%Y-%m-%d}") for a, b in runs[:shown])
            more = f"等 {len(runs)} 段" if len(runs) > shown else ""
            told.append(f"雨量站 {station}: 缺测 {len(missing)} 天 ({text}{more}); 未插补, 有缺测的年、月不计入平均")
    return told


def _days(cells: pd.Series, where: str, today: datetime.date) -> tuple[list[datetime.date | None], Counter[str]]:
    days: list[datetime.date | None] = []
    clocks: Counter[str] = Counter()
    for cell in cells:
        fit = None if pd.isna(cell) else _STAMP.fullmatch(str(cell).strip())
        days.append(_date(fit))
        if fit is not None and fit["clock"]:
            clocks[fit["clock"].zfill(5)] += 1
    bad = [k for k, d in enumerate(days) if d is None]
    if bad:
        raise SchemaError(f"{where}: {rows_text(bad)}的日期无法识别或不存在, 如 {str(cells.iloc[bad[0]])!r}", expected="2016-08-03、2016/8/3、20160803 或 2016年8月3日", cure="改正日期")
    late = [k for k, d in enumerate(days) if d is not None and d > today]
    if late:
        raise SchemaError(f"{where}: {rows_text(late)}的日期晚于今天 ({today.isoformat()})", expected="已发生的日期", cure="核对年份")
    return days, clocks


def _date(fit: re.Match[str] | None) -> datetime.date | None:
    if fit is None or (not fit["a"] and len(fit["m"] + fit["d"]) != 4):
        return None
    try:
        return datetime.date(int(fit["y"]), int(fit["m"]), int(fit["d"]))
    except ValueError:
        return None


def _check_unit(header: str, unit: str, origin: str) -> None:
    written = _UNIT.search(header)
    told = [t for t in (written[1] if written else "", unit) if t]
    wrong = [t for t in told if bare_header(t) not in known_words("rain_day", "unit")]
    if wrong:
        raise SchemaError(f"{origin} 列 {header}: 单位 {wrong[0]!r} 不是毫米", expected="mm 或 毫米", cure="把降水量换算为毫米 (0.1 毫米的数据除以 10), 并改正单位")
    if not told and bare_header(header) != "rainmm":
        raise SchemaError(f"{origin} 列 {header}: 没有说明单位", expected="表头写作 站号(mm), 或指定单位", cure="确认数据以毫米计后, 在入库方案中写 unit = \"mm\", 或用 --unit mm")


def _check_rain(part: pd.DataFrame, origin: str) -> None:
    station = part["station_id"].iloc[0] if part["station_id"].nunique() == 1 else ""
    where = f"{origin} 雨量站 {station}" if station else origin
    top = parameter("rain_day_max_mm")
    _faulty(part["rain_mm"] < 0, part, f"{where}: {{}}的降水量为负值", "改正数值; 负的缺测代码 (如 -9999) 请改为空白")
    _faulty(part["rain_mm"] > top, part, f"{where}: {{}}的日降水量超过 {top:g} 毫米, 不可能发生", "核对单位是否为 0.1 毫米; 缺测代码 (如 32766、999990) 请改为空白")
    _faulty(part.duplicated(["station_id", "day"], keep=False), part, f"{where}: {{}}的日期重复", "每站每天只留一个值; 分时段的数据请先合计为日降水量")


def _faulty(mask: pd.Series, frame: pd.DataFrame, found: str, cure: str) -> None:
    rows: Sequence[int] = [int(k) for k in frame.index[mask.to_numpy(bool)]]
    if rows:
        raise SchemaError(found.format(rows_text(rows)), expected="完整、不重复的记录", cure=cure)


def _clock_remarks(clocks: Counter[str], origin: str) -> list[str]:
    if len(clocks) < 2:
        return []
    named = "、".join(f"{c} {n} 条" for c, n in sorted(clocks.items()))
    return [f"{origin}: 时间戳的时刻不一致 ({named}), 日界可能变过; 按时间戳的日期计为当日"]


def _runs(days: pd.DatetimeIndex) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    runs: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for day in days:
        if runs and day - runs[-1][1] == pd.Timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
