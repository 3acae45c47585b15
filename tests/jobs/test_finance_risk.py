"""`qianmo finance risk`: lines, tables, charts, faults with their place, an early end."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import FinanceInputError, MissingDataError, SchemaError


@pytest.fixture
def example(repo: Path) -> Path:
    return repo / "examples" / "finance" / "eod_simple.toml"


def run(context: Context | None = None, **values: object):
    spec = job_spec("finance-risk")
    return spec.run(context or Context(), checked_values(spec, {"scenarios": 3000, **values}))


def test_the_example_says_how_often_the_money_suffices(example, tmp_path):
    report = run(file=example, out=tmp_path / "out")
    figures = report.figures
    assert figures["planned"]["npv_yuan"] / 1e4 == pytest.approx(7326.64, abs=0.005)
    assert figures["planned"]["self_balance_ratio"] == pytest.approx(1.754003, abs=1e-6)
    assert figures["planned"]["irr"] == pytest.approx(0.117202, abs=1e-6)
    assert figures["planned"]["min_coverage"] == pytest.approx(1.906, abs=5e-4)
    assert 0 < figures["chances"]["npv_negative"] < 0.2 and figures["percentiles"]["npv_yuan"]["p10"] < figures["percentiles"]["npv_yuan"]["p90"]
    assert any("自平衡比 ≥ 1" in line for line in report.lines)
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"risk_percentiles.csv", "risk_chances.csv", "risk_tornado.png", "risk_spider.png", "risk_npv.png", "risk_coverage.png", "risk_self_balance.png"} <= names
    table = pd.read_csv(tmp_path / "out" / "risk_percentiles.csv").set_index("figure")
    assert table.loc["npv_yuan", "p50"] == pytest.approx(figures["percentiles"]["npv_yuan"]["p50"])
    assert (tmp_path / "out" / "risk_npv.png").read_bytes()[:4] == b"\x89PNG"


def test_threads_do_not_change_the_answer(example):
    assert run(file=example, threads=1).figures == run(file=example, threads=3).figures


def test_independent_inputs_share_out_the_variance_and_correlated_ones_are_noted(example, tmp_path):
    text = example.with_name("eod_simple.risk.toml").read_text(encoding="utf-8")
    alone = tmp_path / "alone.risk.toml"
    alone.write_text(text.partition("[[correlation]]")[0], encoding="utf-8")
    report, context = run(file=example, inputs=alone), Context()
    assert any("索博尔" in line for line in report.lines)
    run(context, file=example)
    assert any("索博尔" in note for note in context.notes)


def test_ctrl_c_keeps_the_scenarios_finished(example):
    @contextmanager
    def at_once():
        yield lambda: True

    report = run(Context(catch=at_once), file=example, scenarios=50_000)
    assert 0 < report.figures["scenarios"] < 50_000 == report.figures["asked"]
    assert any("提前结束" in line for line in report.lines)


def test_a_fault_of_the_inputs_names_file_line_and_input(example, tmp_path):
    text = example.with_name("eod_simple.risk.toml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.risk.toml"
    bad.write_text(text.replace("log_deviation = 0.2", "log_deviation = -0.2"), encoding="utf-8")
    with pytest.raises(FinanceInputError, match="price") as caught:
        run(file=example, inputs=bad)
    assert caught.value.file == "bad.risk.toml" and caught.value.key == "input[price]" and text.splitlines()[caught.value.line - 1] == 'name = "price"'
    bad.write_text("nearest = true\n", encoding="utf-8")
    with pytest.raises(FinanceInputError, match="不确定因素"):
        run(file=example, inputs=bad)
    with pytest.raises(MissingDataError, match="不确定因素文件"):
        run(file=example, inputs=tmp_path / "none.toml")
    with pytest.raises(SchemaError, match="scenarios"):
        run(file=example, scenarios=0)


def test_a_contract_paid_whatever_the_project_earns_is_told_as_debt_and_found_by_the_linter(repo, tmp_path, capsys):
    folder = repo / "examples" / "finance"
    (tmp_path / "a.toml").write_bytes((folder / "eod_simple.toml").read_bytes())
    text = (folder / "eod_simple.risk.toml").read_text(encoding="utf-8")
    floor = '\n[[contract]]\nzh = "基金优先份额"\ninvested = "3000 万元"\nyear = 1\nuntil = 10\nfloor_rate = "8 %"\nprincipal_back = true\n'
    real = '\n[[contract]]\nzh = "基金普通份额"\ninvested = "6000 万元"\nshare = "30 %"\n'
    harder = text.replace("log_deviation = 0.2", "log_deviation = 1.5") + floor + real
    (tmp_path / "a.risk.toml").write_text(harder + '\n[[input]]\nname = "sales"\nkind = "uniform"\nlow = 0.1\nhigh = 1.2\nlines = ["net_income"]\n', encoding="utf-8")
    assert main(["finance", "risk", str(tmp_path / "a.toml"), "--scenarios", "2000", "--quiet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["figures"]["contracts"]
    assert found["基金优先份额"]["is_debt"] is True and found["基金优先份额"]["lowest_rate"] == pytest.approx(0.08, abs=1e-9)
    assert found["基金普通份额"]["is_debt"] is False and found["基金优先份额"]["failing"] > 0
    main(["finance", "lint", str(tmp_path / "a.toml"), "--scenarios", "2000", "--quiet", "--json"])
    assert json.loads(capsys.readouterr().out)["figures"]["facts"]["fixed_return_to_equity"] is True
    (tmp_path / "a.risk.toml").write_text(harder.replace("until = 10", "until = 99"), encoding="utf-8")
    assert main(["finance", "risk", str(tmp_path / "a.toml"), "--scenarios", "200", "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "a.risk.toml 第" in told and "until" in told
