"""R from a table of storms or of monthly rain that the user hands to the soil-loss job (降雨侵蚀力资料表)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.jobs.plain_table import plain_table
from qianmo.jobs.survey.erosion_factors import Factor
from qianmo.schema.errors import SchemaError
from qianmo.survey.erosion.rain_events import mean_of_stations, monthly_years, storm_years

__all__ = ["erosivity_from"]

_STORMS = ("start", "energy_mj_ha", "i30_mm_h")
_MONTHS = ("year", "month", "rain_mm")


def erosivity_from(path: str, *, a: float | None, b: float | None) -> Factor:
    """R of a table with storms (start, energy_mj_ha, i30_mm_h) or months (year, month, rain_mm); a station column is optional (资料表取值).

    Raises
    ------
    SchemaError
        Neither kind of columns, rows that are no numbers or dates (named as in the file), months without both coefficients.
    MissingDataError, UnsafeInputError, EncodingError
        As for `plain_table`.
    """
    table = plain_table(path, needed=(), meaning="")
    if "station" not in table:
        table = table.assign(station="1")
    if set(_STORMS) <= set(table):
        return _of_storms(table, path)
    if set(_MONTHS) <= set(table):
        if a is None or b is None:
            raise SchemaError(f"{path}: 月雨量没有系数", expected="--fournier-a 与 --fournier-b", cure="按当地文献给出 R = a·F^b 的两个系数")
        return _of_months(table, path, a, b)
    raise SchemaError(f"{path}: 列为 {', '.join(map(str, table.columns))}", expected=f"次降雨 {', '.join(_STORMS)} 或月雨量 {', '.join(_MONTHS)} (可另有 station)",
                      cure="把列名改为上面的名称; 动能单位 MJ/ha, 雨强 mm/h, 雨量 mm")  # fmt: skip


def _of_storms(table: pd.DataFrame, path: str) -> Factor:
    days = pd.to_datetime(table["start"].astype(str), format="ISO8601", errors="coerce")
    numbers = table[list(_STORMS[1:])].apply(pd.to_numeric, errors="coerce")
    _refuse(path, days.isna().to_numpy() | _faulty(numbers), "起始时间不是 2020-05-01 或 2020-05-01 10:00 这样的日期, 或动能、雨强不是不小于 0 的数")
    years = storm_years(numbers.assign(station=table["station"].astype(str), year=days.dt.year))
    said = f"次降雨表 {len(table)} 场, {years['station'].nunique()} 站 {len(years)} 站年, E·I30 (年内是否齐全以资料方为准)"
    return Factor("R", mean_of_stations(years), said, is_local=True)


def _of_months(table: pd.DataFrame, path: str, a: float, b: float) -> Factor:
    numbers = table[list(_MONTHS)].apply(pd.to_numeric, errors="coerce")
    _refuse(path, _faulty(numbers) | ~numbers["month"].isin(range(1, 13)).to_numpy(), "年、月、雨量不是数, 或月份不在 1-12")
    years = monthly_years(numbers.assign(station=table["station"].astype(str)), a=a, b=b)
    said = f"月雨量表, {years['station'].nunique()} 站 {len(years)} 个整年, R = {a:g}·F^{b:g}"
    return Factor("R", mean_of_stations(years), said, is_local=True)


def _faulty(numbers: pd.DataFrame) -> np.ndarray:
    values = numbers.to_numpy(float)
    return ~(np.isfinite(values) & (values >= 0)).all(axis=1)


def _refuse(path: str, bad: np.ndarray, found: str) -> None:
    if bad.any():
        rows = ", ".join(str(k + 2) for k in np.flatnonzero(bad)[:8])
        raise SchemaError(f"{path}: 第 {rows} 行{found}", expected="有效的行", cure="改正或删除这些行")
