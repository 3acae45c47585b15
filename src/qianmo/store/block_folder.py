"""Finished parts of a long computation, kept so that a run that was killed goes on where it stood (分块续算)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import NotAllowedError
from qianmo.store.durable import replace_text, sync_tree

__all__ = ["BlockFolder", "drop_blocks", "open_blocks"]

_MARK = "blocks.json"


@dataclass(frozen=True)
class BlockFolder:
    """A folder of parts (分块文件夹): each part is a folder of .npy files that appears whole, by one rename, or not at all."""

    folder: Path

    def has(self, part: str) -> bool:
        """True where the part is finished."""
        return (self.folder / part).is_dir()

    def put(self, part: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a finished part; it is flushed to the disk before it gets its name."""
        draft = self.folder / f".{part}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for name, values in arrays.items():
            np.save(draft / f"{name}.npy", values, allow_pickle=False)
        sync_tree(draft)
        os.rename(draft, self.folder / part)
        sync_tree(self.folder, deep=False)

    def get(self, part: str, name: str) -> np.ndarray:
        """An array of a part, mapped from the disk and read only."""
        return np.load(self.folder / part / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def put_record(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a small record."""
        replace_text(self.folder / f"{name}.json", json.dumps(value, ensure_ascii=False))

    def record(self, name: str) -> dict[str, Any] | None:
        """A small record, or None where it was not kept."""
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def open_blocks(folder: Path, *, key: Mapping[str, Any]) -> BlockFolder:
    """The folder of a computation; parts of another computation are thrown away, those of this one are kept (打开分块文件夹).

    Parameters
    ----------
    key : mapping
        Everything the parts depend on: hashes of the sources, options, version.

    Raises
    ------
    NotAllowedError
        The folder holds other things.
    """
    wanted = json.dumps(key, ensure_ascii=False, sort_keys=True)
    mark = folder / _MARK
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        for draft in folder.glob(".*"):
            shutil.rmtree(draft, ignore_errors=True)
        return BlockFolder(folder)
    drop_blocks(folder)
    folder.mkdir(parents=True)
    replace_text(mark, wanted)
    return BlockFolder(folder)


def drop_blocks(folder: Path) -> None:
    """Remove a folder of parts; silent when it is not there.

    Raises
    ------
    NotAllowedError
        The folder holds other things.
    """
    if not folder.exists():
        return
    if not (folder / _MARK).is_file() and any(folder.iterdir()):
        raise NotAllowedError(f"{folder.name} 不是续算文件夹", expected="空文件夹, 或上次留下的分块", cure="用 --work 另指定文件夹")
    shutil.rmtree(folder)
