"""Which limits cannot hold together, and how much is missing (约束冲突)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_array

from qianmo.planning.limits import one_measure
from qianmo.planning.problem import Limit, PlanProblem
from qianmo.schema.errors import InfeasibleError

__all__ = ["explain_conflict", "irreducible", "is_feasible", "shortfall"]

SECONDS = 10.0
"""Time limit of one feasibility question."""


def explain_conflict(problem: PlanProblem) -> InfeasibleError:
    """The error that names the limits in conflict, with the numbers of each (约束冲突说明)."""
    core = irreducible(problem)
    parts = []
    for k in core:
        x = problem.limits[k]
        reach = shortfall(problem, [problem.limits[i] for i in core if i != k], x)
        wanted = f"{x.relation} {x.bound:,.2f} {x.unit}"
        parts.append(f"{x.rule_id} [{x.id}] {x.zh}: needs {wanted}, attainable beside the others {reach:,.2f} {x.unit}, "
                     f"missing {abs(x.bound - reach):,.2f} {x.unit}")  # fmt: skip
    rules = tuple(dict.fromkeys(problem.limits[k].rule_id for k in core))
    return InfeasibleError(
        "no plan obeys all limits: " + "; ".join(parts),
        conflict=rules,
        cure="relax one of them by the missing amount, or open more options (放宽其中一项约束或增加可选措施)",
    )


def irreducible(problem: PlanProblem) -> list[int]:
    """Numbers of limits that conflict while any one left out would free the rest (最小冲突集)."""
    core = list(range(len(problem.limits)))
    for k in list(core):
        fewer = [i for i in core if i != k]
        if not is_feasible(problem, [problem.limits[i] for i in fewer]):
            core = fewer
    return core


def shortfall(problem: PlanProblem, others: list[Limit], limit: Limit) -> float:
    """Value of `limit` nearest to its bound that plans within the `others` reach (可达到的最优值)."""
    sign = -1.0 if limit.relation == ">=" else 1.0
    goal = np.zeros(problem.m)
    np.add.at(goal, limit.option, sign * limit.coefficient)
    found = _ask(problem, others, goal)
    chosen = np.rint(found.x).astype(bool) if found.x is not None else np.zeros(problem.m, bool)
    return limit.constant + float(limit.coefficient[chosen[limit.option]].sum())


def is_feasible(problem: PlanProblem, limits: list[Limit]) -> bool:
    """False when it is proven that no plan obeys the limits (约束可行性)."""
    return _ask(problem, limits, np.zeros(problem.m)).status != 2


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
    return OptimizeResult(x=np.zeros(0), status=0 if holds else 2)


def _row_holds(x: Limit) -> bool:
    room = x.constant - x.bound
    return room <= 0 if x.relation == "<=" else room >= 0 if x.relation == ">=" else room == 0
