"""Change by command: a changed square comes back as one patch, small change is listed, wrong images are refused."""

import json

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.store.project import open_project


def _image(path, values, *, epsg=4527, shift=0.0):
    bands, rows, columns = values.shape
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": bands, "dtype": "float32", "crs": f"EPSG:{epsg}",
               "transform": affine.Affine(10, 0, 500_000 + shift, 0, -10, 3_360_000)}  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(values.astype(np.float32))
    return str(path)


@pytest.fixture
def pair(tmp_path):
    rng = np.random.default_rng(2)
    base = rng.normal(0, 1, (3, 40, 50))
    later = base + rng.normal(0, 0.1, base.shape)
    later[:, 10:20, 15:30] += np.array([6.0, -5.0, 4.0])[:, None, None]
    later[:, 35, 3] += 8.0
    return _image(tmp_path / "前期.tif", base), _image(tmp_path / "后期.tif", later)


@pytest.mark.parametrize(("method", "limit"), [("irmad", "8"), ("cva", "3.5")])
def test_a_changed_square_is_one_patch_of_its_area(tmp_path, pair, capsys, method, limit):
    assert main(["detect", *pair, "--into", str(tmp_path / "p"), "--method", method, "--threshold", limit, "--smallest", "400", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    assert told["patches"] == 1 and told["changed_m2"] == pytest.approx(15_000.0, rel=0.05) and told["small_m2"] == pytest.approx(100.0, abs=300.0)
    layer = pd.read_parquet(open_project(tmp_path / "p").state / "layers" / "change_patch.parquet")
    assert layer["area_m2"].sum() == told["changed_m2"] and layer["strength"][0] > float(limit)


def test_patches_carry_the_class_they_lay_on(tmp_path, capsys):
    folder = tmp_path / "v"
    assert main(["village", "--patches", "60", "--villages", "1", "--into", str(folder), "--quiet"]) == 0
    land = gpd.read_parquet(open_project(folder).state / "layers" / "landuse_patch.parquet")
    x0, _, _, y1 = land.total_bounds
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (3, 60, 60))
    later = values + rng.normal(0, 0.1, values.shape)
    later[:, 20:30, 20:30] += np.array([6.0, -5.0, 4.0])[:, None, None]
    paths = []
    for name, image in (("a.tif", values), ("b.tif", later)):
        profile = {"driver": "GTiff", "height": 60, "width": 60, "count": 3, "dtype": "float32", "crs": land.crs.to_wkt(), "transform": affine.Affine(5, 0, x0, 0, -5, y1)}
        with rasterio.open(tmp_path / name, "w", **profile) as out:
            out.write(image.astype(np.float32))
        paths.append(str(tmp_path / name))
    capsys.readouterr()
    assert main(["detect", *paths, "--into", str(folder), "--threshold", "6", "--quiet"]) == 0
    assert "原地类" in capsys.readouterr().out
    layer = gpd.read_parquet(open_project(folder).state / "layers" / "change_patch.parquet")
    over = layer.overlay(land[["class_code", "geometry"]].to_crs(layer.crs), how="intersection", keep_geom_type=True)
    most = over.assign(a=over.area).groupby("class_code")["a"].sum().idxmax()
    assert layer["from_class"].tolist() == [most] and 0 < layer["from_share"][0] <= 1.0001


@pytest.mark.parametrize("case", ["shifted", "degrees", "missing"])
def test_images_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path, pair, capsys, case):
    other = {"shifted": lambda: _image(tmp_path / "x.tif", np.ones((3, 40, 50)), shift=5.0), "degrees": lambda: pair[0], "missing": lambda: str(tmp_path / "none.tif")}[case]()
    first = pair[0] if case != "degrees" else _image(tmp_path / "y.tif", np.random.default_rng(0).normal(size=(3, 40, 50)), epsg=4490)
    second = other if case != "degrees" else first
    assert main(["detect", first, second, "--into", str(tmp_path / "p"), "--quiet"]) in (2, 5)
    said = capsys.readouterr().err
    assert "办法" in said or "应为" in said
    assert not (tmp_path / "p").exists()
