"""Parcels watched by command: a run that is killed goes on where it stood and tells the same; other images do not take up its parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.cli.main import main
from qianmo.store.project import open_project

DATES = 64


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A village with 64 dates of an index; one field drops for good in the last third."""
    folder = tmp_path_factory.mktemp("watch")
    assert main(["village", "--patches", "80", "--villages", "1", "--into", str(folder / "v"), "--quiet"]) == 0
    land = gpd.read_parquet(open_project(folder / "v").state / "layers" / "landuse_patch.parquet")
    west, south, east, north = land.total_bounds
    rows, columns = int((north - south) / 10) + 1, int((east - west) / 10) + 1
    days = [date(2020, 1, 1) + timedelta(12 * k) for k in range(DATES)]
    rng = np.random.default_rng(1)
    season = 0.5 + 0.2 * np.sin(2 * np.pi * np.array([(d - days[0]).days for d in days]) / 365.25)
    stack = season[:, None, None] + rng.normal(0, 0.02, (DATES, rows, columns))
    big = land.area.to_numpy().argmax()
    x0, y0, x1, y1 = land.geometry.iloc[big].bounds
    stack[44:, int((north - y1) / 10) : int((north - y0) / 10) + 1, int((x0 - west) / 10) : int((x1 - west) / 10) + 1] -= 0.4
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": DATES, "dtype": "float32", "crs": land.crs.to_wkt(), "transform": affine.Affine(10, 0, west, 0, -10, north)}
    with rasterio.open(folder / "s.tif", "w", **profile) as out:
        out.write(stack.astype(np.float32))
    (folder / "d.csv").write_text("date\n" + "\n".join(map(str, days)), encoding="utf-8")
    command = ["watch", str(folder / "s.tif"), "--dates", str(folder / "d.csv"), "--into", str(folder / "v"), "--history", str(days[40]), "--quiet", "--json"]
    return folder, command, land["patch_id"].iloc[big]


def test_a_run_that_is_killed_goes_on_and_tells_the_same(watched, capsys):
    folder, command, changed = watched
    process = subprocess.Popen([sys.executable, "-m", "qianmo.cli.main", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, start_new_session=True)  # fmt: skip
    work, deadline = folder / ".v-watch", time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and len(list(work.glob("part_*"))) < 2:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = len(list(work.glob("part_*")))
    assert done >= 2 and not (open_project(folder / "v").state / "tables" / "change_series.parquet").exists()
    found = []
    for _ in range(2):
        capsys.readouterr()
        assert main(command) == 0
        told = json.loads(capsys.readouterr().out)
        table = pd.read_parquet(open_project(folder / "v").state / "tables" / "change_series.parquet")
        found.append((told["figures"].pop("resumed"), told["figures"], table))
    assert found[0][0] == done < found[0][1]["parts"] == 8 and found[1][0] == 0 and found[0][1] == found[1][1]
    pd.testing.assert_frame_equal(found[0][2], found[1][2])
    assert not list(folder.glob(".v-watch*"))
    row = found[0][2].set_index("patch_id").loc[changed]
    assert row["alarm_day"] >= "2021-01-01" and row["direction"] < 0 and row["repeats"] >= 3


def test_a_wrong_history_is_refused_before_any_part_is_made(watched, capsys):
    folder, command, _ = watched
    wrong = [*command[: command.index("--history")], "--history", "2030-01-01", "--quiet"]
    assert main(wrong) != 0
    assert "不在" in capsys.readouterr().err and not list(folder.glob(".v-watch*"))


def test_dated_labels_tell_the_score_by_delay(watched, capsys):
    folder, command, changed = watched
    assert main(command) == 0
    capsys.readouterr()
    table = pd.read_parquet(open_project(folder / "v").state / "tables" / "change_series.parquet")
    day = str(date(2020, 1, 1) + timedelta(12 * 44))
    quiet = [k for k in table.loc[table["alarm_day"] == "", "patch_id"] if k != changed][:30]
    (folder / "t.csv").write_text("patch_id,change_date\n" + f"{changed},{day}\n" + "".join(f"{k},\n" for k in quiet), encoding="utf-8")
    for fit in ("robust", "stable"):
        assert main([*command, "--truth", str(folder / "t.csv"), "--fit", fit]) == 0
        told = json.loads(capsys.readouterr().out)["figures"]
        short, *_, whole = told["lag"]
        assert told["labelled"] == 31 and short["lag_days"] == 20 and whole["hits"] == 1 and whole["misses"] == 0 and whole["low"] < whole["f1"] <= 1
        # three repeats twelve days apart cannot be known within twenty days, though the alarm is dated back to the first
        assert short["hits"] == 0
    row = pd.read_parquet(open_project(folder / "v").state / "tables" / "change_series.parquet").set_index("patch_id").loc[changed]
    assert row["confirmed_day"] == str(date.fromisoformat(row["alarm_day"]) + timedelta(24))
    lag = pd.read_parquet(open_project(folder / "v").state / "tables" / "change_lag.parquet")
    assert lag["lag_days"].is_monotonic_increasing and (folder / "v" / "change" / "时滞精度.png").stat().st_size > 10_000
    assert main(command) == 0 and not (open_project(folder / "v").state / "tables" / "change_lag.parquet").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patch,day\nA,2021-01-01\n", "表头"),
        ("patch_id,change_date\nnobody,2021-12-01\n", "不在监测之列"),
        ("patch_id,change_date\n{changed},2020-02-01\n", "变化日期不在 "),
        ("patch_id,change_date\n{changed},yesterday\n", "第 2 行"),
        ("patch_id,change_date\n{changed},2021-12-01\n{changed},\n", "第 3 行"),
        ("patch_id,change_date\n", "没有一个图斑"),
    ],
)
def test_labels_that_cannot_be_scored_are_refused_and_nothing_is_written(watched, capsys, text, said):
    folder, command, changed = watched
    before = (folder / "v" / "current").read_text()
    (folder / "w.csv").write_text(text.format(changed=changed), encoding="utf-8")
    assert main([*command, "--truth", str(folder / "w.csv")]) == 2
    assert said in "".join(json.loads(capsys.readouterr().out)["error"].values()) and (folder / "v" / "current").read_text() == before


