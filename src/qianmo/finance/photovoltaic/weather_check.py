"""Does a weather year fit its place, clock and units (气象导入检查)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from qianmo.finance.photovoltaic.sun import sun_hours
from qianmo.schema.rules import parameter
from qianmo.schema.weather import Weather

__all__ = ["CHECK_COLUMNS", "best_minute", "check_weather", "closure_scan"]

CHECK_COLUMNS = ("check", "severity", "what", "found", "expected", "cure")

_DEG_PER_MINUTE = 0.25
_STEP_MINUTES = 15
_REACH_MINUTES = 720
_FLAT = 1.02
_BELOW_DEG, _DAYLIGHT_W = -1.0, 5.0
_UNITS = (("kWh/m2", 1000.0), ("MJ/m2", 1e6 / 3600.0), ("kJ/m2", 1.0 / 3.6), ("J/m2", 1.0 / 3600.0), ("J/cm2", 1e4 / 3600.0), ("cal/cm2", 41868.0 / 3600.0))


def closure_scan(weather: Weather) -> pd.DataFrame:
    r"""How well the three radiations close for every minute of the hour at which the sun may stand (闭合误差扫描).

    The error of an hour is GHI - (DHI + DNI cos z) with z at the tried instant, the beam 0 below the horizon; the root of its mean square
    is taken over the hours with GHI > 0. A clock that is wrong by x minutes moves the minimum by x.

    Returns
    -------
    DataFrame
        minute (from -690 to 750 by 15, and the declared one), rmse_w_m2, dark_hours: hours with GHI above 5 W/m2 while the sun stands more
        than 1 degree below the horizon.
    """
    sun = sun_hours(replace(weather, sun_minute=0.0))
    lat, zenith, azimuth = (np.radians(v) for v in (weather.latitude_deg, sun.true_zenith_deg, sun.azimuth_deg))
    declination = np.arcsin(np.cos(zenith) * np.sin(lat) + np.sin(zenith) * np.cos(lat) * np.cos(azimuth))
    hour_angle = np.arctan2(-np.sin(zenith) * np.sin(azimuth), np.cos(zenith) * np.cos(lat) - np.sin(zenith) * np.sin(lat) * np.cos(azimuth))
    up = weather.ghi_w_m2 > 0.0
    rest, beam = weather.ghi_w_m2 - weather.dhi_w_m2, weather.dni_w_m2
    tried = np.unique(np.append(np.arange(30 - _REACH_MINUTES, 31 + _REACH_MINUTES, _STEP_MINUTES, dtype=float), weather.sun_minute))
    rows = []
    for minute in tried:
        turned = hour_angle + np.radians(_DEG_PER_MINUTE * minute)
        height = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(turned)
        error = (rest - beam * np.maximum(height, 0.0))[up]
        dark = (weather.ghi_w_m2 > _DAYLIGHT_W) & (height < np.sin(np.radians(_BELOW_DEG)))
        rows.append((minute, float(np.sqrt(np.mean(error**2))) if len(error) else np.nan, int(dark.sum())))
    return pd.DataFrame(rows, columns=["minute", "rmse_w_m2", "dark_hours"])


def best_minute(scan: pd.DataFrame) -> float:
    """Middle of the flat bottom of a closure scan (最佳时刻) [min]: the mean of the minutes within 2 % of the least error."""
    bottom = scan[scan["rmse_w_m2"] <= scan["rmse_w_m2"].min() * _FLAT + 1e-9]
    return float(bottom["minute"].mean())


def check_weather(weather: Weather, *, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Faults of a weather year (气象导入检查): units, signs, sun above the sky, clock, time zone.

    Nothing is repaired. Limits are the parameters ``weather_*``.

    Returns
    -------
    DataFrame
        Columns `CHECK_COLUMNS`; severity 'error' where the yield would be wrong, 'warning' where it may be, 'info' for what was found in order.
    """
    rows = [*_signs(weather), *_units(weather, overrides), *_plausible(weather)]
    if not any(r[1] == "error" for r in rows):
        rows += _clock(weather, overrides)
    return pd.DataFrame(rows, columns=list(CHECK_COLUMNS))


def _signs(weather: Weather) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "wind_m_s"):
        bad = np.flatnonzero(getattr(weather, name) < 0.0)
        if len(bad):
            found = f"{len(bad)} 小时，首个在第 {bad[0] + 1} 小时，最小 {getattr(weather, name).min():g}"
            rows.append(("negative", "error", f"{name} 有负值", found, "不小于 0", "夜间的仪器零点漂移改为 0，其余按缺测补齐"))
    return rows


