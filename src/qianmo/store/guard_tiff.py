"""TIFF directories: sizes and offsets are bounded before a pixel is read (GeoTIFF 检查)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import Note

__all__ = ["check_tiff"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _OFFSETS, _COUNTS, _TILE_OFFSETS, _TILE_COUNTS = (
    256,
    257,
    258,
    259,
    277,
    273,
    279,
    324,
    325,
)
_COMPRESSIONS = {1: "none", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate", 50000: "ZSTD"}
_AGAIN = "copy the raster again, or export it as GeoTIFF with LZW or no compression 请重新拷贝或导出为普通 GeoTIFF"
_MOST_ENTRIES, _MOST_DIRECTORIES = 512, 64


def check_tiff(path: Path, *, limits: Limits) -> tuple[Note, ...]:
    """Check all image directories of a TIFF (GeoTIFF 检查).

    Raises
    ------
    UnsafeInputError
        Truncated, directories that loop, pixels beyond the limits, data outside the file, rare compressions.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = len(head) >= 4 and struct.unpack(order + "H", head[2:4])[0] == 43
        if len(head) < (16 if big else 8):
            raise UnsafeInputError(f"{path.name}: {size} bytes", expected="a TIFF header", cure=_AGAIN)
        at = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
        seen: set[int] = set()
        while at:
            if at in seen or len(seen) >= _MOST_DIRECTORIES:
                raise UnsafeInputError(
                    f"{path.name}: image directories loop or exceed {_MOST_DIRECTORIES}", expected="a finite list", cure=_AGAIN
                )
            seen.add(at)
            tags, at = _directory(file, at, order, big, size, path.name)
            _check_image(file, tags, order, size, path.name, limits)
    if not seen:
        raise UnsafeInputError(f"{path.name}: no image in the file", expected="one raster", cure=_AGAIN)
    return _side_notes(path)


def _directory(
    file: BinaryIO, at: int, order: str, big: bool, size: int, name: str
) -> tuple[dict[int, tuple[int, int, bytes]], int]:
    """Tags of one directory: number → (type, count, inline bytes); and where the next directory starts."""
    count_size, entry, inline = (8, 20, 8) if big else (2, 12, 4)
    if at + count_size > size:
        raise UnsafeInputError(
            f"{name}: image directory at byte {at} of {size}", expected="inside the file (truncated)", cure=_AGAIN
        )
    file.seek(at)
    count = struct.unpack(order + ("Q" if big else "H"), file.read(count_size))[0]
    if count > _MOST_ENTRIES or at + count_size + count * entry + inline > size:
        raise UnsafeInputError(
            f"{name}: image directory with {count} entries", expected="at most 512, inside the file (truncated)", cure=_AGAIN
        )
    tags = {}
    for _ in range(count):
        raw = file.read(entry)
        tag, kind = struct.unpack(order + "HH", raw[:4])
        number = struct.unpack(order + ("Q" if big else "I"), raw[4 : entry - inline])[0]
        tags[tag] = (kind, number, raw[entry - inline :])
        length = number * _SIZES.get(kind, 1)
        if length > inline and struct.unpack(order + ("Q" if big else "I"), raw[entry - inline :])[0] + length > size:
            raise UnsafeInputError(
                f"{name}: tag {tag} points outside the file", expected="data inside the file (truncated)", cure=_AGAIN
            )
    return tags, struct.unpack(order + ("Q" if big else "I"), file.read(8 if big else 4))[0]


def _check_image(
    file: BinaryIO, tags: dict[int, tuple[int, int, bytes]], order: str, size: int, name: str, limits: Limits
) -> None:
    width, height = _first(file, tags, _WIDTH, order, 0), _first(file, tags, _HEIGHT, order, 0)
    samples, bits = _first(file, tags, _SAMPLES, order, 1), _first(file, tags, _BITS, order, 1)
    if width < 1 or height < 1 or width * height > limits.cells_max:
        raise UnsafeInputError(
            f"{name}: {width} x {height} cells",
            expected=f"1 to {limits.cells_max:.0f}",
            cure="cut or resample the raster 请裁剪或重采样",
        )
    if samples > limits.bands_max or bits > 64:
        raise UnsafeInputError(
            f"{name}: {samples} bands of {bits} bits",
            expected=f"at most {limits.bands_max:.0f} bands of 64 bits",
            cure="export the band that is needed 请导出所需波段",
        )
    packing = _first(file, tags, _COMPRESSION, order, 1)
    if packing not in _COMPRESSIONS:
        raise UnsafeInputError(
            f"{name}: compression {packing}", expected=", ".join(sorted(set(_COMPRESSIONS.values()))), cure=_AGAIN
        )
    offsets = _values(file, tags, _TILE_OFFSETS if _TILE_OFFSETS in tags else _OFFSETS, order)
    counts = _values(file, tags, _TILE_COUNTS if _TILE_COUNTS in tags else _COUNTS, order)
    if not offsets or (counts and len(offsets) != len(counts)):
        raise UnsafeInputError(
            f"{name}: {len(offsets)} blocks with {len(counts)} lengths", expected="equal numbers, at least one", cure=_AGAIN
        )
    if any(o + c > size for o, c in zip(offsets, counts or [0] * len(offsets))):
        raise UnsafeInputError(
            f"{name}: pixel data beyond the end of the file ({size} bytes)",
            expected="all blocks inside the file (truncated)",
            cure=_AGAIN,
        )


def _first(file: BinaryIO, tags: dict[int, tuple[int, int, bytes]], tag: int, order: str, default: int) -> int:
    values = _values(file, tags, tag, order)
    return values[0] if values else default


def _values(file: BinaryIO, tags: dict[int, tuple[int, int, bytes]], tag: int, order: str) -> list[int]:
    kind, count, inline = tags.get(tag, (3, 0, b""))
    letter = _LETTERS.get(kind)
    if not letter or count == 0:
        return []
    length = count * _SIZES[kind]
    if length <= len(inline):
        return list(struct.unpack(f"{order}{count}{letter}", inline[:length]))
    file.seek(struct.unpack(order + ("Q" if len(inline) == 8 else "I"), inline)[0])
    return list(struct.unpack(f"{order}{count}{letter}", file.read(length)))


def _side_notes(path: Path) -> tuple[Note, ...]:
    beside = {p.name.casefold() for p in path.parent.iterdir()}
    own = path.name.casefold()
    sides = [
        s for s in (own + ".aux.xml", own + ".ovr", own + ".msk", path.stem.casefold() + ".vrt", own + ".vrt") if s in beside
    ]
    return (
        (Note("side_file_ignored", "info", "files beside the raster are never opened", found=", ".join(sides)),) if sides else ()
    )
