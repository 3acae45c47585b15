"""Faults of geometry and of coverages: invalid, overlapping, gaps, slivers (拓扑检查)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import shapely

from qianmo.geo.edges import Edges, edges_of, matches
from qianmo.geo.rings import land_on_left
from qianmo.schema.errors import TopologyError

__all__ = ["gaps", "invalid", "is_coverage", "mismatches", "overlaps", "slivers"]

_DUST_M2 = 1e-6
_PLACE = re.compile(r"\[(\S+) (\S+?)\]")


def invalid(geoms: np.ndarray) -> pd.DataFrame:
    """Rows whose geometry is not valid, why, and where (无效几何).

    Returns
    -------
    DataFrame (row, reason, location)
        In row order. `location` is a point, or None where the engine names no place; a missing geometry is not a row.
    """
    array = np.asarray(geoms, dtype=object)
    rows = np.flatnonzero(~shapely.is_valid(array) & ~shapely.is_missing(array))
    reasons = [str(r) for r in shapely.is_valid_reason(array[rows])]
    words = pd.Series([r.split("[")[0].strip() for r in reasons], dtype=object)
    return pd.DataFrame({"row": rows, "reason": words, "location": pd.Series([_place(r) for r in reasons], dtype=object)})


def overlaps(geoms: np.ndarray, *, min_area: float) -> pd.DataFrame:
    """Pairs of polygons that overlap by more than an area (重叠).

    Only polygons that the coverage check complains of are compared with their neighbours; no overlap is lost by it, as
    of two polygons that overlap at least one has an edge inside the other, or the two are equal.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Valid polygons, metric CRS; missing ones are passed over. [m]
    min_area : float
        Overlaps up to this area are not reported. [m2]

    Returns
    -------
    DataFrame (i, j, area_m2, geometry)
        Positions i < j, sorted; planar area; the common part may carry lines where the two also touch.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    array = np.asarray(geoms, dtype=object)
    rows = np.flatnonzero(~shapely.is_missing(array) & ~shapely.is_empty(array))
    suspects = rows[_has_fault(array, rows)]
    p, q = shapely.STRtree(array[rows]).query(array[suspects], predicate="intersects")
    i, j = suspects[p], rows[q]
    pairs = np.unique(np.column_stack([np.minimum(i, j), np.maximum(i, j)])[i != j], axis=0)
    common = shapely.intersection(array[pairs[:, 0]], array[pairs[:, 1]])
    size = shapely.area(common)
    over = size > min_area
    geometry = pd.Series(list(common[over]), dtype=object)
    return pd.DataFrame({"i": pairs[over, 0], "j": pairs[over, 1], "area_m2": size[over], "geometry": geometry})


def mismatches(geoms: np.ndarray, *, gap_m: float) -> np.ndarray:
    """Lines where each polygon does not fit its neighbours (不匹配的边), None or empty where it does.

    The coverage check of the engine; it is asked only about polygons with an edge that no neighbour has the other way
    round, and what lies near them: all others fit.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Valid polygons in a metric CRS, none missing. [m]
    gap_m : float
        Neighbours that a border misses by less do not fit either. [m]

    Returns
    -------
    ndarray of geometry, n

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    suspects = np.flatnonzero(~_fits(geoms))
    box = shapely.bounds(geoms[suspects]) + np.array([-gap_m, -gap_m, gap_m, gap_m])
    _, near = shapely.STRtree(geoms).query(shapely.box(*box.T))
    asked = np.union1d(suspects, near).astype(np.int64)
    out = np.full(len(geoms), None, dtype=object)
    if len(asked):
        out[suspects] = shapely.coverage_invalid_edges(geoms[asked], gap_m)[np.searchsorted(asked, suspects)]
    return out


def gaps(geoms: np.ndarray, *, max_width: float) -> pd.DataFrame:
    """Holes between polygons that are narrower than a width (缝隙).

    The border of the covered land is every edge with land on one side only. The faces it encloses that no polygon covers
    are the holes; a hole that vanishes on shrinking by half of `max_width` is a gap. A slit that opens to the outside is
    part of the outer border and not reported.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Polygons in a metric CRS, overlapping or not; missing ones are passed over. [m]
    max_width : float
        Wider holes are land that nobody mapped or an island of another owner, not gaps. [m]

    Returns
    -------
    DataFrame (geometry, area_m2)
        From west to east.

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    array = np.asarray(geoms, dtype=object)
    border = shapely.union_all(_one_sided(edges_of(array)))
    faces = shapely.get_parts(shapely.polygonize([border]))
    faces = faces[shapely.area(faces) > _DUST_M2]
    holes = faces[~_is_covered(faces, array)]
    holes = holes[shapely.is_empty(shapely.buffer(holes, -max_width / 2.0))]
    holes = holes[np.argsort(shapely.bounds(holes)[:, 0], kind="stable")]
    return pd.DataFrame({"geometry": pd.Series(list(holes), dtype=object), "area_m2": shapely.area(holes).astype(float)})


