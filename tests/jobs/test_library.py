"""The project library from the example files to a year plan, to Excel and back, through stages and acceptance."""

import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from qianmo.governance.library.check import LIBRARY_TABLES
from qianmo.governance.stages.history import check_history
from qianmo.jobs.context import Context
from qianmo.jobs.library.store import LIBRARY_RESULTS, entries_of, open_library
from qianmo.jobs.opened import LIBRARY_TABLES_KEPT
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.reports.library_workbook import library_workbook
from qianmo.schema.errors import InfeasibleError, MissingDataError, NotAllowedError, SchemaError
from qianmo.schema.workflows import workflow
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, history, open_project
from qianmo.store.stage import read_catalog


def run(name, **values):
    context = Context(user="测试员", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    return job_spec(name).run(context, checked_values(job_spec(name), values))


@pytest.fixture(scope="session")
def made(repo: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library") / "项目"
    files = sorted(str(p) for p in (repo / "examples" / "library").glob("*.csv"))
    run("library-import", project=str(folder), files=files)
    return folder


@pytest.fixture
def town(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "项目", symlinks=True))


def sheet_of(town, tmp_path, edit):
    out = tmp_path / "库.xlsx"
    run("library-export", project=str(town), out=str(out))
    book = openpyxl.load_workbook(out)
    sheet = book["项目库"]
    edit(sheet, {c.value: c.column for c in sheet[1]})
    book.save(out)
    return str(out)


def row_of(sheet, project):
    return next(r for r in range(2, sheet.max_row + 1) if sheet.cell(r, 1).value == project)


def test_the_example_is_listed_with_its_classes_its_funds_and_its_mark(made):
    report = run("library-list", project=str(made))
    assert "24 个项目 [合成: 24 个虚拟项目]" in report.lines[0]
    money = {r["project_class"]: r["investment_yuan"] for r in report.figures["classes"]}
    assert money["合计"] == pytest.approx(sum(v for k, v in money.items() if k != "合计"), abs=0.005)
    assert sum(f["free_yuan"] for f in report.figures["funds"]) == pytest.approx(sum(f["amount_yuan"] - f["committed_yuan"] for f in report.figures["funds"]))
    assert run("library-list", project=str(made), state="CANDIDATE").figures["shown"] == ["CY-002"]
    d = read_catalog(open_project(made).state)["library_project"]
    assert d.synthetic and "library_project.csv" in d.lineage.source and len(d.lineage.source_sha256) == 64


def test_the_ranked_list_says_ties_and_what_turns_it_round(town):
    report = run("library-score", project=str(town))
    assert report.figures["order"][0] == "GF-001" and any("同分" in line for line in report.lines) and report.figures["flips"]
    other = run("library-score", project=str(town), weight=["fund_readiness=1"])
    assert other.figures["order"] != report.figures["order"] and other.figures["weights"]["urgency"] == 0
    compared = run("library-score", project=str(town), compare=["urgency:fund_readiness=3"])
    assert compared.figures["weights"]["urgency"] == pytest.approx(0.75)
    table = read_frame(open_project(town).state / "tables" / "library_rank.parquet")
    assert table["rank"].tolist() == list(range(1, 25))
    for wrong in ({"weight": ["urgency"]}, {"compare": ["urgency:x=3"]}, {"compare": ["urgency:fund_readiness=z"]}, {"weight": ["urgency=1"], "compare": ["a:b=1"]}):
        with pytest.raises(SchemaError):
            run("library-score", project=str(town), **wrong)


def test_the_year_plan_pays_every_project_and_no_fund_runs_dry(town):
    report = run("library-portfolio", project=str(town), first=2027, years=5)
    assert report.figures["gap"] <= 0.005 and report.figures["value"] >= report.figures["value_by_rank"]
    state = open_project(town).state / "tables"
    payments, balance = (read_frame(state / f"{n}.parquet") for n in ("portfolio_payment", "fund_balance"))
    assert (balance["closing_yuan"] >= 0).all()
    assert (balance["opening_yuan"] + balance["arrived_yuan"] - balance["paid_yuan"] - balance["lapsed_yuan"] - balance["closing_yuan"]).abs().max() < 0.005
    projects = open_library(town).projects.set_index("project_id")
    paid = payments.groupby("project_id")["amount_yuan"].sum()
    assert ((paid - projects.loc[paid.index, "investment_yuan"]).abs() < 0.005).all()
    starts = report.figures["starts"]
    assert projects.loc["GF-001", "start_year"] == 2027 == starts["GF-001"] and starts["GF-004"] > starts["GF-001"] and "CY-002" not in starts
    north = payments["project_id"].map(projects["region"]) == "北片"
    assert payments.loc[north, "amount_yuan"].sum() >= 2_500_000
    assert json.loads((state / "portfolio.json").read_text(encoding="utf-8"))["value"] == report.figures["value"]


def test_a_plan_that_can_not_be_paid_names_what_is_in_conflict_and_stores_nothing(town, tmp_path):
    def edit(sheet, at):
        sheet.cell(row_of(sheet, "GF-002"), at["必须实施"]).value = "是"
        sheet.cell(row_of(sheet, "GF-002"), at["最早开工年"]).value = 2027
        sheet.cell(row_of(sheet, "GF-002"), at["最晚开工年"]).value = 2027

    run("library-import", project=str(town), files=[sheet_of(town, tmp_path, edit)])
    before = open_project(town).generation
    with pytest.raises(InfeasibleError) as told:
        run("library-portfolio", project=str(town), first=2027, years=5)
    assert any("GF-002" in c for c in told.value.conflict) and any("XJ-HJ" in c for c in told.value.conflict) and len(told.value.conflict) == 6
    assert open_project(town).generation == before


def test_an_export_that_is_read_back_unchanged_writes_nothing(town, tmp_path):
    file = sheet_of(town, tmp_path, lambda sheet, at: None)
    before = open_project(town).generation
    report = run("library-import", project=str(town), files=[file])
    assert report.lines[-1] == "没有变化, 没有写入" and open_project(town).generation == before


def test_changes_of_a_sheet_come_in_with_a_list_of_what_changed(town, tmp_path):
    def edit(sheet, at):
        sheet.cell(row_of(sheet, "ZXM-001"), at["紧迫程度"]).value = 5
        sheet.delete_rows(row_of(sheet, "FM-002"))
        sheet.append(["GF-009", "公共服务与基础设施建设", "己巳村污水", "己巳村", "南片", "候选"])
        sheet.cell(sheet.max_row, at["投资(元)"]).value = 100000.5

    report = run("library-import", project=str(town), files=[sheet_of(town, tmp_path, edit)])
    assert report.figures["changes"]["library_project"] == {"added": 1, "changed": 1, "removed": 1} and report.exit_code == 0
    assert any("紧迫程度: 3 → 5" in line for line in report.lines)
    library = open_library(town)
    assert library.row("GF-009")["investment_yuan"] == 100000.5 and "FM-002" not in library.projects["project_id"].tolist()
    assert entries_of(library.history, "GF-009")[0].reason == "由 库.xlsx 读入" and history(town)[-1].what == "项目库: 读入 库.xlsx"


def test_conflicting_and_wrong_rows_are_refused_with_their_rows_and_nothing_is_stored(town, tmp_path):
    at_row = {}

    def edit(sheet, at):
        at_row.update({p: row_of(sheet, p) for p in ("ZXM-001", "ZXM-003", "ZXM-004")})
        sheet.cell(at_row["ZXM-001"], at["紧迫程度"]).value = 1
        sheet.cell(at_row["ZXM-003"], at["项目类别"]).value = "修路"
        sheet.cell(at_row["ZXM-004"], at["状态"]).value = "已批准"

    file = sheet_of(town, tmp_path, edit)
    run("library-move", project=str(town), id="ZXM-001", to="SUSPENDED", role="county", reason="等待批复")
    before = open_project(town).generation
    with pytest.raises(SchemaError) as told:
        run("library-import", project=str(town), files=[file])
    for project, word in (("ZXM-001", "导出后库中也改过"), ("ZXM-003", "应为: 农用地整理"), ("ZXM-004", "不能改状态")):
        assert f"第 {at_row[project]} 行 {project}" in told.value.found and word in told.value.found
    assert open_project(town).generation == before
    report = run("library-import", project=str(town), files=[file], take_clean=True)
    assert report.exit_code == 1 and len(report.figures["refused"]) == 3 and len(open_library(town).projects) == 24


def test_a_sheet_that_breaks_the_library_is_refused_even_in_part(town, tmp_path):
    file = sheet_of(town, tmp_path, lambda sheet, at: sheet.delete_rows(row_of(sheet, "GF-004")))
    with pytest.raises(SchemaError, match="项目不在库中"):
        run("library-import", project=str(town), files=[file], take_clean=True)


@pytest.mark.parametrize("text", ["项目编号,颜色\nA,红\n", "项目编号,项目编号\nA,B\n"])
def test_a_table_with_other_heads_is_refused(tmp_path, text):
    file = tmp_path / "library_project.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match=r"列|duplicate"):
        run("library-import", project=str(tmp_path / "新"), files=[str(file)])
    assert not (tmp_path / "新").exists()


def test_a_project_is_moved_by_those_who_may_and_its_steps_are_kept(town):
    with pytest.raises(NotAllowedError, match="缺少材料"):
        run("library-move", project=str(town), id="ZXM-001", to="PLAN_DRAFT", role="town")
    papers = ["实施方案", "basic_farmland_plan", "图件", "数据库"]
    run("library-move", project=str(town), id="ZXM-001", to="PLAN_DRAFT", role="town", document=papers, actor="王五")
    library = open_library(town)
    entries = entries_of(library.history, "ZXM-001")
    assert [e.state_to for e in entries] == ["APPROVED_RESERVE", "PLAN_DRAFT"] and entries[1].actor == "王五" and check_history(workflow("project_library"), entries) == ()
    shown = run("library-move", project=str(town), id="ZXM-001")
    assert set(shown.figures["open"]) == {"VILLAGE_AGREED", "APPROVED_RESERVE", "SUSPENDED", "WITHDRAWN"}
    for wrong in ({"to": "PLAN_DRAFT"}, {"to": "VILLAGE_AGREED", "role": "village", "document": ["茶叶"]}):
        with pytest.raises(SchemaError):
            run("library-move", project=str(town), id="ZXM-001", **wrong)
    with pytest.raises(MissingDataError, match="没有项目"):
        run("library-move", project=str(town), id="X")


def test_an_acceptance_with_cuts_gives_money_and_quota_and_is_stored(town, tmp_path):
    blank = tmp_path / "验收.csv"
    run("library-accept", project=str(town), id="ZXM-001", out=str(blank))
    form = pd.read_csv(blank, dtype=str, encoding="utf-8-sig").set_index("验收指标", drop=False)
    new, paddy, wet, dry, before = "YS_GM_XZGDMJ", "YS_GM_STMJ", "YS_GM_SJDMJ", "YS_GM_HDMJ", "YS_GM_HJQXZGDMJ"
    for field, measured in ((new, "1.44"), (paddy, "1.0"), (wet, "0"), (dry, "0.44"), (before, "1.44"), ("YS_GM_ZGM", "1.44")):
        form.loc[field, "实测数"] = measured
    for field in (new, dry):
        form.loc[field, ["核减数", "核减原因", "核减说明"]] = ["0.04", "坡度超过规定", "东北角坡度 27 度"]
    form.loc[new, "单价(元)"] = "210000.05"
    form.to_csv(blank, index=False, encoding="utf-8-sig")
    report = run("library-accept", project=str(town), id="ZXM-001", form=str(blank))
    assert report.figures["new_farmland_m2"] == 14000.0 and report.figures["paddy_m2"] == 10000.0
    assert report.figures["contract_fen"] == 30238285 and report.figures["payable_fen"] == 29400007 and report.figures["deducted_fen"] == 838278
    stored = read_frame(open_project(town).state / "tables" / "acceptance_line.parquet").set_index("field")
    assert stored.loc[new, "accepted"] == 1.4 and stored.loc[new, "reason_code"] == "slope"
    form.loc[dry, ["核减数", "核减原因", "核减说明"]] = ["", "", ""]
    form.to_csv(blank, index=False, encoding="utf-8-sig")
    with pytest.raises(NotAllowedError, match="核减后"):
        run("library-accept", project=str(town), id="ZXM-001", form=str(blank))
    with pytest.raises(SchemaError, match="的验收表"):
        run("library-accept", project=str(town), id="ZXM-003", form=str(blank))


def test_the_workbook_has_lists_no_formulas_and_the_same_bytes_twice(made):
    tables = open_library(made).tables
    content = library_workbook(tables, title="镇")
    assert content == library_workbook(tables, title="镇")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book["基线"].sheet_state == "hidden" and book["项目库"].data_validations.count >= 10
    assert not [c for sheet in book for row in sheet for c in row if c.data_type == "f"]
    words = [c.value for c in book["选项"]["A"]]
    assert words[0] == "项目库 项目类别" and len(words) >= 8 and "产业导入" in words


def test_text_that_looks_like_a_formula_stays_text(town, tmp_path):
    def edit(sheet, at):
        sheet.cell(2, at["备注"]).value = "'=1+1"

    run("library-import", project=str(town), files=[sheet_of(town, tmp_path, edit)])
    book = openpyxl.load_workbook(io.BytesIO(library_workbook(open_library(town).tables, title="镇")))
    assert not [c for row in book["项目库"] for c in row if c.data_type == "f"]


def test_sub_projects_of_a_plan_become_candidates_once(tmp_path):
    folder = tmp_path / "镇"
    row = {"subproject_id": "ZXM-001", "project_class": "农用地整理", "name": "甲子村田块归并", "village_code": "1", "village_name": "甲子村", "measure": "merge_fields", "patches": 2,
           "area_m2": 6299.65, "new_farmland_m2": 0.0, "cost_yuan": 22074.35, "start_year": 2026, "end_year": 2026}  # fmt: skip
    with change(folder, what="x", user="x", now=datetime(2026, 1, 1, tzinfo=UTC), settings_text='[project]\nname = "镇"\n') as stage:
        stage.put_table("subproject", pd.DataFrame([row]))
    assert run("library-add", project=str(folder)).figures["added"] == ["ZXM-001"]
    library = open_library(folder)
    assert library.row("ZXM-001")["investment_yuan"] == 22074.35 and entries_of(library.history, "ZXM-001")[0].state_to == "CANDIDATE"
    before = open_project(folder).generation
    assert run("library-add", project=str(folder)).figures["added"] == [] and open_project(folder).generation == before
    with pytest.raises(SchemaError, match=r"没有可安排的项目|错误"):
        run("library-portfolio", project=_with_funds(folder, tmp_path), first=2027)


def _with_funds(folder, tmp_path):
    for name, text in (("library_fund", "资金编号,资金名称,资金渠道,可结转年数\nA,甲,县级财政,0\n"), ("library_fund_year", "资金编号,年度,到位金额(元)\nA,2027,100\n")):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    run("library-import", project=str(folder), files=[str(tmp_path / "library_fund.csv"), str(tmp_path / "library_fund_year.csv")])
    return str(folder)


def test_the_tables_that_stay_when_layers_change_are_those_of_the_library():
    assert set(LIBRARY_TABLES_KEPT) == {*LIBRARY_TABLES, "library_history", "library_change", *LIBRARY_RESULTS, "acceptance_line"}


def test_a_step_that_was_taken_meanwhile_is_never_overwritten(town):
    from qianmo.jobs.library.store import put_library, still_as_read

    read = open_library(town)
    run("library-move", project=str(town), id="ZXM-001", to="SUSPENDED", role="county", reason="等待")
    before = len(history(town))
    with pytest.raises(NotAllowedError, match="他人改动"), change(town, what="迟到的写入", user="乙", now=datetime(2026, 1, 3, tzinfo=UTC)) as stage:
        still_as_read(stage, read)
        put_library(stage, read.tables, read.history, Context(), source="迟到")
    assert open_library(town).row("ZXM-001")["state"] == "SUSPENDED" and len(history(town)) == before
