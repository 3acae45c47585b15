"""Which of 500 projects start in which of ten years on three funds, to within 0.5 %: HiGHS, CP-SAT, SCIP, a clerk's list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyscipopt
from measure import Outcome, Way
from ortools.sat.python import cp_model

from qianmo.governance.portfolio.by_rank import year_plan_by_rank
from qianmo.governance.portfolio.make_instance import made_portfolio
from qianmo.governance.portfolio.model import WAN, Model, build_model
from qianmo.governance.portfolio.problem import Problem, value_of
from qianmo.governance.portfolio.replay import replay
from qianmo.governance.portfolio.solve import solve_portfolio

__all__ = ["ways"]

SEED = 20260101
GAP = 0.005


def ways(size: int, cache: Path) -> list[Way]:
    """500 projects, ten years, three funds; 40 projects and four years where `size` is small. The figure is the value of the plan."""
    projects, years, seconds = (500, 10, 60.0) if size > 2000 else (40, 4, 1.5)
    problem = made_portfolio(projects, years, 3, rng=np.random.default_rng(SEED), regions=6 if size > 2000 else 2)
    model = build_model(problem)

    def ours() -> Outcome:
        found = solve_portfolio(problem, gap=GAP, seconds=seconds)
        again = replay(problem, found)
        if again.faults:
            raise AssertionError(again.faults[0])
        return Outcome(float(found.value), {"gap": found.gap, "gap proven without solver": again.gap, "projects": len(found.starts)})

    def clerk() -> float:
        order = sorted(problem.candidates, key=lambda c: -max(c.starts.values()) / c.cost_fen)
        return float(value_of(problem, year_plan_by_rank(problem, [c.id for c in order])))

    return [
        Way("portfolio", "qianmo, HiGHS, payments in fen, recounted", projects, ours),
        Way("portfolio", "OR-Tools CP-SAT, two workers, whole fen", projects, lambda: _by_constraints(problem, model, seconds), None, 0.05, 90.0),
        Way("portfolio", "SCIP, same rows", projects, lambda: _by_scip(model, seconds), None, 0.02, 90.0),
        Way("portfolio by rank", "qianmo, down the list by value a yuan", projects, clerk),
    ]


def _by_constraints(problem: Problem, model: Model, seconds: float) -> Outcome:
    """The same rows in whole fen; a peer that is still searching when its time is up says what it has."""
    peer, count = cp_model.CpModel(), len(model.start)
    columns = [peer.new_bool_var("") for _ in model.start] + [peer.new_int_var(0, problem.supplies[k].fen, "") for k, _, _ in model.flow]
    for r in range(model.matrix.shape[0]):
        span = slice(model.matrix.indptr[r], model.matrix.indptr[r + 1])
        at, weight = model.matrix.indices[span], model.matrix.data[span]
        grain = WAN if (at >= count).any() or r in model.floor_row else 1.0
        whole = np.where(at >= count, 1, np.rint(weight * grain)).astype(np.int64).tolist()
        row = cp_model.LinearExpr.weighted_sum([columns[j] for j in at], whole)
        if np.isfinite(model.low[r]):
            peer.add(row >= round(model.low[r] * grain))
        if np.isfinite(model.high[r]):
            peer.add(row <= round(model.high[r] * grain))
    peer.maximize(cp_model.LinearExpr.weighted_sum(columns[:count], [int(v) for v in model.value[:count]]))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.relative_gap_limit, solver.parameters.max_time_in_seconds = 2, GAP, seconds
    solver.solve(peer)
    value = float(solver.objective_value)
    return Outcome(value, {"gap": (float(solver.best_objective_bound) - value) / value})


def _by_scip(model: Model, seconds: float) -> Outcome:
    peer, count = pyscipopt.Model(), len(model.start)
    peer.hideOutput()
    columns = [peer.addVar(vtype="B" if j < count else "C", obj=float(v), lb=0.0, ub=1.0 if j < count else None) for j, v in enumerate(model.value)]
    for r in range(model.matrix.shape[0]):
        span = slice(model.matrix.indptr[r], model.matrix.indptr[r + 1])
        row = pyscipopt.quicksum(float(w) * columns[j] for j, w in zip(model.matrix.indices[span], model.matrix.data[span]))
        if np.isfinite(model.low[r]):
            peer.addCons(row >= float(model.low[r]))
        if np.isfinite(model.high[r]):
            peer.addCons(row <= float(model.high[r]))
    peer.setMaximize()
    peer.setParam("limits/gap", GAP)
    peer.setParam("limits/time", seconds)
    peer.optimize()
    return Outcome(float(peer.getPrimalbound()), {"gap": float(peer.getGap())})
