"""Published questions answered by whole project files instead of single formulas."""

from __future__ import annotations

import pytest

from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.indicators import figures_of


def project(**parts):
    base = {
        "project": {"name": "题", "base_year": 2025, "years": 10, "construction_months": 36, "benchmark_rate": 0.1},
        "tax": {"vat": False, "income_tax": "none"}, "short_term": {"allowed": False}, "sub_project": [{"id": "a", "zh": "甲", "kind": "industry"}],
    }  # fmt: skip
    return project_from({**base, **parts}, file="question")


def test_interest_in_construction_by_the_half_year_rule():
    """建造师、造价师考题: 三年借款 300、600、400 万元, 年利率 12 %: 利息 18, 74.16, 143.0592, 合计 235.2192 (design note 1.3)."""
    loan = {"id": "b", "amount": "1300 万元", "draw": [300 / 1300, 600 / 1300, 400 / 1300], "rate": 0.12, "term_years": 5, "plan": "equal_principal"}
    works = {"id": "w", "sub_project": "a", "kind": "works", "tax": "none", "amount": "2000 万元", "spread": "months"}
    values = computed(assemble(project(line=[works], loan=[loan])))
    assert [x / 1e6 for x in values["loan.b.drawn"][:3]] == [300, 600, 400]
    assert [x / 1e6 for x in values["loan.b.interest"][:3]] == [18.0, 74.16, 143.0592]
    assert values["loan.b.closing"][2] / 1e6 == 1535.2192 and sum(values["loans.construction_interest"]) / 1e6 == 235.2192
    assert values["loan.b.closing"][7] == 0 and values["use.total"][2] / 1e6 == pytest.approx(666.666667 + 143.0592, abs=1e-6)


def test_value_period_and_rate_of_a_small_project():
    """一级建造师 2015: 期初投资 160, 其后五年各收 50, ic 10 %: FNPV 29.54, Pt 3.2 年, FIRR 16.99 % (design note 1.3)."""
    lines = [
        {"id": "w", "sub_project": "a", "kind": "land", "amount": "160 万元", "year": 1},
        {"id": "i", "sub_project": "a", "kind": "other_income", "amount": "50 万元", "from": 2, "to": 6},
    ]
    head = {"name": "题", "base_year": 2025, "years": 6, "construction_months": 12, "benchmark_rate": 0.1, "first_flow": "now"}
    flat = {"intangible": {"years": 5, "salvage": 0.0}}
    made = project(project=head, line=lines, depreciation=flat)
    figures = figures_of(made, computed(assemble(made)))
    assert figures["npv_before_tax"].value / 1e6 == pytest.approx(29.539338470422372, rel=1e-12)
    assert figures["payback_before_tax"].value == pytest.approx(3.2, rel=1e-12)
    assert figures["irr_before_tax"].value == pytest.approx(0.16991110392284417, rel=1e-12)


def test_several_rates_of_return_are_told_and_none_is_chosen():
    """−1000, 2500, −1540: 10 % 与 40 % (design note 1.2)."""
    lines = [
        {"id": "w", "sub_project": "a", "kind": "land", "amount": "1000 万元", "year": 1},
        {"id": "i", "sub_project": "a", "kind": "other_income", "amount": "2500 万元", "year": 2},
        {"id": "c", "sub_project": "a", "kind": "operating_cost", "amount": "1540 万元", "year": 3},
    ]
    head = {"name": "题", "base_year": 2025, "years": 3, "construction_months": 12, "benchmark_rate": 0.1, "first_flow": "now"}
    made = project(project=head, line=lines, depreciation={"intangible": {"years": 2, "salvage": 0.0}})
    irr = figures_of(made, computed(assemble(made)))["irr_before_tax"]
    assert irr.value != irr.value and "10.0000%" in irr.note and "40.0000%" in irr.note


def test_debt_service_coverage_of_the_cost_engineer_s_question():
    """造价师考题: 息税前利润 180, 折旧 20, 所得税 37.5, 还本 40, 付息 30: DSCR 162.5/70 = 2.32 (design note 1.3).

    Income 200; 20 of depreciation; tax 25 % of 180 - 30 is 37.5; the first year of a loan of 300 at 10 %, which repays 30.
    """
    lines = [
        {"id": "w", "sub_project": "a", "kind": "equipment", "tax": "none", "amount": "400 万元", "year": 1},
        {"id": "i", "sub_project": "a", "kind": "other_income", "amount": "200 万元", "from": 2, "to": 11},
    ]
    head = {"name": "题", "base_year": 2025, "years": 11, "construction_months": 12, "benchmark_rate": 0.1}
    loan = {"id": "b", "amount": "300 万元", "rate": 0.1, "term_years": 10, "interest_in_construction": "none", "draw": [1.0], "plan": "equal_principal"}
    made = project(project=head, line=lines, loan=[loan], tax={"vat": False, "income_tax": 0.25}, depreciation={"fixed": {"years": 20, "salvage": 0.0}})
    values = computed(assemble(made))
    assert [values[k][1] / 1e6 for k in ("profit.ebit", "tax.due", "loan.b.paid", "loan.b.principal")] == [180.0, 37.5, 30.0, 30.0]
    cash = (values["profit.ebitda"][1] - values["tax.due"][1]) / 1e6
    assert cash == 162.5 and cash / (40 + 30) == pytest.approx(2.3214285714, rel=1e-9)
    assert figures_of(made, values)["dscr_min"].by_year[1] == pytest.approx(162.5 / 60, rel=1e-12)


def test_a_year_of_value_added_tax_and_surcharges_by_hand():
    """113 of goods sold, 56.5 bought, both with 13 %: output 13, input 6.5, paid 6.5; surcharges 12 % of it are 0.78."""
    lines = [
        {"id": "w", "sub_project": "a", "kind": "land", "amount": "100 万元", "year": 1},
        {"id": "s", "sub_project": "a", "kind": "product_income", "tax": "general_goods", "amount": "113 万元", "from": 2, "to": 6},
        {"id": "b", "sub_project": "a", "kind": "materials", "tax": "general_goods", "amount": "56.5 万元", "from": 2, "to": 6},
    ]
    head = {"name": "题", "base_year": 2025, "years": 6, "construction_months": 12, "benchmark_rate": 0.1}
    values = computed(assemble(project(project=head, line=lines, tax={"income_tax": "none"})))
    year = {k: values[k][1] / 1e6 for k in ("vat.output", "vat.input", "vat.paid", "surcharge.total", "income.net", "cost.net")}
    assert year == {"vat.output": 13.0, "vat.input": 6.5, "vat.paid": 6.5, "surcharge.total": 0.78, "income.net": 100.0, "cost.net": 50.0}
    assert values["flow.before_tax"][1] / 1e6 == 113 - 56.5 - 6.5 - 0.78
