"""Pictures of rasters of older states are swept away within bounds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from qianmo.store.map_raster import sweep_rasters


def _picture(folder: Path, name: str, age_s: float, size: int = 100) -> Path:
    path = folder / f"{name}.tif"
    path.write_bytes(b"x" * size)
    path.with_suffix(".json").write_text("{}", encoding="utf-8")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four versions of the heights, one of a raster whose name begins alike, and one half-written file of each age."""
    for n in range(4):
        _picture(tmp_path, f"dem-1{n}-a-2", 10.0 * n)
    _picture(tmp_path, "dem-slope-7-b-3", 500.0)
    (tmp_path / "dem-19-a-2.777.part").write_bytes(b"x")
    os.utime(tmp_path / "dem-19-a-2.777.part", (time.time() - 7200,) * 2)
    (tmp_path / "dem-18-a-2.778.part").write_bytes(b"x")
    return tmp_path


def _left(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_the_picture_in_use_and_the_one_before_stay_and_other_rasters_too(folder):
    gone = sweep_rasters(folder, keep=folder / "dem-10-a-2.tif")
    assert _left(folder) == {f"{n}{e}" for n in ("dem-10-a-2", "dem-11-a-2", "dem-slope-7-b-3") for e in (".tif", ".json")} | {"dem-18-a-2.778.part"}
    assert {p.name for p in gone} == {"dem-12-a-2.tif", "dem-13-a-2.tif", "dem-19-a-2.777.part"}
    assert not sweep_rasters(folder, keep=folder / "dem-10-a-2.tif")


def test_an_old_picture_in_use_stays(folder):
    sweep_rasters(folder, keep=folder / "dem-13-a-2.tif", versions=1)
    assert {n for n in _left(folder) if n.endswith(".tif")} == {"dem-13-a-2.tif", "dem-slope-7-b-3.tif"}


def test_beyond_the_bytes_the_oldest_go_first(folder):
    sweep_rasters(folder, keep=folder / "dem-10-a-2.tif", versions=9, most_bytes=300)
    assert {n for n in _left(folder) if n.endswith(".tif")} == {"dem-10-a-2.tif", "dem-11-a-2.tif", "dem-12-a-2.tif"}
