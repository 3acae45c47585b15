"""Exact numbers: fractions from written decimals, whole fen from yuan, parts that sum (精确数与尾差)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

from qianmo.schema.errors import SchemaError

__all__ = ["exact", "fen_of_yuan", "half_away", "largest_remainder", "shares_of", "whole_amounts"]


def exact(value: Any) -> Fraction:
    """The number as it is written, without binary rounding (精确值).

    Parameters
    ----------
    value : int, float, Decimal, Fraction or text
        A float counts as its shortest decimal: 0.1 is one tenth.

    Raises
    ------
    SchemaError
        Not a finite number.

    Examples
    --------
    >>> exact(0.1), exact("0.35"), exact(2)
    (Fraction(1, 10), Fraction(7, 20), Fraction(2, 1))
    """
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, Fraction | Decimal | str):
            return Fraction(value)
        if isinstance(value, Integral):
            return Fraction(int(value))
        if isinstance(value, Real):
            return Fraction(repr(float(value)))
        raise ValueError
    except (ValueError, OverflowError, ZeroDivisionError):
        raise SchemaError(f"{value!r} 不是数", expected="有限的数", cure="改为普通数字") from None


def half_away(value: Fraction) -> int:
    """Whole number nearest to a fraction, halves away from zero (四舍五入)."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def fen_of_yuan(yuan: Any) -> int:
    """Whole fen of an amount in yuan, halves away from zero (元→分).

    Examples
    --------
    >>> fen_of_yuan("0.125"), fen_of_yuan(-3)
    (13, -300)
    """
    return half_away(exact(yuan) * 100)


def whole_amounts(amounts: Sequence[Fraction]) -> tuple[int, ...]:
    """Exact amounts as whole fen with the same sum, by largest remainder (最大余数法).

    Each amount is rounded down and the missing fen go one by one to the largest cut-off parts;
    ties go to the larger amount, then to the earlier place. An amount moves by less than one fen.

    Parameters
    ----------
    amounts : sequence of Fraction, (n,)
        Fen, any sign. Their sum is rounded to whole fen first.

    Returns
    -------
    tuple of int, (n,)
        Sums to the rounded sum exactly; the mirror image for negative totals.

    Examples
    --------
    >>> whole_amounts((Fraction(100, 3),) * 3)
    (34, 33, 33)
    """
    total = half_away(sum(amounts, Fraction(0)))
    if total < 0:
        return tuple(-a for a in whole_amounts([-a for a in amounts]))
    floors = [math.floor(a) for a in amounts]
    order = sorted(range(len(amounts)), key=lambda i: (floors[i] - amounts[i], -amounts[i], i))
    for i in order[: total - sum(floors)]:
        floors[i] += 1
    return tuple(floors)


def largest_remainder(total_fen: int, weights: Sequence[Any]) -> tuple[int, ...]:
    """A sum in fen split by weights, to the fen (按比例分配).

    Parameters
    ----------
    total_fen : int
        Any sign; a loss is split as the mirror image of a gain.
    weights : sequence of numbers, (n,)
        At least 0, not all 0. A weight of 0 gets nothing.

    Raises
    ------
    SchemaError
        A weight is negative, or all are 0 while there is something to split.

    Examples
    --------
    >>> largest_remainder(100, [1, 1, 1]), largest_remainder(-100, [1, 1, 1])
    ((34, 33, 33), (-34, -33, -33))
    """
    parts = [exact(w) for w in weights]
    if any(w < 0 for w in parts):
        raise SchemaError(f"权重 {[str(w) for w in parts]}", expected="不小于 0 的权重", cure="检查份额")
    whole = sum(parts, Fraction(0))
    if whole == 0:
        if total_fen:
            raise SchemaError(f"有 {total_fen} 分待分, 没有大于 0 的份额", expected="至少一方份额大于 0", cure="检查份额")
        return (0,) * len(parts)
    return whole_amounts([total_fen * w / whole for w in parts])


def shares_of(values: Mapping[str, Any]) -> dict[str, Fraction]:
    """Each value over the sum of all (占比).

    Raises
    ------
    SchemaError
        A value is negative or the sum is 0.
    """
    found = {k: exact(v) for k, v in values.items()}
    total = sum(found.values(), Fraction(0))
    if total <= 0 or min(found.values()) < 0:
        raise SchemaError(f"数值 {({k: str(v) for k, v in found.items()})}", expected="不小于 0, 合计大于 0", cure="检查评估值")
    return {k: v / total for k, v in found.items()}