def slivers(geoms: np.ndarray, *, max_area: float, max_thinness: float) -> np.ndarray:
    """Positions of polygons that are small and thin (狭长碎面).

    Thinness is 4 pi A / P2: 1 for a circle, 0.785 for a square, near 0 for a sliver. Both limits are included; missing and
    empty geometries are passed over.
    """
    array = np.asarray(geoms, dtype=object)
    size, border = shapely.area(array), shapely.length(array)
    with np.errstate(invalid="ignore", divide="ignore"):
        thinness = 4.0 * np.pi * size / border**2
        return np.flatnonzero((border > 0) & (size <= max_area) & (thinness <= max_thinness))


def is_coverage(geoms: np.ndarray) -> bool:
    """True when the polygons neither overlap nor mismatch along their borders (合规面覆盖).

    Raises
    ------
    TopologyError
        A geometry is not valid, so that the question has no answer; the rows are named.
    """
    array = np.asarray(geoms, dtype=object)
    array = array[~shapely.is_missing(array) & ~shapely.is_empty(array)]
    _refuse_invalid(array, np.arange(len(array)))
    return bool(shapely.coverage_is_valid(array))


def _has_fault(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    _refuse_invalid(array[rows], rows)
    faulty = shapely.coverage_invalid_edges(array[rows])
    return ~(shapely.is_missing(faulty) | shapely.is_empty(faulty))


def _fits(geoms: np.ndarray) -> np.ndarray:
    """True where each edge of a polygon is, exactly and with the land on the other side, the edge of one other polygon."""
    edges = edges_of(geoms)
    try:
        p, q = matches(edges)
    except TopologyError:  # polygons that lie on one another by the hundred
        return np.zeros(len(geoms), dtype=bool)
    on_left = edges.is_forward == land_on_left(edges.rings)[_ring_of_edge(edges)]
    (a, b), (c, d) = edges.points(p), edges.points(q)
    same, turned = (a == c).all(axis=1) & (b == d).all(axis=1), (a == d).all(axis=1) & (b == c).all(axis=1)
    fits = (same | turned) & (on_left[p] != on_left[q]) & (edges.owner[p] != edges.owner[q])
    n = len(edges.owner)
    partners = np.bincount(p, minlength=n) + np.bincount(q, minlength=n)
    good = partners == 1
    good[p[~fits]] = good[q[~fits]] = False
    held = np.bincount(edges.owner[good], minlength=len(geoms))
    drawn = np.bincount(edges.rings.of_edges(edges.rings.row), minlength=len(geoms))
    return (held == drawn) & (drawn > 0)


def _refuse_invalid(array: np.ndarray, rows: np.ndarray) -> None:
    bad = rows[~shapely.is_valid(array)]
    if len(bad):
        found = f"geometries of rows {bad[:10].tolist()} are not valid"
        raise TopologyError(found, expected="valid polygons", cure="repair them first (请先修复图形)")


def _one_sided(edges: Edges) -> np.ndarray:
    """Lines along which land lies on one side only: equal edges of opposite sense cancel."""
    p, q = matches(edges)
    first = np.arange(len(edges.owner))
    np.minimum.at(first, q, p)
    leftward = np.where(edges.is_forward == land_on_left(edges.rings)[_ring_of_edge(edges)], 1, -1)
    net = np.bincount(first, weights=leftward, minlength=len(first))
    open_edges = np.flatnonzero(net != 0)
    return shapely.linestrings(np.stack(edges.points(open_edges), axis=1)) if len(open_edges) else np.empty(0, dtype=object)


def _ring_of_edge(edges: Edges) -> np.ndarray:
    return np.searchsorted(edges.rings.starts, edges.start, side="right") - 1


def _is_covered(faces: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Whether a point inside each face lies in some polygon."""
    covered = np.zeros(len(faces), dtype=bool)
    covered[np.unique(shapely.STRtree(array).query(shapely.point_on_surface(faces), predicate="intersects")[0])] = True
    return covered


def _place(reason: str) -> shapely.Point | None:
    found = _PLACE.search(reason)
    return shapely.Point(float(found[1]), float(found[2])) if found else None
