"""Every number explains itself, back to the lines of the file and the policy rows (数值溯源)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qianmo.finance.sheet.expression import After, Before, Call, Earlier, Expression, Here, Number, Whole, references
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.finance.sheet.words import amount_words, formula_numbers, formula_words, looked_up

__all__ = ["Step", "explained", "step_lines"]

_CLOCK = ("time.year", "time.calendar")
"""Rows that say what year it is and need no way back."""

Values = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Step:
    """One number on the way back (溯源的一步).

    Parameters
    ----------
    depth : int
        0 for the number asked about.
    row : Row
    year : int
        From 1; 0 for a row without years or a sum over all of them.
    value : float
    words, numbers : str
        The formula with labels and with numbers; empty for an input.
    repeated : bool
        Explained before on the way; not walked again.
    """

    depth: int
    row: Row
    year: int
    value: float
    words: str
    numbers: str
    repeated: bool = False


def explained(sheet: Sheet, values: Values, name: str, year: int, *, depth: int = 99) -> list[Step]:
    """The way back from one number to its inputs, each number once (由结果逐步回到输入).

    Parameters
    ----------
    sheet : Sheet
    values : mapping
        What `computed` gave.
    name : str
        Row asked about.
    year : int
        From 1.
    depth : int
        Steps to go back at most.

    Returns
    -------
    list of Step
        Depth first, the number asked about at the head. Calculated parts that are zero are left out, for they add nothing
        to walk to; inputs are all there. A sum over years is walked in its first year that is not zero.
    """
    return list(_walk(sheet, values, name, year if sheet.rows[name].has_years else 0, 0, depth, set()))


def step_lines(steps: Sequence[Step]) -> list[str]:
    """The steps as indented lines (溯源文字)."""
    lines = []
    for step in steps:
        indent, when = "  " * step.depth, f" [第 {step.year} 年]" if step.year else ""
        head = f"{indent}{step.row.zh}{when} = {amount_words(step.row, step.value)}"
        if step.repeated:
            lines.append(f"{head} (前已说明)")
            continue
        lines.append(f"{head}  ({step.row.id})")
        if step.row.is_input:
            words = step.row.source.words()
            lines.append(f"{indent}  输入: {words or '未注明来源'}")
        else:
            lines += [f"{indent}  = {step.words}", f"{indent}  = {step.numbers}"]
    return lines


def _walk(sheet: Sheet, values: Values, name: str, year: int, depth: int, most: int, seen: set[tuple[str, int]]) -> Iterator[Step]:
    row = sheet.rows[name]
    value = values[name][year - 1 if row.has_years else 0]
    if (name, year) in seen:
        yield Step(depth, row, year, value, "", "", True)
        return
    seen.add((name, year))
    formula = row.formula
    if formula is None:
        yield Step(depth, row, year, value, "", "")
        return
    at = year or 1
    yield Step(depth, row, year, value, formula_words(sheet, formula), formula_numbers(sheet, values, formula, at))
    if depth >= most:
        return
    for child, when in _parts(sheet, values, formula, at):
        yield from _walk(sheet, values, child, when, depth + 1, most, seen)


def _parts(sheet: Sheet, values: Values, formula: Expression, year: int) -> list[tuple[str, int]]:
    """Rows and years that a formula leads to, zeros that were calculated left out."""
    found: dict[tuple[str, int], None] = {}
    for part in references(formula):
        name, value = looked_up(sheet, values, part, year)
        row = sheet.rows[name]
        when = _year(sheet, values, part, name, year) if row.has_years else 0
        if (when == 0) == row.has_years:
            continue
        if name not in _CLOCK and (row.is_input or value != 0.0):
            found[(name, when)] = None
    return list(found)


def _year(sheet: Sheet, values: Values, part: Expression, name: str, year: int) -> int:
    """Year that a reference means; 0 where it lies outside the timeline."""
    match part:
        case Here(_):
            return year
        case Before(_):
            return year - 1
        case After(_):
            return year + 1 if year < sheet.years else 0
        case Earlier(_, years):
            ago = sum(round(looked_up(sheet, values, p, year)[1]) for p in references(years)) + _plain(years)
            return max(0, year - ago)
        case Whole(_):
            return next((t for t, v in enumerate(values[name], 1) if v != 0.0), 1)
    return 0


def _plain(formula: Expression) -> int:
    """The plain numbers of a lag."""
    match formula:
        case Number(value):
            return round(value)
        case Call(_, parts):
            return sum(_plain(p) for p in parts)
    return 0
