"""Amounts, shares and names from a settlement file, exact and with their place (读取金额与比例)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from qianmo.finance.distribution.exact import exact, half_away
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.units import fen_factor, quantity
from qianmo.schema.errors import SchemaError

__all__ = ["amount_fen", "area_mu", "checked_party", "party_names", "share", "shares", "tried"]


def amount_fen(entry: Entry, key: str, default: int | None = None) -> int:
    """An amount such as ``"600 万元"`` or ``["120 亩", "5 万元/亩"]`` in whole fen, at least 0.

    Raises
    ------
    FinanceInputError
        Missing, without a unit, negative, or not money.
    """
    if default is not None and not entry.has(key):
        return default
    parts = entry.amounts(key)
    try:
        factor, yearly = fen_factor(*parts)
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure=fault.cure)
    if yearly:
        entry.fail(key, "是每年金额", expected="一笔金额 (元、万元、亿元)", cure="去掉 /年")
    value = exact(factor)
    for part in parts:
        value *= exact(part.value)
    return half_away(value)


def area_mu(entry: Entry, key: str, default: Fraction | None = None) -> Fraction:
    """An area such as ``"3.2 亩"``, or a plain number of mu, at least 0. [mu]"""
    if default is not None and not entry.has(key):
        return default
    value = entry.data.get(key)
    if isinstance(value, int | float):
        return exact(entry.number(key, least=0.0))
    text = entry.text(key)
    try:
        found = quantity(text)
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure=fault.cure)
    if found.unit not in ("亩", "mu") or found.value < 0:
        entry.fail(key, f"{text!r} 不是亩数", expected='如 "3.2 亩"')
    return exact(found.value)


def share(
    entry: Entry, key: str, default: Fraction | float | None = None, *, least: Fraction | float = 0, most: Fraction | float = 1
) -> Fraction:
    """A plain number or a percentage as written, within its bounds; 1/3 may be written ``"1/3"``.

    Raises
    ------
    FinanceInputError
        Missing, no number, or out of bounds.
    """
    if default is not None and not entry.has(key):
        return exact(default)
    value = entry.data.get(key)
    if isinstance(value, str):
        entry.has(key)
        text = value.strip().replace("％", "%")
        try:
            found = exact(text[:-1].strip()) / 100 if text.endswith("%") else exact(text)
        except SchemaError:
            entry.fail(key, f"{value!r} 不是比例", expected='小数 0.3、百分数 "30 %" 或分数 "1/3"')
    else:
        found = exact(entry.number(key))
    if not least <= found <= most:
        bound = f"不小于 {float(least):g}" if most == math.inf else f"{float(least):g} 至 {float(most):g}"
        entry.fail(key, f"{float(found):g} 超出范围", expected=bound, cure="比例写小数或百分数: 70 % 写 0.7")
    return found


def shares(entry: Entry, keys: Sequence[str], *, whole: bool = True) -> dict[str, Fraction]:
    """Shares under known keys, those that are written; summing to 1 where `whole`."""
    found = {k: share(entry, k) for k in keys if entry.has(k)}
    if whole and found and sum(found.values(), Fraction(0)) != 1:
        entry.fail(next(iter(found)), f"比例之和为 {float(sum(found.values(), Fraction(0))):g}", expected="1", cure="检查各项比例")
    entry.done()
    return found


def party_names(entries: Sequence[Entry], root: Entry) -> dict[str, str]:
    """Chinese name of each party by id."""
    names: dict[str, str] = {}
    for e in entries:
        key = e.text("id")
        if key in names:
            e.fail("id", f"参与方 {key!r} 重复", expected="每个参与方一个编号")
        names[key] = e.text("zh", key)
    if not names:
        root.fail("party", "没有参与方", expected="至少一个 [[party]]")
    return names


def checked_party(entry: Entry, key: str, names: Mapping[str, str]) -> str:
    """The id of a known party."""
    return entry.text(key, choices=tuple(names))


def tried(entry: Entry, key: str, check: Callable[[], object]) -> None:
    """Run a check of the room; what it refuses is told with the place of a key.

    Raises
    ------
    FinanceInputError
        The check raised a SchemaError.
    """
    try:
        check()
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure=fault.cure)
