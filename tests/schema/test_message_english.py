"""Chinese phrases of the library are told in English on English pages, each of them, and names stay as they are."""

from __future__ import annotations

import pytest

from qianmo.governance.portfolio.conflict import clauses
from qianmo.governance.portfolio.problem import Candidate, Floor, Need, Precedence, Problem, Supply
from qianmo.schema.messages import english_message, has_chinese, in_language
from qianmo.schema.shipped import shipped_rows


@pytest.mark.parametrize("row", shipped_rows("codes", "message_english"), ids=lambda r: r["en"][:30])
def test_every_phrase_is_found_and_its_gaps_are_kept(row):
    count = row["zh"].count("{}")
    values = [f"V{n}" for n in range(count)]
    told = english_message(row["zh"].format(*values))
    assert not has_chinese(told) and all(v in told for v in values), told


def test_every_limit_of_a_year_plan_has_english_words():
    funds = frozenset({"F"})
    candidates = (
        Candidate("A", "alpha", "north", {2027: 5}, (Need(0, funds, 123_456_789),), 1, must=True),
        Candidate("B", "beta", "north", {}, (Need(0, funds, 100),), 1, must=True),
    )
    problem = Problem(2027, 2028, candidates, (Supply("F", 2027, 2028, 150_000_000_00),), (Floor("north", 2027, 2028, 100),), (Precedence("A", "B"),))
    told = [english_message(c.zh) for c in clauses(problem)]
    assert len(told) >= 5 and not [t for t in told if has_chinese(t)], told
    assert any("15,000.00 × 10,000 yuan" in t for t in told), told


def test_a_cause_in_chinese_is_told_in_english_without_a_general_sentence():
    shown = in_language("没有同时满足全部条件的项目组合: 项目 P-1 没有可开工的年份", "en", "G")
    assert shown == "No choice of projects obeys all of these: project P-1 has no year it could start in"
    assert in_language("没有词的一句", "en", "G") == "G (没有词的一句)"
