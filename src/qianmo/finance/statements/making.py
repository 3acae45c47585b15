"""Short ways to write the rows of a sheet (造行)."""

from __future__ import annotations

from collections.abc import Sequence

from qianmo.finance.project.records import Rate
from qianmo.finance.sheet.expression import Before, Expression, Here, Number, total_of
from qianmo.finance.sheet.row import Row, Source

__all__ = ["FEN", "booked", "given", "given_years", "rate_row", "running", "scalar", "sum_row"]

FEN = "分"
"""The unit of every amount inside the sheet."""


def given(name: str, zh: str, unit: str, value: float, source: Source) -> Row:
    """An input with one value (输入)."""
    return Row(name, zh, unit, "输入", None, (float(value),), False, source, "")


def given_years(name: str, zh: str, unit: str, values: Sequence[float], source: Source) -> Row:
    """An input with a value a year (逐年输入)."""
    return Row(name, zh, unit, "输入", None, tuple(float(v) for v in values), True, source, "sum" if unit == FEN else "")


def rate_row(name: str, zh: str, rate: Rate) -> Row:
    """A rate as input: one value where it never changes (费率输入)."""
    if len(rate.values) == 1:
        return given(name, zh, "比例", rate.value, rate.source)
    return given_years(name, zh, "比例", rate.values, rate.source)


def booked(name: str, zh: str, section: str, formula: Expression, *, unit: str = FEN, total: str | None = None) -> Row:
    """A row of one formula for all years (计算行); amounts are summed, other units are not."""
    return Row(name, zh, unit, section, formula, total=("sum" if unit == FEN else "") if total is None else total)


def scalar(name: str, zh: str, section: str, formula: Expression, *, unit: str = FEN) -> Row:
    """A calculated row with one value (单值计算)."""
    return Row(name, zh, unit, section, formula, has_years=False, total="")


def running(name: str, zh: str, section: str, change: Expression) -> Row:
    """Last year's value plus the change of this year (累计)."""
    return Row(name, zh, FEN, section, Before(name) + change, total="last")


def sum_row(name: str, zh: str, section: str, parts: Sequence[str]) -> Row:
    """Sum of rows, a row of zeros when there is none (合计行)."""
    return booked(name, zh, section, total_of([Here(p) for p in parts]) if parts else Number(0.0))
