"""qianmo swap on an invented township: layers, form, answers, plan and book (永农布局调整作业)."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

from qianmo.evaluation.basic_farmland_form import moved_areas
from qianmo.jobs import make_village, searching
from qianmo.jobs.book import make_book
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation import evaluate_area
from qianmo.jobs.opened import SWAP_LAYERS, SWAP_TABLES, open_for_work
from qianmo.jobs.planning import plan_area, swap_farmland
from qianmo.planning.solve import solve
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import InfeasibleError, MissingDataError, RuleError
from qianmo.schema.units import m2_to_mu
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project

OPTIONS = {"surplus": None, "cap": None, "waive": None, "fewest": False, "gap": 0.05, "minutes": 0.1, "json": False}


def swapped(context: Context, folder: Path, **more: object):
    return swap_farmland.run(context, {"project": str(folder), **OPTIONS, **more})


@pytest.fixture(scope="module")
def township(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "project"
    make_village.run(Context(user="测试员"), {"into": str(folder), "patches": 500, "villages": 3, "seed": 7})
    return folder


@pytest.fixture(scope="module")
def done(township: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swapped") / "project"
    shutil.copytree(township, folder, symlinks=True)
    swapped(Context(user="测试员"), folder)
    return folder


@pytest.fixture
def copy(township: Path, tmp_path: Path) -> Path:
    shutil.copytree(township, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def layers(folder: Path) -> dict[str, gpd.GeoDataFrame]:
    state = open_project(folder).state
    return {n: read_frame(state / "layers" / f"{n}.parquet") for n in ("basic_farmland", *SWAP_LAYERS, "landuse_patch")}


def table(folder: Path, name: str) -> pd.DataFrame:
    return read_frame(open_project(folder).state / "tables" / f"{name}.parquet")


def test_what_stays_and_what_enters_is_what_is_protected_after(done):
    found = layers(done)
    before, after = set(found["basic_farmland"]["patch_id"]), set(found["basic_farmland_after"]["patch_id"])
    out, into = set(found["basic_farmland_out"]["patch_id"]), set(found["basic_farmland_in"]["patch_id"])
    assert out and into and out <= before and not into & before
    assert after == (before - out) | into
    assert into <= set(found["landuse_patch"]["patch_id"])
    sums = {n: round(moved_areas(found[n]).sum(), 2) for n in ("basic_farmland", *SWAP_LAYERS)}
    assert sums["basic_farmland_after"] == pytest.approx(sums["basic_farmland"] - sums["basic_farmland_out"] + sums["basic_farmland_in"], abs=1e-6)
    assert found["basic_farmland_after"].geometry.is_valid.all()
    assert not found["basic_farmland_after"].geometry.overlaps(found["basic_farmland_after"].geometry.shift()).any()


def test_the_rules_of_the_adjustment_are_answered(done):
    judged = table(done, "swap_verdicts").set_index("rule_id")["verdict"]
    assert {judged[r] for r in ("Z-02", "Z-03", "Z-04", "Z-05", "Z-06", "Z-07", "Z-08")} == {"pass"}
    assert judged["Z-09"] == "no_data"


def test_the_form_closes_and_equals_the_layers(done):
    form = table(done, "swap_form").set_index("field")["value"]
    found = layers(done)
    for prefix, name in (("dc", "basic_farmland_out"), ("dr", "basic_farmland_in")):
        total = float(form[f"{prefix}Zmj"])
        assert total == pytest.approx(moved_areas(found[name]).sum() / 1e4, abs=5.1e-5)
        assert int(form[f"{prefix}Tbsm"]) == len(found[name])
        for parts in (("PdLe15Mj", "PdGe15Le25", "PdGe25"), ("LpLe5", "LpGe5Le10", "LpGe10Le20", "LpGe20"), ("XzGdmj", "XzFgdmj")):
            assert round(sum(float(form[prefix + p]) for p in parts), 4) == total
        assert round(sum(float(form[prefix + p]) for p in ("XzStmj", "XzSjdmj", "XzHdmj")), 4) == float(form[f"{prefix}XzGdmj"])
        grade = found[name]["quality_grade"].astype(float)
        assert float(form[f"{prefix}Pjzldb"]) == pytest.approx(np.average(grade, weights=found[name]["area_m2"]), abs=1e-4)
    out, into = (moved_areas(found[n]).sum() for n in ("basic_farmland_out", "basic_farmland_in"))
    assert f"增加{m2_to_mu(into - out):.2f}亩" in form["scjg1"]
    assert form["sfsj"] == "是" and form["dcHyGbntMj"] == "缺数据" and "审查人员" in form["scjg3"]


def test_the_workbook_of_the_form_holds_the_same_figures(done):
    path = next((done / "swap").glob("*.xlsx"))
    sheet = openpyxl.load_workbook(path).active
    rows = {r[0].value: [c.value for c in r] for r in sheet.iter_rows() if r[0].value}
    form = table(done, "swap_form").set_index("field")["value"]
    assert rows["总面积"][2:] == [float(form["dcZmj"]), float(form["drZmj"])]
    assert rows["图斑数目"][2:] == [int(form["dcTbsm"]), int(form["drTbsm"])]
    assert "合成" in str(sheet["A2"].value)


def test_every_moved_patch_has_a_reason_and_every_unit_a_decision(done):
    parcels = table(done, "swap_parcel")
    assert parcels["reason"].str.len().gt(3).all()
    assert set(parcels["decision"]) <= {"stay", "leave", "enter", "refused", "not_chosen"}
    gone = parcels[parcels["decision"] == "leave"]
    assert gone["rule_ids"].str.len().gt(0).all()
    moved = layers(done)["basic_farmland_in"]
    assert moved["to_confirm"].str.contains("须核实").all()


def test_the_certificate_is_kept_with_its_checks(done):
    kept = json.loads((open_project(done).state / "tables" / "swap_certificate.json").read_text(encoding="utf-8"))
    assert kept["kind"] == "farmland_swap" and all(c["ok"] for c in kept["checks"])
    assert kept["problem_sha256"] and kept["questions"] and kept["bound"] >= kept["objective"] * (1 - 1e-12)


def test_json_is_printed_alone_and_reads_back(copy, context):
    report = swapped(context, copy, json=True)
    assert len(report.lines) == 1 and not report.files
    told = json.loads(report.lines[0])
    assert told["figures"]["n_out"] == told["certificate"]["n_out"] > 0


def test_an_impossible_wish_names_the_rules_and_changes_nothing(copy, context):
    before = open_project(copy).generation
    slope = read_frame(open_project(copy).state / "layers" / "basic_farmland.parquet")
    slope.loc[slope.index[:3], "slope_class"] = "5"
    _put(copy, context, "basic_farmland", slope)
    patches = read_frame(open_project(copy).state / "layers" / "landuse_patch.parquet")
    _put(copy, context, "landuse_patch", patches.drop(columns="slope_deg"))
    with pytest.raises(InfeasibleError) as caught:
        swapped(context, copy, cap=1e-5)
    assert "Z-03" in caught.value.conflict and "missing" in caught.value.found
    assert open_project(copy).generation == before + 2
    assert not (copy / "swap").exists() and "basic_farmland_out" not in open_for_work(copy).layers


def test_where_nothing_leaves_no_layer_and_no_form_is_made(copy, context):
    report = swapped(context, copy, cap=0.0)
    assert "不填报审查表" in report.lines[0] and not report.files
    assert not set(SWAP_LAYERS) & set(open_for_work(copy).layers)
    assert not table(copy, "swap_parcel")["decision"].eq("leave").any()


def test_wrong_wishes_and_missing_layers_are_refused(copy, context):
    with pytest.raises(RuleError, match="share from 0 to 1"):
        swapped(context, copy, surplus=5.0)
    with pytest.raises(RuleError, match="cannot be waived"):
        swapped(context, copy, waive=["Z-99"])
    text = (copy / "project.toml").read_text(encoding="utf-8")
    (copy / "project.toml").write_text(text + '\n[swap]\npolluted_layer = "nowhere"\n', encoding="utf-8")
    with pytest.raises(MissingDataError, match="nowhere"):
        swapped(context, copy)
    (copy / "project.toml").write_text(text, encoding="utf-8")
    with change(copy, what="x", user="x", now=context.clock()) as stage:
        stage.remove("basic_farmland")
    with pytest.raises(MissingDataError, match="永久基本农田"):
        swapped(context, copy)


def test_land_under_a_named_layer_of_pollution_must_leave(copy, context):
    base = read_frame(open_project(copy).state / "layers" / "basic_farmland.parquet")
    grade = pd.to_numeric(base["quality_grade"])
    spoilt = base[(grade == grade.max())].iloc[:1]
    _put(copy, context, "soil_survey", gpd.GeoDataFrame({"feature_id": ["1"]}, geometry=spoilt.geometry.to_numpy(), crs=base.crs), kind="other_layer")
    text = (copy / "project.toml").read_text(encoding="utf-8")
    (copy / "project.toml").write_text(text + '\n[swap]\npolluted_layer = "soil_survey"\n', encoding="utf-8")
    swapped(context, copy)
    out = layers(copy)["basic_farmland_out"].set_index("patch_id")
    assert "污染" in out.loc[spoilt["patch_id"].iloc[0], "reason"]
    questions = table(copy, "swap_questions")
    assert not questions["code"].eq("polluted").any()


def test_the_plan_says_which_layer_protects_and_the_book_shows_the_chapter(done, tmp_path):
    said: dict[str, list[str]] = {}
    folder = tmp_path / "project"
    shutil.copytree(done, folder, symlinks=True)
    evaluate_area.run(Context(user="测试员"), {"project": str(folder)})
    for how in ("both", "adjusted"):
        context = Context(user="测试员")
        plan_area.run(context, {"project": str(folder), "budget": None, "start_year": None, "rule": None, "waive": ["Z-01"], "basic_farmland": how})
        said[how] = context.notes
    assert "都不得改变用途" in said["both"][0] and "调出地块可以安排其他用途" in said["adjusted"][0]
    verdicts = table(folder, "plan_verdicts").set_index("rule_id")
    assert verdicts.loc["Z-02", "verdict"] == "pass" and "布局调整后" in verdicts.loc["Y-01", "numbers"]
    indicators = table(folder, "indicators")
    assert indicators["zh"].str.contains("永久基本农田").any()
    report = make_book.run(Context(user="测试员"), {"project": str(folder), "out": None, "office": None, "template": None})
    assert report.figures["tables"] > 0
    book = openpyxl.load_workbook(folder / "book" / "附表.xlsx")
    names = " ".join(book.sheetnames)
    assert "审查情况" in names or "永久基本农田" in names
    cells = [str(c.value) for s in book.worksheets for r in s.iter_rows() for c in r if c.value]
    assert "调出" in cells and any("零星" in c or "调入:" in c or "等别" in c for c in cells)


def test_a_new_swap_replaces_the_old_and_ingest_results_are_swept(done, tmp_path, context):
    folder = tmp_path / "project"
    shutil.copytree(done, folder, symlinks=True)
    first = table(folder, "swap_parcel")
    swapped(context, folder, surplus=0.3)
    second = table(folder, "swap_parcel")
    assert (first["unit_id"] == second["unit_id"]).all()
    total = table(folder, "swap_balance").iloc[0]
    assert total["in_m2"] >= 1.3 * total["out_m2"] - 0.01
    assert set(SWAP_TABLES) - {"swap_certificate"} <= {p.stem for p in (open_project(folder).state / "tables").glob("*.parquet")}


def _put(folder: Path, context: Context, name: str, frame: gpd.GeoDataFrame, *, kind: str = "") -> None:
    old = open_for_work(folder).datasets.get(name)
    lineage = old.lineage if old else Lineage("test", "", "test", "2026-01-01", "test")
    with change(folder, what="x", user="x", now=context.clock()) as stage:
        scheme = old.class_scheme if old else ""
        stage.put_layer(frame, Dataset(name, kind or name, name, str(frame.crs), scheme, "", True, len(frame), lineage))


def test_a_broken_off_swap_is_saved_with_its_gap(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(problem, *, hear=None, **settings):
        found = solve(problem, **settings)
        if hear is not None:
            hear(found)
            time.sleep(2.0)
        return replace(found, bound=found.bound + 1.0)

    @contextmanager
    def at_once():
        yield lambda: True

    monkeypatch.setattr(searching, "solve", slow)
    steps: list[str] = []
    context = Context(user="测试员", progress=lambda step, share: steps.append(step), catch=at_once)
    report = swapped(context, copy, gap=0.0, minutes=1.0)
    assert report.figures["interrupted"] and "提前结束" in report.lines[0] and 0 <= report.figures["gap"] < 1
    assert table(copy, "swap_parcel")["decision"].isin(["leave", "enter"]).any()
    assert any("余" in s for s in steps)
