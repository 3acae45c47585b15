"""Tables that a clerk can read: whole counts, percentages, numbers that do not break in their cell."""

from __future__ import annotations

import io

import docx
import openpyxl
import pandas as pd
import pytest

from qianmo.reports.document import word
from qianmo.reports.document_parts import wanted_width
from qianmo.reports.plan_book import compose
from qianmo.reports.plan_tables import book_tables
from qianmo.reports.tables import workbook
from qianmo.schema.book import BookTable
from qianmo.schema.errors import SchemaError

ROWS = pd.DataFrame(
    {
        "key": ["small", "share", "area"], "group": ["general"] * 3, "zh": ["碎片图斑数", "占比", "面积"], "unit": ["count", "ratio", "ha"],
        "before": [60.0, 0.8239, 1.5], "after": [35.0, 0.5244, 2.0],
    }
)  # fmt: skip


def test_counts_are_whole_and_ratios_are_percentages_in_one_column():
    table = book_tables({"indicators": ROWS})["indicators"]
    assert table.row_formats == ("integer", "0.00%", "0.00")
    assert list(table.frame["unit"]) == ["个", "百分比", "公顷"]


def test_the_workbook_formats_each_row_by_its_unit():
    table = book_tables({"indicators": ROWS})["indicators"]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([table], title="示例"))).worksheets[1]
    assert [sheet.cell(r, 4).number_format for r in (5, 6, 7)] == ["0", "0.00%", "0.00"]


def test_formats_must_fit_the_rows():
    table = book_tables({"indicators": ROWS})["indicators"]
    with pytest.raises(SchemaError, match="row formats"):
        BookTable(table.key, table.title, table.frame, table.columns, row_formats=("integer",))


def test_a_table_wider_than_the_text_lies_on_a_landscape_page():
    villages = pd.DataFrame(
        {
            "village_code": [f"{k:012d}" for k in range(3)] + [""], "village_name": ["甲子村", "乙丑村", "丙寅村", "合计"], "patches": [13, 19, 58, 90],
            "area_m2": [150300.0, 179100.0, 555300.0, 884700.0], "mean_patch_m2": [11561.5, 9426.3, 9574.1, 9830.0], "small_patches": [8, 14, 34, 56],
            "small_area_m2": [8100.0, 13500.0, 36900.0, 58500.0], "small_share": [0.05, 0.07, 0.06, 0.06],
            "patch_density_per_km2": [52.34, 21.68, 15.25, 15.96], "effective_mesh_ha": [1.99, 2.13, 0.66, 1.16],
            "area_weighted_shape": [1.13, 1.11, 1.13, 1.13], "simpson": [0.78, 0.41, 0.91, 0.94],
        }
    )  # fmt: skip
    book = compose({"fragmentation": villages}, project_name="示例镇", office="示例局", date="2026年1月2日", vintage="2023年", crs_text="CGCS2000")
    assert wanted_width(book.table("fragmentation")) > 156
    document = docx.Document(io.BytesIO(word(book)))
    assert any(s.page_width > s.page_height for s in document.sections)
    heads = next(t for t in document.tables if t.cell(0, 0).text == "行政村").rows[0].cells
    assert heads[2].text == "耕地面积\n（公顷）"
