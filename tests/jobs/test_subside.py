"""The command subside: faces in, maps of movement, damage, fit and charts out; what cannot be is refused and leaves nothing."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.read_cog import read_cog
from qianmo.store.stage import read_catalog
from qianmo.survey.subsidence.section import finite_section

X, Y = 500_000.0, 4_200_000.0


def _faces(**told):
    table = {"face_name": ["2301"], "depth_m": [300.0], "thickness_m": [3.0], "q": [0.8], "tan_beta": [2.0], "b": [0.3], "s1": [0.0], "s2": [0.0], "s3": [0.0],
             "s4": [0.0], "end_day": ["2025-01-01"]} | {k: [v] for k, v in told.items()}  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=[shapely.box(X, Y, X + 400, Y + 2000)], crs=4547)


def _said(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def faces(tmp_path):
    _faces().to_file(tmp_path / "工作面.gpkg", layer="working_face")
    return str(tmp_path / "工作面.gpkg")


def test_a_long_flat_face_gives_the_closed_form_across_it(tmp_path, faces, capsys):
    folder = tmp_path / "矿"
    assert main(["subside", "--project", str(folder), "--faces", faces, "--quiet", "--json", "--cell", "20"]) == 0
    said = _said(capsys)
    state = open_project(folder).state
    w, strain = (read_cog(state / "rasters" / f"{n}.tif") for n in ("subsidence", "strain"))
    row = int((w.transform.f - (Y + 1000)) // 20)
    x = w.transform.c + (np.arange(w.values.shape[1]) + 0.5) * 20 - X
    truth = finite_section(x, length_m=400.0, largest_mm=2400.0, radius_m=150.0, b=0.3)
    assert np.abs(w.values[row] - truth.subsidence_mm).max() < 0.05
    assert np.abs(np.abs(strain.values[row]) - np.abs(truth.strain_mm_m)).max() < 0.01
    assert said["figures"]["subsidence_largest"] == pytest.approx(truth.subsidence_mm.max(), rel=1e-3)
    catalog = read_catalog(state)
    assert {"working_face", "subsidence_basin", "subsidence", "tilt", "curvature", "horizontal_movement", "strain"} <= set(catalog)
    basin = read_frame(state / "layers" / "subsidence_basin.parquet").geometry.iloc[0]
    edge = np.interp(10.0, truth.subsidence_mm[x < 0], x[x < 0])
    assert basin.intersection(shapely.LineString([(X - 500, Y + 1000), (X + 200, Y + 1000)])).bounds[0] - X == pytest.approx(edge, abs=2.0)
    for name in ("地表下沉预计图", "主断面下沉曲线图"):
        assert (folder / "subsidence" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_blank_columns_take_the_parameters_and_that_is_said(tmp_path, capsys):
    _faces().drop(columns=["q", "s1", "s2"]).to_file(tmp_path / "f.gpkg", layer="working_face")
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", str(tmp_path / "f.gpkg"), "--quiet", "--json", "--cell", "40"]
    assert main([*words, "--set", "pim_q=0.6"]) == 0
    said = _said(capsys)
    assert any("q 1" in n and "s1_m 1" in n and "tan_beta" not in n for n in said["notes"])
    assert read_frame(open_project(tmp_path / "p").state / "tables" / "subsidence_face.parquet")["largest_mm"].tolist() == pytest.approx([1800.0])


def test_the_state_of_a_day_is_the_share_of_knothe(tmp_path, faces, capsys):
    words = ["subside", "--project", str(tmp_path / "p"), "--quiet", "--json", "--cell", "40"]
    assert main([*words, "--faces", faces]) == 0
    final = _said(capsys)["figures"]["subsidence_largest"]
    assert main([*words, "--date", "2025-04-11", "--set", "pim_knothe_c_day=0.02"]) == 0  # the faces are in the project now
    assert _said(capsys)["figures"]["subsidence_largest"] == pytest.approx(final * (1 - np.exp(-0.02 * 100)), rel=1e-6)
    assert main([*words, "--date", "gestern"]) == 2


def test_levelling_gives_back_the_rock_it_was_made_from(tmp_path, faces, capsys):
    x = np.arange(-300.0, 720.0, 30.0)
    w = finite_section(x, length_m=400.0, largest_mm=3000.0 * 0.7, radius_m=300 / 2.3, b=0.25).subsidence_mm
    noise = np.random.default_rng(5).normal(0, 5, len(x))
    pd.DataFrame({"x": X + x, "y": Y + 1000, "subsidence_mm": w + noise, "sigma_mm": 5.0}).to_csv(tmp_path / "水准.csv", index=False)
    folder = tmp_path / "p"
    assert main(["subside", "--project", str(folder), "--faces", faces, "--quiet", "--json", "--cell", "40", "--observations", str(tmp_path / "水准.csv")]) == 0
    said = _said(capsys)
    assert said["figures"]["fit"]["q"] == pytest.approx(0.7, abs=0.01) and said["figures"]["fit"]["tan_beta"] == pytest.approx(2.3, abs=0.05)
    assert "b" not in said["figures"]["fit"] and any("b 不能反演" in line for line in said["lines"]) and said["figures"]["fit_rms_mm"] < 8
    fit = read_frame(open_project(folder).state / "tables" / "subsidence_fit.parquet").set_index("parameter")
    assert fit.loc["q", "low"] <= 0.7 <= fit.loc["q", "high"] + 0.01
    assert (folder / "subsidence" / "参数权衡曲线图.png").is_file()


def test_horizontal_movement_fixes_b_too(tmp_path, faces, capsys):
    x = np.arange(-300.0, 720.0, 30.0)
    truth = finite_section(x, length_m=400.0, largest_mm=2100.0, radius_m=150.0, b=0.22)
    table = pd.DataFrame({"x": X + x, "y": Y + 1000, "subsidence_mm": truth.subsidence_mm, "sigma_mm": 5.0, "east_mm": truth.horizontal_mm})
    table.to_csv(tmp_path / "o.csv", index=False)
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", faces, "--quiet", "--json", "--cell", "40", "--observations", str(tmp_path / "o.csv")]) == 0
    assert _said(capsys)["figures"]["fit"] == pytest.approx({"q": 0.7, "tan_beta": 2.0, "b": 0.22}, abs=2e-3)


@pytest.mark.parametrize(
    ("told", "says"),
    [({"depth_m": -5.0}, "depth_m"), ({"q": 3.0}, "q"), ({"thickness_m": "drei"}, "thickness_m"), ({"s3": 5000.0}, "拐点偏移距")],
)
def test_a_face_that_cannot_be_is_refused_with_its_row_and_nothing_is_written(tmp_path, capsys, told, says):
    _faces(**told).to_file(tmp_path / "f.gpkg", layer="working_face")
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", str(tmp_path / "f.gpkg"), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert says in err and not (tmp_path / "p").exists()


def test_bad_words_and_files_are_refused(tmp_path, faces, capsys):
    words = ["subside", "--project", str(tmp_path / "p"), "--quiet"]
    assert main(words) == 2 and "工作面" in capsys.readouterr().err
    assert main([*words, "--faces", faces, "--cell", "0.01"]) == 2 and "pim_cells_max" in capsys.readouterr().err
    assert main([*words, "--faces", faces, "--set", "erosion_channel_ha=1"]) == 2
    pd.DataFrame({"x": [1.0], "y": [2.0], "subsidence_mm": ["viel"], "sigma_mm": [0.0]}).to_csv(tmp_path / "o.csv", index=False)
    assert main([*words, "--faces", faces, "--observations", str(tmp_path / "o.csv")]) == 2 and "第 2 行" in capsys.readouterr().err
    _faces().to_crs(4490).to_file(tmp_path / "deg.gpkg", layer="working_face")
    assert main([*words, "--faces", str(tmp_path / "deg.gpkg")]) == 2 and not (tmp_path / "p").exists()


def test_buildings_and_land_of_the_project_are_graded(tmp_path, capsys):
    folder = tmp_path / "town"
    assert main(["village", "--into", str(folder), "--patches", "150", "--villages", "2", "--quiet"]) == 0
    patches = read_frame(open_project(folder).state / "layers" / "landuse_patch.parquet")
    west, south, east, north = patches.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    houses = gpd.GeoDataFrame({"building_id": ["深", "远", "长"], "storeys": [2, 2, 1]}, crs=patches.crs, geometry=[
        shapely.box(x + 95, y, x + 105, y + 8), shapely.box(x + 3000, y, x + 3010, y + 8), shapely.box(x, y, x + 40, y + 8)])  # fmt: skip
    from datetime import UTC, datetime

    from qianmo.schema.dataset import Dataset, Lineage
    from qianmo.store.project import change

    with change(folder, what="房屋", user="测试员", now=datetime(2026, 1, 1, tzinfo=UTC)) as stage:
        stage.put_layer(houses, Dataset("building", "building", "房屋", f"EPSG:{patches.crs.to_epsg()}", "", "", True, 3, Lineage("", "", "", "", "")))
    face = _faces().set_geometry([shapely.box(x - 100, y - 300, x + 100, y + 300)]).set_crs(patches.crs, allow_override=True)
    face.to_file(tmp_path / "f.gpkg", layer="working_face")
    capsys.readouterr()
    assert main(["subside", "--project", str(folder), "--faces", str(tmp_path / "f.gpkg"), "--quiet", "--json"]) == 0
    state = open_project(folder).state
    table = read_frame(state / "tables" / "building_damage.parquet").set_index("building_id")
    assert table.loc["远", "grade"] == "I" and table.loc["远", "subsidence_mm"] < 1e-6
    assert table.loc["深", "grade"] == "IV" and table.loc["深", "decided_by"] == "i" and table.loc["深", "tilt_mm_m"] > 10
    assert table["needs_judgement"].to_dict() == {"深": False, "远": False, "长": True}
    land = read_frame(state / "tables" / "land_damage.parquet")
    basin = read_frame(state / "layers" / "subsidence_basin.parquet").geometry.iloc[0]
    wanted = patches[patches["class_code"].str[:2].isin(["01", "02", "03", "04"])].geometry.intersection(basin).area.sum() / 1e4
    assert land["area_ha"].sum() == pytest.approx(wanted, rel=0.03)
