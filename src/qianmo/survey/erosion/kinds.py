"""Kinds of erosion that no soil-loss equation knows, graded from a field survey (侵蚀类型调查与分级)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.erosion.grade import GRADES, interval_grade

__all__ = ["KINDS", "SURVEYED", "surveyed_kinds"]

KINDS = {"water": "水力侵蚀", "gully": "沟蚀", "gravity": "重力侵蚀", "wind": "风力侵蚀", "freeze_thaw": "冻融侵蚀"}
"""Kinds of erosion; of kinds of one grade the first leads."""

SURVEYED = {
    "gully_percent": ("gully", "gully", "water", "沟谷占坡面面积比", 100.0),
    "gully_km_km2": ("gully", "gully", "water", "沟壑密度", 100.0),
    "collapse_percent": ("gravity", "gravity", "gravity", "崩塌面积占坡面面积比", 100.0),
    "wind_t_km2": ("wind", "modulus", "wind", "", 1e6),
    "freeze_thaw_grade": ("freeze_thaw", "", "", "", 6.0),
}
"""Columns of a survey: kind, table and type and metric of ``sl190_erosion_grades.csv``, largest value. The grade of freeze–thaw is the surveyor's own."""


def surveyed_kinds(survey: pd.DataFrame, water_grade: np.ndarray) -> pd.DataFrame:
    """Grade of every kind of erosion, and the one that leads (各类侵蚀强度与主导类型).

    Parameters
    ----------
    survey : DataFrame, n rows
        Any of the columns ``SURVEYED``, [%], [km/km2], [t/(km2·a)], grade 1–6; nan where not surveyed.
    water_grade : ndarray (n,), int
        Grade of sheet and rill erosion by the equation, 0 where unknown.

    Returns
    -------
    DataFrame, n rows
        ``grade_<kind>`` int, 0 where not known; of two measures of gullies the higher grade counts; ``kind``, ``kind_zh`` with the highest grade,
        '' where nothing is known; ``grade``, ``grade_zh``.

    Raises
    ------
    MissingDataError
        None of the columns is there.
    SchemaError
        A value out of range; rows and column are named.
    """
    columns = [c for c in SURVEYED if c in survey]
    if not columns:
        raise MissingDataError("调查表没有侵蚀指标", expected=", ".join(SURVEYED))
    grades = {k: np.zeros(len(survey), dtype=int) for k in KINDS}
    grades["water"] = np.asarray(water_grade, dtype=int)
    for column in columns:
        kind, table, erosion, metric, most = SURVEYED[column]
        value = survey[column].to_numpy(float)
        bad = np.flatnonzero((value < 0) | (value > most) | (np.isinf(value)) | ((table == "") & np.isfinite(value) & (value != np.round(value))))
        if len(bad):
            raise SchemaError(f"{column} 第 {', '.join(str(k + 1) for k in bad[:5])} 个值 {value[bad[0]]:g} 超出范围", expected=f"0 至 {most:g}", cure="核对单位")
        found = np.nan_to_num(value).astype(int) if not table else interval_grade(value, table=table, erosion=erosion, metric=metric)
        grades[kind] = np.maximum(grades[kind], np.where(value == 0, 1, found))
    every = np.stack(list(grades.values()))
    lead, most_of = every.argmax(axis=0), every.max(axis=0)
    names = list(KINDS)
    leading = np.where(most_of > 0, np.array(names, dtype=object)[lead], "")
    out = pd.DataFrame({f"grade_{k}": g for k, g in grades.items()})
    out["kind"], out["kind_zh"] = leading, [KINDS.get(str(k), "") for k in leading]
    out["grade"], out["grade_zh"] = most_of, [GRADES[g] or "未知" for g in most_of]
    return out
