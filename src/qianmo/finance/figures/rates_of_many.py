"""Internal rates of return of many scenarios at once (批量内部收益率)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qianmo.finance.figures.flow_years import checked_flows
from qianmo.finance.figures.rate_kernels import UNDECIDED, rates_of_block
from qianmo.finance.figures.rate_of_return import return_report
from qianmo.schema.errors import FigureError

__all__ = ["rates_of_many"]

BLOCK = 4096
"""Scenarios turned around and solved at a time; the result does not depend on it."""


def rates_of_many(flows: ArrayLike) -> NDArray[np.float64]:
    """The internal rate of return of each scenario that has exactly one (批量财务内部收益率).

    Parameters
    ----------
    flows : array_like, (years, scenarios)
        Money in positive, out negative.

    Returns
    -------
    ndarray, (scenarios,)
        Rate above -1, within 1e-15 of the exact one (relative above 1); nan where `rate_of_return` would refuse: no rate,
        several, or one that only touches zero. Each scenario is answered by itself: order and company do not matter.

    Raises
    ------
    FigureError
        Not two axes, or a value that is not finite.

    Notes
    -----
    With one change of sign the logarithm of income over cost, both discounted, falls steadily with log(1 + r), and Newton's
    method on it stays within a bracket that is known beforehand. With more changes of sign the roots are counted by
    Descartes' rule on halved intervals with a bound of the rounding error; what rounding leaves open is settled in whole
    numbers by `return_report`.

    Examples
    --------
    >>> rates_of_many([[-1000, -1000, -1000], [2500, 1100, 0], [-1540, 0, 0]]).round(12).tolist()
    [nan, 0.1, nan]
    """
    array = checked_flows(flows)
    if array.ndim != 2:
        raise FigureError(f"flows have shape {array.shape}", expected="(years, scenarios)")
    rates = np.empty(array.shape[1])
    for start in range(0, array.shape[1], BLOCK):
        part = np.ascontiguousarray(array[:, start : start + BLOCK].T)
        rates[start : start + BLOCK] = _settled(part, rates_of_block(part))
    return rates


def _settled(part: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scenarios that floats could not decide, decided in whole numbers."""
    for k in np.flatnonzero(rates == UNDECIDED):
        exact = return_report(part[k]).rate
        rates[k] = np.nan if exact is None else exact
    return rates
