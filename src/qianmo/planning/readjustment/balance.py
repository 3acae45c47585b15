"""Prices of owners that bring every holding near its value: a smoothed dual by Newton steps (均衡价格)."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu

__all__ = ["balanced_prices", "soft_shares"]

_HALVINGS = 6
_NEAR = 2e-3
_RIDGE = 1e-9


def balanced_prices(
    cost: np.ndarray, candidate: np.ndarray, value: np.ndarray, wanted: np.ndarray, price: np.ndarray, *, softness: float, steps: int
) -> tuple[np.ndarray, float]:
    r"""Owner prices at which soft shares come near the wanted values (平滑对偶的牛顿法).

    Maximises the concave dual :math:`\sum_o w_o V_o - \epsilon \sum_j v_j \log \sum_o e^{(w_o - c_{jo})/\epsilon}`, whose gradient
    is wanted less given value. The prices are a warm start and a guide for re-centring only; the exact flow needs no trust in them.

    Parameters
    ----------
    cost, candidate : (n, m)
        Cost and owner of each candidate. [m2]
    value : (n,) and wanted : (k,)
        Same sum.
    price : (k,)
        Where to begin. [m2]
    softness : float
        Epsilon. [m2]

    Returns
    -------
    price : (k,) float
        Prices. [m2]
    imbalance : float
        Sum of what is given wrongly as a share of all value, from 0 to 2.
    """
    here = price.astype(float)
    k = len(wanted)
    level, share = _dual(cost, candidate, value, wanted, here, softness)
    for _ in range(steps):
        given = np.bincount(candidate.ravel(), (share * value[:, None]).ravel(), k)
        slope = wanted - given
        if np.abs(slope).sum() <= _NEAR * wanted.sum():
            break
        move = _newton(share, candidate, value, given, slope, softness)
        here, level, share, moved = _walk(cost, candidate, value, wanted, here, move, level, share, softness)
        if not moved:
            break
    given = np.bincount(candidate.ravel(), (share * value[:, None]).ravel(), k)
    return np.asarray(here - here.mean()), float(np.abs(wanted - given).sum() / wanted.sum())


def soft_shares(cost: np.ndarray, candidate: np.ndarray, price: np.ndarray, *, softness: float) -> np.ndarray:
    """(n, m) share of each parcel that goes to each candidate, rows sum to 1 (软分配)."""
    return np.asarray(_shares(cost, candidate, price, softness)[1])


def _walk(
    cost: np.ndarray, candidate: np.ndarray, value: np.ndarray, wanted: np.ndarray, here: np.ndarray, move: np.ndarray,
    level: float, share: np.ndarray, softness: float,
) -> tuple[np.ndarray, float, np.ndarray, bool]:  # fmt: skip
    length = 1.0
    for _ in range(_HALVINGS):
        there = here + length * move
        new_level, new_share = _dual(cost, candidate, value, wanted, there, softness)
        if new_level > level:
            return there, new_level, new_share, True
        length /= 2
    return here, level, share, False


def _dual(
    cost: np.ndarray, candidate: np.ndarray, value: np.ndarray, wanted: np.ndarray, price: np.ndarray, softness: float
) -> tuple[float, np.ndarray]:
    soft, share = _shares(cost, candidate, price, softness)
    return float(wanted @ price - value @ soft), share


def _newton(share: np.ndarray, candidate: np.ndarray, value: np.ndarray, given: np.ndarray, slope: np.ndarray, softness: float) -> np.ndarray:
    n, m = candidate.shape
    k = len(given)
    rows = np.repeat(np.arange(n), m)
    keep = share.ravel() > 1e-4
    table = coo_array((share.ravel()[keep], (rows[keep], candidate.ravel()[keep])), shape=(n, k)).tocsr()
    weighted = table.multiply(value[:, None]).tocsr()
    curve = (diags_array(given) - table.T @ weighted) / softness
    ridge = _RIDGE * max(float(given.max()), 1.0) / softness
    lifted = csc_array(curve + diags_array(np.full(k, ridge) + np.where(given <= 1e-6 * given.mean(), given.mean() / softness, 0.0)))
    return np.asarray(splu(lifted).solve(slope))


@njit(cache=True)
def _shares(cost: np.ndarray, candidate: np.ndarray, price: np.ndarray, softness: float) -> tuple[np.ndarray, np.ndarray]:
    n, m = candidate.shape
    soft, share = np.empty(n), np.empty((n, m))
    for j in range(n):
        top = -np.inf
        for c in range(m):
            share[j, c] = (price[candidate[j, c]] - cost[j, c]) / softness
            top = max(top, share[j, c])
        total = 0.0
        for c in range(m):
            share[j, c] = np.exp(share[j, c] - top)
            total += share[j, c]
        for c in range(m):
            share[j, c] /= total
        soft[j] = softness * (top + np.log(total))
    return soft, share
