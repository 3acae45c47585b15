"""The plan book in words, Word and PDF: chapters, traceable numbers, marks, honest gaps."""

from __future__ import annotations

import io
import re

import docx
import pandas as pd
import pymupdf
import pytest

from qianmo.reports.document import word
from qianmo.reports.document_template import default_template
from qianmo.reports.fonts import GETA, missing_glyphs, visible_text
from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import MapLayer, symbol
from qianmo.reports.marks import mark_text, marked
from qianmo.reports.pdf import pdf
from qianmo.reports.plan_book import compose
from qianmo.reports.plan_material import REQUIRED_TABLES
from qianmo.reports.risks import risk_rows
from qianmo.reports.typography import area_text, cell_text, chinese_text
from qianmo.schema.book import Book, BookMap, BookTable, Bullets, Heading, Paragraph, TableBlock
from qianmo.schema.errors import SchemaError

FACTS = {"project_name": "示例镇全域土地综合整治", "office": "示例局", "date": "2026年1月2日", "vintage": "2023年", "crs_text": "CGCS2000"}
TITLES = [
    "总则", "区域概况与自然资源禀赋", "土地利用现状", "存在问题", "整治潜力", "目标与指标", "整治分区与空间布局", "子项目安排", "永久基本农田布局调整方案", "权属调整方案",
    "投资估算与资金筹措", "进度安排", "效益分析", "保障措施、公众参与与后期管护",
]  # fmt: skip


@pytest.fixture(scope="module")
def sheet(layers) -> BookMap:
    png = map_sheet([MapLayer(layers["village"], symbol("layer", "village"))], title="区位图", crs_text="a", date="b", vintage="c", dpi=30)
    return BookMap("location", "区位图", png)


@pytest.fixture(scope="module")
def book(results, sheet) -> Book:
    return compose(results, synthetic={"village": "行政村界"}, maps=[sheet], swaps_basic_farmland=False, **FACTS)


@pytest.fixture(scope="module")
def word_file(book):
    return docx.Document(io.BytesIO(word(book)))


@pytest.fixture(scope="module")
def pdf_file(book):
    return pymupdf.open(stream=pdf(book))


def _words(book: Book) -> str:
    parts = []
    for b in book.blocks():
        parts += [b.text] if isinstance(b, Paragraph | Heading) else list(b.items) if isinstance(b, Bullets) else []
    return "\n".join(parts)


def test_a_gap_proven_by_cases_says_how_and_shows_figures_that_add_up(results, sheet) -> None:
    found = {
        **results["certificate"], "objective": 56.39660110367, "bound": 56.405163593, "gap_abs": 0.008562489, "gap_rel": 1.51803e-4, "cases": 12, "case": 3,
        "method": "linear relaxation, rounding, then exact search on the remaining options, proof by 12 cases",
    }  # fmt: skip
    text = _words(compose({**results, "certificate": found}, synthetic={}, maps=[sheet], swaps_basic_farmland=False, **FACTS))
    assert "得分为56.3966" in text and "不会高于56.4052" in text and "相差0.0086，占最大可能改进量的0.0152%" in text
    assert "该上界分12种情形证明" in text and "取整，再对剩余选项精确搜索，分12种情形证明；" in text and "影子价格取自上界最大的情形" in text
    plain = _words(compose(results, synthetic={}, maps=[sheet], swaps_basic_farmland=False, **FACTS))
    assert "情形证明" not in plain and "不会高于1235.10" in plain and "0.0486%" in plain


def test_the_book_has_the_fourteen_chapters_and_the_ten_tables(book):
    assert [c.title for c in book.chapters[:14]] == TITLES
    assert set(REQUIRED_TABLES) <= {t.key for t in book.tables}


def test_tables_are_numbered_in_the_order_in_which_they_are_placed(book):
    placed = [book.table_number(b.key) for b in book.blocks() if isinstance(b, TableBlock)]
    assert placed == list(range(1, len(placed) + 1))


