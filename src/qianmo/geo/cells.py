"""Cells of a raster: which lie in which polygon, and outlines of cell groups (像元与多边形)."""

from __future__ import annotations

from collections.abc import Sequence

import affine
import numpy as np
import rasterio.features
import shapely

from qianmo.geo.rings import rings_of

__all__ = ["cells_inside", "outlines", "placed"]


Cells = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Zone, row and column, of equal length."""


def cells_inside(geoms: np.ndarray, transform: affine.Affine, shape: tuple[int, int]) -> Cells:
    """Cells whose centre lies in each polygon (中心点落入的像元).

    Every row of cell centres is cut by the edges; between an odd and the next even cut lie the cells. A centre on a border
    belongs to the polygon to its right or below on the raster, so a coverage gets each cell once; overlapping polygons
    get it each.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons or multipolygons in the CRS of the raster.
    transform : Affine
        Column, row to x, y.
    shape : (int, int)
        Rows and columns of the raster.

    Returns
    -------
    (zone, row, column) : three ndarray of int, equal length
        Sorted by zone, row, column.

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    zone, row, x = _crossings(geoms, transform, shape[0])
    order = np.lexsort((x, zone * shape[0] + row))
    zone, row, x = zone[order][::2], row[order][::2], x[order]
    low = np.clip(np.ceil(x[::2] - 0.5), 0, shape[1]).astype(np.int64)
    high = np.clip(np.ceil(x[1::2] - 0.5), 0, shape[1]).astype(np.int64)
    run, column = _spread(low, high)
    return zone[run], row[run], column


def outlines(labels: np.ndarray, transform: affine.Affine) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of groups of equal cells that touch by an edge, with every corner of a neighbour (像元组轮廓).

    Parameters
    ----------
    labels : ndarray (y, x) of int32
        Negative cells belong to nothing.
    transform : Affine
        Column, row to x, y.

    Returns
    -------
    (geoms, label)
        Polygons whose shared borders have the same vertices in both, and the label of each.
    """
    grid = affine.Affine.identity()
    found = list(rasterio.features.shapes(labels.astype(np.int32), mask=labels >= 0, connectivity=4, transform=grid))
    rings = [np.asarray(ring, dtype=np.int64) for shape, _ in found for ring in shape["coordinates"]]
    ring_of_polygon = np.concatenate([[0], np.cumsum([len(shape["coordinates"]) for shape, _ in found])]).astype(np.int64)
    vertices, starts = _noded(rings, _nodes(labels))
    x, y = placed(transform, vertices[:, 0], vertices[:, 1])
    geoms = shapely.from_ragged_array(shapely.GeometryType.POLYGON, np.column_stack([x, y]), (starts, ring_of_polygon))
    return geoms, np.array([label for _, label in found], dtype=np.int64)


def placed(transform: affine.Affine, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates carried by an affine transform: column and row to x and y, or back by its inverse (仿射变换)."""
    return transform.a * u + transform.b * v + transform.c, transform.d * u + transform.e * v + transform.f


def _crossings(geoms: np.ndarray, transform: affine.Affine, height: int) -> Cells:
    """Where edges cut the rows of cell centres: zone, row and column coordinate of each cut."""
    rings = rings_of(geoms)
    u, v = placed(~transform, rings.xy[:, 0], rings.xy[:, 1])
    k, zone = rings.edge_starts(), rings.of_edges(rings.row)
    up = v[k] > v[k + 1]
    a, b = np.where(up, k + 1, k), np.where(up, k, k + 1)
    low = np.clip(np.ceil(v[a] - 0.5), 0, height).astype(np.int64)
    high = np.clip(np.ceil(v[b] - 0.5), 0, height).astype(np.int64)
    edge, row = _spread(low, high)
    a, b = a[edge], b[edge]
    share = (row + 0.5 - v[a]) / (v[b] - v[a])
    return zone[edge], row, u[a] + share * (u[b] - u[a])


def _spread(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All integers of the half-open ranges, one after the other, and the range each comes from."""
    size = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(low)), size)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(size) - size, size) + low[which]


def _nodes(labels: np.ndarray) -> np.ndarray:
    """Mask (y + 1, x + 1) of lattice points where a border turns or borders meet."""
    p = np.pad(labels, 1, constant_values=-1)
    nw, ne, sw, se = p[:-1, :-1], p[:-1, 1:], p[1:, :-1], p[1:, 1:]
    north, south, west, east = nw != ne, sw != se, nw != sw, ne != se
    upright = north & south & ~west & ~east
    level = west & east & ~north & ~south
    return (north | south | west | east) & ~upright & ~level


def _noded(rings: Sequence[np.ndarray], nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closed rings walked cell by cell, of which the nodes are kept."""
    ends = np.cumsum([len(r) for r in rings])
    corner = np.concatenate(rings)
    first = np.ones(len(corner), dtype=bool)
    first[ends - 1] = False
    at = np.flatnonzero(first)
    step = corner[at + 1] - corner[at]
    side, walked = _spread(np.zeros(len(at), np.int64), np.abs(step).sum(axis=1))
    point = corner[at][side] + np.sign(step)[side] * walked[:, None]
    ring = np.repeat(np.arange(len(rings)), np.diff(ends, prepend=0) - 1)[side]
    keep = nodes[point[:, 1], point[:, 0]]
    point, ring = point[keep], ring[keep]
    start = np.searchsorted(ring, np.arange(len(rings)))
    stop = np.append(start[1:], len(ring))
    return np.insert(point, stop, point[start], axis=0), np.concatenate([[0], np.cumsum(stop - start + 1)]).astype(np.int64)
