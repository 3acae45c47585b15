"""A row of the finance sheet as a spreadsheet formula (算式转为电子表格公式)."""

from __future__ import annotations

from dataclasses import dataclass

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from qianmo.finance.sheet.expression import After, Before, Call, Earlier, Expression, Here, Number, Whole
from qianmo.schema.errors import SchemaError

__all__ = ["FIRST_YEAR", "SINGLE", "Places", "excel_formula_of"]

SINGLE, FIRST_YEAR = 3, 7
"""Column of the single value and of year 1, the same on every sheet; the column before year 1 holds zeros (期初)."""

_CONDITIONS = (">=", "<=", ">", "<", "=", "and")
_CALLS = {"max": "MAX", "min": "MIN"}
_TIGHT = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}


@dataclass(frozen=True)
class Places:
    """Where every row stands (各行位置): sheet name and row from 0, whether it has years, and how many years there are."""

    at: dict[str, tuple[str, int, bool]]
    years: int

    def cell(self, name: str, year: int) -> str:
        """Address of a row in a year from 1, 0 being the opening column; the one cell of a row without years."""
        sheet, row, has_years = self.at[name]
        if not has_years:
            return f"'{sheet}'!{xl_rowcol_to_cell(row, SINGLE, row_abs=True, col_abs=True)}"
        return f"'{sheet}'!{xl_rowcol_to_cell(row, FIRST_YEAR + year - 1)}"

    def span(self, name: str) -> str:
        """All years of a row."""
        sheet, row, _ = self.at[name]
        first, last = (xl_col_to_name(c, col_abs=True) for c in (FIRST_YEAR, FIRST_YEAR + self.years - 1))
        return f"'{sheet}'!{first}{row + 1}:{last}{row + 1}"


def excel_formula_of(formula: Expression, places: Places, year: int) -> str:
    """The formula in a year, without the equals sign (某年的公式).

    Parameters
    ----------
    formula : Expression
    places : Places
    year : int
        From 1; any year for a row without years.

    Returns
    -------
    str
        The same text but for the columns in every year, so that a row can be filled to the right.

    Raises
    ------
    SchemaError
        An operation that spreadsheets lack: a fault of this package.
    """
    return _value(formula, places, year)


def _value(formula: Expression, places: Places, year: int, tight: int = 0) -> str:
    match formula:
        case Number(value):
            return f"{value:.15g}" if value >= 0 else f"({value:.15g})"
        case Here(row):
            return places.cell(row, year)
        case Before(row):
            return places.cell(row, year - 1)
        case After(row):
            return places.cell(row, year + 1)
        case Whole(row):
            return f"SUM({places.span(row)})"
        case Earlier(row, years):
            ago, now = _value(years, places, year), places.cell("time.year", year)
            return f"IF({now}>{ago},INDEX({places.span(row)},1,{now}-({ago})),0)"
        case Call("round", (part,)):
            return f"ROUND({_value(part, places, year)},0)"
        case Call("if", (when, then, otherwise)):
            return f"IF({_condition(when, places, year)},{_value(then, places, year)},{_value(otherwise, places, year)})"
        case Call(name, parts) if name in _CONDITIONS:
            return f"IF({_condition(formula, places, year)},1,0)"
        case Call(name, parts) if name in _CALLS:
            return f"{_CALLS[name]}({','.join(_value(p, places, year) for p in parts)})"
        case Call(name, (a, b)) if name in _TIGHT:
            own = _TIGHT[name]
            text = f"{_value(a, places, year, own)}{name}{_value(b, places, year, own + (name in '-/^'))}"
            return f"({text})" if own < tight else text
    raise SchemaError(f"no spreadsheet formula for {formula!r}", expected="a known operation")


def _condition(formula: Expression, places: Places, year: int) -> str:
    match formula:
        case Call("and", (a, b)):
            return f"AND({_condition(a, places, year)},{_condition(b, places, year)})"
        case Call(name, (a, b)) if name in _CONDITIONS:
            return f"{_value(a, places, year, 1)}{name}{_value(b, places, year, 1)}"
    return f"{_value(formula, places, year)}<>0"
