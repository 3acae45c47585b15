"""Prices and shares of the labelling relaxation by a restarted primal-dual method (原始对偶法).

The relaxation lets a patch take shares of its options. Its saddle point is approached by the
primal-dual hybrid gradient with diagonal steps [1]_, reflected and anchored (Halpern) and restarted
with a new balance of primal and dual steps [2]_. Whatever the iterate, its prices prove a bound.

.. [1] T. Pock, A. Chambolle, Diagonal preconditioning for first order primal-dual algorithms, ICCV 2011.
.. [2] H. Lu, J. Yang, Restarted Halpern PDHG for linear programming, arXiv:2407.16144, 2024.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from qianmo.planning.engine.dense import Dense
from qianmo.planning.engine.entries import row_amounts
from qianmo.planning.engine.kernels import border_pass, bound_pass, patch_pass

__all__ = ["Steps", "State", "iterate", "price_support", "signed_prices", "start_state", "steps_of"]

SAFETY = 0.98
"""Share of the largest step that is taken."""

ROOM, LEAST, FEWEST = 2.0, 0.005, 20.0
"""Price steps suit this many times the undecided amount of a row; this share of its whole amount, and so many entries of it, at least."""

WIDER = 2.0
"""Factor to these where a run of steps went astray, until the steps are those that are safe for all amounts."""

FIRST_BALANCE, ROW_SHARE = 0.12, 0.3
"""Balance of primal and dual steps at first, and weight of a limit entry against a typical border; tuned on counties."""


@dataclass(frozen=True)
class Steps:
    """Diagonal scales (步长): `patch` (n,), `row` (R,) points per unit, `row_size` (R,) sum of coefficients, `row_unit` (R,) their mean."""

    patch: np.ndarray
    row: np.ndarray
    row_size: np.ndarray
    row_unit: np.ndarray


@dataclass
class State:
    """Iterate (迭代状态): shares `x` (n, S), border parts `a` (e, L), row prices `p` (R,), balance `omega`."""

    x: np.ndarray
    a: np.ndarray
    p: np.ndarray
    omega: float
    steps_done: int = 0


def steps_of(d: Dense) -> Steps:
    """Scales from the sizes of values, borders and limit entries (步长)."""
    g = d.layout
    most = g.weight.max(axis=1) if d.layers else np.zeros(0, np.float32)
    pull = np.bincount(g.end_i, most, d.n) + np.bincount(g.end_j, most, d.n)
    spread = np.where(np.isfinite(g.value), g.value, np.inf).min(axis=1)
    spread = g.value.max(axis=1) - spread
    open_ = g.width > 1
    typical = float(np.median((pull + spread)[open_])) if open_.any() else 1.0
    typical = typical if typical > 0 else 1.0
    row_size, entries = row_amounts(d)
    mean = row_size / np.maximum(entries, 1)
    row = np.where(mean > 0, ROW_SHARE * typical / np.where(mean > 0, mean, 1.0), 0.0)
    patch = np.maximum(pull + _load(d, row), 1e-3 * typical)
    return Steps(patch, row, np.maximum(row_size, 1e-300), mean)


def _load(d: Dense, row: np.ndarray) -> np.ndarray:
    """Largest sum of limit entries of one slot of each patch, each times the weight of its row, (n,)."""
    g = d.layout
    each = np.concatenate([[0.0], np.cumsum(row[g.column_row])])
    load = (each[g.column_first[1:]] - each[g.column_first[:-1]]).astype(np.float32)[g.column] * g.size[:, None]
    if len(g.row):
        owner = np.repeat(np.arange(d.n, dtype=np.int64), np.diff(g.row_first))
        np.add.at(load.reshape(-1), owner * d.slots + g.row_slot, (row[g.row] * np.abs(g.row_coefficient)).astype(np.float32))
    return load.max(axis=1)


def start_state(d: Dense, *, prices: np.ndarray | None = None, parts: np.ndarray | None = None, slot: np.ndarray | None = None) -> State:
    """First iterate: a slot of each patch, halves of the bonuses, no prices; or those of an earlier run (初始状态)."""
    x = np.zeros((d.n, d.slots), np.float32)
    x[np.arange(d.n), np.argmax(d.layout.value, axis=1) if slot is None else slot] = 1.0
    weight = d.layout.weight
    if parts is None:
        parts = np.repeat(weight / 2, d.layers if weight.shape[1] == 1 else 1, axis=1) if d.layers else np.zeros((0, 1))
    return State(x, np.ascontiguousarray(parts, np.float32), np.zeros(len(d.low)) if prices is None else prices.copy(), FIRST_BALANCE)


def iterate(d: Dense, steps: Steps, state: State, *, check: int = 20) -> Generator[tuple[float, np.ndarray], None, None]:
    """Move the state on and on; gives, every `check` steps, a bound and the legal row prices that prove it (迭代).

    The state is changed in place; its parts may lie outside their bonus and are then taken at the
    nearest end. The caller stops.
    """
    g = d.layout
    x0, a0, p0 = state.x.copy(), state.a.copy(), state.p.copy()
    k, first, last, total = 0, 0.0, np.inf, 0
    states = np.zeros((d.n, max(d.layers, 1)), np.float32)
    size, room, least = steps.row_size, ROOM, LEAST
    while True:
        tau = (SAFETY / (state.omega * steps.patch)).astype(np.float32)
        scale = (SAFETY * state.omega / (2.0 * d.mends)).astype(np.float32) if d.layers else np.zeros(1, np.float32)
        sigma = SAFETY * state.omega * steps.row / size
        blend = (k + 1.0) / (k + 2.0)
        rows, undecided, moved_x = patch_pass(g, state.x, x0, state.a, state.p, tau, states, blend)
        moved_a = border_pass(state.a, a0, states, g.weight, g.end_i, g.end_j, scale, blend)
        q = state.p + sigma * rows
        after = q - sigma * np.clip(q / np.maximum(sigma, 1e-300), d.low, d.high)
        moved_p = float((np.square(after - state.p) / np.maximum(sigma, 1e-300)).sum())
        residual = float(np.sqrt(moved_x + moved_a.sum() + moved_p))
        state.p = blend * (2.0 * after - state.p) + (1.0 - blend) * p0
        k, total, state.steps_done = k + 1, total + 1, state.steps_done + 1
        first = residual if k == 1 else first
        grown = bool((undecided > size).any())
        if k > 3 and (grown or residual <= 0.2 * first or (residual <= 0.8 * first and residual > last) or k >= 0.36 * total):
            astray = not residual <= first
            if not residual <= 2.0 * first:
                np.copyto(state.x, x0)
                np.copyto(state.a, a0)
                state.p = p0
            else:
                state.omega = _balance(d, steps, size, state, x0, a0, p0)
            room, least = (room * WIDER, min(1.0, least * WIDER)) if astray else (room, least)
            size = np.clip(room * undecided, np.maximum(least * steps.row_size, FEWEST * steps.row_unit), steps.row_size)
            np.copyto(x0, state.x)
            np.copyto(a0, state.a)
            p0, k, residual = state.p.copy(), 0, np.inf
        last = residual
        if total % check == 0:
            legal = signed_prices(d, state.p)
            yield bound_pass(g, state.a, legal)[0] + price_support(d, legal) - d.base, legal


def signed_prices(d: Dense, p: np.ndarray) -> np.ndarray:
    """Prices with the sign that the ends of each row allow (合法价格)."""
    upper, lower = np.isfinite(d.high), np.isfinite(d.low)
    return np.where(upper & lower, p, np.where(upper, np.maximum(p, 0.0), np.where(lower, np.minimum(p, 0.0), 0.0)))


def price_support(d: Dense, p: np.ndarray) -> float:
    """Price times the end of each row that it stands for (价格项)."""
    ends = np.where(p > 0, np.where(np.isfinite(d.high), d.high, 0.0), np.where(np.isfinite(d.low), d.low, 0.0))
    return float((p * ends).sum())


def _balance(d: Dense, steps: Steps, size: np.ndarray, state: State, x0: np.ndarray, a0: np.ndarray, p0: np.ndarray) -> float:
    """New balance of the steps: how far prices went against how far shares went, smoothed."""
    primal = float(np.sqrt(sum(float(np.square(state.x[:, k] - x0[:, k]) @ steps.patch) for k in range(d.slots))))
    dual = 0.0
    for k in range(d.layers):
        bonus = d.layout.weight[:, k if d.layout.weight.shape[1] > 1 else 0]
        dual += float((np.square(state.a[:, k] - a0[:, k]) / np.maximum(bonus / 2.0, 1e-12)).sum(dtype=float))
    safe = np.where(steps.row > 0, steps.row, 1.0)
    dual = float(np.sqrt(dual + (np.square(state.p - p0) * size / safe).sum()))
    if primal <= 1e-12 or dual <= 1e-12:
        return state.omega
    return float(np.sqrt(state.omega * dual / primal))
