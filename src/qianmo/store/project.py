"""The project folder: numbered generations, one atomic pointer, undo (项目文件夹).

A project is never changed in place. A change is staged in a hidden folder, flushed to disk, renamed to
``generations/NNNN`` and becomes current when the small file ``current`` is replaced in one step. A process killed at
any moment leaves either the old or the new state, and a hidden folder that the next change sweeps away.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pyogrio.errors import DataLayerError, DataSourceError

from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.store.durable import disk_error, replace_text, sync_tree, write_text
from qianmo.store.lock import writer_lock
from qianmo.store.stage import Stage

__all__ = ["Generation", "Project", "change", "disk_error", "history", "open_generation", "open_project", "redo", "undo"]

_KEEP = 10


@dataclass(frozen=True)
class Generation:
    """One state of a project (版本): number, what made it, when, by whom, and the state before it."""

    number: int
    parent: int
    what: str
    time: str
    user: str


@dataclass(frozen=True)
class Project:
    """An open project: its folder, settings and current generation (项目)."""

    folder: Path
    settings: dict[str, Any]
    generation: int

    @property
    def state(self) -> Path:
        """Folder of the current generation."""
        return _generation_folder(self.folder, self.generation)

    @property
    def name(self) -> str:
        """Name of the project from ``project.toml``."""
        return str(self.settings.get("project", {}).get("name", self.folder.name))

    @property
    def geopackage(self) -> Path:
        """The GeoPackage of the current generation."""
        return self.state / "onemap.gpkg"


def open_project(folder: Path) -> Project:
    """Open a project for reading.

    Raises
    ------
    MissingDataError
        The folder is no project, or its current generation is gone.
    """
    folder = Path(folder)
    pointer = folder / "current"
    if not pointer.is_file():
        raise MissingDataError(
            f"no project at {folder}", expected="a folder with the files project.toml and current",
            cure="make one with: qianmo ingest SOURCES… --into PROJECT (项目不存在, 请先入库)",
        )  # fmt: skip
    number = _read_pointer(folder)
    if not _generation_folder(folder, number).is_dir():
        raise MissingDataError(f"generation {number} of {folder} is missing", cure="restore the folder generations/ from a backup")
    return Project(folder, _settings(folder / "project.toml"), number)


def open_generation(folder: Path, number: int) -> Project:
    """An earlier or undone state that is still kept, for reading (历史版本).

    Raises
    ------
    MissingDataError
        The folder is no project, or that state is not kept any more.
    """
    now = open_project(folder)
    if number < 1 or not (_generation_folder(now.folder, number) / "generation.json").is_file():
        raise MissingDataError(f"state {number} of the project is not kept", expected="a state of the list", cure="reload the map and choose again")
    return Project(now.folder, now.settings, number)


def _settings(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise MissingDataError(f"{path} 不见了", expected="项目设置文件", cure="从备份恢复 project.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SchemaError(f"{path} 写法有误: {fault}", expected="UTF-8 编码的 TOML", cure="按提示的行列改正, 文字加英文双引号") from None


@contextmanager
def change(folder: Path, *, what: str, user: str, now: datetime, settings_text: str = "") -> Iterator[Stage]:
    """Stage one change; it becomes current only when the block ends without an error.

    Parameters
    ----------
    folder : Path
        The project; made when it does not exist (then `settings_text` is its ``project.toml``).
    what, user, now
        Recorded with the generation.

    Raises
    ------
    NotAllowedError
        Another process is changing the project, or the disk is full, read-only or gone; the project is as it was.
    """
    folder = Path(folder)
    is_new = not (folder / "current").is_file()
    committed = made = False
    try:
        made = _make_folder(folder, is_new=is_new)
        with writer_lock(folder / ".lock"):
            _sweep(folder)
            parent = 0 if is_new else _read_pointer(folder)
            staging = folder / f".staging-{os.getpid()}"
            source = None if is_new else _generation_folder(folder, parent)
            stage = Stage.begin(staging, source)
            yield stage
            stage.finish()
            if is_new and not (folder / "project.toml").exists():
                write_text(folder / "project.toml", settings_text)
            number = _next_number(folder)
            record = Generation(number, parent, what, now.isoformat(timespec="seconds"), user)
            write_text(staging / "generation.json", json.dumps(asdict(record), ensure_ascii=False, indent=1))
            _commit(folder, staging, number)
            committed = True
            _prune(folder, keep=number)
    except (OSError, DataSourceError, DataLayerError) as fault:
        raise disk_error(folder, fault) from fault
    finally:
        if not committed:
            _discard(folder, made=made)


def undo(folder: Path) -> Generation:
    """Go back to the state before the last change; `redo` brings it back.

    Raises
    ------
    NotAllowedError
        There is nothing to undo.
    """
    project = open_project(folder)
    with writer_lock(project.folder / ".lock"):
        here = _record(project.folder, project.generation)
        if here.parent == 0 or not _generation_folder(project.folder, here.parent).is_dir():
            raise NotAllowedError(f"nothing to undo in {folder}", cure="the first state of a project has no state before it (没有可撤销的步骤)")
        replace_text(project.folder / "current", f"{here.parent:04d}\n")
        _refresh_link(project.folder, here.parent)
        return here


def redo(folder: Path) -> Generation:
    """Bring back the newest state that was undone from here.

    Raises
    ------
    NotAllowedError
        There is nothing to redo.
    """
    project = open_project(folder)
    with writer_lock(project.folder / ".lock"):
        later = [g for g in history(project.folder) if g.parent == project.generation]
        if not later:
            raise NotAllowedError(f"nothing to redo in {folder}", cure="no later state exists (没有可重做的步骤)")
        newest = max(later, key=lambda g: g.number)
        replace_text(project.folder / "current", f"{newest.number:04d}\n")
        _refresh_link(project.folder, newest.number)
        return newest


def history(folder: Path) -> list[Generation]:
    """All generations that are kept, oldest first."""
    numbers = sorted(int(p.name) for p in (Path(folder) / "generations").glob("[0-9]*") if p.is_dir())
    return [_record(Path(folder), n) for n in numbers]


def _generation_folder(folder: Path, number: int) -> Path:
    return folder / "generations" / f"{number:04d}"


def _read_pointer(folder: Path) -> int:
    text = (folder / "current").read_text(encoding="ascii").strip()
    if not text.isdigit():
        raise MissingDataError(f"{folder / 'current'} holds {text!r}", expected="a generation number", cure="restore it from a backup")
    return int(text)


def _record(folder: Path, number: int) -> Generation:
    return Generation(**json.loads((_generation_folder(folder, number) / "generation.json").read_text(encoding="utf-8")))


def _next_number(folder: Path) -> int:
    numbers = [int(p.name) for p in (folder / "generations").glob("[0-9]*")]
    return max(numbers, default=0) + 1


def _make_folder(folder: Path, *, is_new: bool) -> bool:
    if not is_new:
        return False
    if folder.exists() and not folder.is_dir():
        raise NotAllowedError(f"{folder} is a file", expected="a folder or a free name for the project")
    leftovers = {"generations", ".lock", "project.toml"}
    if folder.is_dir():
        strange = [p.name for p in folder.iterdir() if p.name not in leftovers and not p.name.startswith(".staging-")]
        if strange:
            raise NotAllowedError(
                f"{folder} holds other files ({', '.join(sorted(strange)[:5])}) and is no project",
                expected="an empty folder or a free name", cure="choose another folder for --into (请换一个空文件夹)",
            )  # fmt: skip
    made = not folder.exists()
    (folder / "generations").mkdir(parents=True, exist_ok=True)
    return made


def _sweep(folder: Path) -> None:
    for stale in folder.glob(".staging-*"):
        shutil.rmtree(stale)


def _commit(folder: Path, staging: Path, number: int) -> None:
    sync_tree(staging)
    target = _generation_folder(folder, number)
    os.rename(staging, target)
    sync_tree(folder / "generations", deep=False)
    replace_text(folder / "current", f"{number:04d}\n")
    _refresh_link(folder, number)


def _refresh_link(folder: Path, number: int) -> None:
    """Point ``onemap.gpkg`` of the folder at the current GeoPackage, where the system allows links."""
    temporary = folder / ".onemap.link"
    try:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path("generations") / f"{number:04d}" / "onemap.gpkg")
        os.replace(temporary, folder / "onemap.gpkg")
    except OSError:
        temporary.unlink(missing_ok=True)


def _prune(folder: Path, *, keep: int) -> None:
    numbers = sorted(int(p.name) for p in (folder / "generations").glob("[0-9]*"))
    needed = {keep, _record(folder, keep).parent}  # after many undone states the parent is old, and undo must find it
    for number in numbers[:-_KEEP]:
        if number not in needed:
            shutil.rmtree(_generation_folder(folder, number))


def _discard(folder: Path, *, made: bool) -> None:
    for stale in folder.glob(f".staging-{os.getpid()}"):
        shutil.rmtree(stale, ignore_errors=True)
    if made and not (folder / "current").exists():
        shutil.rmtree(folder, ignore_errors=True)
