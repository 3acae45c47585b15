"""What holds for the findings on any facts whatever."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.finance.legality.fixed_return import fixed_return
from qianmo.finance.legality.lint import lint_project
from qianmo.finance.legality.project_facts import project_facts
from qianmo.schema.finance_rules import FinanceFact, finance_facts, finance_models, lint_rules
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS

days = st.dates(date(2000, 1, 1), date(2040, 12, 31))


def values_of(fact: FinanceFact) -> st.SearchStrategy[Any]:
    """Any value that a file may hold for a fact, odd ones among them."""
    low, high = max(fact.least, -1e12), min(fact.most, 1e12)
    if fact.name == "models":
        return st.lists(st.sampled_from(sorted(finance_models())), unique=True)
    return {
        "real": st.floats(low, high) | st.just(0.0) if low <= 0 <= high else st.floats(low, high),
        "integer": st.integers(int(low), int(high)),
        "flag": st.booleans(),
        "text": st.sampled_from(["city", "county", "industry", "commerce", "housing", "province", "nation", "airport", "浙江", "?"]),
        "date": days,
        "list": st.lists(st.floats(-0.5, 1.5) | st.integers(-1, 2) | st.text(max_size=2), max_size=4),
    }[fact.type]


some_facts = st.fixed_dictionaries({}, optional={name: values_of(f) for name, f in finance_facts().items()})


@given(some_facts, days)
@settings(max_examples=150, deadline=None)
def test_no_facts_break_the_check_and_only_certain_rules_in_force_fail(values, on):
    findings = lint_project(project_facts(values, on))
    assert [f.rule_id for f in findings] == list(lint_rules())
    for found in findings:
        rule = lint_rules()[found.rule_id].rule
        in_force = (rule.effective_from is None or rule.effective_from <= on) and (rule.effective_to is None or on <= rule.effective_to)
        assert found.verdict in (PASS, FAIL, CONFIRM, NO_DATA)
        assert found.verdict != FAIL or (rule.confidence == "high" and in_force)
        assert found.verdict != CONFIRM or "须核实原文" in found.note
        assert (found.verdict == NO_DATA) == bool(found.missing)
        assert found.numbers or found.verdict == NO_DATA or not found.applies


@given(some_facts, days, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_facts_and_the_company_of_rules_do_not_matter(values, on, random):
    names = list(values)
    random.shuffle(names)
    one = lint_project(project_facts(values, on))
    assert lint_project(project_facts({n: values[n] for n in names}, on)) == one
    for found in random.sample(list(one), 5):
        assert lint_project(project_facts(values, on), rule_ids=[found.rule_id]) == (found,)


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.lists(st.integers(-300, 900), min_size=3, max_size=3), st.lists(st.integers(-300, 900), min_size=3, max_size=3)), min_size=1, max_size=5),
    st.integers(0, 10),
)
@settings(max_examples=100, deadline=None)
def test_a_fixed_return_is_judged_as_by_fractions(scenarios, per_cent):
    def value(first: int, later: list[int]) -> Fraction:
        return -first + sum(Fraction(c) / (1 + Fraction(per_cent, 100)) ** (t + 1) for t, c in enumerate(later))

    paid = [value(put, pay) for put, pay, _ in scenarios]
    earned = [value(put, own) for put, _, own in scenarios]
    if any(abs(v) < Fraction(1, 10**9) for v in paid + earned):
        return
    judged = fixed_return(
        np.array([[-put, *pay] for put, pay, _ in scenarios], float).T, np.array([[-put, *own] for put, _, own in scenarios], float).T, per_cent / 100
    )
    always, fails = all(v > 0 for v in paid), any(v < 0 for v in earned)
    assert judged.is_debt is (None if always and not fails else always)
