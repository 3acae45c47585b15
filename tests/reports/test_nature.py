"""Rain and soil in the book: same numbers in text, table, chart and workbook; without data the book says so."""

from __future__ import annotations

import datetime
import io

import numpy as np
import openpyxl
import pandas as pd
import pytest
from PIL import Image

from qianmo.evaluation.rain import rain_months, rain_stations_summary, rain_years
from qianmo.evaluation.soil import soil_areas
from qianmo.reports.plan_book import compose
from qianmo.reports.rain_chart import rain_chart
from qianmo.reports.tables import workbook
from qianmo.schema.book import Book, Bullets, Paragraph, TableBlock

FACTS = {"project_name": "示例镇", "office": "示例院", "date": "2026年1月2日", "vintage": "2024年", "crs_text": "CGCS2000"}


def rain(*names: str, drop: int = -1) -> dict[str, pd.DataFrame]:
    """A year of 1 mm a day with a storm, and two days of the next year, for each station."""
    days = [d.date() for d in pd.date_range("2016-01-01", "2017-01-02")]
    one = pd.DataFrame({"day": days, "rain_mm": 1.0})
    one.loc[200, "rain_mm"] = 80.5
    one = one.drop(index=drop) if drop >= 0 else one
    table = pd.concat([one.assign(station_id=n) for n in names], ignore_index=True)
    places = pd.DataFrame({"station_id": names, "station_name": [f"{n}站" for n in names], "longitude_deg": 116.4, "latitude_deg": 25.6833, "elevation_m": np.nan})
    return {"rain_year": rain_years(table), "rain_month": rain_months(table), "rain_summary": rain_stations_summary(table, places)}


def region(results: dict[str, object]) -> tuple[Book, str]:
    book = compose(results, **FACTS)
    chapter = book.chapters[1]
    words = [b.text for b in chapter.blocks if isinstance(b, Paragraph)] + [i for b in chapter.blocks if isinstance(b, Bullets) for i in b.items]
    return book, "\n".join(words)


def test_the_text_holds_the_figures_of_the_table_and_the_workbook():
    book, text = region(rain("甲"))
    frame = book.table("rain_year").frame
    assert frame["year"].tolist() == ["2016年", "2017年（不全）", "整年平均"]
    assert frame["rain_mm"].tolist() == [445.5, 2.0, 445.5]
    assert "平均年降水量445.5毫米" in text and "最大日降水量80.5毫米，出现在2016年7月19日" in text and "侵蚀性降雨平均每年1.0天" in text
    assert "东经116.4000度、北纬25.6833度。资料自2016年1月1日" in text and "度，高程" not in text
    sheet = next(s for s in openpyxl.load_workbook(io.BytesIO(workbook(book.tables, title="示例")), data_only=True).worksheets if "年降水量" in s.title)
    assert [sheet.cell(5 + k, 4).value for k in range(3)] == [445.5, 2.0, 445.5]


def test_gaps_are_said_and_a_series_without_a_whole_year_has_no_mean():
    _, text = region(rain("甲", drop=100))
    assert "缺测1天，未作插补" in text and "没有资料完整的年份，不计算多年平均值" in text and "nan" not in text.lower()


def test_each_of_several_stations_is_described():
    book, text = region(rain("甲", "乙"))
    assert "2个雨量站" in text and "甲站（站号甲）" in text and "乙站（站号乙）" in text
    assert len(book.table("rain_station").frame) == 2


def test_without_rain_and_soil_the_book_says_so():
    book, text = region({})
    assert "不含水文、气象资料" in text and "不含土壤图" in text and "不含人口和经济统计资料" in text
    assert not [b for b in book.chapters[1].blocks if isinstance(b, TableBlock) and b.key.startswith(("rain", "soil"))]


def test_soil_types_are_listed_with_the_share_that_no_map_covers():
    values = np.array([1, 2, 2, 9])
    types = pd.DataFrame({"soil_code": ["1", "2"], "soil_name": ["红壤", "WNT"], "depth_mm": 600.0, "topsoil_organic_share": [0.01, 0.02], "topsoil_clay_share": 0.1})
    book, text = region({"soil_area": soil_areas(values, values != 9, cell_m2=10_000.0, types=types)})
    assert "土壤类型2种，面积合计4.00公顷" in text and "WNT（代号2）2.00公顷（30.00亩），占50.00%" in text
    assert "土壤图未覆盖的有1.00公顷" in text and "拼音缩写" in text and "1.00%至2.00%" in text
    assert book.table("soil_area").frame["soil_name"].tolist() == ["WNT", "红壤", "土壤图未覆盖"]


@pytest.mark.parametrize("names", [("甲",), ("甲", "乙", "丙", "丁", "戊")])
def test_the_chart_is_a_sheet_of_a4_with_a_bar_a_month(names):
    made = rain(*names)
    sheet = rain_chart(made["rain_month"], made["rain_summary"], dpi=50)
    image = Image.open(io.BytesIO(sheet.png))
    assert image.size == (584, 413) and sheet.size_mm == (297.0, 210.0)
    assert len({c for _, c in image.convert("RGB").getcolors(1 << 20)}) > 50
    assert ("等5个站中的前4个" in sheet.note) == (len(names) > 4)
    assert str(datetime.date(2016, 1, 1)) in sheet.note


def test_the_chart_says_in_red_that_rain_is_invented():
    made = rain("甲")
    plain, marked = (np.asarray(Image.open(io.BytesIO(rain_chart(made["rain_month"], made["rain_summary"], synthetic=s, dpi=80).png)).convert("RGB")).astype(int) for s in ((), ("逐日降水量",)))
    red = [((p[:, :, 0] > 150) & (p[:, :, 1] < 80)).sum() for p in (plain, marked)]
    assert red[0] == 0 and red[1] > 20
