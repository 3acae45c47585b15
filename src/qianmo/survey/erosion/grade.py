"""Grades of erosion intensity by SL 190-2007 (土壤侵蚀强度分级)."""

from __future__ import annotations

from functools import cache

import numpy as np

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["GRADES", "interval_grade", "regions", "slope_cover_grade", "tolerance_t_km2"]

GRADES = ("", "微度", "轻度", "中度", "强烈", "极强烈", "剧烈")
"""Chinese words of the grades 1 to 6."""

_SLOPES = (5.0, 8.0, 15.0, 25.0, 35.0)
_COVERS = ("非耕地 <30%", "非耕地 30-45%", "非耕地 45-60%", "非耕地 60-75%")


@cache
def regions() -> tuple[str, ...]:
    """Regions of the water-erosion table (水力侵蚀类型区)."""
    return tuple(dict.fromkeys(r["region_or_row"] for r in shipped_rows("parameters", "sl190_erosion_grades") if r["table"] == "tolerance"))


def tolerance_t_km2(region: str) -> float:
    """Tolerable soil loss of a region, t/(km2·a) (容许土壤流失量).

    Raises
    ------
    RuleError
        Unknown region.
    """
    for r in shipped_rows("parameters", "sl190_erosion_grades"):
        if r["table"] == "tolerance" and r["region_or_row"] == region:
            return float(r["min_incl"])
    raise RuleError(f"侵蚀类型区 {region!r}", expected=", ".join(regions()))


def interval_grade(values: np.ndarray, *, table: str, erosion: str, region: str = "all", metric: str = "") -> np.ndarray:
    """Grade 1 to 6 of values by the intervals of a table, low ≤ value < high (按区间分级).

    Parameters
    ----------
    values : ndarray (n,)
        E.g. modulus [t/(km2·a)], thickness [mm/a], gully share [%]; nan gives 0.
    table : {"modulus", "thickness", "gully", "gravity"}
    erosion : str
        Type of erosion as in the table, e.g. ``water`` or ``wind``.
    region : str
        Region of water erosion, or ``all``.
    metric : str
        Metric where a table holds several.

    Returns
    -------
    ndarray (n,), int
        0 where unknown; 1 below the lowest interval.

    Raises
    ------
    RuleError
        No such table.
    SchemaError
        A negative value.
    """
    rows = [r for r in shipped_rows("parameters", "sl190_erosion_grades")
            if r["table"] == table and r["erosion_type"].split(" ")[0] == erosion and r["region_or_row"] == region and (not metric or r["metric"] == metric)]  # fmt: skip
    if not rows:
        raise RuleError(f"分级表 {table} / {erosion} / {region}", expected="modulus, thickness, gully, gravity; " + ", ".join(regions()))
    v = np.asarray(values, dtype=float)
    if (v < 0).any():
        raise SchemaError(f"侵蚀指标为负 ({np.nanmin(v):g})", expected="不小于 0")
    grade = np.where(np.isfinite(v), 1, 0)
    for r in rows:
        grade = np.where(np.isfinite(v) & (v >= float(r["min_incl"])), np.maximum(grade, int(r["grade_no"])), grade)
    return grade


def slope_cover_grade(slope_deg: np.ndarray, cover_percent: np.ndarray, is_farmland: np.ndarray) -> np.ndarray:
    """Grade 1 to 6 of sheet erosion by slope and cover (面蚀分级).

    Parameters
    ----------
    slope_deg, cover_percent : ndarray (n,)
        Slope and, off farmland, vegetation cover in percent; nan gives 0 where it is needed.
    is_farmland : ndarray (n,), bool
        Sloping farmland has a row of its own.

    Returns
    -------
    ndarray (n,), int
        1 (微度) below 5 degrees, or where cover is above 75 % off farmland.
    """
    slope, cover, farm = np.asarray(slope_deg, dtype=float), np.asarray(cover_percent, dtype=float), np.asarray(is_farmland, dtype=bool)
    table = _slope_cover_table()
    column = np.clip(np.searchsorted(_SLOPES, slope, side="right") - 1, 0, len(_SLOPES) - 1)
    row = np.where(farm, len(_COVERS), np.searchsorted((30.0, 45.0, 60.0), cover, side="right"))
    found = np.where((slope < _SLOPES[0]) | (~farm & (cover > 75.0)), 1, table[row, column])
    return np.where(np.isfinite(slope) & (farm | np.isfinite(cover) | (slope < _SLOPES[0])), found, 0)


@cache
def _slope_cover_table() -> np.ndarray:
    """Grades (cover classes and farmland, slope classes)."""
    names, slopes = (*_COVERS, "坡耕地"), ("5-8 deg", "8-15 deg", "15-25 deg", "25-35 deg", ">35 deg")
    found = np.zeros((len(names), len(slopes)), dtype=int)
    for r in shipped_rows("parameters", "sl190_erosion_grades"):
        if r["table"] == "face_slope_cover":
            found[names.index(r["cover_class"]), slopes.index(r["slope_class"])] = int(r["grade_no"])
    if (found == 0).any():
        raise RuleError("面蚀分级表不完整", expected="5 行 5 列")
    return found
