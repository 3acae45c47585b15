"""Flows of money as arrays with years down the first axis, and how the years are discounted (现金流量的时间约定)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qianmo.schema.errors import FigureError

__all__ = ["END_OF_YEAR_ONE", "NOW", "checked_flows", "checked_rate", "first_year"]

END_OF_YEAR_ONE, NOW = "end_of_year_one", "now"
"""When the first flow falls: at the end of year 1 (Chinese tables) or at the beginning (year 0)."""


def checked_flows(flows: ArrayLike, what: str = "flows") -> NDArray[np.float64]:
    """Flows as floats with years on axis 0.

    Parameters
    ----------
    flows : array_like, (years,) or (years, scenarios)
        Money in positive, money out negative.
    what : str
        Name used in the message.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    FigureError
        No year at all, more than two axes, or a value that is not finite; the message names the first such year.
    """
    array = np.asarray(flows, dtype=np.float64)
    if array.ndim not in (1, 2) or array.shape[0] == 0:
        raise FigureError(f"{what} have shape {array.shape}", expected="(years,) or (years, scenarios) with at least one year")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0]
        raise FigureError(f"{what}: value of row {int(place[0]) + 1} is {array[tuple(place)]}", expected="finite numbers")
    return array


def checked_rate(rate: Any, what: str = "rate") -> Any:
    """The rate or rates, refused at -1 and below.

    Raises
    ------
    FigureError
        A rate is not finite or not above -1.
    """
    found = np.asarray(rate, dtype=np.float64)
    if not np.isfinite(found).all() or (found <= -1.0).any():
        raise FigureError(f"{what} is {rate}", expected="a fraction above -1, such as 0.06")
    return found


def first_year(first: str) -> int:
    """Year of the first flow: 1 for ``end_of_year_one``, 0 for ``now``.

    Raises
    ------
    FigureError
        Another word.
    """
    if first not in (END_OF_YEAR_ONE, NOW):
        raise FigureError(f"first is {first!r}", expected=f"{END_OF_YEAR_ONE!r} or {NOW!r}")
    return int(first == END_OF_YEAR_ONE)
