"""The commands equity and exit: the shipped examples, and what a planner may get wrong."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from qianmo.cli.main import main
from qianmo.finance.distribution.game import Game
from qianmo.finance.distribution.nucleolus_check import check_nucleolus, read_certificate
from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import JobReport, checked_values
from qianmo.schema.errors import FinanceInputError, MissingDataError


@pytest.fixture(scope="module")
def folder(repo: Path) -> Path:
    return repo / "examples" / "finance"


def ran(context: Context, job: str, file: Path, **values: object) -> JobReport:
    spec = job_spec(job)
    return spec.run(context, checked_values(spec, {"file": str(file), **values}))


def changed(folder: Path, name: str, tmp_path: Path, old: str, new: str) -> Path:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_hongcun_gives_30_70_and_300_of_1000_and_caps_the_loss(context: Context, folder: Path, tmp_path: Path) -> None:
    report = ran(context, "equity", folder / "hongcun_equity.toml", out=str(tmp_path))
    assert [s["share"] for s in report.figures["shares"]] == [0.3, 0.7]
    assert report.figures["shares"][0]["low"] == pytest.approx(522 / (522 + 1100 + 360)) and report.exit_code == 0
    amounts = [y["amount_yuan"]["collective"] for y in report.figures["years"]]
    assert amounts == [3_000_000, -6_000_000, 2_000_000]
    members = report.figures["members"]
    assert members["ownership"] == {"村集体经济组织": 1.0} and sum(members["income_share"].values()) == pytest.approx(0.8)
    for year, amount in zip(members["years"], amounts, strict=True):
        assert year["public_fund_yuan"] + year["reserved_yuan"] + sum(year["member_yuan"].values()) == pytest.approx(amount, abs=1e-6)
    assert "30.00%" in "\n".join(report.lines) and report.figures["missing_clauses"] == []
    assert "作价入股股比表" in str(openpyxl.load_workbook(tmp_path / "作价入股.xlsx").sheetnames)


def test_gaochun_gives_the_printed_amounts_and_a_proof_that_can_be_checked(context: Context, folder: Path, tmp_path: Path) -> None:
    report = ran(context, "exit", folder / "gaochun_exit.toml", out=str(tmp_path))
    figures = report.figures
    assert (figures["private_yuan"], figures["collective_yuan"], figures["government_yuan"]) == (17_850_000, 8_505_000, 3_645_000)
    assert [s["scheme"] for s in figures["schemes"]] == ["contract", "time_weighted", "formula", "shapley", "nucleolus", "waterfall"]
    assert all(s["efficient"] and sum(s["amount_yuan"].values()) == pytest.approx(30_000_000, abs=1e-6) for s in figures["schemes"])
    assert {s["scheme"] for s in figures["schemes"] if not s["in_core"]} == {"time_weighted", "formula", "waterfall"}
    account = figures["account"]
    assert sum(account["assigned_yuan"].values()) == pytest.approx(8_505_000 + 3_645_000) and account["refused"] == []
    record = json.loads((tmp_path / "核仁证明.json").read_text(encoding="utf-8"))
    game = Game(tuple(record["parties"]), np.array([0, *(int(v) for v in record["values"].values())]))
    assert check_nucleolus(game, read_certificate(game, record)) == ()
    assert (tmp_path / "方案对照.png").stat().st_size > 10_000


def test_the_commands_run_and_speak_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exit", str(folder / "gaochun_exit.toml"), "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] and told["figures"]["share"] == 0.595


def test_a_loss_is_shared_by_the_agreement_and_nothing_else_is_compared(context: Context, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "gaochun_exit.toml", tmp_path, 'exit_value = "8000 万元"', 'exit_value = "4000 万元"')
    path.write_text(path.read_text(encoding="utf-8").split("[game]")[0] + "[remainder]\nindustry = 1\n", encoding="utf-8")
    figures = ran(context, "exit", path).figures
    assert figures["is_loss"] and figures["schemes"] == [] and figures["account"] is None
    assert (figures["private_yuan"], figures["collective_yuan"], figures["government_yuan"]) == (-6_000_000, -3_000_000, -1_000_000)


def test_a_payment_without_cover_is_refused_and_ends_with_1(context: Context, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "gaochun_exit.toml", tmp_path, 'amount = "180 万元"', 'amount = "980 万元"')
    report = ran(context, "exit", path)
    assert report.exit_code == 1 and "超出" in report.figures["account"]["refused"][0]


def test_an_asset_without_title_and_a_vote_that_fails_end_with_1(context: Context, folder: Path, tmp_path: Path) -> None:
    assert ran(context, "equity", changed(folder, "hongcun_equity.toml", tmp_path, 'title = "房屋产权登记簿（示例）"', "")).exit_code == 1
    blocked = ran(context, "equity", changed(folder, "hongcun_equity.toml", tmp_path, 'group = "迁入户"\nvote = "for"', 'group = "迁入户"\nvote = "against"'))
    assert blocked.exit_code == 1 and blocked.figures["vote"] == {"passed": False, "in_favour": pytest.approx(2 / 3), "vetoes": ["迁入户"]}


def test_a_guarantee_is_flagged_and_an_agreed_share_outside_the_band_is_said(context: Context, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "hongcun_equity.toml", tmp_path, 'loss_cap = "contribution"', 'minimum = "60 万元"\nshare = 0.4')
    path.write_text(path.read_text(encoding="utf-8").replace('role = "enterprise"', 'role = "enterprise"\nshare = 0.6'), encoding="utf-8")
    report = ran(context, "equity", path)
    assert report.figures["debt_like"] == [{"party": "collective", "rate": 0.1, "above_risk_free": True}]
    text = "\n".join(report.lines)
    assert "明股实债" in text and "不在评估区间" in text
    assert [y["amount_yuan"]["collective"] for y in report.figures["years"]][1] == 600_000


def test_a_missing_clause_is_named(context: Context, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "hongcun_equity.toml", tmp_path, 'risk = "亏损按股比承担, 村集体以出资为限"\n', "")
    report = ran(context, "equity", path)
    assert report.figures["missing_clauses"] == ["risk"] and any("协议缺少条款: 风险承担" in line for line in report.lines)


EQUITY = "hongcun_equity.toml"
EXIT = "gaochun_exit.toml"


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "said"),
    [
        (EQUITY, 'appraised = "360 万元"', 'appraised = "360 亩"', "asset[Z2].appraised", "量纲"),
        (EQUITY, 'appraised = "360 万元"', "appraised = 360", "asset[Z2].appraised", "没有单位"),
        (EQUITY, 'appraised = "360 万元"', 'appraised = "-360 万元"', "asset[Z2].appraised", "为负"),
        (EQUITY, 'appraised = "360 万元"', 'appraised = "360 万元/年"', "asset[Z2].appraised", "每年"),
        (EQUITY, 'band = "15 %"', "band = 1.5", "asset[Z2].band", "超出范围"),
        (EQUITY, 'id = "Z2"\nzh = "闲置民居 18 处"\nkind = "house"\nparty = "collective"', 'id = "Z2"\nzh = "民居"\nkind = "house"\nparty = "村"', "asset[Z2].party", "村"),
        (EQUITY, 'profit = "1000 万元"', "", "year[1].profit", "其一"),
        (EQUITY, "head_weight = 0.6", "head_weight = 0.5", "members.head_weight", "权重"),
        (EQUITY, 'reserved = "20 %"', 'reserved = "50 %"', "members.reserved", "超出范围"),
        (EQUITY, 'reserved = "20 %"', 'reserved = "20 %"\ncap = 0.1', "members.cap", "持股上限"),
        (EQUITY, "heads = 4", "heads = 4\nhead = 5", "member[汪家].head", "不认识"),
        (EQUITY, 'land = "3.2 亩"', 'land = "3.2 公顷"', "member[汪家].land", "亩"),
        (EQUITY, 'id = "enterprise"', 'id = "collective"', "party[collective].id", "重复"),
        (EQUITY, 'loss_cap = "contribution"', 'share = "30 %"', "party[collective].share", "约定股比"),
        (EXIT, "year = 5", "year = -5", "exit.year", "超出范围"),
        (EXIT, 'index = 1.125 ', "index = 0 ", "exit.index", "超出范围"),
        (EXIT, "levy_rate = 0 ", "levy_rate = 0.1 ", "exit.levy_rate", "调节金"),
        (EXIT, 'floor = "20 %"', 'floor = "70 %"', "terms.floor", "高于上限"),
        (EXIT, "performance = 0.9", "performance = 1.5", "terms.performance", "超出范围"),
        (EXIT, 'contract = "50 %"', 'contract = "60 %"', "party[company].contract", "1.1"),
        (EXIT, 'role = "collective"', 'role = "private"', "party[company].role", "角色"),
        (EXIT, 'amount = "1700 万元"\nyear = 0', 'amount = "1700 万元"\nyear = 6', "contribution[1].year", "晚于退出"),
        (EXIT, 'amount = "1700 万元"\nyear = 0', 'amount = "1700 万元"\ndate = 2024-01-01', "contribution[1].date", "基准日"),
        (EXIT, 'amount = "1700 万元"\nyear = 0', 'amount = "1700 万元"\nyear = 0.5', "tier[1].investor_share", "整年"),
        (EXIT, 'hurdle = "8 %"', "hurdle = 0", "tier[1].investor_share", "门槛"),
        (EXIT, 'investor_share = 0\ncatch_up = "20 %"', 'investor_share = 0.9\ncatch_up = "20 %"', "tier[1].investor_share", "追赶"),
        (EXIT, "rest_to_all = true", "rest_to_all = false", "game.together", "万元"),
        (EXIT, 'parties = ["company", "collective"]', 'parties = ["company", "村"]', "game.together[1].parties", "村"),
        (EXIT, 'parties = ["company", "collective"]\nadds = "700 万元"', 'parties = ["company"]\nadds = "3100 万元"', "game.together", "单干"),
        (EXIT, "infrastructure = 0.4", "infrastructure = 0.3", "remainder.infrastructure", "0.9"),
        (EXIT, "date = 2026-03-15", 'date = "2026-03-15"', "spending[1].date", "不是日期"),
        (EXIT, 'exit_value = "8000 万元"', 'exit_value = "800 万元"', "loss.private", "亏损"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_key(context: Context, folder: Path, tmp_path: Path, name: str, old: str, new: str, key: str, said: str) -> None:
    path = changed(folder, name, tmp_path, old, new)
    if said == "亏损":
        path.write_text(path.read_text(encoding="utf-8").replace("private = 0.6\ncollective = 0.3\ngovernment = 0.1", "collective = 1"), encoding="utf-8")
    with pytest.raises(FinanceInputError) as caught:
        ran(context, "equity" if name == EQUITY else "exit", path, out=str(tmp_path / "out"))
    assert caught.value.file == name and caught.value.key == key and caught.value.line > 0
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_missing_or_no_toml_is_refused_with_its_line(context: Context, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        ran(context, "exit", tmp_path / "no.toml")
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nb = \n", encoding="utf-8")
    with pytest.raises(FinanceInputError, match="第 2 行"):
        ran(context, "equity", path)
    path.write_bytes("a = '村'".encode("gb18030"))
    with pytest.raises(FinanceInputError, match="UTF-8"):
        ran(context, "equity", path)


def test_the_huangqiao_example_runs_and_closes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(folder / "huangqiao_balance.py"), run_name="__main__")
    told = capsys.readouterr().out
    assert "节余 45.225 亩" in told and "第 11 年起资金平衡" in told and told.count("一致") == 2


def test_a_levy_shows_the_pool_over_its_whole_band(context: Context, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "gaochun_exit.toml", tmp_path, "levy_rate = 0 ", 'levy_rate = "30 %" ')
    report = ran(context, "exit", path)
    assert (report.figures["levy_yuan"], report.figures["pool_yuan"]) == (9_000_000, 21_000_000)
    assert any("可分配增值 1,500.00 万元 至 2,400.00 万元" in line for line in report.lines)
