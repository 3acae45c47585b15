"""Overlay of two layers: pairs, shares, majority (叠加分析)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from qianmo.geo.local_parts import local_parts, polygonal
from qianmo.geo.polygons import Polygons, valid_polygons
from qianmo.geo.relation import ACROSS, APART, INSIDE, box_relation, relation
from qianmo.geo.side_by_side import side_by_side

__all__ = ["intersection_pairs", "majority", "share_inside"]

Layer = np.ndarray | Polygons
"""Valid polygons in one metric CRS; `Polygons` where one layer is laid over several others. [m]"""

_DUST_M2 = 1e-6


def intersection_pairs(a_geoms: Layer, b_geoms: Layer) -> pd.DataFrame:
    """Every pair that overlaps in area, with the common part (相交).

    Only pairs that lie across each other's border are cut, and of a large polygon only the part that is near; a polygon
    that lies inside another is the common part itself.

    Parameters
    ----------
    a_geoms, b_geoms : ndarray of geometry, or Polygons
        Valid polygons in one metric CRS; missing ones meet nothing. [m]

    Returns
    -------
    DataFrame (i, j, area_m2, geometry)
        Positions in a and b, sorted; planar area [m2] above 1e-6, as less is the rounding of a common border. Pairs that
        only touch are left out, and so are points and lines where a pair touches as well as overlaps.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    i, j, common, _ = _meeting(_polygons(a_geoms, "first"), _polygons(b_geoms, "second"))
    size = shapely.area(common)
    keep = np.flatnonzero(size > _DUST_M2)
    keep = keep[np.lexsort((j[keep], i[keep]))]
    geometry = pd.Series(list(common[keep]), dtype=object)
    return pd.DataFrame({"i": i[keep], "j": j[keep], "area_m2": size[keep], "geometry": geometry})


def share_inside(a_geoms: np.ndarray, b_geoms: Layer) -> np.ndarray:
    """Share of each a that lies in the union of b, from 0 to 1, planar (占比).

    Where several b cover an a, their common parts are united first, so that overlaps among b count once. A missing or
    empty a has share 0.

    Raises
    ------
    TopologyError
        A geometry of b, or one of a that lies on the border of a b, is not valid; the rows are named.
    """
    a = Polygons(np.asarray(a_geoms, dtype=object))
    i, _, common, whole = _meeting(a, _polygons(b_geoms, "second"), check_a=True)
    share = np.zeros(len(a.geoms))
    share[i[whole]] = 1.0
    cut = np.flatnonzero(share[i] < 1.0)
    cut = cut[np.argsort(i[cut], kind="stable")]
    owner, parts = i[cut], common[cut]
    inside = np.bincount(owner, weights=shapely.area(parts), minlength=len(share))
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    last = np.append(first[1:], len(owner))
    for low, high in zip(first[last - first > 1], last[last - first > 1]):
        inside[owner[low]] = shapely.union_all(parts[low:high]).area
    mine = owner[first]
    share[mine] = np.clip(inside[mine] / shapely.area(a.geoms[mine]), 0.0, 1.0)
    return share


def majority(a_geoms: np.ndarray, b_geoms: np.ndarray) -> np.ndarray:
    """Position in b of the polygon that covers most of each a, the first on a tie; -1 where none does (最大占比).

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    pairs = intersection_pairs(a_geoms, b_geoms)
    out = np.full(len(np.asarray(a_geoms, dtype=object)), -1, np.int64)
    best = pairs.sort_values(["i", "area_m2", "j"], ascending=[True, False, True]).drop_duplicates("i")
    out[best["i"].to_numpy()] = best["j"].to_numpy()
    return out


def _meeting(a: Polygons, b: Polygons, *, check_a: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Positions and common part of each pair whose insides meet, and whether a lies in b.

    In each pair the one with more vertices is the host. Members in whose box no border of the host comes are told by one
    point; the others, which alone are checked with `check_a`, by their edges.
    """
    i, j = shapely.STRtree(b.geoms).query(a.geoms)
    a_hosts = shapely.get_num_coordinates(a.geoms)[i] > shapely.get_num_coordinates(b.geoms)[j]
    found, common = np.full(len(i), APART, np.int8), np.empty(len(i), dtype=object)
    for host_is_a, (hosts, members, host, member) in ((True, (a, b, i, j)), (False, (b, a, j, i))):
        pair = np.flatnonzero(a_hosts == host_is_a)
        pair = pair[np.argsort(host[pair], kind="stable")]
        common[pair] = members.geoms[member[pair]]
        hosts, h = hosts.only(host[pair], check="first" if check_a and host_is_a else "")
        found[pair] = box_relation(hosts.index, shapely.bounds(common[pair]), h)
        unclear = np.flatnonzero(found[pair] == ACROSS)
        members, m = members.only(member[pair[unclear]], check="first" if check_a and not host_is_a else "")
        found[pair[unclear]] = relation(hosts, members, h[unclear], m)
        across = np.flatnonzero(found[pair] == ACROSS)
        common[pair[across]] = _cut(hosts.geoms[h[across]], common[pair[across]])
    meet = found != APART
    return i[meet], j[meet], common[meet], (found == INSIDE)[meet] & ~a_hosts[meet]


def _polygons(layer: Layer, which: str) -> Polygons:
    return layer if isinstance(layer, Polygons) else valid_polygons(layer, which=which)


def _cut(host: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Common part of each pair, the pairs of one part of a host in one thread."""
    parts = local_parts(host, member)
    order = np.argsort(np.array([id(p) for p in parts], dtype=np.int64), kind="stable")
    out = np.empty(len(parts), dtype=object)
    out[order] = polygonal(side_by_side(shapely.intersection, parts[order], member[order]))
    return out
