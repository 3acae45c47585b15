"""What the benefit chapter says of carbon and farmland quality: figures with ranges, an open sign, a fallen mean; nothing without data."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.reports.patch_sheet import Cover, carbon_maps, patch_sheet, quality_maps, suitability_maps
from qianmo.reports.plan_book import compose
from qianmo.schema.book import Book, Paragraph, TableBlock

FACTS = {"project_name": "示例", "office": "示例局", "date": "2026年1月2日", "vintage": "2023年", "crs_text": "CGCS2000"}


def benefit(book: Book) -> tuple[str, list[str]]:
    chapter = next(c for c in book.chapters if c.title == "效益分析")
    return "\n".join(b.text for b in chapter.blocks if isinstance(b, Paragraph)), [b.key for b in chapter.blocks if isinstance(b, TableBlock)]


def total(item: str, value: float, low: float, high: float, unit: str = "吨碳") -> dict[str, object]:
    return {"item": item, "zh": item, "unit": unit, "value": value, "low": low, "high": high, "known_share": 1.0, "note": ""}


def carbon(sum_low: float) -> dict[str, pd.DataFrame]:
    years = {"year": [2027], "biomass": [1.0], "soil": [1.0], "wetland_sink": [0.0], "wetland_methane": [0.0], "paddy_methane": [0.0], "net": [2.0], "low": [1.0], "high": [3.0],
             "sum": [2.0], "sum_low": [sum_low], "sum_high": [3.0]}  # fmt: skip
    classes = pd.DataFrame([("forest_arbor", "乔木林地", 2.0, 100.0, 164.0, 250.0, 328.0, "low")],
                           columns=["class", "zh", "area_ha", "density_low", "density", "density_high", "stock_t", "confidence"])  # fmt: skip
    rows = [total("stock", 328.0, 200.0, 500.0), total("change", 12.5, -3.0, 20.0), total("change_co2", 45.8, -11.0, 73.3, "吨CO2")]
    return {"carbon_total": pd.DataFrame(rows), "carbon_class": classes, "carbon_year": pd.DataFrame(years)}


def quality(before: float, after: float, new: float) -> dict[str, pd.DataFrame]:
    named = [("耕地面积", before), ("平均质量等级", before), ("原有耕地平均质量等级", before), ("新增耕地平均质量等级", math.nan)]
    later = [2.0, after, before, new]
    table = pd.DataFrame([(zh, "等", b, a, "") for (zh, b), a in zip(named, later)], columns=["zh", "unit", "before", "after", "note"])
    limits = pd.DataFrame([("slope", "田面坡度", 3, 2.0, 1.0)], columns=["indicator", "zh", "patches", "area_ha", "share"])
    grades = pd.DataFrame([(1.0, "一等", 1.0, 2.0)], columns=["grade", "zh", "before_ha", "after_ha"])
    return {"quality_total": table, "quality_limiting": limits, "quality_grade_area": grades}


def test_carbon_is_told_with_its_range_and_an_open_sign_is_said(results):
    words, tables = benefit(compose({**results, **carbon(-1.0)}, **FACTS))
    assert "碳储量变化12.50吨碳（区间-3.00至20.00）" in words and "区间跨过零" in words and {"carbon_total", "carbon_class", "carbon_year"} <= set(tables)
    sure, _ = benefit(compose({**results, **carbon(1.0)}, **FACTS))
    assert "区间跨过零" not in sure and "碳汇量" not in sure
    book = compose({**results, **carbon(1.0)}, **FACTS)
    assert book.table("carbon_class").frame["confidence"].tolist() == ["低"]


def test_a_mean_grade_that_falls_with_new_farmland_is_explained(results):
    words, tables = benefit(compose({**results, **quality(2.0, 3.0, 6.0)}, **FACTS))
    assert "现状耕地平均质量等级为2.00等" in words and "新增耕地6.00等" in words and "新增耕地质量较低" in words and "田面坡度（100.00%）" in words
    better, _ = benefit(compose({**results, **quality(3.0, 2.5, 2.0)}, **FACTS))
    assert "新增耕地质量较低" not in better and "quality_total" in tables
    none, _ = benefit(compose({**results, **quality(math.nan, math.nan, math.nan)}, **FACTS))
    assert "未能评定等级" in none and "nan" not in none


def test_without_accounts_the_chapter_does_not_speak_of_them(results):
    words, tables = benefit(compose(results, **FACTS))
    assert "碳核算" not in words and "质量等级" not in words and not {"carbon_total", "quality_total"} & set(tables)


@pytest.fixture
def patches():
    boxes = [shapely.box(500_000 + 300 * k, 2_800_000, 500_300 + 300 * k, 2_800_400) for k in range(4)]
    return gpd.GeoDataFrame({"patch_id": list("abcd")}, geometry=boxes, crs=4547)


COVER = Cover("示例", "CGCS2000", "2026年1月2日", "2023年", "示例局", {"landuse_patch": "地类图斑（合成）", "soil": "土壤（合成）"})


def test_sheets_are_made_for_what_there_is_and_carry_the_mark(patches):
    table = pd.DataFrame({"area_ha": 1.0, "stock_t": [20.0, 96.4, 300.0, np.nan], "change_t": [np.nan] * 4})
    one = carbon_maps(patches, table, None, COVER)
    assert [m.key for m in one] == ["carbon"] and one[0].synthetic == ("地类图斑（合成）",) and one[0].png[:4] == b"\x89PNG"
    two = carbon_maps(patches, table.assign(change_t=[-30.0, 0.0, 5.0, np.nan]), None, COVER)
    assert [m.key for m in two] == ["carbon", "carbon_change"] and "土壤（合成）" in two[1].synthetic
    grades = pd.DataFrame({"patch_id": ["c", "a"], "grade": [3.0, np.nan], "grade_after": [np.nan] * 2, "known_weight": [1.0, 0.3], "index_after": [np.nan] * 2})
    assert [m.key for m in quality_maps(patches, grades, None, COVER)] == ["quality"]
    suit = pd.DataFrame({"patch_id": list("abcd") * 2, "use": ["farming"] * 4 + ["tourism"] * 4, "use_zh": ["农业种植"] * 4 + ["乡村旅游"] * 4, "class": ["high", "none", "excluded", "unknown"] * 2})
    assert [m.title for m in suitability_maps(patches, suit, None, COVER)] == ["农业种植适宜性评价图", "乡村旅游适宜性评价图"]


def test_a_sheet_of_codes_is_drawn_at_the_paper_size_it_names(patches):
    made = patch_sheet(patches, np.array(["high", "low", "none", "excluded"]), None, COVER, key="x", title="图", group="suitability")
    assert made.size_mm == (420.0, 297.0)
