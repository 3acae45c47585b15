"""Records of a .shp against its index, its size and their own counts (Shapefile 记录检查)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qianmo.schema.errors import UnsafeInputError

__all__ = ["AGAIN", "check_records", "index_of", "rebuilt_index", "record_fault"]

AGAIN = "copy or export the whole set again (.shp .shx .dbf .prj .cpg) 文件不完整，请重新拷贝全部文件"


def rebuilt_index(shp: Path) -> np.ndarray:
    """Offset and length of each record by walking the .shp (重建索引); shape (n, 2), 16-bit words.

    Raises
    ------
    UnsafeInputError
        The walk leaves the file.
    """
    size, at = shp.stat().st_size, 100
    found: list[tuple[int, int]] = []
    with shp.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            number, length = np.frombuffer(file.read(8), ">i4").tolist()
            if number != len(found) + 1 or length < 2 or at + 8 + 2 * length > size:
                raise UnsafeInputError(
                    f"{shp.name}: record {len(found) + 1} does not fit the file (number {number}, length {length})",
                    expected="records end to end",
                    cure=AGAIN,
                )
            found.append((at // 2, length))
            at += 8 + 2 * length
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def record_fault(shp: Path, row: int) -> str:
    """Why a record gave no shape: '' for an honest null shape, else in words (记录无几何的原因).

    Parameters
    ----------
    row : int
        Zero-based record of a .shp that passed `check_shapefile`.
    """
    index = rebuilt_index(shp) if not shp.with_suffix(".shx").exists() else index_of(shp.with_suffix(".shx"))
    with shp.open("rb") as file:
        file.seek(2 * int(index[row, 0]) + 8)
        content = file.read(2 * int(index[row, 1]))
    kind = int.from_bytes(content[:4], "little")
    if kind == 0:
        return ""
    if kind % 10 not in (3, 5):
        return "cannot be built"
    parts, points = np.frombuffer(content, "<i4", 2, 36).tolist()
    starts = np.frombuffer(content, "<i4", parts, 44).tolist()
    flat = np.frombuffer(content, "<f8", 2 * points, 44 + 4 * parts).reshape(-1, 2)
    if not np.isfinite(flat).all():
        return "coordinates that are not finite"
    if starts != sorted(starts) or (starts and not 0 <= starts[0] <= starts[-1] < max(points, 1)):
        return "parts that start beyond the points"
    rings = np.split(flat, starts[1:])
    if kind % 10 == 5 and any(len(r) < 4 or (r[0] != r[-1]).any() for r in rings):
        return "a ring that does not close or has fewer than four points"
    return "cannot be built"


def index_of(shx: Path) -> np.ndarray:
    """Offsets and lengths of a .shx, in 16-bit words, (n, 2) (读取索引).

    Raises
    ------
    UnsafeInputError
        The file is not whole records.
    """
    raw = np.fromfile(shx, dtype=">i4", offset=100)
    if len(raw) % 2:
        raise UnsafeInputError(f"{shx.name}: {4 * len(raw)} bytes of index", expected="8 bytes a record", cure=AGAIN)
    return raw.astype(np.int64).reshape(-1, 2)


def check_records(shp: Path, index: np.ndarray, code: int) -> None:
    """Compare each record header with the index, the file size and its own part and point counts."""
    if len(index) == 0:
        return
    size = shp.stat().st_size
    start, length = 2 * index[:, 0], 2 * index[:, 1]
    _refuse(shp, (start < 100) | (length < 4) | (start + 8 + length > size), "lie outside the file")
    data = np.memmap(shp, dtype=np.uint8, mode="r")
    _refuse(shp, _words(data, start, ">i4") != np.arange(1, len(index) + 1), "carry a wrong record number")
    _refuse(shp, 2 * _words(data, start + 4, ">i4") != length, "have another length than the .shx says")
    kind = _words(data, start + 8, "<i4")
    _refuse(shp, (kind != code) & (kind != 0), "have another shape type than the header")
    full = np.flatnonzero(kind != 0)
    need = np.zeros(len(index), dtype=np.int64)
    need[full] = _needed(shp, data, start[full], length[full], code, full, len(index))
    _refuse(shp, (kind != 0) & (length < need), "are shorter than their parts and points need")
    _check_overlap(shp, start, length)


def _needed(
    shp: Path, data: np.ndarray, start: np.ndarray, length: np.ndarray, code: int, rows: np.ndarray, n: int
) -> np.ndarray:
    """Bytes each record needs for its declared parts and points."""
    base = code % 10
    z = 16 if code > 10 and code < 20 else 0
    if base == 1:
        return np.full(len(start), 20 + (8 if code > 10 else 0))
    counts_at = 44 if base in (3, 5) else 40
    _refuse_some(shp, length < counts_at, rows, "end before their counts")
    parts = _words(data, start + 8 + 36, "<i4") if base in (3, 5) else np.zeros(len(start), dtype=np.int64)
    points = _words(data, start + 8 + (40 if base in (3, 5) else 36), "<i4")
    _refuse_some(
        shp,
        (parts < 0) | (points < 0) | (parts > length) | (points > length),
        rows,
        "declare impossible counts of parts or points",
    )
    _refuse_some(shp, (parts == 0) & (points > 0) if base in (3, 5) else parts < 0, rows, "declare points without parts")
    return counts_at + 4 * parts + 16 * points + (z + 8 * points if z else 0)


def _check_overlap(shp: Path, start: np.ndarray, length: np.ndarray) -> None:
    order = np.argsort(start, kind="stable")
    ends = (start + 8 + length)[order]
    bad = np.zeros(len(start), dtype=bool)
    bad[order[1:]] = start[order][1:] < ends[:-1]
    _refuse(shp, bad, "share bytes with another record")


def _words(data: np.ndarray, at: np.ndarray, dtype: str) -> np.ndarray:
    return np.ascontiguousarray(data[at[:, None] + np.arange(4)]).view(dtype).ravel().astype(np.int64)


def _refuse(shp: Path, bad: np.ndarray, why: str) -> None:
    _refuse_some(shp, bad, np.arange(len(bad)), why)


def _refuse_some(shp: Path, bad: np.ndarray, rows: np.ndarray, why: str) -> None:
    if bad.any():
        hit = (rows[bad] + 1).tolist()
        raise UnsafeInputError(
            f"{shp.name}: {len(hit)} records {why}: {', '.join(map(str, hit[:10]))}",
            expected="records that agree with their index",
            cure=AGAIN,
        )
