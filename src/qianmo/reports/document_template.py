"""The Word template that is used when the office gives none (默认模板)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from lxml import etree

from qianmo.reports.fonts import SANS, SERIF
from qianmo.schema.book import PLAN_COVER

__all__ = ["BODY", "default_template"]

BODY = "{{ body }}"
_BLACK = RGBColor(0, 0, 0)
_TEXT, _HEAD, _SECOND = "仿宋", "黑体", "楷体"
_ALTERNATIVES = {"仿宋": f"仿宋_GB2312;FangSong;{SERIF}", "黑体": f"SimHei;{SANS}", "楷体": f"楷体_GB2312;KaiTi;{SERIF}"}


def default_template(rows: Sequence[tuple[str, str]] = PLAN_COVER) -> bytes:
    """An A4 template with cover, styles and the place of the text (默认 Word 模板); `rows` of the cover as (label, placeholder).

    Margins and type follow the habit of official papers: 37 mm above, 35 below, 28 left, 26 right; text in 仿宋 14 pt
    on lines of 26 pt, chapters in 黑体, sections in 楷体. The font table names open fonts in their place.
    """
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    section.header_distance, section.footer_distance = Mm(20), Mm(20)
    _styles(document)
    _cover(document, rows)
    document.add_paragraph(BODY)
    _settings(document)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _styles(document: DocxDocument) -> None:
    normal = _style(document, "Normal")
    _look(normal, _TEXT, 14)
    normal.paragraph_format.line_spacing_rule, normal.paragraph_format.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(26)
    normal.paragraph_format.space_after = Pt(0)
    for name, font, size, before in (("Heading 1", _HEAD, 18, 0), ("Heading 2", _SECOND, 15, 8), ("Heading 3", _TEXT, 14, 4)):
        style = _style(document, name)
        _look(style, font, size)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(14 if name == "Heading 1" else 4)
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER if name == "Heading 1" else WD_ALIGN_PARAGRAPH.LEFT
        style.paragraph_format.keep_with_next = True
        style.paragraph_format.line_spacing_rule, style.paragraph_format.line_spacing = WD_LINE_SPACING.SINGLE, None
    caption = _style(document, "Caption")
    _look(caption, _HEAD, 10)
    caption.font.bold = False
    caption.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(6), Pt(4)
    _look(_style(document, "List Bullet"), _TEXT, 14)
    _contents_styles(document)


def _contents_styles(document: DocxDocument) -> None:
    for name, indent, size in (("toc 1", 0, 12), ("toc 2", 8, 11)):
        style = _style(document, name)
        _look(style, _TEXT, size)
        style.paragraph_format.left_indent = Mm(indent)
        style.paragraph_format.line_spacing_rule, style.paragraph_format.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(20)
        style.paragraph_format.tab_stops.add_tab_stop(Mm(156), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    head = _style(document, "TOC Heading")
    _look(head, _HEAD, 18)
    head.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    head.paragraph_format.space_after = Pt(12)


def _style(document: DocxDocument, name: str) -> ParagraphStyle:
    if name in document.styles:
        found = document.styles[name]
    else:
        found = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    assert isinstance(found, ParagraphStyle)
    return found


def _look(style: ParagraphStyle, font: str, size: float) -> None:
    style.font.size, style.font.color.rgb, style.font.italic, style.font.bold = Pt(size), _BLACK, False, False
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name, value in (("ascii", "Times New Roman"), ("hAnsi", "Times New Roman"), ("eastAsia", font), ("cs", "Times New Roman")):
        fonts.set(qn(f"w:{name}"), value)


def _cover(document: DocxDocument, rows: Sequence[tuple[str, str]]) -> None:
    lines = [("", _TEXT, 14), ("", _TEXT, 14), ("", _TEXT, 14), ("{{ title }}", _HEAD, 22), ("{{ subtitle }}", _HEAD, 22), *[("", _TEXT, 14)] * 3,
             ("{{ synthetic }}", _HEAD, 14), *[("", _TEXT, 14)] * 5,
             *((f"{label}：{{{{ {name} }}}}", _TEXT, 16 if name in ("office", "date") else 14) for label, name in rows)]  # fmt: skip
    for text, font, size in lines:
        line = document.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.AT_LEAST
        run = line.add_run(text)
        run.font.size = Pt(size)
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
        if "synthetic" in text:
            run.font.color.rgb = RGBColor(0xC8, 0x10, 0x2E)


def _settings(document: DocxDocument) -> None:
    update = OxmlElement("w:updateFields")
    update.set(qn("w:val"), "true")
    document.settings.element.append(update)
    table = next((r.target_part for r in document.part.rels.values() if r.reltype.endswith("/fontTable")), None)
    if table is None:
        return
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>' for name, other in _ALTERNATIVES.items()
    )
    root = parse_xml(table.blob)
    for font in parse_xml(f"<w:fonts {nsdecls('w')}>{fonts}</w:fonts>"):
        root.append(font)
    table._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
