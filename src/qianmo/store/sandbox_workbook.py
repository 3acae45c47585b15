"""Sheets of an Excel workbook as text, inside the reading process (子进程 Excel 读取)."""

from __future__ import annotations

import datetime
import mimetypes
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.raw import Note
from qianmo.store.read_coordinates import coordinate_columns

__all__ = ["check_header", "sheets_of"]

_HEADER_SEARCH = 20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EXCEL_DIGITS = 10**15


def sheets_of(path: Path, task: dict[str, Any]) -> Iterator[tuple[str, list[str], list[list[str]], list[Note]]]:
    """Name, header, rows as text and remarks of every sheet (读取工作表).

    Raises
    ------
    UnsafeInputError
        The workbook is broken.
    """
    mimetypes.knownfiles.clear()
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        members = _sheet_members(path)
        for sheet in book.worksheets:
            yield from _sheet(sheet, members.get(sheet.title, b""), task)
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        OSError,
    ) as error:
        raise UnsafeInputError(
            f"{task['origin']}: cannot be read ({type(error).__name__}: {str(error)[:150]})",
            expected="an Excel workbook",
            cure="save it again in Excel 请用 Excel 重新保存",
        ) from None


def check_header(header: list[str], origin: str) -> None:
    """Refuse a header with blanks, doubles or hidden marks (检查表头).

    Raises
    ------
    UnsafeInputError
        The columns are named.
    """
    folded = [h.casefold() for h in header]
    if twice := sorted({h for h in header if h and folded.count(h.casefold()) > 1}):
        raise UnsafeInputError(
            f"{origin}: duplicate columns {', '.join(twice)}", expected="each name once", cure="rename one of them 列重名，请改名"
        )
    if "" in header:
        raise UnsafeInputError(
            f"{origin}: column {header.index('') + 1} has no name",
            expected="a name for each column",
            cure="name the column 请补充列名",
        )
    if hidden := [ascii(h) for h in header if has_hidden_marks(h.replace("\n", " "))]:
        raise UnsafeInputError(
            f"{origin}: columns with hidden marks {', '.join(hidden)}",
            expected="visible characters",
            cure="rename the columns 请重命名列",
        )


def _sheet(sheet: Any, raw: bytes, task: dict[str, Any]) -> Iterator[tuple[str, list[str], list[list[str]], list[Note]]]:
    where, notes = f"{task['origin']}:{sheet.title}", []
    rounded: list[int] = []
    rows = [[_cell_text(c, n, rounded) for c in row] for n, row in enumerate(sheet.iter_rows(max_row=task["rows_max"] + 1), 1)]
    if not any(any(r) for r in rows):
        return
    if len(rows) > task["rows_max"]:
        raise UnsafeInputError(
            f"{where}: more than {task['rows_max']} rows", expected="fewer rows", cure="split the table 请拆分表格"
        )
    at = next((i for i, r in enumerate(rows[:_HEADER_SEARCH]) if coordinate_columns(r).kind), None)
    if at is None and task.get("plain_tables"):
        at = next(i for i, r in enumerate(rows) if any(r))
    if at is None:
        at = next(i for i, r in enumerate(rows) if any(r))
        yield sheet.title, [c for c in rows[at] if c], [], []
        return
    _check_merges(raw, at + 1, where)
    _check_formulas(raw, where)
    header = rows[at]
    while header and not header[-1]:
        header.pop()
    check_header(header, where)
    body = [r[: len(header)] + [""] * (len(header) - len(r)) for r in rows[at + 1 :]]
    if outside := [at + 2 + i for i, r in enumerate(rows[at + 1 :]) if any(r[len(header) :])]:
        raise UnsafeInputError(
            f"{where}: row {outside[0]} has cells right of the header",
            expected="a name above each column",
            cure="name or clear the column 请补充列名或清除",
        )
    if rounded:
        notes.append(
            Note(
                "ids_rounded",
                "error",
                "numeric cells with 16 or more digits: Excel keeps only 15, so the last digits are lost",
                found=f"row {rounded[0]}",
                expected="ids typed as text",
                cure="format the column as text and enter the ids again 请将该列设为文本并重新录入",
                rows=tuple(max(0, r - at - 2) for r in rounded[:20]),
            )
        )
    if sheet.sheet_state != "visible":
        notes.append(Note("hidden_sheet", "warning", "the sheet is hidden in the workbook", found=sheet.title))
    yield sheet.title, header, [r for r in body if any(r)], notes


def _cell_text(cell: Any, row: int, rounded: list[int]) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        if value == int(value) if abs(value) < 1e300 else False:
            if abs(value) >= _EXCEL_DIGITS:
                rounded.append(row)
            digits = str(int(value))
            zeros = str(cell.number_format or "")
            return digits.zfill(len(zeros)) if zeros and set(zeros) == {"0"} else digits
        return repr(float(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value).strip()


def _sheet_members(path: Path) -> dict[str, bytes]:
    """Raw XML of each sheet by title."""
    with zipfile.ZipFile(path) as archive:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        targets = {e.get("Id"): (e.get("Target") or "").removeprefix("/xl/") for e in links}
        kept = {}
        for sheet in book.iter(f"{_MAIN}sheet"):
            target = targets.get(next((v for k, v in sheet.attrib.items() if k.endswith("}id")), ""), "")
            kept[sheet.get("name", "")] = archive.read(f"xl/{target}") if target else b""
        return kept


def _check_merges(raw: bytes, header_row: int, where: str) -> None:
    for reference in re.findall(rb'<mergeCell\s+ref="([^"]+)"', raw):
        last = int(re.sub(rb"\D", b"", reference.split(b":")[-1]) or 0)
        if last >= header_row:
            raise UnsafeInputError(
                f"{where}: merged cells {reference.decode()} in the header (row {header_row}) or the rows below it",
                expected="one cell a name and a value",
                cure="unmerge the cells, fill each one, keep one header row 请取消合并单元格并逐格填写，只保留一行表头",
            )


def _check_formulas(raw: bytes, where: str) -> None:
    cells: Iterable[bytes] = re.findall(rb"<c\b[^>]*?(?<!/)>.*?</c>", raw, re.DOTALL) if b"<f" in raw else []
    empty = [c for c in cells if re.search(rb"<f[\s>/]", c) and not re.search(rb"<v>[^<]|<is>", c)]
    if empty:
        place = re.search(rb'r="([A-Z]+\d+)"', empty[0])
        raise UnsafeInputError(
            f"{where}: {len(empty)} formulas without a stored value, first {place.group(1).decode() if place else '?'}",
            expected="values",
            cure="open the workbook in Excel, let it calculate, and save 请在 Excel 中打开计算后保存",
        )
