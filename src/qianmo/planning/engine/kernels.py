"""Compiled loops of the primal-dual method: one pass over patches, one over borders (原始对偶迭代核).

State: shares `x` (n, S) of the slots, parts `a` (e, L) of each border bonus that end i gets, and a
price `p` (R,) of each limit. One step of the operator T is

    x+ = projection on the simplex of x + tau (value + parts of the borders - prices of the limits)
    a+ = a - sigma_e (y_i - y_j) kept within 0 and the bonus,  y the states of 2 x+ - x
    p+ = p + sigma_r (row - the nearest row value that the limit allows)

Work is cut into a fixed number of blocks and sums are added block by block, so that the result
does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from qianmo.planning.engine.layout import Layout

__all__ = ["BLOCKS", "border_pass", "bound_pass", "column_prices", "patch_pass", "row_sums"]

BLOCKS = 64
"""Blocks that patches and borders are cut into."""

F = np.float32


def column_prices(g: Layout, p: np.ndarray) -> np.ndarray:
    """Price of each column a unit of size, (C,) (列价格)."""
    each = np.concatenate([[0.0], np.cumsum(p[g.column_row] * g.column_sign)])
    return each[g.column_first[1:]] - each[g.column_first[:-1]]


def row_sums(g: Layout, by_row: np.ndarray, by_column: np.ndarray) -> np.ndarray:
    """Rows from the sums of the entries besides (R,) and of the sizes by column (C,) (约束行求和)."""
    length = np.diff(g.column_first)
    return by_row + np.bincount(g.column_row, np.repeat(by_column, length) * g.column_sign, len(by_row))


def patch_pass(
    g: Layout, x: np.ndarray, x0: np.ndarray, a: np.ndarray, p: np.ndarray, tau: np.ndarray, states: np.ndarray, blend: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Move the shares of every patch; gives the rows of 2 x+ - x (R,), the amounts of each row that are undecided (R,), the squared moves (图斑步).

    Undecided are the slots that have part of a patch; the amount is the sum of their coefficients' sizes.

    `states` (n, L) receives the states of 2 x+ - x. `x` becomes blend * (2 x+ - x) + (1 - blend) x0.
    """
    q = column_prices(g, p).astype(np.float32)
    by_row, by_column, open_row, open_column, moved = _patch_pass(
        x, x0, a, p.astype(np.float32), q, g.value, g.label, g.only, g.table, g.width, g.weight, g.near, g.near_first, g.size, g.column,
        g.row_first, g.row, g.row_slot, g.row_coefficient, tau, states, blend,
    )  # fmt: skip
    rows = row_sums(g, by_row.sum(axis=0), by_column.sum(axis=0))
    amounts = np.bincount(g.column_row, np.repeat(open_column.sum(axis=0), np.diff(g.column_first)), len(p)) + open_row.sum(axis=0)
    return rows, amounts, float(moved.sum())


