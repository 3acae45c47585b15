"""A figure before and after the plan in one line, also where one side does not exist (前后对比文字)."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["change_text"]


def change_text(
    before: float, after: float, shown: Callable[[float], str], *, unit: str = "", absent: str = "缺数据", neither: str = "缺数据", both_sides: bool = False
) -> str:
    """``before → after unit`` where a side without a value says so and never stands blank (前后对比).

    Parameters
    ----------
    before, after : float
        NaN where there is no value.
    shown : callable
        How one known value is written.
    unit : str
        Written once, behind the last value.
    absent : str
        What stands in place of a missing side: 缺数据 where it should be known, 无 where there is no such thing.
    neither : str
        The whole text where neither side is known.
    both_sides : bool
        A missing value after the plan is named too; else it is left away with its arrow, as before any plan.

    Examples
    --------
    >>> change_text(float("nan"), 5.2, "{:.1f}".format, unit="等", absent="无")
    '无 → 5.2 等'
    >>> change_text(3.0, float("nan"), "{:.1f}".format, unit="等")
    '3.0 等'
    """
    sides = [None if v != v else shown(v) for v in (before, after)]
    if sides == [None, None]:
        return neither
    first, second = (s or absent for s in sides)
    if sides[1] is None and not both_sides:
        return f"{first} {unit}".rstrip()
    return f"{first} → {second} {unit}".rstrip()
