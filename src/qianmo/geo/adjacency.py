"""Neighbours and the length of the border they share (邻接与共边)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from qianmo.geo.edges import Edges, edges_of, matches, sorted_codes

__all__ = ["shared_borders", "shared_borders_noded"]

_MOST_TILT = 0.01
"""Edges that drift apart faster than this cross; they do not run along each other. [m/m]"""


def shared_borders(geoms: np.ndarray) -> pd.DataFrame:
    """Pairs of polygons that share edges vertex by vertex, and how long the shared border is (共边长度).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons or multipolygons of a noded coverage, metric CRS; interior rings count. [m]

    Returns
    -------
    DataFrame (i, j, length_m)
        Positions i < j and border length [m], sorted. Touching in a point is no border. Edges that match only in part
        (T-junctions) are not found: see `shared_borders_noded`.

    Raises
    ------
    TopologyError
        A coordinate is not finite, or a hundred polygons lie on one another; the rows are named.
    """
    edges = edges_of(geoms)
    p, q = _between(edges)
    return _summed(edges.owner[p], edges.owner[q], _length(*edges.points(p)), len(geoms))


def shared_borders_noded(geoms: np.ndarray, *, tolerance_m: float = 1e-3) -> pd.DataFrame:
    """Shared borders where neighbours do not have the same vertices (T 形连接也计入).

    Equal edges are matched first. Edges left single are laid along the single edges of other polygons: the stretch where
    the two run within `tolerance_m` of each other counts, measured along the first.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons or multipolygons in a metric CRS. [m]
    tolerance_m : float
        How far two edges may lie apart and still be one border; common stretches no longer than this are dropped. [m]

    Returns
    -------
    DataFrame (i, j, length_m)
        As `shared_borders`; equal to it where all vertices match.

    Raises
    ------
    TopologyError
        As `shared_borders`.
    """
    edges = edges_of(geoms)
    p, q = _between(edges)
    single = np.ones(len(edges.owner), dtype=bool)
    single[p] = single[q] = False
    s, t, metres = _along(edges, np.flatnonzero(single), tolerance_m)
    i, j = np.concatenate([edges.owner[p], edges.owner[s]]), np.concatenate([edges.owner[q], edges.owner[t]])
    return _summed(i, j, np.concatenate([_length(*edges.points(p)), metres]), len(geoms))


def _between(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Equal edges of two polygons."""
    p, q = matches(edges)
    other = edges.owner[p] != edges.owner[q]
    return (p, q) if other.all() else (p[other], q[other])


def _along(edges: Edges, single: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of single edges of two polygons that run along each other, and how far."""
    lines = shapely.linestrings(np.stack(edges.points(single), axis=1)) if len(single) else np.empty(0, dtype=object)
    p, q = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=tolerance)
    p, q = single[p], single[q]
    once = edges.owner[p] < edges.owner[q]
    p, q = p[once], q[once]
    metres = _common_stretch(edges.points(p), edges.points(q), tolerance)
    long = metres > tolerance
    return p[long], q[long], metres[long]


def _common_stretch(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray], tolerance: float) -> np.ndarray:
    """Length along the first segments on which the second lie within the tolerance."""
    size = _length(*one)
    ux, uy = ((one[1] - one[0]) / size[:, None]).T
    (sx, sy), (tx, ty) = (two[0] - one[0]).T, (two[1] - one[0]).T
    at_s, at_t = sx * ux + sy * uy, tx * ux + ty * uy
    off_s, off_t = sx * uy - sy * ux, tx * uy - ty * ux
    low, high = np.maximum(np.minimum(at_s, at_t), 0.0), np.minimum(np.maximum(at_s, at_t), size)
    tilt = (off_t - off_s) / np.where(at_t == at_s, np.inf, at_t - at_s)
    tilt = np.where(np.abs(tilt) < 1e-15, 1e-15, tilt)
    crossing, reach = at_s - off_s / tilt, tolerance / np.abs(tilt)
    stretch = np.maximum(np.minimum(high, crossing + reach) - np.maximum(low, crossing - reach), 0.0)
    return np.where((stretch >= high - low) | (np.abs(tilt) <= _MOST_TILT), stretch, 0.0)


def _length(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return np.hypot(end[:, 0] - start[:, 0], end[:, 1] - start[:, 1])


def _summed(i: np.ndarray, j: np.ndarray, metres: np.ndarray, n: int) -> pd.DataFrame:
    """One row a pair i < j; the order of summation does not depend on the machine."""
    code = np.minimum(i, j).astype(np.int64) * n + np.maximum(i, j)
    code, order = sorted_codes(code, bits=max(n * n - 1, 1).bit_length())
    code, metres = code.astype(np.int64), metres[order]
    first = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]])[: len(code)])
    total = np.add.reduceat(metres, first) if len(first) else np.empty(0)
    return pd.DataFrame({"i": code[first] // max(n, 1), "j": code[first] % max(n, 1), "length_m": total})
