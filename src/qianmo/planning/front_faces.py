"""Between the plans found and the bounds proven: where a front may still bulge (前沿内外逼近).

Inside: the hull of the points found, with everything below it. Outside: the half-spaces
``weights @ v <= bound`` that the solutions prove. The two meet where the front is complete.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

__all__ = ["inner_faces", "is_dominated", "lattice", "outer_height", "raised", "unproven"]

LEAST_WEIGHT = 1e-4
"""Smallest weight of an aim, so that a plan that is worse in one aim and better in none never wins."""


def lattice(k: int, degree: int) -> np.ndarray:
    """Weights with whole parts of `degree`, (q, k), ends first (单纯形格点权重).

    >>> lattice(2, 2).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    """

    def parts(left: int, places: int) -> list[tuple[int, ...]]:
        if places == 1:
            return [(left,)]
        return [(a, *rest) for a in range(left, -1, -1) for rest in parts(left - a, places - 1)]

    rows = sorted(parts(degree, k), key=lambda r: (-max(r), [-x for x in r]))
    return np.array(rows, float) / degree


def raised(weights: np.ndarray) -> np.ndarray:
    """Weights of at least `LEAST_WEIGHT`, sum 1 (权重下限)."""
    up = np.maximum(np.asarray(weights, float), LEAST_WEIGHT)
    return up / up.sum()


def inner_faces(points: np.ndarray) -> np.ndarray:
    """Weights of the faces of the hull of the points and all below them, (f, k), sum 1 (内逼近面).

    Parameters
    ----------
    points : (q, k) float
    """
    span = points.max(axis=0) - points.min(axis=0)
    low = points.min(axis=0) - np.where(span > 0, 0.1 * span, 1.0)
    k = points.shape[1]
    closed = [points]
    for mask in range(1, 2**k):
        drop = np.array([(mask >> a) & 1 for a in range(k)], bool)
        closed.append(np.where(drop, low, points))
    scale = np.where(span > 0, span, 1.0)
    everything = np.unique(np.vstack(closed), axis=0)
    normal = ConvexHull((everything - low) / scale).equations[:, :-1] / scale
    normal = normal[(normal >= -1e-12 * np.abs(normal).max(axis=1, keepdims=True)).all(axis=1)]
    weights = np.maximum(normal, 0.0)
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.unique(weights.round(12), axis=0)


def outer_height(weights: np.ndarray, proven: np.ndarray, bounds: np.ndarray) -> float:
    """Most that ``weights @ v`` can be within ``proven @ v <= bounds`` (外逼近高度)."""
    found = linprog(-weights, A_ub=proven, b_ub=bounds, bounds=(None, None), method="highs")
    return float(-found.fun) if found.status == 0 else float("inf")


def unproven(points: np.ndarray, proven: np.ndarray, bounds: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Faces with the height by which a plan could still rise above each, highest first (未证明的面) [points]."""
    found = []
    for w in inner_faces(points):
        used = raised(w)
        room = outer_height(used, proven, bounds) - float((points @ used).max())
        found.append((room, used))
    return sorted(found, key=lambda f: (-round(f[0], 9), f[1].tolist()))


def is_dominated(points: np.ndarray) -> np.ndarray:
    """Where another point is at least as good in every aim and better in one, (q,) bool (被支配)."""
    slack = 1e-9 * np.maximum(1.0, np.abs(points).max(axis=0, initial=1.0))
    at_least = (points[None, :, :] >= points[:, None, :] - slack).all(axis=2)
    better = (points[None, :, :] > points[:, None, :] + slack).any(axis=2)
    return (at_least & better).any(axis=1)
