"""Rain, stations and soil types from tables as offices keep them: what is read, what is refused and with which rows."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from qianmo.onemap.rain import check_stations, gaps, rain_days, rain_stations
from qianmo.onemap.soil_table import soil_types
from qianmo.schema.errors import MissingDataError, SchemaError

TODAY = datetime.date(2026, 1, 2)


def series(days: list[str], rain: list[str | None], *, head: str = "A1(mm)") -> pd.DataFrame:
    return pd.DataFrame({"日期": days, head: rain}, dtype=object)


def read(frame: pd.DataFrame, *, unit: str = "") -> tuple[pd.DataFrame, list[str]]:
    return rain_days(frame, origin="雨量.csv", unit=unit, today=TODAY)


def places(**more: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"站号": ["A1", "B2"], "站名": ["甲", "乙"], "经度": ["116.4", "116.5"], "纬度": ["25.68", "25.7"], **more}, dtype=object)


def test_one_column_a_station_gives_one_row_a_day_and_station():
    frame = pd.DataFrame({"date": ["2016-8-3", "2016/08/04"], "A1": ["1.5", "0"], "B2": [None, "12"]}, dtype=object)
    table, remarks = read(frame, unit="毫米")
    assert [tuple(r) for r in table.itertuples(index=False)] == [
        ("A1", datetime.date(2016, 8, 3), 1.5), ("A1", datetime.date(2016, 8, 4), 0.0), ("B2", datetime.date(2016, 8, 4), 12.0)
    ]  # fmt: skip
    assert not remarks


def test_a_long_table_gives_the_same_rows():
    frame = pd.DataFrame({"区站号": ["A1", "B2"], "日期": ["20160803", "2016年8月4日"], "日降水量(mm)": ["1.5", "12"]}, dtype=object)
    table, _ = read(frame)
    assert table["day"].tolist() == [datetime.date(2016, 8, 3), datetime.date(2016, 8, 4)] and table["rain_mm"].tolist() == [1.5, 12.0]


def test_days_that_begin_at_another_hour_are_told():
    _, remarks = read(series(["2015-12-31 00:00:00", "2016-01-01 20:00:00"], ["0", "1"]))
    assert len(remarks) == 1 and "00:00 1 条" in remarks[0] and "20:00 1 条" in remarks[0]


@pytest.mark.parametrize(
    ("days", "rain", "word", "rows"),
    [
        (["2016-02-30", "2016-03-01"], ["0", "0"], "不存在", "第 1 行"),
        (["2016-03-01", "昨天"], ["0", "0"], "无法识别", "第 2 行"),
        (["2016-03-01", None], ["0", "0"], "无法识别", "第 2 行"),
        (["2016-03-01", "2026-01-03"], ["0", "0"], "晚于今天", "第 2 行"),
        (["2016-03-01", "2016-3-1"], ["0", "1"], "日期重复", "第 1、2 行"),
        (["2016-03-01", "2016-03-02"], ["0", "-1"], "负值", "第 2 行"),
        (["2016-03-01", "2016-03-02"], ["0", "-9999"], "负值", "第 2 行"),
        (["2016-03-01", "2016-03-02"], ["NaN", "1"], "不是数值", "第 1 行"),
        (["2016-03-01", "2016-03-02"], ["inf", "1"], "不是数值", "第 1 行"),
        (["2016-03-01", "2016-03-02"], ["1,5", "1"], "不是数值", "第 1 行"),
        (["2016-03-01", "2016-03-02"], ["0", "2000.1"], "不可能", "第 2 行"),
        (["2016-03-01", "2016-03-02"], ["0", "32766"], "不可能", "第 2 行"),
        (["201631", "2016-03-02"], ["0", "1"], "无法识别", "第 1 行"),
    ],
)
def test_a_bad_value_is_refused_with_its_row_and_a_cure(days, rain, word, rows):
    with pytest.raises(SchemaError) as said:
        read(series(days, rain))
    assert word in said.value.found and rows in said.value.found and said.value.cure


def test_the_most_ever_measured_is_still_read():
    table, _ = read(series(["2016-03-01"], ["1825"]))
    assert table["rain_mm"].tolist() == [1825.0]


@pytest.mark.parametrize(("head", "unit"), [("A1(inch)", ""), ("A1(0.1mm)", ""), ("A1", "cm"), ("A1(mm)", "英寸")])
def test_rain_in_another_unit_is_refused(head, unit):
    with pytest.raises(SchemaError, match="不是毫米"):
        read(series(["2016-03-01"], ["1"], head=head), unit=unit)


def test_rain_without_a_unit_is_never_taken_as_millimetres():
    with pytest.raises(SchemaError, match="没有说明单位"):
        read(series(["2016-03-01"], ["1"], head="A1"))


def test_a_table_without_dates_or_without_rain_is_refused():
    with pytest.raises(SchemaError, match="没有日期列"):
        read(pd.DataFrame({"甲": ["1"]}))
    with pytest.raises(SchemaError, match="没有降水量"):
        read(pd.DataFrame({"日期": ["2016-03-01"]}))
    with pytest.raises(MissingDataError, match="没有一天"):
        read(series(["2016-03-01"], [None]))
    with pytest.raises(SchemaError, match="含义相同"):
        read(pd.DataFrame({"日期": ["2016-03-01"], "时间": ["2016-03-01"], "A1(mm)": ["1"]}))


def test_stations_take_the_names_the_user_gives():
    out = rain_stations(places(高程=["298", None]), origin="站.csv", names={"A1": "河田站"})
    assert out["station_name"].tolist() == ["河田站", "乙"] and out["elevation_m"].tolist()[0] == 298.0


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"经度": ["116.4", None]}, "第 2 行的雨量站没有经纬度"),
        ({"纬度": ["x", "25"]}, "第 1 行不是数值"),
        ({"经度": ["116.4", "39444759.2"]}, "第 2 行的经纬度超出范围"),
        ({"纬度": ["25", "116"]}, "第 2 行的经纬度超出范围"),
        ({"站号": ["A1", "A1"]}, "站号重复"),
        ({"站号": ["A1", None]}, "第 2 行没有站号"),
    ],
)
def test_a_station_without_a_place_is_refused(more, word):
    with pytest.raises(SchemaError, match=word) as said:
        rain_stations(places(**more), origin="站.csv")
    assert said.value.cure


def test_a_list_without_coordinates_is_refused():
    with pytest.raises(SchemaError, match="缺少 经度、纬度 列"):
        rain_stations(pd.DataFrame({"站号": ["A1"], "X": ["1"]}), origin="站.csv")


def test_a_series_whose_station_has_no_place_is_refused():
    table, _ = read(series(["2016-03-01"], ["1"], head="C3(mm)"))
    for stations in (None, rain_stations(places(), origin="站.csv")):
        with pytest.raises(SchemaError, match="C3 有降水序列, 但没有坐标"):
            check_stations(table, stations)


def test_a_series_may_be_named_by_the_station():
    table, _ = read(series(["2016-03-01"], ["1"], head="乙(mm)"))
    assert check_stations(table, rain_stations(places(), origin="站.csv"))["station_id"].tolist() == ["B2"]


def test_gaps_are_told_and_not_filled():
    table, _ = read(series(["2016-03-01", "2016-03-02", "2016-03-04", "2016-03-07"], ["1", None, "2", "3"]))
    told = gaps(table)
    assert len(table) == 3 and len(told) == 1
    assert "缺测 4 天 (2016-03-02 至 2016-03-03、2016-03-05 至 2016-03-06)" in told[0]


def test_soil_types_take_the_first_layer_and_fractions():
    frame = pd.DataFrame({"SEQN": ["201", "202"], "SNAM": ["WNT", "HSNT"], "SOL_OM": ["2.31-0.84", "2.29-0.89"], "SOL_ZMX": ["600", None]}, dtype=object)
    out = soil_types(frame, origin="土.csv", names={"202": "灰泥田"})
    assert out["soil_name"].tolist() == ["WNT", "灰泥田"] and out["topsoil_organic_share"].round(6).tolist() == [0.0231, 0.0229]
    assert out["topsoil_clay_share"].isna().all()
    with pytest.raises(SchemaError, match="第 1、2 行"):
        soil_types(frame.assign(SEQN="201"), origin="土.csv")
    with pytest.raises(SchemaError, match="不在 0 至 100%"):
        soil_types(frame.assign(SOL_OM="231"), origin="土.csv")
