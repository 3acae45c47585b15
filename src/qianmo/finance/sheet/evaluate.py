"""Computing a sheet: every row for every year, in whole fen where the formula rounds (计算)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from qianmo.finance.sheet.expression import After, Before, Call, Earlier, Expression, Here, Number, Whole
from qianmo.finance.sheet.order import computing_order
from qianmo.finance.sheet.row import Sheet
from qianmo.schema.errors import SchemaError

__all__ = ["computed", "fen_of"]

_At = Callable[[int], float]
"""Value of a formula in a year counted from 0."""


def computed(
    sheet: Sheet, *, exact: bool = True, order: Sequence[tuple[str, list[str]]] | None = None, inputs: Mapping[str, Sequence[float]] | None = None
) -> dict[str, list[float]]:
    """Values of every row (全部数值).

    Parameters
    ----------
    sheet : Sheet
    exact : bool
        False leaves amounts unrounded.
    order : sequence, optional
        What `computing_order` gave for this sheet, to save the work when it is computed many times.
    inputs : mapping, optional
        Other values for some input rows.

    Returns
    -------
    dict of str to list of float
        A value a year, or one value for a row without years.

    Raises
    ------
    SchemaError
        A circular formula, or a value that is not a finite number.
    """
    values: dict[str, list[float]] = {}
    for name, row in sheet.rows.items():
        given = (inputs or {}).get(name, row.values)
        values[name] = [float(v) for v in given] if row.is_input else [0.0] * (sheet.years if row.has_years else 1)
    for direction, group in computing_order(sheet) if order is None else order:
        lines = [(values[n], _at(sheet.rows[n].formula, values, exact), n) for n in group if not sheet.rows[n].is_input]
        if lines:
            _fill(lines, direction, sheet)
    return values


def fen_of(amount: float) -> float:
    """One amount rounded to whole fen like `finance.fen.whole_fen` (单个金额取整到分)."""
    size = abs(amount)
    whole = math.floor(size)
    return math.copysign(whole + 1.0 if size - whole >= 0.5 else whole, amount) + 0.0


def _fill(lines: list[tuple[list[float], _At, str]], direction: str, sheet: Sheet) -> None:
    years = len(lines[0][0])
    if any(len(store) != years for store, _, _ in lines):
        raise SchemaError(f"rows {', '.join(n for _, _, n in lines)} mix yearly rows and single values in a circle", expected="no circle")
    for t in range(years - 1, -1, -1) if direction == "backward" else range(years):
        for store, at, name in lines:
            try:
                found = at(t)
            except (ZeroDivisionError, OverflowError) as fault:
                raise SchemaError(f"{sheet.rows[name].zh} ({name}) in year {t + 1}: {fault}", expected="a finite number") from fault
            if not math.isfinite(found):
                raise SchemaError(f"{sheet.rows[name].zh} ({name}) in year {t + 1} is {found}", expected="a finite number")
            store[t] = found


def _at(formula: Expression | None, values: Mapping[str, list[float]], exact: bool) -> _At:
    match formula:
        case Number(value):
            return lambda t: value
        case Here(row):
            store = values[row]
            return (lambda t: store[0]) if len(store) == 1 else (lambda t: store[t])
        case Before(row):
            store = values[row]
            return lambda t: store[t - 1] if t else 0.0
        case After(row):
            store = values[row]
            return lambda t: store[t + 1] if t + 1 < len(store) else 0.0
        case Earlier(row, years):
            store, ago = values[row], _at(years, values, exact)
            return lambda t: store[t - int(ago(t))] if t >= int(ago(t)) else 0.0
        case Whole(row):
            store = values[row]
            return lambda t: math.fsum(store)
        case Call(name, parts):
            return _call(name, [_at(p, values, exact) for p in parts], exact)
    raise SchemaError(f"no formula {formula!r}", expected="an Expression")


def _call(name: str, parts: list[_At], exact: bool) -> _At:
    a = parts[0]
    b = parts[1] if len(parts) > 1 else a
    c = parts[2] if len(parts) > 2 else a
    known: dict[str, _At] = {
        "+": lambda t: a(t) + b(t), "-": lambda t: a(t) - b(t), "*": lambda t: a(t) * b(t), "/": lambda t: a(t) / b(t),
        "^": lambda t: a(t) ** b(t), "max": lambda t: max([p(t) for p in parts]), "min": lambda t: min([p(t) for p in parts]),
        "round": (lambda t: fen_of(a(t))) if exact else a, "if": lambda t: b(t) if a(t) else c(t),
        "and": lambda t: float(bool(a(t)) and bool(b(t))), ">=": lambda t: float(a(t) >= b(t)), "<=": lambda t: float(a(t) <= b(t)),
        ">": lambda t: float(a(t) > b(t)), "<": lambda t: float(a(t) < b(t)), "=": lambda t: float(a(t) == b(t)),
    }  # fmt: skip
    if name not in known:
        raise SchemaError(f"no operation {name!r}", expected=" ".join(known))
    return known[name]
