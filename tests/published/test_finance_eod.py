"""The worked examples of the domain notes, section 5: the simple EOD package (vectors of ``test_vectors.json``)."""

from __future__ import annotations

import json

import pytest

from qianmo.jobs.finance.model import open_finance_file


@pytest.fixture(scope="module")
def model(repo):
    return open_finance_file(repo / "examples/finance/eod_simple.toml")


def test_the_simple_package_has_the_figures_of_the_notes(model):
    figures = model.figures
    assert figures["feedback_ratio"].value == pytest.approx(1.754003, abs=1e-6)
    assert figures["irr_before_tax"].value == pytest.approx(0.117202, abs=1e-6)
    assert figures["npv_before_tax"].value / 1e6 == pytest.approx(7326.64, abs=5e-3)
    assert figures["pv_restoration_cost"].value / 1e6 == pytest.approx(9716.98, abs=5e-3)
    assert figures["npv_sub_industry"].value / 1e6 == pytest.approx(11703.64, abs=5e-3)
    assert model.values["loan.bank.payment"][2] / 1e6 == pytest.approx(944.39, abs=5e-3)
    assert figures["dscr_min"].value == pytest.approx(1.906, abs=5e-4)
    quota = (figures["pv_feedback"].value - figures["npv_sub_industry"].value) / 1e6
    assert quota == pytest.approx(5339.98, abs=5e-3)


def test_the_flows_are_those_of_the_shared_vectors(model, shared_domain):
    wanted = json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))["eod_simple"]
    assert [x / 1e6 for x in model.values["flow.before_tax"]] == wanted["flows_wan"]
    assert model.figures["irr_before_tax"].value == pytest.approx(wanted["irr"], abs=1e-6)
