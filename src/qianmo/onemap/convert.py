"""Values of one column to the type of its table, or an error that names the rows (类型转换)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import Column

__all__ = ["converted"]

_EXACT = 2**53
_BLANKS = " \t\r\n\u3000\u00a0\x00\ufeff"
_SCIENTIFIC = re.compile(r"^[+-]?\d+(\.\d+)?[eE]\+?\d+$")
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_COMPACT_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_TRUE, _FALSE = {"1", "true", "t", "yes", "y", "是", "1.0"}, {"0", "false", "f", "no", "n", "否", "0.0"}


def converted(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    """One source column as the type of its target (类型转换).

    Text is trimmed (ideographic blanks too), codes are folded from full width; a blank becomes null. Numbers as text
    become numbers; thousands marks are taken out only where they cannot be decimal commas.

    Raises
    ------
    SchemaError
        With the rows: an identifier read as a float above 2^53 or in scientific notation has lost digits; a value is no
        number, infinite, not whole, not a date, or neither true nor false.
    """
    kinds: dict[str, Callable[[pd.Series, Column, str, list[str]], pd.Series]] = {
        "text": _text, "real": _real, "integer": _integer, "boolean": _boolean, "date": _date,
    }  # fmt: skip
    return kinds[column.type](values, column, source, notes)


def _is_code(column: Column) -> bool:
    return bool(column.codes) or column.name.endswith(("_code", "_id", "_number"))


def _text(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values.astype(str).astype(object).where(values.notna(), None)
    if pd.api.types.is_numeric_dtype(values):
        return _number_text(values, column, source, notes)
    codes, uniques = pd.factorize(values)
    folded, spoiled = _folded(list(uniques), column)
    if spoiled:
        _refuse_lost_digits(values, pd.Series(np.isin(codes, spoiled), index=values.index), column, source)
    result = np.append(np.array(folded, dtype=object), [None])[codes]
    differs = np.array([f is not None and f != u for f, u in zip(folded, uniques, strict=True)] + [False])
    changed = int(differs[codes].sum())
    if changed:
        notes.append(f"{column.name}: {changed} values trimmed or folded from full width (去空格、全角转半角)")
    return pd.Series(result, index=values.index, dtype=object)


def _folded(uniques: list[object], column: Column) -> tuple[list[str | None], list[int]]:
    """Distinct values trimmed and folded, and the places of those that lost digits."""
    code = _is_code(column)
    if _is_clean(uniques, capitals=bool(column.codes)):
        folded: list[str | None] = [str(u) for u in uniques]
        lost: list[int] = []
    else:
        plain = [_digits_of_float(u) for u in uniques]
        folded = [_clean(v, code=code, capitals=bool(column.codes)) for v in plain]
        lost = [i for i, (v, u) in enumerate(zip(plain, uniques, strict=True)) if v == "" and not isinstance(u, str)]
    spoiled = [i for i, v in enumerate(folded) if code and v and "E" in v.upper() and _SCIENTIFIC.match(v)]
    return folded, sorted({*lost, *spoiled})


def _is_clean(uniques: list[object], *, capitals: bool) -> bool:
    """True when no value needs trimming or folding, told from all of them at once."""
    if not all(isinstance(u, str) and u for u in uniques):
        return False
    joined = "".join(str(u) for u in uniques)
    return joined.isascii() and not any(b in joined for b in _BLANKS) and not (capitals and joined != joined.upper())


def _digits_of_float(value: object) -> object:
    """A float inside an object column as digits; '' when it is too large to be exact."""
    if isinstance(value, float | np.floating) and value == value:
        number = float(value)
        return "" if abs(number) > _EXACT else str(int(number)) if number.is_integer() else repr(number)
    return value


def _number_text(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    if pd.api.types.is_integer_dtype(values):
        text = values.astype("Int64").astype(str)
    else:
        numbers = values.astype(float)
        too_large = numbers.abs() > _EXACT
        if too_large.any():
            _refuse_lost_digits(values, too_large, column, source)
        text = numbers.map(lambda v: "" if not np.isfinite(v) else str(int(v)) if v.is_integer() else repr(v))
    if _is_code(column):
        notes.append(f"{column.name}: field {source} came as numbers; leading zeros may be lost (编码以数值存储)")
    return text.astype(object).where(values.notna(), None)


def _clean(value: object, *, code: bool, capitals: bool = False) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    text = str(value).strip(_BLANKS)
    if code:
        text = text if _has_ideograph(text) else unicodedata.normalize("NFKC", text).strip()
        text = text.upper() if capitals else text
    return text or None


def _has_ideograph(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def _real(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers, blank = values.astype("Float64").astype(float), values.isna()
    else:
        text = values.map(lambda v: _clean(v, code=True))
        blank = text.isna()
        text = _without_thousands(text, column, source, notes)
        numbers = pd.to_numeric(text, errors="coerce").astype(float)
    bad = (~blank & numbers.isna()) | np.isinf(numbers)
    if bad.any():
        _refuse(values, bad, column, source, "a number", "correct the values (须为数值)")
    return numbers


def _without_thousands(text: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    commas = text.map(lambda v: isinstance(v, str) and "," in v).astype(bool)
    if not commas.any():
        return text
    marked = text[commas]
    sure = marked.map(lambda v: _THOUSANDS.match(v) is not None)
    both = marked.map(lambda v: "." in v or v.count(",") > 1)
    if not (sure.all() and both.any()):
        _refuse(text, commas, column, source, "numbers with a decimal point", "the comma may be decimal: re-export (逗号有歧义)")
    notes.append(f"{column.name}: thousands marks taken out of {int(commas.sum())} values (去千分位)")
    return text.where(~commas, text.map(lambda v: v.replace(",", "") if isinstance(v, str) else v))


def _integer(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    numbers = _real(values, column, source, notes)
    bad = numbers.notna() & (numbers != numbers.round())
    if bad.any():
        _refuse(values, bad, column, source, "a whole number", "correct the values (须为整数)")
    return numbers.astype("Int64")


def _boolean(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    words = values.map(lambda v: (_clean(v, code=True) or "").lower())
    bad = ~words.isin(_TRUE | _FALSE | {""})
    if bad.any():
        _refuse(values, bad, column, source, "1 or 0, 是 or 否", "correct the values")
    return words.map(lambda w: None if w == "" else w in _TRUE).astype("boolean")


def _date(values: pd.Series, column: Column, source: str, notes: list[str]) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = values.map(lambda v: _clean(v, code=True))
    dashed = text.map(lambda v: _COMPACT_DATE.sub(r"\1-\2-\3", v) if isinstance(v, str) else v)
    dates = pd.to_datetime(dashed, errors="coerce", format="ISO8601")
    bad = text.notna() & dates.isna()
    if bad.any():
        _refuse(values, bad, column, source, "a date such as 2024-12-31", "correct or blank the values (日期格式)")
    return dates


def _refuse_lost_digits(values: pd.Series, bad: pd.Series, column: Column, source: str) -> None:
    _refuse(
        values, bad, column, source, "identifiers as text, every digit kept",
        "digits were lost above 2^53 or in scientific notation: re-export the field as text (标识码须以文本导出)",
    )  # fmt: skip


def _refuse(values: pd.Series, bad: pd.Series, column: Column, source: str, expected: str, cure: str) -> None:
    rows = np.flatnonzero(bad.to_numpy(dtype=bool))
    shown = ", ".join(f"row {r}: {values.iloc[r]!r}" for r in rows[:5])
    raise SchemaError(
        f"field {source} for {column.name} ({column.zh}) has {len(rows)} values that cannot be converted: {shown}",
        expected=expected,
        cure=cure,
    )
