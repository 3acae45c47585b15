"""Ground motion by command: a simulated stack comes back as maps, tables and a chart; wrong stacks are refused."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import affine
import geopandas as gpd
import h5py
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

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
    assert set(outline["day"]) <= set(table["day"].astype(str)) and {"edge_mm", "area_ha", "deepest_mm", "deepest_x", "deepest_y"} <= set(outline.columns)
    outline = outline[outline["day"] == told["last"]]
    assert outline.area.sum() / 1e4 == pytest.approx(outline["area_ha"].sum()) == pytest.approx(table["area_ha"].iloc[-1]) == pytest.approx(told["area_ha"])
    assert len(read_catalog(state)["motion_rate"].lineage.source_sha256) == 64
    assert (tmp_path / "p" / "motion" / "形变速率与时序.png").stat().st_size > 20_000
    assert (tmp_path / "p" / "motion" / "地表形变速率图.png").stat().st_size > 20_000 and not list(tmp_path.glob(".*motion*"))


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


def _run(tmp_path, capsys, *words, into="p"):
    code = main(["motion", *map(str, words), "--into", str(tmp_path / into), "--quiet", "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, told["figures"] if code == 0 else json.dumps(told, ensure_ascii=False)


def _rate(tmp_path, name="motion_rate", into="p"):
    return read_cog(open_project(tmp_path / into).state / "rasters" / f"{name}.tif").values


def test_a_run_that_was_killed_goes_on_from_its_finished_blocks(tmp_path, stack, capsys):
    pairs = _write(tmp_path / "pairs", stack)
    options = ("--incidence", "39", "--memory", "0.3", "--calm", "1", "--mend", "--breaks")
    command = [sys.executable, "-m", "qianmo.cli.main", "motion", str(pairs), "--into", str(tmp_path / "p"), *options, "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = tmp_path / ".p-motion" / "first"
    for _ in range(1200):
        if len(list(parts.glob("series_*"))) >= 2:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not (tmp_path / "p").exists()
    kept = {p.name: p.stat().st_mtime_ns for p in parts.glob("series_*")}
    code, told = _run(tmp_path, capsys, pairs, *options)
    assert code == 0 and 2 <= len(kept) <= told["blocks_reused"] < told["blocks"] and not parts.exists()
    code, straight = _run(tmp_path, capsys, pairs, "--incidence", "39", "--calm", "1", "--mend", "--breaks", into="q")
    assert code == 0 and straight["blocks"] == 1 and straight["blocks_reused"] == 0
    for name in ("motion_rate", "motion_sigma", "motion_coherence", "motion_break"):
        np.testing.assert_allclose(_rate(tmp_path, name), _rate(tmp_path, name, "q"), rtol=1e-5, atol=1e-5)
    one, two = (pd.read_parquet(open_project(tmp_path / n).state / "tables" / "motion_date.parquet") for n in ("p", "q"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-4)


def test_finished_blocks_of_other_options_are_thrown_away_and_foreign_folders_kept(tmp_path, stack, capsys):
    pairs = _write(tmp_path / "pairs", stack)
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "first").mkdir()
    (tmp_path / "w" / "first" / "letter.txt").write_text("mine")
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39", "--work", tmp_path / "w")
    assert code == 6 and "续算文件夹" in said and (tmp_path / "w" / "first" / "letter.txt").read_text() == "mine"
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39", "--memory", "0.001")
    assert code == 2 and "至少" in said and "MB" in said


def _with(stack, add, rng):
    """The stack with something added to the phases of its dates (d, n) [mm towards the satellite]."""
    extra = add[stack.network.second] - add[stack.network.first]
    return replace(stack, unwrapped=(stack.unwrapped - extra * 4 * np.pi / 55.466).astype(np.float32))


def test_plane_height_delay_and_height_error_are_taken_off(tmp_path, capsys, rng):
    shape = (40, 44)
    stack = simulate_stack(shape, rng=np.random.default_rng(8), dates=16, steps=(1, 2), bowl_mm_yr=80.0, turbulence_mm=0.5, height_error_m=12.0, baseline_m=90.0)
    y, x = (v.ravel() for v in np.mgrid[0:40, 0:44].astype(float))
    height = 200 + 80 * np.sin(x / 5) * np.cos(y / 4)
    add = rng.normal(0, 2.0, (16, 1)) * x + rng.normal(0, 1.0, (16, 1)) * height
    pairs = _write(tmp_path / "pairs", _with(stack, add, rng))
    dem = tmp_path / "dem.tif"
    with rasterio.open(dem, "w", driver="GTiff", height=40, width=44, count=1, dtype="float32", crs="EPSG:4527", transform=affine.Affine(60, 0, 500_000, 0, -60, 3_360_000)) as out:
        out.write(height.reshape(shape).astype(np.float32), 1)
    net = stack.network
    table = pd.DataFrame({"first": [f"{net.dates[a]:%Y%m%d}" for a in net.first], "second": [f"{net.dates[b]:%Y%m%d}" for b in net.second],
                          "baseline_m": stack.baselines_m[net.second] - stack.baselines_m[net.first]})  # fmt: skip
    table.to_csv(tmp_path / "b.csv", index=False)
    code, _ = _run(tmp_path, capsys, pairs, "--incidence", "39", into="raw")
    full = ("--ramp", "--height-delay", "--dem", dem, "--height-error", "--baselines", tmp_path / "b.csv", "--range", "850000", "--memory", "1")
    code, told = _run(tmp_path, capsys, pairs, "--incidence", "39", *full)
    assert code == 0 and told["blocks"] > 1 and told["stable_pixels"] > 300
    off = {n: (lambda v: np.sqrt(np.nanmean((v - np.nanmedian(v)) ** 2)))(_rate(tmp_path, into=n).ravel() - stack.rate_mm_yr) for n in ("raw", "p")}
    assert off["p"] < 4.0 and off["raw"] > 3.5 * off["p"], off
    found = _rate(tmp_path, "motion_height_error").ravel()
    assert np.corrcoef(found[np.isfinite(found)], stack.height_error_m[np.isfinite(found)])[0, 1] > 0.9
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39", "--height-error", into="x")
    assert code == 2 and "垂直基线" in said
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39", "--height-delay", into="x")
    assert code == 2 and "高程" in said and not (tmp_path / "x").exists()


def test_two_tracks_give_up_and_east(tmp_path, capsys):
    shape, angles = (24, 26), (39.0, 34.0)
    base = simulate_stack(shape, rng=np.random.default_rng(2), dates=12, steps=(1, 2), turbulence_mm=0.0, height_error_m=0.0, bowl_mm_yr=0.0)
    y, x = (v.ravel() for v in np.mgrid[0:24, 0:26].astype(float))
    bowl = np.exp(-((x - 13) ** 2 + (y - 12) ** 2) / 20)
    up, east = -90 * bowl, -60 * (x - 13) / 6 * bowl
    t = base.network.days[:, None] / 365.25
    (tmp_path / "a").mkdir(), (tmp_path / "d").mkdir()
    for name, angle, sign in (("a", angles[0], -1), ("d", angles[1], 1)):
        sight = up * np.cos(np.radians(angle)) + sign * east * np.sin(np.radians(angle))
        _write(tmp_path / name, _with(base, t * sight, None))
    code, told = _run(tmp_path, capsys, tmp_path / "a", "--second", tmp_path / "d", "--incidence", "39", "--second-incidence", "34")
    assert code == 0 and told["is_two_tracks"]
    for name, truth in (("motion_vertical", up), ("motion_east", east)):
        off = _rate(tmp_path, name).ravel() - truth
        assert np.sqrt(np.nanmean((off - np.nanmedian(off)) ** 2)) < 6 and np.corrcoef(_rate(tmp_path, name).ravel(), truth)[0, 1] > 0.95
    assert np.isfinite(_rate(tmp_path, "motion_east_sigma")).mean() > 0.9
    code, _ = _run(tmp_path, capsys, tmp_path / "a", "--incidence", "39")
    assert code == 0 and "motion_east" not in read_catalog(open_project(tmp_path / "p").state)


def _changed(stack, change):
    phase, coherence = stack.unwrapped.copy(), stack.coherence.copy()
    change(phase.reshape(-1, *stack.shape), coherence.reshape(-1, *stack.shape))
    return replace(stack, unwrapped=phase, coherence=coherence)


def _island(phase, coherence):
    phase[:, :, 14:17] = 0.0


def _water(phase, coherence):
    coherence[:, :4, :4] = 0.05


def _constant(phase, coherence):
    phase[3, :6, :3] = -9999.0


def _loose(phase, coherence):
    phase[phase != 0] += np.random.default_rng(3).uniform(-4.0, 4.0, int((phase != 0).sum())).astype(np.float32)


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (_island, (), "孤岛"),
        (_loose, (), "的闭合差超过 π"),
        (_water, ("--reference", "500030,3359970"), "水面"),
        (lambda p, c: p.__setitem__((2, slice(0, 2), slice(0, 2)), 0.0), ("--reference", "500030,3359970"), "1 个干涉对中无效"),
        (_constant, (), "未标明的无数据值"),
        (lambda p, c: p.__imul__(np.float32(1000)), (), "毫米或度"),
        (lambda p, c: p.__imul__(np.float32(1e-4)), (), "像是米"),
        (lambda p, c: c.__imul__(np.float32(255)), (), "相干性范围"),
        (lambda p, c: p.__setitem__(4, 0.0), (), "没有有效像元"),
        (lambda p, c: None, ("--incidence", "0.68"), "入射角"),
        (lambda p, c: None, ("--wavelength", "5.5"), "波长"),
    ],
    ids=["island", "loops that do not close", "reference in water", "reference without data", "nodata", "mm", "m", "coherence as bytes", "empty pair", "incidence in radians", "wavelength in cm"],
)
def test_numbers_that_are_wrong_are_refused_and_nothing_is_written(tmp_path, stack, capsys, change, words, said):
    pairs = _write(tmp_path / "pairs", _changed(stack, change))
    code, message = _run(tmp_path, capsys, pairs, *(() if "--incidence" in words else ("--incidence", "39")), *words)
    assert code == 2 and said in message and "cure" in message and not (tmp_path / "p").exists()
    assert said == "孤岛" or not list(tmp_path.glob(".*motion*"))


def test_islands_can_be_kept_and_few_are_left_out(tmp_path, stack, capsys):
    pairs = _write(tmp_path / "pairs", _changed(stack, _island))
    code, told = _run(tmp_path, capsys, pairs, "--incidence", "39", "--islands", "keep")
    assert code == 0 and np.isfinite(_rate(tmp_path)[:, 18:]).any()

    def spot(phase, coherence):
        phase[:, 7:12, 7:12] = 0.0
        phase[:, 9, 9] = 1.0 + np.arange(len(phase)) * 0.1

    code, told = _run(tmp_path, capsys, _write(tmp_path / "few", _changed(stack, spot)), "--incidence", "39", into="q")
    assert code == 0 and 0 < told["island_share"] < 0.01 and np.isnan(_rate(tmp_path, into="q")[9, 9])


def test_a_stated_unit_other_than_radian_is_refused(tmp_path, stack, capsys):
    pairs = _write(tmp_path / "pairs", stack)
    for path in pairs.glob("*_unw.tif"):
        with rasterio.open(path, "r+") as out:
            out.set_band_unit(1, "mm")
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39")
    assert code == 2 and "单位为 mm" in said


def test_thresholds_give_bowls_of_their_own_inside_one_another(tmp_path, stack, capsys):
    code, told = _run(tmp_path, capsys, _write(tmp_path / "pairs", stack), "--incidence", "39", "--levels", "20,40")
    assert code == 0
    table = pd.read_parquet(open_project(tmp_path / "p").state / "tables" / "motion_date.parquet")
    last = table[table["days"] == table["days"].max()].set_index("edge_mm")["area_ha"]
    assert sorted(last.index) == [10.0, 20.0, 40.0] and last[10] > last[20] > last[40] > 0
    outline = gpd.read_parquet(open_project(tmp_path / "p").state / "layers" / "motion_basin.parquet")
    for _, b in outline.iterrows():
        assert b.geometry.buffer(1).contains(shapely.Point(b.deepest_x, b.deepest_y)) and b.geometry.area / 1e4 == pytest.approx(b.area_ha)


def test_motion_lands_on_the_patches_of_the_project(tmp_path, capsys):
    folder = tmp_path / "p"
    assert main(["village", "--patches", "80", "--villages", "1", "--into", str(folder), "--quiet"]) == 0
    capsys.readouterr()
    land = gpd.read_parquet(open_project(folder).state / "layers" / "landuse_patch.parquet")
    west, south, east, north = land.total_bounds
    cell = max(east - west, north - south) / 30
    shape = (int(np.ceil((north - south) / cell)) + 2, int(np.ceil((east - west) / cell)) + 2)
    stack = simulate_stack(shape, rng=np.random.default_rng(6), dates=12, steps=(1, 2), bowl_mm_yr=150.0, turbulence_mm=0.3, height_error_m=0.0, looks=200.0)
    origin = (west - cell, north + cell)
    pairs = _write(tmp_path / "pairs", stack, origin=origin, cell=cell, epsg=land.crs.to_epsg())
    profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1, "dtype": "float32", "crs": land.crs.to_wkt(),
               "transform": affine.Affine(cell, 0, origin[0], 0, -cell, origin[1])}  # fmt: skip
    with rasterio.open(tmp_path / "dem.tif", "w", **profile) as out:
        out.write(np.full(shape, 55.0, np.float32), 1)
    code, told = _run(tmp_path, capsys, pairs, "--incidence", "39", "--dem", tmp_path / "dem.tif", "--reference", f"{west - cell / 2},{north + cell / 2}")
    assert code == 0, told
    state = open_project(folder).state
    table = pd.read_parquet(state / "tables" / "motion_patch.parquet")
    assert list(table["patch_id"]) == list(land["patch_id"]) and {"tilt_mm_m", "pond_m", "pond_share", "pond_risk"} <= set(table.columns)
    middle = shapely.Point((west + east) / 2, (north + south) / 2)
    far = land.distance(middle).to_numpy()
    near, edge = table[far < 3 * cell], table[far > 13 * cell]
    truth = -150 / np.cos(np.radians(39))
    assert near["vertical_mm_yr"].min() == pytest.approx(truth, rel=0.25) and edge["vertical_mm_yr"].abs().median() < 15
    assert (table["sigma_mm_yr"] > 0).all() and near["grade"].iloc[0] != edge["grade"].iloc[0]
    colour = pd.cut(-table["vertical_mm_yr"].clip(upper=0), [-1, 10, 20, 50, 100, np.inf], labels=["", "蓝", "黄", "橙", "红"]).astype(str)
    assert (table["mine_alarm"] == colour.where(table["vertical_mm_yr"].notna(), "")).all() and set(near["mine_alarm"]) & {"红", "橙"}
    assert (near["pond_risk"] == "有").all() and near["pond_m"].max() == pytest.approx(-truth / 100, rel=0.3)
    # the steepest part of a Gaussian bowl is at its standard deviation
    assert table["tilt_rate_mm_m_yr"].max() == pytest.approx(-truth * np.exp(-0.5) / (min(shape) / 7 * cell), rel=0.6)
    catalog = read_catalog(state)
    assert catalog["motion_pond"].lineage.source_sha256 == catalog["motion_basin"].lineage.source_sha256 and "landuse_patch" in catalog


@pytest.mark.parametrize("form", ["mintpy", "gamma"])
def test_other_formats_go_through_the_command(tmp_path, stack, capsys, form):
    rows, columns = stack.shape
    pairs = [(stack.network.dates[a], stack.network.dates[b]) for a, b in zip(stack.network.first, stack.network.second)]
    phase, coherence = (v.reshape(-1, rows, columns) for v in (stack.unwrapped, stack.coherence))
    folder = tmp_path / "pairs"
    folder.mkdir()
    if form == "mintpy":
        with h5py.File(folder / "ifgramStack.h5", "w") as out:
            said = {"FILE_TYPE": "ifgramStack", "X_FIRST": "500000", "Y_FIRST": "3360000", "X_STEP": "60", "Y_STEP": "-60", "EPSG": "32649", "WAVELENGTH": "0.055466"}
            out.attrs.update(said | {"CENTER_INCIDENCE_ANGLE": "39.0", "STARTING_RANGE": "850000"})
            out["date"] = np.array([[f"{d:%Y%m%d}".encode() for d in p] for p in pairs])
            out["unwrapPhase"], out["coherence"] = phase, coherence
            out["bperp"] = (stack.baselines_m[stack.network.second] - stack.baselines_m[stack.network.first]).astype(np.float32)
        words: tuple[str, ...] = ("--height-error",)
    else:
        (folder / "map.dem_par").write_text(f"width: {columns}\nnlines: {rows}\nprojection_zone: 49\ncorner_north: 3359970\ncorner_east: 500030\npost_north: -60\npost_east: 60\n")
        for k, (a, b) in enumerate(pairs):
            (folder / f"{a:%Y%m%d}-{b:%Y%m%d}.unw").write_bytes(phase[k].astype(">f4").tobytes())
            (folder / f"{a:%Y%m%d}-{b:%Y%m%d}.cc").write_bytes(coherence[k].astype(">f4").tobytes())
        words = ("--incidence", "39")
    code, told = _run(tmp_path, capsys, folder, *words)
    assert code == 0, told
    at = told["reference_row"] * columns + told["reference_column"]
    off = _rate(tmp_path).ravel() - (stack.rate_mm_yr - stack.rate_mm_yr[at])
    assert told["form"].lower() == form and np.sqrt(np.nanmean(off**2)) < 15
    assert ("motion_height_error" in read_catalog(open_project(tmp_path / "p").state)) == (form == "mintpy")


def test_wrapped_phases_are_unwrapped_on_request(tmp_path, capsys):
    stack = simulate_stack((40, 40), rng=np.random.default_rng(9), dates=8, steps=(1, 2), bowl_mm_yr=250.0, turbulence_mm=1.0, looks=100.0)
    pairs = _write(tmp_path / "pairs", stack, scale=1.0 + 1e-9)
    for path in pairs.glob("*_unw.tif"):
        path.rename(path.with_name(path.name.replace("_unw", "_wrapped_phase")))
    code, said = _run(tmp_path, capsys, pairs, "--incidence", "39")
    assert code == 2 and "没有干涉图" in said
    code, told = _run(tmp_path, capsys, pairs, "--incidence", "39", "--unwrap", "--looks", "100")
    assert code == 0, told
    at = told["reference_row"] * 40 + told["reference_column"]
    off = _rate(tmp_path).ravel() - (stack.rate_mm_yr - stack.rate_mm_yr[at])
    assert np.abs(stack.unwrapped).max() > np.pi and np.isfinite(off).mean() > 0.9 and np.sqrt(np.nanmean(off**2)) < 20
