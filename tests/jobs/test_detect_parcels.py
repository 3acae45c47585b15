"""Change lands on the parcels of a project; a run that is killed goes on; other thresholds are tried without the images."""

import json
import os
import signal
import subprocess
import sys
import time

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.evaluation.classes import group
from qianmo.geo.fractions import cell_fractions
from qianmo.store.project import history, open_project

BANDS = "blue,green,red,nir,swir16,swir22"
SPECTRA = {
    "farmland": [0.06, 0.09, 0.07, 0.40, 0.22, 0.12], "garden": [0.05, 0.08, 0.05, 0.42, 0.16, 0.08], "forest": [0.03, 0.05, 0.03, 0.32, 0.12, 0.05],
    "grass": [0.06, 0.10, 0.09, 0.30, 0.28, 0.18], "wetland": [0.06, 0.09, 0.07, 0.10, 0.05, 0.03], "construction": [0.17, 0.18, 0.19, 0.22, 0.23, 0.21],
    "transport": [0.13, 0.14, 0.15, 0.17, 0.19, 0.18], "water": [0.07, 0.09, 0.06, 0.03, 0.02, 0.01], "other": [0.15, 0.17, 0.20, 0.25, 0.36, 0.30],
}  # fmt: skip
TURNED = {"pond": SPECTRA["water"], "building": SPECTRA["construction"], "greenhouse": [0.24, 0.22, 0.21, 0.30, 0.20, 0.15], "bare": SPECTRA["other"]}


def _write(path, values, crs, transform, nodata=None):
    profile = {"driver": "GTiff", "height": values.shape[1], "width": values.shape[2], "count": len(values), "dtype": "float32", "crs": crs, "transform": transform}
    with rasterio.open(path, "w", nodata=nodata, **profile) as out:
        out.write(values.astype(np.float32))
    return str(path)


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """A village with two simulated images; two fields a kind are turned into something else."""
    folder = tmp_path_factory.mktemp("detect")
    assert main(["village", "--patches", "300", "--villages", "2", "--into", str(folder / "v"), "--quiet"]) == 0
    land = gpd.read_parquet(open_project(folder / "v").state / "layers" / "landuse_patch.parquet")
    kinds = group(land["class_code"], scheme="SD3")
    x0, y0, x1, y1 = land.total_bounds
    transform, shape = affine.Affine(5, 0, x0, 0, -5, y1), (int((y1 - y0) / 5) + 1, int((x1 - x0) / 5) + 1)
    found = cell_fractions(land.geometry.to_numpy(), transform, shape)
    spectra = np.array([SPECTRA[k] for k in kinds])
    mixed = np.zeros((6, shape[0] * shape[1]))
    for b in range(6):
        mixed[b] = np.bincount(found.cell, weights=found.share * spectra[found.zone(), b], minlength=mixed.shape[1])
    mixed[:, np.bincount(found.cell, weights=found.share, minlength=mixed.shape[1]) < 0.5] = np.nan
    rng = np.random.default_rng(4)
    ground = mixed.reshape(6, *shape) * (1 + rng.normal(0, 0.05, (1, *shape)))
    before = ground + rng.normal(0, 0.008, ground.shape)
    after = ground * 1.1 + 0.01 + rng.normal(0, 0.008, ground.shape)
    fields = rng.permutation(np.flatnonzero((kinds == "farmland") & (land.area.to_numpy() > 4000)))[:8]
    truth = {}
    for k, (name, spectrum) in zip(fields, list(TURNED.items()) * 2):
        cells = found.cell[(found.zone() == k) & (found.share > 0.5)]
        after.reshape(6, -1)[:, cells] = np.array(spectrum)[:, None] * 1.1 + 0.01 + rng.normal(0, 0.01, (6, len(cells)))
        truth[land["patch_id"].iloc[k]] = name
    crs = land.crs.to_wkt()
    return folder, _write(folder / "a.tif", before, crs, transform), _write(folder / "b.tif", after, crs, transform), truth


@pytest.fixture(scope="module")
def detected(country):
    folder, before, after, truth = country
    dates = ["--before-date", "2024-05-01", "--after-date", "2025-05-03"]
    land = gpd.read_parquet(open_project(folder / "v").state / "layers" / "landuse_patch.parquet")
    quiet = [k for k in land.loc[land.area > 4000, "patch_id"] if k not in truth][:40]
    days = [f"2025-0{k + 1}-11" if k < 4 else f"2024-0{k + 2}-11" for k in range(len(truth))]
    (folder / "t.csv").write_text("patch_id,change_date\n" + "".join(f"{k},{d}\n" for k, d in zip(truth, days)) + "".join(f"{k},\n" for k in quiet), encoding="utf-8")
    known = ["--truth", str(folder / "t.csv")]
    assert main(["detect", before, after, "--into", str(folder / "v"), "--bands", BANDS, *dates, *known, "--tile", "64", "--quiet"]) == 0
    project = open_project(folder / "v")
    return project, pd.read_parquet(project.state / "tables" / "change_signal.parquet"), truth


