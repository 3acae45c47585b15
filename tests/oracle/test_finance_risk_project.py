"""A project under risk against the statements of the same project with its file changed."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import numpy as np
import pytest

from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.read import project_from
from qianmo.finance.risk.from_project import as_planned, project_risk
from qianmo.finance.risk.simulate import evaluate, evaluate_yearly
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.part_figures import part_figures
from qianmo.schema.errors import SchemaError

FEN = 60.0
"""Statements round every booking to a fen, the kernel none."""

PACKAGE: dict[str, Any] = {
    "project": {"name": "合成", "base_year": 2025, "years": 20, "construction_months": 30, "benchmark_rate": 0.06, "rates_on": date(2025, 7, 1)},
    "tax": {"holiday": {"free_years": 2, "half_years": 3, "first_year": 4}},
    "depreciation": {"fixed": {"years": 12, "salvage": 0.05, "convention": "half_year"}, "deferred": {"years": 10, "salvage": 0.0}},
    "working_capital": {"share_of_operating_cost": 0.2},
    "short_term": {"allowed": False},
    "sub_project": [{"id": "eco", "zh": "修复", "kind": "ecological"}, {"id": "plant", "zh": "产业", "kind": "industry"}],
    "quota": [{"id": "quota", "sub_project": "eco", "area": "500 亩", "price": "12 万元/亩", "accepted_share": 0.9, "levy": 0.1, "year": 4, "lag_months": 9}],
    "line": [
        {"id": "works", "sub_project": "eco", "kind": "restoration", "amount": "5000 万元", "spread": "months"},
        {"id": "hall", "sub_project": "plant", "kind": "works", "amount": "4000 万元", "spread": "months"},
        {"id": "sales", "sub_project": "plant", "kind": "product_income", "tax": "general_goods", "amount": "2600 万元/年", "from": 4, "to": 20, "lag_months": 2},
        {"id": "inn", "sub_project": "plant", "kind": "tourism_income", "tax": "simple_3", "amount": "300 万元/年", "from": 4, "to": 20},
        {"id": "plots", "sub_project": "plant", "kind": "land_income", "tax": "general_construction", "amount": "1500 万元", "from": 4, "to": 5, "spread": [0.5, 0.5], "deductions": "700 万元"},
        {"id": "care", "sub_project": "plant", "kind": "operating_cost", "tax": "general_services", "amount": "900 万元/年", "from": 4, "to": 20},
        {"id": "grant", "sub_project": "eco", "kind": "grant", "amount": "800 万元", "year": 2},
    ],
    "loan": [{"id": "bank", "zh": "贷款", "amount": "5000 万元", "rate": 0.036, "term_years": 12, "plan": "annuity", "draw": [0.4, 0.4, 0.2]}],
}  # fmt: skip

INPUTS: dict[str, Any] = {
    "input": [
        {"name": "price", "kind": "triangular", "low": 0.5, "mode": 1.0, "high": 1.5, "lines": ["quota"]},
        {"name": "accepted", "share": True, "kind": "uniform", "low": 0.5, "high": 1.0, "lines": ["quota"]},
        {"name": "delay", "effect": "delay_months", "kind": "uniform", "low": 0, "high": 48, "lines": ["quota"]},
        {"name": "works", "kind": "uniform", "low": 0.8, "high": 1.4, "lines": ["kind=restoration", "hall"]},
        {"name": "sales", "kind": "uniform", "low": 0.8, "high": 1.2, "lines": ["sales", "inn"]},
        {"name": "care", "kind": "uniform", "low": 0.8, "high": 1.2, "lines": ["care"]},
        {"name": "plots", "kind": "uniform", "low": 0.5, "high": 2.0, "lines": ["plots"]},
        {"name": "shift", "effect": "rate_shift", "kind": "uniform", "low": -0.01, "high": 0.02},
    ]
}


def statement(data: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    project = project_from(copy.deepcopy(data), file="x.toml")
    return project, computed(assemble(project))


def differences(model, values: np.ndarray, sheet) -> tuple[float, float]:
    rows = evaluate_yearly(model, values).rows
    return tuple(float(np.abs(rows[mine][:, 0] - np.asarray(sheet[theirs])).max()) for mine, theirs in (("project_flow", "flow.after_tax"), ("equity_flow", "flow.equity")))


def same_ratio(model, values: np.ndarray, project, sheet) -> bool:
    """The self-balance ratio of the scenario is the feedback ratio of the statements; False where there is no restoration."""
    told = next((f.value for f in part_figures(project, sheet) if f.id == "feedback_ratio"), None)
    mine = float(evaluate(model, values)["self_balance_ratio"][0])
    assert np.isnan(mine) if told is None else mine == pytest.approx(told, rel=1e-7, abs=1e-7)
    return told is not None


def test_as_planned_the_kernel_gives_the_statements_of_120_invented_projects():
    compared = balanced = 0
    for number in range(140):
        project, sheet = statement(invented_project(np.random.default_rng(number)))
        if project.taxes.refund_losses:
            continue
        given = {"input": [{"name": "all", "kind": "constant", "value": 1.0, "lines": [line.id for line in project.lines]}]}
        model = project_risk(project, sheet, given)
        flow, equity = differences(model, as_planned(project, given), sheet)
        assert flow < FEN, number
        balanced += same_ratio(model, as_planned(project, given), project, sheet)
        if max(sheet["short.borrowed"]) == 0:
            assert equity < FEN, number
            compared += 1
    assert compared > 30 and balanced > 30


@pytest.mark.parametrize(
    ("values", "edit"),
    [
        ({}, lambda d: None),
        ({"price": 1.25}, lambda d: d["quota"][0].update(price="15 万元/亩")),
        ({"accepted": 0.6}, lambda d: d["quota"][0].update(accepted_share=0.6)),
        ({"delay": 0.0}, lambda d: d["quota"][0].update(lag_months=0)),
        ({"delay": 31.0}, lambda d: d["quota"][0].update(lag_months=31)),
        ({"works": 1.3}, lambda d: [d["line"][0].update(amount="6500 万元"), d["line"][1].update(amount="5200 万元")]),
        ({"sales": 0.85}, lambda d: [d["line"][2].update(amount="2210 万元/年"), d["line"][3].update(amount="255 万元/年")]),
        ({"care": 1.2}, lambda d: d["line"][5].update(amount="1080 万元/年")),
        ({"plots": 1.5}, lambda d: d["line"][4].update(amount="2250 万元")),
        ({"plots": 0.6}, lambda d: d["line"][4].update(amount="900 万元")),
        ({"price": 0.75, "delay": 20.0, "works": 1.1, "care": 0.9},
         lambda d: [d["quota"][0].update(price="9 万元/亩", lag_months=20), d["line"][0].update(amount="5500 万元"), d["line"][1].update(amount="4400 万元"),
                    d["line"][5].update(amount="810 万元/年")]),
    ],
)  # fmt: skip
def test_a_changed_input_gives_the_statements_of_a_changed_file(values, edit):
    project, sheet = statement(PACKAGE)
    model = project_risk(project, sheet, INPUTS)
    given = as_planned(project, INPUTS)
    for name, value in values.items():
        given[model.place(name)] = value
    other = copy.deepcopy(PACKAGE)
    edit(other)
    changed, wanted = statement(other)
    assert max(wanted["loans.closing"]) > 0
    assert same_ratio(model, given, changed, wanted)
    flow, equity = differences(model, given, wanted)
    assert flow < FEN and equity < FEN


def test_a_shift_of_the_rate_changes_the_interest_and_leaves_the_signed_principal():
    """The schedule was signed: interest moves with the balance, capitalised interest and principal do not."""
    project, sheet = statement(PACKAGE)
    model = project_risk(project, sheet, INPUTS)
    values = np.repeat(as_planned(project, INPUTS), 2, axis=1)
    values[model.place("shift"), 1] = 0.01
    rows = evaluate_yearly(model, values).rows
    base = np.concatenate([[0.0], sheet["loans.closing"][:-1]]) + 0.5 * np.asarray(sheet["loans.drawn"])
    assert rows["interest"][:, 1] - rows["interest"][:, 0] == pytest.approx(0.01 * base, abs=1e-3)
    assert (rows["principal"][:, 1] == rows["principal"][:, 0]).all()
    assert evaluate(model, values)["npv_fen"][1] == evaluate(model, values)["npv_fen"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lines": ["nobody"]}, "nobody"), ({"lines": []}, "lines"), ({"share": True, "lines": ["sales"]}, "验收比例"),
        ({"share": True, "high": 1.5}, "0 到 1"), ({"effect": "delay_months", "low": 0, "lines": ["care"]}, "应税收入"), ({"effect": "rate_shift"}, "lines"),
        ({"effect": "delay_months", "low": 0}, "同时被"),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit_the_project_is_refused(change, said):
    project, sheet = statement(PACKAGE)
    odd = {"name": "odd", "kind": "uniform", "low": 0.5, "high": 1.0, "lines": ["quota"], **change}
    with pytest.raises(SchemaError, match=said):
        project_risk(project, sheet, {"input": [*INPUTS["input"], odd]})


def test_refunded_losses_and_unknown_parts_are_refused():
    project, sheet = statement({**PACKAGE, "tax": {"losses": "refund"}})
    with pytest.raises(SchemaError, match="抵退"):
        project_risk(project, sheet, INPUTS)
    with pytest.raises(SchemaError, match="typo"):
        project_risk(*statement(PACKAGE), {"typo": 1})
