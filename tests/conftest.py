"""Fixtures for every room: where the shared real data lies, a fixed clock, a seeded generator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

REPO = Path(__file__).resolve().parents[1]


def _shared(part: str) -> Path:
    folder = REPO.parent / "shared" / part
    if not folder.is_dir():
        pytest.skip(f"../shared/{part} is not present: this test reads real data and says so")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets beside the repository; skips when absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_domain() -> Path:
    """Folder of the domain tables beside the repository; skips when absent."""
    return _shared("domain")


@pytest.fixture(scope="session")
def repo() -> Path:
    """Root of the repository."""
    return REPO


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator."""
    return np.random.default_rng(20260101)


@pytest.fixture
def clock() -> datetime:
    """A fixed moment."""
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
