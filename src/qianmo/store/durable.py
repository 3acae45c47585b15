"""Writing that survives a power cut: flush, rename, flush the folder (可靠写盘)."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

__all__ = ["replace_bytes", "replace_text", "sync_tree", "toml_key", "toml_value", "write_text"]


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
