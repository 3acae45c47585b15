"""Edges of polygons, matched vertex by vertex (多边形边的匹配)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.geo.rings import Rings, rings_of
from qianmo.schema.errors import TopologyError

__all__ = ["Edges", "edges_of", "matches"]

_KEY_M = 1e-4
_MOST_OWNERS = 100
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


@dataclass(frozen=True)
class Edges:
    """Edges of n geometries; equal ones stand next to each other in `order` (边).

    Edge k runs from ``rings.xy[start[k]]`` to the next vertex and belongs to geometry ``owner[k]``. `low` and `high` name
    its end points whichever way it runs, `is_forward` says that it runs from `low` to `high`.
    """

    rings: Rings
    start: np.ndarray
    owner: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_forward: np.ndarray
    order: np.ndarray

    def points(self, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Start and end points (len(k), 2) of some edges."""
        at = self.start[k]
        return self.rings.xy[at], self.rings.xy[at + 1]

    def group(self) -> np.ndarray:
        """Number of the distinct edge at each position of `order`, from 0."""
        low, high = self.low[self.order], self.high[self.order]
        return np.cumsum(np.concatenate([[False], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])[: len(low)])


def edges_of(geoms: np.ndarray) -> Edges:
    """Edges of polygons and multipolygons, interior rings included; vertices within 0.1 mm are one (取边).

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    rings = rings_of(geoms)
    start, owner = rings.edge_starts(), rings.of_edges(rings.row)
    vertex = _vertex_names(rings.xy)
    a, b = vertex[start], vertex[start + 1]
    real = a != b
    if not real.all():
        start, owner, a, b = start[real], owner[real], a[real], b[real]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return Edges(rings, start, owner, low, high, a < b, _sorted(low, high))


def matches(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of equal edges of two geometries: positions p and q, each pair once.

    Raises
    ------
    TopologyError
        More than a hundred geometries share one edge; a row is named.
    """
    low, high = edges.low[edges.order], edges.high[edges.order]
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for step in range(1, _MOST_OWNERS + 1):
        same = np.flatnonzero((low[step:] == low[:-step]) & (high[step:] == high[:-step]))
        if not len(same):
            break
        p, q = edges.order[same], edges.order[same + step]
        other = edges.owner[p] != edges.owner[q]
        found.append((np.minimum(p, q)[other], np.maximum(p, q)[other]))
    else:
        row = int(edges.owner[edges.order[same[0]]])
        raise TopologyError(f"more than {_MOST_OWNERS} polygons share an edge of row {row}", expected="2", cure="drop duplicates first (重复图形)")
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([p for p, _ in found]), np.concatenate([q for _, q in found])


def _vertex_names(xy: np.ndarray) -> np.ndarray:
    """One exact number a vertex: x and y in tenths of a millimetre from the corner, 32 bits each where that is enough."""
    if not len(xy):
        return np.empty(0, np.uint64)
    x, y = (np.rint((xy[:, k] - xy[:, k].min()) / _KEY_M) for k in (0, 1))
    if max(x.max(), y.max()) < 2.0**32:
        return (x.astype(np.uint64) << np.uint64(32)) | y.astype(np.uint64)
    pairs = np.column_stack([x, y])
    return np.unique(pairs, axis=0, return_inverse=True)[1].astype(np.uint64).reshape(-1)


def _sorted(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Order that puts equal edges together: by a hash of both ends; where two hashes fall together, by the ends."""
    mixed = low * _ODD[0] + high * _ODD[1]
    mixed ^= mixed >> np.uint64(32)
    order = np.argsort(mixed)
    h = mixed[order]
    clash = (h[1:] == h[:-1]) & ((low[order[1:]] != low[order[:-1]]) | (high[order[1:]] != high[order[:-1]]))
    return np.lexsort((high, low)) if clash.any() else order
