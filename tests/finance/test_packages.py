"""The four packages: quota chain, wellness bundle, homestead swap, mine and photovoltaics, and what their files refuse."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from qianmo.finance.packages.accounts import account_risk, delayed
from qianmo.finance.packages.variants import variant
from qianmo.finance.project.read import project_from
from qianmo.finance.project.references import priced, referred_values
from qianmo.finance.risk.from_project import project_risk
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import open_finance_file
from qianmo.jobs.finance.package import TEMPLATES, run
from qianmo.jobs.finance.template import template_text
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import FinanceInputError, NotAllowedError, SchemaError
from qianmo.store.finance_file import read_finance_file

CASES = ("huangshi_mine", "daying_wellness", "huangqiao_homestead", "renhua_solar")


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(__file__).resolve().parents[2] / "examples" / "finance" / "packages"


def package(file: Path, **values: object):
    spec = job_spec("finance-package")
    return run(Context(user="测试员"), checked_values(spec, {"file": str(file), "scenarios": 400, **values}))


@pytest.fixture(scope="module")
def reports(folder):
    return {name: package(folder / f"{name}.toml") for name in CASES}


def figure(report, name: str) -> float:
    return next(found[name] for found in report.figures["figures"].values() if name in found)


@pytest.mark.parametrize("name", CASES)
def test_every_package_passes_its_checks_and_says_that_it_is_invented(reports, name):
    report = reports[name]
    assert report.exit_code == 0 and all(report.figures["checks"].values())
    assert "（合成）" in report.lines[0] and any("合成数据" in line for line in report.lines)


@pytest.mark.parametrize("name", CASES)
def test_no_package_breaks_a_binding_rule_of_the_linter(folder, name):
    spec = job_spec("finance-lint")
    report = spec.run(Context(user="测试员"), checked_values(spec, {"file": str(folder / f"{name}.toml")}))
    assert report.exit_code == 0 and report.figures["hard_failures"] == []


def test_a19_a_thousand_mu_times_eight_tenths_times_150000_yuan_is_120_million(reports):
    report = reports["huangshi_mine"]
    assert figure(report, "quota") == 800.0 and figure(report, "quota_income") == 120_000_000.0
    uses = report.figures["figures"]["收益用途"]
    assert list(uses.values()) == [72_000_000.0, 24_000_000.0, 24_000_000.0]


def test_a19_income_may_not_differ_from_the_quota_line(folder, tmp_path):
    text = (folder / "huangshi_mine.toml").read_text(encoding="utf-8").replace('mine_area = "1000 亩"', 'mine_area = "1000.01 亩"')
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    report = package(tmp_path / "x.toml")
    assert report.exit_code == 1 and not report.figures["checks"]["指标链收入与报表指标收入一致(到分)"]


def test_a19_two_years_of_delay_move_the_income_and_need_a_bridge(folder):
    model = open_finance_file(folder / "huangshi_mine.toml")
    late = variant(model.project, later_months={"quota": 24})
    base, moved = np.array(model.values["line.quota.amount"]), np.array(late.values["line.quota.amount"])
    assert (moved[2:] == base[:-2]).all() and moved.sum() == base.sum()
    assert late.figures["irr_before_tax"].value < model.figures["irr_before_tax"].value
    assert late.figures["short_term_peak"].value > model.figures["short_term_peak"].value == 0


def test_a19_restoration_account_is_never_negative_in_four_of_five_futures(reports):
    assert figure(reports["huangshi_mine"], "account.mine.never_below") >= 0.8
    assert figure(reports["huangshi_mine"], "account.mine.lowest_p80") >= 0.0


def test_a19_uses_that_do_not_sum_to_one_are_refused_with_their_line(folder, tmp_path):
    text = (folder / "huangshi_mine.toml").read_text(encoding="utf-8").replace('"产业培育" = 0.2', '"产业培育" = 0.3')
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FinanceInputError) as caught:
        package(tmp_path / "x.toml")
    assert caught.value.key == "package.uses" and caught.value.line == next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith("uses"))


def test_a20_forty_per_cent_of_the_beds_instead_of_55_changes_the_rate_of_return(reports, folder):
    report = reports["daying_wellness"]
    high, low = figure(report, "occupancy.0.5500.irr"), figure(report, "occupancy.0.4000.irr")
    assert high == open_finance_file(folder / "daying_wellness.toml").figures["irr_before_tax"].value
    assert high - low > 0.05


def test_a20_the_40_per_cent_row_equals_a_file_written_with_40_per_cent(reports, folder, tmp_path):
    text = (folder / "daying_wellness.toml").read_text(encoding="utf-8").replace('"55 %"]', '"40 %"]')
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    assert figure(reports["daying_wellness"], "occupancy.0.4000.irr") == pytest.approx(open_finance_file(tmp_path / "x.toml").figures["irr_before_tax"].value, abs=1e-7)


def test_a20_value_is_zero_at_the_occupancy_that_breaks_even(reports, folder):
    share = figure(reports["daying_wellness"], "break_even_occupancy")
    model = open_finance_file(folder / "daying_wellness.toml")
    at = variant(model.project, factors=dict.fromkeys(("stay", "meals", "materials"), share / 0.55)).figures["npv_before_tax"].value
    assert abs(at) < 0.001 * abs(model.figures["npv_before_tax"].value)


def test_a20_increments_of_the_parts_add_up_to_the_bundle(reports):
    found = reports["daying_wellness"].figures["figures"]["增量归属(有无对比)"]
    assert found["attributed.整治"] + found["attributed.康养"] == pytest.approx(found["with.both"], abs=0.02)
    assert found["bundle_gain"] == pytest.approx(found["with.both"] - found["without.整治"] - found["without.康养"], abs=0.02)


def test_a20_beds_on_more_land_than_approved_fail_the_check(folder, tmp_path):
    text = (folder / "daying_wellness.toml").read_text(encoding="utf-8").replace('beds_land = "45 亩"', 'beds_land = "61 亩"')
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    assert not package(tmp_path / "x.toml").figures["checks"]["康养用地不超过已批建设用地"]


def test_a21_300_households_free_54_mu_and_leave_45_225(reports):
    areas = reports["huangqiao_homestead"].figures["figures"]["面积"]
    assert (areas["old"], areas["resettle"], areas["freed"], areas["accepted"], areas["reserve"], areas["surplus"]) == (90, 36, 54, 85.5, 4.275, 45.225)


def test_a21_areas_equal_the_parcel_table_to_one_square_metre(reports, folder, tmp_path):
    found = reports["huangqiao_homestead"].figures["figures"]["面积与宗地核对"]
    assert abs(found["parcels.old"] - found["planned.old"]) <= 1 and abs(found["parcels.resettle"] - found["planned.resettle"]) <= 1
    text = (folder / "huangqiao_homestead.toml").read_text(encoding="utf-8")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    table = (folder / "huangqiao_parcels.csv").read_text(encoding="utf-8").replace("HQ-001,old,200.00", "HQ-001,old,201.01")
    (tmp_path / "huangqiao_parcels.csv").write_text(table, encoding="utf-8")
    assert package(tmp_path / "x.toml").exit_code == 1


def test_a21_fund_balance_is_income_less_uses_year_by_year_and_breaks_even_where_said(reports):
    report = reports["huangqiao_homestead"]
    rows = {k: np.array(v) for k, v in report.figures["yearly"].items()}
    assert np.allclose(np.cumsum(rows["收入"] - rows["支出"]), rows["累计余额"], atol=0.005)
    year = int(figure(report, "lasting"))
    assert rows["累计余额"][year - 1] >= 0 > rows["累计余额"][year - 2]


def test_a21_at_the_break_even_occupancy_the_last_balance_is_zero(reports, folder):
    report, model = reports["huangqiao_homestead"], open_finance_file(folder / "huangqiao_homestead.toml")
    share = figure(report, "break_even_occupancy") / 0.85
    changed = variant(model.project, factors={"rent": share, "tax_share": share}).values
    income = sum(sum(changed[f"line.{n}.amount"]) for n in ("land", "rent", "tax_share"))
    uses = sum(sum(changed[f"sub.{s}.{k}"]) for s in ("resettlement", "park") for k in ("cost", "capex"))
    assert abs(income - uses) < 100 * 100


def test_a22_twenty_megawatts_at_1150_hours_give_23000_megawatt_hours_in_year_one(folder, tmp_path):
    text = (folder / "renhua_solar.toml").read_text(encoding="utf-8").replace('quantity = "plant:energy"', 'quantity = ["20 MW", "1150 小时/年"]')
    text = text.replace('"renhua_plant.toml"', f'"{folder / "renhua_plant.toml"}"')
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    assert figure(package(tmp_path / "x.toml"), "energy_first") == pytest.approx(23_000.0, abs=1e-6)


def test_a22_energy_of_the_package_is_that_of_the_plant_on_the_weather_of_shaoguan(reports, folder):
    spec = job_spec("pv")
    plant = spec.run(Context(user="测试员"), checked_values(spec, {"file": str(folder / "renhua_plant.toml")}))
    assert any(isinstance(v, float) and abs(v - figure(reports["renhua_solar"], "energy_first") * 1000) < 1 for v in _numbers(plant.figures))


def test_a22_band_of_the_rate_of_return_and_carbon_are_given(reports):
    report = reports["renhua_solar"]
    assert figure(report, "irr.p10") < figure(report, "irr.p50") < figure(report, "irr.p90")
    assert figure(report, "carbon_first") == pytest.approx(figure(report, "energy_first") * 0.55, rel=1e-9)
    assert figure(report, "soil_saved") == pytest.approx(8 * (45 - 8))


def test_a22_a_subsidy_for_building_breaks_f07_and_a_guaranteed_return_m02(folder, tmp_path):
    text = (folder / "renhua_solar.toml").read_text(encoding="utf-8").replace('"renhua_plant.toml"', f'"{folder / "renhua_plant.toml"}"')
    text = text.replace('nature = "operating_subsidy"', 'nature = "construction_subsidy"').replace("guaranteed_return = false", "guaranteed_return = true")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    spec = job_spec("finance-lint")
    report = spec.run(Context(user="测试员"), checked_values(spec, {"file": str(tmp_path / "x.toml")}))
    assert {"F-07", "M-02"} <= set(report.figures["hard_failures"]) and report.exit_code == 1


def test_f01_feedback_ratio_and_rate_of_return_of_the_worked_example(folder):
    figures = open_finance_file(folder.parent / "eod_simple.toml").figures
    assert figures["feedback_ratio"].value == pytest.approx(1.754003, abs=1e-6)
    assert figures["irr_before_tax"].value == pytest.approx(0.117202, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_f02_sources_cover_uses_in_every_year(reports, name):
    assert reports[name].figures["checks"]["各年资金来源不小于运用(F-02)"] and figure(reports[name], "gap") == 0.0


def test_f03_jobs_without_evidence_are_refused(folder, tmp_path):
    text = (folder / "huangshi_mine.toml").read_text(encoding="utf-8").replace('evidence = "合成: 无实测来源"\n', "")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FinanceInputError, match="没有来源"):
        package(tmp_path / "x.toml")


@pytest.mark.parametrize("wrong", ['beds = "600 床"', 'kind = "wellness_bundle"'])
def test_a_package_without_a_key_it_needs_names_the_key(folder, tmp_path, wrong):
    text = (folder / "daying_wellness.toml").read_text(encoding="utf-8").replace(wrong, "", 1)
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FinanceInputError) as caught:
        package(tmp_path / "x.toml")
    assert caught.value.key == f"package.{wrong.split(' ')[0]}" and caught.value.line > 0


def test_a_misspelt_key_of_the_package_is_refused(folder, tmp_path):
    text = (folder / "daying_wellness.toml").read_text(encoding="utf-8").replace("beds_land =", "bed_land = 1\nbeds_land =")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FinanceInputError, match="bed_land"):
        package(tmp_path / "x.toml")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_unfilled_template_is_refused_where_it_is_first_blank(kind):
    text = template_text(kind)
    data = referred(tomllib.loads(text), text)
    with pytest.raises(FinanceInputError) as caught:
        project_from(data, file="t.toml", text=text)
    assert "填写" in text.splitlines()[caught.value.line - 1]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_filled_template_is_a_project(kind):
    text = re.sub(r"填写(?=[ %])", "100", template_text(kind)).replace("100 %", "60 %")
    project = project_from(referred(tomllib.loads(text), text), file="t.toml", text=text)
    assert len(project.lines) >= 5


def referred(data, text):
    from qianmo.finance.project.references import Referred

    plant = {"capacity": "1000 kW", "energy": "1000000 kWh/年", "area": "30 亩"}
    return referred_values(data, lambda word, name: Referred(plant[name], "试") if word == "plant" else priced(word, name), file="t.toml", text=text)[0]


def test_a_template_does_not_replace_a_file(tmp_path):
    spec = job_spec("finance-template")
    out = tmp_path / "mine.toml"
    spec.run(Context(user="测试员"), checked_values(spec, {"kind": "mine_to_quota", "out": str(out)}))
    assert out.read_text(encoding="utf-8") == template_text("mine_to_quota")
    with pytest.raises(NotAllowedError):
        spec.run(Context(user="测试员"), checked_values(spec, {"kind": "mine_to_quota", "out": str(out)}))


@pytest.mark.parametrize(("name", "sub"), [("huangshi_mine", "mine"), ("daying_wellness", "consolidation"), ("renhua_solar", "mine")])
def test_account_of_a_scenario_equals_the_statements_of_the_file_changed_alike(folder, name, sub):
    model = open_finance_file(folder / f"{name}.toml")
    given, _ = read_finance_file(folder / f"{name}.risk.toml")
    risk = project_risk(model.project, model.values, given)
    names = [x.name for x in risk.inputs]
    drawn = np.ones((len(names), 1))
    factors: dict[str, float] = {}
    delays: dict[str, int] = {}
    for row in given["input"]:
        at = names.index(row["name"])
        mine = [ln for ln in model.project.lines if any(ln.id == w or w == f"kind={ln.kind}" for w in row["lines"])]
        if row.get("effect") == "delay_months":
            drawn[at] = 17.0
            delays |= {ln.id: 17 for ln in mine}
            continue
        value = 0.7 if row.get("share") else 0.9
        drawn[at] = value
        for ln in mine:
            planned = next((v for k, _, v in ln.shares if k == "accepted_share"), 1.0) if row.get("share") else 1.0
            factors[ln.id] = factors.get(ln.id, 1.0) * value / planned
    changed = variant(model.project, factors=factors, later_months=delays)
    found = account_risk(model.project, risk, drawn)[sub].balance_fen[:, 0]
    assert np.allclose(found, changed.values[f"sub.{sub}.account"], atol=100.0)
    assert np.abs(np.diff(found)).max() > 0


def test_what_a_delay_moves_beyond_the_end_is_lost_and_nothing_else():
    flow = np.tile(np.array([[0.0], [10.0], [20.0]]), (1, 3))
    assert delayed(flow, np.array([0.0, 6.0, 24.0])).sum(axis=0).tolist() == [30.0, 20.0, 0.0]


def test_a_variant_of_a_line_that_is_not_there_is_refused(folder):
    with pytest.raises(SchemaError, match="nothing"):
        variant(open_finance_file(folder / "huangshi_mine.toml").project, factors={"nothing": 1.0})


def _numbers(value):
    if isinstance(value, dict):
        for v in value.values():
            yield from _numbers(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _numbers(v)
    else:
        yield value
