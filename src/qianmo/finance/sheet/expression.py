"""Formulas as small trees that can be computed, put into words, and written into a workbook (算式)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Union

__all__ = [
    "After",
    "Before",
    "Call",
    "Earlier",
    "Expression",
    "Here",
    "Number",
    "Whole",
    "at_least",
    "at_most",
    "both",
    "choose",
    "equals",
    "larger",
    "power",
    "references",
    "rounded",
    "smaller",
    "total_of",
]

Term = Union["Expression", float, int]


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula; ``+ - * /`` make larger ones (算式)."""

    def __add__(self, other: Term) -> Expression:
        return Call("+", (self, _term(other)))

    def __radd__(self, other: Term) -> Expression:
        return Call("+", (_term(other), self))

    def __sub__(self, other: Term) -> Expression:
        return Call("-", (self, _term(other)))

    def __rsub__(self, other: Term) -> Expression:
        return Call("-", (_term(other), self))

    def __mul__(self, other: Term) -> Expression:
        return Call("*", (self, _term(other)))

    def __rmul__(self, other: Term) -> Expression:
        return Call("*", (_term(other), self))

    def __truediv__(self, other: Term) -> Expression:
        return Call("/", (self, _term(other)))

    def __rtruediv__(self, other: Term) -> Expression:
        return Call("/", (_term(other), self))


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A number that belongs to the formula itself, as the 12 months of a year; never a price or a rate (常数)."""

    value: float


@dataclass(frozen=True, slots=True)
class Here(Expression):
    """The row in the same year, or the one value of a row without years (本年值)."""

    row: str


@dataclass(frozen=True, slots=True)
class Before(Expression):
    """The row in the year before; 0 in year 1 (上年值)."""

    row: str


@dataclass(frozen=True, slots=True)
class After(Expression):
    """The row in the year after; 0 in the last year (下年值)."""

    row: str


@dataclass(frozen=True, slots=True)
class Earlier(Expression):
    """The row so many whole years ago; 0 before year 1 (若干年前的值)."""

    row: str
    years: Expression


@dataclass(frozen=True, slots=True)
class Whole(Expression):
    """Sum of the row over all years (各年合计)."""

    row: str


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """An operation on parts: ``+ - * / ^ max min round if and >= <= > < =`` (运算)."""

    name: str
    parts: tuple[Expression, ...]


def larger(*parts: Term) -> Expression:
    """The largest (取大)."""
    return Call("max", tuple(_term(p) for p in parts))


def smaller(*parts: Term) -> Expression:
    """The smallest (取小)."""
    return Call("min", tuple(_term(p) for p in parts))


def rounded(part: Term) -> Expression:
    """Rounded to whole fen, half away from zero (四舍五入到分)."""
    return Call("round", (_term(part),))


def choose(when: Expression, then: Term, otherwise: Term) -> Expression:
    """One of two by a condition that is 1 or 0 (条件取值)."""
    return Call("if", (when, _term(then), _term(otherwise)))


def at_least(first: Term, second: Term) -> Expression:
    """1 where the first is not below the second (不小于)."""
    return Call(">=", (_term(first), _term(second)))


def at_most(first: Term, second: Term) -> Expression:
    """1 where the first is not above the second (不大于)."""
    return Call("<=", (_term(first), _term(second)))


def equals(first: Term, second: Term) -> Expression:
    """1 where both are the same (相等)."""
    return Call("=", (_term(first), _term(second)))


def both(first: Term, second: Term) -> Expression:
    """1 where both conditions hold (同时成立)."""
    return Call("and", (_term(first), _term(second)))


def power(base: Term, exponent: Term) -> Expression:
    """A power (乘方)."""
    return Call("^", (_term(base), _term(exponent)))


def total_of(parts: Iterable[Term]) -> Expression:
    """Sum of parts, 0 when there is none (求和)."""
    terms = [_term(p) for p in parts]
    return reduce(lambda a, b: a + b, terms) if terms else Number(0.0)


def references(formula: Expression) -> Iterator[Expression]:
    """Every reference to a row inside a formula, in reading order (所引用的行)."""
    if isinstance(formula, Call):
        for part in formula.parts:
            yield from references(part)
    elif not isinstance(formula, Number):
        yield formula
        if isinstance(formula, Earlier):
            yield from references(formula.years)


def _term(value: Term) -> Expression:
    return value if isinstance(value, Expression) else Number(float(value))
