"""Shapefile sets: do .shp, .shx and .dbf agree with their headers, their sizes and each other? (Shapefile 检查)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.guard_records import AGAIN, check_records, index_of, rebuilt_index
from qianmo.store.raw import Note
from qianmo.store.read_dbf import read_dbf_header

__all__ = ["ShapefileFacts", "check_projection_text", "check_shapefile", "shapefile_parts"]

_TYPES = {
    0: "Null",
    1: "Point",
    3: "LineString",
    5: "Polygon",
    8: "MultiPoint",
    11: "Point Z",
    13: "LineString Z",
    15: "Polygon Z",
    18: "MultiPoint Z",
    21: "Point M",
    23: "LineString M",
    25: "Polygon M",
    28: "MultiPoint M",
}
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
    index = index_of(parts["shx"]) if "shx" in parts else rebuilt_index(shp)
    if len(index) > limits.features_max:
        raise UnsafeInputError(
            f"{shp.name}: {len(index)} records", expected=f"at most {limits.features_max:.0f}", cure="split the layer 请拆分图层"
        )
    check_records(shp, index, code)
    if "dbf" in parts:
        header = read_dbf_header(parts["dbf"])
        if header.records != len(index):
            raise UnsafeInputError(
                f"{parts['dbf'].name}: {header.records} records, {len(index)} shapes in {shp.name}",
                expected="equal counts",
                cure=AGAIN,
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
            cure=AGAIN,
        )
    length, code = 2 * int.from_bytes(head[24:28], "big", signed=True), int.from_bytes(head[32:36], "little")
    if length != size:
        raise UnsafeInputError(
            f"{path.name}: header says {length} bytes, the file has {size}",
            expected="equal (the file is truncated or padded)",
            cure=AGAIN,
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
