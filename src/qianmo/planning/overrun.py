"""By how much a plan breaks its limits, exact to the dm2 or fen, and the same said to the compiled loops (超限量).

The loops count in single-precision sizes. Far from a limit that is enough; a window that a plan fills to the last square
decimetre needs its ends moved by what the two sums differ at that plan.
"""

from __future__ import annotations

import numpy as np

from qianmo.planning.engine.dense import Dense, choice_of
from qianmo.planning.engine.rounding import row_values, settle
from qianmo.planning.problem import Limit, PlanProblem, limit_values

__all__ = ["exact_ends", "overrun", "settled"]

HALF_STEP = 0.004
"""Less than half a square decimetre or fen, in m2 or yuan: room for rounding in sums of whole numbers of them."""


def overrun(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """By how much each limit is broken, exact to the dm2 or fen, (L,) (超限量)."""
    value = limit_values(problem, choice)
    out = np.zeros(len(problem.limits))
    for k, x in enumerate(problem.limits):
        room = value[k] - x.bound
        over = abs(room) if x.relation == "==" else max(room, 0.0) if x.relation == "<=" else max(-room, 0.0)
        out[k] = over if over > _noise(x, value[k]) else 0.0
    return out


def exact_ends(problem: PlanProblem, d: Dense, slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of every row of `d`, (R,) each, such that comparing its sums at and near `slot` says what the limits say (精确上下限).

    At `slot` itself a row lies outside these ends if and only if `overrun` finds one of its limits broken.
    """
    value, act = limit_values(problem, choice_of(d, slot)), row_values(d, slot)
    low, high = np.full(len(d.low), -np.inf), np.full(len(d.low), np.inf)
    for r, members in enumerate(d.members):
        for k in members:
            x = problem.limits[k]
            room = HALF_STEP if x.is_whole else _noise(x, value[k])
            if x.relation != "<=":
                low[r] = max(low[r], act[r] + (x.bound - value[k]) - room)
            if x.relation != ">=":
                high[r] = min(high[r], act[r] + (x.bound - value[k]) + room)
    return low, high


def settled(problem: PlanProblem, d: Dense, slot: np.ndarray, price: np.ndarray, *, turns: int = 6) -> np.ndarray | None:
    """Slots near the given ones that keep every limit exactly, or None where none were found (精确修复)."""
    for _ in range(turns):
        ends = exact_ends(problem, d, slot)
        found = settle(d, slot, price, ends=ends)
        if found is None:
            return None
        if np.array_equal(found, slot):
            return found
        slot = found
    return None if overrun(problem, choice_of(d, slot)).any() else slot


def _noise(limit: Limit, value: float) -> float:
    """What a sum may lie beyond its bound by rounding alone."""
    return 1e-6 if limit.is_whole else 1e-9 * max(1.0, abs(limit.bound), abs(value))
