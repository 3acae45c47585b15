"""The command pattern: indices of a raster and of parcels as tables, and what is no class raster is refused without a trace."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.cli.main import main

MAP = np.array([[1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [2, 2, 2, 1, 0], [2, 2, 2, 2, 1]], np.uint8)


def raster(path, values=MAP, *, epsg=4527, cell=(10.0, 10.0), nodata=0):
    transform = rasterio.transform.from_origin(39_500_000.0, 3_000_000.0, *cell) if epsg == 4527 else rasterio.transform.from_origin(117.0, 27.0, 1e-4, 1e-4)
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype=values.dtype, crs=None if epsg is None else f"EPSG:{epsg}", transform=transform, nodata=nodata
    ) as out:
        out.write(values, 1)
    return path


def table(folder, name):
    return pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")


def test_a_raster_gives_three_tables_without_its_nodata(tmp_path, capsys):
    assert main(["pattern", str(raster(tmp_path / "map.tif")), "--quiet", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["TA"] == pytest.approx(0.24) and figures["NP"] == 2 and figures["PR"] == 2
    by_class, patch = table(tmp_path / "pattern", "类型级指数").set_index("class"), table(tmp_path / "pattern", "斑块级指数")
    assert by_class.loc[1, "CA"] == pytest.approx(0.11) and by_class.loc[1, "NP"] == 1 and sorted(patch["AREA"]) == pytest.approx([0.11, 0.13])
    whole = table(tmp_path / "pattern", "景观级指数").set_index("index")["value"]
    assert whole["NP"] == 2 and whole["TCA"] == pytest.approx(0.01)


def test_four_neighbours_and_whole_numbers_kept_as_floats(tmp_path, capsys):
    path = raster(tmp_path / "map.tif", np.where(MAP == 0, np.nan, MAP).astype(np.float32), nodata=np.nan)
    assert main(["pattern", str(path), "--neighbours", "4", "--out", str(tmp_path / "four"), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["NP"] == 5 and table(tmp_path / "four", "类型级指数")["CA"].tolist() == pytest.approx([0.11, 0.13])


def test_cores_as_the_program_lists_them_when_asked(tmp_path, capsys):
    rows = (".....#...", "....#.#..", "..##A#B#.", "..#AA##..", ".####....")
    path = raster(tmp_path / "map.tif", np.array([[1 if c != "." else 2 for c in row] for row in rows], np.uint8))
    for extra, cores in (([], 2), (["--as-listed"], 1)):
        assert main(["pattern", str(path), *extra, "--quiet", "--json"]) == 0
        assert table(tmp_path / "pattern", "类型级指数").set_index("class").loc[1, "NDCA"] == cores
    capsys.readouterr()


@pytest.mark.parametrize(("more", "word"), [
    ({"values": np.where(MAP == 2, 1.5, 1.0).astype(np.float32)}, "整数类别"), ({"epsg": 4490}, "投影坐标系"), ({"epsg": None}, "投影坐标系"), ({"cell": (10.0, 20.0)}, "正方形"),
    ({"values": np.zeros((3, 3), np.uint8)}, "没有有效像元"),
])  # fmt: skip
def test_what_is_no_class_raster_in_metres_is_refused_and_leaves_nothing(tmp_path, capsys, more, word):
    assert main(["pattern", str(raster(tmp_path / "map.tif", **more)), "--quiet"]) != 0
    assert word in "".join(capsys.readouterr()) and not (tmp_path / "pattern").exists()


def test_parcels_of_a_project_are_measured_themselves(youwuzhen, tmp_path, capsys):
    folder = tmp_path / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    assert main(["pattern", str(folder), "--depth", "10", "--quiet", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    by_class = table(folder / "pattern", "类型级指数")
    assert by_class["PLAND"].sum() == pytest.approx(100.0) and by_class["NP"].sum() == figures["NP"] and (by_class["TCA"] <= by_class["CA"]).all()
    assert main(["pattern", str(folder), "--as-listed", "--quiet"]) != 0
    assert "用于栅格" in "".join(capsys.readouterr())
