"""Reading tables inside the reading process: every cell comes out as text (子进程表格读取)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_text import text_samples_of
from qianmo.store.raw import Note
from qianmo.store.read_coordinates import coordinate_columns
from qianmo.store.read_encoding import check_not_utf8, codec_of, decode_strictly
from qianmo.store.sandbox_arrow import write_table
from qianmo.store.sandbox_workbook import check_header, sheets_of

__all__ = ["parse_boundary_text", "parse_csv", "read_table_task", "without_comments"]

_NO_COORDINATES = "lon/lat, 经度/纬度, X/Y, 东坐标/北坐标 or a WKT column"


def read_table_task(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    """Read the sheets of one table that hold coordinates, and the others where the task says so (读取一个表格来源).

    Raises
    ------
    EncodingError
        Text cannot be decoded without loss.
    UnsafeInputError
        Ragged rows, merged cells, formulas without values, duplicate headers, no coordinates.
    """
    path = Path(next(iter(task["parts"].values())))
    if task["driver"] == "XLSX":
        sheets = sheets_of(path, task)
    else:
        check_not_utf8(text_samples_of(path, most=200), codec_of(task["encoding"]), task["origin"])
        text = decode_strictly(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), codec_of(task["encoding"]), task["origin"])
        text, passed = without_comments(text) if task.get("as_plain") and task["driver"] == "CSV" else (text, [])
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
        if task.get("as_plain"):
            told = passed if task["driver"] == "CSV" else []
            items.append({**_item(name, header, rows, [*notes, *told], number, task, out), "item": "plain"})
        elif coordinate_columns(header).kind:
            items.append(_item(name, header, rows, notes, number, task, out))
        elif task.get("plain_tables"):
            items.append({**_item(name, header, rows, notes, number, task, out), "item": "plain"})
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
    header = [c.strip() for c in rows[0]] if rows else []
    while header and not header[-1] and all(len(r) < len(header) or not r[len(header) - 1].strip() for r in rows[1:]):
        header.pop()
    body = [r[: len(header)] if not any(c.strip() for c in r[len(header) :]) else r for r in rows[1:]]
    if ragged := [i + 2 for i, r in enumerate(body) if len(r) != len(header)]:
        raise UnsafeInputError(
            f"{origin}: {len(ragged)} rows do not have {len(header)} cells; first is row {ragged[0]}, {len(body[ragged[0] - 2])} cells",
            expected="as many cells as the header",
            cure="quote cells that hold the separator (decimal comma?) 列数不一致，请检查分隔符或小数逗号",
        )
    check_header(header, origin)
    if len(body) > rows_max:
        raise UnsafeInputError(f"{origin}: {len(body)} rows", expected=f"at most {rows_max}", cure="split the table 请拆分表格")
    notes = (
        [Note("mixed_line_ends", "info", "line ends are mixed (CRLF and LF)")]
        if "\r\n" in text and re.search(r"(?<!\r)\n", text)
        else []
    )
    return header, body, notes


def without_comments(text: str) -> tuple[str, list[Note]]:
    """The text from its header on, and a remark on the lines that begin with # before it (表头前的说明行)."""
    lines = text.lstrip("\r\n").splitlines(keepends=True)
    count = next((k for k, line in enumerate(lines) if not line.lstrip().startswith("#")), len(lines))
    if not count:
        return text, []
    said = " | ".join(line.strip().rstrip(",") for line in lines[:3] if line.startswith("#"))
    return "".join(lines[count:]), [Note("comment_lines", "info", f"{count} lines that begin with # stand before the header", found=said[:200])]


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


def _item(
    name: str, header: list[str], rows: list[list[str]], notes: list[Note], number: int, task: dict[str, Any], out: Path
) -> dict[str, Any]:
    columns = {h: pa.array([r[i].strip() or None for r in rows], pa.string()) for i, h in enumerate(header)}
    return {
        "item": "table",
        "name": name,
        "rows": len(rows),
        "geometry_type": None,
        "crs": None,
        "types": dict.fromkeys(header, "text"),
        "aliases": {},
        "encoding": task["encoding"] or "ascii",
        "count": len(rows),
        "file": write_table(pa.table(columns), out, f"t{task['id']}_{number}.arrow"),
        "notes": [asdict(n) for n in notes],
    }
