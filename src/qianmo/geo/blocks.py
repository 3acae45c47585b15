"""Blocks: polygons that lie closer than a gap belong together (连片分组)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.geo.edges import edges_of, links
from qianmo.schema.errors import SchemaError

__all__ = ["blocks", "core_graph"]

_MATCHING_M = 1e-3
"""Gaps from which on equal edges, matched to a tenth of a millimetre, are near enough. [m]"""


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
    _refuse_gap(gap_m)
    array = np.asarray(geoms, dtype=object)
    label = _components(len(array), *_by_edges(array, gap_m))
    i, j = _near_boxes(array, gap_m)
    apart = label[i] != label[j]
    i, j = i[apart], j[apart]
    close = shapely.dwithin(array[i], array[j], gap_m)
    label = _components(int(label.max(initial=-1)) + 1, label[i[close]], label[j[close]])[label]
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
    _refuse_gap(gap_m)
    array = np.asarray(geoms, dtype=object)
    i, j = shapely.STRtree(array).query(array, predicate="dwithin", distance=gap_m)
    i, j = i[i < j], j[i < j]
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    return pd.DataFrame({"i": i, "j": j, "distance_m": shapely.distance(array[i], array[j]).astype(float)})


def _refuse_gap(gap_m: float) -> None:
    if not gap_m >= 0.0:
        raise SchemaError(f"gap of {gap_m} m", expected="0 or more metres")


def _by_edges(geoms: np.ndarray, gap_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of polygons that share an edge, enough to join all that do; none where the gap is finer than the matching."""
    if gap_m < _MATCHING_M:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    edges = edges_of(geoms)
    p, q = links(edges)
    return edges.owner[p], edges.owner[q]


def _near_boxes(geoms: np.ndarray, gap_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs i < j whose boxes lie at most a gap apart in x and in y."""
    box = shapely.bounds(geoms)
    wide = shapely.box(box[:, 0] - gap_m, box[:, 1] - gap_m, box[:, 2] + gap_m, box[:, 3] + gap_m)
    i, j = shapely.STRtree(geoms).query(wide)
    once = i < j
    return i[once], j[once]


def _components(n: int, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Number of the component of each of n things that pairs join."""
    if not n:
        return np.empty(0, np.int64)
    return connected_components(coo_array((np.ones(len(i), np.int8), (i, j)), shape=(n, n)), directed=False)[1]
