"""The command quality: grades, reasons, workbook and sheets; tables and indicators of the county; refusals leave nothing."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import openpyxl
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.evaluation.quality_model import MODEL_TABLES
from qianmo.jobs.evaluation.evaluate_area import run as evaluate
from qianmo.jobs.planning.plan_area import run as plan
from qianmo.schema.shipped import shipped_rows
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def planned(planned_youwuzhen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality") / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def graded(planned):
    assert main(["quality", str(planned), "--quiet"]) == 0
    return planned


def tables(folder, *names):
    state = open_project(folder).state
    return [read_frame(state / "tables" / f"{n}.parquet") for n in names]


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_every_farmland_patch_has_a_grade_or_says_why_not(graded):
    patch, area, total = tables(graded, "quality_patch", "quality_grade_area", "quality_total")
    patches = read_frame(open_project(graded).state / "layers" / "landuse_patch.parquet")
    farm = patches[patches["class_code"].str.startswith("01")]
    assert set(farm["patch_id"]) <= set(patch["patch_id"])
    now = patch[patch["index"].notna()]
    assert area["before_ha"].sum() == pytest.approx(farm["class_area_m2"].sum() / 1e4)
    mean = total.set_index("zh").loc["平均质量等级", "before"]
    assert mean == pytest.approx(np.average(now["grade"], weights=now["area_ha"])) and 1 <= mean <= 10
    assert (now["index_low"] <= now["index"] + 1e-12).all() and (now["index"] <= now["index_high"] + 1e-12).all()
    assert now.loc[now["limiting"] != "", "limiting_zh"].str.contains("失分").all()


def test_high_standard_farmland_is_never_worse_and_new_farmland_is_graded(graded):
    (patch,) = tables(graded, "quality_patch")
    works = patch[patch["measure"] == "high_standard"]
    new = patch[patch["grade"].isna() & patch["grade_after"].notna()]
    assert (works["index_after"] >= works["index"] - 1e-12).all() and len(new)
    _, total = tables(graded, "quality_patch", "quality_total")
    both = total.set_index("zh")["after"]
    after = patch[patch["grade_after"].notna()]
    assert both["平均质量等级"] == pytest.approx(np.average(after["grade_after"], weights=after["area_ha"]), abs=0.02)  # ridges differ


def test_new_farmland_has_no_grade_before_and_the_line_says_none(graded, tmp_path, capsys):
    shutil.copytree(graded, tmp_path / "project", symlinks=True)
    assert main(["quality", str(tmp_path / "project"), "--quiet"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "→" in line]
    assert any(line.startswith("新增耕地平均质量等级: 无 → ") for line in lines)
    assert not [line for line in lines if line.replace(" ", "").split("→")[0].endswith(":")]


def test_protected_farmland_is_barred_to_industry_with_the_reason(graded):
    (suit,) = tables(graded, "suitability_patch")
    patches = read_frame(open_project(graded).state / "layers" / "landuse_patch.parquet")
    assert len(suit) == 4 * len(patches) and set(suit["use"]) == {"farming", "restoration", "industry", "tourism"}
    options = tables(graded, "suitability_area")[0].set_index("use_zh")
    sums = options[[c for c in options.columns if c.endswith("_ha")]].sum(axis=1)
    assert np.allclose(sums, patches["area_m2"].sum() / 1e4)
    barred = suit[(suit["use"] == "industry") & (suit["class"] == "excluded")]
    assert len(barred) and barred["reason_zh"].str.contains("永久基本农田|生态保护红线|水域|坡度").all()


def test_the_workbook_and_the_sheets_are_there_and_the_lineage_names_the_sources(graded):
    folder = graded / "quality"
    book = openpyxl.load_workbook(folder / "耕地质量与适宜性附表.xlsx", data_only=True)
    assert len(book.sheetnames) == 7
    listed = {str(c.value) for sheet in book.worksheets[5:] for line in sheet.iter_rows() for c in line}
    assert "高标准农田建设" in listed and not {"keep", "high_standard", "slope", "industry", "excluded", "nan"} & listed
    for zh in ("耕地质量等级图", "整治后耕地质量等级图", "农业种植适宜性评价图", "产业建设适宜性评价图", "生态修复适宜性评价图", "乡村旅游适宜性评价图"):
        assert (folder / f"{zh}.png").read_bytes()[:4] == b"\x89PNG"
    record = json.loads((open_project(graded).state / "tables" / "quality_lineage.json").read_text(encoding="utf-8"))
    assert record["with_plan"] and record["sources"]["soil"] and record["consistency_ratio"]["soil"] < 0.1


def test_indicators_of_a_file_and_tables_of_a_county_count(planned, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(planned, folder, symlinks=True)
    patches = read_frame(open_project(folder).state / "layers" / "landuse_patch.parquet")
    farm = patches.loc[patches["class_code"].str.startswith("01"), "patch_id"]
    write(tmp_path / "指标.csv", [{"patch_id": p, "drainage": "none", "depth_cm": "20"} for p in farm])
    own = tmp_path / "表"
    own.mkdir()
    write(own / "quality_grade.csv", [{**r, "index_min": v} for r, v in zip(shipped_rows("parameters", "quality_grade"), (0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0))])
    assert main(["quality", str(folder), "--quiet", "--json", "--indicators", str(tmp_path / "指标.csv"), "--tables", str(own)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["figures"]["mean_grade"] == pytest.approx(10) and "quality_grade" in said["lines"][0]
    patch = tables(folder, "quality_patch")[0]
    assert np.allclose(patch.loc[patch["index"].notna(), "known_weight"], 1.0)


@pytest.mark.parametrize(("rows", "word"), [
    ([{"patch_id": "没有的", "drainage": "full"}], "没有的图斑"), ([{"patch_id": "P", "colour": "red"}], "colour"), ([{"id": "x", "drainage": "full"}], "patch_id"),
    ([{"patch_id": "P", "depth_cm": "深"}], "深"), ([{"patch_id": "P", "depth_cm": "2000"}], "厚度"), ([{"patch_id": "P", "drainage": "half"}], "half"),
])  # fmt: skip
def test_an_indicator_file_that_does_not_fit_is_refused_and_nothing_is_written(planned, tmp_path, capsys, rows, word):
    state = open_project(planned).state
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    first = patches.loc[patches["class_code"].str.startswith("01"), "patch_id"].iloc[0]
    write(tmp_path / "坏.csv", [{k: first if v == "P" else v for k, v in r.items()} for r in rows])
    assert main(["quality", str(planned), "--quiet", "--indicators", str(tmp_path / "坏.csv")]) != 0
    assert word in capsys.readouterr().err and open_project(planned).state == state


def test_a_folder_without_tables_and_a_broken_table_are_refused(planned, tmp_path, capsys):
    assert main(["quality", str(planned), "--quiet", "--tables", str(tmp_path)]) != 0
    assert "没有模型表" in capsys.readouterr().err
    (tmp_path / "quality_grade.csv").write_text("grade,name_zh,index_min\n1,一等\n", encoding="utf-8")
    assert main(["quality", str(planned), "--quiet", "--tables", str(tmp_path)]) != 0
    assert "第 2 行" in capsys.readouterr().err
    rows = [{**r, "weight": "0.5"} for r in shipped_rows("parameters", "quality_indicator")]
    (tmp_path / "quality_grade.csv").unlink()
    write(tmp_path / "quality_indicator.csv", rows)
    assert main(["quality", str(planned), "--quiet", "--tables", str(tmp_path)]) != 0
    assert "权重合计 4.0000" in capsys.readouterr().err


def test_every_table_of_the_model_ships_with_source_and_confidence():
    for name in MODEL_TABLES:
        frame = pd.DataFrame(shipped_rows("parameters", name))
        assert frame["source"].ne("").all() and frame["confidence"].isin(["high", "medium", "low"]).all(), name


def test_land_that_could_not_be_graded_is_not_graded_only_because_of_works(tmp_path, capsys, context):
    folder = tmp_path / "虚拟"
    assert main(["village", "--into", str(folder), "--patches", "200", "--villages", "2", "--quiet"]) == 0
    evaluate(context, {"project": str(folder)})
    plan(context, {"project": str(folder), "budget": 500, "start_year": None, "rule": None, "waive": None})
    capsys.readouterr()
    assert main(["quality", str(folder), "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["figures"]["graded_ha"] == 0 and said["figures"]["graded_ha_after"] == 0 and said["figures"]["mean_grade"] is None
    (patch,) = tables(folder, "quality_patch")
    assert (patch["measure"] == "high_standard").any() and patch["grade_after"].isna().all() and (patch["known_weight"].dropna() < 0.6).all()
    assert not (folder / "quality" / "耕地质量等级图.png").exists()


def test_the_invented_township_is_graded_with_its_invented_soil_and_says_so(tmp_path, capsys):
    folder = tmp_path / "town"
    assert main(["village", "--into", str(folder), "--patches", "200", "--villages", "2", "--quiet"]) == 0
    table = next(folder.glob("耕地质量指标*.csv"))
    capsys.readouterr()
    assert main(["quality", str(folder), "--indicators", str(table), "--quiet", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["graded_ha"] == pytest.approx(figures["farmland_ha"]) and 1 < figures["mean_grade"] < 10 and len(figures["limiting_ha"]) >= 3
    assert (folder / "quality" / "耕地质量等级图.png").is_file()
