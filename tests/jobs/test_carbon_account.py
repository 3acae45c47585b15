"""The command carbon: tables, sheets and workbook with and without a plan; dredging from two beds; refusals leave nothing."""

from __future__ import annotations

import json
import shutil

import numpy as np
import openpyxl
import pytest
import rasterio
import shapely

from qianmo.cli.main import main
from qianmo.jobs.evaluation.evaluate_area import run as evaluate
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def planned(planned_youwuzhen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("carbon") / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    return folder


def said(capsys):
    return json.loads(capsys.readouterr().out)


def beds(folder, patches, depth, *, shift=0.0, crs=None, scale=1.0):
    west, south, east, north = patches.total_bounds
    cell = 10.0
    shape = int((north - south) / cell) + 3, int((east - west) / cell) + 3
    paths = []
    for name, height in (("前", 0.0), ("后", -depth)):
        path = folder / f"底高程_{name}.tif"
        place = rasterio.Affine(cell, 0, west - cell + (shift if name == "后" else 0), 0, -cell, north + cell)
        with rasterio.open(path, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float64", crs=crs or patches.crs, transform=place, nodata=-9999) as out:
            out.write(np.full(shape, (100.0 + height) * scale), 1)
        paths.append(str(path))
    return paths


def test_without_a_plan_stock_and_flow_are_told_and_the_change_is_not(youwuzhen, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    assert main(["carbon", str(folder), "--quiet", "--json", "--gwp", "AR6"]) == 0
    answer = said(capsys)
    assert "change" not in answer["figures"] and answer["figures"]["gwp"] == 27 and any("还没有方案" in line for line in answer["lines"])
    state = open_project(folder).state
    table = read_frame(state / "tables" / "carbon_patch.parquet")
    assert table["stock_t"].sum() == pytest.approx(answer["figures"]["stock"]["value"]) and (table["stock_low_t"] <= table["stock_t"]).all()
    assert not (state / "tables" / "carbon_year.parquet").exists() and not (folder / "carbon" / "方案碳密度变化图.png").exists()
    record = json.loads((state / "tables" / "carbon_lineage.json").read_text(encoding="utf-8"))
    assert record["gwp_source"].startswith("IPCC 第六次") and record["sources"]["landuse_patch"] and not record["with_plan"]


def test_the_value_of_services_and_its_sensitivity_are_told_and_an_equivalent_of_the_project_counts(youwuzhen, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    assert main(["carbon", str(folder), "--quiet", "--json"]) == 0
    before = said(capsys)
    figures = before["figures"]
    kind = max(figures["service_sensitivity"], key=figures["service_sensitivity"].get)
    assert sum(figures["service_sensitivity"].values()) == pytest.approx(1.0) and any("敏感性指数" in line for line in before["lines"])
    table = read_frame(open_project(folder).state / "tables" / "service_value_class.parquet").set_index("class")
    assert table["value_yuan_yr"].sum() == pytest.approx(figures["service_value_yuan_yr"]) and table.loc[kind, "sensitivity"] == pytest.approx(figures["service_sensitivity"][kind])
    toml = folder / "project.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + f'\n[factors]\nservice_equivalent.{kind}."Food production" = 9.0\n', encoding="utf-8")
    assert main(["carbon", str(folder), "--quiet", "--json"]) == 0
    after = said(capsys)
    assert after["figures"]["service_value_yuan_yr"] > figures["service_value_yuan_yr"] and any("自定当量" in line for line in after["lines"])
    toml.write_text(toml.read_text(encoding="utf-8").replace("Food production", "Food"), encoding="utf-8")
    assert main(["carbon", str(folder), "--quiet", "--json"]) != 0
    assert "没有这个系数" in "".join(capsys.readouterr())


def test_a_density_of_the_project_counts_and_a_misspelt_one_is_refused(youwuzhen, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    assert main(["carbon", str(folder), "--quiet", "--json"]) == 0
    shipped = said(capsys)["figures"]["stock"]["value"]
    toml = folder / "project.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text + "\n[factors]\ncarbon_density.forest_arbor.SOC = [150, 160, 170]\n", encoding="utf-8")
    assert main(["carbon", str(folder), "--quiet", "--json"]) == 0
    assert said(capsys)["figures"]["stock"]["value"] > shipped
    factors = read_frame(open_project(folder).state / "tables" / "carbon_factor.parquet").set_index("factor")
    assert factors.loc["forest_arbor:SOC", "default"] == 160.0 and factors.loc["forest_arbor:SOC", "source"] == "project.toml [factors]"
    toml.write_text(text + "\n[factors]\ncarbon_density.forest.SOC = 160\n", encoding="utf-8")
    assert main(["carbon", str(folder), "--quiet"]) == 2
    assert "carbon_density.forest.SOC: 没有这个系数" in capsys.readouterr().err


def test_with_a_plan_the_change_is_that_of_the_service_check(planned, capsys):
    assert main(["carbon", str(planned), "--quiet", "--json"]) == 0
    figures = said(capsys)["figures"]
    state = open_project(planned).state
    check = read_frame(state / "tables" / "service_check.parquet").set_index("quantity")
    for mine, its in (("value", "exact"), ("low", "low"), ("high", "high")):
        assert figures["change"][mine] == pytest.approx(check.loc["carbon_t", its], abs=1e-6)
    years = read_frame(state / "tables" / "carbon_year.parquet")
    assert figures["plan_sum_t_co2e"]["value"] == pytest.approx(years["net"].sum())
    dredge = read_frame(state / "tables" / "pond_dredge.parquet")
    assert dredge["cut_m3"].sum() == pytest.approx(0.5 * 1e4 * dredge["area_ha"].sum()) == pytest.approx(figures["dredged_m3"])
    book = openpyxl.load_workbook(planned / "carbon" / "碳核算附表.xlsx", data_only=True)
    assert len(book.sheetnames) == 5
    for zh in ("碳密度分布图", "方案碳密度变化图"):
        assert (planned / "carbon" / f"{zh}.png").read_bytes()[:4] == b"\x89PNG"


def test_two_surveys_of_the_bed_give_the_volume_of_every_pond(planned, tmp_path, capsys):
    state = open_project(planned).state
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    before, after = beds(tmp_path, patches, 0.8)
    assert main(["carbon", str(planned), "--quiet", "--json", "--bed-before", before, "--bed-after", after]) == 0
    answer = said(capsys)
    dredge = read_frame(open_project(planned).state / "tables" / "pond_dredge.parquet")
    drawn = patches.set_index("patch_id").loc[dredge["patch_id"]].geometry.area.to_numpy()
    assert np.allclose(dredge["cut_m3"], 0.8 * drawn, rtol=1e-9) and np.allclose(dredge["covered_share"], 1) and (dredge["fill_m3"] == 0).all()
    assert "两期底高程" in " ".join(answer["lines"]) and answer["figures"]["dredging_wan"] == pytest.approx(answer["figures"]["dredged_m3"] * 65 / 1e4)


@pytest.mark.parametrize(("kind", "word"), [("one", "两期"), ("shift", "像元不一致"), ("scale", "厘米"), ("far", "没有重叠")])
def test_beds_that_do_not_fit_are_refused_and_nothing_is_written(planned, tmp_path, capsys, kind, word):
    patches = read_frame(open_project(planned).state / "layers" / "landuse_patch.parquet")
    if kind == "far":
        patches = patches.head(1).set_geometry([shapely.box(*(patches.total_bounds + 90_000))])
    before, after = beds(tmp_path, patches, 50.0 if kind == "scale" else 0.5, shift=3.0 if kind == "shift" else 0.0)
    state = open_project(planned).state
    words = ["--bed-before", before] + ([] if kind == "one" else ["--bed-after", after])
    assert main(["carbon", str(planned), "--quiet", *words]) != 0
    assert word in capsys.readouterr().err
    assert open_project(planned).state == state


def test_a_new_evaluation_takes_the_account_away(planned, tmp_path, capsys, context):
    folder = tmp_path / "project"
    shutil.copytree(planned, folder, symlinks=True)
    evaluate(context, {"project": str(folder)})
    assert not list((open_project(folder).state / "tables").glob("carbon_*"))