def _units(weather: Weather, overrides: Mapping[str, float] | None) -> list[tuple[str, ...]]:
    low, high = (parameter(f"weather_{k}_kwh_m2", overrides) for k in ("yearly_min", "yearly_max"))
    peak_low, peak_high = (parameter(f"weather_peak_{k}_w_m2", overrides) for k in ("min", "max"))
    yearly, peak = float(weather.ghi_w_m2.sum()) / 1000.0, float(weather.ghi_w_m2.max())
    rows: list[tuple[str, ...]] = []
    if not (low <= yearly <= high and peak_low <= peak <= peak_high):
        fits = [name for name, factor in _UNITS if low <= yearly * factor <= high and peak_low <= peak * factor <= peak_high]
        guess = f"像是 {'、'.join(fits)}，应换算为 Wh/m2" if fits else "核对单位，应为逐时 Wh/m2（即 W/m2）"
        expected = f"年 {low:g}–{high:g} kWh/m2，最大 {peak_low:g}–{peak_high:g} W/m2"
        rows.append(("units", "error", "总辐射的单位不对", f"年 {yearly:.6g} kWh/m2，最大 {peak:.6g} W/m2", expected, guess))
    mean = float(np.mean(weather.air_c))
    if mean > 150.0:
        rows.append(("units", "error", "气温像是开尔文", f"年均 {mean:.1f}", "摄氏度", "减去 273.15"))
    elif not -60.0 <= float(weather.air_c.min()) <= float(weather.air_c.max()) <= 60.0:
        rows.append(("units", "warning", "气温超出常理", f"{weather.air_c.min():.1f} 至 {weather.air_c.max():.1f} ℃", "-60 至 60 ℃", "核对单位（华氏度？）与缺测码"))
    return rows


def _plausible(weather: Weather) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    solar = weather.longitude_deg / 15.0
    if weather.utc_offset_h != 0.0 and abs(solar - weather.utc_offset_h) > 3.5:
        found = f"东经 {weather.longitude_deg:g}°，UTC{weather.utc_offset_h:+g}"
        rows.append(("place", "warning", "时区与经度不符", found, f"约 UTC{solar:+.0f}", "核对文件头的经度符号与时区"))
    if float(weather.dhi_w_m2.sum()) > float(weather.ghi_w_m2.sum()):
        found = f"散射 {weather.dhi_w_m2.sum() / 1000:.1f}，总辐射 {weather.ghi_w_m2.sum() / 1000:.1f} kWh/m2"
        rows.append(("columns", "error", "散射多于总辐射", found, "散射不多于总辐射", "两列可能颠倒"))
    flat = _longest_run(weather.ghi_w_m2)
    if flat > 20:
        rows.append(("stuck", "warning", "总辐射连续不变", f"连续 {flat} 小时同为一个正值", "逐时变化", "仪器停走或以常数填补，核对原始数据"))
    return rows


def _longest_run(values: np.ndarray) -> int:
    """Longest run of one positive value."""
    same = np.concatenate([[False], (np.diff(values) == 0.0) & (values[1:] > 0.0), [False]])
    edges = np.flatnonzero(np.diff(same.astype(int)))
    return int(np.max(edges[1::2] - edges[::2], initial=0)) + 1


def _clock(weather: Weather, overrides: Mapping[str, float] | None) -> list[tuple[str, ...]]:
    scan = closure_scan(weather)
    best, least = best_minute(scan), float(scan["rmse_w_m2"].min())
    here = scan[scan["minute"] == weather.sun_minute].iloc[0]
    declared, dark = float(here["rmse_w_m2"]), int(here["dark_hours"])
    away = best - weather.sun_minute
    ratio, slack, near = (parameter(f"weather_closure_{k}", overrides) for k in ("ratio", "slack_w_m2", "minutes"))
    told = f"闭合误差最小 {least:.1f} W/m2，在第 {best:.0f} 分；文件时刻为第 {weather.sun_minute:.0f} 分，误差 {declared:.1f} W/m2，日在地平线下仍有辐射 {dark} 小时"
    poor = parameter("weather_closure_poor_w_m2", overrides)
    if least > poor:
        return [("closure", "warning", "三种辐射不闭合，时刻无法核对", told, f"最小误差不大于 {poor:g} W/m2", "核对直射、散射的来源、定义与单位")]
    if abs(away) < near or declared <= ratio * least + slack:
        return [("clock", "info", "时刻与时区相符", told, "", "")]
    hours = round(away / 30.0) / 2.0
    if abs(away) <= 75.0:
        cure = f"小时标注差 {away:+.0f} 分：核对标注是时段起点还是终点，或时区差一小时（改为 UTC{weather.utc_offset_h - hours:+g}）"
        return [("clock", "error", "小时标注或时区有误", told, f"第 {weather.sun_minute:.0f} 分附近", cure)]
    return [("time_zone", "error", "时区有误", told, f"第 {weather.sun_minute:.0f} 分附近", f"改时区为 UTC{weather.utc_offset_h - hours:+g}（时差 {hours:+g} 小时）")]
