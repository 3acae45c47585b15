"""Totals, erosive days and seasons of daily rain (降水量统计)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns

__all__ = ["rain_months", "rain_stations_summary", "rain_years"]

_MONTHS = np.arange(1, 13)


def rain_years(days: pd.DataFrame, *, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Rain of each calendar year and station (年降水量).

    Parameters
    ----------
    days : DataFrame, table ``rain_day``
        Days without a measurement have no row. [mm]
    overrides : mapping, optional
        ``erosion_rain_threshold_mm``, ``flood_season_first_month`` and ``…_last_month``.

    Returns
    -------
    DataFrame, one row a station and a year from its first to its last
        days, missing_days (of the whole calendar year), rain_mm, flood_mm, erosive_days (rain at or above the threshold),
        erosive_mm, wettest_day, wettest_mm. Sums are those of the days measured: a year with missing days is a lower bound.

    Raises
    ------
    SchemaError
        A column is missing, or a station has two values for a day.
    """
    table = _prepared(days, overrides)
    rows = []
    for (station, year), part in table.groupby(["station_id", "year"], sort=True):
        top = part.loc[part["rain_mm"].idxmax()]
        whole = 366 if pd.Timestamp(int(year), 1, 1).is_leap_year else 365
        rows.append(
            (station, int(year), len(part), whole - len(part), _sum(part["rain_mm"]), _sum(part.loc[part["flood"], "rain_mm"]), int(part["erosive"].sum()),
             _sum(part.loc[part["erosive"], "rain_mm"]), top["day"].date() if top["rain_mm"] > 0 else None, float(top["rain_mm"]))
        )  # fmt: skip
    names = ["station_id", "year", "days", "missing_days", "rain_mm", "flood_mm", "erosive_days", "erosive_mm", "wettest_day", "wettest_mm"]
    return pd.DataFrame(rows, columns=names)


def rain_months(days: pd.DataFrame, *, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Mean rain of each calendar month and station, over the months without a missing day (各月平均降水量).

    Returns
    -------
    DataFrame, twelve rows a station
        month, months (how many whole ones the mean rests on), mean_mm (NaN without one), erosive_days (mean), share of the
        twelve means, is_flood_season.
    """
    table = _prepared(days, overrides)
    sums = table.groupby(["station_id", "year", "month"], as_index=False).agg(days=("rain_mm", "size"), rain_mm=("rain_mm", "sum"), erosive=("erosive", "sum"))
    first = pd.to_datetime({"year": sums["year"], "month": sums["month"], "day": 1})
    whole = sums[sums["days"] == first.dt.days_in_month]
    season = set(_season(overrides))
    parts = []
    for station in sorted(table["station_id"].unique()):
        mine = whole[whole["station_id"] == station].groupby("month").agg(months=("rain_mm", "size"), mean_mm=("rain_mm", "mean"), erosive_days=("erosive", "mean"))
        part = mine.reindex(_MONTHS).rename_axis("month").reset_index()
        part.insert(0, "station_id", station)
        part["months"] = part["months"].fillna(0).astype(int)
        part["mean_mm"] = part["mean_mm"].round(6)
        part["share"] = part["mean_mm"] / part["mean_mm"].sum() if part["mean_mm"].notna().all() and part["mean_mm"].sum() > 0 else np.nan
        part["is_flood_season"] = part["month"].isin(season)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def rain_stations_summary(days: pd.DataFrame, stations: pd.DataFrame, *, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Each station with its place and the means over its years without a missing day (雨量站统计).

    Parameters
    ----------
    days, stations : DataFrame, tables ``rain_day`` and ``rain_station``

    Returns
    -------
    DataFrame, one row a station with measurements
        station_id, station_name, longitude_deg, latitude_deg, elevation_m, first_day, last_day, days, missing_days (between
        the first and the last), whole_years, mean_year_mm, mean_erosive_days, flood_share (NaN without a whole year),
        wettest_day, wettest_mm, threshold_mm, flood_first_month, flood_last_month.
    """
    years = rain_years(days, overrides=overrides)
    first, last = _season_ends(overrides)
    rows = []
    for station, part in _prepared(days, overrides).groupby("station_id", sort=True):
        whole = years[(years["station_id"] == station) & (years["missing_days"] == 0)]
        top = part.loc[part["rain_mm"].idxmax()]
        begin, end = part["day"].min(), part["day"].max()
        total = _sum(whole["rain_mm"])
        rows.append(
            {
                "station_id": station, "first_day": begin.date(), "last_day": end.date(), "days": len(part), "missing_days": (end - begin).days + 1 - len(part),
                "whole_years": len(whole), "mean_year_mm": round(total / len(whole), 6) if len(whole) else np.nan,
                "mean_erosive_days": float(whole["erosive_days"].mean()) if len(whole) else np.nan,
                "flood_share": _sum(whole["flood_mm"]) / total if total > 0 else np.nan,
                "wettest_day": top["day"].date() if top["rain_mm"] > 0 else None, "wettest_mm": float(top["rain_mm"]),
                "threshold_mm": parameter("erosion_rain_threshold_mm", overrides), "flood_first_month": first, "flood_last_month": last,
            }
        )  # fmt: skip
    places = stations[["station_id", "station_name", "longitude_deg", "latitude_deg", "elevation_m"]]
    return places.merge(pd.DataFrame(rows), on="station_id", how="inner")


def _prepared(days: pd.DataFrame, overrides: Mapping[str, float] | None) -> pd.DataFrame:
    require_columns("rain_day", list(days.columns))
    twice = days.duplicated(["station_id", "day"], keep=False)
    if twice.any():
        raise SchemaError(f"降水量表有 {int(twice.sum())} 行日期重复", expected="每站每天一行", cure="重新入库降水量")
    day = pd.to_datetime(days["day"])
    table = pd.DataFrame({"station_id": days["station_id"].to_numpy(), "day": day.to_numpy(), "rain_mm": days["rain_mm"].to_numpy(float)})
    table["year"], table["month"] = table["day"].dt.year, table["day"].dt.month
    table["erosive"] = table["rain_mm"] >= parameter("erosion_rain_threshold_mm", overrides)
    table["flood"] = table["month"].isin(_season(overrides))
    return table.sort_values(["station_id", "day"], kind="stable").reset_index(drop=True)


def _season_ends(overrides: Mapping[str, float] | None) -> tuple[int, int]:
    first, last = (int(parameter(f"flood_season_{end}_month", overrides)) for end in ("first", "last"))
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise SchemaError(f"汛期 {first} 月至 {last} 月", expected="1 至 12 月", cure="改正 flood_season_first_month 与 flood_season_last_month")
    return first, last


def _season(overrides: Mapping[str, float] | None) -> list[int]:
    """Months of the flood season; one that starts late in the year runs over its end."""
    first, last = _season_ends(overrides)
    return [int(m) for m in _MONTHS if (first <= m <= last if first <= last else m >= first or m <= last)]


def _sum(values: pd.Series) -> float:
    """Sum to the micrometre: gauges give tenths, and sums of floats must not show their last bits."""
    return round(float(values.sum()), 6)
