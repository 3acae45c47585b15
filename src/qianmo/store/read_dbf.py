"""Attribute tables of shapefiles (dBASE), decoded strictly by an encoding that was decided (DBF 属性表)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.raw import Note
from qianmo.store.read_dbf_columns import DbfField, column_of, decode_cut, packed
from qianmo.store.read_encoding import check_not_utf8, codec_of

__all__ = ["DbfHeader", "dbf_text_samples", "read_dbf_header", "read_dbf_table"]

_LANGUAGE = {
    0x4D: "gbk",
    0x4F: "big5",
    0x4E: "cp949",
    0x13: "cp932",
    0x7A: "gbk",
    0x57: "cp1252",
    0x03: "cp1252",
    0xC8: "cp1250",
    0xC9: "cp1251",
}


@dataclass(frozen=True)
class DbfHeader:
    """Header of a dBASE table (DBF 头). `language` is the encoding that its language byte names, or None."""

    records: int
    header_length: int
    record_length: int
    language: str | None
    fields: tuple[DbfField, ...]


def read_dbf_header(path: Path) -> DbfHeader:
    """Header of a .dbf, checked against its own lengths and the file size (读取 DBF 头).

    Raises
    ------
    UnsafeInputError
        Lengths, widths, types or counts contradict each other or the size of the file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(32)
        if len(head) < 32 or head[0] not in (0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0xF5):
            raise UnsafeInputError(
                f"{path.name}: {size} bytes without a dBASE header",
                expected="a .dbf table",
                cure="copy the whole shapefile set again 请重新拷贝全部文件",
            )
        records, header_length, record_length = (
            int.from_bytes(head[4:8], "little"),
            int.from_bytes(head[8:10], "little"),
            int.from_bytes(head[10:12], "little"),
        )
        body = file.read(max(0, header_length - 32))
    fields = _fields(body, path.name)
    wide = 1 + sum(f.width for f in fields)
    if wide != record_length:
        raise UnsafeInputError(
            f"{path.name}: the fields fill {wide} bytes of a record",
            expected=f"{record_length} as the header says",
            cure="export the layer again 请重新导出图层",
        )
    surplus = size - (header_length + records * record_length)
    if surplus < 0 or surplus > record_length:
        held = max(0, size - header_length) // record_length
        raise UnsafeInputError(
            f"{path.name}: header counts {records} records of {record_length} bytes, the file holds {held}",
            expected="a count that fits the file size",
            cure="the copy is truncated or the header is wrong: copy or export again 文件被截断或记录数错误，请重新拷贝",
        )
    return DbfHeader(records, header_length, record_length, _LANGUAGE.get(head[29]), fields)


def dbf_text_samples(path: Path, *, most: int = 4000) -> list[bytes]:
    """Distinct raw texts of a .dbf that are not plain ASCII: field names first, then values (取编码样本).

    Parameters
    ----------
    most : int
        Stop after this many distinct values.

    Returns
    -------
    list of bytes
        Empty when the whole table is ASCII. Values that fill their field are left out: their last character may be cut.
    """
    header = read_dbf_header(path)
    found = dict.fromkeys(f.raw_name for f in header.fields if not f.raw_name.isascii())
    rows = _records(path, header)
    odd = np.bitwise_or.reduce(rows, axis=0) if len(rows) else np.zeros(header.record_length, dtype=np.uint8)
    for f in (f for f in header.fields if f.kind == "C" and (odd > 127)[f.offset : f.offset + f.width].any()):
        raw = np.ascontiguousarray(rows[:, f.offset : f.offset + f.width])
        for value in pc.unique(packed(raw[raw[:, -1] <= 32])).to_pylist():
            if len(found) < most and not value.isascii():
                found.setdefault(value.strip(b" \x00"))
    return list(found)


