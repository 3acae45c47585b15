"""The project that this process shows (当前项目)."""

from __future__ import annotations

import gc
import threading
import time
from functools import lru_cache
from pathlib import Path
from weakref import WeakSet

from django.conf import settings

from qianmo.jobs.queries.layers import MapLayers, release_memory
from qianmo.jobs.queries.states import kept_state

__all__ = ["CHANGING", "layers", "project_folder", "release_idle", "start_release"]

_IDLE_S = 900.0
"""How long a layer is kept that nobody asks for: a pause of a meeting, not of a night. [s]"""

_OPEN: WeakSet[MapLayers] = WeakSet()

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


def release_idle(idle_s: float) -> int:
    """Let go the layers that nobody asked for so long, give their memory back, and say how many they were (释放闲置内存)."""
    count = sum(held.let_go(idle_s) for held in list(_OPEN))
    if count:
        gc.collect()
        release_memory()
    return count


def start_release(idle_s: float = _IDLE_S) -> threading.Thread:
    """A thread that looks every minute whether layers lie idle (闲置检查)."""

    def watch() -> None:
        while True:
            time.sleep(min(60.0, idle_s))
            release_idle(idle_s)

    thread = threading.Thread(target=watch, name="qianmo-release", daemon=True)
    thread.start()
    return thread


@lru_cache(maxsize=4)
def _layers(folder: str) -> MapLayers:
    found = MapLayers(Path(folder))
    _OPEN.add(found)
    return found


@lru_cache(maxsize=2)
def _older(folder: str, generation: int) -> MapLayers:
    found = MapLayers(Path(folder), generation=generation, beside=_layers(folder))
    _OPEN.add(found)
    return found
