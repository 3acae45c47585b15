"""The sheet against another open engine (SAM single owner 7.1.1), line by line on 222 projects of the common subset.

The numbers are fixtures made by ``make_single_owner_fixtures.py``. SAM's year 0 is our year 1, a construction year without
interest; amounts are not rounded for this comparison; book value does not come back in SAM.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qianmo.finance.figures.coverage import debt_service_coverage, lowest_coverage
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import rates_of_return
from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble

CASES = json.loads((Path(__file__).parent / "single_owner.json").read_text(encoding="utf-8"))
ROWS = {
    "revenue": "income.gross", "operating": "cost.gross", "ebitda": "profit.ebitda", "interest": "loan.bank.interest", "principal": "loan.bank.principal",
    "balance": "loan.bank.closing", "depreciation": "depreciation.total",
}  # fmt: skip


def values_of(case: dict) -> dict:
    """The same project as a file of ours."""
    years = int(case["years"]) + 1
    line = {"sub_project": "plant", "from": 2, "to": years}
    lines = [
        {"id": "cost", "sub_project": "plant", "kind": "equipment", "tax": "none", "amount": f"{case['cost']!r} 元", "year": 1},
        {"id": "sales", "kind": "electricity_income", "quantity": f"{case['energy']!r} kWh", "price": f"{case['price']!r} 元/kWh",
         "growth": (1 + case["price_escalation"]) * (1 - case["degradation"]) - 1} | line,
        {"id": "by_capacity", "kind": "maintenance", "quantity": f"{case['capacity_kw']!r} kW", "price": f"{case['om_capacity']!r} 元/kW·年", "growth": case["om_escalation"]} | line,
        {"id": "fixed", "kind": "management", "amount": f"{case['om_fixed']!r} 元/年", "growth": case["om_escalation"]} | line,
        {"id": "insurance", "kind": "insurance", "amount": [f"{case['cost']!r} 元", f"{100 * case['insurance']!r} %"]} | line,
        {"id": "salvage", "sub_project": "plant", "kind": "other_income", "amount": [f"{case['cost']!r} 元", f"{100 * case['salvage']!r} %"], "year": years},
    ]  # fmt: skip
    loan = {"id": "bank", "rate": case["rate"], "term_years": int(case["term"]), "draw": [1.0], "interest_in_construction": "none"}
    loan |= {"share": case["debt_share"]} if "debt_share" in case else {"coverage": case["coverage"], "most": case["most"]}
    data = {
        "project": {"name": "case", "base_year": 2025, "years": years, "construction_months": 12, "benchmark_rate": case["discount"], "first_flow": "now"},
        "tax": {"vat": False, "income_tax": case["tax"], "losses": "refund"}, "short_term": {"allowed": False},
        "depreciation": {"fixed": {"years": 20, "salvage": 0.0, "convention": "half_year"}},
        "sub_project": [{"id": "plant", "zh": "电站", "kind": "energy"}], "line": lines, "loan": [loan],
    }  # fmt: skip
    return computed(assemble(project_from(data, file="case")), exact=False)


def equity_flow(values: dict) -> np.ndarray:
    return (np.asarray(values["flow.equity"]) - values["equity.assets_back"]) / 100.0


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_every_line_of_every_year_agrees(case):
    values, wanted = values_of(case["inputs"]), case["outputs"]
    scale = case["inputs"]["cost"]
    for name, row in ROWS.items():
        theirs = np.asarray(wanted[name])
        assert np.abs(np.asarray(values[row]) / 100.0 - theirs).max() <= 1e-9 * max(np.abs(theirs).max(), 1e-9 * scale), name
    assert np.abs(np.asarray(values["tax.due"])[1:] / 100.0 + np.asarray(wanted["tax"])[1:]).max() <= 1e-9 * np.abs(wanted["tax"]).max()
    assert np.abs(equity_flow(values) - wanted["aftertax"]).max() <= 1e-9 * np.abs(wanted["aftertax"]).max()
    assert sum(values["loan.bank.drawn"]) / 100.0 == pytest.approx(wanted["debt"], rel=1e-9, abs=1e-6)


def test_the_rates_and_values_agree_to_the_other_engine_s_own_tolerance():
    seen = 0
    for case in CASES:
        flow = equity_flow(values_of(case["inputs"]))
        assert net_present_value(flow, case["inputs"]["discount"], first="now") == pytest.approx(case["outputs"]["npv"], rel=1e-9, abs=1e-9 * case["inputs"]["cost"])
        roots = rates_of_return(flow)
        if len(roots) == 1 and case["outputs"]["irr"]:
            assert 100 * roots[0] == pytest.approx(case["outputs"]["irr"], rel=1e-5, abs=1e-4)
            seen += 1
    assert seen > 100


@pytest.mark.parametrize(
    ("number", "irr", "npv", "least"),
    [(0, 8.278819341741258, 2_341_549.9270326737, 1.2921198866776182), (1, 8.441200357, 2_416_924.4316310305, 1.3)],
)
def test_the_published_plant_has_its_published_figures(number, irr, npv, least):
    """50 MW with the weather of Shaoguan: 70 % debt, and debt sized by a coverage of 1.3 (17,505,438.52)."""
    values = values_of(CASES[number]["inputs"])
    flow = equity_flow(values)
    assert 100 * rates_of_return(flow)[0] == pytest.approx(irr, abs=1e-5)  # its own solver stops at 5e-8
    assert net_present_value(flow, 0.06, first="now") == pytest.approx(npv, rel=1e-9)
    coverage = debt_service_coverage(values["profit.ebitda"], np.zeros(26), values["debt.service"])
    assert lowest_coverage(coverage) == pytest.approx(least, rel=1e-9)
    if number == 1:
        assert sum(values["loan.bank.drawn"]) / 100 == pytest.approx(17_505_438.521180123, rel=1e-12)
        assert sum(values["loan.bank.drawn"]) / sum(values["capex.gross"]) == pytest.approx(0.7293932717158384, rel=1e-12)
