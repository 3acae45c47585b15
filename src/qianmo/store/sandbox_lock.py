"""Shutting the reading process in: memory, time, files, network, folders (读取进程隔离)."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["shut_in"]

_CLONE_NEWUSER, _CLONE_NEWNET, _NO_NEW_PRIVS = 0x10000000, 0x40000000, 38
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_FILE_BITS = 0b111 | 1 << 14
_READ_BITS = 0b1101
_BLOCKED = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "os.fork",
    "os.spawn",
    "ftplib.",
    "http.client",
    "urllib.",
    "smtplib.",
    "webbrowser.",
)


def shut_in(
    *, read: Sequence[str], write: str, memory_bytes: int, seconds: int, output_bytes: int, files: int
) -> dict[str, bool]:
    """Give up every right that reading a file does not need; runs first, before any reader is imported (隔离当前进程).

    Parameters
    ----------
    read : sequence of str
        Folders and files that may be read, beside the Python installation.
    write : str
        The one folder that may be written.

    Returns
    -------
    dict
        Which walls stand: 'limits' always; 'network' (own network namespace) and 'folders' (Landlock) where the system allows.
    """
    for name, value in (("AS", memory_bytes), ("CPU", seconds), ("FSIZE", output_bytes), ("NOFILE", files), ("CORE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
    system = ctypes.CDLL(None, use_errno=True)
    walls = {"limits": True, "network": _leave_network(system), "folders": _fence(system, [*_installation(), *read], write)}
    sys.addaudithook(_watch)
    return walls


def _leave_network(system: Any) -> bool:
    return system.unshare(_CLONE_NEWNET) == 0 or system.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


def _fence(system: Any, read: Sequence[str], write: str) -> bool:
    """Landlock: only `read` can be read and only `write` written, whatever any library tries."""
    if platform.machine() not in ("x86_64", "aarch64"):
        return False
    version = system.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    handled = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    rules = struct.pack("QQ", handled, 0b11)[: 16 if version >= 4 else 8]
    fence = system.syscall(_CREATE, rules, ctypes.c_size_t(len(rules)), ctypes.c_uint32(0))
    if fence < 0:
        return False
    for place, bits in [*((r, _READ_BITS) for r in read), (write, handled)]:
        _allow(system, fence, place, bits & handled)
    system.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    done = system.syscall(_RESTRICT, fence, ctypes.c_uint32(0)) == 0
    os.close(fence)
    return done


def _allow(system: Any, fence: int, place: str, bits: int) -> None:
    try:
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(place):
        bits &= _FILE_BITS
    system.syscall(_ADD, fence, 1, struct.pack("=Qi", bits, opened), ctypes.c_uint32(0))
    os.close(opened)


def _installation() -> list[str]:
    own = [p for p in sys.path if p and os.path.isdir(p)]
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return [
        *own,
        *prefixes,
        "/usr/lib",
        "/usr/lib64",
        "/usr/share/zoneinfo",
        "/lib",
        "/lib64",
        "/dev/null",
        "/dev/urandom",
        "/etc/ld.so.cache",
        "/sys/devices/system/cpu",
    ]


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event.startswith(_BLOCKED):
        raise PermissionError(f"the reading process may not do {event}")
