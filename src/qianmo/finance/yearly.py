"""Arrays whose first axis is the year, for one project or for many scenarios (逐年序列)."""

from __future__ import annotations

from typing import Any

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["from_start", "same_shape", "same_years"]


def same_years(least: float | None = None, **named: Any) -> tuple[np.ndarray, ...]:
    """Yearly arrays as float64 of one shape (逐年数组对齐).

    Parameters
    ----------
    least : float, optional
        Every value must be at least this.
    **named : float, array (years,) or (years, scenarios)
        A number stands for every year; a single series stands for every scenario.

    Returns
    -------
    tuple of arrays
        All (years,), or all (years, scenarios); copies are not made where the shape is right.

    Raises
    ------
    SchemaError
        Years or scenarios differ, a value is missing or infinite, or below `least`, or all are single numbers.
    """
    found = same_shape(least, **named)
    if found[0].ndim == 0:
        raise SchemaError(f"single numbers for {', '.join(named)}", expected="a series by year for one of them")
    return found


def same_shape(least: float | None = None, **named: Any) -> tuple[np.ndarray, ...]:
    """Like `same_years`, but all may be single numbers and then are () (数组对齐).

    Parameters
    ----------
    least, **named
        As in `same_years`.

    Returns
    -------
    tuple of arrays
        All of one shape.

    Raises
    ------
    SchemaError
        As in `same_years`.
    """
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in named.items()}
    for name, values in arrays.items():
        _check(name, values, least)
    deep = max(values.ndim for values in arrays.values())
    arrays = {name: a[:, None] if 0 < a.ndim < deep else a for name, a in arrays.items()}
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        found = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise SchemaError(f"yearly series differ in length: {found}", expected="one length, axis 0 = years") from None
    long = {a.shape[0] for a in arrays.values() if a.ndim}
    if len(long) > 1:
        found = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise SchemaError(f"yearly series differ in length: {found}", expected="one length, axis 0 = years")
    return tuple(np.broadcast_to(a, shape) for a in arrays.values())


def from_start(start_name: str, start: Any, *series: np.ndarray, least: float | None = None) -> tuple[np.ndarray, ...]:
    """A value before year 1, one for all or one a scenario, beside yearly arrays (期初值对齐).

    Parameters
    ----------
    start_name : str
        Its name in messages.
    start : float or array (scenarios,)
        The value.
    *series : arrays of one shape, (years,) or (years, scenarios)
        As `same_years` gives them; (years,) is widened where `start` has scenarios.
    least : float, optional
        The start must be at least this.

    Returns
    -------
    tuple of arrays
        The start, () or (scenarios,), then the series.

    Raises
    ------
    SchemaError
        Scenarios differ, or the start is missing, infinite or below `least`.
    """
    value = np.asarray(start, dtype=np.float64)
    if value.ndim > 1 or not np.isfinite(value).all() or (least is not None and (value < least).any()):
        raise SchemaError(f"{start_name} is {start}", expected="a number, or one a scenario" + ("" if least is None else f", at least {least:g}"))
    if value.ndim and series[0].ndim == 1:
        series = tuple(np.broadcast_to(s[:, None], (len(s), len(value))) for s in series)
    try:
        return np.broadcast_to(value, series[0].shape[1:]), *series
    except ValueError:
        raise SchemaError(f"{start_name} has {value.shape} scenarios, the series {series[0].shape[1:]}", expected="one number of scenarios") from None


def _check(name: str, values: np.ndarray, least: float | None) -> None:
    if values.ndim > 2:
        raise SchemaError(f"{name} has {values.ndim} axes", expected="(years,) or (years, scenarios)")
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise SchemaError(f"{name} is missing or infinite in year {_first(wrong)}", expected="a number in every year")
    if least is not None and (values < least).any():
        raise SchemaError(f"{name} is {values[values < least].min():g} in year {_first(values < least)}", expected=f"at least {least:g}")


def _first(wrong: np.ndarray) -> int:
    """Number of the first wrong year, from 1."""
    return 1 + int(np.argmax(wrong.reshape(wrong.shape[0], -1).any(axis=1))) if wrong.ndim else 1
