"""The command erosion: from a project with heights to grids, tables and a map sheet; what is missing is said."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.evaluation.service_classes import factor_column
from qianmo.geo.slope_length import steepness_factor
from qianmo.jobs.evaluation.evaluate_area import run as evaluate
from qianmo.jobs.planning.plan_area import run as plan
from qianmo.store.parquet import read_frame, write_frame
from qianmo.store.project import open_project
from qianmo.store.read_cog import read_cog
from qianmo.store.stage import read_catalog


@pytest.fixture(scope="module")
def eroded(youwuzhen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("erosion") / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    assert main(["erosion", str(folder), "--quiet"]) == 0
    return folder


def _said(capsys):
    return json.loads(capsys.readouterr().out)


def test_the_real_catchment_gets_grids_tables_and_a_sheet_with_lineage(eroded, capsys):
    state = open_project(eroded).state
    catalog = read_catalog(state)
    assert {"soil_loss", "erosion_grade", "sediment_delivery"} <= set(catalog) and "soil_loss_after" not in catalog
    facts = catalog["soil_loss"].lineage.parameters
    assert facts["region"] == "南方红壤丘陵区" and "2012-2017年" in facts["R"] and "EPIC" in facts["K"]
    assert (eroded / "erosion" / "土壤侵蚀强度分级图.png").read_bytes()[:4] == b"\x89PNG"
    area = read_frame(state / "tables" / "erosion_area.parquet")
    whole, parts = area[area["zone"] == "全区"], area[area["zone"] != "全区"]
    assert parts["area_ha"].sum() == pytest.approx(whole["area_ha"].sum()) and parts["loss_t_yr"].sum() == pytest.approx(whole["loss_t_yr"].sum())
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    assert whole["area_ha"].sum() == pytest.approx(patches["area_m2"].sum() / 1e4, rel=0.01)
    by_patch = read_frame(state / "tables" / "erosion_patch.parquet")
    assert by_patch["loss_t_yr"].sum() == pytest.approx(whole["loss_t_yr"].sum()) and (by_patch["sediment_t_yr"] <= by_patch["loss_t_yr"]).all()
    assert (by_patch.loc[by_patch["class_code"] == "1104", "loss_t_yr"] == 0).all()


def test_one_cell_is_the_product_of_factors_looked_up_by_hand(eroded):
    state = open_project(eroded).state
    loss, dem = (read_cog(state / "rasters" / f"{n}.tif") for n in ("soil_loss", "dem"))
    factor = read_frame(state / "tables" / "erosion_factor.parquet").set_index("factor")
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    wood = patches[patches["class_code"] == "0301"].geometry.union_all().buffer(-60)
    assert not wood.is_empty
    point = wood.representative_point()
    column, row = (int(np.floor(v)) for v in ~loss.transform * (point.x, point.y))
    r, cover = float(factor.loc["R", "mean"]), factor_column("soil_cover", "cover")["forest_arbor"]
    value = float(loss.values[row, column])
    ls_k = value / (r * cover)  # forest: P = 1
    north, south, west, east = (float(dem.values[row + a, column + b]) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1)))
    slope = np.degrees(np.arctan(np.hypot((east - west) / 60.0, (south - north) / 60.0)))
    k = read_frame(state / "tables" / "erosion_factor.parquet").set_index("factor").loc["K"]
    steep = float(steepness_factor(np.array([slope]))[0])
    assert k["least"] * steep * 0.5 < ls_k < k["largest"] * steep * 6.0


def test_a_plan_gives_the_state_after_and_a_new_plan_takes_it_away(eroded, context, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    evaluate(context, {"project": str(folder)})
    plan(context, {"project": str(folder), "budget": None, "start_year": None, "rule": None, "waive": None})
    capsys.readouterr()
    assert main(["erosion", str(folder), "--quiet", "--json", "--level", "high"]) == 0
    said = _said(capsys)["figures"]
    state = open_project(folder).state
    change = read_frame(state / "tables" / "erosion_change.parquet")
    whole = change[change["zone"] == "全区"]
    assert whole["loss_t_yr_before"].sum() == pytest.approx(said["loss_t_yr"]) and whole["loss_t_yr_after"].sum() == pytest.approx(said["loss_after_t_yr"])
    assert whole["area_ha_before"].sum() == pytest.approx(whole["area_ha_after"].sum())
    assert "soil_loss_after" in read_catalog(state) and (folder / "erosion" / "方案后土壤侵蚀强度分级图.png").is_file()
    kept = pd.DataFrame(read_frame(state / "tables" / "plan_parcel.parquet"))
    changed = set(kept.loc[kept["class_code"] != kept["target_class"], "patch_id"])
    before, after = (read_cog(state / "rasters" / f"{n}.tif") for n in ("soil_loss", "soil_loss_after"))
    differs = np.abs(before.values - after.values) > 1e-6
    patches = read_frame(state / "layers" / "landuse_patch.parquet").set_index("patch_id")
    inside = patches.loc[sorted(changed)].geometry.union_all().buffer(60)
    row, column = np.nonzero(differs)
    x, y = before.transform * (column + 0.5, row + 0.5)
    from shapely import points

    assert len(row) and all(inside.contains(p) for p in points(x, y))
    evaluate(context, {"project": str(folder)})
    state = open_project(folder).state
    assert "soil_loss_after" not in read_catalog(state) and not (state / "tables" / "erosion_change.parquet").exists()


def test_defaults_are_said_and_the_users_numbers_come_first(eroded, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    for name in ("rain_day", "soil_type"):
        (open_project(folder).state / "tables" / f"{name}.parquet").unlink()
    assert main(["erosion", str(folder), "--quiet", "--json"]) == 0
    said = _said(capsys)
    assert said["figures"]["R"] == 6000 and sum("不是本地数据" in n for n in said["notes"]) == 2
    text = (folder / "project.toml").read_text(encoding="utf-8").replace("[parameters]", "[parameters]\nerosion_rain_erosivity = 7000\nerosion_soil_erodibility = 0.01")
    (folder / "project.toml").write_text(text, encoding="utf-8")
    assert main(["erosion", str(folder), "--quiet", "--json", "--region", "西北黄土高原区"]) == 0
    told = _said(capsys)
    assert told["figures"]["R"] == 7000 and told["figures"]["tolerance_t_km2"] == 1000 and not any("不是本地数据" in n for n in told["notes"])
    assert told["figures"]["loss_t_yr"] == pytest.approx(said["figures"]["loss_t_yr"] * 7000 / 6000 * 0.01 / 0.0052, rel=1e-6)


def test_what_cannot_be_computed_is_refused_and_nothing_is_written(eroded, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    number = open_project(folder).generation
    assert main(["erosion", str(folder), "--quiet", "--region", "江南"]) == 2
    assert "侵蚀类型区" in capsys.readouterr().err
    path = open_project(folder).state / "tables" / "rain_day.parquet"
    days = read_frame(path)
    path.unlink()
    write_frame(path, days[pd.to_datetime(days["day"]).dt.month > 1].reset_index(drop=True))
    assert main(["erosion", str(folder), "--quiet"]) == 2
    assert "资料完整的年份" in capsys.readouterr().err
    assert main(["village", "--into", str(tmp_path / "town"), "--patches", "120", "--villages", "2", "--quiet"]) == 0
    town = open_project(tmp_path / "town").state
    record = json.loads(Path(town / "catalog.json").read_text(encoding="utf-8"))
    if isinstance(record, dict) and "datasets" in record:
        record["datasets"] = [d for d in record["datasets"] if d["name"] != "dem"]
    else:
        record = [d for d in record if d["name"] != "dem"]
    Path(town / "catalog.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    assert main(["erosion", str(tmp_path / "town"), "--quiet"]) == 2
    assert "高程" in capsys.readouterr().err and open_project(folder).generation == number


def test_both_equations_give_the_same_loss_with_the_shipped_tables(eroded, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    assert main(["erosion", str(folder), "--quiet", "--json"]) == 0
    rusle = _said(capsys)["figures"]
    assert main(["erosion", str(folder), "--quiet", "--json", "--model", "csle"]) == 0
    csle = _said(capsys)["figures"]
    assert csle["loss_t_yr"] == pytest.approx(rusle["loss_t_yr"], rel=1e-9) and csle["sediment_t_yr"] == pytest.approx(rusle["sediment_t_yr"], rel=1e-9)
    factor = read_frame(open_project(folder).state / "tables" / "erosion_factor.parquet").set_index("factor")
    assert list(factor.index) == ["R", "K", "LS", "B", "E", "T"] and factor.loc["B", "largest"] == 1.0 and factor.loc["T", "least"] <= 0.1


def test_measured_points_are_compared_with_the_cell_they_lie_in_and_mapped(eroded, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    loss = read_cog(open_project(folder).state / "rasters" / "soil_loss.tif")
    row, column = np.nonzero(loss.valid & (loss.values > 0))
    pick = np.linspace(0, len(row) - 1, 9).astype(int)
    x, y = loss.transform * (column[pick] + 0.5, row[pick] + 0.5)
    there = 100.0 * loss.values[row[pick], column[pick]].astype(float)
    measured = there + np.array([0.0, 0, 0, 10, 10, 10, *(4 * there[6:])])
    table = pd.DataFrame({"sample": [f"点{k}" for k in range(9)], "x": x, "y": y, "modulus_t_km2": measured})
    table.loc[9] = ["远处", 0.0, 0.0, 50.0]
    path = tmp_path / "samples.csv"
    table.to_csv(path, index=False, encoding="gbk")
    assert main(["erosion", str(folder), "--quiet", "--json", "--samples", str(path)]) == 0
    said = _said(capsys)["figures"]
    off = -(measured - there)
    assert said["samples"] == 10 and said["sample_bias_t_km2"] == pytest.approx(off.mean(), rel=1e-5)
    assert said["sample_rms_t_km2"] == pytest.approx(np.sqrt((off**2).mean()), rel=1e-5) and said["sample_kinds"]["unknown"] == 1
    assert said["sample_kinds"]["below"] >= 3 and said["sample_kinds"]["above"] == 0
    kept = read_frame(open_project(folder).state / "tables" / "erosion_sample.parquet")
    assert kept["modelled_t_km2"].to_numpy()[:9] == pytest.approx(there, rel=1e-5) and np.isnan(kept["residual_t_km2"].iloc[9])
    assert (folder / "erosion" / "采样点残差图.png").is_file()


def test_a_survey_grades_gullies_collapses_wind_and_frost_and_names_the_kind_that_leads(eroded, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    ids = read_frame(open_project(folder).state / "tables" / "erosion_patch.parquet")["patch_id"].tolist()
    path = tmp_path / "调查.csv"
    rows = [f"{ids[0]},30,,,,", f"{ids[1]},5,6,,,", f"{ids[2]},,,25,,", f"{ids[3]},,,,6000,", f"{ids[4]},,,,,3", f"{ids[5]},0,0,0,0,1"]
    path.write_text("\n".join(["patch_id,gully_percent,gully_km_km2,collapse_percent,wind_t_km2,freeze_thaw_grade", *rows]) + "\n", encoding="utf-8")
    assert main(["erosion", str(folder), "--quiet", "--json", "--survey", str(path)]) == 0
    lines = _said(capsys)["lines"]
    assert any("实地调查 6 个图斑" in line and "风力侵蚀" in line for line in lines)
    assert not re.search(r"\de[+-]?\d", " ".join(lines)) and re.search(r"R 降雨[^:]*: \d{1,2},\d{3} / ", " ".join(lines))
    table = read_frame(open_project(folder).state / "tables" / "erosion_kind.parquet").set_index("patch_id").loc[ids[:6]]
    assert table["kind"].tolist()[:5] == ["gully", "gully", "gravity", "wind", "freeze_thaw"] and table["grade"].tolist()[:5] == [4, 5, 5, 4, 3]
    assert table.loc[ids[5], ["grade_gully", "grade_gravity", "grade_wind"]].tolist() == [1, 1, 1]
    for text, said in (("patch_id,gully_percent\nnone,3\n", "项目中没有的图斑 none"), (f"patch_id,wind\n{ids[0]},3\n", "wind_t_km2"), (f"patch_id,wind_t_km2\n{ids[0]},x\n", "第 2 行不是数"),
                       (f"patch_id,gully_percent\n{ids[0]},130\n", "130 超出范围"), (f"patch_id,freeze_thaw_grade\n{ids[0]},2.5\n", "2.5 超出范围")):  # fmt: skip
        path.write_text(text, encoding="utf-8")
        number = open_project(folder).generation
        assert main(["erosion", str(folder), "--quiet", "--survey", str(path)]) == 2
        assert said in capsys.readouterr().err and open_project(folder).generation == number


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        ("x,y,rate", ["1,2,3"], "缺列 modulus_t_km2"),
        ("x,y,modulus_t_km2", ["1,2,abc", "1,2,-5", "1,2,3"], "第 2, 3 行"),
        ("x,y,modulus_t_km2", ["1,2,3", "4,5,6", "7,8,9"], "3 个在高程范围外"),
        ("x,y,modulus_t_km2", [], ""),
    ],
)
def test_bad_sample_tables_are_refused_and_nothing_is_written(eroded, tmp_path, capsys, columns, rows, said):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    path = tmp_path / "samples.csv"
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    number = open_project(folder).generation
    assert main(["erosion", str(folder), "--quiet", "--samples", str(path)]) in (2, 3, 5)
    assert said in capsys.readouterr().err and open_project(folder).generation == number


def _with_rain(eroded, tmp_path, lines, *options):
    folder = tmp_path / "project"
    shutil.copytree(eroded, folder, symlinks=True)
    path = tmp_path / "rain.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder, main(["erosion", str(folder), "--quiet", "--json", "--rain", str(path), *options])


def test_a_table_of_storms_gives_r_in_place_of_the_daily_rain(eroded, tmp_path, capsys):
    lines = ["station,start,energy_mj_ha,i30_mm_h", "A,2020-05-01 10:00,10,30", "A,2020-07-01,20,50", "A,2021-06-01,5,20", "B,2020-06-01,30,100"]
    folder, code = _with_rain(eroded, tmp_path, lines)
    assert code == 0 and _said(capsys)["figures"]["R"] == pytest.approx((((300 + 1000) + 100) / 2 + 3000) / 2)
    assert "2 站 3 站年" in read_catalog(open_project(folder).state)["soil_loss"].lineage.parameters["R"]


def test_monthly_rain_gives_r_by_the_coefficients_of_the_region_from_whole_years(eroded, tmp_path, capsys):
    lines = ["year,month,rain_mm", *(f"2020,{m},{100 if m == 6 else 20}" for m in range(1, 13)), "2021,1,500"]
    _, code = _with_rain(eroded, tmp_path, lines, "--fournier-a", "2", "--fournier-b", "1.5")
    fournier = (100**2 + 11 * 20**2) / (100 + 11 * 20)
    assert code == 0 and _said(capsys)["figures"]["R"] == pytest.approx(2 * fournier**1.5)


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        (["day,rain", "2020-01-01,3"], [], "energy_mj_ha"),
        (["start,energy_mj_ha,i30_mm_h", "2020-01-01,3,4", "五月,3,4", "2020-03-01,-1,4"], [], "第 3, 4 行"),
        (["year,month,rain_mm", "2020,1,5"], [], "--fournier-a"),
        (["year,month,rain_mm", "2020,13,5"], ["--fournier-a", "1", "--fournier-b", "1"], "第 2 行"),
        (["year,month,rain_mm", "2020,1,5"], ["--fournier-a", "1", "--fournier-b", "1"], "完整的年份"),
        (["year,month,rain_mm", "2020,1,5", "2020,1,6"], ["--fournier-a", "1", "--fournier-b", "1"], "出现两次"),
    ],
)
def test_bad_rain_tables_are_refused_and_nothing_is_written(eroded, tmp_path, capsys, lines, options, said):
    number = open_project(eroded).generation
    folder, code = _with_rain(eroded, tmp_path, lines, *options)
    assert code in (2, 3, 5) and said in capsys.readouterr().out and open_project(folder).generation == number


def test_coefficients_without_monthly_rain_are_refused(eroded, capsys):
    assert main(["erosion", str(eroded), "--quiet", "--fournier-a", "2"]) == 2
    assert "--rain" in capsys.readouterr().err


def _gauge(path, rows):
    pd.DataFrame(rows, columns=["day", "discharge_m3_s", "sediment_g_l"]).to_csv(path, index=False)
    return str(path)


def test_a_gauge_stands_beside_the_map_and_days_without_both_are_left_out(eroded, tmp_path, capsys):
    rows = [("2015-05-01", 2.0, 1.5), ("2015-05-02", 1.0, None), ("2015-05-03", None, 0.5), ("2016-05-01", 0.5, 0.1)]
    assert main(["erosion", str(eroded), "--outlet", _gauge(tmp_path / "出口.csv", rows), "--quiet", "--json"]) == 0
    said = _said(capsys)
    f = said["figures"]
    assert f["gauged_days"] == 2 and f["gauged_t"] == pytest.approx(86.4 * (2.0 * 1.5 + 0.5 * 0.1)) and f["fullest_year"] == 2015
    assert f["fullest_over_map"] == pytest.approx(86.4 * 3.0 / f["sediment_t_yr"]) and any("不折算成年" in line for line in said["lines"])
    assert read_frame(open_project(eroded).state / "tables" / "erosion_outlet.parquet")["days"].tolist() == [1, 1]


@pytest.mark.parametrize(("rows", "says"), [
    ([("2015-05-01", 2.0, 1500.0)], "mg/L"), ([("2015-05-01", -9.0, 1.0)], "无数据值"), ([("2015-05-01", 1.0, 1.0)] * 2, "重复"), ([("2015-05-01", None, 1.0)], "没有一天"), ([("heute", 1.0, 1.0)], "第 2 行"),
    ([("2015-05-01", "viel", 1.0)], "第 2 行"),
])  # fmt: skip
def test_a_gauge_that_cannot_be_is_refused_and_changes_nothing(eroded, tmp_path, capsys, rows, says):
    before = open_project(eroded).state
    assert main(["erosion", str(eroded), "--outlet", _gauge(tmp_path / "x.csv", rows), "--quiet"]) == 2
    assert says in capsys.readouterr().err and open_project(eroded).state == before


def test_the_figures_of_the_page_on_youwuzhen_come_from_the_command(youwuzhen, shared_data, tmp_path, capsys):
    observed = shared_data / "youwuzhen-watershed" / "observed"
    if not observed.is_dir():
        pytest.skip("shared/data/youwuzhen-watershed is not here")
    q, s = (pd.read_csv(observed / f"observed_{n}.csv", comment="#").set_index("DATETIME")["VALUE"] for n in ("Q", "SED"))
    both = q.rename("discharge_m3_s").to_frame().join(s.rename("sediment_g_l"), how="outer").rename_axis("day").reset_index()
    gauge = _gauge(tmp_path / "出口.csv", both.to_numpy().tolist())
    folder = tmp_path / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    for level, loss, sediment in (("default", 715, 32), ("high", 2320, 144)):
        assert main(["erosion", str(folder), "--level", level, "--outlet", gauge, "--quiet", "--json"]) == 0
        f = _said(capsys)["figures"]
        assert (round(f["loss_t_yr"]), round(f["sediment_t_yr"])) == (loss, sediment)
        assert (f["gauged_days"], round(f["gauged_t"]), f["fullest_year"], f["fullest_days"], round(f["fullest_t"])) == (333, 11391, 2015, 95, 4289)
    settings = (folder / "project.toml").read_text(encoding="utf-8")
    (folder / "project.toml").write_text(settings.replace("[parameters]", "[parameters]\nerosion_soil_erodibility_least = 0"), encoding="utf-8")
    assert main(["erosion", str(folder), "--quiet", "--json"]) == 0
    assert round(_said(capsys)["figures"]["loss_t_yr"]) == 320  # the limit of K carries more than half of the 715 t
