"""Tables, bookmarks and the table of contents of a Word file (表格与目录)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.text.paragraph import Paragraph as DocxParagraph

from qianmo.reports.document_pages import add_field
from qianmo.reports.plan_tables import column_totals
from qianmo.reports.typography import cell_text, chinese_text
from qianmo.schema.book import Book, BookColumn, BookTable, Heading

__all__ = ["add_bookmark", "add_contents", "bookmark_name", "column_widths", "table_element", "wanted_width"]

_TWIPS_PER_MM = 1440 / 25.4
_TOGETHER = 14
"""Most rows of a table that is kept on one page."""

_CELL_MM = 1.6
"""Width of a Latin letter in table type."""

_BORDERS = "".join(f'<w:{s} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for s in ("top", "left", "bottom", "right", "insideH", "insideV"))


def table_element(table: BookTable, *, width_mm: float) -> Any:
    """The table as XML: repeated head, rows that do not split, a total row (Word 表格)."""
    widths = [round(w * width_mm * _TWIPS_PER_MM) for w in column_widths(table)]
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    heads = [c.zh + (f"\n（{c.unit}）" if c.unit else "") for c in table.columns]
    small = len(table.frame) <= _TOGETHER
    rows = [_row(heads, widths, ["center"] * len(widths), head=True)]
    sides = ["left" if c.number_format == "text" else "right" for c in table.columns]
    columns = [[cell_text(v, f) for v, f in zip(table.frame[c.name], table.formats(c), strict=True)] for c in table.columns]
    rows += [_row(list(cells), widths, sides, stay=small or n == len(table.frame)) for n, cells in enumerate(zip(*columns, strict=True), start=1)]
    totals = column_totals(table)
    if totals:
        last = [cell_text(totals[c.name], c.number_format) if c.name in totals else "" for c in table.columns]
        rows.append(_row(["合计", *last[1:]], widths, sides, last=True))
    look = f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{_BORDERS}</w:tblBorders><w:tblLayout w:type="fixed"/>'
    margins = '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
    return parse_xml(f"<w:tbl {nsdecls('w')}><w:tblPr>{look}{margins}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>")


def column_widths(table: BookTable) -> list[float]:
    """Share of the width for each column, by its longest texts; sums to 1."""
    wants = [_wanted(c, table) for c in table.columns]
    return [w / sum(wants) for w in wants]


def wanted_width(table: BookTable) -> float:
    """Width [mm] at which few cells of the table break into lines."""
    return sum(_wanted(c, table) for c in table.columns) * _CELL_MM


def add_bookmark(paragraph: DocxParagraph, name: str, number: int) -> None:
    """Put a bookmark around a paragraph."""
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    start.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    end.set(qn("w:id"), str(number))
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(end)


def bookmark_name(number: int) -> str:
    """Name of the bookmark of the heading with this number from 0."""
    return f"_Toc{100000 + number}"


def add_contents(anchor: DocxParagraph, book: Book) -> None:
    """The table of contents before the anchor: a field Word updates, filled with titles and page references."""
    head = anchor.insert_paragraph_before("目  录", style="TOC Heading")
    head.paragraph_format.page_break_before = True
    entries = [e for c in book.chapters for e in ((f"{c.number}  {c.title}", 1), *((b.text, b.level) for b in c.blocks if isinstance(b, Heading)))]
    for number, (text, level) in enumerate(entries):
        line = anchor.insert_paragraph_before(style=f"toc {min(level, 2)}")
        if number == 0:
            _contents_mark(line, "begin", "separate")
        line.add_run(f"{chinese_text(text)}\t")
        add_field(line, f"PAGEREF {bookmark_name(number)} \\h", "")
        if number == len(entries) - 1:
            _contents_mark(line, "end")


def _contents_mark(line: DocxParagraph, *kinds: str) -> None:
    for kind in kinds:
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        if kind == "separate":
            text = OxmlElement("w:instrText")
            text.set(qn("xml:space"), "preserve")
            text.text = ' TOC \\o "1-2" \\h \\z \\u '
            line.add_run()._r.append(text)
        line.add_run()._r.append(mark)


def _wanted(column: BookColumn, table: BookTable) -> float:
    totals = column_totals(table)
    shown = [cell_text(v, f) for v, f in zip(table.frame[column.name].head(300), table.formats(column), strict=False)]
    longest = max((_cells(s) for s in shown), default=0.0)
    head = _cells(column.zh + column.unit) / 2
    if column.number_format != "text":
        total = _cells(cell_text(totals[column.name], column.number_format)) * 1.15 if column.name in totals else 0.0
        return max(longest, total, head, 5.0) + 2.0
    most = sorted(_cells(s) for s in shown)[int(len(shown) * 0.9)] if shown else 0.0
    return max(longest if longest <= 10 else min(10 + max(most - 10, 0.0) ** 0.8, 44.0), head, 5.0) + 2.0


def _cells(text: str) -> float:
    return sum(1.0 if ord(c) < 0x2000 else 2.0 for c in text)


def _row(cells: list[str], widths: list[int], sides: list[str], *, head: bool = False, last: bool = False, stay: bool = False) -> str:
    look = '<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>' if head else "<w:trPr><w:cantSplit/></w:trPr>"
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="EFEFEF"/>' if head else ""
    weight = "<w:b/>" if head or last else ""
    hold = "<w:keepNext/>" if head or last or stay else ""
    made = []
    for text, width, side in zip(cells, widths, sides, strict=True):
        run = f'<w:r><w:rPr>{weight}<w:sz w:val="18"/><w:szCs w:val="18"/></w:rPr>{_lines(text)}</w:r>'
        lines = '<w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/><w:ind w:firstLine="0" w:firstLineChars="0"/>'
        place = f'<w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
        made.append(f'<w:tc>{place}<w:p><w:pPr>{hold}{lines}<w:jc w:val="{side}"/></w:pPr>{run}</w:p></w:tc>')
    return f"<w:tr>{look}{''.join(made)}</w:tr>"


def _lines(text: str) -> str:
    return "<w:br/>".join(f'<w:t xml:space="preserve">{escape(chinese_text(line))}</w:t>' for line in text.split("\n"))
