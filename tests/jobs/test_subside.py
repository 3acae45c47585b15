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


def test_a_face_drawn_in_the_wrong_place_is_brought_back_by_the_fit(tmp_path, capsys):
    x = np.arange(-300.0, 720.0, 30.0)
    w = finite_section(x, length_m=400.0, largest_mm=3000.0 * 0.7, radius_m=300 / 2.3, b=0.25).subsidence_mm
    pd.DataFrame({"x": X + x, "y": Y + 1000, "subsidence_mm": w, "sigma_mm": 5.0}).to_csv(tmp_path / "水准.csv", index=False)
    _faces().set_geometry([shapely.box(X + 60, Y, X + 460, Y + 2000)], crs=4547).to_file(tmp_path / "f.gpkg", layer="working_face")
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", str(tmp_path / "f.gpkg"), "--observations", str(tmp_path / "水准.csv"), "--cell", "40", "--quiet", "--json"]
    assert main([*words, "--fit", "place", "--fit", "east=-100:50"]) == 0
    said = _said(capsys)
    found = said["figures"]["fit"]
    assert found["shift_east_m"] == pytest.approx(-60.0, abs=0.1) and found["q"] == pytest.approx(0.7, abs=0.002) and found["tan_beta"] == pytest.approx(2.3, abs=0.01)
    assert said["figures"]["fit_rms_mm"] < 0.1 and "shift_north_m" not in found and any("工作面北移" in line and "不约束" in line for line in said["lines"])
    kept = read_frame(open_project(tmp_path / "p").state / "layers" / "working_face.parquet")
    assert kept.total_bounds[0] == X + 60  # as drawn


@pytest.mark.parametrize(("fit", "says"), [("s5", "s5"), ("s1=100:-50", "下限"), ("offsets=0:10", "offsets"), ("q=8", "0.05"), ("dip=steep", "dip"), ("s1=0:9,s1=0:8", "两次")])
def test_a_fit_that_cannot_be_read_is_refused_and_leaves_nothing(tmp_path, faces, capsys, fit, says):
    pd.DataFrame({"x": [X + 200], "y": [Y + 1000], "subsidence_mm": [900.0], "sigma_mm": [5.0]}).to_csv(tmp_path / "o.csv", index=False)
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", faces, "--observations", str(tmp_path / "o.csv"), "--fit", fit, "--quiet"]) == 2
    assert says in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_a_fit_without_observations_is_refused(tmp_path, faces, capsys):
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", faces, "--fit", "offsets", "--quiet"]) == 2
    assert "没有观测" in capsys.readouterr().err and not (tmp_path / "p").exists()


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
    damaged = read_frame(state / "layers" / "land_damage_patch.parquet")
    assert damaged["damaged_ha"].sum() == pytest.approx(wanted, rel=0.03) and (damaged["worst_ha"] <= damaged["damaged_ha"] + 1e-9).all()
    assert damaged.geometry.intersects(basin.buffer(20)).all() and damaged["patch_id"].is_unique
    assert sorted(damaged["grade_zh"].unique()) == sorted(land["grade_zh"].unique())
    assert (folder / "subsidence" / "损坏等级图.png").is_file()


TRUE_Q, TRUE_TAN, TRUE_B = 0.72, 2.1, 0.31


def _sightings(rng, *, count=120, noise=8.0, heading=-10.0, incidence=39.0):
    """InSAR along a line of sight and levelling over a face of 400 by 300 m, made with another formula's parameters than the file's."""
    from qianmo.survey.subsidence.face import Face
    from qianmo.survey.subsidence.parameters import SubsidenceParameters
    from qianmo.survey.subsidence.predict import predict

    at = np.column_stack([rng.uniform(X - 250, X + 650, count), rng.uniform(Y - 250, Y + 550, count)])
    moved = predict(at, [Face(shapely.box(X, Y, X + 400, Y + 300), 300.0, 3.0, SubsidenceParameters(TRUE_Q, TRUE_TAN, TRUE_B))])
    h, i = np.radians(heading), np.radians(incidence)
    east, north = moved.horizontal_mm.T
    # towards the satellite: it stands to the left of the sight of a right-looking radar, seen from the ground at azimuth heading − 90°
    to_satellite = np.array([np.sin(h - np.pi / 2) * np.sin(i), np.cos(h - np.pi / 2) * np.sin(i), np.cos(i)])
    los = east * to_satellite[0] + north * to_satellite[1] - moved.subsidence_mm * to_satellite[2]
    insar = pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "los_mm": los + rng.normal(0, noise, count), "sigma_mm": noise, "incidence_deg": incidence, "heading_deg": heading})
    level = pd.DataFrame({"x": at[:40, 0], "y": at[:40, 1], "subsidence_mm": moved.subsidence_mm[:40] + rng.normal(0, 3, 40), "sigma_mm": 3.0})
    return insar, level


