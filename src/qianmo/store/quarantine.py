"""Uploads wait outside the project until somebody takes them in: whole, or not there (上传隔离区)."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.durable import disk_error, replace_text, sync_tree
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name

__all__ = ["FOLDER", "INSIDE", "Half", "batch_folder", "batches", "clear_halves", "read_record", "remove_batch", "write_record"]

FOLDER = "uploads"
"""Folder of a project that holds uploads; no other part of the program reads it."""

INSIDE = "upload"
"""Folder of one upload that holds the files as they came."""

_HALF = ".half-"
_MB = 1 << 20
_CONTROL = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class Half:
    """An upload under way (上传中): hidden until `finish`, gone with `drop` or at the next start of the desk."""

    def __init__(self, project: Path, limits: Limits) -> None:
        self.number = str(uuid4())
        self.folder = project / FOLDER / f"{_HALF}{self.number}"
        self.limits, self.size_bytes, self.names = limits, 0, list[str]()
        self._open: BinaryIO | None = None
        self._guarded(lambda: (self.folder / INSIDE).mkdir(parents=True))

    def begin(self, name: str) -> None:
        """Begin a file under the name it has.

        Raises
        ------
        UnsafeInputError
            The name leads elsewhere, is too long, hidden, or there already.
        """
        check_name(name, max_bytes=self.limits.name_max_bytes)
        if _CONTROL.search(name) or "/" in name or "\\" in name or name in (".", ".."):
            raise UnsafeInputError(f"文件名 {_CONTROL.sub('?', name)!r} 含有不可用的字符", expected="不含控制字符与斜杠的文件名", cure="改名后重新上传")
        if name.casefold() in (n.casefold() for n in self.names):
            raise UnsafeInputError(f"{name}: 同一次上传中有两个同名文件", expected="每个文件名只出现一次", cure="改名, 或分两次上传")
        self.end()
        self.names.append(name)
        self._guarded(lambda: self._begun(self.folder / INSIDE / name))

    def add(self, chunk: bytes) -> None:
        """Add to the file that was begun.

        Raises
        ------
        UnsafeInputError
            The upload grows beyond its limit.
        NotAllowedError
            The disk is full or cannot be written.
        """
        self.size_bytes += len(chunk)
        self.check_size(self.size_bytes)
        opened = self._open
        assert opened is not None, "a file is begun before it is filled"
        self._guarded(lambda: opened.write(chunk))

    def check_size(self, size_bytes: int) -> None:
        """Refuse what is larger than the limit, before or while it comes."""
        if size_bytes > self.limits.file_max_mb * _MB:
            raise UnsafeInputError(
                f"上传共 {size_bytes / _MB:.1f} MB", expected=f"不超过 {self.limits.file_max_mb:.0f} MB", cure="分几次上传, 或在本机用 qianmo ingest 入库"
            )

    def end(self) -> None:
        """End the file that was begun."""
        if self._open is not None:
            self._guarded(self._open.close)
            self._open = None

    def finish(self, record: dict[str, Any]) -> str:
        """Make the upload visible in one step, with its record; gives its number.

        Raises
        ------
        MissingDataError
            Nothing was uploaded.
        NotAllowedError
            The disk is full or cannot be written.
        """
        self.end()
        if not self.names:
            raise MissingDataError("没有选择文件", expected="至少一个文件", cure="选择文件或拖入后再上传")
        write_record(self.folder, "batch.json", record | {"number": self.number, "names": self.names, "size_bytes": self.size_bytes})
        self._guarded(self._show)
        return self.number

    def _show(self) -> None:
        sync_tree(self.folder)
        os.replace(self.folder, self.folder.with_name(self.number))
        sync_tree(self.folder.parent, deep=False)

    def _begun(self, path: Path) -> None:
        self._open = open(path, "xb")  # noqa: SIM115 closed by `end` or `drop`

    def drop(self) -> None:
        """Remove what has come so far; nothing where it was finished."""
        if self._open is not None:
            self._open.close()
            self._open = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _guarded(self, step: Any) -> None:
        try:
            step()
        except OSError as fault:
            self.drop()
            raise disk_error(self.folder.parent, fault) from fault


def clear_halves(project: Path) -> int:
    """Remove uploads that were broken off; gives how many (清理未完成上传)."""
    left = [p for p in (project / FOLDER).glob(f"{_HALF}*") if p.is_dir()]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def batches(project: Path) -> list[dict[str, Any]]:
    """Records of the uploads, the newest first (上传清单)."""
    found = [read_record(p, "batch.json") for p in (project / FOLDER).glob("*-*") if p.is_dir() and not p.name.startswith(".")]
    return sorted((f for f in found if f), key=lambda f: str(f.get("made", "")), reverse=True)


def batch_folder(project: Path, number: str) -> Path:
    """Folder of one upload.

    Raises
    ------
    MissingDataError
        There is none of that number.
    """
    folder = project / FOLDER / str(UUID(str(number)))
    if not (folder / "batch.json").is_file():
        raise MissingDataError(f"没有编号为 {number} 的上传", expected="清单中的一次上传", cure="打开数据导入页查看清单")
    return folder


def remove_batch(project: Path, number: str) -> None:
    """Remove an upload: hidden in one step, then its files (删除上传)."""
    folder = batch_folder(project, number)
    hidden = folder.with_name(f"{_HALF}{number}")
    os.replace(folder, hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def read_record(folder: Path, name: str) -> dict[str, Any]:
    """A record kept with an upload; empty where there is none (上传记录)."""
    path = folder / name
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_record(folder: Path, name: str, record: dict[str, Any]) -> None:
    """Keep a record with an upload, in one step.

    Raises
    ------
    NotAllowedError
        The disk is full or cannot be written.
    """
    try:
        replace_text(folder / name, json.dumps(record, ensure_ascii=False, indent=1))
    except OSError as fault:
        raise disk_error(folder, fault) from fault
