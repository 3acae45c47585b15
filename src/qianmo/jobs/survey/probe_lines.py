"""Lines of ground radar, resistivity and transient soundings to anomalies in plan (物探测线解释)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.jobs.plain_table import plain_table
from qianmo.reports.sounding_chart import radar_chart, resistivity_chart
from qianmo.schema.errors import GoafInputError, MissingDataError, SchemaError
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_radar import read_radar
from qianmo.survey.goaf_evidence import Evidence, swath
from qianmo.survey.radar.interpret import interpreted
from qianmo.survey.resistivity.electrical import ElectricalLine, inverted_line
from qianmo.survey.resistivity.section import ResistivitySection, resistivity_bodies
from qianmo.survey.resistivity.transient import TransientSounding, layers_of, section_of_soundings

__all__ = ["LineFound", "line_found"]

_COMMON = ("name", "method", "file", "path", "half_width_m")
_KEYS = {
    "gpr": ("antenna_mhz", "velocity_m_ns", "velocity_sigma_m_ns", "zero_ns", "spacing_m", "channel", "segy_time_unit"), "ert": ("cell_m", "deepest_m"),
    "tem": ("loop_radius_m", "loop_side_m", "first_layer_m", "deepest_m", "layers"),
}  # fmt: skip
_GROUND_OHM_M = (3.0, 3e4)
_MARGIN_DEG = 3.0
"""Degrees beyond the area of use of a system in which lines may lie: neighbouring zones are in use at county borders."""
_WORDS = {"void": "雷达异常", "low": "低阻", "high": "高阻"}


@dataclass(frozen=True)
class LineFound:
    """What one line says (测线成果): anomalies, their stretch and measure, the chart, a line for the user, and what is to be doubted in the data."""

    evidence: list[Evidence]
    spans: list[tuple[float, float, str]]
    chart: bytes
    said: str
    doubt: str = ""


def line_found(told: Mapping[str, Any], *, folder: Path, number: int, file: str, parameter: Callable[[str], float], crs: pyproj.CRS) -> LineFound:
    """Read and interpret one ``[[line]]`` of a probe file (一条测线).

    Raises
    ------
    GoafInputError
        A key is missing, unknown or of the wrong kind; the key is named.
    QianmoError
        The data file cannot be read or interpreted.
    """
    place = f"line[{number}]"
    method = str(told.get("method"))
    if method not in _KEYS:
        raise GoafInputError(f"{told.get('method')!r}", file=file, key=f"{place}.method", expected=", ".join(_KEYS))
    for key in told:
        if key not in (*_COMMON, *_KEYS[method]):
            raise GoafInputError(f"不认识的键 {key}", file=file, key=f"{place}.{key}", expected=", ".join((*_COMMON, *_KEYS[method])))
    for key in _COMMON:
        if key not in told:
            raise GoafInputError(f"缺 {key}", file=file, key=place, expected=", ".join(_COMMON))
    for key in ("half_width_m", *_KEYS[method]):
        if key in told and key != "segy_time_unit" and (isinstance(told[key], bool) or not isinstance(told[key], (int, float))):
            raise GoafInputError(f"{told[key]!r}", file=file, key=f"{place}.{key}", expected="数")
    path = _path(told["path"], file, f"{place}.path")
    _inside(path, crs, file, f"{place}.path")
    data = folder / str(told["file"])
    try:
        if method == "gpr":
            return _radar(told, data, path, parameter)
        section = _electrical(told, data) if method == "ert" else _transient(told, data, file, place)
        return _resistivity(told, section, path, parameter)
    except GoafInputError:
        raise
    except (SchemaError, MissingDataError) as fault:
        raise type(fault)(f"测线 {told['name']} ({told['file']}): {fault.found}", expected=fault.expected, cure=fault.cure) from None


def _path(points: Any, file: str, key: str) -> shapely.LineString:
    try:
        line = shapely.LineString(np.asarray(points, dtype=float))
    except (TypeError, ValueError, shapely.errors.GEOSException):
        line = shapely.LineString()
    if not line.length > 0 or not np.isfinite(shapely.get_coordinates(line)).all():
        raise GoafInputError(f"{points!r}"[:80], file=file, key=key, expected="[[东, 北], [东, 北]], 至少两点, 单位米")
    return line


def _inside(path: shapely.LineString, crs: pyproj.CRS, file: str, key: str) -> None:
    """Refuse a line that does not lie where its system is used: degrees, or east and north exchanged."""
    x, y = shapely.get_coordinates(path).mean(axis=0)
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    use = crs.area_of_use
    west, south, east, north = use.bounds if use else (-180.0, -90.0, 180.0, 90.0)
    if not (west - _MARGIN_DEG <= lon <= east + _MARGIN_DEG and south - _MARGIN_DEG <= lat <= north + _MARGIN_DEG):
        raise GoafInputError(f"测线在东 {x:g}, 北 {y:g}, 不在 {crs.name} 的适用范围", file=file, key=key, expected="[东, 北], 米", cure="核对 crs, 是否写成了经纬度, 东、北是否写反")


def _radar(told: Mapping[str, Any], data: Path, path: shapely.LineString, parameter: Callable[[str], float]) -> LineFound:
    profile = read_radar(data, limits=default_limits(), spacing_m=told.get("spacing_m"), channel=int(told.get("channel", 0)), segy_time_unit=told.get("segy_time_unit"))
    velocity = (told["velocity_m_ns"], told.get("velocity_sigma_m_ns", 0.1 * told["velocity_m_ns"])) if "velocity_m_ns" in told else None
    if float(np.ptp(profile.position_m)) > 1.02 * path.length:
        raise SchemaError(f"{profile.name}: 剖面长 {np.ptp(profile.position_m):.2f} m, 测线 path 长 {path.length:.2f} m", expected="剖面不长于测线", cure="核对道间距与测线坐标")
    _one_antenna(profile.antenna_mhz, told)
    found = interpreted(profile, parameter=parameter, antenna_mhz=told.get("antenna_mhz"), velocity=velocity, zero_ns=told.get("zero_ns"))
    name, width, start = str(told["name"]), float(told["half_width_m"]), float(found.position_m[0])
    evidence, spans, boxes = [], [], []
    step = float(found.position_m[1] - found.position_m[0])
    for b in found.bodies:
        a, c = max(b.from_m - start - step / 2, 0.0), min(b.to_m - start + step / 2, path.length)
        evidence.append(Evidence("gpr", name, "void", swath(path, a, c, half_width_m=width), b.depth_m, b.sigma_m, b.confidence))
        spans.append((a, c, f"信噪比 {b.contrast:.1f}"))
        boxes.append((b.from_m, b.to_m, b.depth_m, b.sigma_m, f"{b.depth_m:.2f} ± {b.sigma_m:.2f} 米"))
    source = f"{len(found.hyperbolas)} 个绕射" if found.hyperbolas else ("给定" if velocity else "缺省, 未找到绕射")
    words = f"波速 {found.velocity_m_ns:.4f} ± {found.sigma_velocity_m_ns:.4f} 米/纳秒（{source}）"
    depth = np.arange(len(found.image)) * found.sample_ns * found.velocity_m_ns / 2
    chart = radar_chart(found.image, found.position_m, depth, boxes, title=f"{name}　探地雷达偏移剖面", note=f"{words}；框为异常顶板深度 ± 中误差")
    return LineFound(evidence, spans, chart, f"{name} 探地雷达: {words}, 异常 {len(evidence)} 处")


def _one_antenna(read_mhz: float, told: Mapping[str, Any]) -> None:
    """Refuse an antenna that contradicts the header, and a time zero in seconds."""
    given = told.get("antenna_mhz")
    if given is not None and np.isfinite(read_mhz) and not 0.5 < given / read_mhz < 2.0:
        raise SchemaError(f"给定天线主频 {given:g} MHz, 文件头为 {read_mhz:g} MHz", expected="两者一致", cure="核对单位 (MHz), 或去掉 antenna_mhz")
    if 0 < told.get("zero_ns", 0) < 1e-3:
        raise SchemaError(f"时间零点 {told['zero_ns']:g} ns", expected="纳秒", cure="像是以秒为单位, 乘以 1e9")


def _electrical(told: Mapping[str, Any], data: Path) -> ResistivitySection:
    needed = ("a_m", "b_m", "m_m", "n_m", "apparent_ohm_m", "error")
    table = _numbers(str(data), needed)
    places = np.unique(table[list(needed[:4])].to_numpy())
    arrays = np.searchsorted(places, table[list(needed[:4])].to_numpy())
    return inverted_line(ElectricalLine(places, arrays, table["apparent_ohm_m"].to_numpy(), table["error"].to_numpy()), cell_m=told.get("cell_m"), depth_m=told.get("deepest_m"))


def _transient(told: Mapping[str, Any], data: Path, file: str, place: str) -> ResistivitySection:
    if ("loop_radius_m" in told) == ("loop_side_m" in told):
        raise GoafInputError("回线尺寸", file=file, key=f"{place}.loop_radius_m", expected="loop_radius_m 或 loop_side_m 之一")
    radius = float(told.get("loop_radius_m") or told["loop_side_m"] / np.sqrt(np.pi))
    table = _numbers(str(data), ("at_m", "time_s", "decay_v_m2_a", "error"))
    soundings = [
        TransientSounding(float(rows["at_m"].iloc[0]), rows["time_s"].to_numpy(), rows["decay_v_m2_a"].to_numpy(), rows["error"].to_numpy(), radius)
        for _, rows in table.groupby("at_m")
    ]
    layers = layers_of(first_m=float(told.get("first_layer_m", 5.0)), deepest_m=float(told.get("deepest_m", 200.0)), count=int(told.get("layers", 16)))
    return section_of_soundings(soundings, thickness_m=layers)


def _numbers(path: str, needed: tuple[str, ...]) -> pd.DataFrame:
    table = plain_table(path, needed=needed, meaning="按物探数据格式, 见 how-to/probe")[list(needed)].apply(pd.to_numeric, errors="coerce")
    bad = [int(k) + 2 for k in np.flatnonzero(table.isna().any(axis=1))]
    if bad:
        raise SchemaError(f"{Path(path).name}: 第 {', '.join(map(str, bad[:8]))} 行不是数", expected=", ".join(needed), cure="删除或补齐这些行")
    return table


def _resistivity(told: Mapping[str, Any], section: ResistivitySection, path: shapely.LineString, parameter: Callable[[str], float]) -> LineFound:
    least = parameter("goaf_least_sensitivity")
    bodies = resistivity_bodies(section, least_ratio=parameter("goaf_least_ratio"), sure_ratio=parameter("goaf_sure_ratio"), least_sensitivity=least,
                                lobe_share=parameter("goaf_lobe_share"))  # fmt: skip
    name, method, width = str(told["name"]), str(told["method"]), float(told["half_width_m"])
    evidence, spans, boxes = [], [], []
    for b in bodies:
        a, c = max(b.from_m, 0.0), min(b.to_m, path.length)
        evidence.append(Evidence(method, name, b.kind, swath(path, a, c, half_width_m=width), b.depth_m, b.sigma_m, b.confidence))
        spans.append((a, c, f"与背景之比 {b.ratio:.2f}"))
        boxes.append((b.from_m, b.to_m, b.top_m, b.bottom_m, b.depth_m, f"{_WORDS[b.kind]} {b.depth_m:.1f} ± {b.sigma_m:.1f} 米"))
    word = {"ert": "高密度电法", "tem": "瞬变电磁"}[method]
    seen = section.sensitivity >= least * section.sensitivity.max()
    note = f"约化卡方 {section.reduced_chi2:.2f}；框为半高轮廓，十字为中心；平滑反演低估真实对比度"
    chart = resistivity_chart(section.edges_x_m, section.edges_depth_m, section.resistivity_ohm_m, seen, boxes, title=f"{name}　{word}电阻率断面", note=note)
    return LineFound(evidence, spans, chart, f"{name} {word}: 约化卡方 {section.reduced_chi2:.2f}, 异常 {len(evidence)} 处", _odd_ground(name, section))


def _odd_ground(name: str, section: ResistivitySection) -> str:
    """A ground more conducting than soils are, or less than rocks are, speaks of kΩ·m or mΩ·m."""
    middle = float(np.median(section.resistivity_ohm_m))
    return "" if _GROUND_OHM_M[0] <= middle <= _GROUND_OHM_M[1] else f"{name}: 电阻率中位数 {middle:.3g} Ω·m, 一般土层与岩层为 {_GROUND_OHM_M[0]:g} 至 {_GROUND_OHM_M[1]:g}, 核对单位 (Ω·m 与 kΩ·m)"
