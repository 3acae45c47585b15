"""From what the user names to what can be read: files, folders, archives (来源清单)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qianmo.schema.errors import MissingDataError, QianmoError, UnsafeInputError
from qianmo.store.guard import Consent, has_shapefile, inspect
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import EXPECTED, check_magic, check_name
from qianmo.store.guard_text import is_boundary_text
from qianmo.store.guard_zip import extract_zip
from qianmo.store.raw import Source

__all__ = ["Listing", "list_sources"]

_ALONE = tuple(e for e in EXPECTED if e not in (".zip", ".kmz"))
_CLUTTER = (".", "~$", "Thumbs.db", "desktop.ini", "__MACOSX")
_PART_OF_SET = (".dbf", ".shx")
_SIDE = (
    ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".fbn", ".fbx", ".ain", ".aih", ".atx", ".ixs", ".mxs", ".tfw", ".ovr",
    ".xml", ".rrd", ".qmd", ".qml", ".sld", ".lyr", ".lyrx", ".mxd", ".aprx", ".qgs", ".qgz", ".md", ".pdf", ".doc",
    ".docx", ".ppt", ".pptx", ".jpg", ".png", ".yml", ".html", ".log", ".ini",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What was found (来源清单): sources to read, refusals by name, and files passed over because they hold no layer."""

    sources: tuple[Source, ...]
    refused: tuple[tuple[str, QianmoError], ...]
    ignored: tuple[str, ...]


def list_sources(
    paths: Sequence[Path], *, workdir: Path, limits: Limits, consent: Consent | None = None, gather: bool = False
) -> Listing:
    """Expand files, folders and archives to checked sources (列出来源).

    Parameters
    ----------
    paths : sequence of Path
        What the user named. A folder is searched; a .zip or .kmz is unpacked below `workdir` first.
    workdir : Path
        An existing folder of ours, kept until the sources have been read.
    gather : bool
        False: the first refusal is raised. True: refusals are gathered in the listing and the rest goes on.

    Raises
    ------
    UnsafeInputError
        A file breaks a rule of the guard, or is of no known kind (what was found, what is expected, what to do).
    MissingDataError
        Nothing there, or nothing to read.
    """
    sources: list[Source] = []
    refused: list[tuple[str, QianmoError]] = []
    ignored: list[str] = []
    for path in paths:
        try:
            for found in _expand(Path(path), Path(path).parent, Path(path).name, workdir, limits, ignored, named=True):
                try:
                    sources.append(inspect(found[0], limits=limits, root=found[1], origin=found[2], consent=consent))
                except QianmoError as error:
                    _keep(refused, found[2], error, gather=gather)
        except QianmoError as error:
            _keep(refused, Path(path).name, error, gather=gather)
    if not sources and not refused:
        raise MissingDataError(
            f"nothing to read in {', '.join(Path(p).name for p in paths) or 'an empty list'}",
            expected=" ".join((".gdb", *EXPECTED)),
            cure="name a data set 请指定数据文件",
        )
    return Listing(tuple(sources), tuple(refused), tuple(ignored))


def _keep(refused: list[tuple[str, QianmoError]], name: str, error: QianmoError, *, gather: bool) -> None:
    if not gather:
        raise error
    refused.append((name, error))


def _expand(
    path: Path, root: Path, origin: str, workdir: Path, limits: Limits, ignored: list[str], *, named: bool
) -> list[tuple[Path, Path, str]]:
    """Files to inspect, each with the folder that bounds it and the name to show."""
    if path.is_symlink() or not path.exists():
        return [(path, root, origin)]
    suffix = path.suffix.lower()
    if not named and path.name.startswith(_CLUTTER):
        ignored.append(origin)
        return []
    if path.is_dir() and suffix != ".gdb":
        return _expand_folder(path, root, origin, workdir, limits, ignored)
    if suffix in (".zip", ".kmz"):
        return _expand_archive(path, origin, workdir, limits, ignored)
    if not named and suffix == ".txt" and not is_boundary_text(path):
        ignored.append(origin)
        return []
    if not named and suffix in _PART_OF_SET and has_shapefile(path):
        return []
    if not named and suffix in _SIDE:
        ignored.append(origin)
        return []
    return [(path, root, origin)]


def _expand_folder(
    path: Path, root: Path, origin: str, workdir: Path, limits: Limits, ignored: list[str]
) -> list[tuple[Path, Path, str]]:
    depth = len(path.absolute().relative_to(root.absolute()).parts)
    if depth > limits.folder_depth_max:
        raise UnsafeInputError(
            f"{origin}: folders {depth} deep",
            expected=f"at most {limits.folder_depth_max:.0f}",
            cure="move the data up 请减少文件夹层级",
        )
    found = []
    for child in sorted(path.iterdir()):
        check_name(child.name, max_bytes=limits.name_max_bytes)
        found += _expand(child, root, f"{origin}/{child.name}", workdir, limits, ignored, named=False)
    return found


def _expand_archive(path: Path, origin: str, workdir: Path, limits: Limits, ignored: list[str]) -> list[tuple[Path, Path, str]]:
    check_name(path.name, max_bytes=limits.name_max_bytes)
    check_magic(path)
    if path.stat().st_size > limits.file_max_mb * (1 << 20):
        raise UnsafeInputError(
            f"{origin}: {path.stat().st_size >> 20} MB",
            expected=f"at most {limits.file_max_mb:.0f} MB",
            cure="split the archive 请拆分压缩包",
        )
    into = Path(tempfile.mkdtemp(prefix="unpacked_", dir=workdir))
    extract_zip(path, into, limits=limits)
    found = []
    for child in sorted(into.iterdir()):
        found += _expand(child, into, f"{origin}/{child.name}", workdir, limits, ignored, named=False)
    if not found:
        raise MissingDataError(
            f"{origin}: no data set in the archive",
            expected=" ".join((".gdb", *_ALONE)),
            cure="pack the data files themselves 请打包数据文件",
        )
    return found
