"""A formula in words, with labels or with the numbers of one year (算式的文字)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qianmo.finance.sheet.expression import After, Before, Call, Earlier, Expression, Here, Number, Whole
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.schema.errors import SchemaError

__all__ = ["amount_words", "formula_numbers", "formula_words", "looked_up"]

_SIGNS = {"+": " + ", "-": " − ", "*": " × ", "/": " ÷ ", "^": " ^ ", ">=": " ≥ ", "<=": " ≤ ", ">": " > ", "<": " < ", "=": " = ", "and": " 且 "}
_CALLS = {"max": "取大", "min": "取小", "round": "四舍五入到分"}
_TIGHT = {"and": 0, ">=": 1, "<=": 1, ">": 1, "<": 1, "=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "^": 4}


def formula_words(sheet: Sheet, formula: Expression) -> str:
    """The formula with the labels of its rows (以名称表示的算式).

    Parameters
    ----------
    sheet : Sheet
    formula : Expression

    Returns
    -------
    str
        As ``「期初余额」 × 「年利率」``; last year's value is marked 上年.
    """

    def named(part: Expression) -> str:
        match part:
            case Here(row):
                return f"「{sheet.rows[row].zh}」"
            case Before(row):
                return f"上年「{sheet.rows[row].zh}」"
            case After(row):
                return f"下年「{sheet.rows[row].zh}」"
            case Earlier(row, years):
                return f"{_written(years, named)} 年前「{sheet.rows[row].zh}」"
            case Whole(row):
                return f"「{sheet.rows[row].zh}」各年合计"
        return ""

    return _written(formula, named)


def formula_numbers(sheet: Sheet, values: Mapping[str, Sequence[float]], formula: Expression, year: int) -> str:
    """The formula with the numbers of one year (以数值表示的算式).

    Parameters
    ----------
    sheet : Sheet
    values : mapping
        What `computed` gave.
    formula : Expression
    year : int
        From 1.

    Raises
    ------
    SchemaError
        Something in the formula is no reference: a fault of this package.
    """

    def number(part: Expression) -> str:
        row, found = looked_up(sheet, values, part, year)
        return amount_words(sheet.rows[row], found)

    return _written(formula, number)


def looked_up(sheet: Sheet, values: Mapping[str, Sequence[float]], part: Expression, year: int) -> tuple[str, float]:
    """Row and value of one reference in a year (引用的行与数值)."""
    match part:
        case Here(row):
            return row, values[row][year - 1 if sheet.rows[row].has_years else 0]
        case Before(row):
            return row, values[row][year - 2] if year > 1 else 0.0
        case After(row):
            return row, values[row][year] if year < sheet.years else 0.0
        case Earlier(row, years):
            ago = round(_number(sheet, values, years, year))
            return row, values[row][year - 1 - ago] if year - 1 >= ago else 0.0
        case Whole(row):
            return row, sum(values[row])
    raise SchemaError(f"{part!r} refers to no row", expected="a reference")


def amount_words(row: Row, value: float) -> str:
    """A value with its unit: money in yuan to the fen (数值与单位)."""
    if row.unit == "分":
        return f"{value / 100:,.2f} 元" if abs(value - round(value)) < 1e-6 else f"{value / 100:,.6f} 元"
    if row.unit == "年" and value == round(value):
        return f"{value:.0f}"
    return f"{value:.10g}" if row.unit in ("标志", "比例", "系数", "指数", "分/单位积") else f"{value:.10g} {row.unit}"


def _number(sheet: Sheet, values: Mapping[str, Sequence[float]], formula: Expression, year: int) -> float:
    """Value of a formula of single values, as the years of a lag."""
    match formula:
        case Number(value):
            return value
        case Call("+", (a, b)):
            return _number(sheet, values, a, year) + _number(sheet, values, b, year)
    return looked_up(sheet, values, formula, year)[1]


def _written(formula: Expression, named: Callable[[Expression], str], tight: int = 0) -> str:
    match formula:
        case Number(value):
            return f"{value:.10g}"
        case Call("if", (when, then, otherwise)):
            text = f"若 {_written(when, named)} 则 {_written(then, named, 2)} 否则 {_written(otherwise, named, 2)}"
            return f"({text})" if tight else text
        case Call(name, parts) if name in _CALLS:
            return f"{_CALLS[name]}({', '.join(_written(p, named) for p in parts)})"
        case Call(name, parts):
            own = _TIGHT[name]
            text = _SIGNS[name].join(_written(p, named, own + (n > 0 and name in "-/^")) for n, p in enumerate(parts))
            return f"({text})" if own < tight else text
    return named(formula)