@pytest.fixture
def short_faces(tmp_path):
    _faces(q=0.6, tan_beta=1.7, b=0.25).set_geometry([shapely.box(X, Y, X + 400, Y + 300)]).set_crs(4547, allow_override=True).to_file(tmp_path / "短.gpkg", layer="working_face")
    return str(tmp_path / "短.gpkg")


def test_levelling_and_insar_together_fix_the_rock_better_than_either_and_each_is_shown(tmp_path, short_faces, capsys, rng):
    insar, level = _sightings(rng)
    insar.to_csv(tmp_path / "i.csv", index=False)
    level.to_csv(tmp_path / "l.csv", index=False)
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", short_faces, "--quiet", "--json", "--cell", "40"]
    spread = {}
    for name, more in (("insar", ["--insar", "i.csv"]), ("levelling", ["--observations", "l.csv"]), ("both", ["--insar", "i.csv", "--observations", "l.csv"])):
        assert main([*words, *[str(tmp_path / m) if m.endswith(".csv") else m for m in more]]) == 0, name
        said = _said(capsys)
        fit = read_frame(open_project(tmp_path / "p").state / "tables" / "subsidence_fit.parquet").set_index("parameter")
        for parameter, truth in (("q", TRUE_Q), ("tan_beta", TRUE_TAN), ("b", TRUE_B)):
            if parameter in fit.index:
                assert abs(fit.loc[parameter, "value"] - truth) < 4 * fit.loc[parameter, "sigma"], (name, parameter)
        spread[name] = fit["sigma"].to_dict()
    assert all(spread["both"][p] < spread["insar"][p] for p in ("q", "tan_beta", "b")) and spread["both"]["q"] < spread["levelling"]["q"] and "b" not in spread["levelling"]
    assert any("InSAR 120 个" in line for line in said["lines"]) and any("水准 40 个" in line for line in said["lines"])
    table = read_frame(open_project(tmp_path / "p").state / "tables" / "subsidence_fit_source.parquet").set_index("source")
    assert table.loc["insar", "rms_joint_mm"] == pytest.approx(8.0, rel=0.15) and (table["rms_alone_mm"] <= table["rms_joint_mm"] + 0.2).all()
    cost = read_frame(open_project(tmp_path / "p").state / "tables" / "subsidence_trade_off.parquet")
    for _, curve in cost.groupby("parameter"):  # the curve has its valley inside and rises to both ends
        low = curve["rms_mm"].to_numpy().argmin()
        assert 0 < low < len(curve) - 1 and curve["rms_mm"].iloc[[0, -1]].min() > curve["rms_mm"].min()


@pytest.mark.parametrize(
    ("factor", "says"), [(1e-3, "以米为单位"), (1e3, "微米"), (-1.0, "符号")]
)  # fmt: skip
def test_observations_in_the_wrong_unit_or_upside_down_are_refused(tmp_path, short_faces, capsys, rng, factor, says):
    insar, level = _sightings(rng)
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", short_faces, "--quiet", "--cell", "40"]
    level.assign(subsidence_mm=level["subsidence_mm"] * factor).to_csv(tmp_path / "l.csv", index=False)
    insar.assign(los_mm=insar["los_mm"] * factor).to_csv(tmp_path / "i.csv", index=False)
    for option, file, word in (("--observations", "l.csv", "水准"), ("--insar", "i.csv", "InSAR")):
        assert main([*words, option, str(tmp_path / file)]) == 2
        err = capsys.readouterr().err
        assert says in err and word in err
    assert not (tmp_path / "p").exists()


def test_observations_beyond_the_reach_of_the_faces_are_refused_and_not_fitted(tmp_path, short_faces, capsys, rng):
    _, level = _sightings(rng)
    level.assign(x=level["y"], y=level["x"]).to_csv(tmp_path / "l.csv", index=False)
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", short_faces, "--quiet", "--cell", "40", "--observations", str(tmp_path / "l.csv")]) == 2
    err = capsys.readouterr().err
    assert "都在工作面影响范围之外" in err and "x 东, y 北" in err and not (tmp_path / "p").exists()


def test_a_fill_value_among_the_observations_is_refused_with_its_number(tmp_path, short_faces, capsys, rng):
    _, level = _sightings(rng)
    level.loc[4, "subsidence_mm"] = -9999.0
    level.to_csv(tmp_path / "l.csv", index=False)
    assert main(["subside", "--project", str(tmp_path / "p"), "--faces", short_faces, "--quiet", "--cell", "40", "--observations", str(tmp_path / "l.csv")]) == 2
    err = capsys.readouterr().err
    assert "第 5 个为 -9999 毫米" in err and "采厚" in err and not (tmp_path / "p").exists()


