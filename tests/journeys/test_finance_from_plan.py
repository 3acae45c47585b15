"""An invented township, its plan, and the money of that plan: nothing is typed twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import open_finance_file
from qianmo.jobs.planning.plan_figures import plan_figures
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import FinanceInputError
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project


def done(name: str, **values: object):
    spec = job_spec(name)
    return spec.run(Context(user="测试员", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC)), checked_values(spec, values))


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "town"
    done("village", into=str(folder), patches=400, villages=3)
    done("evaluate", project=str(folder))
    done("plan", project=str(folder), seconds=10.0)
    return folder


@pytest.fixture
def file(repo) -> Path:
    return repo / "examples" / "finance" / "packages" / "village_from_plan.toml"


def test_money_of_the_statements_equals_that_of_the_plan_to_the_fen(town, file):
    model = open_finance_file(file, str(town))
    parts = read_frame(open_project(town).state / "tables" / "subproject.parquet")
    for line, kind in (("ecology_works", "生态保护修复"), ("farmland_works", "农用地整理")):
        planned = round(parts.loc[parts["project_class"] == kind, "cost_yuan"].sum() * 100)
        assert planned > 0 and sum(model.values[f"line.{line}.amount"]) == planned


def test_new_farmland_of_the_quota_equals_that_of_the_plan_to_the_square_metre(town, file):
    model = open_finance_file(file, str(town))
    parts = read_frame(open_project(town).state / "tables" / "subproject.parquet")
    quota = next(ln for ln in model.project.lines if ln.id == "quota")
    assert quota.factors[0].unit == "m2" and quota.factors[0].value == pytest.approx(parts["new_farmland_m2"].sum(), abs=0.005)


def test_the_explanation_names_project_generation_and_hash(town, file):
    model = open_finance_file(file, str(town))
    plan = plan_figures(town)
    report = done("finance-explain", file=str(file), project=str(town), figure="line.quota.amount", depth=0)
    text = "\n".join(report.lines)
    assert f"第 {plan.generation} 版" in text and plan.digest[:12] in text and plan.project in text and "合成" in text
    assert model.project.name.endswith("（合成）")


def test_a_figure_the_plan_lacks_is_refused_with_file_line_and_key(town, file, tmp_path):
    bad = tmp_path / "bad.toml"
    text = file.read_text(encoding="utf-8").replace("plan:new_farmland", "plan:new_farm", 1)
    bad.write_text(text, encoding="utf-8")
    with pytest.raises(FinanceInputError) as caught:
        open_finance_file(bad, str(town))
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "plan:new_farm\"" in row)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("bad.toml", line, "quota[quota].area")
    assert "new_farmland" in caught.value.expected


def test_a_project_without_plan_is_refused_with_the_cure(tmp_path, file):
    folder = tmp_path / "empty"
    done("village", into=str(folder), patches=60, villages=1)
    with pytest.raises(FinanceInputError, match="qianmo plan"):
        open_finance_file(file, str(folder))


def test_every_parcel_class_and_year_adds_up_to_the_whole_plan(town):
    values = plan_figures(town).values
    whole = values["cost"][0]
    for kind in ("subproject.", "class.", "year."):
        parts = [v for n, (v, _) in values.items() if n.startswith(kind) and n.endswith(".cost")]
        assert round(sum(parts), 2) == whole
    assert round(sum(v for n, (v, _) in values.items() if n.startswith("cost.")), 2) == whole


def test_risk_workbook_and_lint_take_the_plan_too(town, file, tmp_path):
    inputs = tmp_path / "x.risk.toml"
    inputs.write_text('[[input]]\nname = "p"\nzh = "价"\nkind = "triangular"\nlow = 0.8\nmode = 1.0\nhigh = 1.2\nlines = ["quota"]\n', encoding="utf-8")
    assert done("finance-risk", file=str(file), project=str(town), inputs=str(inputs), scenarios=200).figures["scenarios"] == 200
    assert done("finance-workbook", file=str(file), project=str(town), out=str(tmp_path / "x.xlsx")).figures["formulas"] > 100
    assert done("finance-lint", file=str(file), project=str(town)).exit_code == 0


def test_homesteads_of_a_swap_are_the_parcels_of_the_plan(town, repo, tmp_path):
    parcels = read_frame(open_project(town).state / "tables" / "plan_parcel.parquet")
    mine = parcels[parcels["measure"] == "reclaim_homestead"]
    assert len(mine) >= 2
    text = (repo / "examples" / "finance" / "packages" / "huangqiao_homestead.toml").read_text(encoding="utf-8")
    text = text.replace('old_area_each = "0.30 亩/户"', 'old_area = "plan:measure.reclaim_homestead.area"').replace('"0.12 亩/户"', '"0.02 亩/户"')
    listed = ", ".join(f'"plan:patch.{p}.area"' for p in mine["patch_id"])
    written = text.replace('parcels = "huangqiao_parcels.csv"', f'old_parcels = [{listed}]\nnew_parcels = "4000 m2"')
    (tmp_path / "x.toml").write_text(written, encoding="utf-8")
    report = done("finance-package", file=str(tmp_path / "x.toml"), project=str(town))
    found = report.figures["figures"]["面积与宗地核对"]
    assert found["parcels.old"] == pytest.approx(mine["area_m2"].sum(), abs=0.005) and abs(found["parcels.old"] - found["planned.old"]) <= 1
    fewer = written.replace(f'"plan:patch.{mine["patch_id"].iloc[0]}.area", ', "")
    (tmp_path / "x.toml").write_text(fewer, encoding="utf-8")
    assert done("finance-package", file=str(tmp_path / "x.toml"), project=str(town)).exit_code == 1
