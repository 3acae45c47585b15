"""Neighbours and the length of the border they share (邻接与共边)."""

from __future__ import annotations

import numba as nb
import numpy as np
import pandas as pd
import shapely

from qianmo.schema.errors import TopologyError

__all__ = ["shared_borders", "shared_borders_noded"]

_KEY_M = 1e-4


def shared_borders(geoms: np.ndarray) -> pd.DataFrame:
    """Pairs of polygons that share edges vertex by vertex, and how long the shared border is (共边长度).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons or multipolygons of a noded coverage, metric CRS; interior rings count. [m]

    Returns
    -------
    DataFrame (i, j, length_m)
        Positions i < j and border length [m], sorted. Edges that match only in part (T-junctions) are not found: see
        `shared_borders_noded`.

    Raises
    ------
    TopologyError
        A coordinate is not finite.
    """
    start, end, owner, low = _edges(np.asarray(geoms, dtype=object))
    if not len(owner):
        return _pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    a, b = _keys(start, low), _keys(end, low)
    swap = a > b
    first, second = np.where(swap, b, a), np.where(swap, a, b)
    size = 1 << int(np.ceil(np.log2(max(2 * len(owner), 16))))
    length = np.hypot(*(end - start).T)
    i, j, metres = _match(first, second, owner.astype(np.int64), length, size)
    return _summed(i, j, metres, len(geoms))


def shared_borders_noded(geoms: np.ndarray, *, tolerance_m: float = 1e-3) -> pd.DataFrame:
    """Shared borders where neighbours do not have the same vertices (T 形连接也计入).

    Exact edges are matched first; edges left single are compared with other single edges that run along them within
    `tolerance_m`, and the overlap of the two segments counts.
    """
    array = np.asarray(geoms, dtype=object)
    whole = shared_borders(array)
    start, end, owner, low = _edges(array)
    a, b = _keys(start, low), _keys(end, low)
    swap = a > b
    keys = pd.DataFrame({"a": np.where(swap, b, a), "b": np.where(swap, a, b)})
    single = ~keys.duplicated(keep=False).to_numpy()
    start, end, owner = start[single], end[single], owner[single]
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    p, q = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=tolerance_m)
    keep = owner[p] < owner[q]
    p, q = p[keep], q[keep]
    metres = _overlap_length(start, end, p, q, tolerance_m)
    found = metres > tolerance_m
    extra = _summed(owner[p[found]], owner[q[found]], metres[found], len(array))
    both = pd.concat([whole, extra]).groupby(["i", "j"], as_index=False)["length_m"].sum()
    return both.sort_values(["i", "j"], ignore_index=True)


def _edges(geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    parts, owner = shapely.get_parts(geoms, return_index=True)
    keep = shapely.get_type_id(parts) == 3
    parts, owner = parts[keep], owner[keep]
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) and not np.isfinite(points).all():
        rows = np.unique(owner[ring_part[point_ring[~np.isfinite(points).all(axis=1)]]])
        raise TopologyError(f"coordinates of rows {rows[:10].tolist()} are not finite", cure="repair the geometry first (坐标无效)")
    inside = point_ring[1:] == point_ring[:-1]
    low = points.min(axis=0) if len(points) else np.zeros(2)
    return points[:-1][inside], points[1:][inside], owner[ring_part[point_ring[:-1][inside]]], low


def _keys(points: np.ndarray, low: np.ndarray) -> np.ndarray:
    """One integer a vertex: x and y in tenths of a millimetre from the corner, 31 bits each."""
    steps = np.rint((points - low) / _KEY_M).astype(np.int64)
    return (steps[:, 0] << 31) ^ steps[:, 1]


def _pairs(i: np.ndarray, j: np.ndarray, metres: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"i": i.astype(np.int64), "j": j.astype(np.int64), "length_m": metres})


def _summed(i: np.ndarray, j: np.ndarray, metres: np.ndarray, n: int) -> pd.DataFrame:
    low, high = np.minimum(i, j).astype(np.int64), np.maximum(i, j).astype(np.int64)
    code = low * np.int64(n) + high
    order = np.argsort(code, kind="stable")
    code, metres = code[order], metres[order]
    firsts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]]) if len(code) else np.empty(0, np.int64)
    total = np.add.reduceat(metres, firsts) if len(firsts) else np.empty(0)
    return _pairs(code[firsts] // n, code[firsts] % n, total)


def _overlap_length(start: np.ndarray, end: np.ndarray, p: np.ndarray, q: np.ndarray, tolerance: float) -> np.ndarray:
    d = end[p] - start[p]
    size = np.hypot(*d.T)
    u = d / np.maximum(size, 1e-12)[:, None]
    s, t = start[q] - start[p], end[q] - start[p]
    along_s, along_t = (s * u).sum(axis=1), (t * u).sum(axis=1)
    off_s, off_t = np.abs(s[:, 0] * u[:, 1] - s[:, 1] * u[:, 0]), np.abs(t[:, 0] * u[:, 1] - t[:, 1] * u[:, 0])
    common = np.minimum(size, np.maximum(along_s, along_t)) - np.maximum(0.0, np.minimum(along_s, along_t))
    return np.where((off_s <= tolerance) & (off_t <= tolerance), common, 0.0)


@nb.njit(cache=True)
def _match(first, second, owner, length, size):  # type: ignore[no-untyped-def]
    """Open-addressing hash of undirected edges: an edge seen again pairs its two owners."""
    mask = size - 1
    slot = np.full(size, -1, np.int64)
    n = len(owner)
    out_i = np.empty(n, np.int64)
    out_j = np.empty(n, np.int64)
    out_m = np.empty(n, np.float64)
    found = 0
    for k in range(n):
        mixed = first[k] * np.int64(-7046029254386353131) ^ (second[k] * np.int64(-4417276706812531889))
        mixed ^= mixed >> 29
        place = mixed & mask
        while True:
            other = slot[place]
            if other < 0:
                slot[place] = k
                break
            if first[other] == first[k] and second[other] == second[k]:
                if owner[other] != owner[k]:
                    out_i[found] = owner[other]
                    out_j[found] = owner[k]
                    out_m[found] = length[k]
                    found += 1
                    break
            place = (place + 1) & mask
    return out_i[:found], out_j[:found], out_m[:found]