@pytest.mark.parametrize(("factor", "says"), [(1e-3, "以米为单位"), (-1.0, "像是上升")])
def test_wrong_units_show_by_themselves_where_the_face_lies_beside_the_basin(tmp_path, short_faces, capsys, rng, factor, says):
    level = pd.DataFrame({"x": np.linspace(X - 500, X + 900, 30), "y": Y + 280.0})
    level["subsidence_mm"] = factor * 1000 * np.exp(-(((level["x"] - X + 330) / 90) ** 2)) + factor * 5
    level.assign(sigma_mm=20.0).to_csv(tmp_path / "l.csv", index=False)
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", short_faces, "--quiet", "--cell", "40", "--observations", str(tmp_path / "l.csv")]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err or ("符号" in err and factor < 0), err
    assert not (tmp_path / "p").exists()
    level.assign(subsidence_mm=level["subsidence_mm"] / factor, sigma_mm=20.0).to_csv(tmp_path / "l.csv", index=False)
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "工作面没有解释观测" in said and "核对工作面位置" in said


def _advance(path, **more):
    rows = {"face_name": ["2301"] * 3, "day": ["2025-01-01", "2025-02-20", "2025-04-11"], "position_m": [0.0, 150.0, 400.0], "azimuth_deg": [90.0] * 3} | more
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def test_an_advancing_face_acts_strip_by_strip(tmp_path, faces, capsys):
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", faces, "--quiet", "--json", "--cell", "40", "--set", "pim_knothe_c_day=0.02"]
    table = _advance(tmp_path / "推进.csv")
    assert main([*words, "--advance", table, "--date", "2025-03-02"]) == 0
    _said(capsys)
    state = open_project(tmp_path / "p").state
    made = read_frame(state / "tables" / "subsidence_face.parquet")
    # 60 days gone: 50 to the second position, 10 of 50 on to the third; strips of 10 days, each as old as its middle
    assert made["share"].to_numpy() == pytest.approx(1 - np.exp(-0.02 * np.array([55, 45, 35, 25, 15, 5])), abs=1e-9)
    w = read_cog(state / "rasters" / "subsidence.tif")
    row = int((w.transform.f - (Y + 1000)) // 40)
    x = w.transform.c + (np.arange(w.values.shape[1]) + 0.5) * 40 - X
    edges = np.array([0, 30, 60, 90, 120, 150, 200.0])
    truth = sum((1 - np.exp(-0.02 * t)) * finite_section(x - a, length_m=b - a, largest_mm=2400.0, radius_m=150.0).subsidence_mm
                for a, b, t in zip(edges[:-1], edges[1:], (55, 45, 35, 25, 15, 5)))  # fmt: skip
    assert np.abs(w.values[row] - truth).max() < 0.05
    still = _advance(tmp_path / "停.csv", face_name=["2301"] * 4, day=["2025-01-01", "2025-02-20", "2025-03-01", "2025-04-11"], position_m=[0.0, 150.0, 150.0, 400.0], azimuth_deg=[90.0] * 4)
    assert main([*words, "--advance", still, "--date", "2025-03-01"]) == 0  # the face stood for nine days
    _said(capsys)
    assert read_frame(open_project(tmp_path / "p").state / "tables" / "subsidence_face.parquet")["share"].to_numpy() == pytest.approx(1 - np.exp(-0.02 * np.array([54, 44, 34, 24, 14])), abs=1e-9)
    assert main([*words, "--advance", table, "--date", "2035-01-01"]) == 0
    late = _said(capsys)["figures"]["subsidence_largest"]
    assert main(words) == 0 and late == pytest.approx(_said(capsys)["figures"]["subsidence_largest"], rel=1e-6)


@pytest.mark.parametrize(
    ("more", "day", "says"),
    [({"position_m": [0.0, 200.0, 150.0]}, "2025-03-02", "位置后退"), ({"day": ["2025-01-01", "bald", "2025-04-11"]}, "2025-03-02", "第 3 行"), ({"face_name": ["9"] * 3}, "2025-03-02", "不在图层中"),
     ({}, "2024-03-02", "没有开采"), ({}, None, "--date")],
)  # fmt: skip
def test_an_advance_that_cannot_be_is_refused(tmp_path, faces, capsys, more, day, says):
    words = ["subside", "--project", str(tmp_path / "p"), "--faces", faces, "--quiet", "--cell", "40", "--advance", _advance(tmp_path / "a.csv", **more)]
    assert main([*words, *(["--date", day] if day else [])]) == 2 and says in capsys.readouterr().err and not (tmp_path / "p").exists()
