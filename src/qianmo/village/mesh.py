"""A planar mesh of Voronoi cells with bent shared edges, and polygons traced from it (平面剖分网)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from qianmo.schema.errors import TopologyError

__all__ = ["Mesh", "components", "mainland", "make_mesh", "trace"]

_GRID_M = 0.001
_CONTRACT_M = 0.005
_STEP_M = 20.0
_MAX_BENDS = 8
_SAFETY = 0.3
_MIN_BENT_M = 6.0


@dataclass(frozen=True)
class Mesh:
    """Cells and the ridges between them (网格).

    `left` and `right` are the cells beside each ridge as one walks from vertex `start` to vertex `end`;
    `bends` holds the inner points of all ridges one after the other, `first_bend[r] : first_bend[r + 1]` those of ridge r.
    Every coordinate lies on the 1 mm grid, so two cells share their border bit for bit.
    """

    seeds: np.ndarray
    inside: np.ndarray
    left: np.ndarray
    right: np.ndarray
    start: np.ndarray
    end: np.ndarray
    length_m: np.ndarray
    vertices: np.ndarray
    bends: np.ndarray
    first_bend: np.ndarray
    cell_area_m2: np.ndarray


def make_mesh(seeds: np.ndarray, inside: np.ndarray, *, rng: np.random.Generator) -> Mesh:
    """Mesh of the Voronoi cells of points, every ridge bent by noise (泰森多边形剖分).

    A ridge between two cells may move only inside the kite of its two seeds, and kites do not overlap,
    so bent ridges never cross.

    Parameters
    ----------
    seeds : ndarray, shape (n, 2), float
        Points, distinct. [m]
    inside : ndarray, shape (n,), bool
        Cells that belong to the township; the others only bound it and must surround it.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    Mesh
        Ridges with at least one cell inside.
    """
    origin = np.floor(seeds.mean(axis=0))
    local = seeds - origin
    left, right, start, end, centres = _ridges(local, inside)
    vertices, start, end = _contracted(centres, start, end)
    length = np.hypot(*(vertices[end] - vertices[start]).T)
    bends, first = _bends(local, left, right, vertices[start], vertices[end], length, rng)
    area = _cell_areas(local, left, right, vertices[start], vertices[end])
    vertices, bends = _snapped(vertices + origin), _snapped(bends + origin)
    return Mesh(seeds, inside, left, right, start, end, length, vertices, bends, first, area)


def components(mesh: Mesh, label: np.ndarray) -> np.ndarray:
    """Number cells so that cells of one label that touch along a ridge share a number (连通分量).

    Returns
    -------
    ndarray, shape (n_cells,), int
        From 0 inside the township, -1 outside.
    """
    joined = (label[mesh.left] == label[mesh.right]) & (mesh.start != mesh.end) & mesh.inside[mesh.left] & mesh.inside[mesh.right]
    pairs = (np.ones(joined.sum(), np.int8), (mesh.left[joined], mesh.right[joined]))
    _, number = connected_components(coo_array(pairs, shape=(len(label),) * 2), directed=False)
    result = np.full(len(label), -1)
    result[mesh.inside] = np.unique(number[mesh.inside], return_inverse=True)[1]
    return result


def mainland(mesh: Mesh) -> Mesh:
    """The mesh without cells cut off from its largest connected part (去除孤立单元)."""
    piece = components(mesh, np.zeros(len(mesh.seeds), dtype=int))
    largest = np.bincount(piece[mesh.inside]).argmax()
    return replace(mesh, inside=piece == largest)


def trace(mesh: Mesh, face: np.ndarray) -> np.ndarray:
    """Polygons of connected groups of cells, borders shared bit for bit (追踪多边形).

    Parameters
    ----------
    face : ndarray, shape (n_cells,), int
        Number of the polygon of each cell from 0, without gaps, -1 outside; each number one connected group.

    Returns
    -------
    ndarray of shapely.Polygon
        Polygon k is the union of the cells with number k; holes where other polygons lie inside.

    Raises
    ------
    TopologyError
        A polygon is not valid after snapping to the grid; rows are named.
    """
    edge, forward, on = _half_edges(mesh, face)
    tail = np.where(forward, mesh.start[edge], mesh.end[edge])
    head = np.where(forward, mesh.end[edge], mesh.start[edge])
    key = on * len(mesh.vertices) + tail
    order = np.argsort(key, kind="stable")
    edge, forward, on, head, key = edge[order], forward[order], on[order], head[order], key[order]
    pinched = np.unique(on[1:][key[1:] == key[:-1]])
    polygons = np.empty(int(face.max()) + 1, dtype=object)
    plain = ~np.isin(on, pinched)
    follow = np.searchsorted(key, on * len(mesh.vertices) + head)
    walk, ring = _cycles(follow, plain)
    coords, ring_of_point = _coordinates(mesh, edge[walk], forward[walk], ring)
    _fill(polygons, coords, ring_of_point, on[walk][np.unique(ring, return_index=True)[1]])
    for f in pinched:
        mine = np.flatnonzero(on == f)
        lines = [np.vstack([_points(mesh, edge[h]), mesh.vertices[mesh.end[edge[h]]]]) for h in mine]
        polygons[f] = shapely.build_area(shapely.multilinestrings([shapely.LineString(line) for line in lines]))
    bad = np.flatnonzero(~shapely.is_valid(polygons) | (shapely.get_type_id(polygons) != shapely.GeometryType.POLYGON))
    if bad.size:
        raise TopologyError(
            f"{bad.size} made polygons are not valid, rows {bad[:5].tolist()}", expected="valid polygons", cure="use another seed"
        )
    return polygons


def _ridges(seeds: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, ...]:
    mesh = Delaunay(seeds)
    centres = _circumcentres(seeds[mesh.simplices])
    t, k = np.nonzero(mesh.neighbors > np.arange(len(mesh.simplices))[:, None])
    p, q = mesh.simplices[t, (k + 1) % 3], mesh.simplices[t, (k + 2) % 3]
    used = inside[p] | inside[q]
    return q[used], p[used], t[used], mesh.neighbors[t, k][used], centres


def _circumcentres(corners: np.ndarray) -> np.ndarray:
    a = corners[:, 0]
    b, c = corners[:, 1] - a, corners[:, 2] - a
    d = 2.0 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (c[:, 1] * bb - b[:, 1] * cc) / d
        y = (b[:, 0] * cc - c[:, 0] * bb) / d
    return a + np.column_stack([x, y])


def _contracted(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    short = np.hypot(*(points[end] - points[start]).T) < _CONTRACT_M
    pairs = (np.ones(short.sum(), np.int8), (start[short], end[short]))
    _, group = connected_components(coo_array(pairs, shape=(len(points),) * 2), directed=False)
    used, number = np.unique(group[np.concatenate([start, end])], return_inverse=True)
    first = np.unique(group, return_index=True)[1]
    return points[first[used]], number[: len(start)], number[len(start) :]


def _bends(
    seeds: np.ndarray, left: np.ndarray, right: np.ndarray, a: np.ndarray, b: np.ndarray, length: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    count = np.clip(np.round(length / _STEP_M + rng.uniform(-0.5, 0.5, len(length))), 0, _MAX_BENDS).astype(int)
    count[length < _MIN_BENT_M] = 0
    first = np.concatenate([[0], np.cumsum(count)])
    ridge = np.repeat(np.arange(len(length)), count)
    t = (np.arange(first[-1]) - first[ridge] + 1.0) / (count[ridge] + 1.0)
    along = (b - a)[ridge] / length[ridge, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    to_seed = seeds[left[ridge]] - a[ridge]
    foot = (to_seed * along).sum(axis=1) / length[ridge]
    room = _kite(t, foot) * np.abs((to_seed * across).sum(axis=1))
    shift = rng.uniform(-1.0, 1.0, len(t)) * np.minimum(_SAFETY * room, 0.08 * length[ridge])
    return a[ridge] + along * (t * length[ridge])[:, None] + across * shift[:, None], first


def _kite(t: np.ndarray, foot: np.ndarray) -> np.ndarray:
    rise = np.where(foot > 0, t / np.where(foot > 0, foot, 1.0), 1.0)
    fall = np.where(foot < 1, (1 - t) / np.where(foot < 1, 1 - foot, 1.0), 1.0)
    return np.minimum(np.minimum(rise, fall), 1.0)


def _cell_areas(seeds: np.ndarray, left: np.ndarray, right: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    area = np.zeros(len(seeds))
    for cell in (left, right):
        u, v = a - seeds[cell], b - seeds[cell]
        area += np.bincount(cell, 0.5 * np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]), len(seeds))
    return area


def _snapped(points: np.ndarray) -> np.ndarray:
    return np.round(points / _GRID_M) * _GRID_M


def _half_edges(mesh: Mesh, face: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kept = np.flatnonzero((face[mesh.left] != face[mesh.right]) & (mesh.start != mesh.end))
    edge = np.concatenate([kept, kept])
    forward = np.repeat([True, False], len(kept))
    on = np.where(forward, face[mesh.left[edge]], face[mesh.right[edge]])
    used = on >= 0
    return edge[used], forward[used], on[used]


def _cycles(follow: np.ndarray, plain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    after, seen = follow.tolist(), (~plain).tolist()
    walk: list[int] = []
    sizes: list[int] = []
    for first in np.flatnonzero(plain).tolist():
        if seen[first]:
            continue
        begun, h = len(walk), first
        while not seen[h]:
            seen[h] = True
            walk.append(h)
            h = after[h]
        sizes.append(len(walk) - begun)
    return np.array(walk, dtype=int), np.repeat(np.arange(len(sizes)), sizes)


def _coordinates(mesh: Mesh, edge: np.ndarray, forward: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bends = mesh.first_bend[edge + 1] - mesh.first_bend[edge]
    at = np.concatenate([[0], np.cumsum(bends + 1)])
    which = np.repeat(np.arange(len(edge)), bends + 1)
    step = np.arange(at[-1]) - at[which]
    first, last = mesh.first_bend[edge], mesh.first_bend[edge + 1]
    inner = np.where(forward[which], first[which] + step - 1, last[which] - step)
    corner = np.where(forward, mesh.start[edge], mesh.end[edge])
    coords = np.empty((at[-1], 2))
    is_corner = step == 0
    coords[is_corner] = mesh.vertices[corner]
    coords[~is_corner] = mesh.bends[inner[~is_corner]]
    return coords, ring[which]


def _points(mesh: Mesh, ridge: int) -> np.ndarray:
    inner = mesh.bends[mesh.first_bend[ridge] : mesh.first_bend[ridge + 1]]
    return np.vstack([mesh.vertices[mesh.start[ridge]], inner])


def _fill(polygons: np.ndarray, coords: np.ndarray, ring: np.ndarray, face: np.ndarray) -> None:
    rings = shapely.linearrings(coords, indices=ring)
    hole = ~shapely.is_ccw(rings)
    order = np.lexsort([hole, face])
    present, number = np.unique(face[order], return_inverse=True)
    polygons[present] = shapely.polygons(rings[order], indices=number)
