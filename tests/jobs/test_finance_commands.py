"""``qianmo finance run``, ``explain`` and ``workbook`` as a clerk types them."""

from __future__ import annotations

import json

import openpyxl
import pandas as pd
import pytest

from qianmo.cli.main import main


@pytest.fixture
def example(repo):
    return str(repo / "examples/finance/eod_simple.toml")


def said(capsys):
    return capsys.readouterr().out


def test_run_says_the_figures_and_writes_the_eight_statements(example, tmp_path, capsys):
    assert main(["finance", "run", example, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    text = said(capsys)
    assert "7,326.64 万元" in text and "11.72%" in text and "1.754 倍" in text and "不通过" not in text
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert files == [f"{n}.csv" for n in ("balance", "debt", "equity", "investment", "investment_use", "parties", "plan", "profit", "source_use")]
    table = pd.read_csv(tmp_path / "out/investment.csv", dtype={"number": str}).set_index("number")
    assert table.loc["3", "total"] == 240_000_000.0 and table.loc["3", "1"] == -90_000_000.0


def test_run_as_json_gives_yuan_and_fractions(example, capsys):
    assert main(["finance", "run", example, "--json", "--quiet"]) == 0
    figures = json.loads(said(capsys))["figures"]
    assert figures["figures"]["npv_before_tax"] == pytest.approx(73_266_373.13, abs=0.01) and figures["units"]["npv_before_tax"] == "元"
    assert figures["figures"]["irr_before_tax"] == pytest.approx(0.117202, abs=1e-6)
    assert figures["checks"]["balance"] == {"passes": True, "years": []}


def test_run_shows_one_statement_and_refuses_an_unknown_one(example, capsys):
    assert main(["finance", "run", example, "--statement", "balance", "--quiet"]) == 0
    assert "差额(应为 0.00)" in said(capsys)
    assert main(["finance", "run", example, "--statement", "loot", "--quiet"]) == 2
    assert "investment" in capsys.readouterr().err


def test_a_project_that_runs_out_of_money_has_exit_code_1(repo, tmp_path, capsys):
    text = (repo / "examples/finance/eod_simple.toml").read_text(encoding="utf-8").replace('amount = "1800 万元/年"', 'amount = "900 万元/年"').replace("year = 3\n", "year = 20\n")
    (tmp_path / "poor.toml").write_text(text, encoding="utf-8")
    assert main(["finance", "run", str(tmp_path / "poor.toml"), "--quiet"]) == 1
    assert "不通过: 累计盈余资金不为负" in said(capsys)


def test_a_fault_in_the_file_names_its_line(repo, tmp_path, capsys):
    text = (repo / "examples/finance/eod_simple.toml").read_text(encoding="utf-8").replace("15 万元/亩", "15 万元/户")
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    assert main(["finance", "run", str(tmp_path / "wrong.toml"), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "资金文件有误" in told and "wrong.toml 第 62 行 quota[quota].price" in told and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = \n", "a: 值的写法不对"), (b"\xff\xfe", "UTF-16"), (b"\n\n", "文件是空的"), ("# 名\n".encode("gbk"), "第 1 行: 文件是 GBK"),
        (b"[project]\nyears = 3\nyears = 4\n", "第 3 行 years: 键重复"), (b"[project]\nname = 'x'\n", "base_year"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_project_is_refused(tmp_path, capsys, content, words):
    (tmp_path / "bad.toml").write_bytes(content)
    assert main(["finance", "run", str(tmp_path / "bad.toml"), "--quiet"]) == 2
    assert words in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["finance", "explain", str(tmp_path / "none.toml"), "--quiet"]) == 2
    assert "没有文件" in capsys.readouterr().err


def test_explain_walks_from_a_figure_to_the_file(example, capsys):
    assert main(["finance", "explain", example, "--figure", "dscr_min", "--year", "5", "--depth", "0", "--quiet"]) == 0
    text = said(capsys)
    assert "(息税折旧摊销前利润 − 所得税) ÷ 还本付息额" in text and "eod_simple.toml 第 80 行 loan[bank].rate" in text and "第 5 年: 1.90599" in text


def test_explain_as_json_gives_steps(example, capsys):
    assert main(["finance", "explain", example, "--figure", "loan.bank.interest", "--year", "4", "--json", "--quiet"]) == 0
    steps = json.loads(said(capsys))["figures"]["steps"]
    assert steps[0]["value"] == 368_798_690.0 and any(s.get("key") == "loan[bank].rate" and s["line"] == 80 for s in steps)


def test_explain_lists_everything_and_helps_with_a_name(example, capsys):
    assert main(["finance", "explain", example, "--quiet"]) == 0
    assert "npv_before_tax" in said(capsys)
    assert main(["finance", "explain", example, "--figure", "dscr", "--quiet"]) == 2
    assert "dscr_min" in capsys.readouterr().err
    assert main(["finance", "explain", example, "--figure", "npv_before_tax", "--year", "40", "--quiet"]) == 2


def test_workbook_writes_a_file_with_formulas(example, tmp_path, capsys):
    assert main(["finance", "workbook", example, "--out", str(tmp_path / "model.xlsx"), "--quiet"]) == 0
    assert "个公式" in said(capsys)
    book = openpyxl.load_workbook(tmp_path / "model.xlsx")
    assert book.sheetnames[:3] == ["说明", "输入", "计算"] and len(book.sheetnames) == 14
    assert main(["finance", "workbook", example, "--out", str(tmp_path / "model.pdf"), "--quiet"]) == 2


def test_rates_nobody_has_compared_with_the_original_are_listed_to_be_confirmed(repo, example, capsys):
    assert main(["finance", "run", str(repo / "examples" / "finance" / "packages" / "huangshi_mine.toml"), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "待核实" in said and "增值税" in said and "未与原文核对" in said
    assert main(["finance", "run", str(example), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["to_confirm"] == ["法定盈余公积提取比例"]
