"""Kill `qianmo ingest` at random moments and look at the project each time: `python benchmarks/kill_ingest.py --kills 50`.

Half of the runs start from no project, half from a project with one state; after each kill the project must be absent or
open, its layers, GeoPackage and catalogue must agree, and a further ingest must work.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import shapely

from qianmo.schema.errors import MissingDataError
from qianmo.store.geopackage import check_geopackage
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.stage import read_catalog


def main(arguments: list[str] | None = None) -> int:
    """Run the kills and print what was found; 1 when a project was not whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20260101)
    asked = parser.parse_args(arguments)
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "DLTB.gpkg"
        _survey(40).to_file(source, layer="DLTB")
        begun = time.monotonic()
        _run(source, folder / "whole").wait()
        span = time.monotonic() - begun
        counts = {"absent": 0, "old state": 0, "new state": 0}
        for k in range(asked.kills):
            project = folder / f"p{k}"
            if k % 2:
                shutil.copytree(folder / "whole", project, symlinks=True)
            process = _run(source, project)
            time.sleep(chance.uniform(0.2, 1.05) * span)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            counts[_state(project)] += 1
            shutil.rmtree(project, ignore_errors=True)
    print(f"{asked.kills} kills within {span:.1f} s of ingest: " + ", ".join(f"{k} {v}" for k, v in counts.items()) + "; none half-written")
    return 0


def _run(source: Path, project: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "qianmo.cli", "ingest", "--quiet", str(source), "--into", str(project)]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def _state(folder: Path) -> str:
    """'absent', 'old state' or 'new state'; AssertionError when the project is not whole."""
    try:
        project = open_project(folder)
    except MissingDataError:
        return "absent"
    layer = read_frame(project.state / "layers" / "landuse_patch.parquet")
    stored = gpd.read_file(project.geopackage, layer="landuse_patch")
    catalog = read_catalog(project.state)
    assert len(layer) == len(stored) == catalog["landuse_patch"].rows == 1600, "layers and catalogue disagree"
    assert check_geopackage(project.geopackage) == [], "the GeoPackage is not sound"
    return "old state" if project.generation == 1 else "new state"


def _survey(side: int) -> gpd.GeoDataFrame:
    cells = [shapely.box(39_444_000 + 30 * i, 2_840_000 + 30 * j, 39_444_030 + 30 * i, 2_840_030 + 30 * j) for i in range(side) for j in range(side)]
    n = len(cells)
    columns = {
        "BSM": [f"350821{i:012d}" for i in range(n)], "DLBM": ["0101"] * n, "DLMC": ["水田"] * n, "ZLDWDM": ["3508211002000000000"] * n,
        "ZLDWMC": ["河田镇游坊村"] * n, "TBMJ": [900.0] * n, "KCMJ": [0.0] * n, "TBDLMJ": [900.0] * n, "ZZSXDM": ["LS"] * n, "SJNF": [2024] * n,
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=cells, crs=4527)


if __name__ == "__main__":
    sys.exit(main())
