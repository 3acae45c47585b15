"""Adjustment of basic farmland with all rows: proven optimum at 40,000 units, 0.1 % at 500,000, HiGHS beside it at 10,000.

The figure of a way is the score of its plan [yuan]; HiGHS in SciPy gets the whole model, written out with one joint variable
a border, and the same gap. Ways of one size agree within the sum of their gaps. Each way prints its gap on the error stream.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
from measure import Way, WayFailedError
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from qianmo.planning.farmland_swap.formulate import SwapFormulation, formulate_swap
from qianmo.planning.farmland_swap.make_instance import make_swap
from qianmo.planning.farmland_swap.settings import SwapSettings
from qianmo.planning.problem import PlanProblem, objective
from qianmo.planning.solve import solve

__all__ = ["ways"]

_SMALL, _PEER, _OPTIMUM, _COUNTY = 2_000, 10_000, 40_000, 500_000
_FINE, _COARSE = 1e-6, 1e-3
_MINUTE = 60.0


def ways(size: int, cache: Path) -> list[Way]:
    """House and peer at 10,000 units, the house alone at 40,000 and at `size` above that; house and peer alone when small."""
    if size <= _SMALL:
        few = max(100, min(size, 400))
        return [_ours(few, _COARSE, "0.1 %"), _peer(few, _COARSE, "0.1 %")]
    found = [_ours(_PEER, _COARSE, "0.1 %"), _peer(_PEER, _COARSE, "0.1 %")]
    if size >= _OPTIMUM:
        found.append(_ours(_OPTIMUM, _FINE, "proven optimum"))
    if size > _OPTIMUM:
        found.append(_ours(min(size, _COUNTY), _COARSE, "0.1 %"))
    return found


@cache
def _problem(n: int) -> SwapFormulation:
    return formulate_swap(make_swap(n, rng=np.random.default_rng(20260101)), SwapSettings())


def model_of(problem: PlanProblem) -> tuple[np.ndarray, list[LinearConstraint], Bounds]:
    """Value, rows and bounds of a swap: v_k flips a unit, z_e <= state of both ends, limits in units of their largest entry."""
    p, m = problem.pairs[0], problem.m
    column, k = np.full(problem.n, -1), len(p.i)
    column[problem.patch] = np.arange(m)
    now = p.state0.astype(float)
    row, col, val, most = [], [], [], []
    for end in (p.i, p.j):
        free = np.flatnonzero(column[end] >= 0)
        at = len(most) * k + np.arange(k)
        row += [at, at[free]]
        col += [m + np.arange(k), column[end[free]]]
        val += [np.ones(k), 2.0 * now[end[free]] - 1.0]
        most.append(now[end])
    ties = coo_array((np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=(2 * k, m + k)).tocsr()
    rules = [LinearConstraint(ties, -np.inf, np.concatenate(most))]
    for x in problem.limits:
        scale = np.abs(x.coefficient).max(initial=0.0) or 1.0
        line = coo_array((x.coefficient / scale, (np.zeros(len(x.option), int), x.option)), shape=(1, m + k)).tocsr()
        side = (x.bound - x.constant) / scale
        rules.append(LinearConstraint(line, side if x.relation != "<=" else -np.inf, side if x.relation != ">=" else np.inf))
    low = np.concatenate([np.where(problem.keeps[problem.patch], 0.0, 1.0), np.zeros(k)])
    return np.concatenate([problem.value, p.weight]), rules, Bounds(low, 1.0)


def _ours(n: int, gap: float, words: str) -> Way:
    def run() -> float:
        started = time.monotonic()
        found = solve(_problem(n).problem, gap=gap, time_limit_s=_MINUTE, timer=time.monotonic)
        reached = (found.bound - found.objective) / max(abs(found.bound), 1e-12)
        print(
            f"swap {n}: score {found.objective:.2f}, bound {found.bound:.2f}, certified gap {reached:.4%}, claimed bound {found.solver_bound:.2f}, "
            f"{time.monotonic() - started:.1f} s, {found.method}", file=sys.stderr,
        )  # fmt: skip
        return found.objective

    return Way("swap", f"qianmo ({words})", n, run, lambda: _problem(n), 2 * _COARSE)


def _peer(n: int, gap: float, words: str) -> Way:
    """HiGHS on the same problem, written out below: a yes-or-no column a flip, one joint column a border."""

    def run() -> float:
        problem = _problem(n).problem
        value, constraints, bounds = model_of(problem)
        binary = (np.arange(len(value)) < problem.m).astype(int)
        found = milp(-value, constraints=constraints, integrality=binary, bounds=bounds, options={"mip_rel_gap": gap, "time_limit": 5 * _MINUTE})
        if found.x is None:
            raise WayFailedError(f"HiGHS has no plan of {n} units after {5 * _MINUTE:.0f} s: {found.message}")
        print(f"swap {n}: HiGHS gap {found.mip_gap:.4%}, {found.message}", file=sys.stderr)
        choice = np.full(problem.n, -1)
        taken = np.flatnonzero(np.rint(found.x[: problem.m]))
        choice[problem.patch[taken]] = taken
        return objective(problem, choice)

    return Way("swap", f"HiGHS in SciPy ({words})", n, run, lambda: _problem(n), 2 * _COARSE)
