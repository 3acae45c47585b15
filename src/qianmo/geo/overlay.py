"""Overlay of two layers: pairs, shares, majority (叠加分析)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from qianmo.schema.errors import TopologyError

__all__ = ["intersection_pairs", "majority", "share_inside"]

_POLYGONAL = (3, 6)
_COLLECTION = 7


def intersection_pairs(a_geoms: np.ndarray, b_geoms: np.ndarray) -> pd.DataFrame:
    """Every pair that overlaps in area, with the common part (相交).

    Parameters
    ----------
    a_geoms, b_geoms : ndarray of geometry
        Valid polygons in one metric CRS; missing ones meet nothing. [m]

    Returns
    -------
    DataFrame (i, j, area_m2, geometry)
        Positions in a and b, sorted; planar area [m2] > 0. Pairs that only touch are left out, and so are points and
        lines where a pair touches as well as overlaps.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    a, b = _valid(a_geoms, "first"), _valid(b_geoms, "second")
    i, j = shapely.STRtree(b).query(a, predicate="intersects")
    common = shapely.intersection(a[i], b[j])
    size = shapely.area(common)
    keep = np.flatnonzero(size > 0.0)
    keep = keep[np.lexsort((j[keep], i[keep]))]
    geometry = pd.Series(list(_polygonal(common[keep])), dtype=object)
    return pd.DataFrame({"i": i[keep], "j": j[keep], "area_m2": size[keep], "geometry": geometry})


def share_inside(a_geoms: np.ndarray, b_geoms: np.ndarray) -> np.ndarray:
    """Share of each a that lies in the union of b, from 0 to 1, planar (占比).

    Where several b cover an a, their common parts are united first, so that overlaps among b count once. A missing or
    empty a has share 0.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    a = np.asarray(a_geoms, dtype=object)
    pairs = intersection_pairs(a, b_geoms)
    i, parts = pairs["i"].to_numpy(), pairs["geometry"].to_numpy()
    inside = np.bincount(i, weights=pairs["area_m2"], minlength=len(a)).astype(float)
    first = np.flatnonzero(np.concatenate([[True], i[1:] != i[:-1]])[: len(i)])
    last = np.append(first[1:], len(i))
    for low, high in zip(first[last - first > 1], last[last - first > 1]):
        inside[i[low]] = shapely.union_all(parts[low:high]).area
    size = shapely.area(a)
    return np.clip(np.divide(inside, size, out=np.zeros(len(a)), where=size > 0), 0.0, 1.0)


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


def _valid(geoms: np.ndarray, which: str) -> np.ndarray:
    array = np.asarray(geoms, dtype=object)
    bad = np.flatnonzero(~shapely.is_valid(array) & ~shapely.is_missing(array))
    if len(bad):
        raise TopologyError(
            f"geometries of the {which} layer are not valid: rows {bad[:10].tolist()}", expected="valid polygons",
            cure="ingest with --repair (请先修复图形)",
        )  # fmt: skip
    return array


def _polygonal(geoms: np.ndarray) -> np.ndarray:
    out = geoms.copy()
    for k in np.flatnonzero(shapely.get_type_id(geoms) == _COLLECTION):
        parts = shapely.get_parts(geoms[k])
        out[k] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), _POLYGONAL)])
    return out
