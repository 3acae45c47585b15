"""Totals, erosive days and seasons of small series checked by hand; soil areas by counting."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.rain import rain_months, rain_stations_summary, rain_years
from qianmo.evaluation.soil import soil_areas
from qianmo.schema.errors import SchemaError


def daily(first: str, last: str, rain: float = 1.0, *, station: str = "A1") -> pd.DataFrame:
    days = [d.date() for d in pd.date_range(first, last)]
    return pd.DataFrame({"station_id": station, "day": days, "rain_mm": rain})


def stations(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"station_id": names, "station_name": None, "longitude_deg": 116.0, "latitude_deg": 25.0, "elevation_m": np.nan})


def test_a_year_of_one_millimetre_a_day_has_its_days_as_total():
    years = rain_years(daily("2016-01-01", "2017-12-31"))
    assert years["rain_mm"].tolist() == [366.0, 365.0] and years["flood_mm"].tolist() == [183.0, 183.0]
    assert years["missing_days"].tolist() == [0, 0] and years["erosive_days"].tolist() == [0, 0]


def test_a_day_at_the_threshold_is_erosive_and_one_below_is_not():
    days = daily("2016-01-01", "2016-12-31").assign(rain_mm=0.0)
    days.loc[3:5, "rain_mm"] = (11.9, 12.0, 30.0)
    year = rain_years(days).iloc[0]
    assert (year["erosive_days"], year["erosive_mm"], year["wettest_day"], year["wettest_mm"]) == (2, 42.0, datetime.date(2016, 1, 6), 30.0)
    assert rain_years(days, overrides={"erosion_rain_threshold_mm": 11.9}).iloc[0]["erosive_days"] == 3


def test_a_year_with_a_missing_day_is_out_of_the_mean_and_its_month_too():
    days = daily("2016-01-01", "2017-12-31").drop(index=400)
    summary = rain_stations_summary(days, stations("A1")).iloc[0]
    assert (summary["whole_years"], summary["mean_year_mm"], summary["missing_days"]) == (1, 366.0, 1)
    months = rain_months(days).set_index("month")
    assert months.loc[2, "months"] == 1 and months.loc[2, "mean_mm"] == 29.0 and months.loc[3, "months"] == 2


def test_a_series_without_a_whole_year_has_no_mean():
    days = daily("2016-03-01", "2016-05-31")
    summary = rain_stations_summary(days, stations("A1")).iloc[0]
    assert summary["whole_years"] == 0 and np.isnan(summary["mean_year_mm"]) and np.isnan(summary["flood_share"])
    months = rain_months(days)
    assert len(months) == 12 and months["mean_mm"].notna().sum() == 3 and months["share"].isna().all()


def test_a_dry_series_has_no_wettest_day():
    assert rain_years(daily("2016-01-01", "2016-12-31", 0.0)).iloc[0]["wettest_day"] is None


def test_stations_do_not_mix():
    both = pd.concat([daily("2016-01-01", "2016-12-31"), daily("2016-01-01", "2016-12-31", 2.0, station="B2")])
    assert rain_years(both)["rain_mm"].tolist() == [366.0, 732.0]
    assert rain_stations_summary(both, stations("A1", "B2"))["mean_year_mm"].tolist() == [366.0, 732.0]
    pd.testing.assert_frame_equal(rain_years(both.sample(frac=1, random_state=1)), rain_years(both))


def test_a_flood_season_may_run_over_the_end_of_the_year():
    over = {"flood_season_first_month": 11, "flood_season_last_month": 2}
    assert rain_years(daily("2017-01-01", "2017-12-31"), overrides=over).iloc[0]["flood_mm"] == 31 + 28 + 30 + 31
    with pytest.raises(SchemaError, match="汛期"):
        rain_years(daily("2017-01-01", "2017-12-31"), overrides={"flood_season_first_month": 13})


def test_two_values_for_a_day_are_refused():
    days = daily("2017-01-01", "2017-01-02")
    with pytest.raises(SchemaError, match="日期重复"):
        rain_years(pd.concat([days, days]))


def test_soil_areas_count_cells_and_own_up_to_what_is_not_covered():
    values = np.array([201, 202, 202, 255])
    types = pd.DataFrame({"soil_code": ["201", "202"], "soil_name": ["甲", "乙"], "depth_mm": 600.0, "topsoil_organic_share": 0.02, "topsoil_clay_share": 0.1})
    out = soil_areas(values, values != 255, cell_m2=900.0, types=types)
    assert out["soil_name"].tolist() == ["乙", "甲", ""] and out["area_m2"].tolist() == [1800.0, 900.0, 900.0]
    assert out["share"].tolist() == [0.5, 0.25, 0.25]
    assert soil_areas(values, values != 255, cell_m2=900.0)["soil_name"].tolist() == ["", "", ""]
    with pytest.raises(SchemaError, match="不是代号"):
        soil_areas(np.array([1.5]), np.array([True]), cell_m2=1.0)
