"""Net present value and its profile over rates (财务净现值)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qianmo.finance.figures.flow_years import END_OF_YEAR_ONE, checked_flows, checked_rate, first_year
from qianmo.schema.errors import FigureError

__all__ = ["discount_factors", "discounted_flows", "net_annual_value", "net_present_value", "present_value_profile", "present_value_ratio"]


def discount_factors(rate: ArrayLike, years: int, *, first: str = END_OF_YEAR_ONE) -> NDArray[np.float64]:
    r"""Factors that bring each year's money to the beginning (折现系数).

    Parameters
    ----------
    rate : float or array_like
        One rate, (scenarios,) rates, or (years, 1) and (years, scenarios) rates that change from year to year; above -1.
    years : int
        Number of flows n.
    first : str
        ``end_of_year_one``: the first flow is discounted once; ``now``: the first flow is not discounted.

    Returns
    -------
    ndarray, (years,) for one rate, (years, scenarios) for several
        :math:`(1+r)^{-t}`, or the product of the yearly factors when the rate changes. With yearly rates and ``now`` the
        rate of the first row is not used.

    Raises
    ------
    FigureError
        A rate not above -1, rows of rates that do not fit the years.
    """
    found = checked_rate(rate)
    start = first_year(first)
    if found.ndim == 2:
        if found.shape[0] != years:
            raise FigureError(f"{found.shape[0]} yearly rates", expected=f"{years} rows, one a year")
        growth = 1.0 + found
        if not start:
            growth = np.concatenate([np.ones_like(growth[:1]), growth[1:]])
        return np.asarray(1.0 / np.cumprod(growth, axis=0))
    exponent = np.arange(start, start + years, dtype=np.float64)
    if found.ndim == 0:
        return np.asarray((1.0 + found) ** -exponent)
    return np.asarray((1.0 + found)[None, :] ** -exponent[:, None])


def discounted_flows(flows: ArrayLike, rate: ArrayLike, *, first: str = END_OF_YEAR_ONE) -> NDArray[np.float64]:
    """Each year's flow at its present value (折现现金流量); shape of the flows, or (years, scenarios) for several rates."""
    array = checked_flows(flows)
    factors = discount_factors(rate, array.shape[0], first=first)
    if array.ndim == 1 and factors.ndim == 2:
        array = array[:, None]
    elif array.ndim == 2 and factors.ndim == 1:
        factors = factors[:, None]
    return np.asarray(array * factors)


def net_present_value(flows: ArrayLike, rate: ArrayLike, *, first: str = END_OF_YEAR_ONE) -> Any:
    r"""Net present value of yearly flows (财务净现值 FNPV).

    Parameters
    ----------
    flows : array_like, (years,) or (years, scenarios)
        Money in positive, out negative, at the end of each year. [any money unit]
    rate : float or array_like
        Discount rate as a fraction, above -1; see `discount_factors` for rates by scenario or by year.
    first : str
        ``end_of_year_one`` (Chinese tables: the first flow is discounted once) or ``now`` (the first flow falls at year 0).

    Returns
    -------
    float for one project, ndarray (scenarios,) for many
        In the unit of the flows. Falls as the rate rises when costs come before income.

    Raises
    ------
    FigureError
        No flows, a value that is not finite, a rate not above -1.

    Notes
    -----
    .. math:: \mathrm{FNPV} = \sum_t (CI - CO)_t (1 + i_c)^{-t}

    建设项目经济评价方法与参数 (third edition, 2006), FNPV.

    Examples
    --------
    >>> round(net_present_value([-160, 50, 50, 50, 50, 50], 0.10, first="now"), 4)
    29.5393
    """
    total = discounted_flows(flows, rate, first=first).sum(axis=0)
    return float(total) if np.ndim(total) == 0 else total


def present_value_profile(flows: ArrayLike, rates: ArrayLike, *, first: str = END_OF_YEAR_ONE) -> tuple[tuple[float, float], ...]:
    """Net present value of one project at several rates (净现值函数), as pairs of rate and value; points beyond floats are left out."""
    array = checked_flows(flows)
    if array.ndim != 1:
        raise FigureError(f"flows have shape {array.shape}", expected="one project, (years,)")
    points = np.atleast_1d(np.asarray(rates, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        values = [float(net_present_value(array, float(r), first=first)) for r in points]
    return tuple((float(r), v) for r, v in zip(points, values) if np.isfinite(v))


def present_value_ratio(flows: ArrayLike, rate: float, *, first: str = END_OF_YEAR_ONE) -> Any:
    """Net present value for one unit of the present value of all money put in (净现值率 NPVR).

    Money put in is the sum of the years with a negative flow.

    Raises
    ------
    FigureError
        No year has a negative flow.

    Examples
    --------
    >>> round(present_value_ratio([-160, 50, 50, 50, 50, 50], 0.10, first="now"), 6)
    0.184621
    """
    present = discounted_flows(flows, rate, first=first)
    put_in = -np.minimum(present, 0.0).sum(axis=0)
    if np.any(put_in == 0.0):
        raise FigureError("no year has a negative flow", expected="money put in before it comes back")
    ratio = present.sum(axis=0) / put_in
    return float(ratio) if np.ndim(ratio) == 0 else ratio


def net_annual_value(flows: ArrayLike, rate: float, *, first: str = END_OF_YEAR_ONE) -> Any:
    """Net present value spread evenly over the years (净年值 NAV).

    With ``now`` the first flow is year 0 and the even payments fall in years 1 to n - 1.

    Raises
    ------
    FigureError
        A single flow falling now, which has no years to be spread over.
    """
    array = checked_flows(flows)
    years = array.shape[0] - 1 + first_year(first)
    if years == 0:
        raise FigureError("one flow, now", expected="at least one year to spread the value over")
    annuity = discount_factors(rate, years).sum(axis=0)
    value = net_present_value(array, rate, first=first) / annuity
    return float(value) if np.ndim(value) == 0 else value
