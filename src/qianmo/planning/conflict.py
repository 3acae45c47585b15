"""Which limits cannot hold together, and by how much each would have to give (约束冲突)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_array

from qianmo.planning.limits import one_measure
from qianmo.planning.problem import KEPT, Limit, PlanProblem, limit_value
from qianmo.schema.errors import InfeasibleError

__all__ = ["Feasible", "Reach", "explain_conflict", "irreducible", "is_feasible", "shortfall", "smallest_conflict"]

SECONDS = 10.0
"""Time limit of one feasibility question."""

MOST_QUESTIONS = 400
"""Feasibility questions after which the search for a smaller conflict ends."""

Feasible = Callable[[PlanProblem, list[Limit]], bool]
"""False when it is proven that no plan obeys the limits; `is_feasible` for small problems."""

Reach = Callable[[PlanProblem, list[Limit], Limit], float]
"""Value of a limit nearest to its bound that plans within other limits reach; NaN where there is no such plan, infinite where none was found in time."""


def explain_conflict(problem: PlanProblem, *, feasible: Feasible | None = None, reach: Reach | None = None) -> InfeasibleError:
    """The error that names the smallest set of limits in conflict, and what each would have to give alone (约束冲突说明).

    Parameters
    ----------
    problem : PlanProblem
        No plan obeys its limits.
    feasible, reach : functions, optional
        Answers for problems too large for the exact searches here, `is_feasible` and `shortfall`.
    """
    core = smallest_conflict(problem, feasible=feasible)
    answer = reach or shortfall
    parts = [_told(problem, k, answer) for k in core]
    if not core:
        parts = ["some patches may neither keep their use nor change it"]
    return InfeasibleError(
        "; ".join(("no plan obeys all limits", *parts)),
        conflict=tuple(dict.fromkeys(problem.limits[k].rule_id for k in core)),
        cure="relax one of them by the missing amount, or open more options (放宽其中一项约束或增加可选措施)",
    )


def smallest_conflict(problem: PlanProblem, *, feasible: Feasible | None = None) -> list[int]:
    """Numbers of the fewest limits that no plan obeys together (最少冲突约束).

    Every conflict holds one limit of every set whose removal frees the rest. Such sets are gathered
    until the fewest limits that meet them all are in conflict themselves, or are as many as those of
    `irreducible`. After `MOST_QUESTIONS` the irreducible conflict is given: none of it can be left
    out, but another one may be smaller.
    """
    ask = feasible or is_feasible
    core = irreducible(problem, feasible=ask)
    count, asked = len(problem.limits), 0
    freeing: list[set[int]] = []
    while asked < MOST_QUESTIONS:
        picked = _fewest_meeting(freeing, count)
        if len(picked) >= len(core):
            return core
        asked += 1
        if not ask(problem, [problem.limits[k] for k in picked]):
            return picked
        held = set(picked)
        for k in range(count):
            if k not in held:
                asked += 1
                if ask(problem, [problem.limits[i] for i in sorted({*held, k})]):
                    held.add(k)
        freeing.append(set(range(count)) - held)
    return core


def irreducible(problem: PlanProblem, *, feasible: Feasible | None = None) -> list[int]:
    """Numbers of limits that conflict while any one left out would free the rest (不可约冲突集)."""
    ask = feasible or is_feasible
    core = list(range(len(problem.limits)))
    for k in list(core):
        fewer = [i for i in core if i != k]
        if not ask(problem, [problem.limits[i] for i in fewer]):
            core = fewer
    return core


def shortfall(problem: PlanProblem, others: list[Limit], limit: Limit) -> float:
    """Value of `limit` nearest to its bound that plans within the `others` reach (可达到的最优值).

    NaN where no plan obeys the others, infinite where none was found within `SECONDS`.

    A bound moved to it is enough; it is the nearest one where the search ends within `SECONDS`.
    """
    if limit.relation == "==":
        sides = [_extreme(problem, [*others, replace(limit, relation=r)], limit, r) for r in (">=", "<=")]
        return min(sides, key=lambda v: np.inf if np.isnan(v) else abs(v - limit.bound))
    return _extreme(problem, others, limit, "<=" if limit.relation == ">=" else ">=")


def is_feasible(problem: PlanProblem, limits: list[Limit]) -> bool:
    """False when it is proven that no plan obeys the limits (约束可行性)."""
    return _ask(problem, limits, np.zeros(problem.m)).status != 2


def _told(problem: PlanProblem, k: int, reach: Reach) -> str:
    x = problem.limits[k]
    name, wanted = f"{x.rule_id} [{x.id}] {x.zh}", f"{x.relation} {x.bound:,.2f} {x.unit}"
    value = reach(problem, [y for i, y in enumerate(problem.limits) if i != k], x)
    if np.isinf(value):
        return f"{name}: needs {wanted}, how much it would have to give was not found in {SECONDS:g} s"
    if np.isnan(value):
        return f"{name}: needs {wanted}, giving it up alone is not enough, others conflict too"
    return f"{name}: needs {wanted}, attainable beside the others {value:,.2f} {x.unit}, missing {abs(x.bound - value):,.2f} {x.unit}"


def _fewest_meeting(sets: list[set[int]], count: int) -> list[int]:
    """The fewest of `count` numbers that meet every set, the first of equals."""
    if not sets:
        return []
    rows = np.zeros((len(sets), count))
    for r, members in enumerate(sets):
        rows[r, list(members)] = 1.0
    cost = 1.0 + 1e-6 * np.arange(count)
    found = milp(cost, constraints=LinearConstraint(rows, 1.0, np.inf), integrality=np.ones(count), bounds=Bounds(0, 1))
    return [int(k) for k in np.flatnonzero(np.rint(found.x) == 1)]


def _extreme(problem: PlanProblem, others: list[Limit], limit: Limit, direction: str) -> float:
    """Greatest ('<=') or least ('>=') value of a limit within the others, exact to the dm2 or fen."""
    goal = np.zeros(problem.m)
    np.add.at(goal, limit.option, (-1.0 if direction == "<=" else 1.0) * limit.coefficient)
    found = _ask(problem, others, goal)
    if found.x is None:
        return float("nan") if found.status == 2 else float("inf")
    choice = np.full(problem.n, KEPT)
    taken = np.flatnonzero(np.rint(found.x).astype(bool))
    choice[problem.patch[taken]] = taken
    return limit_value(limit, choice, problem.m)


def _ask(problem: PlanProblem, limits: list[Limit], goal: np.ndarray) -> OptimizeResult:
    if not problem.m:
        return _ask_nothing(limits)
    size = np.abs(goal).max(initial=0.0) or 1.0
    rows = [LinearConstraint(one_measure.build(problem.patch, problem.n), np.where(problem.keeps, 0.0, 1.0), 1.0)]
    rows += [_row(x, problem.m) for x in limits]
    return milp(
        goal / size, constraints=rows, integrality=np.ones(problem.m), bounds=Bounds(0, 1), options={"time_limit": SECONDS}
    )


def _row(x: Limit, m: int) -> LinearConstraint:
    scale = np.abs(x.coefficient).max(initial=0.0) or 1.0
    zero = np.zeros(len(x.option), int)
    row = csr_array((x.coefficient / scale, (zero, x.option)), shape=(1, m))
    side = (x.bound - x.constant) / scale
    return LinearConstraint(row, side if x.relation != "<=" else -np.inf, side if x.relation != ">=" else np.inf)


def _ask_nothing(limits: list[Limit]) -> OptimizeResult:
    holds = all(_row_holds(x) for x in limits)
    return OptimizeResult(x=np.zeros(0) if holds else None, status=0 if holds else 2)


def _row_holds(x: Limit) -> bool:
    room = x.constant - x.bound
    return room <= 0 if x.relation == "<=" else room >= 0 if x.relation == ">=" else room == 0
