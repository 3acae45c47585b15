"""Rain erosivity R from daily rain, from monthly rain and from storms (降雨侵蚀力)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["daily_erosivity", "fournier_erosivity", "half_months", "largest_half_hour_mm_h", "storm_energy_mj_ha", "whole_years", "yearly_erosivity"]


def daily_erosivity(rain_mm: pd.Series, *, method: str = "zhang_daily", threshold_mm: float | None = None) -> pd.DataFrame:
    r"""Erosivity of every half-month from daily rain (半月降雨侵蚀力).

    Parameters
    ----------
    rain_mm : Series, index days (dates), n rows
        Rain of each day, at least 0; every day of the years must be there. [mm]
    method : {"zhang_daily", "census"}
        Daily model of Zhang Wenbo, or the variant of the national soil-erosion survey.
    threshold_mm : float, optional
        Rain from which a day erodes; parameter ``erosion_rain_threshold_mm`` (12 mm) where not given.

    Returns
    -------
    DataFrame, index year, columns 1..24
        MJ·mm/(ha·h) a half-month, at least 0.

    Raises
    ------
    SchemaError
        Unknown method, days twice or not rising, negative rain.
    MissingDataError
        Days missing between the first and the last, part years, or no erosive day at all.

    Notes
    -----
    zhang_daily: :math:`M_k = \alpha \sum D^\beta`, :math:`\beta = 0.8363 + 18.144/P_{d12} + 24.455/P_{y12}`,
    :math:`\alpha = 21.586\, \beta^{-7.1891}`, with the mean rain of an erosive day and the mean erosive rain of a year [1]_. census:
    :math:`a \sum D^{1.7265}`, a = 0.3937 May to September, 0.3101 else (own knowledge of the survey's guide, medium confidence).

    References
    ----------
    .. [1] 章文波, 谢云, 刘宝元, 地理科学, 2002, 22(6): 705-711.
    """
    days, rain = _whole_years(rain_mm)
    limit = parameter("erosion_rain_threshold_mm") if threshold_mm is None else float(threshold_mm)
    if method not in ("zhang_daily", "census"):
        raise SchemaError(f"降雨侵蚀力方法 {method!r}", expected="zhang_daily 或 census")
    erosive = np.where(rain >= limit, rain, 0.0)
    if not (erosive > 0).any():
        raise MissingDataError(f"没有日雨量达到 {limit:g} mm", expected="至少一个侵蚀性降雨日", cure="核对单位: 雨量应为毫米")
    if method == "zhang_daily":
        years = len(np.unique(days.year))
        beta = 0.8363 + 18.144 / erosive[erosive > 0].mean() + 24.455 / (erosive.sum() / years)
        each = np.where(erosive > 0, 21.586 * beta**-7.1891 * erosive**beta, 0.0)
    else:
        warm = (days.month >= 5) & (days.month <= 9)
        each = np.where(warm, 0.3937, 0.3101) * erosive**1.7265
    table = pd.Series(each).groupby([days.year, half_months(days)]).sum().unstack(fill_value=0.0)
    table.index.name, table.columns.name = "year", "half_month"
    return table.reindex(columns=range(1, 25), fill_value=0.0)


def whole_years(rain_mm: pd.Series) -> pd.Series:
    """The longest run of years without a missing day, the latest of equals (资料完整的连续年份).

    Parameters
    ----------
    rain_mm : Series, index days, rising, without repeats
        Days without a measurement have no row.

    Returns
    -------
    Series
        Empty where no year is whole.
    """
    days = pd.DatetimeIndex(rain_mm.index)
    count = pd.Series(1, index=days[rain_mm.notna().to_numpy()]).groupby(lambda day: day.year).sum()
    full = [int(y) for y, n in count.items() if n == (366 if pd.Timestamp(int(y), 1, 1).is_leap_year else 365)]
    best: list[int] = []
    run: list[int] = []
    for year in full:
        run = [*run, year] if run and year == run[-1] + 1 else [year]
        best = run if len(run) >= len(best) else best
    return rain_mm[np.isin(days.year, best)]


def yearly_erosivity(half_monthly: pd.DataFrame) -> float:
    """Mean yearly R, MJ·mm/(ha·h·a) (多年平均年降雨侵蚀力)."""
    return float(half_monthly.sum(axis=1).mean())


def half_months(days: pd.DatetimeIndex) -> np.ndarray:
    """Number of the half-month, 1 to 24: the first ends on the 15th (半月序号)."""
    return np.asarray(2 * days.month - 1 + (days.day > 15), dtype=int)


def fournier_erosivity(monthly_mm: np.ndarray, *, a: float, b: float) -> float:
    """R = a·F^b from monthly rain, F = Σ p²/P the modified Fournier index (修正 Fournier 指数).

    Parameters
    ----------
    monthly_mm : ndarray (12,)
        Mean rain of each month [mm], at least 0.
    a, b : float
        Coefficients of the region: they decide the unit of R and belong to the user's source.

    Raises
    ------
    SchemaError
        Not twelve values, a negative one, or no rain.
    """
    p = np.asarray(monthly_mm, dtype=float)
    if p.shape != (12,) or not np.isfinite(p).all() or (p < 0).any() or p.sum() == 0:
        raise SchemaError(f"月雨量 {p.tolist()}", expected="12 个不小于 0 的值, 合计大于 0")
    return float(a * ((p**2).sum() / p.sum()) ** b)


def storm_energy_mj_ha(depth_mm: np.ndarray, minutes: float) -> float:
    """Energy of a storm from rain in equal steps, e = 0.29·(1 − 0.72·exp(−0.05 i)) MJ/(ha·mm) (降雨动能).

    Parameters
    ----------
    depth_mm : ndarray (n,)
        Rain of each step [mm].
    minutes : float
        Length of a step, above 0, at most 30.

    Raises
    ------
    SchemaError
        Negative rain, or a step out of range.

    References
    ----------
    .. [1] L. C. Brown, G. R. Foster, Transactions of the ASAE, vol. 30, pp. 379-386, 1987.
    """
    depth = _steps(depth_mm, minutes)
    return float((0.29 * (1.0 - 0.72 * np.exp(-0.05 * depth * 60.0 / minutes)) * depth).sum())


def largest_half_hour_mm_h(depth_mm: np.ndarray, minutes: float) -> float:
    """I30: largest rain of any 30 minutes, as an hourly intensity [mm/h] (最大 30 分钟雨强).

    Raises
    ------
    SchemaError
        As `storm_energy_mj_ha`; or 30 minutes are not a whole number of steps.
    """
    depth = _steps(depth_mm, minutes)
    width = round(30.0 / minutes)
    if abs(width * minutes - 30.0) > 1e-9:
        raise SchemaError(f"时段 {minutes:g} 分钟", expected="30 的整分之一 (5, 10, 15, 30 分钟等)")
    return float(2.0 * np.convolve(depth, np.ones(width))[: len(depth) + width - 1].max(initial=0.0))


def _steps(depth_mm: np.ndarray, minutes: float) -> np.ndarray:
    depth = np.asarray(depth_mm, dtype=float)
    if depth.ndim != 1 or not np.isfinite(depth).all() or (depth < 0).any() or not 0 < minutes <= 30:
        raise SchemaError(f"时段雨量 {depth.shape}, 时段 {minutes} 分钟", expected="不小于 0 的一维序列, 时段 0-30 分钟")
    return depth


def _whole_years(rain_mm: pd.Series) -> tuple[pd.DatetimeIndex, np.ndarray]:
    days = pd.DatetimeIndex(rain_mm.index)
    rain = rain_mm.to_numpy(dtype=float)
    if not days.is_monotonic_increasing or days.has_duplicates:
        raise SchemaError(f"日期重复或未排序, 如 {days[days.duplicated()][:3].strftime('%Y-%m-%d').tolist()}", expected="逐日递增", cure="按日期排序并去掉重复")
    bad = np.flatnonzero(~(rain >= 0))
    if len(bad):
        raise SchemaError(f"日雨量缺失或为负: {[f'{days[r]:%Y-%m-%d} = {rain[r]}' for r in bad[:5]]}", expected="不小于 0 的毫米数", cure="补齐缺测日")
    whole = pd.date_range(f"{days[0].year}-01-01", f"{days[-1].year}-12-31") if len(days) else days
    lost = whole.difference(days)
    if len(lost) or not len(days):
        raise MissingDataError(f"缺 {len(lost)} 天: {lost[:5].strftime('%Y-%m-%d').tolist()}", expected="完整年份的逐日雨量", cure="只取完整年份, 或补齐缺测日")
    return days, rain
