"""The plan book as an editable Word file (Word 文本)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph as DocxParagraph
from docxtpl import DocxTemplate
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from qianmo.reports.document_pages import RED, Pages, set_header_footer
from qianmo.reports.document_parts import add_bookmark, add_contents, bookmark_name, table_element, wanted_width
from qianmo.reports.document_template import BODY, default_template
from qianmo.reports.marks import mark_text
from qianmo.reports.typography import chinese_text
from qianmo.schema.book import Block, Book, Bullets, Chapter, Heading, MapBlock, TableBlock
from qianmo.schema.errors import SchemaError

__all__ = ["TEMPLATE_FIELDS", "word"]

TEMPLATE_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "项目名称", "subtitle": "文本名称（实施方案）", "office": "编制单位", "date": "编制日期", "vintage": "数据时点",
        "crs_text": "坐标系统", "synthetic": "合成数据标记，没有时为空", "body": "正文，独占一段",
    }
)  # fmt: skip
"""Placeholders of a template, written ``{{ title }}``; ``{{ body }}`` stands alone in a paragraph."""

_TOKEN = "QIANMO-BODY-HERE"
_EPOCH = datetime(2000, 1, 1)
_MOST_MARKS = 4
_STYLES = ("Normal", "Heading 1", "Heading 2", "Heading 3")
_DATES = (1980, 1, 1, 0, 0, 0)


def word(book: Book, *, template: bytes | None = None) -> bytes:
    """Set the book in Word (生成 Word 文本).

    The chapters are real headings, tables are real tables, maps lie in the line; a field holds the table of contents
    and is filled when Word updates fields on opening.

    Parameters
    ----------
    book : Book
    template : bytes, optional
        A .docx of the office. Its page set-up and styles are used (``Heading 1`` to ``3``, ``Normal``, ``List Bullet``,
        ``Caption``), its placeholders filled (see `TEMPLATE_FIELDS`); the text goes where a paragraph
        holds ``{{ body }}`` alone. Its headers and footers stay, and the synthetic mark is added to each header.
        Without one a template is made here.

    Returns
    -------
    bytes
        A .docx file.

    Raises
    ------
    SchemaError
        The template is no Word file, a placeholder is unknown or wrong, or ``{{ body }}`` is not there once.
    """
    document = _filled(template or default_template(book.cover_rows), book)
    anchor = _body_place(document)
    _check_styles(document)
    set_header_footer(document, book, replace=template is None)
    if template is None:
        add_contents(anchor, book)
    build = _Builder(document, anchor, book)
    for chapter in book.chapters:
        build.chapter(chapter)
    build.pages.finish()
    anchor._element.getparent().remove(anchor._element)
    document.core_properties.title, document.core_properties.author = f"{book.title}{book.subtitle}", book.office
    document.core_properties.created = document.core_properties.modified = _EPOCH
    made = io.BytesIO()
    document.save(made)
    return _steady(made.getvalue())


def _steady(saved: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _DATES)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return made.getvalue()


def _filled(template: bytes, book: Book) -> DocxDocument:
    fields = {name: chinese_text(str(getattr(book, name))) for name in TEMPLATE_FIELDS if name not in ("synthetic", "body")}
    fields |= {"synthetic": _synthetic_line(book), "body": _TOKEN}
    try:
        filled = DocxTemplate(io.BytesIO(template))
        unknown = filled.get_undeclared_template_variables(SandboxedEnvironment(autoescape=True)) - set(TEMPLATE_FIELDS)
        if unknown:
            raise SchemaError(f"template placeholders {sorted(unknown)}", expected=", ".join(TEMPLATE_FIELDS), cure="改正模板中的占位符")
        filled.render(fields, SandboxedEnvironment(autoescape=True), autoescape=True)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, TemplateError) as fault:
        raise SchemaError(f"the Word template cannot be used: {fault}", expected="a .docx with {{ body }}", cure="用 Word 另存为 docx 后重试") from fault
    saved = io.BytesIO()
    filled.save(saved)
    return Document(saved)


def _body_place(document: DocxDocument) -> DocxParagraph:
    places = [p for p in document.paragraphs if p.text.strip() == _TOKEN]
    if len(places) != 1:
        raise SchemaError(f"the template holds {len(places)} paragraphs with {BODY} alone", expected="one", cure="在模板正文处另起一段写 {{ body }}")
    return places[0]


def _check_styles(document: DocxDocument) -> None:
    missing = [s for s in _STYLES if s not in document.styles]
    if missing:
        raise SchemaError(f"the template lacks styles {missing}", expected=", ".join(_STYLES), cure="在模板中启用标题 1 至标题 3 样式")
    for name in ("List Bullet", "Caption"):
        if name not in document.styles:
            document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)


def _synthetic_line(book: Book) -> str:
    return chinese_text(mark_text(book.synthetic))


class _Builder:
    """Writes chapters before the anchor paragraph, one block after the other."""

    def __init__(self, document: DocxDocument, anchor: DocxParagraph, book: Book) -> None:
        self.document, self.anchor, self.book = document, anchor, book
        self.pages = Pages(document, anchor)
        self.marks = 0

    def chapter(self, chapter: Chapter) -> None:
        """A chapter on a new page."""
        first = chapter.blocks[0] if chapter.blocks else None
        turned = self.pages.turn(landscape=isinstance(first, MapBlock) or (isinstance(first, TableBlock) and self.wide(first.key)))
        head = self.paragraph(f"{chapter.number}  {chapter.title}", "Heading 1")
        head.paragraph_format.page_break_before = not turned
        self.bookmark(head)
        for block in chapter.blocks:
            self.block(block)

    def block(self, block: Block) -> None:
        """One block by its kind."""
        if isinstance(block, TableBlock):
            self.table(block.key)
        elif isinstance(block, MapBlock):
            self.map(block.key)
        elif isinstance(block, Bullets):
            for item in block.items:
                self.paragraph(item, "List Bullet")
        elif isinstance(block, Heading):
            self.pages.turn(landscape=False)
            self.bookmark(self.paragraph(block.text, f"Heading {block.level}"))
        else:
            self.pages.turn(landscape=False)
            self.paragraph(block.text, "Normal").paragraph_format.first_line_indent = Pt(28)

    def paragraph(self, text: str, style: str) -> DocxParagraph:
        """A paragraph before the anchor."""
        return self.anchor.insert_paragraph_before(chinese_text(text), style=style)

    def bookmark(self, head: DocxParagraph) -> None:
        """Mark a heading for the table of contents."""
        add_bookmark(head, bookmark_name(self.marks), self.marks)
        self.marks += 1

    def wide(self, key: str) -> bool:
        """True when a table does not fit on an upright page."""
        table = self.book.table(key)
        return not table.frame.empty and wanted_width(table) > self.pages.upright_mm

    def table(self, key: str) -> None:
        """Caption, table and notes; a wide one on a landscape page."""
        table = self.book.table(key)
        self.pages.turn(landscape=self.wide(key))
        self.paragraph(f"表{self.book.table_number(key)}  {table.title}", "Caption").paragraph_format.keep_with_next = True
        if table.synthetic:
            mark = self.paragraph(mark_text(table.synthetic, most=_MOST_MARKS), "Caption")
            mark.runs[0].font.color.rgb = RED
            mark.paragraph_format.keep_with_next = True
        if table.frame.empty:
            self.paragraph(f"{table.empty}。", "Normal").alignment = WD_ALIGN_PARAGRAPH.CENTER
        else:
            self.anchor._element.addprevious(table_element(table, width_mm=self.pages.room()[0]))
        note = "。".join(x.rstrip("。") for x in (f"注：{table.note}" if table.note else "", f"数据来源：{table.source_words}") if x)
        self.paragraph(f"{note}。", "Caption").alignment = WD_ALIGN_PARAGRAPH.LEFT

    def map(self, key: str) -> None:
        """A map sheet as large as the page allows, its number and title below."""
        sheet, (wide, high) = self.book.map(key), self.pages.room()
        place = self.anchor.insert_paragraph_before()
        place.alignment = WD_ALIGN_PARAGRAPH.CENTER
        place.paragraph_format.keep_with_next = True
        place.paragraph_format.line_spacing = 1.0
        paper_wide, paper_high = sheet.size_mm
        place.add_run().add_picture(io.BytesIO(sheet.png), width=Mm(min(wide, (high - 24.0) * paper_wide / paper_high)))
        self.paragraph(f"图{self.book.map_number(key)}  {sheet.title}", "Caption")
