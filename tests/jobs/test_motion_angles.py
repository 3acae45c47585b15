"""Two tracks whose cells each look from an angle of their own: the split against the closed form; maps of angles that are wrong are refused."""

import json
from dataclasses import replace

import affine
import h5py
import numpy as np
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.store.project import open_project
from qianmo.store.read_cog import read_cog
from qianmo.store.stage import read_catalog
from qianmo.survey.insar.geometry import sight_vector
from qianmo.survey.insar.simulate import simulate_stack

ROWS, COLUMNS, CELL, ORIGIN = 20, 26, 60.0, (500_000.0, 3_360_000.0)
HEADING = {"a": -12.0, "d": -168.0}
STILL = (ORIGIN[0] + 0.5 * CELL, ORIGIN[1] - 0.5 * CELL)


def _tif(path, values, *, shift=0.0, unit="", nodata=None):
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32", "crs": "EPSG:4527", "nodata": nodata,
               "transform": affine.Affine(CELL, 0, ORIGIN[0] + shift, 0, -CELL, ORIGIN[1])}  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(values.astype(np.float32), 1)
        if unit:
            out.set_band_unit(1, unit)
    return path


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Folder with two tracks almost without noise over a bowl whose ground also moves inwards; the truth and the angles."""
    folder = tmp_path_factory.mktemp("tracks")
    quiet = simulate_stack((ROWS, COLUMNS), rng=np.random.default_rng(2), dates=8, steps=(1, 2), turbulence_mm=0.0, height_error_m=0.0, bowl_mm_yr=0.0, looks=1e7)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(float)
    bowl = np.exp(-((x - 19) ** 2 + (y - 10) ** 2) / 18)
    up, east = -90 * bowl, -45 * (x - 19) / 5 * bowl
    # far wider a range than a small area has, so that one angle for all would be plainly wrong
    angle = {"a": 30 + 15 * x / COLUMNS, "d": 44 - 13 * x / COLUMNS + 0.1 * y}
    t = quiet.network.days[:, None] / 365.25
    for name in "ad":
        toward = np.array([[sight_vector(angle[name][r, c], HEADING[name]) @ [east[r, c], 0.0, up[r, c]] for c in range(COLUMNS)] for r in range(ROWS)]).ravel()
        extra = (t * toward)[quiet.network.second] - (t * toward)[quiet.network.first]
        stack = replace(quiet, unwrapped=(quiet.unwrapped - extra * 4 * np.pi / 55.466).astype(np.float32))
        (folder / name).mkdir()
        for k, (a, b) in enumerate(zip(stack.network.first, stack.network.second)):
            pair = f"{stack.network.dates[a]:%Y%m%d}-{stack.network.dates[b]:%Y%m%d}"
            _tif(folder / name / f"{pair}_unw.tif", stack.unwrapped[k].reshape(ROWS, COLUMNS), nodata=0.0)
            _tif(folder / name / f"{pair}_cc.tif", stack.coherence[k].reshape(ROWS, COLUMNS))
        _tif(folder / f"inc_{name}.tif", angle[name])
    return folder, up, east, angle


def _run(tracks, into, capsys, *words, second=True):
    command = ["motion", str(tracks / "a"), *(["--second", str(tracks / "d")] if second else []), "--into", str(into), "--reference", f"{STILL[0]},{STILL[1]}", "--quiet", "--json", *map(str, words)]
    code = main(command)
    told = json.loads(capsys.readouterr().out)
    return code, told if code == 0 else json.dumps(told, ensure_ascii=False)


def _off(into, name, truth):
    found = read_cog(open_project(into).state / "rasters" / f"{name}.tif").values
    assert np.isfinite(found).mean() > 0.95
    return float(np.nanmax(np.abs(found - truth)))


def test_two_tracks_with_maps_of_incidence_and_headings_give_the_closed_form(tmp_path, tracks, capsys):
    folder, up, east, angle = tracks
    maps = ("--incidence-map", folder / "inc_a.tif", "--second-incidence-map", folder / "inc_d.tif")
    code, told = _run(folder, tmp_path / "p", capsys, *maps, "--heading", "-12", "--second-heading", "-168")
    assert code == 0, told
    off = {n: _off(tmp_path / "p", n, v) for n, v in (("motion_vertical", up), ("motion_east", east))}
    assert max(off.values()) < 0.2, off
    figures = told["figures"]
    assert figures["is_incidence_map"] and figures["incidence_low_deg"] == pytest.approx(angle["a"].min()) and not figures["is_north_south"]
    lineage = read_catalog(open_project(tmp_path / "p").state)["motion_east"].lineage
    assert len(lineage.source_sha256.split("; ")) == 4
    code, told = _run(folder, tmp_path / "q", capsys, "--incidence", "37.5", "--second-incidence", "38.5")
    assert code == 0 and told["figures"]["is_north_south"] and any("没有给航向" in line for line in told["lines"])
    plain = {n: _off(tmp_path / "q", n, v) for n, v in (("motion_vertical", up), ("motion_east", east))}
    assert plain["motion_vertical"] > 1.5 and plain["motion_east"] > 4, plain


def test_maps_in_radians_of_mintpy_and_with_gaps_are_read(tmp_path, tracks, capsys):
    folder, up, east, angle = tracks
    gap = np.radians(angle["a"])
    gap[2:4, 20:24] = 0.0
    _tif(tmp_path / "inc.tif", gap)
    _tif(tmp_path / "heading.tif", np.full(gap.shape, np.radians(-12.0)), unit="radian")
    with h5py.File(tmp_path / "geometryGeo.h5", "w") as out:
        out.attrs.update({"X_FIRST": str(ORIGIN[0]), "Y_FIRST": str(ORIGIN[1]), "X_STEP": "60", "Y_STEP": "-60", "EPSG": "4527", "FILE_TYPE": "geometry"})
        out["incidenceAngle"] = angle["d"].astype(np.float32)
    maps = ("--incidence-map", tmp_path / "inc.tif", "--heading-map", tmp_path / "heading.tif", "--second-heading", "-168", "--angle-unit", "radian")
    code, said = _run(folder, tmp_path / "p", capsys, *maps, "--second-incidence-map", tmp_path / "geometryGeo.h5")
    assert code == 2 and "geometryGeo" not in said and "入射角栅格" in said  # one unit for all maps: that of MintPy is degrees
    with h5py.File(tmp_path / "geometryGeo.h5", "r+") as out:
        out["incidenceAngle"].attrs["UNIT"] = "degree"
    code, said = _run(folder, tmp_path / "p", capsys, *maps, "--second-incidence-map", tmp_path / "geometryGeo.h5")
    assert code == 2 and "不符" in said and not (tmp_path / "p").exists()
    _tif(tmp_path / "inc.tif", gap, unit="radian")
    words = tuple(w for w in maps if w not in ("--angle-unit", "radian"))
    code, told = _run(folder, tmp_path / "p", capsys, *words, "--second-incidence-map", tmp_path / "geometryGeo.h5")
    assert code == 0, told
    found = read_cog(open_project(tmp_path / "p").state / "rasters" / "motion_vertical.tif").values
    assert np.isnan(found[2:4, 20:24]).all() and np.nanmax(np.abs(found - up)) < 0.2
    assert told["figures"]["no_incidence_share"] == pytest.approx(8 / (ROWS * COLUMNS), abs=1e-6) and any("没有入射角的像元" in line for line in told["lines"])


def test_one_track_takes_its_map_for_the_vertical(tmp_path, tracks, capsys):
    folder, up, east, angle = tracks
    code, told = _run(folder, tmp_path / "p", capsys, "--incidence-map", folder / "inc_a.tif", second=False)
    assert code == 0, told
    state = open_project(tmp_path / "p").state / "rasters"
    rate, upright = (read_cog(state / f"{n}.tif").values for n in ("motion_rate", "motion_vertical"))
    np.testing.assert_allclose(upright, rate / np.cos(np.radians(angle["a"])), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "words", "said"),
    [
        (lambda f, a: _tif(f, a, shift=30.0), (), "不一致"),
        (lambda f, a: _tif(f, a[:-1]), (), "不一致"),
        (lambda f, a: _tif(f, np.radians(a)), (), "像是弧度"),
        (lambda f, a: _tif(f, a, unit="m"), (), "单位为 m"),
        (lambda f, a: _tif(f, np.where(a > 40, -9999.0, a)), (), "-9999"),
        (lambda f, a: _tif(f, a), ("--incidence", "39"), "同时给出"),
        (lambda f, a: _tif(f, a), ("--heading", "-12"), "只有一轨有航向"),
        (lambda f, a: _tif(f, a), ("--heading", "-168", "--second-heading", "-12"), "弄反"),
        (lambda f, a: _tif(f, a), ("--heading", "-0.21", "--second-heading", "-168"), "像是弧度"),
        (lambda f, a: f.with_suffix(".tif").write_text("x"), (), "inc.tif"),
        (lambda f, a: None, (), "inc.tif"),
    ],
    ids=["shifted", "rows", "radians", "metres", "nodata", "number and map", "one heading", "tracks swapped", "heading in radians", "no tiff", "no file"],
)
def test_maps_that_are_wrong_are_refused_before_any_work(tmp_path, tracks, capsys, make, words, said):
    folder, _, _, angle = tracks
    make(tmp_path / "inc.tif", angle["a"])
    code, message = _run(folder, tmp_path / "p", capsys, "--incidence-map", tmp_path / "inc.tif", "--second-incidence", "38", *words)
    assert code in (2, 5) and said in message and "cure" in message and not (tmp_path / "p").exists() and not list(tmp_path.glob(".*motion*"))


def test_angles_of_a_second_track_without_the_track_are_refused(tmp_path, tracks, capsys):
    code, message = _run(tracks[0], tmp_path / "p", capsys, "--incidence", "39", "--second-heading", "-168", second=False)
    assert code == 2 and "没有第二轨" in message
