"""Proof folders appear whole, and are read with their hashes checked (证明文件夹)."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError, UnsafeInputError
from qianmo.store.proof_folder import CHECKER, PROOF_PARTS, file_sha256, is_proof_folder, read_proof_folder, write_proof_folder

ARRAYS = {part: {"a": np.arange(5), "name": np.array(["甲", "乙"])} for part in PROOF_PARTS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_proof_folder(tmp_path / "proof", {"zh": "证明"}, ARRAYS)
    return tmp_path / "proof"


def rewrite(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "certificate.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")


def test_what_was_written_is_read(folder: Path) -> None:
    record, arrays = read_proof_folder(folder)
    assert record["zh"] == "证明" and arrays["plan"]["a"].tolist() == [0, 1, 2, 3, 4] and arrays["plan"]["name"].tolist() == ["甲", "乙"]
    assert (folder / "check_plan.py").read_bytes() == CHECKER.read_bytes() and is_proof_folder(folder)
    assert sorted(p.name for p in folder.parent.iterdir()) == ["proof"]


def test_the_same_arrays_give_the_same_files(folder: Path, tmp_path: Path) -> None:
    write_proof_folder(tmp_path / "again", {"zh": "证明"}, ARRAYS)
    assert all(file_sha256(p) == file_sha256(tmp_path / "again" / p.name) for p in folder.iterdir())


def test_an_older_proof_is_replaced_and_other_folders_are_not(folder: Path, tmp_path: Path) -> None:
    write_proof_folder(folder, {"zh": "新"}, ARRAYS)
    assert read_proof_folder(folder)[0]["zh"] == "新"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    with pytest.raises(NotAllowedError, match="no proof folder"):
        write_proof_folder(tmp_path / "mine", {}, ARRAYS)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_proof_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant|Out of range"):
        write_proof_folder(tmp_path / "proof", {"bound": float("nan")}, ARRAYS)
    assert list(tmp_path.iterdir()) == []


def test_changed_missing_and_foreign_files_are_named(folder: Path) -> None:
    path = folder / "prices.npz"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1])
    with pytest.raises(UnsafeInputError, match=r"prices\.npz is not the file"):
        read_proof_folder(folder)
    path.unlink()
    with pytest.raises(MissingDataError, match=r"no prices\.npz"):
        read_proof_folder(folder)
    with pytest.raises(MissingDataError, match="no proof"):
        read_proof_folder(folder.parent)


def test_objects_and_broken_archives_are_refused_even_with_their_hash(folder: Path) -> None:
    files = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))["files"]
    path = folder / "plan.npz"

    def refuse(match: str) -> None:
        rewrite(folder, {"files": {**files, "plan.npz": {"sha256": file_sha256(path)}}})
        with pytest.raises(UnsafeInputError, match=match):
            read_proof_folder(folder)

    np.savez(path, a=np.array([{}], object))
    refuse("cannot be read")
    path.write_bytes(b"PK nothing")
    refuse("cannot be read")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00\x05\x00{}   ")
    refuse("cannot be read")


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 3}', '{"files": {}, "bound": NaN}', "\xff"])
def test_records_that_are_none_are_refused(folder: Path, text: str) -> None:
    (folder / "certificate.json").write_text(text, encoding="latin-1")
    with pytest.raises(SchemaError):
        read_proof_folder(folder)