def test_every_reference_names_a_table_or_map_that_exists(book):
    words = _words(book)
    assert "[[" not in words
    for kind, number in re.findall(r"([表图])(\d+)", words):
        assert 1 <= int(number) <= len(book.tables if kind == "表" else book.maps)


def test_numbers_of_the_text_are_those_of_the_results(book, results):
    words = _words(book)
    assert area_text(results["land_structure"].class_area_m2.sum()) in words
    assert f"投资估算{results['cost_by_measure'].total_yuan.sum() / 1e4:.2f}万元" in words
    farm = results["land_structure"]
    farm = farm[farm.class_code.isin(["0101", "0103"])].class_area_m2.sum()
    assert f"耕地{area_text(farm)}" in words


def test_failed_rules_and_unconfirmed_rules_are_named(book):
    words = _words(book)
    assert "Z-12：不突破生态保护红线" in words
    assert "通过1条、不通过1条、规则文本待核实1条、缺数据1条" in words


def test_the_certificate_is_explained_in_plain_words(book):
    words = _words(book)
    assert "任何方案的得分都不会高于1235.10" in words
    assert "新增耕地不少于5%（Z-01）：影子价格0.01234" in words


def test_a_book_without_any_result_says_what_is_missing():
    empty = compose({}, **FACTS)
    words = _words(empty)
    for part in ("尚未编制年度计划", "本次数据不含坡度级别", "未附合规性审查结果", "未附规划方案的最优性证书", "本次成果未提供永久基本农田调出调入数据"):
        assert part in words
    assert set(REQUIRED_TABLES) <= {t.key for t in empty.tables}
    assert pymupdf.open(stream=pdf(empty)).page_count > 14
    assert word(empty)


def test_basic_farmland_that_is_known_to_stay_is_said_to_stay(book):
    assert "本方案不调整永久基本农田布局" in _words(book)


def test_risks_come_from_verdicts_faults_and_synthetic_inputs(results):
    rows = risk_rows(results["verdicts"], results["faults_summary"], results["lineage"], {"waived": ["Z-11"]})
    words = "\n".join(rows.what)
    for part in ("不突破生态保护红线", "实施类规则1条因缺少数据尚不能判定", "细碎图斑", "合成数据", "Z-11"):
        assert part in words
    assert rows.level.tolist() == sorted(rows.level, key="高中低".index)
    assert rows.number.tolist() == [str(n) for n in range(1, len(rows) + 1)]


def test_no_verdicts_and_no_faults_make_no_risk():
    assert risk_rows(None, None, None, {}).empty


def test_the_word_file_holds_all_chapters_as_headings(word_file):
    heads = [p.text for p in word_file.paragraphs if p.style.name == "Heading 1"]
    assert [h.split("  ")[1] for h in heads[:14]] == TITLES
    assert any(p.style.name == "Heading 2" and p.text == "一、编制目的" for p in word_file.paragraphs)


def test_every_page_of_the_word_file_has_the_mark_and_the_page_number(word_file):
    for section in word_file.sections:
        assert "含合成数据：行政村界" in "\n".join(p.text for p in section.header.paragraphs)
        assert "NUMPAGES" in section.footer._element.xml


def test_tables_of_the_word_file_are_tables_with_a_repeated_head(word_file, book):
    placed = [b.key for b in book.blocks() if isinstance(b, TableBlock) and len(book.table(b.key).frame)]
    assert len(word_file.tables) == len(placed)
    assert all("w:tblHeader" in t._tbl.xml for t in word_file.tables)
    structure = word_file.tables[placed.index("land_structure")]
    assert structure.rows[-1].cells[0].text == "合计"


def test_the_word_file_is_a4_with_a_contents_field_and_the_map(word_file):
    first = word_file.sections[0]
    assert (round(first.page_width.mm), round(first.page_height.mm)) == (210, 297)
    assert 'TOC \\o "1-2"' in word_file.element.xml
    assert len(word_file.inline_shapes) == 1


def test_fonts_of_the_word_file_are_set_for_chinese(word_file):
    fonts = word_file.styles["Normal"].element.rPr.rFonts
    assert fonts.get(docx.oxml.ns.qn("w:eastAsia")) == "仿宋"


