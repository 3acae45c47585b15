"""The best portfolio within a proven distance (求解项目组合)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import vstack

from qianmo.governance.portfolio.conflict import clauses, explain_conflict, is_possible, to_the_fen
from qianmo.governance.portfolio.model import WAN, Model, build_model
from qianmo.governance.portfolio.pay import payments_of
from qianmo.governance.portfolio.problem import Portfolio, Prices, Problem, check_problem, value_of
from qianmo.schema.errors import QianmoError

__all__ = ["solve_portfolio"]

def solve_portfolio(problem: Problem, *, gap: float = 0.002, seconds: float = 60.0, clock: Callable[[], float] = lambda: 0.0) -> Portfolio:
    """Choose start years so that the value is greatest, to within `gap` (求解项目组合).

    Parameters
    ----------
    problem : Problem
    gap : float
        Share of the value at which the search may end, from 0. [1]
    seconds : float
        Limit of the search. [s]
    clock : function
        Seconds that run on, for the time that is reported; none by default.

    Returns
    -------
    Portfolio
        Start years, payments in whole fen, a bound that no portfolio exceeds, and the prices that prove one.

    Raises
    ------
    SchemaError
        The problem contradicts itself.
    InfeasibleError
        No portfolio obeys all limits; the smallest set of them in conflict is named.
    QianmoError
        No portfolio was found in time.
    """
    check_problem(problem)
    begun = clock()
    model = build_model(problem)
    if not model.start:
        if not is_possible(problem, clauses(problem)):
            raise explain_conflict(problem)
        return Portfolio({}, (), 0, 0.0, Prices((0.0,) * len(problem.supplies), (0.0,) * len(problem.floors), {}), 0.0, "highs")
    found = _search(model, gap, seconds)
    if found.status == 2:
        raise explain_conflict(problem)
    starts = _starts(problem, model, found)
    payments = payments_of(problem, starts)
    if payments is None:
        again = _search(build_model(to_the_fen(problem)), gap, seconds)
        if again.status == 2:
            raise explain_conflict(problem)
        starts = _starts(problem, model, again)
        payments = payments_of(problem, starts)
        if payments is None:
            raise QianmoError("求解结果取整后资金不足", cure="缩小 gap 或调整资金后重算")
    bound = np.floor(-float(found.mip_dual_bound) + 1e-6 * max(1.0, abs(float(found.mip_dual_bound))))
    value = value_of(problem, starts)
    return Portfolio(starts, payments, value, max(float(bound), float(value)), _prices(problem, model), clock() - begun, "highs")


def _search(model: Model, gap: float, seconds: float) -> OptimizeResult:
    count = len(model.start)
    whole = np.r_[np.ones(count), np.zeros(len(model.flow))]
    most = np.r_[np.ones(count), np.full(len(model.flow), np.inf)]
    return milp(
        -model.value, constraints=LinearConstraint(model.matrix, model.low, model.high), integrality=whole, bounds=Bounds(0.0, most),
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )  # fmt: skip


def _starts(problem: Problem, model: Model, found: OptimizeResult) -> dict[str, int]:
    if found.x is None:
        raise QianmoError(f"限定时间内没有找到组合 ({found.message})", cure="放宽时间 --seconds 或减少项目")
    return {problem.candidates[n].id: year for (n, year), x in zip(model.start, found.x) if x > 0.5}


def _prices(problem: Problem, model: Model) -> Prices:
    """Multipliers of the relaxation: any that are not negative prove a bound, these prove a good one."""
    equal = model.low == model.high
    over, under = np.isfinite(model.high) & ~equal, np.isfinite(model.low) & ~equal
    matrix = vstack([model.matrix[over], -model.matrix[under]])
    sides = np.r_[model.high[over], -model.low[under]]
    most = [(0.0, 1.0)] * len(model.start) + [(0.0, None)] * len(model.flow)
    found = linprog(-model.value, A_ub=matrix, b_ub=sides, A_eq=model.matrix[equal], b_eq=model.high[equal], bounds=most, method="highs")
    if found.status != 0:
        return Prices((0.0,) * len(problem.supplies), (0.0,) * len(problem.floors), {})
    height = np.zeros(len(model.low))
    top = int(over.sum())
    height[over] = np.maximum(0.0, -found.ineqlin.marginals[:top])
    depth = np.zeros(len(model.low))
    depth[under] = np.maximum(0.0, -found.ineqlin.marginals[top:])
    return Prices(
        tuple(float(height[r]) / WAN for r in model.supply_row), tuple(float(depth[r]) / WAN for r in model.floor_row),
        {(k, year): float(height[r]) for r, k, year in model.order_row if height[r] > 0},
    )  # fmt: skip
