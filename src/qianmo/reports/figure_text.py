"""Figures in sentences: plain digits, thousands set off, never powers of ten (数字写法)."""

from __future__ import annotations

import math

__all__ = ["figure_text"]


def figure_text(value: float, *, digits: int = 4) -> str:
    """A number with `digits` significant digits; whole and in thousands where it has more before the point (有效数字).

    Parameters
    ----------
    value : float
        nan is 未知.
    digits : int
        Significant digits, at least 1; trailing zeros are left out.

    Examples
    --------
    >>> [figure_text(v) for v in (12345.6, 1234.56, 0.5, 0.0000312, 0, float("nan"))]
    ['12,346', '1,235', '0.5', '0.0000312', '0', '未知']
    """
    if math.isnan(value):
        return "未知"
    if math.isinf(value):
        return "无穷大" if value > 0 else "负无穷大"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
