"""Small normal equations of sixteen pixels side by side (并行小法方程)."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["LANES", "packed_products", "solve_lanes"]

LANES = 16
"""Pixels solved side by side: one line of the cache of single precision (并行像元数)."""


def packed_products(design: np.ndarray) -> np.ndarray:
    """Products of the columns of a design (d, k), the lower triangle by rows: (d, k(k + 1)/2) (列积)."""
    low = np.tril_indices(design.shape[1])
    return np.ascontiguousarray(design[:, low[0]] * design[:, low[1]])


@njit(cache=True)
def solve_lanes(normal, right, count, good):
    """Cholesky in place of packed small matrices side by side; `good` becomes False where one is singular or has too few dates."""
    k = right.shape[0]
    whole = np.empty(LANES)
    for j in range(k):
        at = j * (j + 1) // 2
        whole[:] = normal[at + j]
        for m in range(j):
            for w in range(LANES):
                normal[at + j, w] -= normal[at + m, w] * normal[at + m, w]
        for w in range(LANES):
            if not normal[at + j, w] > 1e-10 * whole[w] or count[w] < k + 3:
                good[w], normal[at + j, w] = False, 1.0
            normal[at + j, w] = np.sqrt(normal[at + j, w])
        for i in range(j + 1, k):
            to = i * (i + 1) // 2
            for m in range(j):
                for w in range(LANES):
                    normal[to + j, w] -= normal[to + m, w] * normal[at + m, w]
            for w in range(LANES):
                normal[to + j, w] /= normal[at + j, w]
    for j in range(k):
        at = j * (j + 1) // 2
        for m in range(j):
            for w in range(LANES):
                right[j, w] -= normal[at + m, w] * right[m, w]
        for w in range(LANES):
            right[j, w] /= normal[at + j, w]
    for j in range(k - 1, -1, -1):
        for m in range(j + 1, k):
            at = m * (m + 1) // 2
            for w in range(LANES):
                right[j, w] -= normal[at + j, w] * right[m, w]
        for w in range(LANES):
            right[j, w] /= normal[j * (j + 1) // 2 + j, w]
