"""Interest of the loan during construction, by the half-year rule (建设期利息)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qianmo.finance.figures.flow_years import checked_flows, checked_rate
from qianmo.schema.errors import FigureError

__all__ = ["construction_interest"]


def construction_interest(draws: ArrayLike, rate: ArrayLike) -> NDArray[np.float64]:
    r"""Interest of each year of construction, added to the loan (建设期利息).

    Parameters
    ----------
    draws : array_like, (years,) or (years, scenarios)
        Loan drawn evenly over each year, at or above 0. [any money unit]
    rate : float or (years,)
        Effective yearly rate, at or above 0.

    Returns
    -------
    ndarray, shape of the draws
        Interest of each year; its sum is the interest in construction, unrounded.

    Raises
    ------
    FigureError
        A draw or rate below zero.

    Notes
    -----
    A year's draw bears interest for half of that year, earlier debt with its interest for all of it:

    .. math:: q_j = (P_{j-1} + A_j / 2)\, i, \qquad P_j = P_{j-1} + A_j + q_j

    建设项目经济评价方法与参数 (third edition, 2006).

    Examples
    --------
    >>> construction_interest([300.0, 600.0, 400.0], 0.12).round(4).tolist()
    [18.0, 74.16, 143.0592]
    """
    drawn = checked_flows(draws, "draws")
    rates = np.broadcast_to(checked_rate(rate), (drawn.shape[0],))
    if (drawn < 0.0).any() or (rates < 0.0).any():
        raise FigureError(f"lowest draw {drawn.min()}, lowest rate {rates.min()}", expected="draws and rates at or above 0")
    interest, owed = np.empty_like(drawn), np.zeros(drawn.shape[1:])
    for j in range(drawn.shape[0]):
        interest[j] = (owed + drawn[j] / 2.0) * rates[j]
        owed = owed + drawn[j] + interest[j]
    return interest
