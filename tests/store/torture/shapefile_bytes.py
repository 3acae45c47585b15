"""A shapefile writer of thirty lines, independent of GDAL, so that any byte can be made wrong."""

# One case a line, as in a table.

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["SQUARE", "Dbf", "Shapes", "field", "polygon", "square", "write_set"]

Ring = Sequence[tuple[float, float]]


def square(x: float, y: float, side: float = 50.0) -> list[tuple[float, float]]:
    """A closed clockwise ring."""
    return [(x, y), (x, y + side), (x + side, y + side), (x + side, y), (x, y)]


SQUARE = square(40500000.0, 3300000.0)


def polygon(*rings: Ring, kind: int = 5, extra: bytes = b"", parts: int | None = None, points: int | None = None) -> bytes:
    """Content of one polygon or line record; counts can be made to lie."""
    flat = [p for r in rings for p in r]
    starts = [sum(len(r) for r in rings[:i]) for i in range(len(rings))]
    box = (
        (min(p[0] for p in flat), min(p[1] for p in flat), max(p[0] for p in flat), max(p[1] for p in flat))
        if flat
        else (0, 0, 0, 0)
    )
    head = struct.pack("<i4dii", kind, *box, len(rings) if parts is None else parts, len(flat) if points is None else points)
    return head + struct.pack(f"<{len(starts)}i", *starts) + b"".join(struct.pack("<2d", *p) for p in flat) + extra


@dataclass(frozen=True)
class Shapes:
    """The .shp and .shx of some record contents."""

    records: tuple[bytes, ...] = (polygon(SQUARE), polygon(square(40500050.0, 3300000.0)), polygon(square(40500100.0, 3300000.0)))
    kind: int = 5

    def shp(self) -> bytes:
        """Bytes of the .shp."""
        body = b"".join(struct.pack(">ii", i + 1, len(r) // 2) + r for i, r in enumerate(self.records))
        return self._head(100 + len(body)) + body

    def shx(self) -> bytes:
        """Bytes of the .shx."""
        at, body = 50, b""
        for r in self.records:
            body += struct.pack(">ii", at, len(r) // 2)
            at += 4 + len(r) // 2
        return self._head(100 + len(body)) + body

    def _head(self, length: int) -> bytes:
        return struct.pack(">i20xi", 9994, length // 2) + struct.pack("<ii8d", 1000, self.kind, 0, 0, 1, 1, 0, 0, 0, 0)


def field(name: str | bytes, kind: str, width: int, decimals: int = 0) -> tuple[str | bytes, str, int, int]:
    """One field of a .dbf."""
    return name, kind, width, decimals


@dataclass(frozen=True)
class Dbf:
    """The .dbf of some text cells; `flags` marks deleted records."""

    fields: tuple[tuple[str | bytes, str, int, int], ...] = (("BSM", "N", 18, 0), ("DLBM", "C", 5, 0), ("DLMC", "C", 20, 0))
    rows: tuple[tuple[str | bytes, ...], ...] = (
        ("350123456789012345", "0101", "水田"),
        ("350123456789012346", "0102", "水浇地"),
        ("350123456789012347", "0703", "农村宅基地"),
    )
    encoding: str = "gbk"
    flags: bytes = b""
    language: int = 0
    records: int | None = None

    def bytes(self) -> bytes:
        """The whole file."""
        body = b""
        for i, row in enumerate(self.rows):
            body += self.flags[i : i + 1] or b" "
            for value, (_, kind, width, _) in zip(row, self.fields):
                raw = value if isinstance(value, bytes) else value.encode(self.encoding)
                body += (raw.rjust(width) if kind in "NF" else raw.ljust(width))[:width]
        wide = 1 + sum(f[2] for f in self.fields)
        count = len(self.rows) if self.records is None else self.records
        head = struct.pack("<B3BIHH17xB2x", 3, 126, 1, 1, count, 33 + 32 * len(self.fields), wide, self.language)
        for name, kind, width, decimals in self.fields:
            raw = name if isinstance(name, bytes) else name.encode(self.encoding)
            head += raw[:10].ljust(11, b"\x00") + kind.encode() + b"\x00" * 4 + bytes([width, decimals]) + b"\x00" * 14
        return head + b"\r" + body + b"\x1a"

    def column(self, name: str, kind: str, width: int, *values: str | bytes, decimals: int = 0) -> Dbf:
        """A copy with one more column."""
        return replace(
            self, fields=(*self.fields, (name, kind, width, decimals)), rows=tuple((*r, v) for r, v in zip(self.rows, values))
        )


def write_set(
    folder: Path, *, shapes: Shapes | None = None, dbf: Dbf | None = None, stem: str = "图斑", **parts: bytes | str | None
) -> Path:
    """Write a set; `parts` replaces (bytes), adds (str) or leaves out (None) files by extension."""
    made, table = shapes or Shapes(), dbf or Dbf()
    files: dict[str, bytes | str | None] = {"shp": made.shp(), "shx": made.shx(), "dbf": table.bytes(), "prj": None} | parts
    for extension, content in files.items():
        if content is not None:
            (folder / f"{stem}.{extension}").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / f"{stem}.shp"
