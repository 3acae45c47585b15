"""The benefit chapter shows the services that were recomputed, and says what it lacks."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from qianmo.reports.plan_book import compose
from qianmo.schema.book import Book, Bullets, Paragraph, TableBlock
from qianmo.schema.errors import SchemaError

FACTS = {"project_name": "示例", "office": "示例局", "date": "2026年1月2日", "vintage": "2023年", "crs_text": "CGCS2000"}


def row(name: str, zh: str, linear: float, exact: float, note: str) -> dict[str, object]:
    error = linear - exact
    return {
        "quantity": name, "zh": zh, "unit": "吨", "before": 10.0, "after": 10.0 + exact, "linear": linear, "exact": exact, "error": error,
        "error_rel": error / abs(exact), "low": exact - 1, "high": exact + 1, "known_share": 1.0, "confidence": "low", "note": note,
    }  # fmt: skip


@pytest.fixture
def table() -> pd.DataFrame:
    nan = math.nan
    return pd.DataFrame([row("carbon_t", "碳储量变化", 5.0, 4.0, "重新查表"), row("grade_area_ha", "耕地质量等面积变化", nan, nan, "3 个图斑缺数据，未计入")])


def chapter_words(book: Book) -> str:
    chapter = next(c for c in book.chapters if c.title == "效益分析")
    words = [b.text if isinstance(b, Paragraph) else "\n".join(b.items) for b in chapter.blocks if isinstance(b, Paragraph | Bullets)]
    return "\n".join(words)


def test_the_table_stands_in_the_chapter_with_its_error_and_notes(results, table) -> None:
    book = compose({**results, "service_check": table}, **FACTS)
    shown = book.table("service_check").frame
    assert shown["error"].tolist()[0] == 1.0 and shown["confidence"].tolist() == ["低", "低"]
    chapter = next(c for c in book.chapters if c.title == "效益分析")
    assert [b.key for b in chapter.blocks if isinstance(b, TableBlock)] == ["service_check"]
    assert "3 个图斑缺数据" in chapter_words(book) and "碳汇量" not in chapter_words(book)


def test_without_a_check_the_book_says_that_carbon_was_not_computed(results) -> None:
    assert "碳汇量" in chapter_words(compose(results, **FACTS))


def test_an_error_that_is_not_linear_less_exact_is_refused(results, table) -> None:
    with pytest.raises(SchemaError, match="线性化误差"):
        compose({**results, "service_check": table.assign(error=9.0)}, **FACTS)
