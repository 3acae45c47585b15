"""The plan book as an editable Word file (Word 文本)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm
from docx.text.paragraph import Paragraph as DocxParagraph
from docxtpl import DocxTemplate
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from qianmo.reports.document_parts import add_contents, add_table, set_header_footer
from qianmo.reports.document_template import BODY, default_template
from qianmo.reports.typography import chinese_text
from qianmo.schema.book import Block, Book, Bullets, Chapter, Heading, MapBlock, Paragraph, TableBlock
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
_WIDE_COLUMNS = 8


def word(book: Book, *, template: bytes | None = None) -> bytes:
    """Set the book in Word (生成 Word 文本).

    The chapters are real headings, tables are real tables, maps lie in the line; a field holds the table of contents
    and is filled when Word updates fields on opening.

    Parameters
    ----------
    book : Book
    template : bytes, optional
        A .docx of the office. Its page set-up and styles are used (``Heading 1`` to ``3``, ``Normal``, ``List Bullet``,
        ``Caption``, ``Table Grid``), its placeholders filled (see `TEMPLATE_FIELDS`); the text goes where a paragraph
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
    document = _filled(template or default_template(), book)
    anchor = _body_place(document)
    set_header_footer(document, book, replace=template is None)
    build = _Builder(document, anchor, book)
    for chapter in book.chapters:
        build.chapter(chapter)
    anchor._element.getparent().remove(anchor._element)
    document.core_properties.title, document.core_properties.author = f"{book.title}{book.subtitle}", book.office
    document.core_properties.created = document.core_properties.modified = _EPOCH
    made = io.BytesIO()
    document.save(made)
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
    except (KeyError, ValueError, OSError, TemplateError) as fault:
        raise SchemaError(f"the Word template cannot be used: {fault}", expected="a .docx with {{ body }}", cure="用 Word 另存为 docx 后重试") from fault
    saved = io.BytesIO()
    filled.save(saved)
    return Document(saved)


def _body_place(document: DocxDocument) -> DocxParagraph:
    places = [p for p in document.paragraphs if p.text.strip() == _TOKEN]
    if len(places) != 1:
        raise SchemaError(f"the template holds {len(places)} paragraphs with {BODY} alone", expected="one", cure="在模板正文处另起一段写 {{ body }}")
    return places[0]


def _synthetic_line(book: Book) -> str:
    return chinese_text(f"含合成数据：{'、'.join(book.synthetic)}") if book.synthetic else ""


class _Builder:
    """Writes chapters before the anchor paragraph, one block after the other."""

    def __init__(self, document: DocxDocument, anchor: DocxParagraph, book: Book) -> None:
        self.document, self.anchor, self.book = document, anchor, book
        self.landscape = False

    def chapter(self, chapter: Chapter) -> None:
        """A chapter on a new page."""
        wide = any(isinstance(b, MapBlock) for b in chapter.blocks)
        if wide:
            self.turn(landscape=True)
        head = self.paragraph(f"{chapter.number}  {chapter.title}", "Heading 1")
        head.paragraph_format.page_break_before = not wide
        for block in chapter.blocks:
            self.block(block)
        if self.landscape:
            self.turn(landscape=False)

    def block(self, block: Block) -> None:
        """One block by its kind."""
        if isinstance(block, Heading):
            self.paragraph(block.text, f"Heading {block.level}")
        elif isinstance(block, Paragraph):
            self.paragraph(block.text, "Normal").paragraph_format.first_line_indent = Mm(9.9)
        elif isinstance(block, Bullets):
            for item in block.items:
                self.paragraph(item, "List Bullet")
        elif isinstance(block, TableBlock):
            self.table(block.key)
        else:
            self.map(block.key)

    def paragraph(self, text: str, style: str) -> DocxParagraph:
        """A paragraph before the anchor."""
        return self.anchor.insert_paragraph_before(chinese_text(text), style=style)

    def table(self, key: str) -> None:
        """Caption, table and notes; a wide one on a landscape page."""
        table, number = self.book.table(key), self.book.table_number(key)
        wide = len(table.columns) > _WIDE_COLUMNS and not table.frame.empty
        if wide and not self.landscape:
            self.turn(landscape=True)
        elif not wide and self.landscape:
            self.turn(landscape=False)
        caption = self.paragraph(f"表{number}  {table.title}", "Caption")
        caption.paragraph_format.keep_with_next = True
        if table.synthetic:
            add_contents.mark(self.paragraph(f"含合成数据：{'、'.join(table.synthetic)}", "Caption"))
        if table.frame.empty:
            self.paragraph(f"{table.empty}。", "Normal").alignment = WD_ALIGN_PARAGRAPH.CENTER
        else:
            add_table(self.document, self.anchor, table, width_mm=247.0 if self.landscape else 156.0)
        for note in filter(None, (table.note,)):
            self.paragraph(f"注：{note}。数据来源：{table.source}。", "Caption").alignment = WD_ALIGN_PARAGRAPH.LEFT

    def map(self, key: str) -> None:
        """A map sheet as wide as the page, its number and title below."""
        sheet, number = self.book.map(key), self.book.map_number(key)
        place = self.anchor.insert_paragraph_before()
        place.alignment = WD_ALIGN_PARAGRAPH.CENTER
        place.paragraph_format.keep_with_next = True
        place.add_run().add_picture(io.BytesIO(sheet.png), height=Mm(140.0))
        self.paragraph(f"图{number}  {sheet.title}", "Caption")

    def turn(self, *, landscape: bool) -> None:
        """Begin a section of the other orientation."""
