"""A contract that pays more than a safe loan whatever happens is a loan (固定回报等同于债的识别)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qianmo.finance.figures.flow_years import checked_flows
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rates_of_many import rates_of_many
from qianmo.schema.errors import FigureError

__all__ = ["FixedReturn", "fixed_return"]


@dataclass(frozen=True)
class FixedReturn:
    """What the payouts of a contract say (固定回报判别).

    `is_debt` True: the investor always earns more than the risk-free rate although the project itself fails in some scenario;
    False: in some scenario the investor earns less; None: the investor always earns more, but the project never fails in the scenarios
    given, so that they cannot tell a guarantee from a good project. `failing` counts the scenarios in which the project earns less than
    the risk-free rate; `lowest_rate` is nan where an investor's rate of return does not exist in some scenario.
    """

    is_debt: bool | None
    lowest_value: float
    project_lowest_value: float
    lowest_rate: float
    failing: int
    scenarios: int


def fixed_return(payouts: ArrayLike, project_flows: ArrayLike, risk_free_rate: float) -> FixedReturn:
    """Whether an equity contract is a loan in disguise (明股实债).

    Parameters
    ----------
    payouts : array_like, (years, scenarios)
        What the investor puts in (negative) and gets under the contract (positive), first flow now. [one money unit]
    project_flows : array_like, (years, scenarios)
        What the project itself earns before it is shared, in the same scenarios.
    risk_free_rate : float
        Yearly rate of a safe loan for the same years.

    Returns
    -------
    FixedReturn
        Judged by the present value at the risk-free rate, which exists where a rate of return may not.

    Raises
    ------
    FigureError
        Not two axes, tables of different scenarios, an investor who puts nothing in.

    Examples
    --------
    Ten per cent a year and the money back, paid whether the project does well or badly:

    >>> fixed_return([[-100, -100], [10, 10], [110, 110]], [[-100, -100], [40, 0], [120, 30]], 0.02).is_debt
    True
    """
    paid, earned = checked_flows(payouts, "payouts"), checked_flows(project_flows, "project_flows")
    if paid.ndim != 2 or earned.ndim != 2 or paid.shape[1] != earned.shape[1]:
        raise FigureError(f"payouts {paid.shape}, project_flows {earned.shape}", expected="(years, scenarios) with the same scenarios")
    if not (np.minimum(paid, 0.0).sum(axis=0) < 0.0).all():
        raise FigureError("an investor who puts nothing in", expected="a negative flow in every scenario")
    value = np.asarray(net_present_value(paid, risk_free_rate, first="now"))
    project = np.asarray(net_present_value(earned, risk_free_rate, first="now"))
    failing = int((project < 0.0).sum())
    always = bool((value > 0.0).all())
    rates = rates_of_many(paid)
    return FixedReturn(
        None if always and not failing else always, float(value.min()), float(project.min()),
        float("nan") if np.isnan(rates).any() else float(rates.min()), failing, int(value.size),
    )  # fmt: skip
