"""The project library as a workbook that may be edited and read back (项目库工作簿)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from qianmo.governance.blank import is_blank
from qianmo.governance.library.cells import LISTS, cell_text, column_header, value_choices
from qianmo.governance.library.check import LIBRARY_TABLES
from qianmo.governance.library.difference import fingerprints
from qianmo.schema.tables import Column, table_spec

__all__ = ["BASE_SHEET", "CHOICE_SHEET", "COVER_SHEET", "library_workbook"]

COVER_SHEET, BASE_SHEET, CHOICE_SHEET = "说明", "基线", "选项"
"""Sheets beside the tables: what to do, fingerprints of the rows as they went out, lists of choices."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_ROOM = 500
"""Rows below the last one in which a choice can still be made from a list."""

_FORMATS = {"yuan": "#,##0.00", "m2": "#,##0.00"}
_RULES = (
    "每张表第一行是表头, 不要改动; 在其下增、改、删行后存盘, 用 qianmo library import 项目 文件 读回。",
    "带下拉框的格请从列表中选; 多个值之间用分号。金额单位元, 面积单位平方米, 比例填 0 至 1。",
    "状态只能用 qianmo library move 办理, 表格中改动的状态不予读入; 新项目的状态填“候选”。",
    "导出后库中又被改过的行不会被覆盖: 读入时逐行列出并拒绝。",
)


def library_workbook(tables: Mapping[str, pd.DataFrame], *, title: str, synthetic: Sequence[str] = (), made: datetime | None = None) -> bytes:
    """One sheet a table with Chinese heads, lists to choose from, and the fingerprints of all rows (项目库工作簿).

    Parameters
    ----------
    tables : mapping
        Tables of the library; those that are missing go out empty, ready to be filled in.
    title : str
        Name of the project on the cover.
    synthetic : sequence of str
        Words for the red mark of invented data on the cover.
    made : datetime, optional
        Time of making written into the file; a fixed one by default, so that the same input gives the same bytes.

    Returns
    -------
    bytes
        An .xlsx file without macros or formulas.
    """
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": made or _EPOCH})
    looks = _looks(book)
    _cover(book.add_worksheet(COVER_SHEET), tables, title, synthetic, looks)
    sheets = {name: book.add_worksheet(table_spec(name).zh) for name in LIBRARY_TABLES}
    places = _choices(book.add_worksheet(CHOICE_SHEET), looks)
    for name, sheet in sheets.items():
        frame = tables.get(name, pd.DataFrame(columns=list(table_spec(name).column_names)))
        _table(sheet, name, frame, places, looks)
    base = book.add_worksheet(BASE_SHEET)
    rows = [(name, key, mark) for name in LIBRARY_TABLES if name in tables for key, mark in fingerprints(name, tables[name]).items()]
    for n, row in enumerate([("表", "行标识", "指纹"), *rows]):
        for k, text in enumerate(row):
            base.write_string(n, k, text)
    for hidden in ("base", "choices"):
        (base if hidden == "base" else book.get_worksheet_by_name(CHOICE_SHEET)).hide()
    sheets["library_project"].activate()
    book.close()
    return output.getvalue()


def _looks(book: Workbook) -> dict[str, Format]:
    border = {"border": 1, "border_color": "#BFBFBF", "font_name": "宋体", "font_size": 10, "valign": "vcenter"}
    return {
        "head": book.add_format({**border, "bold": True, "bg_color": "#E8EEF4", "text_wrap": True, "align": "center"}),
        "needed": book.add_format({**border, "bold": True, "bg_color": "#FCE4D6", "text_wrap": True, "align": "center"}),
        "text": book.add_format({**border, "num_format": "@"}), "fixed": book.add_format({**border, "num_format": "@", "font_color": "#7F7F7F", "bg_color": "#F2F2F2"}),
        "yuan": book.add_format({**border, "num_format": _FORMATS["yuan"]}), "m2": book.add_format({**border, "num_format": _FORMATS["m2"]}),
        "number": book.add_format({**border, "num_format": "General"}), "whole": book.add_format({**border, "num_format": "0"}),
        "title": book.add_format({"bold": True, "font_size": 16, "font_name": "黑体"}), "mark": book.add_format({"bold": True, "font_color": "#C00000", "font_name": "宋体"}),
        "plain": book.add_format({"font_name": "宋体", "text_wrap": True, "valign": "top"}),
    }  # fmt: skip


