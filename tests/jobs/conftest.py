"""A small project made once, from the shipped real example."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.evaluate_area import run as evaluate
from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.planning.plan_area import run as plan
from qianmo.jobs.recipe import recipe_from_file
from qianmo.store.scratch import read_toml


@pytest.fixture
def context() -> Context:
    """A run with a fixed clock and user."""
    return Context(user="测试员", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture(scope="session")
def example(repo: Path) -> Path:
    """Folder of the real example."""
    return repo / "examples" / "youwuzhen"


@pytest.fixture(scope="session")
def youwuzhen(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example ingested once; tests that change it must copy it first."""
    folder = tmp_path_factory.mktemp("youwuzhen") / "project"
    setting = Context(user="测试员", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ingest(setting, recipe_from_file(read_toml(example / "ingest.toml"), example), folder)
    return folder


@pytest.fixture(scope="session")
def planned_youwuzhen(youwuzhen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example evaluated and planned once; tests that change it must copy it first."""
    folder = tmp_path_factory.mktemp("planned") / "project"
    shutil.copytree(youwuzhen, folder, symlinks=True)
    setting = Context(user="测试员", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    evaluate(setting, {"project": str(folder)})
    plan(setting, {"project": str(folder), "budget": 2000, "start_year": None, "rule": None, "waive": None})
    return folder
