"""Parts of large polygons near the small ones they meet, so that a cut costs what is near (大多边形的局部裁切)."""

from __future__ import annotations

import numpy as np
import shapely

from qianmo.geo.side_by_side import side_by_side

__all__ = ["local_parts", "polygonal"]

_FEW_VERTICES = 256
_MOST_VERTICES = 20_000_000
_MARGIN_M = 1.0
_POLYGONAL = (3, 6)
_COLLECTION = 7


def local_parts(hosts: np.ndarray, members: np.ndarray) -> np.ndarray:
    """For each pair a polygon that equals the host wherever the member lies (局部裁切).

    The members of a large host are halved again and again across their longer extent, and the host is cut down to a box
    round each half, a metre wider than its members, until few vertices are left. No member is
    cut and no border of a box crosses one, so that nothing need be put together again.

    Parameters
    ----------
    hosts : ndarray of geometry, n
        Valid polygons or multipolygons, one a pair; pairs of one host hold the same object. [m]
    members : ndarray of geometry, n
        Not empty. [m]

    Returns
    -------
    ndarray of geometry, n
        The host itself where it is small; empty where it does not come near. Pairs of one part hold the same object.
    """
    out = hosts.copy()
    pair = np.flatnonzero(shapely.get_num_coordinates(hosts) > _FEW_VERTICES)
    node, parts = _numbered(hosts[pair])
    box = shapely.bounds(members[pair])
    while len(pair):
        order, node = _halved(node, box)
        pair, box = pair[order], box[order]
        start = np.flatnonzero(np.diff(node, prepend=-1))
        parts = polygonal(side_by_side(shapely.intersection, parts[node[start] // 2], _around(box, start)))
        members_each = np.diff(start, append=len(node))
        out[pair] = np.repeat(parts, members_each)
        left = shapely.get_num_coordinates(parts)
        more = (left > _FEW_VERTICES) & (members_each > 1) & (left.sum() <= _MOST_VERTICES)
        goes_on = np.repeat(more, members_each)
        pair, box, parts = pair[goes_on], box[goes_on], parts[more]
        node = np.repeat(np.arange(len(parts)), members_each[more])
    return out


def polygonal(geoms: np.ndarray) -> np.ndarray:
    """Geometries without the points and lines of their collections (只留面)."""
    out = geoms.copy()
    for k in np.flatnonzero(shapely.get_type_id(geoms) == _COLLECTION):
        parts = shapely.get_parts(geoms[k])
        out[k] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), _POLYGONAL)])
    return out


def _numbered(hosts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the object in each place, and the objects."""
    _, first, number = np.unique(np.array([id(h) for h in hosts], dtype=np.int64), return_index=True, return_inverse=True)
    return number, hosts[first]


def _halved(node: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of the members of nodes 0 to n - 1 along the longer extent of each, and 2 k or 2 k + 1 for the halves of k."""
    middle = (box[:, :2] + box[:, 2:]) / 2.0
    by_node = np.argsort(node, kind="stable")
    count = np.bincount(node)
    start = np.cumsum(count) - count
    sorted_middle = middle[by_node]
    extent = np.maximum.reduceat(sorted_middle, start) - np.minimum.reduceat(sorted_middle, start)
    along = np.where(np.argmax(extent, axis=1)[node] == 0, middle[:, 0], middle[:, 1])
    order = np.lexsort((along, node))
    rank = np.arange(len(node)) - np.repeat(start, count)
    return order, 2 * node[order] + (rank * 2 >= np.repeat(count, count))


def _around(box: np.ndarray, start: np.ndarray) -> np.ndarray:
    low = np.minimum.reduceat(box[:, :2], start) - _MARGIN_M
    high = np.maximum.reduceat(box[:, 2:], start) + _MARGIN_M
    return shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
