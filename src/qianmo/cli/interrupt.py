"""Ctrl-C during a search: once ends it with the best so far, twice gives up (中断处理)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["caught_interrupts"]

_SAID = "\n正在结束求解, 保留当前最优方案; 再按一次 Ctrl-C 放弃 (ending with the best plan so far, once more to give up)\n"


@contextmanager
def caught_interrupts() -> Iterator[Callable[[], bool]]:
    """A stretch in which the first SIGINT is an answer and the second one KeyboardInterrupt.

    Outside the main thread, where Python hears no signals, nothing is caught.
    """
    asked: list[bool] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        os.write(2, _SAID.encode())

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
