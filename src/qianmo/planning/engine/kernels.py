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

__all__ = ["BLOCKS", "border_pass", "bound_pass", "patch_pass"]

BLOCKS = 64
"""Blocks that patches and borders are cut into."""

F = np.float32


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
def patch_pass(
    x, x0, a, p, value, label, only, table, count, weight, near, near_first, row_first, row, row_slot, row_coefficient,
    tau, states, blend, reflect, limits,
):  # fmt: skip
    """Move the shares of every patch; gives row sums (BLOCKS, R) of 2 x+ - x and squared moves (BLOCKS,).

    `states` (n, L) receives the states of 2 x+ - x. `x` becomes blend * ((1 + reflect) x+ - reflect x)
    + (1 - blend) x0.
    """
    n, slots = value.shape
    layers = states.shape[1]
    sums = np.zeros((BLOCKS, limits))
    moved = np.zeros(BLOCKS)
    c_now, c_was, c_0 = F(blend * (1.0 + reflect)), F(-blend * reflect), F(1.0 - blend)
    for b in prange(BLOCKS):
        pull = np.empty(max(layers, 1), np.float32)
        y = np.empty(slots, np.float32)
        part = np.zeros(limits)
        move = 0.0
        for i in range(n * b // BLOCKS, n * (b + 1) // BLOCKS):
            s = count[i]
            _gather(i, a, weight, near, near_first, layers, pull)
            for k in range(s):
                q = value[i, k]
                o = only[label[i, k]]
                if o >= 0:
                    q += pull[o]
                elif o == -2:
                    m = table[label[i, k]]
                    for layer in range(layers):
                        if (m >> layer) & 1:
                            q += pull[layer]
                y[k] = q
            for t in range(row_first[i], row_first[i + 1]):
                y[row_slot[t]] -= p[row[t]] * row_coefficient[t]
            step = tau[i]
            for k in range(s):
                y[k] = x[i, k] + step * y[k]
            _project(y, s)
            for k in range(layers):
                pull[k] = F(0.0)
            square = F(0.0)
            for k in range(s):
                was = x[i, k]
                now = y[k]
                far = now + now - was
                square += (now - was) * (now - was)
                o = only[label[i, k]]
                if o >= 0:
                    pull[o] += far
                elif o == -2:
                    m = table[label[i, k]]
                    for layer in range(layers):
                        if (m >> layer) & 1:
                            pull[layer] += far
                y[k] = far
                x[i, k] = c_now * now + c_was * was + c_0 * x0[i, k]
            move += square / step
            for k in range(layers):
                states[i, k] = pull[k]
            for t in range(row_first[i], row_first[i + 1]):
                part[row[t]] += y[row_slot[t]] * row_coefficient[t]
        sums[b] = part
        moved[b] = move
    return sums, moved


@njit(cache=True, parallel=True, fastmath=True)
def border_pass(a, a0, states, weight, end_i, end_j, scale, blend, reflect):
    """Move the parts of every border; gives squared moves (BLOCKS,). `scale` (L,) is omega over twice the mends."""
    e_count, layers = a.shape
    moved = np.zeros(BLOCKS)
    wide = weight.shape[1] > 1
    c_now, c_was, c_0 = F(blend * (1.0 + reflect)), F(-blend * reflect), F(1.0 - blend)
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
def bound_pass(
    a, p, value, label, only, table, count, weight, near, near_first, row_first, row, row_slot, row_coefficient, layers
):  # fmt: skip
    """Sum over patches of the best slot after prices (BLOCKS,), and that slot (n,) int16.

    Parts outside their bonus are taken at its nearest end, so that the sum is a bound at any state.
    """
    n, slots = value.shape
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
                q = float(value[i, k])
                m = table[label[i, k]]
                for layer in range(layers):
                    if (m >> layer) & 1:
                        q += pull[layer]
                y[k] = q
            for t in range(row_first[i], row_first[i + 1]):
                y[row_slot[t]] -= p[row[t]] * row_coefficient[t]
            top = 0
            for k in range(1, s):
                if y[k] > y[top]:
                    top = k
            best[i] = top
            total[b] += y[top]
    return total, best
