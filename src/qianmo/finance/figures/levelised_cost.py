"""Levelised cost of energy, or of anything that is made year by year (平准化度电成本 LCOE)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qianmo.finance.figures.flow_years import NOW
from qianmo.finance.figures.present_value import discounted_flows
from qianmo.schema.errors import FigureError

__all__ = ["levelised_cost"]


def levelised_cost(costs: ArrayLike, quantities: ArrayLike, rate: ArrayLike, *, first: str = NOW) -> Any:
    r"""Present value of all costs over the present value of all that is made (平准化成本, 度电成本 LCOE).

    Parameters
    ----------
    costs : array_like, (years,) or (years, scenarios)
        Costs as positive numbers, the capital cost in its year, a salvage value as a negative cost. [money]
    quantities : array_like, same shape
        What is made in each year, at or above 0. [kWh]
    rate : float
        Discount rate.
    first : str
        ``now``: the first flow is year 0 and not discounted; ``end_of_year_one``: it is discounted once. The result is
        the same, since both sums are discounted alike.

    Returns
    -------
    float or ndarray (scenarios,)
        Money for one unit of quantity.

    Raises
    ------
    FigureError
        Nothing is ever made, a quantity below zero, shapes that differ.

    Notes
    -----
    .. math:: \sum_t C_t (1+r)^{-t} \big/ \sum_t E_t (1+r)^{-t}

    Examples
    --------
    >>> round(levelised_cost([1000, 0], [0, 500], 0.10), 6)
    2.2
    """
    present_cost = discounted_flows(costs, rate, first=first)
    present_quantity = discounted_flows(quantities, rate, first=first)
    if present_cost.shape != present_quantity.shape:
        raise FigureError(f"costs {np.shape(costs)}, quantities {np.shape(quantities)}", expected="one shape")
    if (present_quantity < 0.0).any():
        raise FigureError(f"lowest quantity {np.min(quantities)}", expected="quantities at or above 0")
    total = present_quantity.sum(axis=0)
    if np.any(total == 0.0):
        raise FigureError("nothing is made in any year", expected="a quantity above 0 in at least one year")
    cost = present_cost.sum(axis=0) / total
    return float(cost) if np.ndim(cost) == 0 else cost
