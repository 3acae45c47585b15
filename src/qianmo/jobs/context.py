"""What a job is given besides its options: clock, user, progress, questions (作业环境)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

__all__ = ["SEARCH_THREAD", "Catch", "Context", "Progress", "left_searching", "silent", "uncaught"]

SEARCH_THREAD = "qianmo-search"
"""Name of the threads that search; they may be left behind where the user breaks off."""

Progress = Callable[[str, float], None]
"""Called with the step under way and the share of the whole job that is done, from 0 to 1."""


Catch = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Opens a stretch in which an interruption asks to end with what there is; gives the function that says whether it was asked."""


@contextmanager
def uncaught() -> Iterator[Callable[[], bool]]:
    """A stretch in which nobody asks to end early."""
    yield lambda: False


def silent(step: str, share: float) -> None:
    """Progress that tells nobody."""


def left_searching() -> bool:
    """True while a search that was broken off still runs in its thread; an ordinary exit of the program would abort inside it (遗留求解线程)."""
    return any(t.name == SEARCH_THREAD for t in threading.enumerate())


@dataclass
class Context:
    """Clock, user and progress of one run (运行环境).

    Steps nest: `part` gives a slice of the bar to an inner job.
    """

    user: str = "unknown"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    progress: Progress = silent
    notes: list[str] = field(default_factory=list)
    catch: Catch = uncaught
    _low: float = 0.0
    _high: float = 1.0

    def step(self, text: str, share: float) -> None:
        """Report that the work called `text` begins at `share` of this job."""
        self.progress(text, self._low + (self._high - self._low) * min(max(share, 0.0), 1.0))

    def note(self, text: str) -> None:
        """Keep a line that the user must read at the end."""
        if text not in self.notes:
            self.notes.append(text)

    @contextmanager
    def part(self, low: float, high: float) -> Iterator[Context]:
        """A context whose progress fills the bar from `low` to `high` of this one."""
        width = self._high - self._low
        yield Context(self.user, self.clock, self.progress, self.notes, self.catch, self._low + width * low, self._low + width * high)
