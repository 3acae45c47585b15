"""Rows of the printed tables of survey results: erosion, mining, motion, change (专项调查成果表整理)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from qianmo.reports.figure_text import figure_text
from qianmo.reports.typography import cell_text, word
from qianmo.schema.shipped import shipped_rows

__all__ = ["SURVEY_ROWS", "UNKNOWN_GRADE", "WHOLE", "change_word", "table_of"]

WHOLE = "全区"
"""Zone of the rows of the whole area in the tables of erosion."""

UNKNOWN_GRADE = "无数据"
"""Word for patches without a rate of motion."""

_DOUBTFUL = ("red", "yellow", "grey")
_LIGHTS = ("red", "yellow", "grey", "green")
_SIDES = {-1: "偏低", 1: "偏高"}


def table_of(results: Mapping[str, Any], key: str) -> pd.DataFrame | None:
    """A result table with rows, else None (有行的成果表)."""
    found = results.get(key)
    return found if isinstance(found, pd.DataFrame) and len(found) else None


def change_word(kind: str, code: str) -> str:
    """Chinese word of a light, candidate or group from ``codes/change_words.csv`` with full-width brackets (变化用语)."""
    found = {r["code"]: r["zh"] for r in shipped_rows("codes", "change_words") if r["kind"] == kind}
    return found.get(code, code)


def _erosion_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "erosion_area")
    return None if frame is None else frame[frame["zone"] == WHOLE]


def _erosion_zones(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "erosion_area")
    return None if frame is None else frame[frame["zone"] != WHOLE]


def _erosion_change(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "erosion_change")
    return None if frame is None else frame[frame["zone"] == WHOLE].sort_values("grade", kind="stable")


def _erosion_factor(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "erosion_factor")
    if frame is None:
        return None
    numbers = {c: [figure_text(float(v)) for v in frame[c]] for c in ("least", "mean", "largest")}
    return frame.assign(**numbers, local=["是" if own else "否" for own in frame["is_local"]])


def _erosion_sample(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "erosion_sample")
    return None if frame is None else frame.assign(kind=[word("residual", k) for k in frame["kind"]])


def _erosion_kind(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Patches and area by leading kind and grade, from slight on."""
    frame = table_of(results, "erosion_kind")
    if frame is None or not (frame["grade"] >= 2).any():
        return None
    worn = frame[frame["grade"] >= 2]
    return worn.groupby(["kind_zh", "grade", "grade_zh"], as_index=False, sort=False).agg(patches=("patch_id", "size"), area_ha=("area_ha", "sum")).sort_values(["kind_zh", "grade"])


def _buildings(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "building_damage")
    if frame is None:
        return None
    sizes = frame.assign(tilt_mm_m=frame["tilt_mm_m"].abs(), strain_mm_m=frame["strain_mm_m"].abs())
    return sizes.groupby(["grade", "grade_zh"], as_index=False).agg(
        buildings=("building_id", "size"), needs_judgement=("needs_judgement", "sum"), subsidence_mm=("subsidence_mm", "max"), tilt_mm_m=("tilt_mm_m", "max"),
        strain_mm_m=("strain_mm_m", "max"),
    )  # fmt: skip


def _goaf_zone(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "goaf_zone")
    if frame is None:
        return None
    told = pd.DataFrame(frame) if "doubt" in frame else pd.DataFrame(frame).assign(doubt="")  # zones of an earlier version have no such column
    return told.assign(methods=["、".join(word("probe_method", k) for k in str(v).split("+")) for v in frame["methods"]])


def _goaf_anomaly(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "goaf_anomaly")
    if frame is None:
        return None
    return pd.DataFrame(frame).assign(method=[word("probe_method", v) for v in frame["method"]], kind=[word("anomaly", v) for v in frame["kind"]])


