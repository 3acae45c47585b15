"""Messages are shown in Chinese, with their figures in the right places."""

from __future__ import annotations

import ast
import re
from pathlib import Path

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


def _words(node: ast.expr) -> str:
    """The text of a message as written, with a number in place of each figure."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values) if isinstance(node, ast.JoinedStr) else ""


def test_every_reason_why_no_plan_is_possible_has_a_chinese_wording(repo: Path):
    calls = [
        n for p in sorted((repo / "src/qianmo/planning").rglob("*.py")) for n in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "InfeasibleError"
    ]  # fmt: skip
    said = [t for c in calls for t in (_words(c.args[0]), *(_words(k.value) for k in c.keywords if k.arg == "cure")) if t]
    assert len(said) > 15
    assert not [t for t in said if not has_chinese(chinese_message(t))]


@pytest.mark.parametrize(("unit", "zh"), [("m2", " 平方米"), ("yuan", " 元"), ("1", "")])
def test_what_a_limit_lacks_is_told_with_its_unit_and_direction(unit: str, zh: str):
    first = f"Z-01 [gain] 新增耕地: needs >= 1,000.00 {unit}, attainable beside the others 900.00 {unit}, missing 100.00 {unit}"
    told = chinese_message(f"no plan obeys all limits; {first}; Z-02 [x] 乙: needs <= 5.00 {unit}, giving it up alone is not enough, others conflict too")
    assert told == (
        f"没有方案能同时满足全部约束; Z-01 [gain] 新增耕地: 应不少于 1,000.00{zh}, 其余约束不变时可达 900.00{zh}; 若仅此项让步, 须下调 100.00{zh}; "
        f"Z-02 [x] 乙: 应不超过 5.00{zh}, 仅放弃此项仍无可行方案, 另有冲突"
    )


def test_every_error_of_the_desk_and_of_what_it_asks_has_a_chinese_wording(repo: Path):
    places = [p for folder in ("src/qianmo/web", "src/qianmo/jobs/queries") for p in sorted((repo / folder).rglob("*.py"))]
    calls = [
        n for p in places for n in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id.endswith("Error") and n.func.id != "HttpError"
    ]  # fmt: skip
    said = {w for c in calls for a in (*c.args, *(k.value for k in c.keywords if k.arg in ("found", "expected", "cure"))) if (w := _words(a))}
    assert len(said) > 40
    assert not sorted(w for w in said if not has_chinese(w) and not has_chinese(chinese_message(w)))
