"""What the HTTP server says of itself goes to the log, not to the window of the office (服务器日志)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["QueueDepth"]

_EVERY_S = 60.0


class QueueDepth(logging.Filter):
    """Says at most once a minute, at the level of details, how many requests wait (排队长度).

    The server warns at every request that finds all threads busy; with fifty people that is its daily work and no fault.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.clock, self.last, self.held = clock, float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the first of a minute pass, with the number of those held back before it."""
        if self.clock() - self.last < _EVERY_S:
            self.held += 1
            return False
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        if self.held:
            record.msg, record.args = f"{record.getMessage()}; {self.held} more of these before it", ()
        self.last, self.held = self.clock(), 0
        return True
