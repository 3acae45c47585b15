"""A large problem from the last plan by settling broken rows alone, where that is near enough (快速重算)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.engine.dense import choice_of, dense, slots_of
from qianmo.planning.engine.export import row_prices
from qianmo.planning.engine.rounding import settle
from qianmo.planning.prices import dual_bound, legal_prices
from qianmo.planning.problem import PlanProblem, objective
from qianmo.planning.solve import Solution
from qianmo.planning.whole_area import overrun

__all__ = ["restart"]


def restart(problem: PlanProblem, start: Solution) -> Solution | None:
    """The last plan with the rows it breaks settled by the cheapest changes, and the bound of the last prices (快速重算).

    Parameters
    ----------
    problem : PlanProblem
        Large, with the patches, options and borders of the last one.
    start : Solution
        The last plan and prices in the numbers of `problem`.

    Returns
    -------
    Solution or None
        None where the rows could not be settled. The bound holds whatever the change was; how near it
        is must be looked at.
    """
    prices = legal_prices(problem, start.prices)
    d = dense(problem)
    found = settle(d, slots_of(d, start.choice), row_prices(d, prices.limit), margin=np.zeros(len(d.low)))
    if found is None:
        return None
    choice = choice_of(d, found)
    if overrun(problem, choice).any():
        return None
    score = objective(problem, choice)
    bound = max(dual_bound(problem, prices), score)
    return Solution(choice, score, bound, bound, prices, "last prices, broken limits settled", 0.0)
