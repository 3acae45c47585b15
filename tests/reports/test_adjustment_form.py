"""The sheet of the national review form (审查情况汇总表)."""

from __future__ import annotations

import io

import openpyxl
import pandas as pd
import pytest

from qianmo.reports.adjustment_form import adjustment_form, form_rows, form_text
from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows


@pytest.fixture
def form() -> pd.DataFrame:
    rows = shipped_rows("codes", "basic_farmland_form")
    values = {"dcZmj": 80.0, "drZmj": 86.0, "dcTbsm": 160, "drTbsm": 120, "sfsj": True, "xmmc": "示例", "scjg1": "增加90.00亩,增加比例7.5000%"}
    return pd.DataFrame([{**{k: r[k] for k in ("form_row", "block", "label_zh", "field", "value_type")}, "value": values.get(r["field"])} for r in rows])


def test_every_field_of_the_national_form_is_on_the_sheet(form):
    parts = form_rows(form)
    out = sum(r[2] != "—" for r in parts["sides"])
    into = sum(r[3] != "—" for r in parts["sides"])
    assert len(parts["heads"]) + out + into + len(parts["results"]) == len(form)


def test_figures_are_numbers_and_missing_ones_say_so(form):
    sheet = openpyxl.load_workbook(io.BytesIO(adjustment_form(form, project_name="示例", date="2026年1月2日"))).active
    rows = {r[0].value: [c.value for c in r] for r in sheet.iter_rows() if r[0].value}
    assert rows["总面积"][1:] == ["公顷", 80.0, 86.0]
    assert rows["平均质量等别"][2] == "缺数据"
    assert rows["是否涉及永久基本农田布局调整"][2] == "是"
    assert rows["永久基本农田生态有改善"][2] == "（由审查人员填写）"


def test_the_same_form_gives_the_same_bytes_and_the_red_mark_stands_where_data_are_invented(form):
    a, b = (adjustment_form(form, project_name="示例", date="2026年1月2日", synthetic=("永久基本农田（合成）",)) for _ in range(2))
    assert a == b
    assert "合成" in openpyxl.load_workbook(io.BytesIO(a)).active["A2"].value


def test_a_form_without_a_field_is_refused(form):
    with pytest.raises(SchemaError, match="lacks fields"):
        form_rows(form.iloc[1:])


def test_values_are_shown_as_the_form_wants_them():
    assert form_text(0.9, "ha") == "0.9000" and form_text(True) == "是" and form_text(None) == "缺数据" and form_text(7, "count") == "7"
