"""Packages that somebody prepares in the browser before they are submitted: ``PROJECT/reviews/.drafts/NUMBER/`` (送审稿)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.durable import disk_error, replace_text, sync_tree, write_text
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name

__all__ = ["draft_documents", "draft_look", "keep_draft", "keep_look", "read_draft", "remove_draft", "review_drafts", "sweep_drafts"]

_HALF, _GONE = ".half-", "-gone"
_SLASH = re.compile(r"[/\\]")
_MB = 1 << 20


def keep_draft(project: Path, number: str, record: Mapping[str, Any], documents: Iterable[tuple[str, Iterable[bytes]]], limits: Limits) -> bool:
    """Keep a draft with its documents in one step (保存送审稿); False where one of that number is there already, which stays as it is.

    Raises
    ------
    UnsafeInputError
        The name of a document deceives or occurs twice, or all together are too large.
    NotAllowedError
        The disk is full or cannot be written.
    """
    home = _home(project, number)
    if home.is_dir():
        return False
    half = home.with_name(f"{_HALF}{home.name}-{os.getpid()}")
    try:
        shutil.rmtree(half, ignore_errors=True)
        (half / "documents").mkdir(parents=True)
        names = _write(half / "documents", documents, limits)
        write_text(half / "draft.json", json.dumps({**record, "number": home.name, "documents": names}, ensure_ascii=False, indent=1))
        sync_tree(half)
        os.rename(half, home)
        sync_tree(home.parent, deep=False)
    except OSError as fault:
        if home.is_dir():
            return False
        raise disk_error(home.parent, fault) from fault
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return True


def read_draft(project: Path, number: str) -> dict[str, Any]:
    """One draft (送审稿).

    Raises
    ------
    MissingDataError
        There is none of that number.
    """
    path = _home(project, number) / "draft.json"
    if not path.is_file():
        raise MissingDataError(f"没有编号为 {number} 的送审稿", expected="清单中的一份送审稿", cure="打开联席审查页查看清单")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def draft_documents(project: Path, number: str) -> list[Path]:
    """Documents of a draft in the order in which they came (送审文件)."""
    return [_home(project, number) / "documents" / n for n in read_draft(project, number)["documents"]]


def keep_look(project: Path, number: str, look: Mapping[str, Any]) -> None:
    """Keep what a package would hold (保存预览)."""
    read_draft(project, number)
    _replace(_home(project, number) / "look.json", look)


def draft_look(project: Path, number: str) -> dict[str, Any]:
    """What the package would hold; empty before the look is done (预览)."""
    path = _home(project, number) / "look.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def review_drafts(project: Path) -> list[dict[str, Any]]:
    """All drafts, the newest first (送审稿清单)."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in (Path(project) / "reviews" / ".drafts").glob("*-*/draft.json") if not p.parent.name.startswith(_HALF)]
    return sorted(found, key=lambda d: str(d.get("made", "")), reverse=True)


def sweep_drafts(project: Path, is_done: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    """Remove the drafts that are done with, and what a removal that was killed left of others (清理送审稿).

    Returns
    -------
    list of str
        Numbers of the drafts that were removed.
    """
    gone = [str(d["number"]) for d in review_drafts(project) if is_done(d)]
    for number in gone:
        remove_draft(project, number)
    for hidden in (Path(project) / "reviews" / ".drafts").glob(f"{_HALF}*{_GONE}"):
        shutil.rmtree(hidden, ignore_errors=True)
    return gone


def remove_draft(project: Path, number: str) -> None:
    """Remove a draft: hidden in one step, then its files (删除送审稿)."""
    read_draft(project, number)
    home = _home(project, number)
    hidden = home.with_name(f"{_HALF}{home.name}{_GONE}")
    shutil.rmtree(hidden, ignore_errors=True)
    os.replace(home, hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def _home(project: Path, number: str) -> Path:
    return Path(project) / "reviews" / ".drafts" / str(UUID(str(number)))


def _write(folder: Path, documents: Iterable[tuple[str, Iterable[bytes]]], limits: Limits) -> list[str]:
    names: list[str] = []
    size = 0
    for name, chunks in documents:
        check_name(name, max_bytes=limits.name_max_bytes)
        if _SLASH.search(name) or name.startswith("."):
            raise UnsafeInputError(f"文件名 {name!r}", expected="不含斜杠、不以点开头的文件名", cure="改名后重新上传")
        if name.casefold() in (n.casefold() for n in names):
            raise UnsafeInputError(f"{name}: 有两个同名文件", expected="每个文件名只出现一次", cure="改名后重新上传")
        names.append(name)
        with open(folder / name, "xb") as handle:
            for chunk in chunks:
                size += len(chunk)
                if size > limits.file_max_mb * _MB:
                    raise UnsafeInputError(f"送审文件共 {size / _MB:.1f} MB", expected=f"不超过 {limits.file_max_mb:.0f} MB", cure="压缩图片, 或分几份送审")
                handle.write(chunk)
    return names


def _replace(path: Path, record: Mapping[str, Any]) -> None:
    try:
        replace_text(path, json.dumps(record, ensure_ascii=False, indent=1))
    except OSError as fault:
        raise disk_error(path.parent, fault) from fault
