"""Prices and shares of the labelling relaxation by a restarted primal-dual method (原始对偶法).

The relaxation lets a patch take shares of its options. Its saddle point is approached by the
primal-dual hybrid gradient with diagonal steps [1]_, reflected and anchored (Halpern) and restarted
with a new balance of primal and dual steps [2]_. Whatever the iterate, its prices prove a bound.

.. [1] T. Pock, A. Chambolle, Diagonal preconditioning for first order primal-dual algorithms, ICCV 2011.
.. [2] H. Lu, J. Yang, Restarted Halpern PDHG for linear programming, arXiv:2407.16144, 2024.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qianmo.planning.engine.dense import Dense
from qianmo.planning.engine.kernels import border_pass, bound_pass, patch_pass

__all__ = ["Steps", "State", "iterate", "price_support", "signed_prices", "start_state", "steps_of"]

SAFETY = 0.98
"""Share of the largest step that is taken."""


@dataclass(frozen=True)
class Steps:
    """Diagonal scales (步长): `patch` (n,), `row` (R,) points per unit and `row_size` (R,) sum of coefficients."""

    patch: np.ndarray
    row: np.ndarray
    row_size: np.ndarray


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
    pull = np.zeros(d.n)
    most = d.weight.max(axis=1) if d.layers else np.zeros(0, np.float32)
    np.add.at(pull, d.end_i, most)
    np.add.at(pull, d.end_j, most)
    used = np.isfinite(d.value)
    spread = np.where(used, d.value, -np.inf).max(axis=1) - np.where(used, d.value, np.inf).min(axis=1)
    open_ = d.count > 1
    typical = float(np.median((pull + spread)[open_])) if open_.any() else 1.0
    typical = typical if typical > 0 else 1.0
    size = np.abs(d.row_coefficient)
    rows = len(d.low)
    row_size = np.bincount(d.row, size, rows).astype(float)
    mean = row_size / np.maximum(np.bincount(d.row, minlength=rows), 1)
    row = np.where(mean > 0, typical / np.where(mean > 0, mean, 1.0), 0.0)
    load = np.zeros(d.n * d.slots)
    owner = np.repeat(np.arange(d.n, dtype=np.int64), np.diff(d.row_first))
    np.add.at(load, owner * d.slots + d.row_slot, row[d.row] * size)
    patch = np.maximum(pull + load.reshape(d.n, d.slots).max(axis=1), 1e-3 * typical)
    return Steps(patch, row, np.maximum(row_size, 1e-300))


def start_state(d: Dense, *, prices: np.ndarray | None = None, parts: np.ndarray | None = None, slot: np.ndarray | None = None) -> State:
    """First iterate: a slot of each patch, halves of the bonuses, no prices; or those of an earlier run (初始状态)."""
    x = np.zeros((d.n, d.slots), np.float32)
    x[np.arange(d.n), np.argmax(d.value, axis=1) if slot is None else slot] = 1.0
    if parts is None:
        parts = np.repeat(d.weight / 2, d.layers if d.weight.shape[1] == 1 else 1, axis=1) if d.layers else np.zeros((0, 1))
    return State(x, np.ascontiguousarray(parts, np.float32), np.zeros(len(d.low)) if prices is None else prices.copy(), 0.5)


def iterate(d: Dense, steps: Steps, state: State, *, check: int = 20) -> Iterator[tuple[float, np.ndarray]]:
    """Move the state on and on; gives, every `check` steps, a bound and the legal row prices that prove it (迭代).

    The state is changed in place; its parts may lie outside their bonus and are then taken at the
    nearest end. The caller stops.
    """
    x0, a0, p0 = state.x.copy(), state.a.copy(), state.p.copy()
    rows, k, first, last, total = len(d.low), 0, 0.0, np.inf, 0
    states = np.zeros((d.n, max(d.layers, 1)), np.float32)
    places = (d.value, d.label, d.only, d.table, d.count, d.weight, d.near, d.near_first)
    entries = (d.row_first, d.row, d.row_slot, d.row_coefficient)
    while True:
        tau = (SAFETY / (state.omega * steps.patch)).astype(np.float32)
        scale = (SAFETY * state.omega / (2.0 * d.mends)).astype(np.float32) if d.layers else np.zeros(1, np.float32)
        sigma = SAFETY * state.omega * steps.row / steps.row_size
        blend = (k + 1.0) / (k + 2.0)
        price = state.p.astype(np.float32)
        sums, moved_x = patch_pass(state.x, x0, state.a, price, *places, *entries, tau, states, blend, 1.0, rows)
        moved_a = border_pass(state.a, a0, states, d.weight, d.end_i, d.end_j, scale, blend, 1.0)
        q = state.p + sigma * sums.sum(axis=0)
        after = q - sigma * np.clip(q / np.maximum(sigma, 1e-300), d.low, d.high)
        moved_p = float((np.square(after - state.p) / np.maximum(sigma, 1e-300)).sum())
        residual = float(np.sqrt(moved_x.sum() + moved_a.sum() + moved_p))
        state.p = blend * (2.0 * after - state.p) + (1.0 - blend) * p0
        k, total, state.steps_done = k + 1, total + 1, state.steps_done + 1
        first = residual if k == 1 else first
        if k > 3 and (residual <= 0.2 * first or (residual <= 0.8 * first and residual > last) or k >= 0.36 * total):
            state.omega = _balance(d, steps, state, x0, a0, p0)
            np.copyto(x0, state.x)
            np.copyto(a0, state.a)
            p0, k, residual = state.p.copy(), 0, np.inf
        last = residual
        if total % check == 0:
            legal = signed_prices(d, state.p)
            found, _ = bound_pass(state.a, legal, *places, *entries, d.layers)
            yield float(found.sum()) + price_support(d, legal) - d.base, legal


def signed_prices(d: Dense, p: np.ndarray) -> np.ndarray:
    """Prices with the sign that the ends of each row allow (合法价格)."""
    upper, lower = np.isfinite(d.high), np.isfinite(d.low)
    return np.where(upper & lower, p, np.where(upper, np.maximum(p, 0.0), np.where(lower, np.minimum(p, 0.0), 0.0)))


def price_support(d: Dense, p: np.ndarray) -> float:
    """Price times the end of each row that it stands for (价格项)."""
    ends = np.where(p > 0, np.where(np.isfinite(d.high), d.high, 0.0), np.where(np.isfinite(d.low), d.low, 0.0))
    return float((p * ends).sum())


def _balance(d: Dense, steps: Steps, state: State, x0: np.ndarray, a0: np.ndarray, p0: np.ndarray) -> float:
    """New balance of the steps: how far prices went against how far shares went, smoothed."""
    primal = float(np.sqrt(np.einsum("is,is,i->", state.x - x0, state.x - x0, steps.patch)))
    far = state.a - a0
    dual = float(np.einsum("ek,ek->", far, far / np.maximum(d.weight / 2.0, 1e-12))) if d.layers else 0.0
    safe = np.where(steps.row > 0, steps.row, 1.0)
    dual = float(np.sqrt(dual + (np.square(state.p - p0) * steps.row_size / safe).sum()))
    if primal <= 1e-12 or dual <= 1e-12:
        return state.omega
    return float(np.sqrt(state.omega * dual / primal))
