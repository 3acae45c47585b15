"""Messages are shown in Chinese, with their figures in the right places."""

from __future__ import annotations

import re

import pytest

from qianmo.schema.messages import chinese_message, has_chinese
from qianmo.schema.shipped import shipped_rows

ROWS = list(shipped_rows("codes", "message_words"))
GAP = re.compile(r"\{\d*\}")


@pytest.mark.parametrize("row", ROWS, ids=[r["en"][:50] for r in ROWS])
def test_every_template_gives_chinese_and_never_more_gaps_than_it_found(row: dict[str, str]):
    assert has_chinese(row["zh"])
    assert len(GAP.findall(row["zh"])) <= len(GAP.findall(row["en"]))
    filled = row["en"].replace("{}", "Q7")
    assert has_chinese(chinese_message(filled))
    assert "{" not in chinese_message(filled).replace("{name, kind, fields}", "")


def test_templates_are_unique():
    assert len({r["en"] for r in ROWS}) == len(ROWS)


def test_figures_keep_their_places_when_the_order_of_words_changes():
    assert chinese_message("a.shp: 3 of 10 features have no shape, rows 2, 5") == "a.shp: 10 个要素中有 3 个没有图形, 行 2, 5"


def test_parts_joined_by_semicolons_are_taken_one_by_one():
    said = "numbers are degrees (经纬度); coordinates cannot tell the datum (坐标本身无法区分基准)"
    assert chinese_message(said) == "数值为经纬度; 坐标本身无法区分基准"


def test_a_line_in_both_languages_puts_the_chinese_first():
    assert chinese_message("export the layer again 请重新导出图层") == "请重新导出图层 (export the layer again)"


def test_an_unknown_message_comes_back_unchanged():
    assert chinese_message("a.gpkg: some new thing happened") == "a.gpkg: some new thing happened"
    assert chinese_message("图层: 已有中文") == "图层: 已有中文"
