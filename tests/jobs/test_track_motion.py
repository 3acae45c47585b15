"""Ground motion by command: a simulated stack comes back as maps, tables and a chart; wrong stacks are refused."""

import json

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.store.project import open_project
from qianmo.store.read_cog import read_cog
from qianmo.store.stage import read_catalog
from qianmo.survey.insar.simulate import simulate_stack


def _write(folder, stack, *, origin=(500_000.0, 3_360_000.0), cell=60.0, epsg=4527, scale=1.0, coherence=True):
    folder.mkdir(exist_ok=True)
    rows, columns = stack.shape
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": f"EPSG:{epsg}", "nodata": 0.0,
               "transform": affine.Affine(cell, 0, origin[0], 0, -cell, origin[1])}  # fmt: skip
    for k, (a, b) in enumerate(zip(stack.network.first, stack.network.second)):
        name = f"{stack.network.dates[a]:%Y%m%d}-{stack.network.dates[b]:%Y%m%d}"
        for kind, values in (("unw", np.angle(np.exp(1j * scale * stack.unwrapped[k])) if scale != 1.0 else stack.unwrapped[k]), *((("cc", stack.coherence[k]),) if coherence else ())):
            with rasterio.open(folder / f"{name}_{kind}.tif", "w", **profile) as out:
                out.write(values.reshape(rows, columns).astype(np.float32), 1)
    return folder


@pytest.fixture(scope="module")
def stack():
    return simulate_stack((20, 24), rng=np.random.default_rng(4), dates=14, steps=(1, 2), bowl_mm_yr=120.0, turbulence_mm=2.0)


def test_a_stack_becomes_maps_tables_and_a_chart(tmp_path, stack, capsys):
    pairs = _write(tmp_path / "pairs", stack)
    still = stack.rate_mm_yr.argmax()
    row, column = divmod(int(still), 24)
    x, y = 500_000 + (column + 0.5) * 60, 3_360_000 - (row + 0.5) * 60
    assert main(["motion", str(pairs), "--into", str(tmp_path / "p"), "--incidence", "39", "--reference", f"{x},{y}", "--edge", "20", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    assert (told["pairs"], told["dates"], told["loops"]) == (25, 14, 12)
    state = open_project(tmp_path / "p").state
    rate = read_cog(state / "rasters" / "motion_rate.tif").values.ravel()
    off = rate - (stack.rate_mm_yr - stack.rate_mm_yr[still])
    assert np.sqrt(np.nanmean(off**2)) < 12 and told["lowest_vertical_mm_yr"] == pytest.approx(-120 / np.cos(np.radians(39)), abs=20)
    table = pd.read_parquet(state / "tables" / "motion_date.parquet")
    assert len(table) == 14 and table["area_ha"].iloc[-1] > table["area_ha"].iloc[3] >= 0
    outline = gpd.read_parquet(state / "layers" / "motion_basin.parquet")
    assert outline.area.sum() / 1e4 == pytest.approx(table["area_ha"].iloc[-1]) == pytest.approx(told["area_ha"])
    assert len(read_catalog(state)["motion_rate"].lineage.source_sha256) == 64
    assert (tmp_path / "p" / "motion" / "形变速率与时序.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder, stack: _write(folder, stack, scale=9.0), "未解缠"),
        (lambda folder, stack: next(folder.glob("*_cc.tif")).unlink(), "没有相干性"),
        (lambda folder, stack: next(folder.glob("*_unw.tif")).rename(folder / "20220199-20220301_unw.tif"), "不是日期"),
        (lambda folder, stack: [p.unlink() for p in folder.glob("*.tif")], "没有 GeoTIFF"),
    ],
    ids=["wrapped", "coherence missing", "no date", "empty"],
)
def test_wrong_stacks_are_refused_and_nothing_is_written(tmp_path, stack, capsys, change, said):
    folder = _write(tmp_path / "pairs", stack)
    change(folder, stack)
    assert main(["motion", str(folder), "--into", str(tmp_path / "p"), "--incidence", "39", "--quiet"]) == 2
    message = capsys.readouterr().err
    assert said in message and "办法" in message and not (tmp_path / "p").exists()


def test_grids_that_differ_and_a_reference_outside_are_refused(tmp_path, stack, capsys):
    folder = _write(tmp_path / "pairs", stack)
    name = sorted(folder.glob("*_unw.tif"))[3]
    with rasterio.open(name) as source:
        values, profile = source.read(1), source.profile
    profile |= {"transform": affine.Affine(60, 0, 500_030, 0, -60, 3_360_000)}
    with rasterio.open(name, "w", **profile) as out:
        out.write(values, 1)
    assert main(["motion", str(folder), "--into", str(tmp_path / "p"), "--incidence", "39", "--quiet"]) == 2
    assert "不一致" in capsys.readouterr().err
    _write(folder, stack)
    assert main(["motion", str(folder), "--into", str(tmp_path / "p"), "--incidence", "39", "--reference", "1,2", "--quiet"]) == 2
    assert "不在干涉图范围" in capsys.readouterr().err and not (tmp_path / "p").exists()
