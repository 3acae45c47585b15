"""A project file: what it means, and every fault with its file, line and key."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest

from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.positions import key_lines, line_of
from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.indicators import figures_of
from qianmo.schema.errors import FinanceInputError


@pytest.fixture(scope="module")
def text(repo) -> str:
    return (repo / "examples/finance/eod_simple.toml").read_text(encoding="utf-8")


def read(text: str):
    return project_from(tomllib.loads(text), file="case.toml", text=text)


FAULTS = [
    ('"15 万元/亩"', '"15 万元/户"', "quota[quota].price", "量纲"),
    ('"400 亩"', '"-400 亩"', "quota[quota].area", "为负"),
    ('"400 亩"', '"400"', "quota[quota].price", "量纲"),
    ('"400 亩"', "400", "quota[quota].area", "没有单位"),
    ('amount = "10800 万元"', "share = 1.2", "loan[bank].share", "超出范围"),
    ('sub_project = "industry"\nkind = "works"', 'sub_project = "indust"\nkind = "works"', "line[plant].sub_project", "没有编号"),
    ("to = 22", "to = 33", "line[net_income].to", "超出范围"),
    ("from = 3", "from = 0", "line[net_income].from", "超出范围"),
    ('id = "plant"', 'id = "eco_works"', "line[eco_works].id", "重复"),
    ('benchmark_rate = "6 %"', "benchmark_rate = nan", "project.benchmark_rate", "有限"),
    ('benchmark_rate = "6 %"', 'benchmark_rate = { policy = "no_such" }', "project.benchmark_rate", "no_such"),
    ('income_tax = "none"', 'income_tax = "income_tax_western"', "tax.income_tax", "2031"),
    ("spread = [0.5, 0.5]\nsource", "spread = [0.5, 0.6]\nsource", "line[eco_works].spread", "合计"),
    ("year = 3", "yeer = 3", "quota[quota].year", "没有写发生年份"),
    ('kind = "other_income"', 'kind = "other_incom"', "line[net_income].kind", "可选值"),
    ('kind = "other_income"', 'kind = "other_income"\nnature = "loot"', "line[net_income].nature", "可选值"),
    ('kind = "other_income"', 'kind = "other_income"\ncolour = "red"', "line[net_income].colour", "不认识"),
    ("term_years = 15", "term_years = 30", "loan[bank].term_years", "计算期"),
    ("term_years = 15", "term_years = 15\ngrace_years = 15", "loan[bank].grace_years", "宽限期"),
    ('plan = "annuity"', 'plan = "sculpted"', "loan[bank].plan", "不配"),
    ('plan = "annuity"', 'plan = "capacity"\nnature = "special_bond"', "loan[bank].plan", "专项债券"),
    ('rate = "3.6 %"', 'rate = "360 %"', "loan[bank].rate", "超出范围"),
    ("equity_share = 1.0", "equity_share = 0.9", "party[company].equity_share", "合计"),
    ("construction_months = 24", "construction_months = 0", "project.construction_months", "超出范围"),
    ("construction_months = 24", "construction_months = 24.5", "project.construction_months", "整数"),
    ("years = 22\n", "years = 2\n", "line[net_income].from", "超出范围"),
]


@pytest.mark.parametrize(("old", "new", "key", "words"), FAULTS, ids=[f"{k}-{n}" for n, (_, _, k, _) in enumerate(FAULTS)])
def test_a_fault_names_file_line_and_key(text, old, new, key, words):
    assert old in text
    changed = text.replace(old, new, 1)
    with pytest.raises(FinanceInputError, match=words) as caught:
        read(changed)
    fault = caught.value
    assert fault.file == "case.toml"
    assert fault.key == key
    written = changed.splitlines()[fault.line - 1]
    last = fault.key.rpartition(".")[2]
    assert fault.line > 0 and (last in written or written.startswith("[") or "{" in written)


def test_an_inner_key_is_found_on_its_line():
    text = '[a]\nx = [\n 1,\n]\n[[b]]\nid = "p"\ntext = """\nid = 3\n"""\n[[b]]\n"名" = 1\nq.r = 2 # c\n[b.c]\nz = 1\n'
    lines = key_lines(text)
    assert lines[("a", "x")] == 2 and lines[("b", 0, "id")] == 6 and lines[("b", 1, "名")] == 11
    assert lines[("b", 1, "q", "r")] == 12 and lines[("b", 1, "c", "z")] == 14
    assert line_of(lines, ("a", "x", 1)) == 2 and line_of(lines, ("nothing",)) == 0


def test_a_project_whose_flow_never_changes_sign_is_refused_with_its_place(text):
    bare = re.sub(r"\[\[line\]\]\nid = \"net_income\".*?\n\n", "", text, flags=re.S)
    bare = re.sub(r"\[\[quota\]\].*?\n\n", "", bare, flags=re.S)
    project = read(bare)
    with pytest.raises(FinanceInputError, match="没有为正") as caught:
        figures_of(project, computed(assemble(project)))
    assert caught.value.line > 0 and caught.value.key == "project.years"
    public = read(bare.replace("years = 22\n", "years = 22\nreturns = false\n"))
    figures = figures_of(public, computed(assemble(public)))
    assert np.isnan(figures["irr_before_tax"].value) and figures["irr_before_tax"].note and figures["npv_before_tax"].value < 0


def test_loans_above_the_whole_investment_are_refused_with_their_place(text):
    project = read(text.replace('"10800 万元"', '"19000 万元"'))
    with pytest.raises(FinanceInputError, match="负债比例") as caught:
        figures_of(project, computed(assemble(project)))
    assert caught.value.key == "loan[bank].amount" and caught.value.line == 79


def test_land_value_added_tax_is_asked_for_by_deductions(text):
    sale = '[[line]]\nid = "land"\nsub_project = "industry"\nkind = "land_income"\namount = "250 万元"\nyear = 3\ndeductions = "100 万元"\n'
    values = computed(assemble(read(text + sale)))
    assert values["line.land.land_tax"][2] == 60e6 and sum(values["surcharge.total"]) == 60e6
    with pytest.raises(FinanceInputError, match="土地增值税"):
        read(text.replace('kind = "other_income"', 'kind = "other_income"\ndeductions = "1 万元"'))


def test_lines_of_a_mixed_file_and_of_crlf_endings_are_the_same(text):
    assert key_lines(text) == key_lines(text.replace("\n", "\r\n"))


def test_an_invented_project_is_a_valid_file():
    for seed in range(40):
        project = project_from(invented_project(np.random.default_rng(seed)), file="invented")
        assert project.lines and project.years >= 8


def test_a_line_may_give_amounts_by_year(text):
    numbers = ", ".join(["0", "0"] + ["1800"] * 20)
    other = text.replace('amount = "1800 万元/年"\nfrom = 3\nto = 22', f'by_year = [{numbers}]\nunit = "万元"')
    assert computed(assemble(read(other)))["flow.before_tax"] == computed(assemble(read(text)))["flow.before_tax"]


def test_the_file_of_the_how_to_runs(repo):
    text = (repo / "docs/how-to/finance.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    project = read(text)
    values = computed(assemble(project))
    figures = figures_of(project, values)
    assert max(abs(x) for x in values["balance.difference"]) == 0
    assert figures["irr_before_tax"].value > 0.05 and figures["lowest_account_mine"].value >= 0
