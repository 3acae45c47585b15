"""The list of uncertain inputs as a file gives it: shapes and types, before anything is made of it (不确定因素表)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qianmo.schema.errors import SchemaError

__all__ = ["Uncertain", "uncertain_from"]

_TEXTS = ("zh", "effect", "unit", "kind")


@dataclass(frozen=True)
class Uncertain:
    """Tables of inputs and of correlations, and whether the nearest matrix is agreed to (不确定因素表)."""

    inputs: tuple[dict[str, Any], ...]
    pairs: tuple[dict[str, Any], ...]
    nearest: bool


def uncertain_from(given: Mapping[str, Any]) -> Uncertain:
    """Tables with the right shapes (读取不确定因素表).

    Parameters
    ----------
    given : mapping
        ``input`` and ``correlation``, lists of tables; ``nearest``, true or false.

    Returns
    -------
    Uncertain
        Names are texts, lines are lists of texts, correlations have two names and a number. Numbers of distributions are
        looked at by `marginals.marginal_from`.

    Raises
    ------
    SchemaError
        A part has another shape; the input is named.
    """
    inputs, pairs = _tables(given, "input"), _tables(given, "correlation")
    nearest = given.get("nearest", False)
    if not isinstance(nearest, bool):
        raise SchemaError(f"nearest = {nearest!r}", expected="true 或 false")
    for n, row in enumerate(inputs, 1):
        _check_input(row, n)
    for row in pairs:
        _check_pair(row)
    return Uncertain(inputs, pairs, nearest)


def _tables(given: Mapping[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    rows = given.get(key, ())
    if not isinstance(rows, list | tuple) or not all(isinstance(r, Mapping) for r in rows):
        raise SchemaError(f"{key} = {rows!r}", expected=f"若干 [[{key}]] 表")
    return tuple(dict(r) for r in rows)


def _check_input(row: Mapping[str, Any], number: int) -> None:
    name = row.get("name")
    if not isinstance(name, str) or not name:
        raise SchemaError(f"第 {number} 个不确定因素没有 name: {dict(row)}", expected="name, 一个字符串")
    for key in _TEXTS:
        if not isinstance(row.get(key, ""), str):
            raise SchemaError(f"{name}: {key} = {row[key]!r}", expected="字符串")
    if not isinstance(row.get("share", False), bool):
        raise SchemaError(f"{name}: share = {row['share']!r}", expected="true 或 false")
    lines = row.get("lines", [])
    if not isinstance(lines, list | tuple) or not all(isinstance(w, str) and w for w in lines):
        raise SchemaError(f"{name}: lines = {lines!r}", expected='科目编号的列表, 如 ["quota"]')


def _check_pair(row: Mapping[str, Any]) -> None:
    names, value = row.get("inputs"), row.get("value")
    two = isinstance(names, list | tuple) and len(names) == 2 and all(isinstance(n, str) for n in names)
    if set(row) != {"inputs", "value"} or not two or isinstance(value, bool) or not isinstance(value, int | float):
        raise SchemaError(f"相关系数 {dict(row)}", expected="inputs = [两个因素], value = 一个数")
