"""What a planner may get wrong in a project file, by command: file, line and key are named, nothing is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qianmo.cli.main import main

CASES = {
    "unit mismatch": ('area = "400 亩"', 'area = "400 户"', "quota[quota].price"), "unknown unit": ('"15 万元/亩"', '"15 万圆/亩"', "quota[quota].price"),
    "no number": ('"15 万元/亩"', '"万元/亩"', "quota[quota].price"), "no sign change": ('"1800 万元/年"', '"0 万元/年"', "project.years"),
    "gearing above one": ('"10800 万元"', '"30000 万元"', "loan[bank].amount"), "share above one": ('amount = "10800 万元"', 'share = "120 %"', "loan[bank].share"),
    "negative area": ('"400 亩"', '"-400 亩"', "quota[quota].area"), "no unit": ('amount = "8000 万元"', "amount = 8000", "line[plant].amount"),
    "missing rate for the date": ('rate = "3.6 %"', 'rate = { policy = "lpr_five_year" }', "loan[bank].rate"), "unknown rate": ('rate = "3.6 %"', 'rate = { policy = "lpr" }', "loan[bank].rate"),
    "duplicate key": ("years = 22\n", "years = 22\nyears = 23\n", "years"), "duplicate id": ('id = "plant"', 'id = "eco_works"', "line[eco_works].id"),
    "unknown party": ('zh = "银行贷款"', 'zh = "银行贷款"\nparty = "nobody"', "loan[bank].party"), "unknown part": ('sub_project = "industry"\nkind', 'sub_project = "x"\nkind', "line[plant].sub_project"),
    "unknown kind": ('"other_income"', '"othr_income"', "line[net_income].kind"), "misspelt table": ("[short_term]", "[shortterm]", "shortterm"),
    "misspelt key": ("first_flow", "first_flows", "project.first_flows"), "year out of range": ("year = 3\n", "year = 99\n", "quota[quota].year"),
    "to before from": ("from = 3\nto = 22", "from = 9\nto = 4", "line[net_income].to"), "no years": ("years = 22", "years = 0", "project.years"),
    "years as text": ("years = 22", 'years = "many"', "project.years"), "nan": ('benchmark_rate = "6 %"', "benchmark_rate = nan", "project.benchmark_rate"),
    "infinite": ('benchmark_rate = "6 %"', "benchmark_rate = inf", "project.benchmark_rate"), "too large": ('"1800 万元/年"', '"1e400 万元/年"', "line[net_income].amount"),
    "loan beyond the end": ("term_years = 15", "term_years = 40", "loan[bank].term_years"), "spread": ("spread = [0.5, 0.5]", "spread = [0.5, 0.6]", "line[eco_works].spread"),
    "owners above one": ("equity_share = 1.0", "equity_share = 1.2", "party[company].equity_share"), "accepted share": ("year = 3\n", "year = 3\naccepted_share = 95\n", "quota[quota].accepted_share"),
    "Chinese id": ('id = "plant"', 'id = "厂房"', "line[厂房].id"), "table for list": ("[[quota]]", "[quota]", "quota"), "no quotes": ('"6 %"', "6 %", "benchmark_rate"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fault_names_file_line_and_key_and_nothing_is_written(repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    old, new, key = CASES[case]
    text = (repo / "examples" / "finance" / "eod_simple.toml").read_text(encoding="utf-8")
    assert old in text
    if case == "missing rate for the date":
        text = text.replace("base_year = 2026", "base_year = 2026\nrates_on = 1995-01-01")
    if case == "no sign change":
        text = text.replace("15 万元/亩", "0 万元/亩")
    (tmp_path / "a.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    for verb, out in (("run", "out"), ("workbook", "a.xlsx")):
        assert main(["finance", verb, str(tmp_path / "a.toml"), "--out", str(tmp_path / out), "--quiet"]) == 2
        said = capsys.readouterr().err
        assert re.search(rf"a\.toml 第 \d+ 行 {re.escape(key)}: ", said), said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.toml"]


def test_a_file_in_the_encoding_of_an_old_editor_is_told(repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repo / "examples" / "finance" / "eod_simple.toml").read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_bytes(text.encode("gbk"))
    assert main(["finance", "run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert "a.toml 第 1 行: 文件是 GBK" in capsys.readouterr().err and not (tmp_path / "out").exists()
