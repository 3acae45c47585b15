"""The main job run once for all journeys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.demo import run
from qianmo.schema.errors import NotAllowedError


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    said: list[tuple[str, float]] = []
    context = Context(user="测试员", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC), progress=lambda step, share: said.append((step, share)))
    run(context, {"out": str(out), "data": None})
    assert [s for _, s in said] == sorted(s for _, s in said), "progress never goes back"
    with pytest.raises(NotAllowedError, match="已存在"):
        run(context, {"out": str(out), "data": None})
    return out