def read_dbf_table(path: Path, *, encoding: str | None) -> tuple[pa.Table, dict[str, str], list[Note], np.ndarray]:
    """Whole table with exact ids and strictly decoded text (读取属性表).

    Parameters
    ----------
    encoding : str or None
        The decided encoding; None only where every byte is ASCII.

    Returns
    -------
    table : pyarrow.Table
        All records, deleted ones included. Whole numbers up to 18 digits int64, wider or inexact numbers as text.
    types : dict
        Field name to declared type, as ``C(30)`` or ``N(18,0)``.
    notes : list of Note
    deleted : ndarray of bool
        True where the record is marked deleted.

    Raises
    ------
    EncodingError
        A name or value cannot be decoded without loss, or was damaged before it came.
    UnsafeInputError
        Two fields share a name, a number or a flag cannot be read.
    """
    header = read_dbf_header(path)
    codec = codec_of(encoding)
    rows = _records(path, header)
    flags = rows[:, 0]
    if bad := np.flatnonzero((flags != 0x20) & (flags != 0x2A)).tolist():
        raise UnsafeInputError(
            f"{path.name}: {len(bad)} records with a broken flag, first record {bad[0] + 1}",
            expected="records in step",
            cure="export the layer again 请重新导出图层",
        )
    notes: list[Note] = []
    check_not_utf8(dbf_text_samples(path, most=200), codec, path.name)
    names = _names(header, codec, path.name, notes)
    columns = [column_of(rows, f, n, codec, path.name, notes) for f, n in zip(header.fields, names)]
    types = {n: f"{f.kind}({f.width}{f',{f.decimals}' if f.kind in 'NF' else ''})" for f, n in zip(header.fields, names)}
    return pa.table(dict(zip(names, columns))), types, notes, flags == 0x2A


def _fields(body: bytes, name: str) -> tuple[DbfField, ...]:
    fields, offset, at = [], 1, 0
    while at + 32 <= len(body) and body[at] != 0x0D:
        raw, kind, width, decimals = body[at : at + 11].split(b"\x00")[0], chr(body[at + 11]), body[at + 16], body[at + 17]
        if kind not in "CNFLDMI+@BOGPTYVXW" or kind not in "CNFLD":
            raise UnsafeInputError(
                f"{name}: field {raw!r} has type {kind!r}",
                expected="C, N, F, L or D",
                cure="convert the field to text or number and export again 请转换字段类型后重新导出",
            )
        if width == 0:
            raise UnsafeInputError(
                f"{name}: field {raw!r} has width 0", expected="1 to 255 bytes", cure="export the layer again 请重新导出图层"
            )
        fields.append(DbfField(raw, kind, width, decimals, offset))
        offset, at = offset + width, at + 32
    if not fields:
        raise UnsafeInputError(
            f"{name}: no field in the header", expected="at least one field", cure="copy the .dbf again 请重新拷贝 .dbf 文件"
        )
    if body[at : at + 1] != b"\x0d":
        raise UnsafeInputError(
            f"{name}: the field list does not end",
            expected="a header that ends with 0D",
            cure="copy the .dbf again 请重新拷贝 .dbf 文件",
        )
    return tuple(fields)


def _records(path: Path, header: DbfHeader) -> np.ndarray:
    shape = (header.records, header.record_length)
    if header.records == 0:
        return np.zeros(shape, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r", offset=header.header_length, shape=shape)


def _names(header: DbfHeader, codec: str, shown: str, notes: list[Note]) -> list[str]:
    names = []
    for f in header.fields:
        name, cut = decode_cut(f.raw_name, codec, f"{shown} field name", full=len(f.raw_name) >= 10)
        name = name.strip()
        if has_hidden_marks(name):
            raise UnsafeInputError(
                f"{shown}: field name {name!a} holds hidden marks",
                expected="visible characters",
                cure="rename the field 请重命名字段",
            )
        if len(f.raw_name) >= 10:
            cure = "map the field by hand if it is not recognised 如未识别请手工对应字段"
            notes.append(
                Note(
                    "name_cut",
                    "info",
                    f"field name {name} fills all 10 bytes{' and its last character was cut' if cut else ''}",
                    found=name,
                    cure=cure,
                )
            )
        names.append(name)
    folded = [n.casefold() for n in names]
    if twice := sorted({n for n in names if folded.count(n.casefold()) > 1}):
        raise UnsafeInputError(
            f"{shown}: duplicate field names {', '.join(twice)}",
            expected="each name once",
            cure="rename one of them and export again 字段重名，请改名后重新导出",
        )
    return names
