"""Sections, headers and footers of a Word file (版面、页眉页脚)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from docx.document import Document as DocxDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import _Footer, _Header
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph as DocxParagraph

from qianmo.reports.marks import MARK, mark_text
from qianmo.reports.typography import chinese_text
from qianmo.schema.book import Book

__all__ = ["RED", "Pages", "add_field", "set_header_footer"]

RED = RGBColor(0xC8, 0x10, 0x2E)
_TWIPS_PER_MM = 1440 / 25.4
_MOST_MARKS = 5


class Pages:
    """The orientation of the pages before an anchor paragraph (纵横版面)."""

    def __init__(self, document: DocxDocument, anchor: DocxParagraph) -> None:
        self.anchor = anchor
        self.last = document.sections[-1]._sectPr
        self.upright, self.across = deepcopy(self.last), _turned(self.last)
        self.landscape = False

    def turn(self, *, landscape: bool) -> bool:
        """End the section when the orientation changes; True when it did."""
        if landscape == self.landscape:
            return False
        section = deepcopy(self.across if self.landscape else self.upright)
        before = self.anchor._element.getprevious()
        if before is None or before.tag != qn("w:p") or before.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None:
            before = self.anchor.insert_paragraph_before()._element
        before.get_or_add_pPr().append(section)
        self.landscape = landscape
        return True

    def room(self) -> tuple[float, float]:
        """Width and height of the text [mm]."""
        return self._room(self.across if self.landscape else self.upright)

    @property
    def upright_mm(self) -> float:
        """Width of the text on an upright page [mm]."""
        return self._room(self.upright)[0]

    @staticmethod
    def _room(section: Any) -> tuple[float, float]:
        size, margin = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))
        wide = _twips(size, "w") - _twips(margin, "left") - _twips(margin, "right")
        high = _twips(size, "h") - _twips(margin, "top") - _twips(margin, "bottom")
        return wide / _TWIPS_PER_MM, high / _TWIPS_PER_MM

    def finish(self) -> None:
        """The last section takes the orientation of the last page."""
        if self.landscape:
            for name in ("w:pgSz", "w:pgMar"):
                self.last.replace(self.last.find(qn(name)), deepcopy(self.across.find(qn(name))))


def set_header_footer(document: DocxDocument, book: Book, *, replace: bool) -> None:
    """Title, page n of N, and the red mark on every page; a template of the office keeps its own and gets the mark."""
    for section in document.sections:
        headers: list[_Header] = [section.header]
        footers: list[_Footer] = [section.footer]
        if section.different_first_page_header_footer:
            headers, footers = [*headers, section.first_page_header], [*footers, section.first_page_footer]
        if document.settings.odd_and_even_pages_header_footer:
            headers, footers = [*headers, section.even_page_header], [*footers, section.even_page_footer]
        for header in headers:
            _fill_header(header, book, replace=replace)
        for footer in footers if replace else []:
            _fill_footer(footer)


def add_field(paragraph: DocxParagraph, instruction: str, shown: str) -> None:
    """A Word field with the result `shown` until it is updated."""
    for kind in ("begin", "instr", "separate", "text", "end"):
        run = paragraph.add_run()
        if kind == "text":
            run.text = shown
        elif kind == "instr":
            text = OxmlElement("w:instrText")
            text.set(qn("xml:space"), "preserve")
            text.text = f" {instruction} "
            run._r.append(text)
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)


def _fill_header(header: _Header, book: Book, *, replace: bool) -> None:
    mark = chinese_text(mark_text(book.synthetic, most=_MOST_MARKS))
    if replace:
        header.is_linked_to_previous = False
        title = header.paragraphs[0]
        title.text = chinese_text(f"{book.title}{book.subtitle}")
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        title.runs[0].font.size = Pt(9)
    if mark and not any(MARK in p.text for p in header.paragraphs):
        if header.is_linked_to_previous:
            header.is_linked_to_previous = False
        line = header.add_paragraph(mark)
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.runs[0].font.size, line.runs[0].font.color.rgb = Pt(9), RED


def _fill_footer(footer: _Footer) -> None:
    footer.is_linked_to_previous = False
    line = footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.add_run("第 ")
    add_field(line, "PAGE", "1")
    line.add_run(" 页 共 ")
    add_field(line, "NUMPAGES", "1")
    line.add_run(" 页")
    for run in line.runs:
        run.font.size = Pt(9)


def _turned(section: Any) -> Any:
    across = deepcopy(section)
    size, margin = across.find(qn("w:pgSz")), across.find(qn("w:pgMar"))
    wide, high = size.get(qn("w:w")), size.get(qn("w:h"))
    size.set(qn("w:w"), high)
    size.set(qn("w:h"), wide)
    size.set(qn("w:orient"), "landscape")
    sides = {side: margin.get(qn(f"w:{side}")) for side in ("top", "right", "bottom", "left")}
    for new, old in (("top", "left"), ("right", "top"), ("bottom", "right"), ("left", "bottom")):
        margin.set(qn(f"w:{new}"), sides[old])
    return across


def _twips(element: Any, name: str) -> int:
    return int(element.get(qn(f"w:{name}")))
