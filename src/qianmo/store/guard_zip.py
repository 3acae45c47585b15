"""Archives: what may be unpacked, and unpacking by our own hand (压缩包安全解压)."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from itertools import pairwise
from pathlib import Path, PurePosixPath

from qianmo.schema.errors import EncodingError, UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name, sniff

__all__ = ["check_zip", "extract_zip", "open_zip"]

_MB = 1 << 20
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz")
_MAY_BE_ZIP = (".kmz", ".xlsx")
_CURE = "pack the plain files again with an ordinary zip program 请用普通压缩软件重新打包"


def extract_zip(path: Path, into: Path, *, limits: Limits) -> list[Path]:
    """Unpack an archive into an empty folder, member by member, bytes counted (安全解压).

    Parameters
    ----------
    path : Path
        The archive.
    into : Path
        An existing folder of ours; nothing is written elsewhere, nothing is overwritten.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UnsafeInputError
        The archive breaks a rule of `check_zip`, or a member holds more bytes than it declares, or is an archive.
    """
    members = check_zip(path, limits=limits)
    written = []
    with open_zip(path) as archive:
        for info, name in members:
            target = into.joinpath(*PurePosixPath(name).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_member(archive, info, target, path.name)
            written.append(target)
    return written


def check_zip(path: Path, *, limits: Limits) -> list[tuple[zipfile.ZipInfo, str]]:
    """Members of an archive with their true names, after every rule was checked (压缩包检查).

    Refused: data before or after the archive (polyglots), encrypted members, methods other than stored and deflate,
    absolute names, ``..``, links and devices, NUL or hidden marks, duplicates (also by case and by look), over-long names,
    archives in the archive, too many members, too large, packed too tightly, members that share bytes.

    Raises
    ------
    UnsafeInputError
        A rule is broken; the message names the member.
    """
    with open_zip(path) as archive:
        infos = archive.infolist()
        _check_totals(infos, path, limits)
        _check_layout(archive, infos, path)
        named = [(i, _true_name(i, path.name)) for i in infos]
        for info, name in named:
            _check_member(info, name, path.name, limits)
        _check_duplicates([n for i, n in named], path.name)
        return [(i, n) for i, n in named if not i.is_dir()]


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open an archive for reading.

    Raises
    ------
    UnsafeInputError
        The directory of the archive cannot be read.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise UnsafeInputError(
            f"{path.name}: not a readable zip ({error})",
            expected="a complete zip archive",
            cure="copy it again, or pack it again 压缩包损坏，请重新打包",
        ) from None


def _check_totals(infos: list[zipfile.ZipInfo], path: Path, limits: Limits) -> None:
    if not infos:
        raise UnsafeInputError(f"{path.name}: empty archive", expected="at least one data set", cure=_CURE)
    if len(infos) > limits.zip_entries_max:
        raise UnsafeInputError(
            f"{path.name}: {len(infos)} members",
            expected=f"at most {limits.zip_entries_max:.0f}",
            cure="split the archive 请拆分压缩包",
        )
    total = sum(i.file_size for i in infos)
    if total > limits.zip_total_max_mb * _MB:
        raise UnsafeInputError(
            f"{path.name}: unpacks to {total / _MB:.0f} MB",
            expected=f"at most {limits.zip_total_max_mb:.0f} MB",
            cure="split the archive 请拆分压缩包",
        )
    for i in infos:
        if i.file_size > limits.zip_ratio_floor_mb * _MB and i.file_size > limits.zip_ratio_max * max(i.compress_size, 1):
            raise UnsafeInputError(
                f"{path.name}: member {i.filename!a} unpacks {i.file_size / max(i.compress_size, 1):.0f} times its packed size",
                expected=f"a ratio of at most {limits.zip_ratio_max:.0f} (zip bomb 压缩炸弹)",
                cure="give the unpacked files 请直接提供解压后的文件",
            )


def _check_layout(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        starts = file.read(4)
        file.seek(max(0, size - 22 - len(archive.comment)))
        ends = file.read(4)
    if starts not in (b"PK\x03\x04", b"PK\x05\x06") or min(i.header_offset for i in infos) != 0 or ends != b"PK\x05\x06":
        raise UnsafeInputError(
            f"{path.name}: other data before or after the archive",
            expected="a zip and nothing else (polyglot file 多重格式文件)",
            cure=_CURE,
        )
    spans = sorted((i.header_offset, i.header_offset + 30 + i.compress_size) for i in infos)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise UnsafeInputError(
                f"{path.name}: members share the same bytes at {start}",
                expected="members side by side (overlap bomb 重叠炸弹)",
                cure=_CURE,
            )


def _true_name(info: zipfile.ZipInfo, archive: str) -> str:
    """Name of a member: UTF-8 where flagged, else UTF-8 or GBK if the bytes are one of them."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437", "surrogateescape")
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EncodingError(f"{archive}: member name {raw[:60]!r} is neither UTF-8 nor GBK", expected="readable names", cure=_CURE)


