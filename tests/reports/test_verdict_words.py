"""The compliance table is Chinese to the last unit, and a rule that does not apply says so."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from qianmo.reports.plan_state import verdict_counts
from qianmo.reports.plan_tables import book_tables
from qianmo.schema.rules import rules
from qianmo.schema.tables import table_spec

LATIN = re.compile(r"[A-Za-z]+")


def row(rule_id: str, **more: object) -> dict[str, object]:
    known = rules()[rule_id]
    return {
        "rule_id": rule_id, "text_zh": known.zh, "verdict": "pass", "value": 1.0, "threshold": known.threshold, "comparator": known.comparator,
        "unit": known.unit, "margin": "", "numbers": "数字", "severity": known.severity, "source": known.source, "confidence": known.confidence,
        "missing": "", **more,
    }  # fmt: skip


def printed(*rows: dict[str, object]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(table_spec("verdict").column_names))
    return book_tables({"verdicts": frame})["verdicts"].frame


@pytest.mark.parametrize("rule_id", sorted(rules()))
def test_no_english_is_left_in_value_or_limit(rule_id: str):
    shown = printed(row(rule_id)).iloc[0]
    words = LATIN.findall(shown["value"] + shown["threshold"])
    assert set(words) <= {"EPSG"}, shown.to_dict()


def test_a_count_of_faults_is_shown_in_places_and_not_in_square_metres():
    shown = printed(row("D-04", verdict="needs_confirmation", value=310.0, threshold="0", comparator="<=", unit="places")).iloc[0]
    assert (shown["value"], shown["threshold"]) == ("310处", "≤0处")


def test_ratios_are_percentages():
    shown = printed(row("Z-01", value=0.571106)).iloc[0]
    assert (shown["value"], shown["threshold"]) == ("57.11%", "≥5%")


def test_a_local_threshold_wins_over_the_words_of_the_rule():
    assert printed(row("D-01", threshold="0.05")).iloc[0]["threshold"] == "≤0.05平方米"


def test_a_rule_that_does_not_apply_says_so_and_shows_no_value():
    aside, plain = row("Z-02", value=0.0, numbers="不涉及:不做永农布局调整"), row("Z-11")
    shown = printed(aside, plain)
    assert list(shown["verdict"]) == ["通过（不涉及）", "通过"]
    assert shown["value"].iloc[0] == ""
    assert "通过2条（含不涉及1条）" in verdict_counts(pd.DataFrame([aside, plain]))


def test_where_a_rule_comes_from_is_told_in_chinese():
    rows = pd.DataFrame([row(r) for r in rules()], columns=list(table_spec("verdict").column_names))
    told = book_tables({"verdicts": rows})["rule_sources"].frame["source"]
    assert [s for s in told if "own knowledge" in s or s.startswith("found")] == []
    assert told.iloc[0].startswith("编者所知（未核原文）")
