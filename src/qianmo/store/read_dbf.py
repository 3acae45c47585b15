"""Attribute tables of shapefiles (dBASE), decoded strictly by an encoding that was decided (DBF 属性表)."""

from __future__ import annotations

import codecs
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qianmo.schema.errors import EncodingError, UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.raw import Note

__all__ = [
    "DbfField",
    "DbfHeader",
    "check_not_utf8",
    "codec_of",
    "dbf_text_samples",
    "decode_strictly",
    "read_dbf_header",
    "read_dbf_table",
]

_CODECS = {
    "utf-8", "gb18030", "gbk", "gb2312", "big5", "big5hkscs", "cp950", "ascii", "cp1252", "cp1250", "iso8859-1", "iso8859-2", "cp1251", "shift_jis",
    "cp932", "euc_jp", "euc_kr", "cp949",
}  # fmt: skip
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
_EXACT = 2**53
_PLAINLY, _SHORT = 3, 256


@dataclass(frozen=True)
class DbfField:
    """One field: raw name, type letter, width in bytes, decimals, offset in the record (字段)."""

    raw_name: bytes
    kind: str
    width: int
    decimals: int
    offset: int


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
    missing = header_length + records * record_length - size
    if missing > 0 or size - (header_length + records * record_length) > record_length:
        raise UnsafeInputError(
            f"{path.name}: header counts {records} records of {record_length} bytes, the file holds {max(0, (size - header_length)) // record_length}",
            expected="a count that fits the file size", cure="the copy is truncated or the header is wrong: copy or export again 文件被截断或记录数错误，请重新拷贝",
        )  # fmt: skip
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
        for value in pc.unique(_packed(raw[raw[:, -1] <= 32])).to_pylist():
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
    columns = [_column(rows, f, n, codec, path.name, notes) for f, n in zip(header.fields, names)]
    types = {n: f"{f.kind}({f.width}{f',{f.decimals}' if f.kind in 'NF' else ''})" for f, n in zip(header.fields, names)}
    return pa.table(dict(zip(names, columns))), types, notes, flags == 0x2A


def codec_of(encoding: str | None) -> str:
    """Python codec name of an allowed encoding; 'ascii' for None (编码名).

    Raises
    ------
    EncodingError
        Unknown, or not an encoding of text.
    """
    if encoding is None:
        return "ascii"
    try:
        name = codecs.lookup(encoding.removesuffix("-sig") if encoding.lower() == "utf-8-sig" else encoding).name
    except LookupError:
        name = ""
    if name not in _CODECS:
        raise EncodingError(
            f"encoding {encoding!r}", expected=", ".join(sorted(_CODECS)), cure="choose one of them 请选择支持的编码"
        )
    return "gb18030" if name in ("gbk", "gb2312") else name


def decode_strictly(raw: bytes, codec: str, where: str) -> str:
    """Decode without loss, or say where it failed (严格解码).

    Raises
    ------
    EncodingError
        Undecodable, replacement characters, or control codes that only a wrong encoding gives.
    """
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        asked = "no encoding was decided and the text is not ASCII" if codec == "ascii" else f"not {codec}"
        raise EncodingError(
            f"{where}: bytes {_around(raw, error.start).hex(' ')} are {asked} (byte {error.start})", expected="text that decodes without loss",
            cure="choose the encoding (GBK or UTF-8) with --encoding, or repair the .cpg 请指定正确编码",
        ) from None  # fmt: skip
    if "\ufffd" in text or (not raw.isascii() and any("\x80" <= c <= "\x9f" for c in text)):
        raise EncodingError(
            f"{where}: bytes {raw[:24].hex(' ')} give replacement or control characters in {codec}", expected="readable text",
            cure="choose another encoding; if U+FFFD stands in the file itself, export it again from the original 文本已损坏或编码错误",
        )  # fmt: skip
    return text


def _around(raw: bytes, at: int) -> bytes:
    """The start of a short value, the place of the fault in a long text."""
    return raw[:24] if len(raw) <= _SHORT else raw[max(0, at - 8) : at + 16]


