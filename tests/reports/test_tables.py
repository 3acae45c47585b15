"""The workbook: live formulas with right cached values, marks, text that stays text."""

from __future__ import annotations

import io

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.reports.formulas import computed, excel_formula
from qianmo.reports.plan_tables import _rounded_note, book_tables, column_totals
from qianmo.reports.tables import workbook
from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.errors import SchemaError


def _two_views(made: bytes):
    return (openpyxl.load_workbook(io.BytesIO(made), data_only=only) for only in (False, True))


def _table(frame: pd.DataFrame, **options) -> BookTable:
    columns = tuple(BookColumn(c, c, "", "0.00" if pd.api.types.is_float_dtype(frame[c]) else "text") for c in frame)
    return BookTable("t", "表", frame, columns, **options)


def test_sums_are_formulas_and_their_cached_values_are_the_sums(results):
    tables = list(book_tables(results).values())
    formulas, values = _two_views(workbook(tables, title="示例"))
    checked = 0
    for number, table in enumerate(tables, start=1):
        live, cached = formulas.worksheets[number], values.worksheets[number]
        row = 4 + len(table.frame) + 1
        for at, column in enumerate(table.columns, start=1):
            if column.name in table.sums:
                letter = openpyxl.utils.get_column_letter(at)
                assert live.cell(row, at).value == f"=SUM({letter}5:{letter}{row - 1})"
                parts = [cached.cell(r, at).value for r in range(5, row)]
                assert cached.cell(row, at).value == pytest.approx(np.sum(parts), abs=1e-6)
                checked += 1
    assert checked > 30


def test_every_formula_column_is_live_and_cached_with_the_value_of_its_inputs(results):
    table = book_tables(results)["land_structure"]
    formulas, values = _two_views(workbook([table], title="示例"))
    live, cached = formulas.worksheets[1], values.worksheets[1]
    assert live["G5"].value == "=F5*15"
    assert cached["G5"].value == pytest.approx(cached["F5"].value * 15)
    last = 5 + len(table.frame)
    assert live["H5"].value == f'=IF(F${last}=0,"",F5/F${last})'
    assert cached.cell(last, 8).value == pytest.approx(1.0)


def test_text_that_looks_like_a_formula_stays_text():
    nasty = ["=1+1", "+1", "-1", "@SUM(A1)", "http://x", "=cmd|'/c calc'!A1"]
    formulas, _ = _two_views(workbook([_table(pd.DataFrame({"a": nasty}))], title="示例"))
    cells = [formulas.worksheets[1].cell(5 + n, 1) for n in range(len(nasty))]
    assert [c.value for c in cells] == nasty
    assert {c.data_type for c in cells} == {"s"}


def test_the_cover_lists_every_table_and_sheets_carry_their_marks():
    frame = pd.DataFrame({"a": ["x"], "b": [1.0]})
    made = workbook([_table(frame, synthetic=("行政村界",)), _table(frame)], title="示例", vintage="2023年", synthetic=["行政村界"])
    book = openpyxl.load_workbook(io.BytesIO(made))
    cover = [str(c.value) for row in book.worksheets[0].iter_rows() for c in row if c.value is not None]
    assert "数据时点：2023年" in cover and "表1" in cover and "表2" in cover
    assert book.worksheets[1]["A2"].value == "含合成数据：行政村界"
    assert not book.worksheets[2]["A2"].value
    assert book.worksheets[1].freeze_panes == "B5"


def test_a_table_without_rows_says_which_data_is_missing():
    empty = _table(pd.DataFrame({"a": pd.Series(dtype=object), "b": pd.Series(dtype=float)}), empty="未编制年度计划")
    book = openpyxl.load_workbook(io.BytesIO(workbook([empty], title="示例")))
    assert "未编制年度计划" in [c.value for row in book.worksheets[1].iter_rows() for c in row]


def test_the_same_tables_give_the_same_bytes(results):
    tables = list(book_tables(results).values())
    assert workbook(tables, title="示例") == workbook(tables, title="示例")


def test_a_figure_that_contradicts_its_formula_is_refused(results):
    wrong = results["balance"].assign(after_m2=1.0)
    with pytest.raises(SchemaError, match="after_ha"):
        book_tables({**results, "balance": wrong})


def test_a_result_without_a_needed_column_is_refused(results):
    with pytest.raises(SchemaError, match="cost_yuan"):
        book_tables({"subproject": results["subproject"].drop(columns="cost_yuan")})


