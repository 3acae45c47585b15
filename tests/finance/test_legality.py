"""Every rule of the money is kept by one project and broken by another; weak evidence never fails."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qianmo.finance.legality.fixed_return import fixed_return
from qianmo.finance.legality.lint import Finding, legality_measures, lint_project
from qianmo.finance.legality.project_facts import project_facts
from qianmo.schema.errors import FigureError, RuleError, SchemaError
from qianmo.schema.finance_rules import capital_shares, finance_facts, finance_models, lint_rule, lint_rules
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS
from qianmo.schema.shipped import shipped_rows

CASES: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "legality_cases.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 1, 2)


def found(rule_id: str, which: str) -> Finding:
    case = CASES[rule_id]
    facts = project_facts({"models": case["models"], **case[which]}, case.get("on", TODAY))
    return lint_project(facts, rule_ids=[rule_id])[0]


def test_there_are_more_than_fifty_rules_each_with_one_measure_and_both_cases():
    assert len(lint_rules()) >= 50
    assert set(legality_measures()) == set(lint_rules()) == set(CASES)
    assert all("good" in c and "bad" in c for c in CASES.values())


@pytest.mark.parametrize("rule_id", list(lint_rules()))
def test_a_project_that_keeps_the_rule_passes(rule_id):
    for which in {"good", "also_good"} & CASES[rule_id].keys():
        answer = found(rule_id, which)
        assert answer.verdict == PASS and answer.applies and answer.numbers and not answer.missing


@pytest.mark.parametrize("rule_id", list(lint_rules()))
def test_a_project_that_breaks_the_rule_fails_where_the_text_is_certain_and_asks_to_confirm_it_where_not(rule_id):
    for which in {"bad", "also_bad"} & CASES[rule_id].keys():
        answer = found(rule_id, which)
        assert answer.verdict == (FAIL if answer.confidence == "high" else CONFIRM)
        assert answer.numbers and answer.source
        assert ("须核实原文" in answer.note) == (answer.verdict == CONFIRM)


@pytest.mark.parametrize("rule_id", list(lint_rules()))
def test_a_rule_without_data_says_in_chinese_what_is_missing(rule_id):
    case = CASES[rule_id]
    answer = lint_project(project_facts({"models": case["models"]}, case.get("on", TODAY)), rule_ids=[rule_id])[0]
    assert answer.verdict == NO_DATA and "(" in answer.missing


@pytest.mark.parametrize("rule_id", [r for r, c in CASES.items() if c["models"]])
def test_a_rule_of_an_arrangement_the_project_lacks_does_not_apply(rule_id):
    others = [m for m in finance_models() if m not in lint_rule(rule_id).models]
    answer = lint_project(project_facts({"models": others, **CASES[rule_id]["bad"]}, TODAY), rule_ids=[rule_id])[0]
    assert answer.verdict == PASS and not answer.applies and answer.note.startswith("不涉及")


def test_a_certain_rule_outside_its_dates_asks_to_confirm_and_never_fails():
    broken = {"models": ["ppp"], "concession_years": 50}
    inside, before = project_facts(broken, date(2026, 1, 2)), project_facts(broken, date(2020, 1, 2))
    assert lint_project(inside, rule_ids=["F-06"])[0].verdict == FAIL
    early = lint_project(before, rule_ids=["F-06"])[0]
    assert early.verdict == CONFIRM and "不在规则有效期内" in early.note


def test_the_size_of_an_eod_package_is_a_matter_of_the_past():
    facts = project_facts({"models": ["eod"], **CASES["F-04"]["bad"]}, date(2026, 6, 1))
    late = lint_project(facts, rule_ids=["F-04"])[0]
    assert late.verdict == CONFIRM and "2025-12-31" in late.note
    silent = lint_project(project_facts({"models": ["eod"]}, date(2026, 6, 1)), rule_ids=["F-04"])[0]
    assert silent.verdict == PASS and not silent.applies


def test_unknown_arrangements_leave_their_rules_open():
    findings = lint_project(project_facts({}, TODAY))
    assert {f.verdict for f in findings} == {NO_DATA}
    assert lint_project(project_facts({}, TODAY), rule_ids=["F-06"])[0].missing == "项目模式(models)"


def test_a_local_threshold_is_taken_where_it_is_given():
    facts = {"models": ["special_bond"], "bond_coverage": 1.15}
    assert lint_project(project_facts(facts, TODAY), rule_ids=["M-07"])[0].verdict == PASS
    strict = project_facts(facts, TODAY, overrides={"M-07": 1.2})
    assert lint_project(strict, rule_ids=["M-07"])[0].verdict == CONFIRM
    land = {"models": [], "equity_yuan": 2e7, "total_investment_yuan": 1e8}
    assert lint_project(project_facts(land, TODAY, overrides={"M-13": 0.25}), rule_ids=["M-13"])[0].verdict == FAIL


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bond_coverge": 1.2}, "bond_coverage"),
        ({"bond_coverage": "1.2"}, "数值"),
        ({"bond_coverage": float("nan")}, "数值"),
        ({"government_guarantee": 1}, "true 或 false"),
        ({"eod_subprojects": 2.5}, "整数"),
        ({"turnover_use_date": "2026-01-01"}, "日期"),
        ({"models": ["eodd"]}, "eodd"),
        ({"income_shares": 0.5}, "列表"),
    ],
)
def test_facts_of_the_wrong_name_or_kind_are_refused(values, said):
    with pytest.raises(SchemaError, match=said):
        project_facts(values, TODAY)


def test_odd_values_are_told_apart_from_broken_rules():
    for values in ({"models": [], "income_shares": [0.5, "a"]}, {"models": [], "income_shares": [1.5]}):
        assert lint_project(project_facts(values, TODAY), rule_ids=["M-19"])[0].verdict == NO_DATA
    empty = {"models": ["eod"], "ecology_progress": [0.5], "industry_progress": [0.5, 1.0]}
    assert lint_project(project_facts(empty, TODAY), rule_ids=["M-31"])[0].verdict == NO_DATA
    mild = {"models": ["equity"], "fixed_return_to_equity": False, "payout_lowest_value_yuan": 1e6, "project_lowest_value_yuan": 2e6}
    answer = lint_project(project_facts(mild, TODAY), rule_ids=["M-04"])[0]
    assert answer.verdict == NO_DATA and "从不亏损" in answer.missing


def test_no_rule_of_that_name_is_refused():
    with pytest.raises(RuleError, match="M-99"):
        lint_project(project_facts({}, TODAY), rule_ids=["M-99"])
    with pytest.raises(SchemaError, match="M-99"):
        project_facts({}, TODAY, overrides={"M-99": 1})


def test_every_fact_is_read_by_the_rules_it_names_and_every_rule_reads_only_listed_facts(repo):
    source = "".join(p.read_text(encoding="utf-8") for p in sorted((repo / "src/qianmo/finance/legality").glob("*.py")))
    for row in shipped_rows("codes", "finance_facts"):
        assert f'"{row["name"]}"' in source, row["name"]
        for rule_id in filter(None, row["used_in"].split(";")):
            assert rule_id in lint_rules(), row["name"]
    for rule_id, case in CASES.items():
        for name in case["bad"]:
            used = next(r["used_in"] for r in shipped_rows("codes", "finance_facts") if r["name"] == name)
            assert rule_id in used.split(";"), (rule_id, name)


def test_every_rule_names_source_confidence_and_dates_in_both_languages():
    for row in shipped_rows("rules", "finance_rules"):
        assert row["source"] and row["confidence"] in ("high", "medium", "low") and row["text_zh"] and row["text_en"]
        assert row["severity"] in ("hard", "soft") and row["rule_id"].startswith("M-")
        if row["confidence"] == "high" and row["source"].startswith("own knowledge"):
            assert "法" in row["source"] or "令" in row["source"], "only statutes are certain without the text at hand"
    assert all(0 < c.least < 1 and c.source for c in capital_shares().values())
    assert all(f.zh and f.type in ("real", "integer", "flag", "text", "date", "list") for f in finance_facts().values())


def test_a_contract_that_pays_in_a_failing_project_is_debt(rng):
    project = np.vstack([np.full(200, -100.0), rng.uniform(-20, 60, (5, 200))])
    guaranteed = np.vstack([np.full(200, -100.0), np.full((4, 200), 8.0), np.full(200, 108.0)])
    judged = fixed_return(guaranteed, project, 0.025)
    assert judged.is_debt is True and judged.failing > 20 and judged.lowest_rate == pytest.approx(0.08, rel=1e-12)


def test_a_share_of_what_the_project_earns_is_no_debt(rng):
    project = np.vstack([np.full(200, -100.0), rng.uniform(-20, 60, (5, 200))])
    assert fixed_return(project, project, 0.025).is_debt is False


def test_scenarios_in_which_the_project_never_fails_decide_nothing():
    good = [[-100.0, -100.0], [40.0, 50.0], [90.0, 95.0]]
    assert fixed_return(good, good, 0.025).is_debt is None


def test_tables_of_different_scenarios_are_refused():
    with pytest.raises(FigureError, match="same scenarios"):
        fixed_return([[-1.0], [2.0]], [[-1.0, -1.0], [2.0, 2.0]], 0.02)
    with pytest.raises(FigureError, match="puts nothing in"):
        fixed_return([[1.0], [2.0]], [[-1.0], [2.0]], 0.02)