def check_not_utf8(samples: list[bytes], codec: str, where: str) -> None:
    """Refuse a Chinese or single-byte codec for text that is plainly UTF-8: it would decode to wrong characters (防止乱码).

    Raises
    ------
    EncodingError
        Three or more distinct samples, and all of them are valid UTF-8.
    """
    odd = {s for s in samples if not s.isascii()}
    if codec in ("utf-8", "ascii") or len(odd) < _PLAINLY or not all(_is_utf8(s) for s in odd):
        return
    raise EncodingError(
        f"{where}: all {len(odd)} texts that are not ASCII are valid UTF-8, as {min(odd)[:24].hex(' ')}, yet {codec} was asked", expected="the encoding of the bytes",
        cure="read it as UTF-8 请按 UTF-8 读取",
    )  # fmt: skip


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


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
        name, cut = _decode_cut(f.raw_name, codec, f"{shown} field name", full=len(f.raw_name) >= 10)
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


def _column(rows: np.ndarray, f: DbfField, name: str, codec: str, shown: str, notes: list[Note]) -> pa.Array:
    """One field: plain ASCII at once, anything odd value by value."""
    raw = np.ascontiguousarray(rows[:, f.offset : f.offset + f.width])
    quick = _quick(raw, f) if f.kind in "CNF" and len(raw) and raw.min() >= 32 and raw.max() < 127 else None
    array = _slow(raw, f, name, codec, shown, notes) if quick is None else quick
    if f.kind in "NF" and pa.types.is_string(array.type):
        notes.append(
            Note(
                "number_as_text",
                "info",
                f"field {name}: numbers too long for exact arithmetic are kept as text",
                found=f"{f.kind}({f.width},{f.decimals})",
            )
        )
    return array


def _packed(raw: np.ndarray) -> pa.Array:
    raw = np.ascontiguousarray(raw)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(raw.shape[1]), len(raw), [None, pa.py_buffer(raw)])


