"""Writing that survives a power cut: flush, rename, flush the folder (可靠写盘)."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from qianmo.schema.errors import NotAllowedError

__all__ = ["disk_error", "replace_bytes", "replace_text", "same_bytes", "sync_tree", "toml_key", "toml_value", "write_text"]

_LOW_MB = 5.0
"""Free space below which a failed write is put down to the full disk. [MB]"""


def disk_error(folder: Path, fault: Exception) -> NotAllowedError:
    """The error of a write that failed, with the cause in words (写盘失败)."""
    room = shutil.disk_usage(next(p for p in (folder, *folder.resolve().parents) if p.exists())).free / 1e6
    known = {errno.ENOSPC: "磁盘已满", errno.EDQUOT: "超出磁盘配额", errno.EROFS: "磁盘只读", errno.EACCES: "没有写权限", errno.EPERM: "没有写权限"}
    number = getattr(fault, "errno", None)
    cause = known.get(number if number is not None else -1) or ("磁盘空间不足" if room < _LOW_MB else f"{type(fault).__name__}: {fault}")
    return NotAllowedError(
        f"写入 {folder} 失败: {cause} (剩余 {room:.1f} MB)", expected="可写的文件夹与足够的磁盘空间",
        cure="清理磁盘空间或检查写权限后重试, 也可换一个位置; 项目保持原状",
    )


def toml_key(key: str) -> str:
    """A key of a TOML file, quoted where it is no plain word (TOML 键)."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def toml_value(value: Any) -> str:
    """A value as it stands in a TOML file, quotes, backslashes and control characters escaped (TOML 取值).

    Examples
    --------
    >>> print(toml_value('C:\\数据 "甲"'), toml_value(True), toml_value(["a", 1]))
    "C:\\\\数据 \\"甲\\"" true ["a", 1]
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(v) for v in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | date):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text and flush it to the disk."""
    with open(path, "w", encoding="utf-8", newline="\n") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def replace_text(path: Path, text: str) -> None:
    """Replace a small text file in one step: readers see the old text or the new one, never a part."""
    replace_bytes(path, text.encode("utf-8"))


def replace_bytes(path: Path, data: bytes) -> None:
    """Replace a file in one step; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)
    _sync_folder(path.parent)


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files hold the same, or neither is there (文件是否相同)."""
    if not (one.is_file() and other.is_file()):
        return one.is_file() == other.is_file()
    return one.samefile(other) or one.read_bytes() == other.read_bytes()


def sync_tree(folder: Path, *, deep: bool = True) -> None:
    """Flush all files below a folder, and the folder itself."""
    if deep:
        for path in folder.rglob("*"):
            if path.is_file():
                _sync_file(path)
            elif path.is_dir():
                _sync_folder(path)
    _sync_folder(folder)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
