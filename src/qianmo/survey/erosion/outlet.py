"""Sediment that passed a gauge, beside what a map of soil loss sends to the channels (出口泥沙实测对照)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["gauged_load"]

_SECONDS = 86_400.0
_MOST_G_L = 1_000.0
"""Water cannot carry more: thick mud flows reach it [g/L]."""


def gauged_load(table: pd.DataFrame) -> pd.DataFrame:
    """Load of the days on which discharge and concentration were both measured, by year (实测输沙量).

    Parameters
    ----------
    table : DataFrame, n rows
        day (date), discharge_m3_s, sediment_g_l; days where either is missing take no part.

    Returns
    -------
    DataFrame, a row a year
        year, days, load_t (sum of discharge × concentration over those days [t]), water_m3. The load of other days is not known and not guessed: gauges are read on wet
        days, so that load_t over days must not be stretched to a year.

    Raises
    ------
    MissingDataError
        No day has both.
    SchemaError
        A day twice, negative values, or a concentration above 1000 g/L (mg/L?).
    """
    both = table[np.isfinite(table["discharge_m3_s"]) & np.isfinite(table["sediment_g_l"])]
    if not len(both):
        raise MissingDataError("没有一天同时有流量与含沙量", expected="discharge_m3_s 与 sediment_g_l 都有的日期")
    twice = both["day"][both["day"].duplicated()]
    if len(twice):
        raise SchemaError(f"日期重复: {', '.join(str(d)[:10] for d in twice[:5])}", expected="每天一行", cure="合并或删除重复的日期")
    bad = both[(both["discharge_m3_s"] < 0) | (both["sediment_g_l"] < 0) | (both["sediment_g_l"] > _MOST_G_L)]
    if len(bad):
        raise SchemaError(f"{str(bad['day'].iloc[0])[:10]}: 流量 {bad['discharge_m3_s'].iloc[0]:g} m³/s, 含沙量 {bad['sediment_g_l'].iloc[0]:g} g/L", expected="不小于 0, 含沙量不超过 1000 g/L",
                          cure="核对单位 (g/L 与 mg/L) 与无数据值")  # fmt: skip
    water = both["discharge_m3_s"] * _SECONDS
    daily = pd.DataFrame({"year": pd.DatetimeIndex(both["day"]).year, "load_t": water * both["sediment_g_l"] / 1e3, "water_m3": water})
    return daily.groupby("year", as_index=False).agg(days=("load_t", "size"), load_t=("load_t", "sum"), water_m3=("water_m3", "sum"))
