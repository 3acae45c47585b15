"""The benchmarks run without a clock, and ways that disagree are found."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def benchmarks(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repo / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.mark.parametrize("name", ["area", "adjacency", "overlay", "swap", "exchange", "verify", "pv", "portfolio", "pim"])
def test_house_and_peers_give_the_same_figures_on_a_small_township(benchmarks: Path, tmp_path: Path, name: str) -> None:
    command = [
        sys.executable,
        str(benchmarks / "run.py"),
        "--no-timing",
        "--size",
        "200",
        "--only",
        name,
        "--cache",
        str(tmp_path),
    ]
    source = os.pathsep.join([str(benchmarks.parent / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": source})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(name) >= (1 if name == "exchange" else 2)


def test_a_way_that_disagrees_is_named(benchmarks: Path) -> None:
    run, measure = importlib.import_module("run"), importlib.import_module("measure")
    a, b = measure.Way("area", "ours", 10, lambda: 1.0), measure.Way("area", "peer", 10, lambda: 1.1)
    assert run.disagreements([(a, 1.0), (b, 1.0)]) == []
    assert "peer" in run.disagreements([(a, 1.0), (b, 1.1)])[0]
    assert len(run.disagreements([(a, 1.0), (b, float("nan"))])) == 1


def test_a_measured_run_reports_time_memory_and_the_figure(benchmarks: Path) -> None:
    measure = importlib.import_module("measure")
    reading = measure.measure(measure.Way("sum", "ours", 1, lambda: float(sum(range(200_000)))))
    assert reading.figure == 199_999 * 100_000.0
    assert reading.wall_s > 0 and reading.cpu_s > 0 and reading.peak_mb > 1


def test_a_way_that_dies_is_an_error_and_not_a_result(benchmarks: Path) -> None:
    measure = importlib.import_module("measure")
    with pytest.raises(measure.WayFailedError, match="died with exit code 3"):
        measure.measure(measure.Way("sum", "broken", 1, lambda: os._exit(3)))
