"""Prices of the limits by minimum cuts: the road to a bound where the linear relaxation is too slow (价格搜索).

The bound of a minimum cut is convex in the prices. Cutting planes of it are gathered, and the next
prices are the least of the planes inside a box around the best prices so far; the box grows when a
step pays and shrinks when it does not.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from qianmo.planning.cuts import Cut, best_cut
from qianmo.planning.problem import PlanProblem, limit_values, objective

__all__ = ["search_prices"]


def search_prices(problem: PlanProblem, *, steps: int = 80, tolerance: float = 1e-5) -> list[Cut]:
    """Minimum cuts at ever better prices of the limits (价格搜索).

    Parameters
    ----------
    problem : PlanProblem
        With states in chains. Where no plan obeys the limits, the bounds fall until the steps are used up.
    steps : int
        Most cuts to solve.
    tolerance : float
        Stop when the planes allow no more than this relative gain.

    Returns
    -------
    list of Cut
        The cuts found, least bound first. Every one proves its bound.
    """
    unit = _units(problem)
    sign = np.array([{"<=": 1.0, ">=": -1.0}.get(x.relation, 0.0) for x in problem.limits])
    bound = np.array([x.bound for x in problem.limits])
    at = centre = np.zeros(len(unit))
    cuts: list[Cut] = []
    heights, slopes = [], []
    least, radius = np.inf, 1.0
    for _ in range(steps):
        cut = best_cut(problem, at * unit)
        cuts.append(cut)
        heights.append(objective(problem, cut.choice))
        slopes.append((bound - limit_values(problem, cut.choice)) * unit)
        if cut.bound < least:
            pays, hits = cut.bound < least - 1e-12, np.any(np.abs(at - centre) >= radius * 0.999)
            least, centre = cut.bound, at
            radius *= 2.0 if pays and hits else 1.0
        else:
            radius *= 0.6
        found = _lowest(np.array(heights), np.array(slopes), sign, centre, radius)
        if found is None or (least - found[1] <= tolerance * max(abs(least), 1e-9) and radius >= 1e-3):
            break
        at = found[0]
    return sorted(cuts, key=lambda c: c.bound)


def _units(problem: PlanProblem) -> np.ndarray:
    """Price of each limit that moves its greatest coefficient by the typical value of an option."""
    some = np.abs(problem.value[problem.value != 0])
    typical = float(np.median(some)) if len(some) else 1.0
    size = np.array([np.abs(x.coefficient).max(initial=0.0) for x in problem.limits])
    return np.where(size > 0, typical / np.where(size > 0, size, 1.0), 0.0)


def _lowest(
    heights: np.ndarray, slopes: np.ndarray, sign: np.ndarray, centre: np.ndarray, radius: float
) -> tuple[np.ndarray, float] | None:
    """Least point of the planes in the box, and its height."""
    count = len(centre)
    low, high = centre - radius, centre + radius
    low, high = np.where(sign > 0, np.maximum(low, 0.0), low), np.where(sign < 0, np.minimum(high, 0.0), high)
    rows = np.column_stack([slopes, -np.ones(len(heights))])
    box = [*zip(low, high), (None, None)]
    found = linprog(np.r_[np.zeros(count), 1.0], A_ub=rows, b_ub=-heights, bounds=box, method="highs")
    return (found.x[:count], float(found.x[count])) if found.status == 0 else None
