"""The command motion on stacks that are wrong in one thing: refused with cause and cure and nothing written, or worked with a stated warning."""

from __future__ import annotations

import json
import shutil

import affine
import numpy as np
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.store.project import open_project
from qianmo.store.read_cog import read_cog
from qianmo.survey.insar.simulate import simulate_stack

X, Y, CELL = 500_000.0, 3_360_000.0, 60.0


@pytest.fixture(scope="module")
def stack():
    return simulate_stack((20, 24), rng=np.random.default_rng(4), dates=14, steps=(1, 2), bowl_mm_yr=120.0, turbulence_mm=2.0)


@pytest.fixture(scope="module")
def written(stack, tmp_path_factory):
    """The stack as GeoTIFF products: phase and coherence of every pair, 0 for no data, radians stated."""
    folder = tmp_path_factory.mktemp("good") / "pairs"
    folder.mkdir()
    rows, columns = stack.shape
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": "EPSG:4527", "nodata": 0.0, "transform": affine.Affine(CELL, 0, X, 0, -CELL, Y)}
    for k, (a, b) in enumerate(zip(stack.network.first, stack.network.second)):
        name = f"{stack.network.dates[a]:%Y%m%d}-{stack.network.dates[b]:%Y%m%d}"
        for kind, values in (("unw", stack.unwrapped[k]), ("cc", stack.coherence[k])):
            with rasterio.open(folder / f"{name}_{kind}.tif", "w", **profile) as out:
                out.write(values.reshape(rows, columns).astype(np.float32), 1)
                if kind == "unw":
                    out.set_band_unit(1, "radian")
    return folder


@pytest.fixture
def pairs(written, tmp_path):
    return shutil.copytree(written, tmp_path / "pairs")


def phases(folder):
    return sorted(folder.glob("*_unw.tif"))


def rewrite(path, change=lambda v: v, **more):
    with rasterio.open(path) as source:
        values, profile, unit = source.read(1), source.profile, source.units[0]
    values = change(values)
    profile |= {"height": values.shape[0], "width": values.shape[1]} | more
    with rasterio.open(path, "w", **profile) as out:
        out.write(values, 1)
        if unit:
            out.set_band_unit(1, unit)


