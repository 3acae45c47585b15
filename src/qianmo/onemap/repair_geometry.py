"""Safe repairs of single geometries: made valid, without double vertices and heights (单个图形修复)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely

from qianmo.schema.rules import parameter

__all__ = ["clean_vertices", "has_repeated_vertices", "made_valid", "same_way_holes"]


def made_valid(geoms: np.ndarray, *, overrides: Mapping[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Invalid polygons made valid, and whether that is safe (图形有效化).

    Parameters
    ----------
    geoms : n Polygon or MultiPolygon, finite, metric [m]
    overrides : mapping, optional
        Values for ``repair_area_abs_m2`` and ``repair_area_rel``.

    Returns
    -------
    geoms, is_safe : ndarray, n
        Safe where the result is polygonal, not empty, and its area differs from that of the drawn rings by no more
        than 1 m2 or 0.1 %, whichever is more. A bow-tie of two large lobes is not safe: nobody knows which was meant.
        Unsafe rows keep their geometry.
    """
    out = geoms.copy()
    before = shapely.area(geoms)
    valid = shapely.is_valid(geoms)
    out[~valid] = shapely.make_valid(geoms[~valid], method="structure", keep_collapsed=False)
    after = shapely.area(out)
    allowed = np.maximum(parameter("repair_area_abs_m2", overrides), parameter("repair_area_rel", overrides) * before)
    polygonal = np.isin(shapely.get_type_id(out), (3, 6)) & ~shapely.is_empty(out)
    safe = polygonal & (np.abs(after - before) <= allowed)
    out[~safe] = geoms[~safe]
    return out, safe


def has_repeated_vertices(geoms: np.ndarray) -> np.ndarray:
    """True where consecutive vertices coincide (重复节点)."""
    xy, owner = shapely.get_coordinates(geoms, return_index=True)
    out = np.zeros(len(geoms), dtype=bool)
    out[owner[1:][(xy[1:] == xy[:-1]).all(axis=1)]] = True  # or a ring that ends where the next begins
    fewer = shapely.get_num_coordinates(shapely.remove_repeated_points(geoms[out], 0.0))
    out[out] = fewer < shapely.get_num_coordinates(geoms[out])
    return out


def same_way_holes(geoms: np.ndarray) -> np.ndarray:
    """True where a hole turns the same way as its outer ring (内外环方向相同)."""
    parts, owner = shapely.get_parts(geoms, return_index=True)
    holed = shapely.get_num_interior_rings(parts) > 0
    out = np.zeros(len(geoms), dtype=bool)
    rings, of_part = shapely.get_rings(parts[holed], return_index=True)
    turn = shapely.is_ccw(rings)
    first = np.r_[True, of_part[1:] != of_part[:-1]] if len(rings) else np.zeros(0, dtype=bool)
    outer_turn = turn[first][of_part] if len(rings) else turn
    wrong = of_part[(turn == outer_turn) & ~first]
    out[owner[holed][np.unique(wrong)]] = True
    return out


def clean_vertices(geoms: np.ndarray) -> np.ndarray:
    """The same shapes in the plane, without double vertices, heights and measures; outer rings counter-clockwise (节点清理).

    A shape that would vanish keeps its vertices.
    """
    flat = shapely.force_2d(geoms)
    clean = shapely.orient_polygons(shapely.remove_repeated_points(flat, 0.0))
    return np.where(shapely.is_empty(clean) & ~shapely.is_empty(flat), flat, clean)
