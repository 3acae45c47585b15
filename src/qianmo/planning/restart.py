"""A large problem from the last plan by settling broken rows alone, where that is near enough (快速重算)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.engine.dense import choice_of, dense, slots_of
from qianmo.planning.engine.export import row_prices
from qianmo.planning.engine.linking import QUICK, linked
from qianmo.planning.engine.rounding import violation
from qianmo.planning.overrun import settled
from qianmo.planning.prices import dual_bound, legal_prices
from qianmo.planning.problem import PlanProblem, objective
from qianmo.planning.solve import Solution

__all__ = ["restart"]


def restart(problem: PlanProblem, start: Solution, *, gap: float = 1e-3) -> Solution | None:
    """The last plan with the rows it breaks settled by the cheapest changes, and the bound of the last prices (快速重算).

    Parameters
    ----------
    problem : PlanProblem
        Large, with the patches, options and borders of the last one.
    start : Solution
        The last plan and prices in the numbers of `problem`.
    gap : float
        Wanted (bound - score) / bound: where what is broken weighs more than half of it, chains of changes come before settling.

    Returns
    -------
    Solution or None
        None where the rows could not be settled. The bound holds whatever the change was; how near it
        is must be looked at.
    """
    prices = legal_prices(problem, start.prices)
    bound = dual_bound(problem, prices)
    d = dense(problem)
    slot, price = slots_of(d, start.choice), row_prices(d, prices.limit)
    if float(violation(d, slot) @ np.abs(price)) > 0.5 * gap * abs(bound):
        slot = linked(d, slot, price, QUICK, enough=0.05 * gap * abs(bound))
    found = settled(problem, d, slot, price, turns=3)
    if found is None:
        return None
    choice = choice_of(d, found)
    score = objective(problem, choice)
    return Solution(choice, score, max(bound, score), max(bound, score), prices, "last prices, broken limits settled", 0.0)
