"""The report of a red line as an Excel table (占压分析表)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from qianmo.schema.units import M2_PER_HA, MU_PER_HA

__all__ = ["red_line_table"]

_HEAD = ("图层 layer", "分类 class", "图斑数 rows", "面积(m²)", "面积(公顷 ha)", "面积(亩 mu)", "合成 synthetic")


def red_line_table(title: str, area_m2: float, covered: Sequence[Mapping[str, Any]]) -> bytes:
    """A workbook with one sheet: a line a layer and a line a class below it (占压分析表)."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("占压分析")
    bold, number = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    sheet.write_string(0, 0, title, bold)
    sheet.write_row(1, 0, ("红线面积(m²)", "", "", area_m2))
    sheet.write_row(2, 0, _HEAD, bold)
    line = 3
    for layer in covered:
        rows = [("", layer["rows"], layer["area_m2"]), *((g["label"], g["rows"], g["area_m2"]) for g in layer["groups"])]
        for label, count, size in rows:
            sheet.write_string(line, 0, layer["layer_zh"], None if label else bold)
            sheet.write_string(line, 1, label)
            sheet.write_number(line, 2, count)
            for column, value in enumerate((size, size / M2_PER_HA, size / M2_PER_HA * MU_PER_HA), start=3):
                sheet.write_number(line, column, value, number)
            sheet.write_string(line, 6, "合成" if layer["synthetic"] else "")
            line += 1
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 6, 14)
    sheet.freeze_panes(3, 0)
    book.close()
    return out.getvalue()