def _check_member(info: zipfile.ZipInfo, name: str, archive: str, limits: Limits) -> None:
    shown = f"{archive}: member {name[:80]!a}"
    if info.flag_bits & 0x1:
        raise UnsafeInputError(
            f"{shown} is encrypted",
            expected="no password",
            cure="unpack it with the password and pack it again without 请去除压缩密码",
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsafeInputError(f"{shown} uses packing method {info.compress_type}", expected="stored or deflate", cure=_CURE)
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeInputError(f"{shown} is a link or a device", expected="plain files", cure=_CURE)
    parts = name.rstrip("/").split("/")
    if "\x00" in name:
        raise UnsafeInputError(f"{shown} holds a NUL", expected="visible characters only", cure=_CURE)
    if (
        name.startswith(("/", "\\"))
        or "\\" in name
        or ".." in parts
        or "." in parts
        or "" in parts
        or (len(name) > 1 and name[1] == ":")
    ):
        raise UnsafeInputError(f"{shown} points outside the archive", expected="a relative name without .. or drive", cure=_CURE)
    if len(parts) > limits.folder_depth_max:
        raise UnsafeInputError(
            f"{shown} lies {len(parts)} folders deep", expected=f"at most {limits.folder_depth_max:.0f}", cure=_CURE
        )
    for part in parts:
        check_name(part, max_bytes=limits.name_max_bytes)
    if name.lower().endswith(_ARCHIVES):
        raise UnsafeInputError(
            f"{shown} is an archive in the archive",
            expected="data files",
            cure="unpack the inner archive first 请先解压内层压缩包",
        )


def _check_duplicates(names: list[str], archive: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFKC", name).casefold().rstrip("/")
        if key in seen:
            raise UnsafeInputError(
                f"{archive}: two members named {seen[key]!a} and {name!a}",
                expected="names that differ by more than case or look",
                cure=_CURE,
            )
        seen[key] = name


def _write_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, shown: str) -> None:
    count = 0
    try:
        with archive.open(info) as packed, target.open("xb") as file:
            while chunk := packed.read(_MB):
                if (
                    count == 0
                    and sniff(chunk[:512]) in ("zip", "gzip", "7z archive", "rar archive")
                    and target.suffix.lower() not in _MAY_BE_ZIP
                ):
                    raise UnsafeInputError(
                        f"{shown}: member {target.name!a} is an archive under another name",
                        expected="data files",
                        cure=_CURE,
                    )
                count += len(chunk)
                if count > info.file_size:
                    break
                file.write(chunk)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise UnsafeInputError(
            f"{shown}: member {target.name!a} cannot be unpacked ({error})",
            expected="whole members",
            cure="copy or pack the archive again 压缩包损坏，请重新打包",
        ) from None
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise UnsafeInputError(
            f"{shown}: member {target.name!a} is damaged ({error})",
            expected="whole members",
            cure="copy or pack the archive again 压缩包损坏，请重新打包",
        ) from None
    if count != info.file_size:
        raise UnsafeInputError(
            f"{shown}: member {target.name!a} holds {count} bytes", expected=f"{info.file_size} as declared", cure=_CURE
        )
