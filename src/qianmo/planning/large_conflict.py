"""Which limits of a large problem cannot hold together, by prices that prove it (大规模约束冲突).

With every value at 0 no plan scores above 0; prices whose bound is below 0 therefore prove that no
plan keeps the limits they stand on, and name the limits in conflict.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qianmo.planning.engine.dense import Dense, dense
from qianmo.planning.engine.entries import row_amounts
from qianmo.planning.engine.kernels import bound_pass
from qianmo.planning.engine.primal_dual import iterate, price_support, start_state, steps_of
from qianmo.planning.engine.rounding import nearest_slots
from qianmo.planning.overrun import settled
from qianmo.planning.problem import Limit, PlanProblem

__all__ = ["conflicting_limits", "is_reachable", "most_reachable"]

STEPS, TRY_EVERY = 1_200, 100
"""Most steps of one question, and steps between attempts to find a plan."""

PROOF = 1e-6
"""A bound this far below 0, as a share of the priced sums, is a proof and no rounding."""


def is_reachable(problem: PlanProblem, limits: list[Limit]) -> bool | None:
    """True where a plan keeps the limits, False where none does, None where neither was shown (可行性判定)."""
    found, _, _ = _question(problem, limits)
    return found


def conflicting_limits(problem: PlanProblem) -> list[int]:
    """Numbers of limits that no plan keeps together, none of which can be left out; empty where none was shown (最小冲突集)."""
    found, core, _ = _question(problem, list(problem.limits))
    if found is not False:
        return []
    for k in list(core):
        fewer = [i for i in core if i != k]
        shown, rest, _ = _question(problem, [problem.limits[i] for i in fewer])
        if shown is False:
            core = [fewer[i] for i in rest]
    return sorted(core)


def most_reachable(problem: PlanProblem, others: list[Limit], limit: Limit) -> float:
    """No plan within `others` brings the left side of `limit` nearer to its bound than this (可达上限)."""
    sign = 1.0 if limit.relation == ">=" else -1.0
    value = np.zeros(problem.m)
    np.add.at(value, limit.option, sign * limit.coefficient)
    size = float(np.abs(value[value != 0]).mean()) if (value != 0).any() else 1.0
    d = dense(replace(problem, value=value / size, pairs=(), limits=tuple(others)))
    state, best = start_state(d), np.inf
    for bound, _ in iterate(d, steps_of(d), state):
        best = min(best, bound)
        if state.steps_done >= STEPS // 2:
            break
    return limit.constant + sign * best * size


def _question(problem: PlanProblem, limits: list[Limit]) -> tuple[bool | None, list[int], np.ndarray]:
    """Whether a plan keeps the limits; where none does, the limits that the proof stands on."""
    bare = replace(problem, value=np.zeros(problem.m), pairs=(), limits=tuple(limits))
    d = dense(bare)
    if not limits:
        return True, [], np.zeros(0)
    state = start_state(d)
    for bound, price in iterate(d, steps_of(d), state):
        if bound < -PROOF * max(_size(d, price), 1e-12):
            return False, _standing(d, price), price
        if state.steps_done % TRY_EVERY == 0 and settled(bare, d, nearest_slots(d, state.x), price, turns=3) is not None:
            return True, [], price
        if state.steps_done >= STEPS:
            return None, [], price
    return None, [], np.zeros(0)


def _standing(d: Dense, price: np.ndarray) -> list[int]:
    """Numbers of the limits with the largest prices that still prove the conflict."""
    weight = np.abs(price) * row_amounts(d)[0]
    order = np.argsort(-weight)
    count = 1
    while count < len(order):
        kept = np.zeros(len(price))
        kept[order[:count]] = price[order[:count]]
        if _bound(d, kept) < -PROOF * max(_size(d, kept), 1e-12):
            break
        count = min(2 * count, len(order))
    rows = [r for r in order[:count].tolist() if price[r] != 0.0]
    return sorted(k for r in rows for k in d.members[r])


def _bound(d: Dense, price: np.ndarray) -> float:
    return bound_pass(d.layout, np.zeros((0, 1), np.float32), price)[0] + price_support(d, price)


def _size(d: Dense, price: np.ndarray) -> float:
    return float(np.abs(price) @ row_amounts(d)[0])
