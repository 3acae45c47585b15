"""Columns of a dBASE table: plain ASCII at once, anything odd value by value (DBF 列)."""

from __future__ import annotations

import codecs
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qianmo.schema.errors import EncodingError, UnsafeInputError
from qianmo.store.guard_magic import has_hidden_marks
from qianmo.store.raw import Note
from qianmo.store.read_encoding import decode_strictly

__all__ = ["DbfField", "column_of", "decode_cut", "packed"]

_EXACT = 2**53


@dataclass(frozen=True)
class DbfField:
    """One field: raw name, type letter, width in bytes, decimals, offset in the record (字段)."""

    raw_name: bytes
    kind: str
    width: int
    decimals: int
    offset: int


def column_of(rows: np.ndarray, f: DbfField, name: str, codec: str, shown: str, notes: list[Note]) -> pa.Array:
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


def packed(raw: np.ndarray) -> pa.Array:
    """Rows of bytes (n, width) as one Arrow column of fixed width (定长字节列)."""
    raw = np.ascontiguousarray(raw)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(raw.shape[1]), len(raw), [None, pa.py_buffer(raw)])


def _quick(raw: np.ndarray, f: DbfField) -> pa.Array | None:
    """Column of printable ASCII without a loop, or None where a value needs a closer look."""
    text = packed(raw).cast(pa.binary()).cast(pa.string())
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
    coded = packed(raw).dictionary_encode()
    reader: Callable[..., list[Any]] = {"C": _texts, "D": _dates, "L": _flags}.get(f.kind, _numbers)
    faults: dict[int, str] = {}
    distinct = coded.dictionary.to_pylist()
    try:
        values = reader(distinct, f, codec, f"{shown} field {name}", faults)
    except (EncodingError, UnsafeInputError) as error:
        raise _with_row(error, coded, distinct) from None
    blank = {"C": pa.string(), "D": pa.date32(), "L": pa.bool_()}.get(f.kind, pa.float64())
    array = pa.array(values, None if f.kind in "NF" and any(v is not None for v in values) else blank)
    for what in sorted(set(faults.values())):
        hit = [k for k, v in faults.items() if v == what]
        where = np.flatnonzero(np.isin(coded.indices.to_numpy(zero_copy_only=False), hit))
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
    return array.take(coded.indices)


def _with_row(
    error: EncodingError | UnsafeInputError, coded: pa.DictionaryArray, distinct: list[bytes]
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
    row = pc.index(coded.indices, distinct.index(shown)).as_py()
    return type(error)(f"record {row + 1}: {error.found}", expected=error.expected, cure=error.cure)


def decode_cut(raw: bytes, codec: str, where: str, *, full: bool) -> tuple[str, bool]:
    """Decode; a last character cut by the width of a full field is dropped and told."""
    if full and not raw.isascii():
        decoder = codecs.getincrementaldecoder(codec)("strict")
        try:
            decoder.decode(raw, final=False)
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
        text, cut = decode_cut(bare, codec, where, full=len(bare) == f.width)
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
