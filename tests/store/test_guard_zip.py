"""Unpacking by our own hand: what comes out is what went in, and nowhere else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import default_limits
from qianmo.store.guard_zip import check_zip, extract_zip

LIMITS = default_limits()


def _packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_members_come_out_byte_for_byte(tmp_path: Path) -> None:
    members = {"数据/a.bin": bytes(range(256)) * 999, "b.csv": b"x,y\n1,2\n", "数据/空.txt": b""}
    path = _packed(tmp_path / "a.zip", members)
    into = tmp_path / "out"
    into.mkdir()
    written = extract_zip(path, into, limits=LIMITS)
    assert {str(p.relative_to(into)): p.read_bytes() for p in written} == members


def test_nothing_is_written_when_one_member_points_outside(tmp_path: Path) -> None:
    path = _packed(tmp_path / "a.zip", {"a.csv": b"1", "../evil.csv": b"2"})
    into = tmp_path / "out"
    into.mkdir()
    with pytest.raises(UnsafeInputError, match="outside the archive"):
        extract_zip(path, into, limits=LIMITS)
    assert list(into.iterdir()) == []
    assert not (tmp_path / "evil.csv").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = _packed(tmp_path / "a.zip", {"a.csv": b"new"})
    into = tmp_path / "out"
    into.mkdir()
    (into / "a.csv").write_bytes(b"old")
    with pytest.raises(UnsafeInputError, match="cannot be unpacked"):
        extract_zip(path, into, limits=LIMITS)
    assert (into / "a.csv").read_bytes() == b"old"


def test_a_small_member_may_be_packed_tightly(tmp_path: Path) -> None:
    """A table of a few megabytes of blanks is ordinary; only large members are judged by their ratio."""
    path = _packed(tmp_path / "a.zip", {"blank.dbf": b" " * (3 << 20)})
    assert [n for _, n in check_zip(path, limits=LIMITS)] == ["blank.dbf"]


def test_folder_entries_are_no_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/a.csv", b"1")
    assert [n for _, n in check_zip(tmp_path / "a.zip", limits=LIMITS)] == ["folder/a.csv"]
