"""The project that this process shows (当前项目)."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.states import kept_state

__all__ = ["CHANGING", "layers", "project_folder"]

CHANGING = threading.Lock()
"""Held while a page reads the project, changes it and writes it back, so that two people never lose each other's step."""


def project_folder() -> Path:
    """Folder of the project."""
    return Path(settings.QIANMO_PROJECT)


def layers(generation: int = 0) -> MapLayers:
    """Its layers, kept ready between requests; those of the current state, or of one that is kept.

    Raises
    ------
    MissingDataError
        That state is not kept any more.
    """
    present = _layers(settings.QIANMO_PROJECT)
    if not generation or generation == present.project().generation:
        return present
    return _older(settings.QIANMO_PROJECT, kept_state(present.folder, generation))


@lru_cache(maxsize=4)
def _layers(folder: str) -> MapLayers:
    return MapLayers(Path(folder))


@lru_cache(maxsize=2)
def _older(folder: str, generation: int) -> MapLayers:
    return MapLayers(Path(folder), generation=generation, beside=_layers(folder))
