"""From the arrays of the engine back to prices and choices of the problem (价格与方案导出)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.engine.dense import Dense
from qianmo.planning.prices import Prices
from qianmo.planning.problem import PlanProblem

__all__ = ["parts_from", "problem_prices", "row_prices"]


def problem_prices(d: Dense, problem: PlanProblem, a: np.ndarray, p: np.ndarray) -> Prices:
    """Legal prices of the problem from border parts and legal row prices of the engine (价格导出).

    A window's price goes to the end that it stands for. Parts are cut off at 0 and at the bonus.
    """
    limit = np.zeros(len(problem.limits))
    for r, members in enumerate(d.members):
        if p[r] == 0.0:
            continue
        open_ends = ("<=", "==") if p[r] > 0 else (">=", "==")
        fit = [k for k in members if problem.limits[k].relation in open_ends]
        room = [problem.limits[k].bound - problem.limits[k].constant for k in fit]
        limit[fit[int(np.argmin(room) if p[r] > 0 else np.argmax(room))]] = p[r]
    return Prices(limit, tuple(_split(d, problem, a, k) for k in range(d.layers)))


def row_prices(d: Dense, limit: np.ndarray) -> np.ndarray:
    """Row prices of the engine from prices of the limits, (R,) (价格导入)."""
    return np.array([float(limit[list(members)].sum()) for members in d.members])


def parts_from(d: Dense, problem: PlanProblem, prices: Prices) -> np.ndarray:
    """Border parts of the engine from an earlier run's prices, (e, L) float32 (分摊导入)."""
    parts = np.zeros((len(d.layout.end_i), d.layers), np.float32)
    for k, (p, split) in enumerate(zip(problem.pairs, prices.split, strict=True)):
        rows, turned = d.layer_rows[k], d.layer_turned[k]
        if rows is None or turned is None:
            parts[:, k] = split
        else:
            np.add.at(parts[:, k], rows, np.where(turned, p.weight - split, split))
    return parts


def _split(d: Dense, problem: PlanProblem, a: np.ndarray, k: int) -> np.ndarray:
    weight, rows, turned = problem.pairs[k].weight, d.layer_rows[k], d.layer_turned[k]
    column = d.layout.weight[:, k if d.layout.weight.shape[1] > 1 else 0]
    if rows is None or turned is None:
        part = np.clip(a[:, k], np.float32(0.0), column)
    else:
        share = np.divide(np.clip(a[:, k], 0.0, column), column, out=np.zeros(len(column)), where=column > 0)[rows]
        part = (np.where(turned, 1.0 - share, share) * weight).astype(np.float32)
    over = part > weight
    part[over] = np.nextafter(weight[over].astype(np.float32), np.float32(0.0))
    return part