def _cover(sheet: Worksheet, tables: Mapping[str, pd.DataFrame], title: str, synthetic: Sequence[str], looks: Mapping[str, Format]) -> None:
    sheet.set_column(0, 0, 96)
    sheet.write_string(0, 0, f"{title} 项目库", looks["title"])
    at = 1
    if synthetic:
        sheet.write_string(at, 0, "合成数据: " + "、".join(synthetic), looks["mark"])
        at += 1
    for line in (*_RULES, *(f"{table_spec(n).zh}: {len(tables[n]) if n in tables else 0} 行" for n in LIBRARY_TABLES)):
        sheet.write_string(at, 0, line, looks["plain"])
        at += 1


def _choices(sheet: Worksheet, looks: Mapping[str, Format]) -> dict[tuple[str, str], str]:
    """Write every list once; return the range of each (table, column)."""
    places = {}
    column = 0
    for name in LIBRARY_TABLES:
        for c in table_spec(name).columns:
            words = ["是", "否"] if c.type == "boolean" else [zh for zh, _ in value_choices(c).values()]
            if words and c.name not in LISTS:
                sheet.write_string(0, column, f"{table_spec(name).zh} {c.zh}", looks["head"])
                for n, word in enumerate(words, start=1):
                    sheet.write_string(n, column, word, looks["text"])
                letter = xlsxwriter.utility.xl_col_to_name(column)
                places[name, c.name] = f"='{CHOICE_SHEET}'!${letter}$2:${letter}${len(words) + 1}"
                column += 1
    return places


def _table(sheet: Worksheet, name: str, frame: pd.DataFrame, places: Mapping[tuple[str, str], str], looks: Mapping[str, Format]) -> None:
    columns = table_spec(name).columns
    sheet.freeze_panes(1, 3 if name == "library_project" else 1)
    sheet.set_row(0, 42)
    last = len(frame) + _ROOM
    for k, c in enumerate(columns):
        texts = [cell_text(c, v) for v in frame[c.name]]
        sheet.write_string(0, k, column_header(c), looks["needed" if c.required else "head"])
        sheet.set_column(k, k, min(40.0, max(9.0, 2.0 * len(c.zh) + 2, *(1.9 * len(t) + 1 for t in texts[:200]))), _look(name, c, looks))
        for n, value in enumerate(frame[c.name].tolist(), start=1):
            _cell(sheet, n, k, c, value, _look(name, c, looks))
        if (name, c.name) in places:
            told = {"validate": "list", "source": places[name, c.name], "error_title": "请从列表中选", "error_message": f"{c.zh} 只能取列表中的值"}
            sheet.data_validation(1, k, last, k, told)
        elif c.name in ("fund_readiness", "village_consent"):
            sheet.data_validation(1, k, last, k, {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1, "error_message": f"{c.zh} 填 0 至 1"})
        elif c.name == "urgency":
            sheet.data_validation(1, k, last, k, {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": 5, "error_message": "紧迫程度填 1 至 5"})
    if len(frame):
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(3 if name == "library_project" else 1, 0)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0, 2 if name == "library_project" else 0)


def _look(name: str, c: Column, looks: Mapping[str, Format]) -> Format:
    if name == "library_project" and c.name == "state":
        return looks["fixed"]
    if c.unit in _FORMATS:
        return looks[c.unit]
    return looks[{"integer": "whole", "real": "number"}.get(c.type, "text")]


def _cell(sheet: Worksheet, n: int, k: int, c: Column, value: object, look: Format) -> None:
    if is_blank(value):
        sheet.write_blank(n, k, None, look)
    elif c.type in ("integer", "real"):
        sheet.write_number(n, k, float(str(value)), look)
    else:
        sheet.write_string(n, k, cell_text(c, value), look)
