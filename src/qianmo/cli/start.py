"""The way in: broken off while the program is still being loaded, it ends quietly (启动入口)."""

from __future__ import annotations

import os
import signal
from types import FrameType

__all__ = ["main"]

_SAID = "\n已中断; 项目保持原状\n"


def main() -> int:
    """Load the program and run the command; exit code as of `qianmo.cli.main.main`, 130 where Ctrl-C came before it was loaded."""
    before = signal.signal(signal.SIGINT, _leave)
    from qianmo.cli.main import main as run  # the first thing that takes time

    signal.signal(signal.SIGINT, before)
    return run()


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing has been opened yet: say so and go, whatever import is under way."""
    os.write(2, _SAID.encode())
    os._exit(130)
