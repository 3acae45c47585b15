"""`qianmo finance lint` answers every rule in Chinese and ends with 1 when a binding one is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from qianmo.cli.main import main


@pytest.fixture
def solar(repo: Path) -> Path:
    return repo / "examples" / "finance" / "legality_solar.toml"


def test_the_example_with_a_construction_subsidy_and_a_long_lease_is_refused(solar, capsys):
    assert main(["finance", "lint", str(solar), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert said.index("不通过(3 条)") < said.index("待核实") < said.index("通过(19 条)")
    assert "最长租赁期限 25 年" in said and "规则文本可信度中" in said and "3 条硬性规则不通过" in said
    assert "own knowledge" not in said


def test_json_holds_every_finding_with_source_and_confidence(solar, capsys):
    main(["finance", "lint", str(solar), "--quiet", "--json"])
    told = json.loads(capsys.readouterr().out)
    figures = told.get("figures", told)
    assert figures["hard_failures"] == ["M-02", "F-07", "M-24"] and len(figures["findings"]) == 58
    assert sum(figures["counts"].values()) + figures["not_applicable"] == 58
    assert all(f["source"] and f["confidence"] for f in figures["findings"])


def test_a_project_file_is_checked_by_what_its_lines_say(repo, capsys):
    assert main(["finance", "lint", str(repo / "examples" / "finance" / "eod_simple.toml"), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "= 1.7540" in said and "项目模式未定" in said and "按资金行推定为" in said


def test_facts_in_the_file_are_taken_over_those_of_its_lines_and_the_difference_is_told(repo, tmp_path, capsys):
    text = (repo / "examples" / "finance" / "eod_simple.toml").read_text(encoding="utf-8")
    path = tmp_path / "a.toml"
    path.write_text(text + '\n[legality]\nmodels = ["eod"]\nlinkage_score = 0.7\nsingle_implementer = true\nlowest_debt_service_coverage = 1.05\n', encoding="utf-8")
    assert main(["finance", "lint", str(path), "--quiet", "--all"]) == 0
    said = capsys.readouterr().out
    assert "采用文件所写 1.05" in said and "关联度 0.7" in said and "不涉及(" in said and "项目模式未定" not in said
    assert main(["finance", "run", str(path), "--quiet"]) == 0


def test_uncertain_inputs_tell_how_often_the_package_balances(repo, capsys):
    folder = repo / "examples" / "finance"
    asked = ["finance", "lint", str(folder / "eod_simple.toml"), "--inputs", str(folder / "eod_simple.risk.toml"), "--scenarios", "2000", "--quiet", "--json"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    figures = told.get("figures", told)
    found = next(f for f in figures["findings"] if f["rule_id"] == "M-30")
    assert found["verdict"] == "pass" and 0.8 < figures["facts"]["self_balance_probability"] <= 1.0
    assert any("2,000 个情景" in note for note in figures["notes"])
    assert main([*asked[:5], "--scenarios", "3", "--quiet"]) == 2


def test_inputs_beside_the_file_are_taken_and_a_rate_in_doubt_never_fails(repo, tmp_path, capsys):
    folder = repo / "examples" / "finance"
    text = (folder / "eod_simple.toml").read_text(encoding="utf-8")
    (tmp_path / "a.risk.toml").write_bytes((folder / "eod_simple.risk.toml").read_bytes())
    (tmp_path / "a.toml").write_text(text + '\n[legality]\nmodels = ["eod", "private_loan"]\nprivate_loan_rate = 0.2\n', encoding="utf-8")
    assert main(["finance", "lint", str(tmp_path / "a.toml"), "--scenarios", "500", "--quiet", "--json"]) == 0
    found = {f["rule_id"]: f for f in json.loads(capsys.readouterr().out)["figures"]["findings"]}
    assert found["M-30"]["verdict"] == "pass"
    assert found["M-15"]["verdict"] == "needs_confirmation" and "可信度中" in found["M-15"]["note"]
    (tmp_path / "a.toml").write_text(text + '\n[legality]\nmodels = ["private_loan"]\nprivate_loan_rate = 0.2\nlpr_one_year_rate = 0.03\n', encoding="utf-8")
    assert main(["finance", "lint", str(tmp_path / "a.toml"), "--scenarios", "500", "--quiet", "--json"]) == 1
    found = {f["rule_id"]: f for f in json.loads(capsys.readouterr().out)["figures"]["findings"]}
    assert found["M-15"]["verdict"] == "fail" and "核对原文" in found["M-15"]["note"]


def test_the_day_can_be_asked_for(solar, capsys):
    main(["finance", "lint", str(solar), "--quiet", "--on", "2020-06-01"])
    said = capsys.readouterr().out
    assert "规则按 2020-06-01 适用" in said and "不在规则有效期内" in said


def test_the_table_is_written_for_a_spreadsheet(solar, tmp_path, capsys):
    main(["finance", "lint", str(solar), "--quiet", "--out", str(tmp_path / "out")])
    table = pd.read_csv(tmp_path / "out" / "legality.csv")
    assert len(table) == 58 and set(table["判定"]) == {"通过", "不通过", "待核实", "不涉及"} and table["来源"].notna().all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[legality]\nmodels = []\n", "没有规则适用日期"),
        ("[legality]\non = 2026-01-01\nlease_year = 3\n", "第 3 行 legality.lease_year"),
        ("legality = 3\n", "应为一张表"),
        ("[risk]\nseed = 1\n", "文件没有 [project] 也没有 [legality]"),
        ("[legality\n", "a.toml 第 1 行 legality"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, text, said, capsys):
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["finance", "lint", str(path), "--quiet"]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_day_is_refused(solar, capsys):
    assert main(["finance", "lint", str(solar), "--quiet", "--on", "soon"]) == 2
    assert "不是日期" in capsys.readouterr().err