def test_turned_fields_get_their_light_and_quiet_ones_stay_green(detected):
    project, table, truth = detected
    fields = table[table["farmland"]].set_index("patch_id")
    told = fields.loc[list(truth), "candidate"].to_dict()
    assert told == truth
    assert (fields.drop(list(truth))["light"] == "green").mean() > 0.97
    layer = gpd.read_parquet(project.state / "layers" / "change_parcel.parquet").set_index("patch_id")
    assert (layer["light"] == fields["light"].reindex(layer.index)).all() and len(layer) == len(fields)
    catalog = {d["name"]: d for d in json.loads((project.state / "catalog.json").read_text())}
    assert "a.tif; b.tif" in json.dumps(catalog["change_parcel"], ensure_ascii=False) and "2024-05-01 至 2025-05-03" in json.dumps(catalog, ensure_ascii=False)


def test_dated_labels_tell_the_score_by_the_age_of_the_change(detected):
    project, _, _ = detected
    lag = pd.read_parquet(project.state / "tables" / "change_pair_lag.parquet").set_index("lag_days")
    assert lag.index.tolist() == [20, 40, 80, 160, 320, 367] and lag.loc[367, "hits"] == 8 and lag.loc[367, "misses"] == 0
    assert lag.loc[20, "hits"] == 0 and lag.loc[40, "hits"] == 1 and lag.loc[160, "hits"] == 4 and (lag["low"] <= lag["f1"]).all() and (lag["f1"] <= lag["high"]).all()


def test_labels_without_the_dates_of_the_images_are_refused(country, tmp_path, capsys):
    folder, before, after, _ = country
    assert main(["detect", before, after, "--into", str(tmp_path / "p"), "--truth", str(folder / "t.csv"), "--quiet"]) == 2
    assert "--before-date" in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_changed_areas_of_parcels_are_those_of_clipping_the_patches(detected):
    project, table, _ = detected
    patches = gpd.read_parquet(project.state / "layers" / "change_patch.parquet")
    land = gpd.read_parquet(project.state / "layers" / "landuse_patch.parquet")
    shapes = land.geometry.to_crs(patches.crs)
    share = shapes.intersection(patches.union_all()).area / shapes.area
    want = pd.Series((share * land["area_m2"]).to_numpy(), index=land["patch_id"])
    got = table.set_index("patch_id")["changed_m2"]
    assert (got - want.reindex(got.index)).abs().max() < 0.02 and (got * 100 - (got * 100).round()).abs().max() < 1e-6
    by_kind = patches.dissolve(["from_group", "to_group"], aggfunc={"area_m2": "sum"})["area_m2"]
    assert by_kind["farmland"].sum() > 0.95 * by_kind.sum() and {"construction", "water"} <= set(patches["to_group"])
    assert patches["area_m2"].sum() == pytest.approx(patches.area.sum())


