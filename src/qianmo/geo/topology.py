"""Faults of geometry and of coverages: invalid, overlapping, gaps, slivers (拓扑检查)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

__all__ = ["gaps", "invalid", "is_coverage", "overlaps", "slivers"]


def invalid(geoms: np.ndarray) -> pd.DataFrame:
    """Rows whose geometry is not valid, why, and where (无效几何).

    Returns
    -------
    DataFrame (row, reason, location)
        `location` is a point, or None where the engine names no place.
    """
    array = np.asarray(geoms, dtype=object)
    rows = np.flatnonzero(~shapely.is_valid(array) & ~shapely.is_missing(array))
    reasons = [str(r) for r in shapely.is_valid_reason(array[rows])]
    words = [r.split("[")[0].strip() for r in reasons]
    return pd.DataFrame({"row": rows, "reason": words, "location": pd.Series([_place(r) for r in reasons], dtype=object)})


def overlaps(geoms: np.ndarray, *, min_area: float) -> pd.DataFrame:
    """Pairs of polygons that overlap by more than an area (重叠).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        Valid polygons, metric CRS; missing ones are passed over. [m]
    min_area : float
        Overlaps up to this area are not reported. [m2]

    Returns
    -------
    DataFrame (i, j, area_m2, geometry), i < j
    """
    array = np.asarray(geoms, dtype=object)
    rows = np.flatnonzero(~shapely.is_missing(array) & ~shapely.is_empty(array))
    suspects = _suspects(array, rows)
    if not len(suspects):
        return _overlap_frame([], [], np.empty(0, dtype=object), np.empty(0))
    tree = shapely.STRtree(array[rows])
    p, q = tree.query(array[suspects], predicate="intersects")
    i, j = suspects[p], rows[q]
    keep = i != j
    pairs = np.unique(np.sort(np.column_stack([i[keep], j[keep]]), axis=1), axis=0)
    if not len(pairs):
        return _overlap_frame([], [], np.empty(0, dtype=object), np.empty(0))
    common = shapely.intersection(array[pairs[:, 0]], array[pairs[:, 1]])
    size = shapely.area(common)
    over = size > min_area
    return _overlap_frame(pairs[over, 0], pairs[over, 1], common[over], size[over])


def gaps(geoms: np.ndarray, *, max_width: float) -> pd.DataFrame:
    """Holes between polygons that are narrower than a width (缝隙).

    A hole of the union counts when it vanishes on shrinking by half of `max_width`. [m]

    Returns
    -------
    DataFrame (geometry, area_m2)
    """
    array = np.asarray(geoms, dtype=object)
    array = array[~shapely.is_missing(array) & ~shapely.is_empty(array)]
    if not len(array):
        return pd.DataFrame({"geometry": pd.Series(dtype=object), "area_m2": pd.Series(dtype=float)})
    whole = shapely.coverage_union_all(array) if is_coverage(array) else shapely.union_all(array)
    polygons = shapely.get_parts(whole)
    rings, index = shapely.get_rings(polygons, return_index=True)
    inner = np.ones(len(rings), dtype=bool)
    inner[np.searchsorted(index, np.unique(index))] = False
    holes = shapely.polygons(rings[inner])
    narrow = shapely.is_empty(shapely.buffer(holes, -max_width / 2.0)) if len(holes) else np.empty(0, bool)
    found = holes[narrow] if len(holes) else holes
    return pd.DataFrame({"geometry": pd.Series(list(found), dtype=object), "area_m2": shapely.area(found).astype(float)})


def slivers(geoms: np.ndarray, *, max_area: float, max_thinness: float) -> np.ndarray:
    """Positions of polygons that are small and thin (狭长碎面).

    Thinness is 4 pi A / P2: 1 for a circle, near 0 for a sliver.
    """
    array = np.asarray(geoms, dtype=object)
    size, border = np.nan_to_num(shapely.area(array)), np.nan_to_num(shapely.length(array))
    thinness = np.where(border > 0, 4 * np.pi * size / np.maximum(border, 1e-12) ** 2, 1.0)
    present = ~shapely.is_missing(array) & ~shapely.is_empty(array)
    return np.flatnonzero(present & (size <= max_area) & (thinness <= max_thinness))


def is_coverage(geoms: np.ndarray) -> bool:
    """True when the polygons neither overlap nor mismatch along their borders (合规面覆盖)."""
    return bool(shapely.coverage_is_valid(np.asarray(geoms, dtype=object)))


def _suspects(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows that the coverage check complains of; all rows where it cannot judge (invalid geometry)."""
    if not shapely.is_valid(array[rows]).all():
        return rows
    faulty = shapely.coverage_invalid_edges(array[rows])
    return rows[~shapely.is_empty(faulty) & ~shapely.is_missing(faulty)]


def _overlap_frame(i: object, j: object, geometry: np.ndarray, size: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"i": np.asarray(i, np.int64), "j": np.asarray(j, np.int64), "area_m2": size, "geometry": pd.Series(list(geometry), dtype=object)}
    )


def _place(reason: str) -> shapely.Point | None:
    if "[" not in reason:
        return None
    numbers = reason.split("[")[1].rstrip("]").split()
    try:
        return shapely.Point(float(numbers[0]), float(numbers[1]))
    except (ValueError, IndexError):
        return None
