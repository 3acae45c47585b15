"""Polygons as flat arrays of ring vertices (多边形的环与顶点数组)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.schema.errors import TopologyError

__all__ = ["Rings", "land_on_left", "not_finite", "rings_of"]

_POLYGON = 3


@dataclass(frozen=True)
class Rings:
    """The rings of n geometries, one after the other (环).

    `xy` (m, 2) holds the vertices, first and last of a ring equal; ring k has vertices ``starts[k]:starts[k + 1]``,
    belongs to geometry ``row[k]`` and is an interior ring where ``is_hole[k]``.
    """

    xy: np.ndarray
    starts: np.ndarray
    row: np.ndarray
    is_hole: np.ndarray

    def edge_starts(self) -> np.ndarray:
        """Positions in `xy` where an edge starts, m - (rings) of them; the edge ends at the next position."""
        first = np.ones(len(self.xy), dtype=bool)
        first[self.starts[1:] - 1] = False
        return np.flatnonzero(first)

    def of_edges(self, values: np.ndarray) -> np.ndarray:
        """A value of each ring, repeated for each edge."""
        return np.repeat(values, np.diff(self.starts) - 1)

    def rows_of_vertices(self, mask: np.ndarray) -> np.ndarray:
        """Geometries that own the marked vertices, sorted."""
        return np.unique(self.row[np.searchsorted(self.starts, np.flatnonzero(mask), side="right") - 1])


def rings_of(geoms: np.ndarray) -> Rings:
    """All rings of polygons and multipolygons; missing and empty geometries and lines and points have none (取环).

    Raises
    ------
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    parts, part_row = _polygons(np.asarray(geoms, dtype=object))
    holes = shapely.get_num_interior_rings(parts)
    xy = shapely.get_coordinates(parts)
    ring_part = np.repeat(np.arange(len(parts)), holes + 1)
    first = np.cumsum(holes + 1) - (holes + 1)
    is_hole = np.ones(len(ring_part), dtype=bool)
    is_hole[first] = False
    count = shapely.get_num_coordinates(parts)[ring_part]
    with_holes = holes[ring_part] > 0
    count[with_holes] = shapely.get_num_coordinates(shapely.get_rings(parts[holes > 0]))
    rings = Rings(xy, np.concatenate([[0], np.cumsum(count)]).astype(np.int64), part_row[ring_part], is_hole)
    _refuse_infinite(rings)
    return rings


def land_on_left(rings: Rings) -> np.ndarray:
    """Whether the land of each ring lies on its left: outer rings counter-clockwise, holes clockwise (面在左侧)."""
    k = rings.edge_starts()
    origin = rings.of_edges(rings.xy[rings.starts[:-1], 0])
    trapezoid = (rings.xy[k, 0] + rings.xy[k + 1, 0] - 2.0 * origin) * (rings.xy[k + 1, 1] - rings.xy[k, 1])
    ring = rings.of_edges(np.arange(len(rings.row)))
    return (np.bincount(ring, weights=trapezoid, minlength=len(rings.row)) > 0) ^ rings.is_hole


def not_finite(rows: np.ndarray) -> TopologyError:
    """The error that names rows with infinite or missing coordinates (坐标无效)."""
    found = f"coordinates of rows {rows[:10].tolist()} are not finite"
    return TopologyError(found, expected="numbers", cure="repair the geometry (坐标无效)")


def _polygons(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kind = shapely.get_type_id(array)
    if (kind == _POLYGON).all():
        parts, row = array, np.arange(len(array))
    else:
        parts, row = shapely.get_parts(array, return_index=True)
        while (shapely.get_type_id(parts) > _POLYGON).any():
            parts, outer = shapely.get_parts(parts, return_index=True)
            row = row[outer]
    keep = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
    return (parts, row) if keep.all() else (parts[keep], row[keep])


def _refuse_infinite(rings: Rings) -> None:
    finite = np.isfinite(rings.xy)
    if not finite.all():
        raise not_finite(rings.rows_of_vertices(~finite.all(axis=1)))
