"""Blocks: polygons that lie closer than a gap belong together (连片分组)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.schema.errors import SchemaError

__all__ = ["blocks", "core_graph"]


def blocks(geoms: np.ndarray, *, gap_m: float) -> np.ndarray:
    """Block number of each polygon, from 0 in order of first appearance (连片编号).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons in a metric CRS. A missing or empty geometry is a block of its own. [m]
    gap_m : float
        Polygons at most this far apart are in one block: a narrower road or canal does not split. With 0 they must
        touch. [m]

    Returns
    -------
    ndarray, n, int
        From 0 to the number of blocks less one; a wider gap never makes more blocks.

    Raises
    ------
    SchemaError
        The gap is negative or not a number.
    """
    i, j = _close_pairs(geoms, gap_m)
    n = len(np.asarray(geoms, dtype=object))
    graph = coo_array((np.ones(len(i), np.int8), (i, j)), shape=(n, n))
    label = connected_components(graph, directed=False)[1] if n else np.empty(0, np.int64)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[back]


def core_graph(geoms: np.ndarray, *, gap_m: float) -> pd.DataFrame:
    """Pairs of polygons at most a gap apart: the graph whose components are the blocks (连片邻接图).

    Returns
    -------
    DataFrame (i, j, distance_m)
        Positions i < j, sorted; 0 where they touch or overlap. [m]

    Raises
    ------
    SchemaError
        The gap is negative or not a number.
    """
    array = np.asarray(geoms, dtype=object)
    i, j = _close_pairs(array, gap_m)
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    return pd.DataFrame({"i": i, "j": j, "distance_m": shapely.distance(array[i], array[j]).astype(float)})


def _close_pairs(geoms: np.ndarray, gap_m: float) -> tuple[np.ndarray, np.ndarray]:
    if not gap_m >= 0.0:
        raise SchemaError(f"gap of {gap_m} m", expected="0 or more metres")
    array = np.asarray(geoms, dtype=object)
    i, j = shapely.STRtree(array).query(array, predicate="dwithin", distance=gap_m)
    once = i < j
    return i[once], j[once]