def test_a_result_that_is_no_table_is_refused():
    with pytest.raises(SchemaError, match="list"):
        book_tables({"balance": [1]})


def test_whole_area_indices_stand_in_the_total_row(results):
    table = book_tables(results)["fragmentation"]
    totals = column_totals(table)
    whole = results["fragmentation"].iloc[-1]
    assert totals["mesh_ha"] == whole.effective_mesh_ha
    assert totals["patches"] == whole.patches
    assert totals["mean_patch_ha"] == pytest.approx(whole.mean_patch_m2 / 1e4)
    assert "合计" not in set(table.frame.village_name)


def test_hectares_are_square_metres_over_ten_thousand_and_mu_fifteen_times_that(results):
    table = book_tables(results)["land_structure"]
    assert column_totals(table)["class_area_ha"] == pytest.approx(results["land_structure"].class_area_m2.sum() / 1e4, abs=1e-9)
    assert column_totals(table)["class_area_mu"] == pytest.approx(results["land_structure"].class_area_m2.sum() * 15 / 1e4, abs=1e-9)


def test_the_flow_table_closes(results):
    totals = column_totals(book_tables(results)["flow"])
    assert totals["in_ha"] == pytest.approx(totals["out_ha"])
    assert totals["before_ha"] == pytest.approx(totals["after_ha"])


def test_funding_is_shown_by_source_and_year(results):
    table = book_tables(results)["funding"]
    assert [c.name for c in table.columns] == ["source", "y2026", "y2027", "y2028", "total_wan"]
    assert column_totals(table)["total_wan"] == pytest.approx(results["funding"].yuan.sum() / 1e4)


def test_a_note_warns_where_rounded_parts_miss_the_rounded_sum():
    rows = pd.DataFrame({"year": [2026, 2027, 2028], "subprojects": 1, "area_m2": 33.0, "new_farmland_m2": 0.0, "cost_yuan": 0.0})
    assert "四舍五入" in book_tables({"year_plan": rows})["year_plan"].note
    exact = rows.assign(area_m2=[100.0, 200.0, 300.0])
    assert "四舍五入" not in book_tables({"year_plan": exact})["year_plan"].note


@pytest.mark.parametrize("wrong", ["{a}+", "a*2", "{a}*{b}", "{a}/{b}/{a}", "__import__('os')"])
def test_other_formulas_are_refused(wrong):
    with pytest.raises(SchemaError):
        computed(wrong, {"a": np.ones(1), "b": np.ones(1)}, {})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-10**6, 10**6), st.integers(-10**6, 10**6)), min_size=1, max_size=6))
def test_a_formula_gives_the_same_number_here_and_in_a_spreadsheet(pairs):
    a, b = (np.array(v, dtype=float) for v in zip(*pairs, strict=True))
    for formula in ("{a}+{b}-{a}", "{a}*15", "{a}/{b}"):
        here = computed(formula, {"a": a, "b": b}, {})
        text = excel_formula(formula, lambda name, total: name)
        body = text[1:].removeprefix('IF(b=0,"",').removesuffix(")") if "IF" in text else text[1:]
        for n in range(len(a)):
            if formula == "{a}/{b}" and b[n] == 0:
                assert np.isnan(here[n])
                continue
            left, op, right = _split(body)
            terms = {"a": a[n], "b": b[n]}
            wanted = {"*": lambda x, y: x * y, "/": lambda x, y: x / y}[op](terms[left], terms.get(right, 15.0)) if op in "*/" else b[n]
            assert here[n] == pytest.approx(wanted)


def _split(body: str) -> tuple[str, str, str]:
    for op in "*/":
        if op in body:
            left, right = body.split(op)
            return left, op, right
    return body, "+", ""


def test_sums_of_figures_with_thousands_separators_are_compared_as_numbers():
    columns = (BookColumn("name", "名称"), BookColumn("m3", "方量", "立方米", "#,##0.00"))
    frame = pd.DataFrame({"name": ["甲", "乙"], "m3": [1234.504, 2000000.004]})
    rounded = _rounded_note(BookTable("x", "方量表", frame, columns, ("m3",)))
    assert rounded.note == "因四舍五入，分项之和与合计在末位可能有微差"
    assert _rounded_note(BookTable("x", "方量表", frame.round(2), columns, ("m3",))).note == ""
