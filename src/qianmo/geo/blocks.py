"""Blocks: polygons that lie closer than a gap belong together (连片分组)."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["blocks"]


def blocks(geoms: np.ndarray, *, gap_m: float) -> np.ndarray:
    """Block number of each polygon, from 0 in order of first appearance (连片编号).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons in a metric CRS. [m]
    gap_m : float
        Polygons at most this far apart are in one block: a narrower road or canal does not split. [m]

    Returns
    -------
    ndarray, n, int
    """
    array = np.asarray(geoms, dtype=object)
    n = len(array)
    if n == 0:
        return np.empty(0, np.int64)
    tree = shapely.STRtree(array)
    if gap_m > 0:
        i, j = tree.query(array, predicate="dwithin", distance=gap_m)
    else:
        i, j = tree.query(array, predicate="intersects")
    graph = coo_array((np.ones(len(i), np.int8), (i, j)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[back]