def bound_pass(g: Layout, a: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum over patches of the best slot after prices, and that slot (n,) int16 (上界步).

    Parts outside their bonus are taken at its nearest end, so that the sum is a bound at any state.
    """
    total, best = _bound_pass(
        a, p, column_prices(g, p), g.value, g.label, g.table, g.width, g.weight, g.near, g.near_first, g.size, g.column, g.row_first,
        g.row, g.row_slot, g.row_coefficient,
    )  # fmt: skip
    return float(total.sum()), best


@njit(cache=True, inline="always", fastmath=True)
def _gather(i, a, weight, near, near_first, layers, pull):
    """Parts of the borders at patch i, by layer."""
    wide = weight.shape[1] > 1
    for k in range(layers):
        pull[k] = F(0.0)
    for t in range(near_first[i], near_first[i + 1]):
        c = near[t]
        e = c >> 1
        if c & 1:
            if wide:
                for k in range(layers):
                    pull[k] += weight[e, k] - a[e, k]
            else:
                w = weight[e, 0]
                for k in range(layers):
                    pull[k] += w - a[e, k]
        else:
            for k in range(layers):
                pull[k] += a[e, k]


@njit(cache=True, inline="always", fastmath=True)
def _project(y, s):
    """Nearest point of the simplex, in place (Michelot)."""
    total = F(0.0)
    for k in range(s):
        total += y[k]
    live = s
    theta = (total - F(1.0)) / F(live)
    for _ in range(s):
        kept = 0
        again = F(0.0)
        for k in range(s):
            if y[k] > theta:
                kept += 1
                again += y[k]
        if kept >= live or kept == 0:
            break
        live = kept
        theta = (again - F(1.0)) / F(live)
    for k in range(s):
        y[k] = max(y[k] - theta, F(0.0))


@njit(cache=True, parallel=True, fastmath=True)
def _patch_pass(
    x, x0, a, p, q, value, label, only, table, count, weight, near, near_first, size, column, row_first, row, row_slot,
    row_coefficient, tau, states, blend,
):  # fmt: skip
    n, slots = value.shape
    layers = states.shape[1]
    by_row, by_column = np.zeros((BLOCKS, len(p))), np.zeros((BLOCKS, len(q)))
    open_row, open_column = np.zeros((BLOCKS, len(p))), np.zeros((BLOCKS, len(q)))
    moved = np.zeros(BLOCKS)
    c_now, c_was, c_0 = F(blend * 2.0), F(-blend), F(1.0 - blend)
    for b in prange(BLOCKS):
        pull = np.empty(max(layers, 1), np.float32)
        y = np.empty(slots, np.float32)
        rows, columns = np.zeros(len(p)), np.zeros(len(q))
        rows_open, columns_open = np.zeros(len(p)), np.zeros(len(q))
        move = 0.0
        for i in range(n * b // BLOCKS, n * (b + 1) // BLOCKS):
            s = count[i]
            if s > 1:
                _gather(i, a, weight, near, near_first, layers, pull)
                for k in range(s):
                    f = value[i, k] - size[i] * q[column[i, k]]
                    o = only[label[i, k]]
                    if o >= 0:
                        f += pull[o]
                    elif o == -2:
                        m = table[label[i, k]]
                        for layer in range(layers):
                            if (m >> layer) & 1:
                                f += pull[layer]
                    y[k] = f
                for t in range(row_first[i], row_first[i + 1]):
                    y[row_slot[t]] -= p[row[t]] * row_coefficient[t]
                step = tau[i]
                for k in range(s):
                    y[k] = x[i, k] + step * y[k]
                _project(y, s)
                parts = 0
                for k in range(s):
                    parts += y[k] > F(0.0)
                if parts > 1:
                    for k in range(s):
                        if y[k] > F(0.0):
                            columns_open[column[i, k]] += size[i]
                    for t in range(row_first[i], row_first[i + 1]):
                        if y[row_slot[t]] > F(0.0):
                            rows_open[row[t]] += abs(row_coefficient[t])
                square = F(0.0)
                for k in range(s):
                    was = x[i, k]
                    now = y[k]
                    square += (now - was) * (now - was)
                    y[k] = now + now - was
                    x[i, k] = c_now * now + c_was * was + c_0 * x0[i, k]
                move += square / step
            else:
                y[0] = F(1.0)
            for k in range(layers):
                pull[k] = F(0.0)
            for k in range(s):
                far = y[k]
                columns[column[i, k]] += far * size[i]
                o = only[label[i, k]]
                if o >= 0:
                    pull[o] += far
                elif o == -2:
                    m = table[label[i, k]]
                    for layer in range(layers):
                        if (m >> layer) & 1:
                            pull[layer] += far
            for k in range(layers):
                states[i, k] = pull[k]
            for t in range(row_first[i], row_first[i + 1]):
                rows[row[t]] += y[row_slot[t]] * row_coefficient[t]
        by_row[b], by_column[b] = rows, columns
        open_row[b], open_column[b] = rows_open, columns_open
        moved[b] = move
    return by_row, by_column, open_row, open_column, moved


@njit(cache=True, parallel=True, fastmath=True)
def border_pass(a, a0, states, weight, end_i, end_j, scale, blend):
    """Move the parts of every border; gives squared moves (BLOCKS,). `scale` (L,) is omega over twice the mends."""
    e_count, layers = a.shape
    moved = np.zeros(BLOCKS)
    wide = weight.shape[1] > 1
    c_now, c_was, c_0 = F(blend * 2.0), F(-blend), F(1.0 - blend)
    for b in prange(BLOCKS):
        total = 0.0
        for e in range(e_count * b // BLOCKS, e_count * (b + 1) // BLOCKS):
            i, j = end_i[e], end_j[e]
            sq = F(0.0)
            if wide:
                for k in range(layers):
                    w = weight[e, k]
                    was = a[e, k]
                    now = was - scale[k] * w * (states[i, k] - states[j, k])
                    now = min(max(now, F(0.0)), w)
                    if w > F(0.0):
                        sq += (now - was) * (now - was) / (scale[k] * w)
                    a[e, k] = c_now * now + c_was * was + c_0 * a0[e, k]
            else:
                w = weight[e, 0]
                if w > F(0.0):
                    inv = F(1.0) / w
                    for k in range(layers):
                        was = a[e, k]
                        now = was - scale[k] * w * (states[i, k] - states[j, k])
                        now = min(max(now, F(0.0)), w)
                        sq += (now - was) * (now - was) * inv / scale[k]
                        a[e, k] = c_now * now + c_was * was + c_0 * a0[e, k]
            total += sq
        moved[b] = total
    return moved


@njit(cache=True, parallel=True)
def _bound_pass(
    a, p, q, value, label, table, count, weight, near, near_first, size, column, row_first, row, row_slot, row_coefficient
):  # fmt: skip
    n, slots = value.shape
    layers = a.shape[1]
    total = np.zeros(BLOCKS)
    best = np.zeros(n, np.int16)
    wide = weight.shape[1] > 1
    for b in prange(BLOCKS):
        pull = np.empty(max(layers, 1), np.float64)
        y = np.empty(slots, np.float64)
        for i in range(n * b // BLOCKS, n * (b + 1) // BLOCKS):
            s = count[i]
            pull[:] = 0.0
            for t in range(near_first[i], near_first[i + 1]):
                e = near[t] >> 1
                for k in range(layers):
                    w = float(weight[e, k if wide else 0])
                    part = min(max(float(a[e, k]), 0.0), w)
                    pull[k] += w - part if near[t] & 1 else part
            for k in range(s):
                f = float(value[i, k]) - float(size[i]) * q[column[i, k]]
                m = table[label[i, k]]
                for layer in range(layers):
                    if (m >> layer) & 1:
                        f += pull[layer]
                y[k] = f
            for t in range(row_first[i], row_first[i + 1]):
                y[row_slot[t]] -= p[row[t]] * row_coefficient[t]
            top = 0
            for k in range(1, s):
                if y[k] > y[top]:
                    top = k
            best[i] = top
            total[b] += y[top]
    return total, best
