"""Edges of polygons, matched vertex by vertex (多边形边的匹配)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.geo.rings import Rings, rings_of
from qianmo.schema.errors import TopologyError

__all__ = ["Edges", "edges_of", "links", "matches", "sorted_codes"]

_KEY_M = 1e-4
_MOST_OWNERS = 100
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


@dataclass(frozen=True)
class Edges:
    """Edges of n geometries in the order of their rings (边).

    Edge k runs from ``rings.xy[start[k]]`` to the next vertex and belongs to geometry ``owner[k]``. `low` and `high` name
    its end points whichever way it runs; `is_forward` says that it runs from `low` to `high`.
    """

    rings: Rings
    start: np.ndarray
    owner: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_forward: np.ndarray

    def points(self, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Start and end points (len(k), 2) of some edges."""
        at = self.start[k]
        return self.rings.xy[at], self.rings.xy[at + 1]


def edges_of(geoms: np.ndarray) -> Edges:
    """Edges of polygons and multipolygons, interior rings included; vertices that round to one 0.1 mm are one (取边).

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
    return Edges(rings, start, owner, np.minimum(a, b), np.maximum(a, b), a < b)


def links(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Each edge with the next one equal to it: positions of enough pairs to tell which polygons hang together (连边)."""
    code, order = sorted_codes(*_hashed(edges))
    same = np.flatnonzero(code[1:] == code[:-1])
    p, q = order[same], order[same + 1]
    sure = (edges.low[p] == edges.low[q]) & (edges.high[p] == edges.high[q])
    return p[sure], q[sure]


def matches(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of equal edges, each pair once: positions p < q, sorted; edges of one geometry pair too.

    Raises
    ------
    TopologyError
        More than a hundred edges lie on one another; a row is named.
    """
    code, order = sorted_codes(*_hashed(edges))
    found: list[np.ndarray] = []
    for step in range(1, _MOST_OWNERS + 1):
        same = np.flatnonzero(code[step:] == code[:-step])
        if not len(same):
            break
        found.append(np.column_stack([order[same], order[same + step]]))
    else:
        row = int(edges.owner[order[same[0]]])
        found_many = f"more than {_MOST_OWNERS} polygons share an edge of row {row}"
        raise TopologyError(found_many, expected="2", cure="drop duplicates first (重复图形)")
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    p, q = _sorted_pairs(np.concatenate(found), len(edges.low))
    sure = (edges.low[p] == edges.low[q]) & (edges.high[p] == edges.high[q])
    return (p, q) if sure.all() else (p[sure], q[sure])


def sorted_codes(code: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes below 2**bits in ascending order and the positions they had; equal codes keep their order.

    Code and position are sorted as one number where both fit, which is several times faster than sorting positions.
    """
    room = max(len(code) - 1, 1).bit_length()
    if bits + room > 64:
        order = np.argsort(code, kind="stable")
        return code[order], order
    both = np.sort((code.astype(np.uint64) << np.uint64(room)) | np.arange(len(code), dtype=np.uint64))
    return both >> np.uint64(room), (both & np.uint64((1 << room) - 1)).astype(np.int64)


def _hashed(edges: Edges) -> tuple[np.ndarray, int]:
    """The two ends of each edge mixed into a number of bits; equal hashes are compared in full afterwards."""
    bits = 64 - max(len(edges.low) - 1, 1).bit_length()
    mixed: np.ndarray = np.multiply(edges.low, _ODD[0], dtype=np.uint64)
    mixed += np.multiply(edges.high, _ODD[1], dtype=np.uint64)
    mixed ^= np.right_shift(mixed, 32, dtype=np.uint64)
    mixed *= _ODD[0]
    return np.right_shift(mixed, 64 - bits, dtype=np.uint64), bits


def _sorted_pairs(pairs: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs p < q sorted by p: neighbours in space stay neighbours in memory."""
    p, q = np.minimum(pairs[:, 0], pairs[:, 1]), np.maximum(pairs[:, 0], pairs[:, 1])
    _, order = sorted_codes(p, bits=max(n - 1, 1).bit_length())
    return p[order], q[order]


def _vertex_names(xy: np.ndarray) -> np.ndarray:
    """One exact number a vertex: x and y in tenths of a millimetre from the corner, 32 bits each where that is enough."""
    if not len(xy):
        return np.empty(0, np.uint64)
    x, y = (np.rint((xy[:, k] - xy[:, k].min()) / _KEY_M) for k in (0, 1))
    if max(x.max(), y.max()) < 2.0**32:
        return (x.astype(np.uint64) << np.uint64(32)) | y.astype(np.uint64)
    return np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)[1].astype(np.uint64).reshape(-1)