def _motion_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """The figures of the command in words and units; what it did not compute is left out."""
    told = results.get("motion")
    if not isinstance(told, Mapping):
        return None
    turn = {"closure_mean_abs_rad": ("平均绝对闭合差", "0.0000", "弧度"), "closure_over_pi_share": ("闭合差超过π的环", "0.00%", "")} if told.get("loops") else {}
    items = {
        "pairs": ("干涉对", "integer", "个"), "dates": ("影像", "integer", "期"), "loops": ("闭合环", "integer", "个"), **turn,
        "seen_share": ("有速率的像元", "0.00%", ""), "island_share": ("剔除的孤岛像元", "0.00%", ""),
        "rate_p5_mm_yr": ("视线向速率5%分位", "0.00", "毫米/年"), "rate_p50_mm_yr": ("视线向速率中位数", "0.00", "毫米/年"),
        "rate_p95_mm_yr": ("视线向速率95%分位", "0.00", "毫米/年"), "sigma_median_mm_yr": ("垂直速率中误差中位数", "0.00", "毫米/年"),
        "scatter_median_mm": ("单期形变噪声中位数", "0.0", "毫米"), "lowest_vertical_mm_yr": ("最低垂直速率", "0.00", "毫米/年"), "area_ha": ("最后一期沉陷盆地", "0.00", "公顷"),
        "speed_ha_yr": ("盆地扩展速度", "0.00", "公顷/年"), "east_p5_mm_yr": ("东西向速率5%分位（东为正）", "0.00", "毫米/年"),
        "east_p50_mm_yr": ("东西向速率中位数", "0.00", "毫米/年"), "east_p95_mm_yr": ("东西向速率95%分位", "0.00", "毫米/年"),
        "east_sigma_median_mm_yr": ("东西向速率中误差中位数", "0.00", "毫米/年"), "break_share": ("趋势转折的像元", "0.00%", ""),
    }  # fmt: skip
    rows = [(zh, cell_text(told[k], shape), unit) for k, (zh, shape, unit) in items.items() if told.get(k) is not None]
    return pd.DataFrame([("观测时段", f"{told['first']}至{told['last']}", ""), *rows], columns=["zh", "value", "unit"])


def _motion_basin(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Bowls of the last date by threshold."""
    frame = table_of(results, "motion_date")
    return None if frame is None else _dated(frame[frame["day"] == frame["day"].max()])


def _motion_date(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "motion_date")
    return None if frame is None else _dated(frame.sort_values(["edge_mm", "day"], kind="stable"))


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(day=[str(d)[:10] for d in frame["day"]])


def _motion_grade(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "motion_patch")
    if frame is None:
        return None
    risk = frame["pond_risk"] == "有" if "pond_risk" in frame else pd.Series(np.nan, index=frame.index)
    named = frame.assign(grade=frame["grade"].replace("", UNKNOWN_GRADE), pond=risk.astype(float))
    sums = named.groupby("grade", as_index=False).agg(
        patches=("patch_id", "size"), lowest_mm_yr=("vertical_mm_yr", "min"), highest_mm_yr=("vertical_mm_yr", "max"), sigma_mm_yr=("sigma_mm_yr", "median"),
        pond=("pond", lambda v: v.sum(min_count=1)),
    )  # fmt: skip
    return sums.sort_values("lowest_mm_yr", kind="stable", na_position="last")


def _motion_patch(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "motion_patch")
    if frame is None:
        return None
    blank = {c: v for c, v in (("pond_m", np.nan), ("pond_risk", ""), ("mine_alarm", ""), ("tilt_mm_m", np.nan)) if c not in frame}
    return frame.assign(grade=frame["grade"].replace("", UNKNOWN_GRADE), **blank)


def _change_light(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "change_signal")
    if frame is None or not frame["farmland"].any():
        return None
    fields = frame[frame["farmland"]]
    sums = fields.groupby(["light", "candidate"], as_index=False).agg(parcels=("patch_id", "size"), area_m2=("area_m2", "sum"), changed_m2=("changed_m2", "sum"))
    order = sums.sort_values("light", key=lambda s: s.map({k: n for n, k in enumerate(_LIGHTS)}), kind="stable")
    return _in_words(order)


def _change_signal(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "change_signal")
    return None if frame is None else _in_words(frame[frame["farmland"] & frame["light"].isin(_DOUBTFUL)])


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{c: [change_word(c, v) for v in frame[c]] for c in ("light", "candidate")})


def _change_class(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "change_class")
    if frame is None:
        return None
    later = [change_word("group", v) or "未知" for v in frame["to_group"]] if "to_group" in frame else ["未分类"] * len(frame)
    return frame.assign(to_group=later, from_class=[v or "（图斑范围外或无图斑）" for v in frame["from_class"]])


def _change_series(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "change_series")
    if frame is None:
        return None
    found = frame[frame["alarm_day"] != ""].sort_values("confidence", ascending=False, kind="stable")
    return found.assign(direction=[_SIDES.get(int(d), "") for d in found["direction"]])


SURVEY_ROWS: Mapping[str, Callable[[Mapping[str, Any]], pd.DataFrame | None]] = MappingProxyType(
    {
        "erosion_total": _erosion_total, "erosion_area": _erosion_zones, "erosion_change": _erosion_change, "erosion_factor": _erosion_factor,
        "erosion_sample": _erosion_sample, "erosion_kind": _erosion_kind, "damage_building": _buildings, "goaf_zone": _goaf_zone, "goaf_anomaly": _goaf_anomaly, "motion_total": _motion_total,
        "motion_basin": _motion_basin, "motion_grade": _motion_grade, "motion_date": _motion_date, "motion_patch": _motion_patch, "change_light": _change_light,
        "change_signal": _change_signal, "change_class": _change_class, "change_series": _change_series,
    }
)  # fmt: skip
"""Table key → how its rows are made; classes come as codes."""
