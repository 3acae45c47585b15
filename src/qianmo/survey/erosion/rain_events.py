"""Rain erosivity of a year from its storms or its months, where there are no daily records (次降雨与月雨量侵蚀力)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.survey.erosion.rainfall import fournier_erosivity

__all__ = ["mean_of_stations", "monthly_years", "storm_years"]


def storm_years(storms: pd.DataFrame) -> pd.DataFrame:
    """Sum of E·I30 over the storms of each station and year (次降雨侵蚀力年值).

    Parameters
    ----------
    storms : DataFrame
        station, year, energy_mj_ha [MJ/ha] and i30_mm_h [mm/h], both at least 0.

    Returns
    -------
    DataFrame, one row a station and a year
        station, year, storms, erosivity [MJ·mm/(ha·h)].

    Raises
    ------
    SchemaError
        A column is missing, a value is negative or unknown.

    References
    ----------
    .. [1] W. H. Wischmeier, D. D. Smith, Predicting rainfall erosion losses, USDA Agriculture Handbook 537, 1978.
    """
    _columns(storms, ("station", "year", "energy_mj_ha", "i30_mm_h"))
    values = storms[["energy_mj_ha", "i30_mm_h"]].to_numpy(float)
    if not np.isfinite(values).all() or (values < 0).any():
        raise SchemaError(f"{int((~(np.isfinite(values) & (values >= 0)).all(axis=1)).sum())} 场降雨的动能或雨强为空或为负", expected="不小于 0 的数")
    each = storms.assign(erosivity=values.prod(axis=1)).groupby(["station", "year"], sort=True)["erosivity"]
    return pd.DataFrame({"storms": each.size(), "erosivity": each.sum()}).reset_index()


def monthly_years(months: pd.DataFrame, *, a: float, b: float) -> pd.DataFrame:
    """R = a·F^b of each station and year with all twelve months, F the modified Fournier index (月雨量侵蚀力年值).

    Parameters
    ----------
    months : DataFrame
        station, year, month (1 to 12) and rain_mm [mm], at least 0.
    a, b : float
        Coefficients of the region; they decide the unit of R.

    Returns
    -------
    DataFrame, one row a station and a whole year
        station, year, rain_mm, erosivity.

    Raises
    ------
    SchemaError
        A column is missing, a month is none, comes twice, or its rain is negative or unknown.
    """
    _columns(months, ("station", "year", "month", "rain_mm"))
    rain, month = months["rain_mm"].to_numpy(float), months["month"].to_numpy(float)
    if not np.isfinite(rain).all() or (rain < 0).any() or not np.isin(month, np.arange(1, 13)).all():
        raise SchemaError("月份不在 1-12, 或雨量为空、为负", expected="month 1-12, rain_mm 不小于 0")
    twice = months.duplicated(["station", "year", "month"])
    if twice.any():
        raise SchemaError(f"{int(twice.sum())} 个站年月出现两次", expected="一站一年一月一行", cure="删去重复行")
    rows = [
        (station, int(year), float(part["rain_mm"].sum()), fournier_erosivity(part.sort_values("month")["rain_mm"].to_numpy(float), a=a, b=b))
        for (station, year), part in months.groupby(["station", "year"], sort=True)
        if len(part) == 12
    ]
    return pd.DataFrame(rows, columns=["station", "year", "rain_mm", "erosivity"])


def mean_of_stations(years: pd.DataFrame) -> float:
    """Mean over stations of the mean of their years (各站多年平均).

    Raises
    ------
    SchemaError
        No year.
    """
    if not len(years):
        raise SchemaError("没有一个完整的年份", expected="至少一站一年十二个月")
    return float(years.groupby("station")["erosivity"].mean().mean())


def _columns(table: pd.DataFrame, needed: tuple[str, ...]) -> None:
    lost = [c for c in needed if c not in table]
    if lost:
        raise SchemaError(f"缺列 {', '.join(lost)}", expected=", ".join(needed))
