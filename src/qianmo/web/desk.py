"""The project that this process shows (当前项目)."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from qianmo.jobs.queries.layers import MapLayers

__all__ = ["CHANGING", "layers", "project_folder"]

CHANGING = threading.Lock()
"""Held while a page reads the project, changes it and writes it back, so that two people never lose each other's step."""


def project_folder() -> Path:
    """Folder of the project."""
    return Path(settings.QIANMO_PROJECT)


def layers() -> MapLayers:
    """Its layers, kept ready between requests."""
    return _layers(settings.QIANMO_PROJECT)


@lru_cache(maxsize=4)
def _layers(folder: str) -> MapLayers:
    return MapLayers(Path(folder))
