"""Weather for the photovoltaic tests: the shipped year of Shaoguan, and a clear invented year."""

from __future__ import annotations

from pathlib import Path

import pytest

from qianmo.schema.weather import Weather
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather


@pytest.fixture(scope="session")
def shaoguan_file(repo: Path) -> Path:
    """The shipped weather file."""
    return repo / "examples" / "finance" / "renhua" / "CHN_Guangdong.Shaoguan.590820_CSWD.epw"


@pytest.fixture(scope="session")
def shaoguan(shaoguan_file: Path) -> Weather:
    """Hourly weather of Shaoguan."""
    return read_weather(shaoguan_file, limits=default_limits())
