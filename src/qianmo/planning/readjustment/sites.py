"""Costs between parcels and the sites of owners, and the few owners worth looking at (候选权利人)."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

__all__ = ["cheapest_owner", "integer_costs", "nearest_by_price"]

def integer_costs(points: np.ndarray, sites: np.ndarray, scale: float) -> np.ndarray:
    """Squared distance between paired points and sites in whole units (整数成本).

    Parameters
    ----------
    points, sites : (..., 2) float
        Broadcast against one another. [m]
    scale : float
        Units of cost in a square metre: costs are whole numbers, so that a proof has no rounding.

    Returns
    -------
    ndarray, int64
        ``rint(scale * d**2)``.
    """
    step = points - sites
    return np.asarray(np.rint((step[..., 0] ** 2 + step[..., 1] ** 2) * scale), dtype=np.int64)


def nearest_by_price(points: np.ndarray, sites: np.ndarray, price: np.ndarray, *, count: int) -> np.ndarray:
    """The owners with the least cost less price at each point, found by a tree in three dimensions (按价格最近的权利人).

    Parameters
    ----------
    points : (n, 2), sites : (k, 2) [m]
    price : (k,)
        Of each owner. [m2]
    count : int
        Owners wanted; all where there are fewer.

    Returns
    -------
    (n, min(count, k)) int
        Best first.
    """
    lift = np.sqrt(np.maximum(price.max() - price, 0.0))
    tree = cKDTree(np.column_stack([sites, lift]))
    flat = np.column_stack([points, np.zeros(len(points))])
    found = tree.query(flat, k=min(count, len(sites)))[1]
    return np.asarray(found).reshape(len(points), -1)


@njit(cache=True)
def cheapest_owner(x: np.ndarray, y: np.ndarray, site_x: np.ndarray, site_y: np.ndarray, price: np.ndarray, scale: float) -> np.ndarray:
    """Best of ALL owners at each point by integer cost less integer price: the test that no pruned owner was wanted (价格检验)."""
    best = np.empty(len(x), np.int64)
    for j in range(len(x)):
        least, at = np.int64(0), -1
        for o in range(len(site_x)):
            dx, dy = x[j] - site_x[o], y[j] - site_y[o]
            reduced = np.int64(np.rint((dx * dx + dy * dy) * scale)) - price[o]
            if at < 0 or reduced < least:
                least, at = reduced, o
        best[j] = at
    return best
