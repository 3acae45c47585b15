"""The command quality by the other standards: results, workbook, sheets, lineage; refusals leave nothing."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import openpyxl
import pytest

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def planned(planned_youwuzhen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("standards") / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    return folder


def tables(folder, *names):
    state = open_project(folder).state
    return [read_frame(state / "tables" / f"{n}.parquet") for n in names]


def farmland(folder):
    patches = read_frame(open_project(folder).state / "layers" / "landuse_patch.parquet")
    return patches[patches["class_code"].astype(str).str.startswith("01")]


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def words_of(book, first):
    return {str(c.value) for sheet in book.worksheets[first:] for line in sheet.iter_rows() for c in line}


def test_gradation_gives_three_grades_before_and_after_with_workbook_sheets_and_lineage(planned, tmp_path, capsys):
    farm = farmland(planned)
    rows = [{"标识码": p, "ph": "6.5", "drainage": "most", "yield_rice_kg_mu": "420", "yield_wheat_kg_mu": "270", "cost_rice_yuan_mu": "600", "cost_wheat_yuan_mu": "450"} for p in farm["patch_id"]]
    told = write(tmp_path / "分等.csv", rows)
    assert main(["quality", str(planned), "--standard", "28407", "--indicators", told, "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["figures"]
    patch, crop, total, area = tables(planned, "gradation_patch", "gradation_crop_index", "gradation_total", "gradation_grade_area")
    now = patch[patch["natural_index"].notna()]
    assert set(farm["patch_id"]) <= set(patch["patch_id"]) and np.allclose(now["use_index"], now["natural_index"] * 0.6)
    assert np.allclose(now["economic_index"], crop.groupby("patch_id")["economic_index"].sum().reindex(now["patch_id"]))
    # by another route: grade = 15 less the whole steps of 400 and of 200
    assert (now["natural_grade"] == 15 - np.floor(now["natural_index"] / 400 + 1e-9)).all() and (now["use_grade"] == 15 - np.floor(now["use_index"] / 200 + 1e-9)).all()
    assert np.allclose(now["capacity_kg_mu"], (15.5 - now["use_grade"]) * 100)
    works = now[now["measure"] == "high_standard"]
    assert (works["natural_index_after"] >= works["natural_index"] - 1e-9).all() and len(works)
    both = total.set_index("item")
    assert both.loc["capacity", "before"] == pytest.approx((now["capacity_kg_mu"] * now["area_ha"] * 15).sum() / 1000) and said["capacity"] == pytest.approx(both.loc["capacity", "before"])
    assert both.loc["use_grade", "before"] == pytest.approx(np.average(now["use_grade"], weights=now["area_ha"]))
    assert area["natural_ha"].sum() == pytest.approx(farm["class_area_m2"].sum() / 1e4) and area["natural_after_ha"].sum() == pytest.approx(both.loc["farmland", "after"])
    book = openpyxl.load_workbook(planned / "quality" / "农用地分等附表.xlsx", data_only=True)
    assert len(book.sheetnames) == 5 and not {"nan", "depth", "high_standard", "mixed"} & words_of(book, 1) and "实际产量" in words_of(book, 1)
    for zh in ("农用地自然质量等别图", "农用地利用等别图", "整治后农用地经济等别图"):
        assert (planned / "quality" / f"{zh}.png").read_bytes()[:4] == b"\x89PNG"
    record = json.loads((open_project(planned).state / "tables" / "gradation_lineage.json").read_text(encoding="utf-8"))
    assert record["region"] == "example" and record["capacity_basis"] == "use" and record["with_plan"] and record["files"]["分等.csv"] and record["sources"]["landuse_patch"]


@pytest.mark.parametrize(("rows", "word"), [
    ([{"BSM": "没有的", "ph": "6"}], "第 2 行 没有的"), ([{"patch_id": "P", "depth_m": "0.8"}], "depth_m"), ([{"patch_id": "P", "ph": "65"}], "酸碱度"), ([{"patch_id": "P", "drainage": "half"}], "half"),
    ([{"patch_id": "P", "yield_rice_kg_mu": "9000"}], "单产"), ([{"patch_id": "P", "use_coefficient": "80"}], "use_coefficient"), ([{"number": "P", "ph": "6"}], "BSM"),
])  # fmt: skip
def test_a_gradation_file_that_does_not_fit_is_refused_by_row_and_nothing_is_written(planned, tmp_path, capsys, rows, word):
    before = open_project(planned).state
    first = str(farmland(planned)["patch_id"].iloc[0])
    told = write(tmp_path / "坏.csv", [{k: first if v == "P" else v for k, v in r.items()} for r in rows])
    assert main(["quality", str(planned), "--standard", "28407", "--indicators", told, "--quiet"]) != 0
    assert word in capsys.readouterr().err and open_project(planned).state == before


def test_a_region_that_is_not_in_the_tables_or_not_for_the_standard_is_refused(planned, capsys):
    assert main(["quality", str(planned), "--standard", "28407", "--region", "火星", "--quiet"]) != 0
    assert "示例指标区" in capsys.readouterr().err
    assert main(["quality", str(planned), "--region", "example", "--quiet"]) != 0
    assert "33469" in capsys.readouterr().err


def sampled(folder, *changes):
    """A good sample on each of the first farmland parcels that the plan keeps dry, changed by the ones given."""
    (plan,) = [read_frame(open_project(folder).state / "layers" / "plan_parcel.parquet")]
    kept = plan[plan["target_class"].astype(str) == "0103"]["patch_id"].astype(str).tolist()
    good = {"depth_cm": "80", "bulk_density_g_cm3": "1.3", "gravel_share": "0.05", "ph": "6.5", "organic_g_kg": "15", "slope_deg": "3"}
    blank = {"years_after": "", "yield_kg_mu": "", "surrounding_kg_mu": "", "target_class": "", "form": ""}
    return [{"BSM": kept[k], "sample": f"样{k + 1}", **good, **blank, **c} for k, c in enumerate(changes)]


def test_reclamation_judges_samples_and_parcels_and_shows_them(planned, tmp_path, capsys):
    rows = sampled(planned, {}, {"depth_cm": "30"}, {"ph": ""}, {"years_after": "2", "yield_kg_mu": "240", "surrounding_kg_mu": "400"}, {"slope_deg": "20", "form": "梯田"})
    told = write(tmp_path / "样点.csv", rows)
    assert main(["quality", str(planned), "--standard", "1036", "--region", "东南沿海山地丘陵区", "--indicators", told, "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["figures"]
    result, patch, total = tables(planned, "reclamation_result", "reclamation_patch", "reclamation_total")
    assert patch["verdict"].tolist() == ["pass", "needs_confirmation", "no_data", "pending", "pass"] and said["verdicts"]["pass"] == 2 and said["samples"] == 5
    assert "不小于 40 厘米" in patch["reason_zh"][1] and len(result) == 30 and (result["verdict"] != "pass").sum() == 2
    assert total["area_ha"].sum() == pytest.approx(patch["area_ha"].sum()) and sum(said["area_ha"].values()) == pytest.approx(patch["area_ha"].sum())
    book = openpyxl.load_workbook(planned / "quality" / "土地复垦质量附表.xlsx", data_only=True)
    assert len(book.sheetnames) == 4 and not {"nan", "needs_confirmation", "dry_land", "mixed"} & words_of(book, 1) and any("条文待核实" in w for w in words_of(book, 1))
    assert (planned / "quality" / "土地复垦质量判定图.png").read_bytes()[:4] == b"\x89PNG"
    record = json.loads((open_project(planned).state / "tables" / "reclamation_lineage.json").read_text(encoding="utf-8"))
    assert record["region"] == "southeast" and record["files"]["样点.csv"]


@pytest.mark.parametrize(("change", "word"), [
    ({"form": "坡"}, "第 2 行 坡"), ({"depth_cm": "0.8"}, "别的单位"), ({"gravel_share": "5"}, "砾石含量"), ({"target_class": "0701"}, "0701"), ({"yield_kg_mu": "300"}, "第 2 行"),
    ({"depth_cm": "厚"}, "厚"), ({"BSM": "没有的"}, "没有的"), ({"colour": "red"}, "colour"),
])  # fmt: skip
def test_samples_that_cannot_be_meant_are_refused_by_row_and_nothing_is_written(planned, tmp_path, capsys, change, word):
    before = open_project(planned).state
    told = write(tmp_path / "坏.csv", sampled(planned, change))
    assert main(["quality", str(planned), "--standard", "1036", "--region", "loess", "--indicators", told, "--quiet"]) != 0
    assert word in capsys.readouterr().err and open_project(planned).state == before


def test_reclamation_asks_for_its_region_and_its_samples(planned, capsys):
    assert main(["quality", str(planned), "--standard", "1036", "--quiet"]) != 0
    assert "--region" in capsys.readouterr().err
    assert main(["quality", str(planned), "--standard", "1036", "--region", "loess", "--quiet"]) != 0
    assert "--indicators" in capsys.readouterr().err


def test_high_standard_scores_farmland_and_names_works_and_cost(planned, tmp_path, capsys):
    farm = farmland(planned)
    rows = [{"patch_id": p, "plough_cm": "25", "depth_cm": "45" if k == 0 else "70", "organic_g_kg": "20", "ph": "6.5", "irrigation_assurance": "0.96", "drainage_storm_years": "10", "drainage_days": "1",
             "road_m": "50", "slope_deg": "3", "texture": "loam"} for k, p in enumerate(farm["patch_id"])]  # fmt: skip
    told = write(tmp_path / "高标.csv", rows)
    assert main(["quality", str(planned), "--standard", "30600", "--region", "东南区", "--indicators", told, "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["figures"]
    patch, score, area, work, total = tables(planned, *(f"high_standard_{n}" for n in ("patch", "score", "area", "work", "total")))
    assert len(patch) == len(farm) and patch["verdict"].value_counts().to_dict() == {"met": len(farm) - 1, "short": 1}
    first = float(farm["class_area_m2"].iloc[0]) / 1e4
    assert said["short"] == pytest.approx(first) and said["gap_mu"] == pytest.approx(first * 15) and said["cost"] == pytest.approx(first * 15 * 1800 / 1e4)
    assert said["works_ha"] == {"add_soil": pytest.approx(first)} and work["price_zh"].str.contains("元/m3").all()
    assert said["area_scores"]["access"] == 2 and area.set_index("indicator").loc["depth", "short_ha"] == pytest.approx(first)
    # by another route: roads and ditches over farmland with them
    patches = read_frame(open_project(planned).state / "layers" / "landuse_patch.parquet")
    fields = patches.loc[patches["class_code"].astype(str).str.startswith(("1006", "1107")), "class_area_m2"].sum()
    assert area.set_index("indicator").loc["facility", "value"] == pytest.approx(fields / (fields + farm["class_area_m2"].sum()))
    assert len(score) >= 8 * len(farm) and total["value"].notna().all()
    book = openpyxl.load_workbook(planned / "quality" / "高标准农田达标评价附表.xlsx", data_only=True)
    assert len(book.sheetnames) == 6 and not {"nan", "short", "add_soil", "mixed", "parcel"} & words_of(book, 1) and "客土增厚土层" in words_of(book, 1)
    assert (planned / "quality" / "高标准农田达标评价图.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(("row", "word"), [
    ({"irrigation_assurance": "85"}, "灌溉保证率"), ({"depth_cm": "0.8"}, "别的单位"), ({"depth_m": "0.8"}, "depth_m"), ({"grade": "12"}, "质量等级"),
])  # fmt: skip
def test_percent_metres_and_grades_of_another_system_are_refused(planned, tmp_path, capsys, row, word):
    before = open_project(planned).state
    told = write(tmp_path / "坏.csv", [{"patch_id": p, **row} for p in read_frame(before / "layers" / "landuse_patch.parquet")["patch_id"]])
    assert main(["quality", str(planned), "--standard", "30600", "--region", "tibet", "--indicators", told, "--quiet"]) != 0
    assert word in capsys.readouterr().err and open_project(planned).state == before
