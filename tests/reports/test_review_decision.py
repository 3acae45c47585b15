"""The decision document says what was decided, by whom, on which version."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pandas as pd
import pypdfium2
import pytest
from docx import Document

from qianmo.governance.review_content import record_hash
from qianmo.governance.review_decision import decision_content
from qianmo.governance.review_package import PackageItem, review_package
from qianmo.governance.review_process import apply
from qianmo.governance.review_records import ReviewEvent
from qianmo.governance.review_rights import review_settings
from qianmo.reports.document import word
from qianmo.reports.pdf import pdf
from qianmo.reports.review_decision import decision_book
from qianmo.schema.errors import SchemaError

PACKAGE = review_package("游乌镇", [PackageItem("layer", "landuse_patch", "地类图斑", record_hash(1), "2023年", 600), PackageItem("rules", "rules", "整治规则", record_hash(2))])
PEOPLE = [("shen", "沈申", "镇", "applicant"), ("mi", "米书", "联席办", "secretary"), ("zi", "自强", "自然资源", "officer"), ("ran", "冉然", "自然资源", "officer"),
          ("nong", "农生", "农业农村", "officer"), ("sheng", "盛态", "生态环境", "officer"), ("xian", "谢县", "县政府", "issuer")]  # fmt: skip
POINTS = pd.DataFrame(
    [("LR04", "自然资源", True, "是否占用永久基本农田", "reject", "Y-01;Y-04", 3), ("AG01", "农业农村", True, "耕地质量前后评定", "manual", "Z-04", 0), ("EE02", "生态环境", True, "环评类别与文件", "manual", "", 0)],
    columns=["item_id", "department", "mandatory", "item_zh", "suggested", "rules", "parcels"],
)


def reviewed(*, decided: bool):
    points = {r.item_id: {"department": r.department, "mandatory": True, "suggested": r.suggested} for r in POINTS.itertuples()}
    told = [
        ("submit", "shen", {"project": "游乌镇整治", "package": PACKAGE.sha256, "settings": review_settings(), "suggestions": points,
                            "roster": [dict(zip(("id", "name", "department", "role"), p)) for p in PEOPLE]}),
        ("accept", "mi", {}),
        ("distribute", "mi", {"groups": [{"id": "d", "mode": "all", "seats": [{"department": p[2], "person": p[0]} for p in (PEOPLE[2], PEOPLE[4], PEOPLE[5])]}]}),
        ("delegate", "zi", {"seat": "R1/d/1", "to": "ran", "until": "2026-04-01", "reason": "出差"}),
        ("opine", "ran", {"seat": "R1/d/1", "package": PACKAGE.sha256, "result": "pass", "answers": [{"item": "LR04", "answer": "pass", "reason": "误划图斑,已由县认定"}]}),
        ("opine", "nong", {"seat": "R1/d/2", "package": PACKAGE.sha256, "result": "condition", "reason": "缺评定", "conditions": ["补充质量评定报告"],
                            "answers": [{"item": "AG01", "answer": "condition", "reason": "缺评定"}]}),
        ("opine", "sheng", {"seat": "R1/d/3", "package": PACKAGE.sha256, "result": "pass", "answers": [{"item": "EE02", "answer": "na"}], "signature": "key-made"}),
        ("convene", "mi", {"agenda": [{"id": "package", "title": "联审结论"}], "members": ["zi", "nong", "sheng"]}),
        *(("attend", who, {}) for who in ("zi", "nong", "sheng")), ("recuse", "sheng", {"item": "package", "reason": "配偶任职于施工单位"}),
        *(("vote", who, {"item": "package", "choice": "yes"}) for who in ("zi", "nong")),
        ("close_meeting", "mi", {"minutes": "会议原则同意。", "follow_ups": [{"text": "公示结果报送", "owner": "镇", "due": "2026-04-10"}]}),
        *([("decide", "xian", {"outcome": "condition"})] if decided else []),
    ]  # fmt: skip
    state = None
    for n, (verb, who, data) in enumerate(told):
        state = apply(state, ReviewEvent(f"e{n}", verb, who, datetime(2026, 3, 2, 9 + n % 10, tzinfo=timezone(timedelta(hours=8))), data))
    return state


@pytest.fixture(scope="module")
def book():
    content = decision_content(reviewed(decided=True), PACKAGE, POINTS)
    return decision_book(content, title="游乌镇整治", office="县政府", date="2026年3月20日", vintage="", crs_text="2000国家大地坐标系 3度带 第38带", synthetic=("意见（合成）",), log=(14, "e" * 64))


def test_the_document_holds_opinions_overrules_vote_hash_and_signatures(book):
    read = pypdfium2.PdfDocument(pdf(book))
    text = "".join(read[n].get_textpage().get_text_bounded() for n in range(len(read))).replace("\r\n", "").replace(" ", "")
    for said in ("有条件通过联合审查", "误划图斑", "补充质量评定报告", "公示结果报送", "会议原则同意", "盛态（配偶任职于施工单位）", "冉然（受自强委托）", "谢县", "已附电子签名", "日志共14条",
                 PACKAGE.sha256, "含合成数据"):  # fmt: skip
        assert said in text, said


def test_word_and_pdf_hold_the_same_tables(book):
    document = Document(io.BytesIO(word(book)))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    assert len(document.tables) == sum(not t.frame.empty for t in book.tables) and "补充质量评定报告" in cells and "冉然（受自强委托）" in cells


def test_the_overruled_point_is_listed_with_its_reason(book):
    (row,) = book.table("review_overrules").frame.to_dict("records")
    assert (row["item_id"], row["suggested"], row["answer"], row["rules"]) == ("LR04", "不通过", "通过", "Y-01、Y-04") and "误划" in row["reason"]


def test_a_review_that_is_not_done_gives_a_draft():
    content = decision_content(reviewed(decided=False), PACKAGE, POINTS)
    book = decision_book(content, title="游乌镇整治", office="联席办", date="", vintage="", crs_text="")
    assert "征求意见稿" in book.subtitle and content.outcome == "condition" and not content.is_final


def test_the_cover_names_who_issues_it_and_leaves_out_what_is_unknown(book):
    cover = pypdfium2.PdfDocument(pdf(book))[0].get_textpage().get_text_bounded().replace(" ", "")
    lines = "\n".join(p.text for p in Document(io.BytesIO(word(book))).paragraphs[:20]).replace(" ", "")
    for text in (cover, lines):
        assert "出具单位：县政府" in text and "出具日期：2026年3月20日" in text and "坐标系统：2000国家大地坐标系3度带第38带" in text
        assert "编制" not in text and "EPSG" not in text and "数据时点" not in text and "未注明" not in text


def test_the_source_of_the_tables_is_the_log_and_the_package(book):
    text = "".join(p.text for p in Document(io.BytesIO(word(book))).paragraphs)
    assert "数据来源：审查日志与送审包" in text and "成果表（" not in text


def test_points_that_nobody_answered_are_named_by_department():
    points = pd.concat([POINTS, pd.DataFrame([("ALL1", "联席办", True, "村民同意与公示材料", "confirm", "V-01", 0)], columns=POINTS.columns)], ignore_index=True)
    state = reviewed(decided=True)
    state = replace(state, suggestions={**state.suggestions, "ALL1": {"department": "联席办", "mandatory": True, "suggested": "confirm", "zh": "村民同意与公示材料"}})
    content = decision_content(state, PACKAGE, points)
    book = decision_book(content, title="游乌镇整治", office="", date="", vintage="", crs_text="")
    assert content.open_points == (("联席办", "ALL1", "村民同意与公示材料"),)
    assert [b.text for b in book.chapters[1].blocks if hasattr(b, "text")] == ["以下必审要点没有逐条作答：联席办ALL1（村民同意与公示材料）。"]


def test_another_package_is_refused():
    other = review_package("游乌镇", [PackageItem("rules", "rules", "整治规则", record_hash(3))])
    with pytest.raises(SchemaError, match="not the one under review"):
        decision_content(reviewed(decided=True), other, POINTS)
