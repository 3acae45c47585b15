"""One table as an Excel file: figures are figures, text is text, and the red line's areas are those of its report."""

import io

import openpyxl
import pytest

from qianmo.jobs.queries.page_tables import red_line_table
from qianmo.reports.table_workbook import table_workbook


def _read(body):
    return openpyxl.load_workbook(io.BytesIO(body))


def test_figures_stay_figures_and_text_is_no_formula():
    book = _read(table_workbook("表题", [("名称", "text"), ("数", "number"), ("占比", "share")], [["=1+1", 3, 0.25], ["https://x", 2.5, None], ["甲", "待定", 0.5]], whole=["合计", 5.5, None]))
    page = book["表"]
    assert page["A1"].value == "表题" and [c.value for c in page[2]] == ["名称", "数", "占比"]
    assert page["A3"].value == "=1+1" and page["A3"].data_type == "s" and page["A4"].hyperlink is None
    assert (page["B3"].value, page["B3"].number_format) == (3, "#,##0") and page["B4"].number_format == "#,##0.0###"
    assert page["B5"].value == "待定" and page["C4"].value is None and page["C3"].number_format == "0.00%"
    assert [c.value for c in page[6]] == ["合计", 5.5, None] and book.sheetnames == ["表"]


def test_how_figures_came_about_is_a_second_sheet():
    book = _read(table_workbook("t", [("a", "count")], [[1]], notes=["来源: 台账"]))
    assert book["说明"]["A1"].value == "来源: 台账"


def test_the_red_lines_table_has_a_line_a_layer_and_class_and_its_own_area():
    covered = [{"layer": "landuse_patch", "layer_zh": "地类图斑", "rows": 3, "area_m2": 20_000.0, "synthetic": True,
                "groups": [{"label": "水田(0101)", "rows": 2, "area_m2": 15_000.0}, {"label": "旱地(0103)", "rows": 1, "area_m2": 5_000.0}]}]  # fmt: skip
    page = _read(red_line_table("红线甲", 30_000.0, covered))["表"]
    rows = [[c.value for c in row] for row in page.iter_rows(min_row=3)]
    assert [r[:3] for r in rows] == [["地类图斑", None, 3], ["地类图斑", "水田(0101)", 2], ["地类图斑", "旱地(0103)", 1], ["红线 red line", None, None]]
    assert rows[1][3:6] == pytest.approx([15_000.0, 1.5, 22.5]) and rows[3][3:6] == pytest.approx([30_000.0, 3.0, 45.0]) and rows[0][6] == "合成"
