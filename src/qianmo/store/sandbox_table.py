"""Reading tables inside the reading process: every cell comes out as text (子进程表格读取)."""

from __future__ import annotations

import csv
import datetime
import io
import mimetypes
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.guard_text import text_samples_of
from qianmo.store.raw import Note
from qianmo.store.read_coordinates import coordinate_columns
from qianmo.store.read_dbf import check_not_utf8, codec_of, decode_strictly
from qianmo.store.sandbox_vector import write_table

__all__ = ["parse_boundary_text", "parse_csv", "read_table_task"]

_HEADER_SEARCH = 20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EXCEL_DIGITS = 10**15
_NO_COORDINATES = "lon/lat, 经度/纬度, X/Y, 东坐标/北坐标 or a WKT column"


def read_table_task(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    """Read the sheets of one table that hold coordinates (读取一个表格来源).

    Raises
    ------
    EncodingError
        Text cannot be decoded without loss.
    UnsafeInputError
        Ragged rows, merged cells, formulas without values, duplicate headers, no coordinates.
    """
    path = Path(next(iter(task["parts"].values())))
    if task["driver"] == "XLSX":
        sheets = _sheets(path, task)
    else:
        check_not_utf8(text_samples_of(path, most=200), codec_of(task["encoding"]), task["origin"])
        text = decode_strictly(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), codec_of(task["encoding"]), task["origin"])
        sheets = iter(
            [
                (
                    task["stem"],
                    *(parse_boundary_text if task["driver"] == "BoundaryText" else parse_csv)(
                        text, task["origin"], task["rows_max"]
                    ),
                )
            ]
        )
    items, plain = [], []
    for number, (name, header, rows, notes) in enumerate(sheets):
        if coordinate_columns(header).kind:
            items.append(_item(name, header, rows, notes, number, task, out))
        else:
            plain.append(f"{name} ({', '.join(header[:6])})")
    if not items:
        raise UnsafeInputError(
            f"{task['origin']}: no coordinate columns in {'; '.join(plain)[:300]}",
            expected=_NO_COORDINATES,
            cure="name the coordinate columns so 请规范坐标列名",
        )
    return items


def parse_csv(text: str, origin: str, rows_max: int) -> tuple[list[str], list[list[str]], list[Note]]:
    """Header and rows of a CSV text; the separator is taken from the header line (解析 CSV).

    Raises
    ------
    UnsafeInputError
        Unclosed quotes, rows of another length than the header, too many rows.
    """
    first = text.lstrip("\r\n").splitlines()[:1]
    if not first:
        raise UnsafeInputError(
            f"{origin}: no line of text", expected="a header and rows", cure="export the table again 请重新导出"
        )
    separator = max(",\t;|，", key=first[0].count)
    csv.field_size_limit(1 << 24)
    try:
        rows = [
            r for r in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if any(c.strip() for c in r)
        ]
    except csv.Error as error:
        raise UnsafeInputError(
            f"{origin}: {error}", expected="quotes that close", cure="export the table again 请重新导出"
        ) from None
    header = [c.strip() for c in rows[0]]
    while header and not header[-1] and all(len(r) < len(header) or not r[len(header) - 1].strip() for r in rows[1:]):
        header.pop()
    body = [r[: len(header)] if not any(c.strip() for c in r[len(header) :]) else r for r in rows[1:]]
    if ragged := [i + 2 for i, r in enumerate(body) if len(r) != len(header)]:
        raise UnsafeInputError(
            f"{origin}: {len(ragged)} rows do not have {len(header)} cells, first row {ragged[0]} with {len(body[ragged[0] - 2])}",
            expected="as many cells as the header", cure="quote cells that hold the separator (decimal comma?) 列数不一致，请检查分隔符或小数逗号",
        )  # fmt: skip
    _check_header(header, origin)
    if len(body) > rows_max:
        raise UnsafeInputError(f"{origin}: {len(body)} rows", expected=f"at most {rows_max}", cure="split the table 请拆分表格")
    notes = (
        [Note("mixed_line_ends", "info", "line ends are mixed (CRLF and LF)")]
        if "\r\n" in text and re.search(r"(?<!\r)\n", text)
        else []
    )
    return header, body, notes


