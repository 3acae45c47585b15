"""The plan book as a PDF, set by typst from memory (PDF 文本)."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import typst

from qianmo.reports.document_parts import column_widths, wanted_width
from qianmo.reports.fonts import font_folder, visible_text
from qianmo.reports.marks import mark_text
from qianmo.reports.pdf_layout import LAYOUT
from qianmo.reports.plan_tables import column_totals
from qianmo.reports.typography import cell_text, chinese_text
from qianmo.schema.book import Block, Book, BookMap, BookTable, Bullets, Chapter, Heading, MapBlock, Paragraph, TableBlock
from qianmo.schema.errors import SchemaError

__all__ = ["pdf"]

_ROOM_MM = 168.0
_MOST_MARKS = 3


def pdf(book: Book) -> bytes:
    """Set the book as a PDF (生成 PDF 文本).

    Cover, contents, chapters, tables that break across pages with their head repeated, map sheets on pages of their own
    size so that the numeric scale is true. Every page carries the title, page n of N, and the red mark when any input is
    invented. Only the shipped fonts are used; a character they lack is set as 〓. User text reaches typst as data, never
    as markup.

    Returns
    -------
    bytes
        A .pdf file; the same book gives the same bytes.

    Raises
    ------
    SchemaError
        A map is not a PNG, or the layout cannot be compiled.
    """
    files = {"main.typ": LAYOUT.encode(), "book.json": json.dumps(_book(book), ensure_ascii=False).encode()}
    files |= {f"map{n}.svg": _as_svg(sheet) for n, sheet in enumerate(book.maps, start=1)}
    try:
        made = typst.compile(files, format="pdf", font_paths=[str(font_folder())], ignore_system_fonts=True)  # type: ignore[call-overload]
    except RuntimeError as fault:
        raise SchemaError(f"the PDF could not be set: {fault}", expected="a book of plain text, tables and PNG maps") from fault
    if not isinstance(made, bytes):
        raise SchemaError(f"typst returned {type(made).__name__}", expected="bytes")
    return made


def _book(book: Book) -> dict[str, Any]:
    facts = [(label, str(getattr(book, name))) for label, name in book.cover_rows]
    return {
        "title": _text(book.title),
        "subtitle": _text(book.subtitle),
        "office": _text(book.office),
        "facts": [[_text(a), _text(b or "未注明")] for a, b in facts],
        "mark": _text(mark_text(book.synthetic, most=_MOST_MARKS)),
        "full_mark": _text(mark_text(book.synthetic)),
        "labels": [f"表{n}" for n in range(1, len(_placed(book)) + 1)] + [f"图{n}" for n in range(1, len(book.maps) + 1)],
        "chapters": [_chapter(c, book) for c in book.chapters],
    }


def _placed(book: Book) -> list[str]:
    return [b.key for b in book.blocks() if isinstance(b, TableBlock)]


def _chapter(chapter: Chapter, book: Book) -> dict[str, Any]:
    return {"head": _text(f"{chapter.number}  {chapter.title}"), "blocks": [_block(b, book) for b in chapter.blocks]}


_SHEET = 2**0.5
_HEAD_MM = 10.0


def _block(block: Block, book: Book) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"kind": "heading", "level": block.level, "text": _text(block.text)}
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "text": _text(block.text)}
    if isinstance(block, Bullets):
        return {"kind": "bullets", "items": [_text(i) for i in block.items]}
    if isinstance(block, TableBlock):
        return _table(book.table(block.key), book.table_number(block.key))
    assert isinstance(block, MapBlock)
    sheet, number = book.map(block.key), book.map_number(block.key)
    wide, high = sheet.size_mm
    # a map sheet has a margin of its own for the running head; a chart has its title there
    strip = 0.0 if abs(wide / high - _SHEET) < 0.02 else _HEAD_MM
    return {"kind": "map", "label": f"图{number}", "title": _text(sheet.title), "file": f"map{number}.svg", "width": wide, "height": high, "strip": strip}


def _table(table: BookTable, number: int) -> dict[str, Any]:
    totals = column_totals(table)
    columns = [[_text(cell_text(v, f)) for v, f in zip(table.frame[c.name], table.formats(c), strict=True)] for c in table.columns]
    last = ["合计", *(cell_text(totals[c.name], c.number_format) if c.name in totals else "" for c in table.columns[1:])] if totals else []
    return {
        "kind": "table",
        "label": f"表{number}",
        "title": _text(table.title),
        "mark": _text(mark_text(table.synthetic, most=2 * _MOST_MARKS)),
        "heads": [_text(c.zh) for c in table.columns],
        "units": [_text(c.unit) for c in table.columns],
        "widths": [round(w * 1000, 3) for w in column_widths(table)],
        "numeric": [c.number_format != "text" for c in table.columns],
        "rows": [list(r) for r in zip(*columns, strict=True)],
        "total": last,
        "note": _text("。".join(x.rstrip("。") for x in (f"注：{table.note}" if table.note else "", f"数据来源：{table.source_words}") if x) + "。"),
        "empty": _text(f"{table.empty}。") if table.frame.empty else "",
        "wide": not table.frame.empty and wanted_width(table) > _ROOM_MM,
    }


def _as_svg(sheet: BookMap) -> bytes:
    if sheet.png[:8] != b"\x89PNG\r\n\x1a\n":
        raise SchemaError(f"map {sheet.key} is not a PNG", expected="PNG bytes")
    wide, high = struct.unpack(">II", sheet.png[16:24])
    picture = base64.b64encode(sheet.png).decode()
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    image = f'<image width="{wide}" height="{high}" xlink:href="data:image/png;base64,{picture}"/>'
    return f'<svg {space} width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">{image}</svg>'.encode()


def _text(text: str) -> str:
    return visible_text(chinese_text(text))