def _spoilt(folder, name, change, **profile):
    with rasterio.open(folder / "s.tif") as source:
        values, kept = change(source.read()), source.profile | profile
    with rasterio.open(folder / name, "w", **(kept | {"dtype": values.dtype.name, "count": len(values)})) as out:
        out.write(values)
    return str(folder / name)


def _refusal(command, capsys):
    capsys.readouterr()
    assert main(command) == 2
    return "".join(json.loads(capsys.readouterr().out)["error"].values())


def test_missing_values_that_nothing_declares_are_refused_and_a_few_are_told(watched, capsys):
    folder, command, _ = watched
    rng = np.random.default_rng(3)
    for share in (0.1, 0.001):
        stack = _spoilt(folder, "n.tif", lambda v, share=share: np.where(rng.random(v.shape) < share, np.float32(-9999), v))
        changed = ["watch", stack, *command[2:]]
        if share == 0.1:
            assert "-9999" in (said := _refusal(changed, capsys)) and "10.0%" in said and "无效值" in said
        else:
            assert main(changed) == 0 and any("按没有数据处理" in note for note in json.loads(capsys.readouterr().out)["notes"])


def test_an_inverted_mask_and_a_factor_of_nothing_are_refused_and_the_share_of_clouds_is_told(watched, capsys):
    folder, command, _ = watched
    ones = _spoilt(folder, "c.tif", lambda v: np.ones(v.shape, np.uint8))
    assert "取反" in _refusal([*command, "--cloud", ones], capsys)
    assert "不为 0" in _refusal([*command, "--scale", "0"], capsys)
    moved = _spoilt(folder, "m.tif", lambda v: np.zeros(v.shape, np.uint8), transform=affine.Affine(10, 0, 0, 0, -10, 0))
    assert "原点 (0, 0)" in _refusal([*command, "--cloud", moved], capsys)


def test_a_hole_without_values_leaves_its_parcels_unwatched_and_says_how_many(watched, capsys):
    folder, command, changed = watched
    stack = _spoilt(folder, "h.tif", lambda v: np.where(np.indices(v.shape)[1] < v.shape[1] // 2, np.float32(np.nan), v), nodata=float("nan"))
    capsys.readouterr()
    assert main(["watch", stack, *command[2:]]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    table = pd.read_parquet(open_project(folder / "v").state / "tables" / "change_series.parquet")
    unwatched = ~np.isfinite(table["sigma"])
    assert told["without_model"] == unwatched.sum() > 0 and (table.loc[unwatched, "alarm_day"] == "").all() and told["parcels"] == len(table)
