"""The allocation written out as a mixed-integer program, apart from `qianmo.planning`, and the peers that solve it.

From the arrays of the question alone: a yes-or-no column for each parcel and use, a column for each border and use that may be 1
only where both ends have the use, and the rows spelled out. Shares no code with the problem builder or the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csc_array, csr_array

__all__ = ["Program", "Result", "by_highs", "by_pdlp", "by_scip", "program_of", "score_of"]


@dataclass(frozen=True)
class Program:
    """Minimise ``cost @ v`` with ``low <= rows @ v <= high``, ``0 <= v <= top``; the first `binaries` are whole; score = constant - cost."""

    cost: np.ndarray
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    top: np.ndarray
    binaries: int
    constant: float


@dataclass(frozen=True)
class Result:
    """Best score found (nan: none), upper bound on it (inf: none), and uses of the parcels (None: none)."""

    score: float
    bound: float
    uses: np.ndarray | None


class _Rows:
    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.count = 0

    def add(self, row: np.ndarray, column: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.parts.append((np.asarray(row) + self.count, np.asarray(column), np.broadcast_to(value, np.shape(column)).astype(float)))
        self.low.append(np.asarray(low, float))
        self.high.append(np.asarray(high, float))
        self.count += len(low)

    def one(self, column: np.ndarray, value: np.ndarray, low: float, high: float) -> None:
        size = max(float(np.abs(value).max(initial=0.0)), 1.0)
        self.add(np.zeros(len(column), int), column, value / size, np.array([low / size]), np.array([high / size]))


def program_of(q: Any) -> Program:
    """The program of a question (`qianmo.planning.allocation.Allocation`)."""
    n, uses = len(q.area_dm2), len(q.uses)
    column = np.arange(n * uses).reshape(n, uses)
    area = q.area_dm2 / 100.0
    rows = _Rows()
    rows.add(np.repeat(np.arange(n), uses), column.ravel(), np.ones(n * uses), np.ones(n), np.ones(n))
    systems = {s.id: s for s in q.regions}
    for w in q.windows:
        s = systems[w.system]
        inside = np.flatnonzero(s.code == s.names.index(w.region))
        high = np.inf if w.most_dm2 is None else w.most_dm2 / 100.0
        rows.one(column[inside, q.uses.index(w.use)], area[inside], -np.inf if w.least_dm2 is None else w.least_dm2 / 100.0, high)
    for b in q.budgets:
        base = b.works_fen[np.arange(n), q.current].sum()
        rows.one(column.ravel(), b.works_fen.ravel() / 100.0, -np.inf, (b.most_fen + base) / 100.0)
    for d in q.dominances:
        kinds = [q.uses.index(u) for u in d.uses]
        for r in range(len(systems[d.system].names)):
            for grade in d.grades:
                fine = np.flatnonzero((systems[d.system].code == r) & (d.grade <= grade))
                now = area[fine][np.isin(q.current[fine], kinds)].sum()
                rows.one(column[np.ix_(fine, kinds)].ravel(), np.repeat(area[fine], len(kinds)), now - 1e-6, np.inf)
    for b in q.no_net_losses:
        kept, takers = [q.uses.index(u) for u in b.uses], [q.uses.index(u) for u in b.takers]
        for r in range(len(systems[b.system].names)):
            inside = systems[b.system].code == r
            held = np.isin(q.current, kept)
            gain, loss = np.flatnonzero(inside & ~held), np.flatnonzero(inside & held)
            cells = [column[np.ix_(gain, kept)].ravel(), column[np.ix_(loss, takers)].ravel()]
            signs = [np.repeat(area[gain], len(kept)), -np.repeat(area[loss], len(takers))]
            rows.one(np.concatenate(cells), np.concatenate(signs), -1e-6, np.inf)
    for s in q.services:
        rows.one(column.ravel(), s.amount.ravel(), s.floor, np.inf)
    cost = q.cost.astype(float).ravel() * q.points_per_cost
    today = float(cost[column[np.arange(n), q.current]].sum())
    joined = np.zeros(0)
    if q.borders is not None and q.points_per_m > 0:
        i, j, weight = q.borders.i, q.borders.j, q.borders.length_m * q.points_per_m
        today -= float(weight[q.current[i] == q.current[j]].sum())
        extra = len(i) * uses
        both = n * uses + np.arange(extra)
        for end in (i, j):
            tied = column[end].ravel()
            row = np.arange(extra)
            rows.add(np.concatenate([row, row]), np.concatenate([both, tied]), np.repeat([1.0, -1.0], extra), np.full(extra, -np.inf), np.zeros(extra))
        joined = -np.repeat(weight, uses)
    top = np.ones(n * uses + len(joined))
    if q.forbidden is not None:
        top[: n * uses][q.forbidden.ravel() > 0] = 0.0
    if q.lock is not None:
        locked = np.flatnonzero(q.lock >= 0)
        top[column[locked].ravel()] = (np.arange(uses)[None, :] == q.lock[locked, None]).ravel()
    row, at, value = (np.concatenate([p[k] for p in rows.parts]) for k in range(3))
    matrix = csr_array(coo_array((value, (row, at)), shape=(rows.count, len(top))))
    return Program(np.concatenate([cost, joined]), matrix, np.concatenate(rows.low), np.concatenate(rows.high), top, n * uses, today)


def score_of(q: Any, uses: np.ndarray) -> float:
    """Score of a plan written out from the definition, parcel by parcel and border by border."""
    every = np.arange(len(uses))
    saved = q.cost[every, q.current].astype(float).sum() - q.cost[every, uses].astype(float).sum()
    total = float(saved) * q.points_per_cost
    if q.borders is not None:
        i, j = q.borders.i, q.borders.j
        change = (uses[i] == uses[j]).astype(int) - (q.current[i] == q.current[j])
        total += float((change * q.borders.length_m).sum()) * q.points_per_m
    return total


def by_highs(program: Program, uses: int, *, time_limit_s: float, gap: float = 0.0) -> Result:
    """HiGHS in SciPy."""
    whole = (np.arange(len(program.cost)) < program.binaries).astype(int)
    found = milp(
        program.cost, constraints=LinearConstraint(program.rows, program.low, program.high), integrality=whole,
        bounds=Bounds(0.0, program.top), options={"time_limit": time_limit_s, "mip_rel_gap": gap},
    )  # fmt: skip
    least = found.mip_dual_bound
    bound = np.inf if least is None or not np.isfinite(least) else program.constant - float(least)
    if found.x is None:
        return Result(np.nan, -np.inf if found.status == 2 else bound, None)
    score = program.constant - float(found.fun)
    return Result(score, score if not whole.any() else bound, _uses(found.x, program, uses) if whole.any() else None)


def by_scip(program: Program, uses: int, *, time_limit_s: float, gap: float = 0.0) -> Result:
    """SCIP through PySCIPOpt."""
    from pyscipopt import Model, quicksum

    model = Model()
    model.hideOutput()
    model.setParam("limits/time", time_limit_s)
    model.setParam("limits/gap", gap)
    kinds = ["B" if k < program.binaries else "C" for k in range(len(program.cost))]
    v = [model.addVar(vtype=kind, lb=0.0, ub=float(top)) for kind, top in zip(kinds, program.top)]
    for r in range(program.rows.shape[0]):
        part = slice(program.rows.indptr[r], program.rows.indptr[r + 1])
        total = quicksum(float(c) * v[k] for k, c in zip(program.rows.indices[part], program.rows.data[part]))
        low, high = program.low[r], program.high[r]
        if low == high:
            model.addCons(total == float(low))
            continue
        if np.isfinite(low):
            model.addCons(total >= float(low))
        if np.isfinite(high):
            model.addCons(total <= float(high))
    model.setObjective(quicksum(float(c) * x for c, x in zip(program.cost, v) if c), "minimize")
    model.optimize()
    if model.getStatus() == "infeasible":
        return Result(np.nan, -np.inf, None)
    bound = program.constant - float(model.getDualbound())
    if not model.getNSols():
        return Result(np.nan, bound, None)
    x = np.array([model.getVal(one) for one in v])
    return Result(program.constant - float(model.getObjVal()), bound, _uses(x, program, uses))


def by_pdlp(program: Program, *, time_limit_s: float, tolerance: float = 1e-4) -> Result:
    """The linear relaxation by OR-Tools PDLP: a bound, no plan. The bound is the dual objective it reports."""
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    lp = pdlp.QuadraticProgram()
    lp.resize_and_initialize(len(program.cost), program.rows.shape[0])
    lp.objective_vector = program.cost
    lp.constraint_matrix = csc_array(program.rows)
    lp.constraint_lower_bounds, lp.constraint_upper_bounds = program.low, program.high
    lp.variable_lower_bounds, lp.variable_upper_bounds = np.zeros(len(program.cost)), program.top
    settings = solvers_pb2.PrimalDualHybridGradientParams()
    settings.num_threads = 2
    settings.termination_criteria.time_sec_limit = time_limit_s
    settings.termination_criteria.simple_optimality_criteria.eps_optimal_relative = tolerance
    settings.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = tolerance
    found = pdlp.primal_dual_hybrid_gradient(lp, settings)
    best = -np.inf
    for entry in found.solve_log.solution_stats.convergence_information:
        best = max(best, entry.corrected_dual_objective)
    del solve_log_pb2
    return Result(np.nan, program.constant - best, None)


def _uses(x: np.ndarray, program: Program, uses: int) -> np.ndarray:
    return np.asarray(x[: program.binaries].reshape(-1, uses).argmax(axis=1), np.int8)
