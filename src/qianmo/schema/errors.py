"""Errors of the house; a message says what was found, what was expected, which rows, and the cure (错误)."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ChoiceNeededError",
    "CodeError",
    "CrsError",
    "EncodingError",
    "FigureError",
    "FinanceInputError",
    "GoafInputError",
    "InfeasibleError",
    "MissingDataError",
    "NotAllowedError",
    "QianmoError",
    "RateOfReturnError",
    "ReviewRefusedError",
    "RuleError",
    "SchemaError",
    "TopologyError",
    "UnsafeInputError",
]


class QianmoError(Exception):
    """Root of every error raised on purpose.

    Parameters
    ----------
    found : str
        What was found, with rows or file names.
    expected : str
        What was expected instead.
    cure : str
        What the user can do about it.
    """

    def __init__(self, found: str, *, expected: str = "", cure: str = "") -> None:
        self.found, self.expected, self.cure = found, expected, cure
        parts = [found]
        if expected:
            parts.append(f"expected: {expected}")
        if cure:
            parts.append(f"cure: {cure}")
        super().__init__("; ".join(parts))


class SchemaError(QianmoError):
    """A table lacks a column, or a column has the wrong type."""


class FinanceInputError(SchemaError):
    """A file of project money is wrong in one place: the file, the line and the key are named.

    Parameters
    ----------
    file : str
        Name of the file.
    line : int
        Line from 1; 0 where the key is not written at all.
    key : str
        Path of the key, as ``line[lease].price``.
    """

    def __init__(self, found: str, *, file: str = "", line: int = 0, key: str = "", expected: str = "", cure: str = "") -> None:
        self.file, self.line, self.key = file, line, key
        place = " ".join(part for part in (file, f"第 {line} 行" if line else "", key) if part)
        super().__init__(f"{place}: {found}" if place else found, expected=expected, cure=cure)


class GoafInputError(FinanceInputError):
    """A file of goaf sites is wrong in one place: the file, the line and the key are named."""


class CodeError(QianmoError):
    """A code is not in its list, or two editions of a list were mixed."""


class CrsError(QianmoError):
    """A coordinate reference system is missing, wrong, ambiguous, or cannot be transformed safely."""


class EncodingError(QianmoError):
    """Text cannot be decoded without loss."""


class TopologyError(QianmoError):
    """A geometry or a coverage is not valid."""


class RuleError(QianmoError):
    """A rule table is wrong, or a rule id is unknown."""


class MissingDataError(QianmoError):
    """A file, layer, or value that is needed is not there."""


class NotAllowedError(QianmoError):
    """The user, the licence or the state forbids the step."""


class ReviewRefusedError(NotAllowedError):
    """A move of a joint review is refused: the reason in both languages and as a code.

    Parameters
    ----------
    code : str
        Code of ``codes/review_refusals.csv``.
    zh, en : str
        The reason in words.
    """

    def __init__(self, code: str, zh: str, en: str, *, expected: str = "", cure: str = "") -> None:
        self.code, self.zh, self.en = code, zh, en
        super().__init__(f"{en} ({zh})", expected=expected, cure=cure)


class UnsafeInputError(QianmoError):
    """A file was refused before or while it was parsed: type, size, structure, or content."""


class ChoiceNeededError(QianmoError):
    """No clear winner: the candidates are listed and the user must choose.

    Parameters
    ----------
    choices : sequence of str
        The candidates, best first, each with its reason.
    """

    def __init__(self, found: str, *, choices: Sequence[str], cure: str = "") -> None:
        self.choices = tuple(choices)
        super().__init__(found, expected="one clear choice; candidates: " + " | ".join(choices), cure=cure)


class FigureError(QianmoError):
    """A financial figure does not exist, or makes no sense, for the numbers given."""


class RateOfReturnError(QianmoError):
    """There is no single internal rate of return that may be shown.

    Parameters
    ----------
    rates : sequence of float
        All rates above -1 at which the present value is zero.
    modified : float or None
        Modified rate of return at the benchmark, where one was given.
    profile : sequence of (float, float)
        Net present value at some rates, first flow now.
    """

    def __init__(
        self, found: str, *, rates: Sequence[float], modified: float | None, profile: Sequence[tuple[float, float]], cure: str = ""
    ) -> None:
        self.rates, self.modified, self.profile = tuple(rates), modified, tuple(profile)
        super().__init__(found, expected="exactly one internal rate of return", cure=cure)


class InfeasibleError(QianmoError):
    """No plan obeys all limits.

    Parameters
    ----------
    conflict : sequence of str
        Rule ids (and the limits behind them) that cannot hold together.
    """

    def __init__(self, found: str, *, conflict: Sequence[str], cure: str = "") -> None:
        self.conflict = tuple(conflict)
        super().__init__(found, expected="limits that can hold together; in conflict: " + ", ".join(conflict), cure=cure)
