"""The linear relaxation by HiGHS and the prices in it (线性松弛)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from qianmo.planning.model import Model, all_candidates, as_upper, build_model, choice_from
from qianmo.planning.prices import Prices, legal_prices
from qianmo.planning.problem import KEPT, PlanProblem
from qianmo.schema.errors import QianmoError

__all__ = ["prices_of", "relax", "typical_unit"]


def relax(problem: PlanProblem) -> tuple[np.ndarray, Prices] | None:
    """Rounded choice (not yet within the limits) and prices of the linear relaxation; None when infeasible (线性松弛)."""
    every = all_candidates(problem)
    model = build_model(problem, every)
    if not len(model.value):
        return np.full(problem.n, KEPT), prices_of(problem, model, np.zeros(model.rows.shape[0]), 1.0)
    scale = typical_unit(model.value)
    upper, flip, sides = as_upper(model)
    rows = model.rows[upper].multiply(flip[:, None]).tocsr()
    found = linprog(-model.value * scale, A_ub=rows, b_ub=sides, bounds=(0, None), method="highs")
    if found.status == 2:
        return None
    _refuse(found, "linear relaxation")
    dual = np.zeros(model.rows.shape[0])
    np.add.at(dual, upper, -found.ineqlin.marginals * flip)
    return choice_from(problem, model, every, found.x), prices_of(problem, model, dual, scale)


def prices_of(problem: PlanProblem, model: Model, dual: np.ndarray, scale: float) -> Prices:
    """Legal prices from the duals of the rows of a model whose values were multiplied by `scale` (对偶转价格)."""
    limit = dual[model.limit_rows] / model.limit_scale / scale
    split = [p.weight / 2 for p in problem.pairs]
    to_i, to_j = dual[model.i_rows] / scale, dual[model.j_rows] / scale
    for k, p in enumerate(problem.pairs):
        mine = model.z_layer == k
        edge = model.z_edge[mine]
        both = to_i[mine] + to_j[mine]
        share = np.divide(to_i[mine], both, out=np.full(len(edge), 0.5), where=both > 0)
        split[k] = split[k].copy()
        split[k][edge] = share * p.weight[edge]
    _settle(problem, split, model)
    return legal_prices(problem, Prices(limit, tuple(split)))


def _settle(problem: PlanProblem, split: list[np.ndarray], model: Model) -> None:
    """Folded borders: the whole bonus goes to the end that can still change."""
    for k, p in enumerate(problem.pairs):
        low, high = p.state0.astype(bool) | ~problem.keeps, p.state0.astype(bool) & problem.keeps
        np.logical_and.at(low, problem.patch, p.state.astype(bool))
        np.logical_or.at(high, problem.patch, p.state.astype(bool))
        always, never = low & high, ~high
        whole_i = (always[p.j] & ~always[p.i]) | (never[p.i] & ~never[p.j])
        whole_j = (always[p.i] & ~always[p.j]) | (never[p.j] & ~never[p.i])
        split[k][whole_i] = p.weight[whole_i]
        split[k][whole_j] = 0.0


def typical_unit(value: np.ndarray) -> float:
    """Factor that brings the typical value to 1 (归一系数)."""
    some = np.abs(value[value != 0])
    return 1.0 / float(np.median(some)) if len(some) else 1.0


def _refuse(found: OptimizeResult, what: str) -> None:
    if found.x is None or found.status not in (0, 1):
        raise QianmoError(f"{what} stopped with {found.message!r}", cure="check the limits, or give more time (求解未完成)")
