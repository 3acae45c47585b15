"""Edges of polygons in strips, to find those near a place (边的条带索引)."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import shapely

from qianmo.geo.rings import land_on_left, rings_of

__all__ = ["EdgeIndex", "edge_index", "strip_of"]

_EDGES_A_STRIP = 8
_FEW_EDGES = 32


class EdgeIndex(NamedTuple):
    """Edges of n polygons, and which of them pass through each strip of equal height (边的条带索引).

    Edge e runs from ``edge[e, :2]`` to ``edge[e, 2:]``, with the land on its left where ``left[e]``; edges without length
    are left out. Polygon g has edges ``first[g]:first[g + 1]`` and `strips[g]` strips of height `height[g]` from
    ``box[g, 1]`` upwards; strip s of it holds the edges ``item[row[strip[g] + s]:row[strip[g] + s + 1]]``. A polygon of
    few edges has no strips: all its edges are looked at.
    """

    edge: np.ndarray
    left: np.ndarray
    first: np.ndarray
    box: np.ndarray
    strips: np.ndarray
    height: np.ndarray
    strip: np.ndarray
    row: np.ndarray
    item: np.ndarray


def edge_index(geoms: np.ndarray) -> EdgeIndex:
    """Index of polygons and multipolygons; missing and empty ones have no edges (建立索引).

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    rings = rings_of(geoms)
    at = rings.edge_starts()
    left, owner = rings.of_edges(land_on_left(rings)), rings.of_edges(rings.row)
    edge = np.hstack([rings.xy[at], rings.xy[at + 1]])
    real = (edge[:, 0] != edge[:, 2]) | (edge[:, 1] != edge[:, 3])
    if not real.all():
        edge, left, owner = edge[real], left[real], owner[real]
    count = np.bincount(owner, minlength=len(geoms))
    first = np.concatenate([[0], np.cumsum(count)])
    box = shapely.bounds(geoms)
    strips = np.where(count > _FEW_EDGES, count // _EDGES_A_STRIP, 0)
    height = np.where(strips > 0, (box[:, 3] - box[:, 1]) / np.maximum(strips, 1), 1.0)
    strip = np.concatenate([[0], np.cumsum(strips)])
    row, item = _filled(edge, first, box, strips, height, strip)
    return EdgeIndex(edge, left, first, box, strips, height, strip, row, item)


@numba.njit(cache=True, nogil=True)
def _filled(edge, first, box, strips, height, strip):  # type: ignore[no-untyped-def]
    """Rows and items of the strips, in two passes: count, then put."""
    row = np.zeros(strip[-1] + 1, np.int64)
    item = np.empty(0, np.int32)
    for put in range(2):
        for g in range(len(strips)):
            for e in range(first[g], first[g + 1] if strips[g] else first[g]):
                low = strip_of(min(edge[e, 1], edge[e, 3]), box[g, 1], height[g], strips[g])
                high = strip_of(max(edge[e, 1], edge[e, 3]), box[g, 1], height[g], strips[g])
                for s in range(strip[g] + low, strip[g] + high + 1):
                    if put:
                        row[s] -= 1
                        item[row[s]] = e
                    else:
                        row[s] += 1
        if not put:
            row = np.cumsum(row)
            item = np.empty(row[-1], np.int32)
    return row, item


@numba.njit(cache=True, nogil=True)
def strip_of(y, bottom, height, strips):  # type: ignore[no-untyped-def]
    """Strip in which a height lies; the same arithmetic in filling and in asking."""
    return min(max(int((y - bottom) / height), 0), strips - 1)
