"""Plans nearly as good as the best and as unlike it as may be, with a proof of how unlike (近优备选方案).

Among the plans whose score is at least ``score - share * |score|``, the one with the greatest mean
distance from the plans already found is sought. Without borders that is one more linear limit.
With borders two problems stand for it: a row that underestimates the score, tight at the plan it
is drawn at, gives plans; distance plus a price times the score, borders and all, gives the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.diff import patch_scores
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, objective, states
from qianmo.planning.solve import Solution, solve
from qianmo.schema.errors import SchemaError

__all__ = ["Alternative", "alternatives", "distance"]

PRICE_STEPS = 9
"""Prices tried on the score; the interval halves (in logarithm) each time."""

REDRAWN = 3
"""Times the row is drawn again at the plan it gave."""


@dataclass(frozen=True)
class Alternative:
    """One alternative (备选方案).

    `distance` is the mean over the plans it was to differ from, `nearest` the least of them, in units of
    `weight` (patches, or m2); no plan with a score of at least `least_score` has a mean distance above `distance_bound`,
    by the bound of the solver that found it.
    """

    choice: np.ndarray
    score: float
    least_score: float
    distance: float
    nearest: float
    distance_bound: float


def alternatives(
    problem: PlanProblem,
    best: Solution,
    *,
    count: int = 3,
    share: float = 0.01,
    weight: np.ndarray | None = None,
    search: Callable[[PlanProblem], Solution] | None = None,
) -> tuple[Alternative, ...]:
    """Up to `count` near-optimal alternatives, each unlike the best plan and those before it (近优备选方案).

    Parameters
    ----------
    problem : PlanProblem
    best : Solution
        Of this problem.
    count : int
    share : float
        Loss of score that is allowed, as a share of the best score. [0..1]
    weight : (n,) float, optional
        What a patch counts that is treated otherwise: its area for a distance by area; 1 by default.
    search : function, optional
        Solves one problem; `qianmo.planning.solve.solve` to a gap of 1e-4 by default.

    Returns
    -------
    tuple of Alternative
        Fewer than `count` where no other plan is near enough: then the best is proven alone up to
        the distance bound of the last.

    Raises
    ------
    SchemaError
        A share outside 0 to 1, or weights that are negative or do not fit.
    """
    if not 0 <= share <= 1:
        raise SchemaError(f"share {share}", expected="0 to 1")
    size = np.ones(problem.n) if weight is None else np.asarray(weight, float)
    if size.shape != (problem.n,) or not (np.isfinite(size).all() and (size >= 0).all()):
        raise SchemaError(f"weights of shape {size.shape}", expected=f"{problem.n} numbers of at least 0")
    ask = search or (lambda p: solve(p, gap=1e-4))
    least = best.objective - share * abs(best.objective)
    found: list[Alternative] = []
    for _ in range(count):
        away = [best.choice, *(a.choice for a in found)]
        new = _farthest(problem, away, size, least, ask)
        if new.nearest <= 0:
            break
        found.append(new)
    return tuple(found)


def distance(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> float:
    """Weight of the patches that two plans treat otherwise (方案距离)."""
    return float(weight[np.asarray(one) != np.asarray(other)].sum())


def _farthest(
    problem: PlanProblem, away: list[np.ndarray], size: np.ndarray, least: float, ask: Callable[[PlanProblem], Solution]
) -> Alternative:
    value, constant = _distance_values(problem, away, size)
    flat = replace(problem, value=value, pairs=())
    bonded = any(p.weight.any() for p in problem.pairs)
    if not bonded:
        one = ask(replace(flat, limits=(*problem.limits, _score_row(problem, None, least))))
        plans, bound = [one.choice], one.solver_bound + constant
    else:
        priced, bound = _by_prices(problem, value, constant, least, ask)
        plans = [*_by_rows(problem, flat, away, least, ask), *priced]
    fit = [c for c in [*plans, *away] if objective(problem, c) >= least - 1e-9 * max(1.0, abs(least))]
    far = [np.mean([distance(c, a, size) for a in away]) for c in fit]
    top = int(np.argmax(far))
    near = min(distance(fit[top], a, size) for a in away)
    return Alternative(fit[top], objective(problem, fit[top]), least, float(far[top]), near, max(float(bound), float(far[top])))


def _by_rows(
    problem: PlanProblem, flat: PlanProblem, away: list[np.ndarray], least: float, ask: Callable[[PlanProblem], Solution]
) -> list[np.ndarray]:
    """Plans under a row that underestimates the score, drawn again at each plan it gives."""
    plans, at = [], away[0]
    for _ in range(REDRAWN):
        new = ask(replace(flat, limits=(*problem.limits, _score_row(problem, at, least)))).choice
        plans.append(new)
        if np.array_equal(new, at):
            break
        at = new
    return plans


def _by_prices(
    problem: PlanProblem, value: np.ndarray, constant: float, least: float, ask: Callable[[PlanProblem], Solution]
) -> tuple[list[np.ndarray], float]:
    """Plans and the least bound of ``distance + price * (score - least)`` over some prices of the score."""
    plans: list[np.ndarray] = []
    bound = np.inf
    low, high = -3.0, 3.0
    unit = (np.abs(value).max(initial=0.0) or 1.0) / (np.abs(patch_scores(problem, _greedy(problem))).max(initial=0.0) or 1.0)
    for _ in range(PRICE_STEPS):
        price = unit * 10.0 ** ((low + high) / 2)
        pairs = tuple(Pairs(p.aim, p.zh, p.i, p.j, p.weight * price, p.state0, p.state) for p in problem.pairs)
        found = ask(replace(problem, value=value + price * problem.value, pairs=pairs))
        bound = min(bound, found.solver_bound + constant - price * least)
        plans.append(found.choice)
        if objective(problem, found.choice) >= least:
            high = (low + high) / 2
        else:
            low = (low + high) / 2
    return plans, bound


def _greedy(problem: PlanProblem) -> np.ndarray:
    """The option of greatest own value of each patch, for the size of the scores."""
    choice = np.full(problem.n, KEPT)
    order = np.argsort(problem.value, kind="stable")
    choice[problem.patch[order]] = order
    return choice


def _distance_values(problem: PlanProblem, away: list[np.ndarray], size: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean distance as a value of each option against keeping, and what keeping all is away."""
    value, constant = np.zeros(problem.m), 0.0
    for plan in away:
        keeping = size * (plan >= 0)
        option = size[problem.patch].copy()
        option[plan[plan >= 0]] = 0.0
        value += option - keeping[problem.patch]
        constant += float(keeping.sum())
    return value / len(away), constant / len(away)


def _score_row(problem: PlanProblem, at: np.ndarray | None, least: float) -> Limit:
    """``score >= least``; borders are replaced by ``state_i + state_j - 1`` or by 0, whichever is right at the plan `at`."""
    value, constant = problem.value.astype(float).copy(), 0.0
    for p in problem.pairs:
        if at is None:
            break
        now = p.state0.astype(bool)
        after = states(p, at)
        lean = (after[p.i] | after[p.j]) & (p.weight > 0)
        i, j, w = p.i[lean], p.j[lean], p.weight[lean]
        pull = np.bincount(i, w, problem.n) + np.bincount(j, w, problem.n)
        value += pull[problem.patch] * (p.state.astype(float) - now[problem.patch])
        constant += float((w * (now[i].astype(float) + now[j] - 1.0)).sum())
        constant -= float(p.weight @ (now[p.i] & now[p.j]))
    option = np.flatnonzero(value)
    return Limit("near_optimal", "near_optimal", "得分不低于近优下限", option, value[option], ">=", least, "1", constant)
