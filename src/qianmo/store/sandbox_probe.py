"""Self-test of the walls: tries from inside what must fail (沙箱自检)."""

from __future__ import annotations

import ctypes
import socket
from pathlib import Path
from typing import Any

__all__ = ["probe_task"]


def probe_task(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Try to read, write and connect outside, or to end the process badly (自检任务).

    Parameters
    ----------
    task : dict
        ``path`` to read, ``write`` to write, and ``do``: '' or 'crash', 'loop', 'memory'.
    """
    found: dict[str, Any] = {"item": "probe"}
    try:
        found["text"] = Path(task["path"]).read_text(encoding="utf-8")[:20]
    except OSError as error:
        found["read"] = type(error).__name__
    try:
        Path(task["write"]).write_text("x", encoding="utf-8")
        found["written"] = True
    except OSError as error:
        found["write"] = type(error).__name__
    try:
        socket.socket()
        found["connected"] = True
    except PermissionError as error:
        found["socket"] = type(error).__name__
    _end_badly(task.get("do", ""), found)
    return [found]


def _end_badly(how: str, found: dict[str, Any]) -> None:
    if how == "crash":
        ctypes.string_at(0)
    while how == "loop":
        found["turns"] = found.get("turns", 0) + 1
    if how == "memory":
        found["bytes"] = len(bytearray(1 << 40))
