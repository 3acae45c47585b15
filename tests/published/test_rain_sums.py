"""Annual rain of the Youwuzhen station as the README of the data set counts it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd

from qianmo.evaluation.rain import rain_years
from qianmo.onemap.rain import rain_days

README = {2012: 2168.0, 2013: 1433.0, 2014: 1253.5, 2015: 1416.5, 2016: 2467.6, 2017: 1519.2}
"""Annual rain (mm) of the reference values of the README."""


def sums(path: Path) -> dict[int, float]:
    raw = pd.read_csv(path, comment="#", dtype=str)
    days, _ = rain_days(raw, origin=path.name, unit="mm", today=datetime.date(2026, 1, 1))
    years = rain_years(days)
    assert (years["missing_days"] == 0).all()
    return dict(zip(years["year"], years["rain_mm"]))


def test_the_annual_sums_are_those_of_the_readme(shared_data: Path) -> None:
    assert sums(shared_data / "youwuzhen-watershed" / "climate" / "pcp_daily.csv") == README


def test_the_shipped_example_has_the_same_sums(repo: Path) -> None:
    assert sums(repo / "examples" / "youwuzhen" / "climate" / "pcp_daily.csv") == README
