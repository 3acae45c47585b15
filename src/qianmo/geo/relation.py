"""How two polygons lie to each other: apart, one inside the other, or across (面面关系)."""

from __future__ import annotations

import numpy as np
import shapely

from qianmo.geo.edge_relation import ACROSS, APART, INSIDE, UNCLEAR, box_relation, edge_relation
from qianmo.geo.polygons import Polygons
from qianmo.geo.side_by_side import side_by_side

__all__ = ["ACROSS", "APART", "INSIDE", "box_relation", "relation"]

_BUSY = 8
"""Pairs from which on preparing a host pays."""


def relation(hosts: Polygons, members: Polygons, host: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Whether the member of each pair lies apart from the host, in it, or across its border (面面关系).

    Told from the edges where borders meet vertex by vertex or not at all, as in a map whose layers rest on one another;
    asked of the geometry engine where they do not.

    Parameters
    ----------
    hosts, members : Polygons
    host, member : ndarray, n, int
        Position of each pair in them; pairs of one host follow each other.

    Returns
    -------
    ndarray, n, int8
        APART: the insides do not meet. INSIDE: no part of the member is outside the host. ACROSS: neither.
    """
    found = edge_relation(hosts.index, members.index, host, member)
    unclear = np.flatnonzero(found == UNCLEAR)
    if len(unclear):
        found[unclear] = side_by_side(_asked, hosts.geoms[host[unclear]], members.geoms[member[unclear]])
    return found


def _asked(host: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Relation by the engine, with the busy hosts prepared meanwhile."""
    first = np.flatnonzero(np.diff(np.array([id(h) for h in host]), prepend=-1))
    busy = host[first[np.diff(first, append=len(host)) >= _BUSY]]
    mine = busy[~shapely.is_prepared(busy)]
    shapely.prepare(mine)
    try:
        return _engine(host, member)
    finally:
        shapely.destroy_prepared(mine)


def _engine(host: np.ndarray, member: np.ndarray) -> np.ndarray:
    found = np.full(len(host), APART, np.int8)
    meet = np.flatnonzero(shapely.intersects(host, member))
    found[meet] = INSIDE
    out = meet[~shapely.covers(host[meet], member[meet])]
    found[out] = np.where(shapely.touches(host[out], member[out]), APART, ACROSS)
    return found
