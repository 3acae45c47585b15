"""Reading hourly weather, and finding files that are wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qianmo.finance.photovoltaic.weather_check import check_weather
from qianmo.schema.errors import MissingDataError, SchemaError, UnsafeInputError
from qianmo.schema.weather import HOURS_OF_YEAR
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather

LIMITS = default_limits()


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def written(folder: Path, lines: list[str], name: str = "a.epw") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_epw_gives_place_clock_and_8760_hours(shaoguan):
    assert (shaoguan.latitude_deg, shaoguan.longitude_deg, shaoguan.altitude_m, shaoguan.utc_offset_h) == (24.68, 113.6, 61.0, 8.0)
    assert shaoguan.sun_minute == 30.0 and len(shaoguan.air_c) == HOURS_OF_YEAR
    assert shaoguan.air_c[0] == 11.7 and shaoguan.wind_m_s[0] == 2.5
    assert shaoguan.sha256 == "362104748964c3dbd386341800e5b71ab374ea5cd5393fbd5112a8775bdd7510"


def test_rows_in_any_order_give_the_same_year(shaoguan, shaoguan_file, tmp_path):
    lines = lines_of(shaoguan_file)
    found = read_weather(written(tmp_path, [*lines[:8], *reversed(lines[8:])]), limits=LIMITS)
    assert np.array_equal(found.ghi_w_m2, shaoguan.ghi_w_m2) and np.array_equal(found.air_c, shaoguan.air_c)


def test_a_missing_hour_and_a_double_hour_are_named(shaoguan_file, tmp_path):
    lines = lines_of(shaoguan_file)
    with pytest.raises(MissingDataError, match="1 hours are missing, first 01-02 00:00"):
        read_weather(written(tmp_path, [*lines[:32], *lines[33:]]), limits=LIMITS)
    with pytest.raises(SchemaError, match="lines 10 and 11 are the same hour"):
        read_weather(written(tmp_path, [*lines[:10], lines[9], *lines[10:]]), limits=LIMITS)


def test_an_hour_that_no_day_has_is_named_as_the_file_writes_it(shaoguan_file, tmp_path):
    lines = lines_of(shaoguan_file)
    cells = lines[8].split(",")
    with pytest.raises(SchemaError, match="line 9: month 1, day 1, hour 0; expected: an hour of the year, 1 to 24"):
        read_weather(written(tmp_path, [*lines[:8], ",".join([*cells[:3], "0", *cells[4:]]), *lines[9:]]), limits=LIMITS)


def test_a_leap_day_is_left_out_and_told(shaoguan, shaoguan_file, tmp_path):
    lines = lines_of(shaoguan_file)
    at = 8 + 59 * 24
    leap = [",".join([*row.split(",")[:1], "2", "29", *row.split(",")[3:]]) for row in lines[at : at + 24]]
    found = read_weather(written(tmp_path, [*lines[:at], *leap, *lines[at:]]), limits=LIMITS)
    assert "闰日" in found.notes[0] and "24 小时" in found.notes[0]
    assert np.array_equal(found.ghi_w_m2, shaoguan.ghi_w_m2)


def test_missing_codes_and_words_are_refused_with_their_line(shaoguan_file, tmp_path):
    lines = lines_of(shaoguan_file)
    cells = lines[19].split(",")
    with pytest.raises(MissingDataError, match="ghi_w_m2 is missing in 1 rows, lines 20"):
        read_weather(written(tmp_path, [*lines[:19], ",".join([*cells[:13], "9999", *cells[14:]]), *lines[20:]]), limits=LIMITS)
    with pytest.raises(SchemaError, match="line 20 column 14: 'x'"):
        read_weather(written(tmp_path, [*lines[:19], ",".join([*cells[:13], "x", *cells[14:]]), *lines[20:]]), limits=LIMITS)
    with pytest.raises(SchemaError, match="2 records an hour"):
        read_weather(written(tmp_path, [x.replace("DATA PERIODS,1,1", "DATA PERIODS,1,2") for x in lines]), limits=LIMITS)
    with pytest.raises(SchemaError, match="latitude 124"):
        read_weather(written(tmp_path, [lines[0].replace("24.68", "124.68"), *lines[1:]]), limits=LIMITS)


def test_what_is_no_weather_file_is_refused(tmp_path, shaoguan_file):
    with pytest.raises(MissingDataError, match="没有这个气象文件"):
        read_weather(tmp_path / "nothing.epw", limits=LIMITS)
    (tmp_path / "a.epw").write_bytes(b"PK\x03\x04 zip")
    with pytest.raises(UnsafeInputError, match="content zip"):
        read_weather(tmp_path / "a.epw", limits=LIMITS)
    (tmp_path / "b.epw").symlink_to(shaoguan_file)
    with pytest.raises(UnsafeInputError, match="a link"):
        read_weather(tmp_path / "b.epw", limits=LIMITS)
    with pytest.raises(SchemaError, match="begins with 'a,b'"):
        read_weather(written(tmp_path, ["a,b", "1,2"], "c.csv"), limits=LIMITS)
    (tmp_path / "d.json").write_text('{"outputs": {}}')
    with pytest.raises(SchemaError, match=r"no outputs\.tmy_hourly"):
        read_weather(tmp_path / "d.json", limits=LIMITS)


def pvgis_rows(weather) -> list[dict]:
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    stamps = [f"20{10 + m:02d}{m:02d}{d:02d}:{h:02d}00" for m in range(1, 13) for d in range(1, days[m - 1] + 1) for h in range(24)]
    columns = zip(stamps, weather.air_c, weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2, weather.wind_m_s)
    return [{"time(UTC)": t, "T2m": a, "RH": 50.0, "G(h)": g, "Gb(n)": b, "Gd(h)": d, "IR(h)": 300.0, "WS10m": w} for t, a, g, b, d, w in columns]


def test_pvgis_as_csv_and_as_json_give_one_year(shaoguan, tmp_path):
    rows = pvgis_rows(shaoguan)
    head = ["Latitude (decimal degrees): 24.680", "Longitude (decimal degrees): 113.600", "Elevation (m): 61.0", "Irradiance Time Offset (h): 0.5", "month,year", "1,2011"]
    table = [",".join(rows[0]), *(",".join(str(v) for v in r.values()) for r in rows)]
    by_csv = read_weather(written(tmp_path, [*head, *table, "", "T2m: 2-m air temperature"], "p.csv"), limits=LIMITS)
    place = {"latitude": 24.68, "longitude": 113.6, "elevation": 61.0, "irradiance_time_offset": 0.5}
    (tmp_path / "p.json").write_text(json.dumps({"inputs": {"location": place}, "outputs": {"tmy_hourly": rows}}))
    by_json = read_weather(tmp_path / "p.json", limits=LIMITS)
    for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "air_c", "wind_m_s"):
        assert np.array_equal(getattr(by_csv, name), getattr(by_json, name))
    assert by_csv.sun_minute == by_json.sun_minute == 30.0 and by_csv.utc_offset_h == 0.0
    assert check_weather(by_csv).iloc[0]["check"] == "time_zone", "hours of Shaoguan put into a file that counts in UTC"
    no_offset = read_weather(written(tmp_path, [*head[:3], *table], "q.csv"), limits=LIMITS)
    assert no_offset.sun_minute == 0.0 and "辐照时刻偏移" in no_offset.notes[0]
    with pytest.raises(SchemaError, match="no column WS10m"):
        read_weather(written(tmp_path, [*head, *(x.rsplit(",", 1)[0] for x in table)], "r.csv"), limits=LIMITS)


def test_a_good_file_passes(shaoguan):
    assert check_weather(shaoguan)["severity"].tolist() == ["info"]


@pytest.mark.parametrize("minutes", [-60.0, -30.0, 60.0, 90.0])
def test_a_wrong_label_of_the_hour_is_found(shaoguan, minutes):
    found = check_weather(replace(shaoguan, sun_minute=shaoguan.sun_minute + minutes)).iloc[0]
    assert found["check"] in ("clock", "time_zone") and found["severity"] == "error"
    assert "UTC" in found["cure"]


@pytest.mark.parametrize("hours", [-8, -2, 2, 3])
def test_a_wrong_time_zone_is_found_with_the_right_one(shaoguan, hours):
    found = check_weather(replace(shaoguan, utc_offset_h=8.0 + hours))
    fault = found[found["check"] == "time_zone"].iloc[0]
    assert fault["severity"] == "error" and "UTC+8" in fault["cure"]


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "kWh/m2"), (3.6, "kJ/m2"), (3.6e-3, "MJ/m2"), (3600.0, "J/m2"), (0.36, "J/cm2")])
def test_a_wrong_unit_is_named(shaoguan, factor, unit):
    wrong = replace(shaoguan, **{k: getattr(shaoguan, k) * factor for k in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")})
    fault = check_weather(wrong).iloc[0]
    assert fault["check"] == "units" and fault["severity"] == "error" and unit in fault["cure"]


def test_negative_values_kelvin_swapped_columns_and_stuck_meters_are_found(shaoguan):
    negative = shaoguan.ghi_w_m2.copy()
    negative[2] = -3.0
    assert "1 小时，首个在第 3 小时" in check_weather(replace(shaoguan, ghi_w_m2=negative)).iloc[0]["found"]
    assert "开尔文" in check_weather(replace(shaoguan, air_c=shaoguan.air_c + 273.15)).iloc[0]["what"]
    swapped = replace(shaoguan, ghi_w_m2=shaoguan.dhi_w_m2, dhi_w_m2=shaoguan.ghi_w_m2)
    assert check_weather(swapped).iloc[0]["check"] == "columns"
    stuck = shaoguan.ghi_w_m2.copy()
    stuck[4000:4040] = 300.0
    assert "连续 40 小时" in check_weather(replace(shaoguan, ghi_w_m2=stuck)).iloc[0]["found"]
    unrelated = replace(shaoguan, dni_w_m2=np.roll(shaoguan.dni_w_m2, 24 * 97))
    assert check_weather(unrelated).iloc[0]["check"] == "closure"
