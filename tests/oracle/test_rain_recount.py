"""The rain tables of a project against a count with the csv module and fractions alone."""

from __future__ import annotations

import csv
import datetime
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from qianmo.evaluation.rain import rain_months, rain_stations_summary, rain_years


@pytest.fixture(scope="module")
def counted(repo: Path) -> dict[datetime.date, Fraction]:
    """Rain of each day, exactly as written."""
    lines = (repo / "examples/youwuzhen/climate/pcp_daily.csv").read_text(encoding="ascii").splitlines()
    rows = list(csv.reader(lines))[2:]
    days = {datetime.date(*map(int, r[0].split(" ")[0].split("-"))): Fraction(r[1]) for r in rows if r}
    assert len(days) == 2192
    return days


@pytest.fixture(scope="module")
def days(counted: dict[datetime.date, Fraction]) -> pd.DataFrame:
    return pd.DataFrame({"station_id": "81502750", "day": list(counted), "rain_mm": [float(v) for v in counted.values()]})


def test_years_agree_with_the_recount(counted, days):
    years = rain_years(days).set_index("year")
    for year in range(2012, 2018):
        mine = {d: v for d, v in counted.items() if d.year == year}
        row = years.loc[year]
        assert Fraction(str(row["rain_mm"])) == sum(mine.values())
        assert Fraction(str(row["flood_mm"])) == sum(v for d, v in mine.items() if 4 <= d.month <= 9)
        assert row["erosive_days"] == sum(v >= 12 for v in mine.values())
        assert Fraction(str(row["erosive_mm"])) == sum(v for v in mine.values() if v >= 12)
        top = max(mine.values())
        assert Fraction(str(row["wettest_mm"])) == top and row["wettest_day"] == min(d for d, v in mine.items() if v == top)


def test_months_and_means_agree_with_the_recount(counted, days):
    months = rain_months(days).set_index("month")
    for month in range(1, 13):
        assert months.loc[month, "mean_mm"] == pytest.approx(float(sum(v for d, v in counted.items() if d.month == month) / 6), abs=1e-6)
    places = pd.DataFrame({"station_id": ["81502750"], "station_name": ["河田站"], "longitude_deg": [116.4], "latitude_deg": [25.68], "elevation_m": [298.0]})
    summary = rain_stations_summary(days, places).iloc[0]
    total = sum(counted.values())
    assert summary["mean_year_mm"] == pytest.approx(float(total / 6), abs=1e-6)
    assert summary["flood_share"] == pytest.approx(float(sum(v for d, v in counted.items() if 4 <= d.month <= 9) / total), abs=1e-12)
    assert summary["wettest_day"] == datetime.date(2012, 8, 3) and summary["wettest_mm"] == 111.5
