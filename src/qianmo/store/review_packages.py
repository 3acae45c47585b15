"""What was reviewed, kept beside the log of the review: ``PROJECT/reviews/ID/packages/VERSION/`` (留存送审包)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qianmo.schema.errors import MissingDataError
from qianmo.store.durable import disk_error, sync_tree, write_text
from qianmo.store.parquet import read_frame, write_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["document_chunks", "keep_package", "read_package"]


_CHUNK = 1 << 16


def keep_package(folder: Path, record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], state: Path, documents: Mapping[str, Path]) -> Path:
    """Keep what is reviewed under its version: the list, the checklists, the files of the generation, the documents (留存送审包).

    Files that are never changed in place are hard links, so that a package costs little and outlives the generation it came from.
    The folder appears in one step; where it is there already it stays as it is.
    """
    target = Path(folder) / "packages" / str(record["sha256"])[:12]
    staging = Path(folder) / f".staging-{os.getpid()}"
    try:
        if target.is_dir():
            return target
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "content" / "documents").mkdir(parents=True)
        for part in ("layers", "tables", "rasters", "proof", "swap_proof"):
            for source in sorted((state / part).rglob("*")):
                if source.is_file():
                    _keep(source, staging / "content" / part / source.relative_to(state / part))
        for name, source in documents.items():
            shutil.copyfile(source, staging / "content" / "documents" / name)
        for name, frame in tables.items():
            write_frame(staging / f"{name}.parquet", frame)
        write_text(staging / "package.json", json.dumps(record, ensure_ascii=False, indent=1))
        sync_tree(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(staging, target)
        sync_tree(target.parent, deep=False)
    except OSError as fault:
        raise disk_error(Path(folder), fault) from fault
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def read_package(folder: Path, sha256: str) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """The list of a package and its tables (读取送审包).

    Raises
    ------
    MissingDataError
        The package was not kept.
    """
    home = Path(folder) / "packages" / sha256[:12]
    path = home / "package.json"
    if not path.is_file():
        raise MissingDataError(f"没有留存送审包 {sha256[:12]}", cure="从备份恢复 reviews 文件夹")
    return json.loads(path.read_text(encoding="utf-8")), {p.stem: read_frame(p) for p in sorted(home.glob("*.parquet"))}


def document_chunks(folder: Path, sha256: str, name: str) -> Iterator[bytes]:
    """Content of a document that was kept with a package, piece by piece (读取留存文件).

    Raises
    ------
    MissingDataError
        The package holds no such document.
    """
    path = Path(folder) / "packages" / sha256[:12] / "content" / "documents" / name
    if Path(name).name != name or not path.is_file():
        raise MissingDataError(f"没有留存文件 {name}", cure="从备份恢复 reviews 文件夹, 或重新上传")
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK):
            yield chunk


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