def parse_boundary_text(text: str, origin: str, rows_max: int) -> tuple[list[str], list[list[str]], list[Note]]:
    """Rows of the text form of boundary points: X runs north, Y east (解析界址点坐标文本).

    Raises
    ------
    UnsafeInputError
        A point line without four cells, or before its plot line; a plot with another number of points than it states.
    """
    said, rows, plot, stated, count = [], [], "", 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        cells = [c.strip() for c in line.replace("，", ",").split(",")]
        if "=" in line and not plot:
            said.append(line.strip())
        elif line.rstrip().endswith("@") and len(cells) >= 4:
            _check_count(origin, plot, stated, count)
            plot, stated, count = cells[2] or cells[3] or f"地块{number}", int(cells[0]) if cells[0].isdigit() else 0, 0
            names = cells[3]
        elif line.strip() and not line.strip().startswith("["):
            if len(cells) < 4 or not plot:
                raise UnsafeInputError(
                    f"{origin}: line {number} {line[:40]!r} is no point of a plot",
                    expected="点号,圈号,X,Y after a plot line ending in @",
                    cure="correct the line 请改正该行",
                )
            rows.append([plot, names, cells[1], cells[0], cells[2], cells[3]])
            count += 1
    _check_count(origin, plot, stated, count)
    if not rows or len(rows) > rows_max:
        raise UnsafeInputError(
            f"{origin}: {len(rows)} points", expected=f"1 to {rows_max}", cure="export the boundary points again 请重新导出界址点"
        )
    hint = [x for x in said if x.split("=")[0] in ("坐标系", "几度分带", "投影类型", "带号", "计量单位")]
    return (
        ["地块号", "地块名称", "圈号", "点号", "北坐标", "东坐标"],
        rows,
        [Note("crs_hint", "info", "the header of the file states its reference system", found="; ".join(hint))],
    )


def _check_count(origin: str, plot: str, stated: int, count: int) -> None:
    if plot and stated and count != stated:
        raise UnsafeInputError(
            f"{origin}: plot {plot} has {count} points",
            expected=f"{stated} as its line states",
            cure="export the boundary points again 界址点数与声明不符，请重新导出",
        )


def _check_header(header: list[str], origin: str) -> None:
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


def _item(
    name: str, header: list[str], rows: list[list[str]], notes: list[Note], number: int, task: dict[str, Any], out: Path
) -> dict[str, Any]:
    columns = {h: pa.array([r[i].strip() or None for r in rows], pa.string()) for i, h in enumerate(header)}
    return {
        "item": "table", "name": name, "rows": len(rows), "geometry_type": None, "crs": None, "types": dict.fromkeys(header, "text"), "aliases": {},
        "encoding": task["encoding"] or "ascii", "count": len(rows), "file": write_table(pa.table(columns), out, f"t{task['id']}_{number}.arrow"),
        "notes": [asdict(n) for n in notes],
    }  # fmt: skip


def _sheets(path: Path, task: dict[str, Any]) -> Iterator[tuple[str, list[str], list[list[str]], list[Note]]]:
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
    if at is None:
        at = next(i for i, r in enumerate(rows) if any(r))
        yield sheet.title, [c for c in rows[at] if c], [], []
        return
    _check_merges(raw, at + 1, where)
    _check_formulas(raw, where)
    header = rows[at]
    while header and not header[-1]:
        header.pop()
    _check_header(header, where)
    body = [r[: len(header)] + [""] * (len(header) - len(r)) for r in rows[at + 1 :]]
    if outside := [at + 2 + i for i, r in enumerate(rows[at + 1 :]) if any(r[len(header) :])]:
        raise UnsafeInputError(
            f"{where}: row {outside[0]} has cells right of the header",
            expected="a name above each column",
            cure="name or clear the column 请补充列名或清除",
        )
    if rounded:
        notes.append(
            Note("ids_rounded", "error", "numeric cells with 16 or more digits: Excel keeps only 15, so the last digits are lost", found=f"row {rounded[0]}",
                 expected="ids typed as text", cure="format the column as text and enter the ids again 请将该列设为文本并重新录入", rows=tuple(max(0, r - at - 2) for r in rounded[:20]))
        )  # fmt: skip
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
                f"{where}: merged cells {reference.decode()} in the header (row {header_row}) or the rows below it", expected="one cell a name and a value",
                cure="unmerge the cells, fill each one, keep one header row 请取消合并单元格并逐格填写，只保留一行表头",
            )  # fmt: skip


def _check_formulas(raw: bytes, where: str) -> None:
    cells: Iterable[bytes] = re.findall(rb"<c\b[^>]*?(?<!/)>.*?</c>", raw, re.DOTALL) if b"<f" in raw else []
    empty = [c for c in cells if re.search(rb"<f[\s>/]", c) and not re.search(rb"<v>[^<]|<is>", c)]
    if empty:
        place = re.search(rb'r="([A-Z]+\d+)"', empty[0])
        raise UnsafeInputError(
            f"{where}: {len(empty)} formulas without a stored value, first {place.group(1).decode() if place else '?'}", expected="values",
            cure="open the workbook in Excel, let it calculate, and save 请在 Excel 中打开计算后保存",
        )  # fmt: skip
