"""`qianmo finance settle`: the worked examples of the design by command, and what a planner may get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qianmo.cli.main import main


@pytest.fixture
def text(repo: Path) -> str:
    return (repo / "examples" / "finance" / "settle.toml").read_text(encoding="utf-8")


def test_the_sections_give_the_worked_examples_of_the_design(repo, tmp_path, capsys):
    asked = ["finance", "settle", str(repo / "examples" / "finance" / "settle.toml"), "--out", str(tmp_path), "--quiet", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)["figures"]
    assert found["areas_mu"] == {"old_mu": 90.0, "resettle_mu": 36.0, "freed_mu": 54.0, "accepted_mu": 85.5, "reserve_mu": 4.275, "surplus_mu": 45.225}
    assert sum(found["quota"]["income_yuan"].values()) == 120_000_000 and found["quota"]["by_year_yuan"][3] == 120_000_000
    assert (found["market_entry"]["levy_yuan"], found["market_entry"]["net_yuan"]) == (75_000, 175_000)
    assert (found["land_ticket"]["farmer_yuan"], found["land_ticket"]["collective_yuan"]) == (119_000, 21_000)
    assert list(found["claims_yuan"]["talmud"].values()) == [500_000, 750_000, 750_000]
    assert found["account"]["left_yuan"]["infrastructure"] == 3_075_000
    assert found["balance"]["lasting"] == 8 and found["balance"]["balance_yuan"][8] == 2_480_000
    assert (tmp_path / "单项测算.xlsx").stat().st_size > 5000


def test_a_payment_without_voucher_is_refused_and_told(text, tmp_path, capsys):
    (tmp_path / "a.toml").write_text(text.replace('voucher = "2027-014"', 'voucher = ""'), encoding="utf-8")
    assert main(["finance", "settle", str(tmp_path / "a.toml"), "--quiet"]) == 1
    assert "没有凭证号" in capsys.readouterr().out


def test_a_section_alone_is_enough(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('[land_ticket]\nprice = "19 万元"\ncost = "5 万元"\n', encoding="utf-8")
    assert main(["finance", "settle", str(tmp_path / "a.toml"), "--quiet"]) == 0
    assert "农户 11.90 万元" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('old_area_each = "0.30 亩"', 'old_area_each = "-0.30 亩"', "swap.old_area_each"), ("accept_rate = 0.95", "accept_rate = 1.2", "swap.accept_rate"),
        ('area = "1000 亩"', 'area = "1000 万元"', "area"), ('price = "15 万元/亩"', 'price = "15 万元"', "price"),
        ('"偿还工程款" = 0.5', '"偿还工程款" = 0.6', "uses"), ("levy_rate = 0.3", "levy_rate = 0.6", "market_entry.levy_rate"),
        ('cost = "35 万元"', 'cost = "65 万元"', "market_entry"), ('"成员分配" = 0.7', '"成员分配" = 0.6', "market_entry"),
        ('estate = "200 万元"', 'estate = "900 万元"', "claims.estate"), ("industry = 0.2", "industry = 0.3", "remainder.uses"),
        ("farmer_share = 0.85", "farmer_share = nan", "land_ticket.farmer_share"), ("one_off = [0, ", "one_off = [0, 0, ", "swap.one_off"),
        ("[land_ticket]", "[land_tickets]", "land_tickets"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_key_and_writes_nothing(text, tmp_path, capsys, old, new, said):
    assert old in text
    (tmp_path / "a.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert main(["finance", "settle", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "a.toml" in told and "第" in told and "行" in told and said in told
    assert not (tmp_path / "out").exists()
