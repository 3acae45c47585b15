"""The log of a joint review: lines that are only added, flushed before they are acknowledged (审查日志).

``PROJECT/reviews/ID/events.jsonl`` holds one event a line with the hash of the line before it; it lies beside the generations, so undo
of a plan never takes an opinion back. A process killed while it writes leaves a last line without an end, which was never acknowledged:
readers pass over it and the next writer cuts it off.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.store.durable import disk_error, sync_tree
from qianmo.store.lock import writer_lock

__all__ = ["append_event", "last_hash", "read_log", "review_folder", "review_ids"]

_NAME = re.compile(r"[\w][\w.\-]{0,63}")
_START = "0" * 64
_STEP_S = 0.02

Decide = Callable[[list[dict[str, Any]]], Mapping[str, Any] | None]
"""Sees all events so far and gives the next one, or None where there is nothing to add; it raises to refuse."""


def review_folder(project: Path, review: str) -> Path:
    """Folder of one review (审查文件夹).

    Raises
    ------
    SchemaError
        The id is no plain name: letters, digits, dot, dash and underscore, up to 64.
    """
    if not _NAME.fullmatch(review):
        raise SchemaError(f"审查编号 {review!r}", expected="字母、汉字、数字、点、短横、下划线, 至多 64 个")
    return Path(project) / "reviews" / review


def review_ids(project: Path) -> list[str]:
    """Ids of the reviews of a project that hold an event, sorted (审查清单)."""
    return sorted(p.parent.name for p in (Path(project) / "reviews").glob("*/events.jsonl") if _lines(p)[0])


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Entries of a review, oldest first: ``n, user, event`` with the chain of hashes checked (读取日志).

    Raises
    ------
    MissingDataError
        No such review.
    SchemaError
        A line was changed, taken out or put in: its number is named.
    """
    path = Path(folder) / "events.jsonl"
    if not path.is_file():
        raise MissingDataError(f"没有审查 {folder.name}", cure="用 qianmo review open 送审, 或用 qianmo review state 查看已有审查")
    return _checked(_lines(path)[0], path)


def last_hash(folder: Path) -> tuple[int, str]:
    """Number of entries and hash of the last one (末条摘要); who keeps it elsewhere can tell later whether the log was rewritten.

    Raises
    ------
    MissingDataError, SchemaError
        As `read_log`.
    """
    count = len(read_log(folder))
    lines, _ = _lines(Path(folder) / "events.jsonl")
    return count, str(json.loads(lines[count - 1])["hash"])


def append_event(folder: Path, decide: Decide, *, user: str, wait_s: float = 5.0) -> dict[str, Any] | None:
    """Add one event; when this returns, the event is on the disk (追加日志).

    Parameters
    ----------
    folder : Path
        Of the review; made where it does not exist.
    decide : callable
        Sees the records of all events so far, while nobody else can write.
    user : str
        Account on this machine, kept with the line.
    wait_s : float
        How long to wait for another writer. [s]

    Returns
    -------
    dict or None
        The entry as written; None where `decide` gave nothing to add.

    Raises
    ------
    NotAllowedError
        Another process writes for longer than `wait_s`, or the disk refuses; nothing was acknowledged.
    """
    folder, path = Path(folder), Path(folder) / "events.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + wait_s
        while True:
            lock = writer_lock(folder / ".lock")
            try:
                lock.__enter__()
                break
            except NotAllowedError:
                if time.monotonic() > until:
                    raise
                time.sleep(_STEP_S)
        try:
            return _append(path, decide, user)
        finally:
            lock.__exit__(None, None, None)
    except OSError as fault:
        raise disk_error(folder, fault) from fault


def _append(path: Path, decide: Decide, user: str) -> dict[str, Any] | None:
    lines, good = _lines(path) if path.is_file() else ([], 0)
    entries = _checked(lines, path)
    event = decide([e["event"] for e in entries])
    if event is None:
        return None
    body = {"n": len(entries) + 1, "previous": json.loads(lines[-1])["hash"] if lines else _START, "user": user, "event": dict(event)}
    line = json.dumps({**body, "hash": _hash(body)}, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    is_new = not path.exists()
    with open(path, "ab") as handle:
        handle.truncate(good)
        handle.seek(good)
        handle.write(line.encode("utf-8") + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    if is_new:
        for parent in (path.parent, path.parent.parent, path.parent.parent.parent):
            sync_tree(parent, deep=False)
    return body


def _lines(path: Path) -> tuple[list[bytes], int]:
    """Whole lines, and the number of bytes they take."""
    data = path.read_bytes()
    good = data.rfind(b"\n") + 1
    return data[:good].splitlines(), good


def _checked(lines: list[bytes], path: Path) -> list[dict[str, Any]]:
    entries, previous = [], _START
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            body = {k: entry[k] for k in ("n", "previous", "user", "event")}
            is_whole = body["n"] == number and body["previous"] == previous and entry["hash"] == _hash(body)
        except (ValueError, KeyError, TypeError):
            is_whole = False
        if not is_whole:
            raise SchemaError(f"{path} 第 {number} 行与哈希链不符, 日志被改动或损坏", expected="只追加、未改动的日志", cure="从备份恢复该文件; 不要手工编辑")
        previous = entry["hash"]
        entries.append(body)
    return entries


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")).hexdigest()
