"""Kill -9 at random moments: the project opens in the old state or the new one, never between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import pytest

from qianmo.schema.errors import MissingDataError, NotAllowedError
from qianmo.store.geopackage import check_geopackage
from qianmo.store.lock import writer_lock
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.stage import read_catalog

WRITER = """
import sys, datetime, pathlib
import geopandas as gpd, numpy as np, shapely
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.project import change
folder, mark = pathlib.Path(sys.argv[1]), int(sys.argv[2])
side = 60
boxes = shapely.box(*np.meshgrid(np.arange(side) * 10.0, np.arange(side) * 10.0), *np.meshgrid(np.arange(side) * 10.0 + 10, np.arange(side) * 10.0 + 10)).ravel()
frame = gpd.GeoDataFrame({"patch_id": [str(i) for i in range(len(boxes))], "mark": mark}, geometry=boxes, crs=4527)
lineage = Lineage("test", "", "test", "2026-01-01", "test")
print("ready", flush=True)
while True:
    now = datetime.datetime(2026, 1, 1)
    with change(folder, what="mark", user="t", now=now, settings_text="[project]\\nname='t'\\n") as stage:
        stage.put_layer(frame.assign(mark=mark), Dataset("landuse_patch", "landuse_patch", "图斑", "EPSG:4527", "SD3", "", True, len(frame), lineage))
        stage.put_table("mark", frame[["patch_id"]].assign(mark=mark))
    mark += 1
"""


def state_is_whole(folder: Path) -> int:
    """The mark of the current state; every part of it must agree."""
    project = open_project(folder)
    layer = read_frame(project.state / "layers" / "landuse_patch.parquet")
    table = read_frame(project.state / "tables" / "mark.parquet")
    stored = gpd.read_file(project.geopackage, layer="landuse_patch")
    marks = {*layer["mark"].unique(), *table["mark"].unique(), *stored["mark"].unique()}
    assert len(marks) == 1 and len(layer) == len(stored) == 3600
    assert check_geopackage(project.geopackage) == []
    assert read_catalog(project.state)["landuse_patch"].rows == 3600
    return int(marks.pop())


@pytest.mark.slow
def test_fifty_kills_never_leave_a_half_written_project(tmp_path):
    folder, chance, last = tmp_path / "p", random.Random(20260101), -1
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    kills = 0
    while kills < 50:
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(last + 1)], stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.45))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        try:
            now = state_is_whole(folder)
        except MissingDataError:
            assert last == -1, "a committed project vanished"
            continue
        assert now >= last
        last = now
    assert last >= 0, "not one change was committed: the test killed too early"


def test_an_error_inside_a_change_leaves_nothing(tmp_path, clock):
    from qianmo.store.project import change

    with pytest.raises(ValueError, match="stop"), change(tmp_path / "p", what="x", user="t", now=clock):
        raise ValueError("stop")
    assert not (tmp_path / "p").exists()


def test_two_writers_at_once_are_refused(tmp_path, clock):
    from qianmo.store.project import change

    with change(tmp_path / "p", what="x", user="t", now=clock) as stage:
        stage.put_json("a", {"x": 1})
    with writer_lock(tmp_path / "p" / ".lock"), pytest.raises(NotAllowedError, match="another process"), change(
        tmp_path / "p", what="y", user="t", now=clock
    ):
        pass
    assert open_project(tmp_path / "p").generation == 1


def test_old_states_are_never_changed_by_a_new_one(tmp_path, clock):
    from qianmo.store.project import change

    with change(tmp_path / "p", what="x", user="t", now=clock) as stage:
        stage.put_table("a", gpd.pd.DataFrame({"v": [1]}))
    first = open_project(tmp_path / "p").state / "tables" / "a.parquet"
    content = first.read_bytes()
    with change(tmp_path / "p", what="y", user="t", now=clock) as stage:
        stage.put_table("a", gpd.pd.DataFrame({"v": [2]}))
    assert first.read_bytes() == content
    assert read_frame(open_project(tmp_path / "p").state / "tables" / "a.parquet")["v"].tolist() == [2]
