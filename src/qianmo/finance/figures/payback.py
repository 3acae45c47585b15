"""Payback period, static and discounted (投资回收期)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qianmo.finance.figures.flow_years import END_OF_YEAR_ONE, first_year
from qianmo.finance.figures.present_value import discounted_flows

__all__ = ["payback_years"]


def payback_years(flows: ArrayLike, *, rate: ArrayLike = 0.0, first: str = END_OF_YEAR_ONE) -> Any:
    r"""Years until the cumulative flow stays above zero (投资回收期 Pt, 动态 Pt').

    Parameters
    ----------
    flows : array_like, (years,) or (years, scenarios)
        Money in positive, out negative.
    rate : float or array_like
        0 gives the static period, the benchmark rate the dynamic one.
    first : str
        ``end_of_year_one``: the period counts from the beginning of year 1, in which the first flow falls;
        ``now``: it counts from the first flow.

    Returns
    -------
    float for one project, ndarray (scenarios,) for many
        Years, at least 0; nan when the money never comes back. 0 when nothing was ever out.

    Raises
    ------
    FigureError
        No flows, a value that is not finite, a rate not above -1.

    Notes
    -----
    With T - 1 the **last** year whose cumulative flow is negative (a project that falls back below zero pays back later),

    .. math:: P_t = (T - 1) + \frac{|\sum_{t<T} NCF_t|}{NCF_T}

    建设项目经济评价方法与参数 (third edition, 2006).

    Examples
    --------
    >>> payback_years([-160, 50, 50, 50, 50, 50], first="now")
    3.2
    """
    present = discounted_flows(flows, rate, first=first)
    cumulative = np.cumsum(present, axis=0)
    years, is_negative = present.shape[0], cumulative < 0.0
    last = years - 1 - np.argmax(is_negative[::-1], axis=0)
    turn = np.minimum(last + 1, years - 1)
    owed = -np.take_along_axis(cumulative, np.expand_dims(last, 0), 0)[0]
    gain = np.take_along_axis(present, np.expand_dims(turn, 0), 0)[0]
    never, nothing = is_negative[-1], ~is_negative.any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = last + first_year(first) + owed / gain
    answer = np.where(never, np.nan, np.where(nothing, 0.0, found))
    return float(answer) if answer.ndim == 0 else answer
