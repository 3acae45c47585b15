"""One figure with its formula in words and the rows behind it (指标)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qianmo.schema.errors import FigureError

__all__ = ["Figure", "Values", "existing"]

Values = Mapping[str, Sequence[float]]
"""What `computed` gave for the sheet of a project."""


@dataclass(frozen=True)
class Figure:
    """One figure (指标).

    Parameters
    ----------
    id, zh : str
    unit : str
        分, 比例, 年, 倍.
    value : float
        nan where it has no value; `note` says why.
    words : str
        The formula in words.
    rows : tuple of str
        Rows of the sheet it is made of.
    by_year : tuple of float
        The ratio of every year, where there is one.
    note : str
    """

    id: str
    zh: str
    unit: str
    value: float
    words: str
    rows: tuple[str, ...]
    by_year: tuple[float, ...] = ()
    note: str = ""


def existing(figure: Callable[[], float]) -> float:
    """A figure, nan where it does not exist (可能不存在的指标)."""
    try:
        return float(figure())
    except FigureError:
        return math.nan
