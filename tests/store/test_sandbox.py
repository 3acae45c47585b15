"""The reading process: its walls stand, its death is survived."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import Limits, default_limits
from qianmo.store.sandbox import run_guarded

LIMITS = default_limits()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("SECRET", encoding="utf-8")
    for name in ("upload", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "upload" / "open.txt").write_text("OPEN", encoding="utf-8")
    return tmp_path


def _probe(place: Path, *tasks: dict[str, str], limits: Limits = LIMITS) -> list[Any]:
    asked = [
        {"kind": "probe", "origin": f"p{i}", "path": str(place / "secret.txt"), "write": str(place / "evil.txt")} | t
        for i, t in enumerate(tasks)
    ]
    return run_guarded(asked, read=[place / "upload"], workdir=place / "work", limits=limits)


def test_a_file_of_the_upload_can_be_read_and_nothing_else_written(place: Path) -> None:
    answer = _probe(place, {"path": str(place / "upload" / "open.txt"), "write": str(place / "upload" / "new.txt")})[0]
    assert answer["items"][0]["text"] == "OPEN"
    if answer["walls"]["folders"]:
        assert answer["items"][0]["write"] == "PermissionError"
        assert not (place / "upload" / "new.txt").exists()


def test_a_file_beside_the_upload_cannot_be_read(place: Path) -> None:
    answer = _probe(place, {})[0]
    if not answer["walls"]["folders"]:
        pytest.skip("this kernel has no Landlock: the folder wall cannot stand")
    assert answer["items"][0]["read"] == "PermissionError"
    assert "text" not in answer["items"][0]
    assert not (place / "evil.txt").exists()


def test_no_socket_can_be_made(place: Path) -> None:
    answer = _probe(place, {})[0]
    assert answer["items"][0]["socket"] == "PermissionError"
    assert answer["walls"]["limits"]


def test_a_crash_is_told_and_the_next_task_goes_on(place: Path) -> None:
    first, second, third = _probe(place, {}, {"do": "crash"}, {})
    assert isinstance(second, UnsafeInputError)
    assert "p1" in second.found
    assert "SIGSEGV" in second.found
    assert second.cure
    assert first["ok"]
    assert third["ok"]


def test_an_endless_task_is_stopped_in_time(place: Path) -> None:
    began = time.monotonic()
    answer = _probe(place, {"do": "loop"}, limits=replace(LIMITS, worker_seconds=1.0))[0]
    assert isinstance(answer, UnsafeInputError)
    assert "too long" in answer.found
    assert time.monotonic() - began < 10


def test_a_greedy_task_is_refused(place: Path) -> None:
    answer = _probe(place, {"do": "memory"})[0]
    assert isinstance(answer, UnsafeInputError)
    assert "memory" in answer.found


def test_no_task_no_process(place: Path) -> None:
    assert run_guarded([], read=[], workdir=place / "work", limits=LIMITS) == []
    assert list((place / "work").iterdir()) == []


def test_the_parent_keeps_its_own_modules(place: Path) -> None:
    before = set(sys.modules)
    _probe(place, {})
    assert not {m for m in set(sys.modules) - before if m.startswith("qianmo.store.sandbox_")}