def test_other_thresholds_are_tried_without_the_images_and_kept_when_asked(country, detected, capsys):
    folder, *_ = country
    project = str(folder / "v")
    (folder / "t.toml").write_text("[thresholds]\nwater = 2.0\n")
    (folder / "t.csv").write_text("node,threshold\nwater,2.0\n")
    told = []
    for name in ("t.toml", "t.csv"):
        capsys.readouterr()
        assert main(["lights", project, "--thresholds", str(folder / name), "--quiet", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["figures"])
    assert told[0] == told[1] and told[0]["moved"] == 2 and sum(told[0]["before"].values()) == sum(told[0]["after"].values()) == told[0]["parcels"]
    before = len(history(folder / "v"))
    assert main(["lights", project, "--thresholds", str(folder / "t.toml"), "--keep", "--quiet"]) == 0
    state = open_project(folder / "v").state
    now = pd.read_parquet(state / "tables" / "change_signal.parquet")
    assert len(history(folder / "v")) == before + 1 and "pond" not in set(now["candidate"])
    capsys.readouterr()
    assert main(["lights", project, "--quiet", "--json"]) == 0  # back to the shipped ones: the same two move
    assert json.loads(capsys.readouterr().out)["figures"]["moved"] == 2
    for text, said in (("[thresholds]\nwatr = 1\n", "没有节点"), ("[other]\na = 1\n", "thresholds"), ("[thresholds]\nwater = 'x'\n", "不是数字")):
        (folder / "bad.toml").write_text(text)
        assert main(["lights", project, "--thresholds", str(folder / "bad.toml"), "--quiet"]) != 0
        assert said in capsys.readouterr().err
    (folder / "bad.csv").write_text("node,threshold\nwater,two\n")
    assert main(["lights", project, "--thresholds", str(folder / "bad.csv"), "--quiet"]) != 0
    assert "第 2 行" in capsys.readouterr().err


def test_a_run_that_is_killed_goes_on_where_it_stopped_and_gives_the_same(country, tmp_path, capsys):
    _, before, after, _ = country
    command = ["detect", before, after, "--tile", "16", "--quiet", "--json", "--into"]
    process = subprocess.Popen([sys.executable, "-m", "qianmo.cli.main", *command, str(tmp_path / "p")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, start_new_session=True)  # fmt: skip
    work, deadline = tmp_path / "p-detect", time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and len(list(work.rglob("*.npy"))) < 20:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = len([p for p in work.rglob("*.npy") if not p.name.startswith(".")])
    assert done >= 19 and not (tmp_path / "p" / "current").exists()
    told = []
    for name in ("p", "q"):
        capsys.readouterr()
        assert main([*command, str(tmp_path / name)]) == 0
        told.append(json.loads(capsys.readouterr().out)["figures"])
    assert told[0].pop("resumed") == done < told[0]["tiles"] and told[1].pop("resumed") == 0 and told[0] == told[1]
    strength = [rasterio.open(open_project(tmp_path / n).state / "rasters" / "change_strength.tif").read(1) for n in ("p", "q")]
    assert np.array_equal(*strength, equal_nan=True) and not work.exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(lambda v, crs, t, p: _write(p, np.roll(v, 3, axis=2), crs, t), "错开 3.0"), (lambda v, crs, t, p: _write(p, v[:5], crs, t), "波段"),
     (lambda v, crs, t, p: _write(p, v, crs, affine.Affine(5, 0, t.c + 2, 0, -5, t.f)), "格网")],
)  # fmt: skip
def test_images_that_do_not_lie_on_each_other_are_refused(country, tmp_path, capsys, spoil, said):
    _, before, _, _ = country
    with rasterio.open(before) as opened:
        spoilt = spoil(opened.read(), opened.crs, opened.transform, tmp_path / "x.tif")
    assert main(["detect", before, spoilt, "--into", str(tmp_path / "p"), "--quiet"]) != 0
    assert said in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_missing_values_told_by_one_date_only_and_dates_in_the_wrong_order_are_refused(country, tmp_path, capsys):
    _, before, _, _ = country
    with rasterio.open(before) as opened:
        values, crs, transform = opened.read(), opened.crs, opened.transform
    values[:, :4, :4] = 0.0
    told, silent = _write(tmp_path / "x.tif", values, crs, transform, nodata=0.0), _write(tmp_path / "y.tif", values, crs, transform)
    assert main(["detect", told, silent, "--into", str(tmp_path / "p"), "--quiet"]) != 0
    assert "无效值" in capsys.readouterr().err
    assert main(["detect", before, before, "--into", str(tmp_path / "p"), "--before-date", "2025-01-01", "--after-date", "2024-01-01", "--quiet"]) != 0
    assert "早于" in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_a_fill_value_that_nothing_declares_is_no_change(country, tmp_path, capsys):
    _, before, after, _ = country
    with rasterio.open(after) as opened:
        values, crs, transform = opened.read(), opened.crs, opened.transform
    values[:, :8] = 255.0
    filled = _write(tmp_path / "x.tif", values, crs, transform)
    assert main(["detect", before, filled, "--into", str(tmp_path / "p"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "x.tif 没有声明无效值" in said and "均为 255" in said and "-a_nodata 255 x.tif" in said and not (tmp_path / "p").exists()


def test_a_cloud_counts_as_not_seen_and_not_as_change(country, tmp_path, capsys):
    _, before, after, truth = country
    with rasterio.open(after) as opened:
        values, crs, transform = opened.read(), opened.crs, opened.transform
    values[:, 60:100, 60:120] = np.array([0.62, 0.60, 0.60, 0.64, 0.50, 0.38])[:, None, None]
    cloudy = _write(tmp_path / "c.tif", values, crs, transform)
    told = []
    for extra in (["--clouds", "none"], ["--clouds", "rule"]):
        assert main(["detect", before, cloudy, "--into", str(tmp_path / extra[1]), "--bands", BANDS, *extra, "--quiet", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["figures"])
    assert told[0]["cells"] - told[1]["cells"] >= 40 * 60 * 0.5 and told[1]["cloudy_after"] > told[1]["cloudy_before"]
    strength = rasterio.open(open_project(tmp_path / "rule").state / "rasters" / "change_strength.tif").read(1)
    assert np.isnan(strength[60:100, 60:120]).all()
    nameless = ["detect", before, cloudy, "--into", str(tmp_path / "x"), "--clouds", "rule", "--quiet"]
    assert main(nameless) != 0 and "--bands" in capsys.readouterr().err and not (tmp_path / "x").exists()


def _labels(path, country, *, spoil=None):
    """Labels of the turned fields (1) and of a tenth of the scene (0), as a raster on the grid of the images."""
    folder, before, _, truth = country
    land = gpd.read_parquet(open_project(folder / "v").state / "layers" / "landuse_patch.parquet").set_index("patch_id")
    with rasterio.open(before) as image:
        shape, transform, crs = image.shape, image.transform, image.crs.to_wkt()
    values = np.full(shape, 255.0)
    values[np.random.default_rng(7).random(shape) < 0.1] = 0
    found = cell_fractions(land.loc[list(truth)].geometry.to_numpy(), transform, shape)
    values.ravel()[found.cell] = 255
    values.ravel()[found.cell[found.share > 0.99]] = 1
    values = values if spoil is None else spoil(values)
    return _write(path, values[None], crs, transform)


def test_labels_train_a_detector_whose_accuracy_is_told_of_blocks_it_has_not_seen(country, tmp_path, capsys):
    folder, before, after, truth = country
    labels = _labels(tmp_path / "标注.tif", country)
    command = ["detect", before, after, "--into", str(tmp_path / "p"), "--labels", labels, "--quiet", "--json"]
    capsys.readouterr()
    assert main(command) == 0
    said = json.loads(capsys.readouterr().out)
    told = said["figures"]
    state = open_project(tmp_path / "p").state
    accuracy = pd.read_parquet(state / "tables" / "change_accuracy.parquet")
    assert told["method"] == "trained" and told["threshold"] == 0.5 and accuracy["fold"].tolist() == [1, 2]
    assert (accuracy["f1"] > 0.9).all() and told["f1"] == pytest.approx(accuracy["f1"].mean())
    assert ((accuracy["trained"] + accuracy["tested"]) < told["labels"]).all() and accuracy["tested"].sum() <= told["labels"]  # the rims of the blocks are left out
    assert any("第 1 折" in line and f"F1 {accuracy['f1'][0]:.4f}" in line for line in said["lines"])
    catalog = {d["name"]: d for d in json.loads((state / "catalog.json").read_text())}
    assert "标注.tif" in json.dumps(catalog["change_strength"], ensure_ascii=False)
    chance = rasterio.open(state / "rasters" / "change_strength.tif").read(1)
    assert np.nanmin(chance) >= 0 and np.nanmax(chance) <= 1
    patches = gpd.read_parquet(state / "layers" / "change_patch.parquet")
    land = gpd.read_parquet(open_project(folder / "v").state / "layers" / "landuse_patch.parquet").set_index("patch_id").loc[list(truth)]
    over = patches.union_all().intersection(land.geometry.to_crs(patches.crs).union_all()).area
    assert over / patches.area.sum() > 0.9 and over / land.area.sum() > 0.9 and (patches["chance"] > 0.5).all()


@pytest.mark.parametrize(
    ("spoil", "more", "said"),
    [(lambda v: np.where(v == 1, 255, v), [], "变化 0 个"), (lambda v: v, ["--method", "cva"], "--method cva"), (lambda v: v, ["--threshold", "8"], "概率"), (lambda v: v[:-1], [], "格网")],
)  # fmt: skip
def test_labels_that_cannot_teach_are_refused_and_nothing_is_written(country, tmp_path, capsys, spoil, more, said):
    _, before, after, _ = country
    labels = _labels(tmp_path / "标注.tif", country, spoil=spoil)
    assert main(["detect", before, after, "--into", str(tmp_path / "p"), "--labels", labels, *more, "--quiet"]) != 0
    assert said in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_one_image_under_two_names_is_refused(country, tmp_path, capsys):
    folder, before, _, _ = country
    with rasterio.open(before) as source:
        again = _write(folder / "again.tif", source.read(), source.crs, source.transform)
    assert main(["detect", before, again, "--into", str(tmp_path / "p"), "--quiet"]) == 2
    assert "逐像元相同" in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_cells_with_a_value_in_some_bands_only_are_told(country, tmp_path, capsys):
    folder, before, after, _ = country
    with rasterio.open(after) as source:
        values = source.read()
        values[2, ::4, ::4] = np.nan
        spoilt = _write(folder / "partly.tif", values, source.crs, source.transform)
    assert main(["detect", before, spoilt, "--into", str(tmp_path / "p"), "--method", "cva", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert any("部分波段" in note for note in told["notes"]) and told["figures"]["seen_share"] < 0.95
