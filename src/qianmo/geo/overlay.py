"""Overlay of two layers: pairs, shares, majority (叠加分析)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from qianmo.schema.errors import TopologyError

__all__ = ["intersection_pairs", "majority", "share_inside"]


def intersection_pairs(a_geoms: np.ndarray, b_geoms: np.ndarray) -> pd.DataFrame:
    """Every pair that overlaps in area, with the common part (相交).

    Parameters
    ----------
    a_geoms, b_geoms : ndarray of geometry
        Valid polygons in one metric CRS. [m]

    Returns
    -------
    DataFrame (i, j, area_m2, geometry)
        Planar area; touching pairs are left out.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    a, b = _valid(a_geoms, "first"), _valid(b_geoms, "second")
    i, j = shapely.STRtree(b).query(a, predicate="intersects")
    common = shapely.intersection(a[i], b[j])
    size = shapely.area(common)
    keep = size > 0.0
    order = np.lexsort((j[keep], i[keep]))
    kept = _polygonal(common[keep][order])
    frame = {"i": i[keep][order], "j": j[keep][order], "area_m2": size[keep][order]}
    return pd.DataFrame({**frame, "geometry": pd.Series(list(kept), dtype=object)})


def share_inside(a_geoms: np.ndarray, b_geoms: np.ndarray) -> np.ndarray:
    """Share of each a that lies in the union of b, from 0 to 1, planar (占比)."""
    a = _valid(a_geoms, "first")
    b = np.asarray(b_geoms, dtype=object)
    if not len(b):
        return np.zeros(len(a))
    union = shapely.union_all(_valid(b, "second"))
    parts = shapely.get_parts(union)
    pairs = intersection_pairs(a, parts)
    inside = np.bincount(pairs["i"], weights=pairs["area_m2"], minlength=len(a)) if len(pairs) else np.zeros(len(a))
    size = shapely.area(a)
    return np.clip(np.divide(inside, size, out=np.zeros(len(a)), where=size > 0), 0.0, 1.0)


def majority(a_geoms: np.ndarray, b_geoms: np.ndarray) -> np.ndarray:
    """Position in b of the polygon that covers most of each a; -1 where none does (最大占比)."""
    pairs = intersection_pairs(a_geoms, b_geoms)
    out = np.full(len(np.asarray(a_geoms, dtype=object)), -1, np.int64)
    best = pairs.sort_values(["i", "area_m2", "j"], ascending=[True, False, True]).drop_duplicates("i")
    out[best["i"].to_numpy()] = best["j"].to_numpy()
    return out


def _valid(geoms: np.ndarray, which: str) -> np.ndarray:
    array = np.asarray(geoms, dtype=object)
    bad = np.flatnonzero(~shapely.is_valid(array) & ~shapely.is_missing(array))
    if len(bad):
        raise TopologyError(f"geometries of the {which} layer are not valid: rows {bad[:10].tolist()}", cure="ingest with --repair (请先修复)")
    return array


def _polygonal(geoms: np.ndarray) -> np.ndarray:
    out = geoms.copy()
    for k in np.flatnonzero(shapely.get_type_id(geoms) == 7):
        parts = shapely.get_parts(geoms[k])
        out[k] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
    return out