def test_the_word_file_is_the_same_each_time(book):
    assert word(book) == word(book)


def _template(*lines: str) -> bytes:
    made = docx.Document()
    for line in lines:
        made.add_paragraph(line)
    made.sections[0].header.paragraphs[0].text = "某某县自然资源局"
    saved = io.BytesIO()
    made.save(saved)
    return saved.getvalue()


def test_a_template_of_the_office_is_filled_and_keeps_its_header(book):
    made = docx.Document(io.BytesIO(word(book, template=_template("封面：{{ title }}", "{{ body }}", "结束"))))
    texts = [p.text for p in made.paragraphs]
    assert texts[0] == "封面：示例镇全域土地综合整治"
    assert texts[-1] == "结束"
    assert "第一章  总则" in texts
    header = "\n".join(p.text for p in made.sections[0].header.paragraphs)
    assert "某某县自然资源局" in header and "含合成数据" in header


def test_text_of_the_user_is_not_run_as_a_template(results):
    facts = {**FACTS, "project_name": "{{ 7*7 }} {% raw %} <b> & 项目"}
    made = docx.Document(io.BytesIO(word(compose(results, **facts))))
    assert any("{{ 7*7 }} {% raw %} <b> & 项目" in p.text for p in made.paragraphs)


@pytest.mark.parametrize("lines", [("没有正文",), ("{{ body }}", "{{ body }}"), ("{{ body }}", "{{ secret }}"), ("{{ body }}", "{{ title.__class__.__mro__ }}")])
def test_a_template_with_wrong_placeholders_is_refused(book, lines):
    with pytest.raises(SchemaError):
        word(book, template=_template(*lines))


def test_a_template_that_is_no_word_file_is_refused(book):
    with pytest.raises(SchemaError, match="template"):
        word(book, template=b"not a zip")


def test_the_default_template_can_be_saved_and_given_back(book):
    assert docx.Document(io.BytesIO(word(book, template=default_template()))).paragraphs


def test_every_page_of_the_pdf_has_the_mark_and_all_but_the_cover_a_number(pdf_file):
    for number, page in enumerate(pdf_file, start=1):
        text = page.get_text()
        assert "含合成数据" in text
        assert number == 1 or f"第 {number} 页 / 共 {pdf_file.page_count} 页" in re.sub(r"\s+", " ", text)


def test_the_pdf_holds_the_numbers_and_no_missing_glyph(pdf_file, results):
    text = "".join(page.get_text() for page in pdf_file)
    assert f"{results['land_structure'].class_area_m2.sum() / 1e4:.2f}" in text
    assert "\ufffd" not in text and GETA not in text
    glyphs = {gid for page in pdf_file for span in page.get_texttrace() for (_, gid, *_) in span["chars"]}
    assert len(glyphs) > 300 and 0 not in glyphs


def test_only_the_shipped_fonts_are_in_the_pdf(pdf_file):
    names = {f[3].split("+")[-1] for page in pdf_file for f in page.get_fonts()}
    assert names and all(n.startswith(("NotoSansSC", "NotoSerifSC")) for n in names)


def test_a_map_page_of_the_pdf_has_the_size_of_its_sheet(pdf_file):
    last = pdf_file[-1].rect
    assert (last.width, last.height) == (pytest.approx(420 / 25.4 * 72, abs=0.5), pytest.approx(297 / 25.4 * 72, abs=0.5))


def test_the_pdf_has_an_outline_and_links_to_tables(pdf_file):
    assert [title.split()[1] for level, title, _ in pdf_file.get_toc() if level == 1][:14] == TITLES
    assert any(page.get_links() for page in pdf_file)


def test_markup_and_rare_characters_in_user_text_reach_the_pdf_as_text(results):
    nasty = '#panic("x") *粗* $1$ \\ <label> 𠮷村 [a] "引" 表99'
    text = pymupdf.open(stream=pdf(compose(results, **{**FACTS, "project_name": nasty})))[0].get_text()
    assert '#panic("x") *粗* $1$' in text
    assert GETA in text and "𠮷" not in text


