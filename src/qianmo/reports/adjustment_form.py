"""The review form of a basic-farmland adjustment as a workbook (永久基本农田布局调整审查情况汇总表)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import xlsxwriter

from qianmo.reports.marks import mark_text
from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["adjustment_form", "form_rows", "form_text", "form_values"]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SIDES = {"调出": "dc", "调入": "dr"}
_UNITS = {"ha": "公顷", "count": "个", "grade": "等", "%": "%", "亩/ha": "公顷", "亩,%": "", "text": "", "bool": ""}
MISSING = "缺数据"


def form_rows(form: pd.DataFrame) -> dict[str, list[tuple[str, ...]]]:
    """The form in its three parts: heads (label, value, unit), sides (label, unit, out, in), results (label, value) (审查表内容).

    Raises
    ------
    SchemaError
        A field of the national form is missing.
    """
    value = dict(zip(form["field"], form["value"]))
    cells = shipped_rows("codes", "basic_farmland_form")
    lacking = [c["field"] for c in cells if c["field"] not in value]
    if lacking:
        raise SchemaError(f"the form lacks fields {lacking[:5]}", expected="every field of codes/basic_farmland_form.csv")
    heads: list[tuple[str, ...]] = [(c["label_zh"], form_text(value[c["field"]], c["value_type"]), _UNITS[c["value_type"]]) for c in cells if c["block"] == "基本信息"]
    out = {c["field"][2:]: c for c in cells if c["block"] == "调出"}
    into = {c["field"][2:]: c for c in cells if c["block"] == "调入"}
    names = list(dict.fromkeys([*(c["field"][2:] for c in cells if c["block"] in _SIDES)]))
    sides: list[tuple[str, ...]] = []
    for name in names:
        cell = into.get(name) or out[name]
        shown = [form_text(value[c["field"]], c["value_type"]) if (c := side.get(name)) else "—" for side in (out, into)]
        sides.append((cell["label_zh"], _UNITS[cell["value_type"]], *shown))
    results: list[tuple[str, ...]] = [(c["label_zh"], form_text(value[c["field"]], c["value_type"], missing=_open(c))) for c in cells if c["block"] == "审查结果"]
    return {"heads": heads, "sides": sides, "results": results}


def adjustment_form(form: pd.DataFrame, *, project_name: str, date: str, synthetic: Sequence[str] = ()) -> bytes:
    """One sheet with the form: heads, both sides beside each other, results (审查情况汇总表).

    Parameters
    ----------
    form : DataFrame
        Rows of ``evaluation.form_levelling.levelled_form``; blank values are printed as missing data.
    project_name, date : str
    synthetic : sequence of str
        Labels of invented inputs; with any the sheet carries the red mark.

    Returns
    -------
    bytes
        An .xlsx file; the same input gives the same bytes.
    """
    parts, output = form_rows(form), io.BytesIO()
    book = xlsxwriter.Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"{project_name} 审查情况汇总表", "created": _EPOCH})
    sheet = book.add_worksheet("审查情况汇总表")
    cell = {"border": 1, "valign": "vcenter", "text_wrap": True, "font_name": "宋体", "font_size": 10.5}
    plain, head = book.add_format(cell), book.add_format({**cell, "bold": True, "align": "center", "bg_color": "#EEF3EA"})
    number = [book.add_format({**cell, "align": "right", "num_format": f}) for f in ("0", "0.0000")]
    title = book.add_format({"bold": True, "font_size": 15, "align": "center", "valign": "vcenter", "font_name": "黑体"})
    mark = book.add_format({"font_color": "#C00000", "text_wrap": True, "valign": "vcenter", "font_name": "宋体", "font_size": 10})
    for column, width in enumerate((44, 10, 26, 26)):
        sheet.set_column(column, column, width)
    sheet.merge_range(0, 0, 0, 3, "全域土地综合整治所涉永久基本农田布局调整事项审查情况汇总表", title)
    sheet.merge_range(1, 0, 1, 3, mark_text(synthetic) or f"填报日期：{date}", mark if synthetic else plain)
    sheet.set_row(0, 30)
    sheet.set_row(1, 30 if synthetic else 18)
    row = _band(sheet, 2, "一、基本信息", head)
    for label, shown, unit in parts["heads"]:
        sheet.write_string(row, 0, label, plain)
        sheet.write_string(row, 1, unit, plain)
        sheet.merge_range(row, 2, row, 3, shown, plain)
        row += 1
    row = _band(sheet, row, "二、调出与调入", head)
    for column, text in enumerate(("项目", "单位", "调出", "调入")):
        sheet.write_string(row, column, text, head)
    for label, unit, out, into in parts["sides"]:
        row += 1
        sheet.write_string(row, 0, label, plain)
        sheet.write_string(row, 1, unit, plain)
        for column, shown in ((2, out), (3, into)):
            _number_or_text(sheet, row, column, shown, number)
    row = _band(sheet, row + 1, "三、审查结果", head)
    for label, shown in parts["results"]:
        sheet.merge_range(row, 0, row, 1, label, plain)
        sheet.merge_range(row, 2, row, 3, shown, plain)
        sheet.set_row(row, 32)
        row += 1
    sheet.merge_range(row, 0, row, 3, f"注：面积取四位小数（公顷），分项之和等于合计；“{MISSING}”表示现有资料不足以填写。日期：{date}", mark if synthetic else plain)
    sheet.set_row(row, 30)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.center_horizontally()
    book.close()
    return output.getvalue()


def form_values(form: pd.DataFrame) -> list[str]:
    """The value of every row as text, in the order of the form (逐项内容)."""
    kinds = zip(form["value"], form["value_type"], form["block"])
    return [form_text(v, k, missing=_open({"value_type": k}) if b == "审查结果" else MISSING) for v, k, b in kinds]


def form_text(value: Any, value_type: str = "text", *, missing: str = MISSING) -> str:
    """One value as the form shows it: four decimals for areas, shares and grades, 是 or 否, words for what is missing (填表文字)."""
    if value is None or value is pd.NA or value != value or str(value) in ("", "None", "nan"):
        return missing
    if isinstance(value, bool):
        return "是" if value else "否"
    if value_type in ("ha", "%", "grade", "亩/ha") and str(value) != MISSING:
        return f"{float(value):.4f}"
    return str(value)


def _band(sheet: Any, row: int, text: str, style: Any) -> int:
    sheet.merge_range(row, 0, row, 3, text, style)
    return row + 1


def _number_or_text(sheet: Any, row: int, column: int, shown: str, style: Any) -> None:
    try:
        sheet.write_number(row, column, float(shown), style[1 if "." in shown else 0])
    except ValueError:
        sheet.write_string(row, column, shown, style[0])


def _open(cell: dict[str, str]) -> str:
    """Words for a result nobody computed: those of the reviewer are left to him."""
    return "（由审查人员填写）" if cell["value_type"] in ("bool", "text") else MISSING
