"""A plan with a proven gap: relaxation, rounding, then an exact search over what is left (求解).

Small problems:

1. Linear relaxation by HiGHS, or minimum cuts with prices where there are many borders: a bound,
   prices of limits and borders.
2. Round, repair, climb: a plan.
3. If its gap is too wide: options that no better plan can hold (their loss at the prices is
   larger than the gap) are struck out, and HiGHS searches the rest exactly.
4. If the prices still prove less than the search claims: cases with prices of their own
   (`qianmo.planning.branching`), so that the bound can be recomputed without a solver.

Large problems (`LARGE` entries of patches, borders and layers): `qianmo.planning.whole_area`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from qianmo.planning.branching import Branches, branch, branch_bound
from qianmo.planning.conflict import explain_conflict, is_feasible
from qianmo.planning.cuts import best_cut, chains_hold
from qianmo.planning.improve import climb, excess, obeys, proper, repair
from qianmo.planning.model import Candidates, Model, all_candidates, build_model, choice_from
from qianmo.planning.price_search import search_prices
from qianmo.planning.prices import Prices, dual_bound, reduced_values
from qianmo.planning.problem import KEPT, PlanProblem, objective
from qianmo.planning.relaxation import relax, typical_unit
from qianmo.schema.errors import NotAllowedError, QianmoError

__all__ = ["LARGE", "MOST_SEARCHED", "Solution", "is_large", "solve"]

MANY_BORDERS = 8_000
"""Borders from which minimum cuts are faster than the linear relaxation."""

LARGE = 20_000
"""Options, and borders times pair layers, together, from which the whole-area engine takes over."""

MOST_SEARCHED = 50_000
"""Options of the largest problem that is searched exactly after the engine, where its gap is still too wide."""

MOST_DIVIDED = 3_000
"""Options of the largest problem whose proof is divided into cases."""

SEARCH_SHARE = 0.6
"""Share of the time limit of a small problem that the exact search may use; the proof by cases has the rest."""

FINE_GAP = 1e-5
"""Gaps below this are beyond the whole-number capacities of the cuts."""


@dataclass(frozen=True)
class Solution:
    """A plan and its proof (规划解).

    `bound` is proven by `prices`, or by `branches` where they are given, and can be recomputed by
    anyone; `solver_bound` is what the exact search claims, at most `bound`. All in points. `time_s`
    is 0 where no timer was given.
    """

    choice: np.ndarray
    objective: float
    bound: float
    solver_bound: float
    prices: Prices
    method: str
    time_s: float
    branches: Branches | None = None


def solve(
    problem: PlanProblem,
    *,
    gap: float = 1e-3,
    time_limit_s: float = 20.0,
    timer: Callable[[], float] | None = None,
    tell: Callable[[float, float], None] | None = None,
    stop: Callable[[], bool] | None = None,
    start: Solution | None = None,
    hear: Callable[[Solution], None] | None = None,
) -> Solution:
    """The best plan within the limits, to a gap relative to the best attainable improvement (求解规划问题).

    Parameters
    ----------
    problem : PlanProblem
    gap : float
        Target of (bound - score) / bound. The search stops at it or at the time limit; the result
        says how far it came.
    time_limit_s : float
        Limit of the search. [s]
    timer : function, optional
        Gives seconds, to keep the limit and to report how long it took.
    tell : function, optional
        Called with the gap so far (1 while there is no plan) and the share of the time used.
    stop : function, optional
        True ends the search of a large problem with the best plan so far.
    start : Solution, optional
        Solution of a problem with the same patches, options and borders but other limits or
        fewer options, to start a large problem from.
    hear : function, optional
        Called with a plan and its proof before each stretch that cannot be stopped (exact search, proof by cases).

    Returns
    -------
    Solution

    Raises
    ------
    InfeasibleError
        No plan obeys all limits; names those in conflict.
    """
    started = timer() if timer else 0.0
    if is_large(problem):
        return _solve_large(problem, gap, time_limit_s, timer, tell, stop, start, hear)
    prices, starts, method = _first_bound(problem, gap)
    bound = dual_bound(problem, prices)
    best = _best_of(problem, [*starts, np.full(problem.n, KEPT)], enough=bound - gap * abs(bound))
    if best is None and not is_feasible(problem, list(problem.limits)):
        raise explain_conflict(problem)
    solver_bound = bound
    if best is not None:
        _told(hear, problem, best, bound, bound, prices, method)
    if best is None or _gap(problem, best, bound) > gap:
        best, solver_bound = _search(problem, prices, best, bound, gap=gap, time_limit_s=SEARCH_SHARE * time_limit_s, timer=timer)
        method += ", then exact search on the remaining options"
    score = objective(problem, best)
    branches = None
    left_s = max(time_limit_s - (timer() - started), (1.0 - SEARCH_SHARE) * time_limit_s) if timer else time_limit_s
    _told(hear, problem, best, bound, solver_bound, prices, method)
    if _gap(problem, best, bound) > gap and problem.m <= MOST_DIVIDED:
        branches = branch(problem, score, gap=gap, is_over=_deadline(timer, left_s))
    if branches is not None and (proven := branch_bound(problem, branches)) < bound:
        bound = proven
        method += f", proof by {branches.cases} cases"
    else:
        branches = None
    spent = timer() - started if timer else 0.0
    return Solution(best, score, max(bound, score), max(min(solver_bound, bound), score), prices, method, spent, branches)


def _told(
    hear: Callable[[Solution], None] | None, problem: PlanProblem, choice: np.ndarray, bound: float, claimed: float, prices: Prices, method: str
) -> None:  # fmt: skip
    """Whoever listens gets what there is so far."""
    if hear is not None:
        score = objective(problem, choice)
        hear(Solution(choice, score, max(bound, score), max(min(claimed, bound), score), prices, method, 0.0))


def _deadline(timer: Callable[[], float] | None, seconds: float) -> Callable[[], bool] | None:
    if timer is None:
        return None
    until = timer() + seconds
    return lambda: timer() >= until


def is_large(problem: PlanProblem) -> bool:
    """True where the whole-area engine solves the problem (大规模问题)."""
    return problem.m + sum(len(p.i) for p in problem.pairs) >= LARGE


def _solve_large(
    problem: PlanProblem, gap: float, time_limit_s: float, timer: Callable[[], float] | None,
    tell: Callable[[float, float], None] | None, stop: Callable[[], bool] | None, start: Solution | None, hear: Callable[[Solution], None] | None,
) -> Solution:  # fmt: skip
    from qianmo.planning.large_conflict import conflicting_limits, is_reachable, most_reachable
    from qianmo.planning.whole_area import allocate  # compiled loops: loaded for large problems alone

    started = timer() if timer else 0.0
    share = 0.4 if problem.m <= MOST_SEARCHED and timer is not None else 1.0
    found = allocate(
        problem, gap=gap, time_limit_s=share * time_limit_s, timer=timer, tell=tell, stop=stop,
        prices=None if start is None else start.prices, choice=None if start is None else start.choice,
    )  # fmt: skip
    if found.choice is None and stop is not None and stop():
        raise NotAllowedError("ended before there was a plan (提前结束时尚无方案)", expected="a plan that obeys every limit", cure="let it run longer (请多等一会儿)")
    if found.choice is None:
        core = conflicting_limits(problem)
        if core:
            few = replace(problem, limits=tuple(problem.limits[k] for k in core))
            raise explain_conflict(few, feasible=lambda p, x: is_reachable(p, x) is not False, reach=most_reachable)
        raise QianmoError(
            f"no plan within the limits was found in {time_limit_s:g} s",
            expected="a plan that obeys every limit",
            cure="give more time or widen the limits (延长求解时间或放宽约束)",
        )
    choice, claimed = found.choice, found.bound
    method = f"primal-dual prices ({found.steps} steps), rounding, chains of changes"
    left_s = time_limit_s - (timer() - started if timer else 0.5 * time_limit_s)
    if problem.m <= MOST_SEARCHED and _gap(problem, choice, found.bound) > gap and left_s > 1.0 and not (stop is not None and stop()):
        _told(hear, problem, choice, found.bound, found.bound, found.prices, method)
        choice, claimed = _search(problem, found.prices, choice, found.bound, gap=gap, time_limit_s=left_s, timer=timer)
        method += ", then exact search on the remaining options"
    score = objective(problem, choice)
    bound = max(found.bound, score)
    spent = timer() - started if timer else 0.0
    return Solution(choice, score, bound, max(min(claimed, bound), score), found.prices, method, spent)


def _first_bound(problem: PlanProblem, gap: float) -> tuple[Prices, list[np.ndarray], str]:
    """Prices that prove a bound, choices to start from, and how they were found."""
    if sum(len(p.i) for p in problem.pairs) > MANY_BORDERS and gap >= FINE_GAP and chains_hold(problem):
        cuts = search_prices(problem, tolerance=gap / 10)
        return cuts[0].prices, [c.choice for c in cuts[:4]], "minimum cuts with prices, rounding"
    relaxed = relax(problem)
    if relaxed is None:
        raise explain_conflict(problem)
    choice, prices = relaxed
    starts = [choice, best_cut(problem, prices.limit).choice] if problem.pairs and chains_hold(problem) else [choice]
    return prices, starts, "linear relaxation, rounding"


def _search(
    problem: PlanProblem, prices: Prices, best: np.ndarray | None, bound: float, *, gap: float, time_limit_s: float,
    timer: Callable[[], float] | None,
) -> tuple[np.ndarray, float]:  # fmt: skip
    left = _remaining(problem, prices, best, bound)
    model = build_model(problem, left)
    if not len(model.value):
        if best is None:
            raise explain_conflict(problem)
        return best, objective(problem, best)
    tight, claimed = np.zeros(len(problem.limits)), bound
    began = timer() if timer else 0.0
    for turn in range(4):
        left_s = time_limit_s - (timer() - began if timer else 0.0)
        if turn and left_s <= 0.0:
            break
        found = _milp(model, tight, gap=gap / 4, time_limit_s=max(left_s, 0.1))
        if turn == 0:
            claimed = _claim(problem, model, found, best, bound)
        if found.x is None:
            break
        choice = choice_from(problem, model, left, found.x)
        over = excess(problem, choice)
        best = _best_of(problem, [choice], best)
        if not over.any():
            break
        tight += over * 1.5
    if best is None and found.status == 2:
        raise explain_conflict(problem)
    if best is None:
        raise QianmoError(
            f"no plan within the limits was found in {time_limit_s:g} s",
            expected="a plan that obeys every limit",
            cure="give more time or widen the limits (延长求解时间或放宽约束)",
        )
    return best, min(bound, max(claimed, objective(problem, best)))


def _claim(problem: PlanProblem, model: Model, found: OptimizeResult, best: np.ndarray | None, bound: float) -> float:
    """Bound that the first exact search claims for the remaining candidates."""
    if found.status == 2 and best is not None:
        return objective(problem, best)
    if found.mip_dual_bound is None or not np.isfinite(found.mip_dual_bound):
        return bound
    return float(-found.mip_dual_bound / typical_unit(model.value) + model.constant)


def _remaining(problem: PlanProblem, prices: Prices, best: np.ndarray | None, bound: float) -> Candidates:
    """Options and kept patches that a plan better than the best may still hold."""
    if best is None:
        return all_candidates(problem)
    keep, option, _ = reduced_values(problem, prices)
    top = np.where(problem.keeps, keep, -np.inf)
    np.maximum.at(top, problem.patch, option)
    room = bound - objective(problem, best) + 1e-9 * max(1.0, abs(bound))
    left = Candidates(top[problem.patch] - option <= room, (top - keep <= room) & problem.keeps)
    taken = np.flatnonzero(best >= 0)
    left.option[best[taken]] = True
    left.keep[best < 0] = True
    return left


def _milp(model: Model, tight: np.ndarray, *, gap: float, time_limit_s: float) -> OptimizeResult:
    low, high = model.low.copy(), model.high.copy()
    low[model.limit_rows] += tight / model.limit_scale
    high[model.limit_rows] -= tight / model.limit_scale
    binary = (np.arange(len(model.value)) < len(model.options)).astype(int)
    return milp(
        -model.value * typical_unit(model.value), constraints=LinearConstraint(model.rows, low, high), integrality=binary,
        bounds=Bounds(0, 1), options={"mip_rel_gap": gap, "time_limit": time_limit_s},
    )  # fmt: skip


def _best_of(
    problem: PlanProblem, starts: list[np.ndarray], best: np.ndarray | None = None, *, enough: float = np.inf
) -> np.ndarray | None:
    """The best plan reached from the starts by repair and climbing, or the one given if none is better.

    Stops at a plan whose score is `enough`.
    """
    for start in starts:
        if best is not None and objective(problem, best) >= enough:
            break
        start = proper(problem, start)
        found = start if obeys(problem, start) else repair(problem, start)
        if found is None:
            continue
        found = climb(problem, found)
        if best is None or objective(problem, found) > objective(problem, best):
            best = found
    return best


def _gap(problem: PlanProblem, choice: np.ndarray, bound: float) -> float:
    return (bound - objective(problem, choice)) / max(abs(bound), 1e-12)
