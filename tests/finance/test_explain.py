"""Every number explains itself, back to the file or the policy list."""

from __future__ import annotations

import re

import numpy as np
import pytest

from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.expression import Before, Here, Number, choose, larger, power, rounded
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.finance.sheet.words import formula_words
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.explain import explained, step_lines
from qianmo.finance.statements.settle import settled
from qianmo.finance.statements.statements import statements
from qianmo.jobs.finance.model import open_finance_file


@pytest.fixture(scope="module")
def simple(repo):
    return open_finance_file(repo / "examples/finance/eod_simple.toml")


def test_words_keep_the_order_of_operations():
    sheet = Sheet.of([Row(n, z, "分", "x", None, (1.0,), False) for n, z in (("a", "甲"), ("b", "乙"))], 1)
    a, b = Here("a"), Here("b")
    assert formula_words(sheet, a - (b - 1)) == "「甲」 − (「乙」 − 1)"
    assert formula_words(sheet, (a + b) * 2 / (a * b)) == "(「甲」 + 「乙」) × 2 ÷ (「甲」 × 「乙」)"
    assert formula_words(sheet, rounded(larger(a, 0) + Before("b"))) == "四舍五入到分(取大(「甲」, 0) + 上年「乙」)"
    assert formula_words(sheet, 1 - power(1 + a, 0 - b)) == "1 − (1 + 「甲」) ^ (0 − 「乙」)"
    assert formula_words(sheet, choose(a, b, Number(0.0)) + 1) == "(若 「甲」 则 「乙」 否则 0) + 1"


def test_a_number_leads_back_to_the_line_of_the_file(simple):
    steps = explained(simple.sheet, simple.values, "loan.bank.interest", 4)
    inputs = {s.row.id: s.row.source for s in steps if s.row.is_input}
    assert inputs["loan.bank.rate"].key == "loan[bank].rate" and inputs["loan.bank.rate"].line == 80
    assert steps[0].value == 368_798_690.0 and "四舍五入到分" in steps[0].words and "102,444,080.48 元 × 0.036" in steps[0].numbers


@pytest.mark.parametrize("seed", range(12))
def test_every_number_of_every_statement_leads_to_inputs_with_a_source(seed):
    project = project_from(invented_project(np.random.default_rng(seed)), file="invented.toml")
    sheet, values = settled(project)
    for table in statements(project, sheet, values).values():
        for name in table["row"]:
            year = 1 + seed % project.years
            steps = explained(sheet, values, name, year)
            assert steps[0].row.id == name and steps[0].value == values[name][year - 1]
            for step in steps:
                if step.row.is_input:
                    assert step.row.source.words(), step.row.id
                elif not step.repeated:
                    assert step.words and step.numbers
            assert len({(s.row.id, s.year) for s in steps if not s.repeated}) == sum(not s.repeated for s in steps)


def test_every_input_row_names_where_it_comes_from():
    for seed in range(30):
        project = project_from(invented_project(np.random.default_rng(seed)), file="invented.toml")
        for row in assemble(project).rows.values():
            assert not row.is_input or row.source.words(), row.id


def test_a_policy_rate_says_who_published_it_and_how_sure_it_is():
    project = project_from(invented_project(np.random.default_rng(3)), file="invented.toml")
    sources = [r.source for r in assemble(project).rows.values() if r.is_input and r.id.startswith("rate.")]
    assert sources and any("可信度" in s.words() and re.search(r"\d{4}-\d\d-\d\d", s.words()) for s in sources)


def test_numbers_said_before_are_not_said_again(simple):
    lines = step_lines(explained(simple.sheet, simple.values, "cash.closing", 22))
    assert any("前已说明" in line for line in lines) and len(lines) < 20_000


def test_a_shallow_walk_stops(simple):
    assert max(s.depth for s in explained(simple.sheet, simple.values, "balance.assets", 5, depth=2)) == 2
