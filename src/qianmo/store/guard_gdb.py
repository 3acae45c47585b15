"""File geodatabase folders: only its own files, whole, not locked (FileGDB 检查)."""

from __future__ import annotations

import re
from pathlib import Path

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.raw import Note

__all__ = ["check_geodatabase"]

_OWN = re.compile(
    r"^(gdb|timestamps|a[0-9a-f]{8}\.(gdbtable|gdbtablx|gdbindexes|[\w-]*atx|spx|freelist|horizon|\w+_?\w*)|.*\.lock|.*\.gdbindexes|.*\.(atx|spx))$",
    re.IGNORECASE,
)
_AGAIN = "copy the whole .gdb folder again, with ArcGIS closed 请关闭 ArcGIS 后重新拷贝整个 gdb 文件夹"


def check_geodatabase(folder: Path) -> tuple[Note, ...]:
    """Check the files of a .gdb folder against their own headers (FileGDB 检查).

    Raises
    ------
    UnsafeInputError
        Not a geodatabase, with foreign or compressed files, links, missing or truncated tables.
    """
    files = sorted(folder.iterdir())
    if foreign := [f.name for f in files if f.is_symlink() or not f.is_file() or not _OWN.match(f.name)]:
        raise UnsafeInputError(
            f"{folder.name}: files that no geodatabase has: {', '.join(map(ascii, foreign[:5]))}",
            expected="gdbtable, gdbtablx and index files",
            cure=_AGAIN,
        )
    names = {f.name.lower() for f in files}
    if "a00000001.gdbtable" not in names:
        raise UnsafeInputError(
            f"{folder.name}: no a00000001.gdbtable among {len(files)} files",
            expected="the system catalogue of a FileGDB",
            cure=_AGAIN,
        )
    if any(n.endswith(".cdf") for n in names):
        raise UnsafeInputError(
            f"{folder.name}: compressed geodatabase (.cdf)",
            expected="uncompressed tables",
            cure="uncompress it in ArcGIS (Uncompress File Geodatabase Data) 请先解压缩地理数据库",
        )
    for table in (f for f in files if f.name.lower().endswith(".gdbtable")):
        _check_table(table, names, folder.name)
    locks = [f.name for f in files if f.name.lower().endswith(".lock")]
    return (
        (
            Note(
                "locked",
                "warning",
                "lock files in the geodatabase: it may be open in ArcGIS",
                found=", ".join(locks[:3]),
                cure="close ArcGIS if edits are missing 如缺少最新编辑请关闭 ArcGIS",
            ),
        )
        if locks
        else ()
    )


def _check_table(table: Path, names: set[str], shown: str) -> None:
    with table.open("rb") as file:
        head = file.read(40)
    size = table.stat().st_size
    if len(head) < 40 or head[0] not in (3, 4) or head[1:4] != b"\x00\x00\x00":
        raise UnsafeInputError(
            f"{shown}: {table.name} ({size} bytes) has no table header",
            expected="a FileGDB table of version 9 or later",
            cure=_AGAIN,
        )
    declared = int.from_bytes(head[24:32], "little")
    if declared > size:
        raise UnsafeInputError(
            f"{shown}: {table.name} has {size} bytes", expected=f"{declared} as its header says (truncated)", cure=_AGAIN
        )
    index = table.name.lower().removesuffix("gdbtable") + "gdbtablx"
    if index not in names:
        raise UnsafeInputError(f"{shown}: {index} is missing", expected="an index beside each table", cure=_AGAIN)
    tablx = table.with_name(next(f.name for f in table.parent.iterdir() if f.name.lower() == index))
    with tablx.open("rb") as file:
        head = file.read(16)
    blocks, width = int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:16], "little")
    if len(head) < 16 or head[0] not in (3, 4) or width not in (4, 5, 6) or 16 + blocks * 1024 * width > tablx.stat().st_size:
        raise UnsafeInputError(
            f"{shown}: {tablx.name} has {tablx.stat().st_size} bytes for {blocks} blocks",
            expected="a whole index (truncated)",
            cure=_AGAIN,
        )
