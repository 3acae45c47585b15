"""Rows of the printed tables of rain and soil (降水与土壤成果表整理)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["rain_month_rows", "rain_station_rows", "rain_year_rows", "soil_rows", "station_label"]

MEAN_ROW = "整年平均"
"""What stands for the year in the row of means."""


def station_label(station_id: Any, station_name: Any) -> str:
    """Name of a station, or its number where it has none (站名)."""
    return str(station_name) if isinstance(station_name, str) and station_name else str(station_id)


def rain_station_rows(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Stations with their place and the time they cover."""
    frame = _table(results, "rain_summary")
    if frame is None:
        return None
    period = [f"{a}至{b}" for a, b in zip(frame["first_day"], frame["last_day"])]
    return frame.assign(period=period, station_name=frame["station_name"].fillna("").astype(str))


def rain_year_rows(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Years of each station, and a row of means over its whole years."""
    years, summary = _table(results, "rain_year"), _table(results, "rain_summary")
    if years is None or summary is None:
        return None
    parts = []
    for s in summary.to_dict("records"):
        mine = years[years["station_id"] == s["station_id"]]
        rows = mine.assign(
            station_name=station_label(s["station_id"], s["station_name"]), year=[_year_label(y, n) for y, n in zip(mine["year"], mine["missing_days"])],
            flood_share=np.where(mine["rain_mm"] > 0, mine["flood_mm"] / mine["rain_mm"].where(mine["rain_mm"] > 0), np.nan), row_format="integer",
        )  # fmt: skip
        parts.append(rows)
        if s["whole_years"]:
            whole = mine[mine["missing_days"] == 0]
            mean = {
                "station_name": rows["station_name"].iloc[0], "year": MEAN_ROW, "days": np.nan, "rain_mm": s["mean_year_mm"], "flood_mm": round(whole["flood_mm"].mean(), 6),
                "flood_share": s["flood_share"], "erosive_days": s["mean_erosive_days"], "wettest_day": None, "wettest_mm": np.nan, "row_format": "0.0",
            }  # fmt: skip
            parts.append(pd.DataFrame([mean]))
    columns = ["station_name", "year", "days", "rain_mm", "flood_mm", "flood_share", "erosive_days", "wettest_day", "wettest_mm", "row_format"]
    rows = [r for part in parts for r in part[columns].to_dict("records")]
    out = pd.DataFrame(rows, columns=columns)
    return out.assign(wettest_day=["" if d is None or d != d else str(d) for d in out["wettest_day"]])


def rain_month_rows(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Months of each station."""
    months, summary = _table(results, "rain_month"), _table(results, "rain_summary")
    if months is None or summary is None:
        return None
    names = {s["station_id"]: station_label(s["station_id"], s["station_name"]) for s in summary.to_dict("records")}
    return months.assign(
        station_name=[names.get(i, str(i)) for i in months["station_id"]], month=[f"{m}月" for m in months["month"]],
        season=["是" if f else "否" for f in months["is_flood_season"]],
    )  # fmt: skip


def soil_rows(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Soil types; cells without a code say so."""
    frame = _table(results, "soil_area")
    if frame is None:
        return None
    return frame.assign(soil_name=[n or ("未注明" if c else "土壤图未覆盖") for c, n in zip(frame["soil_code"], frame["soil_name"])])


def _year_label(year: int, missing: int) -> str:
    return f"{year}年" + ("（不全）" if missing else "")


def _table(results: Mapping[str, Any], key: str) -> pd.DataFrame | None:
    found = results.get(key)
    return found if isinstance(found, pd.DataFrame) and len(found) else None