def test_the_pdf_is_the_same_each_time(book):
    assert pdf(book) == pdf(book)


def test_a_map_that_is_no_png_is_refused(results):
    with pytest.raises(SchemaError, match="PNG"):
        pdf(compose(results, maps=[BookMap("location", "区位图", b"GIF89a")], **FACTS))


def test_a_long_table_repeats_its_head_on_each_page(results):
    many = pd.concat([results["subproject"].assign(subproject_id=[f"S{k}-{n}" for n in range(len(results["subproject"]))]) for k in range(6)])
    made = pymupdf.open(stream=pdf(compose({"subproject": many}, **FACTS)))
    pages = [p for p in made if "开工年度" in re.sub(r"\s", "", p.get_text())]
    assert len(pages) >= 3


def test_control_characters_are_dropped_and_missing_glyphs_shown():
    assert chinese_text("a\x00b\u200bc") == "abc"
    assert visible_text("𠮷村") == f"{GETA}村"
    assert missing_glyphs("面积㎡公顷亩≥≤·°′″〔〕") == set()


@pytest.mark.parametrize(
    ("value", "shape", "shown"),
    [(1.005, "0.00", "1.01"), (186.25, "0.0", "186.3"), (2.5, "integer", "3"), (0.14505, "0.00%", "14.51%"),
     (-0.001, "0.00", "0.00"), (None, "0.00", "—"), (float("nan"), "integer", "—"), (0.1234, "0.00%", "12.34%"), (2026, "year", "2026"), (None, "text", "")],
)  # fmt: skip
def test_cells_are_shown_as_their_format_says(value, shape, shown):
    assert cell_text(value, shape) == shown


def test_punctuation_beside_chinese_becomes_full_width_and_codes_stay():
    assert chinese_text("超出 5.00 m2,须整改(Z-12):EPSG:4548") == "超出 5.00 m²,须整改（Z-12）：EPSG:4548".replace(",", "，")


def test_marks_follow_the_inputs_a_result_uses():
    labels = {"village": "行政村界", "eco_redline": "红线"}
    assert marked(labels, ["landuse_patch", "eco_redline"]) == ("红线",)
    assert marked(labels, ["*"]) == ("行政村界", "红线")
    assert marked(["红线"], ["landuse_patch"]) == ("红线",)


def test_a_table_whose_frame_has_other_columns_is_refused(results):
    table = compose(results, **FACTS).tables[0]
    with pytest.raises(SchemaError, match="frame has columns"):
        BookTable("t", "t", table.frame, table.columns[:1])


def test_a_long_mark_names_some_inputs_and_counts_all():
    assert mark_text([]) == ""
    assert mark_text(["村界（合成）", "地价 (合成)", "三线"], most=2) == "含合成数据：村界、地价等3项"
    assert mark_text(["村界（合成）"], most=2) == "含合成数据：村界"


def test_wide_tables_one_after_the_other_leave_no_empty_page(results):
    long = results["verdicts"].assign(text_zh="很长的规则内容" * 12, margin="富余或差额的说明" * 6, numbers="计算依据" * 20)
    made = pymupdf.open(stream=pdf(compose({**results, "verdicts": long}, **FACTS)))
    bare = [re.sub(r"\s|示例镇全域土地综合整治实施方案|第\d+页/共\d+页", "", re.sub(r"\s", "", p.get_text())) for p in made]
    assert [n for n, text in enumerate(bare, start=1) if len(text) < 5] == []


def test_overlaps_without_a_rule_are_not_called_conflicts(results):
    rows = results["conflicts"].assign(rule_id="")
    assert "未发现违反规则的重叠" in _words(compose({**results, "conflicts": rows}, **FACTS))


def test_the_basic_farmland_table_says_that_nothing_is_moved(book):
    assert book.table("basic_farmland_form").empty == "本方案不调整永久基本农田布局，本表不填报"
