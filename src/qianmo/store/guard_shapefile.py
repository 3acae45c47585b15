"""Shapefile sets: do .shp, .shx and .dbf agree with their headers, their sizes and each other? (Shapefile 检查)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.raw import Note
from qianmo.store.read_dbf import read_dbf_header

__all__ = ["ShapefileFacts", "check_projection_text", "check_shapefile", "rebuilt_index", "record_fault", "shapefile_parts"]

_TYPES = {0: "Null", 1: "Point", 3: "LineString", 5: "Polygon", 8: "MultiPoint", 11: "Point Z", 13: "LineString Z", 15: "Polygon Z", 18: "MultiPoint Z", 21: "Point M", 23: "LineString M", 25: "Polygon M", 28: "MultiPoint M"}  # fmt: skip
_AGAIN = "copy or export the whole set again (.shp .shx .dbf .prj .cpg) 文件不完整，请重新拷贝全部文件"
_WKT = re.compile(
    r"^\s*(PROJCS|GEOGCS|GEOCCS|LOCAL_CS|COMPD_CS|PROJCRS|GEOGCRS|GEODCRS|BOUNDCRS|COMPOUNDCRS|ENGCRS|PROJECTEDCRS|GEOGRAPHICCRS)\s*\[",
    re.IGNORECASE,
)
_REACHES_OUT = re.compile(r"nadgrids|geoidgrids|PARAMETERFILE|\+init|/vsi|https?:|file:|\.\./", re.IGNORECASE)
_NOT_A_PLACE = re.compile(r"(AUTHORITY|METADATA|REMARK|CITATION|URI)\s*\[[^\]]*\]", re.IGNORECASE)


@dataclass(frozen=True)
class ShapefileFacts:
    """What the headers of a set say (头信息)."""

    records: int
    geometry_type: str
    declared_crs_wkt: str | None
    declared_encoding: str | None
    notes: tuple[Note, ...]


def shapefile_parts(path: Path) -> dict[str, Path]:
    """Files of a set by role (shp, shx, dbf, prj, cpg), found without regard to case (文件组成).

    Raises
    ------
    UnsafeInputError
        Two files claim one role.
    """
    stem, parts = path.name[: -len(path.suffix)], {"shp": path}
    for other in sorted(path.parent.iterdir()):
        role = other.suffix.lower()[1:]
        if role in ("shx", "dbf", "prj", "cpg") and other.name[: -len(other.suffix)].casefold() == stem.casefold():
            if role in parts:
                raise UnsafeInputError(
                    f"{path.name}: two files {parts[role].name} and {other.name}",
                    expected=f"one .{role}",
                    cure="remove the wrong one 请删除多余文件",
                )
            parts[role] = other
    return parts


def check_shapefile(
    parts: Mapping[str, Path], *, limits: Limits, rebuild_index: bool = False, without_attributes: bool = False
) -> ShapefileFacts:
    """Check one set without parsing a geometry (Shapefile 整体检查).

    Parameters
    ----------
    parts : mapping of str to Path
        From `shapefile_parts`.
    rebuild_index : bool
        The user agreed to have a missing .shx rebuilt.
    without_attributes : bool
        The user agreed to read shapes without a .dbf.

    Raises
    ------
    MissingDataError
        .shx or .dbf is missing and the user did not agree to go on without.
    UnsafeInputError
        Headers, sizes, counts, record lengths, part or point counts contradict each other.
    """
    shp = parts["shp"]
    code = _check_header(shp, "shp")
    if "shx" not in parts and not rebuild_index:
        raise MissingDataError(
            f"{shp.name}: no .shx beside it",
            expected="shp, shx and dbf of one name",
            cure="copy the .shx, or allow it to be rebuilt (--rebuild-index) 缺少 .shx 索引文件，可允许重建",
        )
    if "dbf" not in parts and not without_attributes:
        raise MissingDataError(
            f"{shp.name}: no .dbf beside it",
            expected="shp, shx and dbf of one name",
            cure="copy the .dbf, or allow shapes without attributes 缺少 .dbf 属性文件",
        )
    if "shx" in parts:
        _check_header(parts["shx"], "shx")
    index = _index(parts["shx"]) if "shx" in parts else rebuilt_index(shp)
    if len(index) > limits.features_max:
        raise UnsafeInputError(
            f"{shp.name}: {len(index)} records", expected=f"at most {limits.features_max:.0f}", cure="split the layer 请拆分图层"
        )
    _check_records(shp, index, code)
    if "dbf" in parts:
        header = read_dbf_header(parts["dbf"])
        if header.records != len(index):
            raise UnsafeInputError(
                f"{parts['dbf'].name}: {header.records} records, {len(index)} shapes in {shp.name}",
                expected="equal counts",
                cure=_AGAIN,
            )
        if len(header.fields) > limits.fields_max:
            raise UnsafeInputError(
                f"{parts['dbf'].name}: {len(header.fields)} fields",
                expected=f"at most {limits.fields_max:.0f}",
                cure="drop fields that are not needed 请删减字段",
            )
    wkt = check_projection_text(parts["prj"]) if "prj" in parts else None
    encoding, notes = _encoding_declared(parts)
    if "shx" not in parts:
        notes.append(
            Note("index_rebuilt", "warning", "the missing .shx was rebuilt from the .shp", found=f"{len(index)} records")
        )
    return ShapefileFacts(len(index), _TYPES[code], wkt, encoding, tuple(notes))


def rebuilt_index(shp: Path) -> np.ndarray:
    """Offset and length of each record by walking the .shp (重建索引); shape (n, 2), 16-bit words.

    Raises
    ------
    UnsafeInputError
        The walk leaves the file.
    """
    size, at, found = shp.stat().st_size, 100, []
    with shp.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            number, length = np.frombuffer(file.read(8), ">i4").tolist()
            if number != len(found) + 1 or length < 2 or at + 8 + 2 * length > size:
                raise UnsafeInputError(
                    f"{shp.name}: record {len(found) + 1} does not fit the file (number {number}, length {length})",
                    expected="records end to end",
                    cure=_AGAIN,
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
    index = rebuilt_index(shp) if not shp.with_suffix(".shx").exists() else _index(shp.with_suffix(".shx"))
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


def check_projection_text(path: Path) -> str | None:
    """Text of a .prj, unchanged, after it was seen to be WKT that names no file (投影文件检查).

    Raises
    ------
    UnsafeInputError
        Too long, not WKT, or it points to grids, files or addresses.
    """
    raw = path.read_bytes()[:65537]
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace") if len(raw) <= 65536 else ""
    cure = "replace or delete the .prj and name the reference system on import 请更换或删除 .prj 并在导入时指定坐标系"
    if not raw.strip():
        return None
    if not _WKT.match(text) or has_hidden_marks(re.sub(r"[\r\n\t]", "", text)):
        raise UnsafeInputError(
            f"{path.name}: {ascii(text[:40]) if text else 'more than 64 KB'} is no reference system in WKT",
            expected="PROJCS[…] or GEOGCS[…]",
            cure=cure,
        )
    if found := _REACHES_OUT.search(_NOT_A_PLACE.sub("", text)):
        raise UnsafeInputError(
            f"{path.name}: the reference system points to a file or address ({found.group(0)})",
            expected="numbers only",
            cure=cure,
        )
    return text


def _check_header(path: Path, role: str) -> int:
    head, size = path.read_bytes()[:100] if path.stat().st_size < 100 else _head(path), path.stat().st_size
    if len(head) < 100 or head[:4] != b"\x00\x00\x27\x0a":
        raise UnsafeInputError(
            f"{path.name}: no .{role} header in its {size} bytes",
            expected="a header of 100 bytes that starts with 9994",
            cure=_AGAIN,
        )
    length, code = 2 * int.from_bytes(head[24:28], "big", signed=True), int.from_bytes(head[32:36], "little")
    if length != size:
        raise UnsafeInputError(
            f"{path.name}: header says {length} bytes, the file has {size}",
            expected="equal (the file is truncated or padded)",
            cure=_AGAIN,
        )
    if code not in _TYPES:
        raise UnsafeInputError(
            f"{path.name}: shape type {code}",
            expected="points, lines or polygons",
            cure="convert multipatch or unknown shapes to polygons 请转换为面要素",
        )
    return code


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def _index(shx: Path) -> np.ndarray:
    raw = np.fromfile(shx, dtype=">i4", offset=100)
    if len(raw) % 2:
        raise UnsafeInputError(f"{shx.name}: {4 * len(raw)} bytes of index", expected="8 bytes a record", cure=_AGAIN)
    return raw.astype(np.int64).reshape(-1, 2)


def _check_records(shp: Path, index: np.ndarray, code: int) -> None:
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
            cure=_AGAIN,
        )


def _encoding_declared(parts: Mapping[str, Path]) -> tuple[str | None, list[Note]]:
    if "cpg" in parts:
        word = parts["cpg"].read_bytes()[:64].decode("ascii", "replace").strip()
        if re.fullmatch(r"[A-Za-z0-9_ .:-]{1,40}", word):
            return word, []
        return None, [
            Note(
                "cpg_unreadable",
                "warning",
                "the .cpg names no encoding and is ignored",
                found=ascii(word[:40]),
                expected="UTF-8 or GBK",
                cure="repair or delete the .cpg 请修正 .cpg",
            )
        ]
    return (read_dbf_header(parts["dbf"]).language, []) if "dbf" in parts else (None, [])
