"""The folder of a proof: claims, arrays, and the stand-alone checker (规划证明文件夹).

``certificate.json``, ``problem.npz``, ``plan.npz``, ``prices.npz`` and ``check_plan.py``. The folder
appears in one step and is read with its hashes checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError, UnsafeInputError
from qianmo.store.durable import sync_tree, write_text

__all__ = ["CHECKER", "PROOF_PARTS", "file_sha256", "is_proof_folder", "read_proof_folder", "write_proof_folder"]

PROOF_PARTS = ("problem", "plan", "prices")
"""Files of arrays in a proof folder, each ``<part>.npz``."""

CHECKER = Path(__file__).with_name("check_plan.py")
"""The script that checks a proof with NumPy alone; a copy goes into every proof folder."""

MAX_RECORD = 256 << 20
MAX_ARRAYS = 64 << 30


def write_proof_folder(folder: Path, record: Mapping[str, Any], arrays: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """Write a proof; an older one at the same place is replaced (写出规划证明).

    Parameters
    ----------
    folder : Path
        A free name, or a proof folder.
    record : mapping
        The claims; size and SHA-256 of each file are added under ``files``.
    arrays : mapping part → name → array
        The parts `PROOF_PARTS`.

    Returns
    -------
    dict
        The record as written.

    Raises
    ------
    NotAllowedError
        The place is taken by something that is no proof.
    """
    folder = Path(folder)
    if folder.exists() and not is_proof_folder(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise NotAllowedError(
            f"{folder} is there and is no proof folder", expected="a free name", cure="choose another folder (请换一个文件夹)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        files = {}
        for part in PROOF_PARTS:
            path = fresh / f"{part}.npz"
            np.savez(path, **arrays[part])  # type: ignore[arg-type]
            files[path.name] = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        written = {**record, "files": files}
        write_text(fresh / "certificate.json", json.dumps(written, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        shutil.copyfile(CHECKER, fresh / CHECKER.name)
        sync_tree(fresh)
        _replace(folder, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


def read_proof_folder(folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """Record and arrays of a proof, hashes checked (读取规划证明).

    Raises
    ------
    MissingDataError
        A file is missing.
    SchemaError
        The record is no JSON, or names no hashes.
    UnsafeInputError
        A file is not the one the record names, is too large, or holds objects instead of numbers.
    """
    folder = Path(folder)
    path = folder / "certificate.json"
    if not path.is_file():
        raise MissingDataError(
            f"no proof at {folder}",
            expected="certificate.json, problem.npz, plan.npz, prices.npz",
            cure="name the folder that holds certificate.json",
        )
    record = _record(path)
    return record, {part: _arrays(folder / f"{part}.npz", record) for part in PROOF_PARTS}


def is_proof_folder(folder: Path) -> bool:
    """True where a folder holds a proof (是否为证明文件夹)."""
    return (Path(folder) / "certificate.json").is_file() and (Path(folder) / "problem.npz").is_file()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file (文件指纹)."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _record(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_RECORD:
        raise UnsafeInputError(f"{path.name} holds {path.stat().st_size:,} bytes", expected=f"at most {MAX_RECORD:,}")
    try:
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{path.name} is no JSON record: {error}", expected="JSON in UTF-8 with finite numbers") from None
    if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
        raise SchemaError(f"{path.name} names no files", expected="a proof record with the hashes of its files")
    return record


def _no_constant(text: str) -> float:
    raise ValueError(f"the number {text}")


def _arrays(path: Path, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingDataError(f"the proof has no {path.name}", cure="copy the whole folder again (证明文件不完整, 请重新复制)")
    claimed = record["files"].get(path.name)
    digest = file_sha256(path)
    if not isinstance(claimed, dict) or claimed.get("sha256") != digest:
        raise UnsafeInputError(
            f"{path.name} is not the file of this proof: SHA-256 {digest}", expected=str(claimed.get("sha256") if isinstance(claimed, dict) else claimed),
            cure="the file was changed after the proof was made; ask for the original (文件在生成后被改动)",
        )  # fmt: skip
    try:
        with zipfile.ZipFile(path) as archive:
            held = sum(i.file_size for i in archive.infolist())
        if held > MAX_ARRAYS:
            raise UnsafeInputError(f"{path.name} holds {held:,} bytes", expected=f"at most {MAX_ARRAYS:,}")
        with np.load(path, allow_pickle=False) as shelf:
            return {name: shelf[name] for name in shelf.files}
    except (OSError, ValueError, EOFError, KeyError, AttributeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UnsafeInputError(f"{path.name} cannot be read: {error}", expected="arrays of numbers in the npz form") from None


def _replace(folder: Path, fresh: Path) -> None:
    old = folder.with_name(f".{folder.name}-old-{os.getpid()}")
    try:
        if folder.exists():
            os.rename(folder, old)
        os.rename(fresh, folder)
    except BaseException:  # also an interruption between the two: the older proof goes back to its place
        if old.exists() and not folder.exists():
            os.rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    sync_tree(folder.parent, deep=False)
