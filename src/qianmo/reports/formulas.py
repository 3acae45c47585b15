"""Formulas between the columns of a printed table, as numbers and as Excel text (表内公式).

Three shapes: a sum ``{a}+{b}-{c}``, a multiple ``{a}*15``, a quotient ``{a}/{b}``; ``{a:sum}`` is the total of a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["computed", "excel_formula", "formula_columns"]

_CELL = re.compile(r"\{(\w+)(:sum)?\}")
_SUM = re.compile(r"^[+-]?\{\w+(:sum)?\}([+-]\{\w+(:sum)?\})*$")
_MULTIPLE = re.compile(r"^(\{\w+\})\*(\d+(?:\.\d+)?)$")
_QUOTIENT = re.compile(r"^(\{\w+\})/(\{\w+(?::sum)?\})$")


def formula_columns(formula: str) -> tuple[str, ...]:
    """Names of the columns a formula reads."""
    return tuple(name for name, _ in _CELL.findall(formula))


def computed(formula: str, values: Mapping[str, np.ndarray], totals: Mapping[str, float]) -> np.ndarray:
    """Values of a formula for every row; a quotient by zero is NaN.

    Parameters
    ----------
    values : mapping of column to float array, (n,)
    totals : mapping of column to float
        For cells written ``{a:sum}``.

    Raises
    ------
    SchemaError
        The formula has none of the three shapes, or names a column that is not there.

    Examples
    --------
    >>> computed("{ha}*15", {"ha": np.array([2.0])}, {}).tolist()
    [30.0]
    """

    def cell(token: str) -> np.ndarray:
        found = _CELL.fullmatch(token)
        source: Mapping[str, np.ndarray | float] = totals if found and found[2] else values
        if not found or found[1] not in source:
            raise SchemaError(f"formula {formula!r} reads {token}", expected=f"columns {', '.join(values)}")
        return np.asarray(source[found[1]], dtype=float)

    if match := _MULTIPLE.match(formula):
        return cell(match[1]) * float(match[2])
    if match := _QUOTIENT.match(formula):
        top, bottom = np.broadcast_arrays(cell(match[1]), cell(match[2]))
        return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    if _SUM.match(formula):
        signs = re.findall(r"([+-]?)(\{[^}]*\})", formula)
        return np.sum([cell(token) * (-1.0 if sign == "-" else 1.0) for sign, token in signs], axis=0)
    raise SchemaError(f"formula {formula!r}", expected="{a}+{b}-{c}, {a}*number or {a}/{b}")


def excel_formula(formula: str, cell: Callable[[str, bool], str]) -> str:
    """The formula in Excel; `cell` gives the address of a column, of its total where the flag is true."""
    text = _CELL.sub(lambda m: cell(m[1], bool(m[2])), formula)
    if match := _QUOTIENT.match(formula):
        bottom = _CELL.sub(lambda m: cell(m[1], bool(m[2])), match[2])
        return f'=IF({bottom}=0,"",{text})'
    return f"={text}"
