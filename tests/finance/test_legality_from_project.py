"""Facts that the lines of a project file already say, and the table of what they cannot say."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from qianmo.finance.legality.from_project import facts_of_project, models_of_project
from qianmo.finance.legality.lint import lint_project
from qianmo.finance.legality.project_facts import project_facts
from qianmo.finance.legality.read import legality_of
from qianmo.finance.project.read import project_from
from qianmo.finance.project.records import Project
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.schema.errors import FinanceInputError

TODAY = date(2026, 1, 2)
HEAD = """
[project]
name = "合成"
base_year = 2026
years = 8
construction_months = 12
benchmark_rate = "5 %"
[tax]
vat = false
income_tax = "none"
[short_term]
allowed = false
[[party]]
id = "firm"
zh = "公司"
role = "investor"
equity_share = 0.6
[[party]]
id = "village"
zh = "村集体"
role = "collective"
equity_share = 0.4
[[sub_project]]
id = "eco"
zh = "修复"
kind = "ecological"
[[sub_project]]
id = "park"
zh = "园区"
kind = "industry"
[[line]]
id = "eco_works"
sub_project = "eco"
kind = "restoration"
amount = "400 万元"
spread = [1.0]
[[line]]
id = "plant"
sub_project = "park"
kind = "works"
tax = "none"
amount = "600 万元"
spread = [1.0]
[[line]]
id = "rent"
sub_project = "park"
kind = "rent_income"
amount = "300 万元/年"
from = 2
to = 8
"""
BOND = """
[[loan]]
id = "bond"
zh = "专项债"
nature = "special_bond"
amount = "500 万元"
rate = "3 %"
term_years = 5
plan = "equal_principal"
draw = [1.0]
interest_in_construction = "paid"
[[loan]]
id = "bank"
zh = "贷款"
amount = "200 万元"
rate = "3.6 %"
term_years = 5
plan = "equal_principal"
draw = [1.0]
interest_in_construction = "paid"
"""


def opened(text: str) -> tuple[Project, dict[str, list[float]]]:
    project = project_from(tomllib.loads(text), file="a.toml", text=text)
    return project, computed(assemble(project))


def test_the_package_of_the_worked_example_gives_its_present_values(repo: Path):
    path = repo / "examples" / "finance" / "eod_simple.toml"
    project, values = opened(path.read_text(encoding="utf-8"))
    facts = facts_of_project(project, values, TODAY)
    assert facts["ecology_cost_yuan"] == pytest.approx(97_169_811.32, abs=1)
    assert facts["industry_net_yuan"] == pytest.approx(117_036_400, rel=1e-6)
    assert facts["quota_income_yuan"] == pytest.approx(53_399_786, rel=1e-6)
    found = lint_project(project_facts({**facts, "models": ["eod"]}, TODAY), rule_ids=["F-01"])[0]
    assert found.value == pytest.approx(1.754003, abs=1e-6) and found.verdict == "pass"
    assert facts["lowest_debt_service_coverage"] == pytest.approx(1.906, abs=5e-4)
    assert facts["quota_first_income_year"] == 2028 and facts["bank_loan_rates"] == [0.036]
    assert models_of_project(project) == ("eod", "bank_loan", "quota")


def test_every_fact_derived_is_of_the_list_and_of_its_kind():
    project, values = opened(HEAD + BOND)
    project_facts({**facts_of_project(project, values, TODAY), "models": models_of_project(project)}, TODAY)


def test_a_special_bond_is_covered_by_the_income_of_its_life():
    """Income 300 万元 a year from year 2 to the end of the bond in year 6; the service of both loans by hand."""
    project, values = opened(HEAD + BOND)
    facts = facts_of_project(project, values, TODAY)
    bond = 500 + 500 * 0.03 * (0.5 + 1 + 0.8 + 0.6 + 0.4 + 0.2)
    bank = 200 + 200 * 0.036 * (0.5 + 1 + 0.8 + 0.6 + 0.4 + 0.2)
    assert facts["bond_coverage"] == pytest.approx(1500 / bond, rel=1e-6)
    assert facts["debt_coverage"] == pytest.approx(1500 / (bond + bank), rel=1e-6)
    assert facts["bond_years"] == 6 and facts["project_years"] == 8
    assert facts["income_shares"] == [0.6, 0.4]
    paid = 1000 + (500 * 0.03 + 200 * 0.036) / 2
    assert facts["equity_yuan"] / facts["total_investment_yuan"] == pytest.approx((paid - 700) / paid, rel=1e-9)


@pytest.mark.parametrize(
    ("line", "fact", "wanted"),
    [
        ('kind = "other_income"\nnature = "gap_funding"', "government_payment_yuan", 700_000.0),
        ('kind = "other_income"\nnature = "construction_subsidy"', "ppp_capital_subsidy_yuan", 700_000.0),
        ('kind = "subsidy"', "operating_subsidy_yuan", 700_000.0),
        ('kind = "land_income"', "land_transfer_income_share", 70 / 2170),
        ('kind = "tax_share"\nparty = "firm"', "tax_share_to_private_yuan", 700_000.0),
        ('kind = "tax_share"\nparty = "village"', "tax_share_to_private_yuan", 0.0),
        ('kind = "maintenance"\nnature = "fixed_return"', "fixed_return_to_equity", True),
        ('kind = "maintenance"\nnature = "buy_back"', "buyback_of_principal", True),
    ],
)
def test_the_legal_nature_of_a_line_becomes_a_fact(line, fact, wanted):
    text = HEAD + f'[[line]]\nid = "extra"\nsub_project = "park"\n{line}\namount = "10 万元/年"\nfrom = 2\nto = 8\n'
    project, values = opened(text)
    assert facts_of_project(project, values, TODAY)[fact] == pytest.approx(wanted, rel=1e-12)


def test_land_proceeds_do_not_balance_a_package():
    project, values = opened(HEAD + '[[line]]\nid = "land"\nsub_project = "park"\nkind = "land_income"\namount = "900 万元"\nyear = 2\n')
    without = facts_of_project(*opened(HEAD), TODAY)
    assert facts_of_project(project, values, TODAY)["industry_net_yuan"] == pytest.approx(without["industry_net_yuan"], rel=1e-12)


def test_that_no_line_shows_a_guarantee_proves_nothing():
    facts = facts_of_project(*opened(HEAD), TODAY)
    assert not {"government_guarantee", "government_buyback", "fixed_return_to_equity", "buyback_of_principal"} & facts.keys()


def test_industry_before_restoration_is_seen_year_by_year():
    text = HEAD.replace("construction_months = 12", "construction_months = 24").replace(
        'amount = "400 万元"\nspread = [1.0]', 'amount = "400 万元"\nspread = [0.25, 0.75]'
    )
    facts = facts_of_project(*opened(text), TODAY)
    assert facts["ecology_progress"] == [0.25, 1.0] and facts["industry_progress"] == [1.0, 1.0]
    found = lint_project(project_facts({**facts, "models": ["eod"]}, TODAY), rule_ids=["M-31"])[0]
    assert found.verdict == "needs_confirmation" and "第 1 年治理累计 25.00%" in found.numbers


def test_the_rate_of_the_day_is_that_of_the_dated_list():
    project, values = opened(HEAD)
    assert facts_of_project(project, values, date(2024, 8, 1))["lpr_one_year_rate"] == 0.0335
    assert "lpr_one_year_rate" not in facts_of_project(project, values, date(2010, 1, 1))


@pytest.mark.parametrize(
    ("table", "line", "key", "said"),
    [
        ('[legality]\nmodels = ["eod"]\nlinkage_scor = 0.5\n', 3, "legality.linkage_scor", "linkage_score"),
        ("[legality]\non = 2026-01-01\nconcession_years = true\n", 3, "legality.concession_years", "数值"),
        ('[legality]\nmodels = ["epc"]\n', 2, "legality.models", "eod"),
        ('[legality]\non = "2026"\n', 2, "legality.on", "日期"),
        ("[legality]\n[legality.thresholds]\nM-99 = 1\n", 3, "legality.thresholds.M-99", "M-07"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_file_line_and_key(table, line, key, said):
    with pytest.raises(FinanceInputError, match=said) as caught:
        legality_of(tomllib.loads(table), file="a.toml", text=table)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("a.toml", line, key)