def _quick(raw: np.ndarray, f: DbfField) -> pa.Array | None:
    """Column of printable ASCII without a loop, or None where a value needs a closer look."""
    text = _packed(raw).cast(pa.binary()).cast(pa.string())
    text = pc.ascii_rtrim_whitespace(text) if f.kind == "C" else pc.ascii_trim_whitespace(text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if f.kind == "C":
        return text
    try:
        if f.kind == "N" and f.decimals == 0 and f.width <= 18:
            return text.cast(pa.int64()) if text.null_count < len(text) else text.cast(pa.float64())
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
        return None
    return text if pc.any(pc.greater_equal(pc.abs(numbers), pa.scalar(float(_EXACT))), min_count=0).as_py() else numbers


def _slow(raw: np.ndarray, f: DbfField, name: str, codec: str, shown: str, notes: list[Note]) -> pa.Array:
    packed = _packed(raw).dictionary_encode()
    reader: Callable[..., list[Any]] = {"C": _texts, "D": _dates, "L": _flags}.get(f.kind, _numbers)
    faults: dict[int, str] = {}
    distinct = packed.dictionary.to_pylist()
    try:
        values = reader(distinct, f, codec, f"{shown} field {name}", faults)
    except (EncodingError, UnsafeInputError) as error:
        raise _with_row(error, packed, distinct) from None
    blank = {"C": pa.string(), "D": pa.date32(), "L": pa.bool_()}.get(f.kind, pa.float64())
    array = pa.array(values, None if f.kind in "NF" and any(v is not None for v in values) else blank)
    for what in sorted(set(faults.values())):
        hit = [k for k, v in faults.items() if v == what]
        where = np.flatnonzero(np.isin(packed.indices.to_numpy(zero_copy_only=False), hit))
        kind = "value_" + what.split(":")[0].replace(" ", "_")
        told = f"field {name}: {len(where)} values {what}"
        notes.append(
            Note(
                kind,
                "warning",
                told,
                found=repr(distinct[hit[0]]),
                cure="check these values in the source 请核对原始数据",
                rows=tuple(where[:20].tolist()),
            )
        )
    return array.take(packed.indices)


def _with_row(
    error: EncodingError | UnsafeInputError, packed: pa.DictionaryArray, distinct: list[bytes]
) -> EncodingError | UnsafeInputError:
    shown = next(
        (
            d
            for d in distinct
            if d.strip(b" \x00") and (d.strip(b" \x00")[:24].hex(" ") in error.found or repr(d.strip()) in error.found)
        ),
        None,
    )
    if shown is None:
        return error
    row = pc.index(packed.indices, distinct.index(shown)).as_py()
    return type(error)(f"record {row + 1}: {error.found}", expected=error.expected, cure=error.cure)


def _decode_cut(raw: bytes, codec: str, where: str, *, full: bool) -> tuple[str, bool]:
    """Decode; a last character cut by the width of a full field is dropped and told."""
    if full and not raw.isascii():
        decoder = codecs.getincrementaldecoder(codec)("strict")
        try:
            text = decoder.decode(raw, final=False)
            rest = decoder.getstate()[0]
        except UnicodeDecodeError:
            rest = b""
        if rest and len(rest) < 4:
            return decode_strictly(raw[: len(raw) - len(rest)], codec, where), True
    return decode_strictly(raw, codec, where), False


def _texts(distinct: list[bytes], f: DbfField, codec: str, where: str, faults: dict[int, str]) -> list[str | None]:
    found: list[str | None] = []
    for k, raw in enumerate(distinct):
        bare = raw.split(b"\x00")[0].rstrip(b" ")
        text, cut = _decode_cut(bare, codec, where, full=len(bare) == f.width)
        if cut:
            faults[k] = "cut: the last character was cut by the field width"
        elif has_hidden_marks(text):
            faults[k] = "hidden: control, bidirectional or zero-width characters kept as they are"
        found.append(text if text else None)
    return found


def _dates(distinct: list[bytes], f: DbfField, codec: str, where: str, faults: dict[int, str]) -> list[datetime.date | None]:
    found: list[datetime.date | None] = []
    for k, raw in enumerate(distinct):
        text = raw.strip(b" \x00").decode("latin-1")
        try:
            found.append(datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])) if text else None)
        except ValueError:
            found.append(None)
            faults[k] = "not a date: read as empty"
    return found


def _flags(distinct: list[bytes], f: DbfField, codec: str, where: str, faults: dict[int, str]) -> list[bool | None]:
    known = {
        b"Y": True,
        b"y": True,
        b"T": True,
        b"t": True,
        b"1": True,
        b"N": False,
        b"n": False,
        b"F": False,
        b"f": False,
        b"0": False,
    }
    return [known.get(raw.strip(b" \x00")) for raw in distinct]


def _numbers(distinct: list[bytes], f: DbfField, codec: str, where: str, faults: dict[int, str]) -> list[Any]:
    texts = [raw.strip(b" \x00") for raw in distinct]
    values: list[Any] = []
    whole = f.kind == "N" and f.decimals == 0 and f.width <= 18
    for k, text in enumerate(texts):
        if not text or set(text) == {0x2A}:
            values.append(None)
            if text:
                faults[k] = "overflow: stars instead of a number, read as empty"
            continue
        try:
            values.append(int(text) if whole else float(text))
        except ValueError:
            whole, number = False, _float(text, where)
            values.append(number)
    finite = [v for v in values if v is not None]
    if any(v != v or v in (float("inf"), float("-inf")) for v in finite):
        raise UnsafeInputError(
            f"{where}: a number is not finite", expected="finite numbers", cure="correct the value in the source 请改正非法数值"
        )
    if any(isinstance(v, float) and abs(v) >= _EXACT for v in finite):
        return [t.decode("ascii", "strict") if t and v is not None else None for t, v in zip(texts, values)]
    return values if whole else [None if v is None else float(v) for v in values]


def _float(text: bytes, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        hint = "a decimal comma: write a point 小数点请用 ." if b"," in text else "correct the value in the source 请改正数值"
        raise UnsafeInputError(f"{where}: {text!r} is not a number", expected="digits with a decimal point", cure=hint) from None
