"""Tiles that were asked for lately, so that the next person who looks there need not wait (瓦片暂存)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["TileMemory"]


class TileMemory:
    """The last answers up to a bound on their bytes (瓦片暂存); what is asked for longest ago goes first.

    A key names all that an answer rests on, the very reading of the layer among them, so nothing here ever has to be corrected.
    """

    def __init__(self, most: int) -> None:
        """Keep at most that many bytes; an answer larger than an eighth of it is not kept."""
        self.most = most
        self.held = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The answer, made where it is not here; two who ask at once may both make it."""
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return found
        made = make()
        if len(made) * 8 <= self.most:
            self._keep(key, made)
        return made

    def clear(self) -> None:
        """Let all answers go."""
        with self._lock:
            self._answers.clear()
            self.held = 0

    def _keep(self, key: Hashable, made: bytes) -> None:
        with self._lock:
            before = self._answers.pop(key, b"")
            self._answers[key] = made
            self.held += len(made) - len(before)
            while self.held > self.most:
                self.held -= len(self._answers.popitem(last=False)[1])
