"""From a FileGDB of survey fields to a project: `qianmo ingest` in a process of its own, against a bare read."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import pyogrio
from measure import Way
from townships import SEED, layers

from qianmo.schema.tables import table_spec

__all__ = ["survey_database", "ways"]

_TABLES = ("landuse_patch", "village", "basic_farmland", "eco_redline", "urban_boundary")


def survey_database(size: int, cache: Path) -> Path:
    """A FileGDB with the layers and fields of the national standard (DLTB, CJDCQ …), from the folder or made into it."""
    path = cache / f"survey-{size}-{SEED}.gdb"
    done = cache / f"survey-{size}-{SEED}.complete"
    if not done.exists():
        for number, name in enumerate(_TABLES):
            frame = layers(size, cache)[name]
            if len(frame):
                pyogrio.write_dataframe(
                    _standard(frame, name), path, layer=table_spec(name).layers[0], driver="OpenFileGDB",
                    append=number > 0, geometry_type="MultiPolygon", promote_to_multi=True,
                    layer_options={"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"},
                )  # fmt: skip
        done.touch()
    return path


def ways(size: int, cache: Path) -> list[Way]:
    """`qianmo ingest`, and reading the patches alone; the figure is the number of patches."""
    database = survey_database(size, cache)
    return [
        Way("ingest", "qianmo ingest (check, areas, project)", size, lambda: _ingested(database, cache)),
        Way(
            "ingest",
            "pyogrio read of DLTB alone",
            size,
            lambda: float(len(pyogrio.read_dataframe(database, layer="DLTB", use_arrow=True))),
        ),
    ]


def _standard(frame: gpd.GeoDataFrame, table: str) -> gpd.GeoDataFrame:
    names = {c.name: c.source.split(";")[0] for c in table_spec(table).columns if c.source and c.source.split(";")[0].isascii()}
    kept = {name: field for name, field in names.items() if name in frame}
    return frame[[*kept, "geometry"]].rename(columns=kept)


def _ingested(database: Path, cache: Path) -> float:
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        project = Path(folder) / "project"
        command = [sys.executable, "-m", "qianmo.cli", "ingest", str(database), "--into", str(project)]
        command += ["--class-scheme", "SD3", "--synthetic", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"qianmo ingest ended with {done.returncode}: {json.dumps(done.stderr[-1500:], ensure_ascii=False)}"
            )
        packages = sorted(project.rglob("*.gpkg"))
        return float(pyogrio.read_info(packages[0], layer="landuse_patch")["features"])