def run(tmp_path, capsys, pairs, *words):
    code = main(["motion", str(pairs), "--into", str(tmp_path / "p"), "--incidence", "39", "--quiet", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def strip(values, fill):
    """A corner of 7 % of the cells filled."""
    out = values.copy()
    out[np.add.outer(np.arange(out.shape[0]), np.arange(out.shape[1])) < 8] = fill
    return out


def renamed(folder, old, new):
    for path in list(folder.glob("*.tif")):
        path.rename(folder / path.name.replace(old, new))


def without_dates(folder, *days):
    for path in list(folder.glob("*.tif")):
        if any(d in path.name for d in days):
            path.unlink()


def twice(folder):
    for path in sorted(folder.glob("20220103-20220115*.tif")):
        shutil.copy(path, folder / path.name.replace("20220115_", "20220115_b_"))


REFUSED = {
    "one grid is shifted by half a cell": (lambda d: rewrite(phases(d)[2], transform=affine.Affine(CELL, 0, X + 30, 0, -CELL, Y)), "格网"),
    "one grid has a row less": (lambda d: rewrite(phases(d)[2], lambda v: v[:-1]), "格网"),
    "one file is in another zone": (lambda d: rewrite(phases(d)[2], crs="EPSG:4528"), "格网"),
    "no file has a coordinate system": (lambda d: [rewrite(p, crs=None) for p in d.glob("*.tif")], "没有坐标系"),
    "two dates are missing and the network falls apart": (lambda d: without_dates(d, "20220316", "20220328"), "断开"),
    "a year in a file name is wrong": (lambda d: renamed(d, "20220304", "20020304"), "核对文件名中的日期"),
    "the last date lies in the future": (lambda d: renamed(d, "20220608", "20820608"), "核对文件名中的年份"),
    "the first date lies before radar satellites": (lambda d: renamed(d, "20220103", "19020103"), "核对文件名中的年份"),
    "a pair is there twice": (twice, "只留一个"),
    "every pair is in degrees": (lambda d: [rewrite(p, np.degrees) for p in phases(d)], "弧度"),
    "no-data of -9999 is not declared": (lambda d: [rewrite(p, lambda v: strip(v, -9999.0)) for p in phases(d)], "写明 nodata"),
    "no-data of 1e20 is not declared": (lambda d: [rewrite(p, lambda v: strip(v, 1e20)) for p in phases(d)], "写明 nodata"),
    "a wall without data cuts the scene in two": (lambda d: [rewrite(p, lambda v: np.where(np.arange(24)[None, :] // 2 == 6, np.nan, v)) for p in phases(d)], "孤岛"),
    "coherence and phase are exchanged": (lambda d: [shutil.copy(p, d / p.name.replace("_unw", "_cc")) for p in phases(d)], "相干性范围"),
    "coherence is nowhere high enough for a reference": (lambda d: [rewrite(p, lambda v: v * 0 + np.float32(0.1)) for p in d.glob("*_cc.tif")], "参考点"),
    "one interferogram is empty": (lambda d: rewrite(phases(d)[4], lambda v: v * 0), "没有有效像元"),
    "one file is no picture": (lambda d: phases(d)[4].write_text("hello"), "content is text"),
    "only three dates are left": (lambda d: [p.unlink() for p in d.glob("*.tif") if p.name[9:17] > "20220127"], "至少 4 期"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_stack_is_refused_with_cause_and_cure_and_nothing_is_written(tmp_path, capsys, pairs, name):
    change, said = REFUSED[name]
    change(pairs)
    code, told = run(tmp_path, capsys, pairs)
    assert code != 0 and said in json.dumps(told, ensure_ascii=False) and told["error"]["cure"] and not (tmp_path / "p").exists()


def test_a_reference_in_low_coherence_is_refused(tmp_path, capsys, pairs):
    for path in pairs.glob("*_cc.tif"):
        rewrite(path, lambda v: np.where((np.arange(20)[:, None] < 4) & (np.arange(24)[None, :] < 4), np.float32(0.08), v))
    code, told = run(tmp_path, capsys, pairs, "--reference", f"{X + 90},{Y - 90}")
    assert code == 2 and "平均相干性 0.08" in told["error"]["found"] and "另选" in told["error"]["cure"]


ODD = {
    "one pair is still wrapped": lambda v: np.angle(np.exp(9j * v)).astype(np.float32),
    "one pair has the sign turned": lambda v: -v,
    "one pair is in millimetres": lambda v: v * np.float32(55.46 / 4 / np.pi),
}


@pytest.mark.parametrize("name", ODD)
def test_one_odd_pair_in_a_good_stack_is_named_in_a_warning(tmp_path, capsys, pairs, name):
    odd = phases(pairs)[6]
    rewrite(odd, ODD[name])
    code, told = run(tmp_path, capsys, pairs)
    assert code == 0 and [p[:17] for p in told["figures"]["odd_pairs"]] == [odd.name[:17]]
    assert any(odd.name[:17] in n and "未解缠" in n and "去掉" in n for n in told["notes"])


def test_a_good_stack_warns_of_nothing_and_infinite_values_are_no_data(tmp_path, capsys, pairs):
    code, told = run(tmp_path, capsys, pairs)
    assert code == 0 and not told["notes"] and told["figures"]["odd_pairs"] == []
    for path in phases(pairs):
        rewrite(path, lambda v: strip(v, np.inf))
    code, told = run(tmp_path, capsys, pairs)
    rate = read_cog(open_project(tmp_path / "p").state / "rasters" / "motion_rate.tif").values
    assert code == 0 and np.isnan(rate[0, 0]) and told["figures"]["seen_share"] == pytest.approx(1 - 36 / 480)


def test_a_stack_without_a_stated_unit_and_with_a_long_gap_says_so(tmp_path, capsys, pairs):
    for path in phases(pairs):
        with rasterio.open(path, "r+") as out:
            out.set_band_unit(1, "")
    renamed(pairs, "20220103", "20170103")  # five years before the others
    code, told = run(tmp_path, capsys, pairs)
    assert code == 0 and any("没有写明单位" in n for n in told["notes"]) and any("天没有影像" in n and "年份" in n for n in told["notes"])
