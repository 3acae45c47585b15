"""The command probe: lines in, anomalies and zones with stability and treatment in the project; faults are told and leave nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import affine
import numpy as np
import pandas as pd
import pyproj
import pytest

from qianmo.cli.main import main
from qianmo.geo.raster import Grid
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project
from qianmo.store.stage import read_catalog
from qianmo.survey.radar.forward import Body, radar_section
from qianmo.survey.resistivity.electrical import dipole_dipole, padded_edges
from qianmo.survey.resistivity.simulation import electrical_forward, is_here

X, Y = 500_000.0, 4_200_000.0
TEXT = f"""date = 2026-01-01
crs = "EPSG:4547"
synthetic = true

[mine]
thickness_m = 2.5
mining_ended = 2019-06-30
extraction = 0.75
void_rate = 0.25
final_subsidence_mm = 1500

[[line]]
name = "雷达1"
method = "gpr"
file = "一.rd3"
path = [[{X}, {Y}], [{X + 30}, {Y}]]
half_width_m = 3
"""
NOISE = 0.15


@pytest.fixture
def site(tmp_path):
    """A stone at 2.5 m and a cavity at 5 m under a line of 30 m, as a MALÅ file of 100 MHz with 15 % noise."""
    x = np.arange(0.0, 29.95, 0.1)
    wave = radar_section(x, 256, sample_ns=0.8, velocity_m_ns=0.1, centre_mhz=100.0, bodies=[Body(8.0, 2.5), Body(20.0, 5.0, 3.0)], zero_ns=24.0, direct=15.0, drift=5.0,
                         noise=NOISE, rng=np.random.default_rng(4))  # fmt: skip
    (tmp_path / "一.rd3").write_bytes(np.round(wave * 1500).clip(-32000, 32000).astype("<i2").T.tobytes())
    (tmp_path / "一.rad").write_text(f"SAMPLES:256\nFREQUENCY:1250\nDISTANCE INTERVAL:0.1\nANTENNAS:100 MHz\nANTENNA SEPARATION:0\nTIMEWINDOW:204.8\nLAST TRACE:{len(x)}\n", encoding="utf-8")
    (tmp_path / "物探.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def _run(site, *more):
    return main(["probe", str(site / "物探.toml"), "--into", str(site / "p"), "--quiet", *more])


def test_a_radar_line_becomes_anomalies_and_judged_zones_in_the_project(site, capsys):
    assert _run(site, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    state = open_project(site / "p").state
    seen = read_frame(state / "layers" / "goaf_anomaly.parquet")
    zones = read_frame(state / "layers" / "goaf_zone.parquet")
    assert len(seen) == len(zones) == 2 and seen.crs.to_epsg() == 4547 and (seen["method"] == "gpr").all()
    cavity = zones.iloc[zones["area_m2"].argmax()]
    assert cavity["depth_m"] == pytest.approx(5.0, rel=0.05) and abs(cavity["depth_m"] - 5.0) < 3 * cavity["sigma_m"]
    assert cavity.geometry.bounds == pytest.approx((X + 18.5, Y - 3, X + 21.5, Y + 3), abs=0.5)
    grout = 1.2 * cavity["area_m2"] * 2.5 * 0.75 * 0.25 * 0.85 / 0.85
    assert cavity["grout_m3"] == pytest.approx(grout) and cavity["stability"] == "稳定" and "开挖回填" in cavity["treatment"]
    assert cavity["residual_mm"] == pytest.approx(1500 * np.exp(-0.01 * 2377), rel=1e-6)
    assert read_catalog(state)["goaf_zone"].synthetic and read_catalog(state)["goaf_zone"].lineage.source_sha256
    assert (site / "p" / "probe" / "雷达1_gpr.png").read_bytes()[:4] == b"\x89PNG"
    assert any("波速 0.1" in line or "波速 0.09" in line for line in said["lines"]) and said["figures"]["anomalies"] == 2


def test_sinking_ground_of_the_project_makes_a_zone_surer_and_less_stable(site, capsys):
    crs = pyproj.CRS.from_epsg(4547)
    rate = np.full((20, 30), -1.0, dtype=np.float32)
    rate[8:12, 16:25] = -120.0
    place = affine.Affine(1.0, 0, X, 0, -1.0, Y + 10)
    nothing = Lineage("", "", "", "", "")
    with change(site / "p", what="形变", user="测试员", now=datetime(2026, 1, 1, tzinfo=UTC), settings_text='[project]\nname = "x"\n[parameters]\n[plan]\n[documents]\n[office]\n') as stage:
        for name, values in (("motion_vertical", rate), ("motion_sigma", np.full_like(rate, 3.0))):
            stage.put_grid(Grid(values, place, crs, float("nan")), Dataset(name, "raster", name, "EPSG:4547", "", "", True, 600, nothing))
    assert _run(site, "--json") == 0
    zones = json.loads(capsys.readouterr().out)["figures"]["zones"]
    both = next(z for z in zones if z["methods"] == "gpr+insar")
    alone = next(z for z in zones if z["methods"] == "gpr")
    assert both["confidence"] > 0.6 and both["confidence"] > alone["confidence"] - 0.01 and both["depth_m"] == pytest.approx(5.0, rel=0.05)
    assert both["rate_mm_yr"] < -30 and both["stability"] != "稳定" and alone["stability"] == "稳定"


@pytest.mark.skipif(not is_here(), reason="simpeg is not installed: pip install 'qianmo[geophysics]' runs the inversions of electrical lines and soundings")
def test_an_electrical_line_over_the_same_ground_lands_beside_the_radar(site, capsys):
    x, arrays = np.arange(24) * 4.0, dipole_dipole(24, lengths=(1, 2), steps=5)
    ex, ez = padded_edges(x, cell_m=1.0, depth_m=30.0)
    cx, cz = (ex[1:] + ex[:-1]) / 2, (ez[1:] + ez[:-1]) / 2
    rho = np.full((len(cz), len(cx)), 100.0)
    rho[np.ix_((cz < -5) & (cz > -10), np.abs(cx - 50) < 6)] = 10.0
    seen = np.exp(electrical_forward(x, arrays, edges_x_m=ex, edges_z_m=ez)[0](np.log(rho).ravel()) + 0.03 * np.random.default_rng(1).standard_normal(len(arrays)))
    table = pd.DataFrame(x[arrays], columns=["a_m", "b_m", "m_m", "n_m"]).assign(apparent_ohm_m=seen, error=0.03)
    table.to_csv(site / "二.csv", index=False)
    more = f'\n[[line]]\nname = "电法1"\nmethod = "ert"\nfile = "二.csv"\npath = [[{X - 30}, {Y}], [{X + 62}, {Y}]]\nhalf_width_m = 4\ncell_m = 2.6\n'
    (site / "物探.toml").write_text(TEXT + more, encoding="utf-8")
    assert _run(site, "--json") == 0
    capsys.readouterr()
    zones = read_frame(open_project(site / "p").state / "layers" / "goaf_zone.parquet")
    best = zones.iloc[0]  # radar sees the roof at 5 m, the electrical line the middle of the wet body at 7.5 m: they agree within their errors
    assert best["methods"] == "ert+gpr" and 4.8 < best["depth_m"] < 6.5 and best["confidence"] > 0.7
    assert (site / "p" / "probe" / "电法1_ert.png").is_file()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('method = "gpr"', 'method = "sonar"', "line[1].method"), ("half_width_m = 3", 'half_width_m = "breit"', "line[1].half_width_m"), ("half_width_m = 3", "half_width_m = -3", "半宽"),
        (f"[{X + 30}, {Y}]", f"[{X + 3}, {Y}]", "path"), ('"一.rd3"', '"二.rd3"', "没有这个雷达文件"), ('"EPSG:4547"', '"EPSG:4490"', "坐标系"), ("thickness_m = 2.5", "thickness_m = -2.5", "mine.thickness_m"),
        ("mining_ended = 2019-06-30", "mining_ended = 2029-06-30", "mine.mining_ended"), ("half_width_m = 3", "half_width_m = 3\nvelocity_m_ns = 100", "0.3"),
        ("half_width_m = 3", "half_width_m = 3\nspacing_m = 100", "给定道间距"), ("half_width_m = 3", "half_width_m = 3\nantenna_mhz = 100e6", "文件头为 100 MHz"),
        ("half_width_m = 3", "half_width_m = 3\nzero_ns = 24e-9", "乘以 1e9"), (f"[[{X}, {Y}], [{X + 30}, {Y}]]", f"[[{Y}, {X}], [{Y + 30}, {X}]]", "写反"),
        (f"[[{X}, {Y}], [{X + 30}, {Y}]]", "[[117.0, 37.9], [117.001, 37.9]]", "经纬度"), ("half_width_m = 3", "half_width_m = 3\nvelocity_m_ns = 100", "测线 雷达1 (一.rd3)"),
        ("[mine]", "[parameters]\nradar_gain = 2\n[mine]", "radar_gain"), ("date = 2026-01-01", "date = 2026-01-01\nlines = 1", "lines"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_key_and_nothing_is_written(site, capsys, old, new, says):
    assert old in TEXT
    (site / "物探.toml").write_text(TEXT.replace(old, new), encoding="utf-8")
    assert _run(site) == 2
    assert says in capsys.readouterr().err and not (site / "p").exists()


def test_a_cut_radar_file_is_refused_and_nothing_is_written(site, capsys):
    (site / "一.rd3").write_bytes((site / "一.rd3").read_bytes()[:-100])
    assert _run(site) == 2 and "截断" in capsys.readouterr().err and not (site / "p").exists()


def _electrical(site, change):
    """An electrical line over uniform ground of 100 Ωm, changed."""
    x, arrays = np.arange(24) * 4.0, dipole_dipole(24, lengths=(1, 2), steps=5)
    seen = 100.0 * (1 + 0.02 * np.random.default_rng(2).standard_normal(len(arrays)))
    table = change(pd.DataFrame(x[arrays], columns=["a_m", "b_m", "m_m", "n_m"]).assign(apparent_ohm_m=seen, error=0.03))
    table.to_csv(site / "二.csv", index=False)
    head = TEXT.split("[[line]]")[0]
    (site / "物探.toml").write_text(f'{head}[[line]]\nname = "电法1"\nmethod = "ert"\nfile = "二.csv"\npath = [[{X}, {Y}], [{X + 92}, {Y}]]\nhalf_width_m = 4\n', encoding="utf-8")


@pytest.mark.parametrize(("change", "says"), [
    (lambda t: t.head(0), "读数 0 个"), (lambda t: t.drop(columns="error"), "缺列 error"), (lambda t: t.assign(error=3.0), "不是百分数"),
    (lambda t: t.assign(apparent_ohm_m=np.where(t.index == 4, -1.0, 100.0)), "第 5 个读数"),
    (lambda t: t.assign(a_m=t["a_m"] * 1000, b_m=t["b_m"] * 1000, m_m=t["m_m"] * 1000, n_m=t["n_m"] * 1000), "毫米"), (lambda t: t.assign(apparent_ohm_m="x"), "不是数"),
])  # fmt: skip
def test_an_electrical_file_that_cannot_be_is_refused_with_the_line_and_nothing_is_written(site, capsys, change, says):
    _electrical(site, change)
    assert _run(site) == 2
    said = capsys.readouterr().err
    assert says in said and "电法1" in said and not (site / "p").exists()


@pytest.mark.skipif(not is_here(), reason="simpeg is not installed: pip install 'qianmo[geophysics]' runs the inversion that tells kΩ·m")
def test_a_ground_in_kilo_ohm_metres_is_told_to_the_user(site, capsys):
    _electrical(site, lambda t: t.assign(apparent_ohm_m=t["apparent_ohm_m"] / 1000))
    assert _run(site, "--json") == 0
    assert any("kΩ·m" in n and "电法1" in n for n in json.loads(capsys.readouterr().out)["notes"])


def test_a_shallow_void_judged_by_time_alone_carries_its_doubt(site, capsys):
    assert _run(site, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    zones = read_frame(open_project(site / "p").state / "layers" / "goaf_zone.parquet")
    assert zones["doubt"].str.contains("须钻探查明").all() and any("须钻探查明" in n for n in said["notes"]) and any("探地雷达" in line for line in said["lines"])
