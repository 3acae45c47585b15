"""One writer at a time (写锁). The lock dies with its process, so a killed job never blocks a project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qianmo.schema.errors import NotAllowedError

__all__ = ["writer_lock"]


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs.

    Raises
    ------
    NotAllowedError
        Another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            _lock(handle)
        except OSError:
            raise NotAllowedError(
                f"another process is changing {path.parent}", cure="wait until it ends, then try again (项目正被另一进程修改)"
            ) from None
        yield
    finally:
        os.close(handle)


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
