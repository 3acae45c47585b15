"""Polygons to drawing paths of one frame (多边形绘制)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from matplotlib.collections import PathCollection
from matplotlib.path import Path

from qianmo.reports.map_style import Classes, MapLayer, Symbol
from qianmo.schema.errors import SchemaError, TopologyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Extent", "draw_layer", "polygon_paths"]

Extent = tuple[float, float, float, float]
"""West, south, east, north [m]."""

_HATCH_COLOUR = "#00000073"
_HATCH_PT = 0.25
_SIMPLIFY_PX = 0.2
_CHUNK_VERTICES = 4000


def draw_layer(axes: Axes, layer: MapLayer, *, extent: Extent, pixel_m: float, zorder: float) -> list[Symbol]:
    """Draw one layer and return the symbols that are visible inside the extent, in legend order.

    Raises
    ------
    TopologyError
        The layer holds points or lines.
    SchemaError
        The column of the classes is missing.
    """
    seen = []
    for style, rows in _split(layer):
        paths = polygon_paths(rows, extent=extent, pixel_m=pixel_m)
        if paths:
            axes.add_collection(_collection(paths, style, zorder), autolim=False)
            seen.append(style)
    return seen


def polygon_paths(geometries: np.ndarray, *, extent: Extent, pixel_m: float) -> list[Path]:
    """Compound paths of the polygons that meet the extent; holes turn the other way.

    Polygons share a path up to some thousand vertices: a hatch is costly once a path, not once a polygon.

    Parameters
    ----------
    geometries : ndarray of geometry, (n,)
        Polygons or multipolygons; empty and null ones are skipped. [m]
    extent : (west, south, east, north)
        What the frame shows. [m]
    pixel_m : float
        Ground size of a pixel; vertices closer than a fifth of it are left out.
    """
    parts = shapely.get_parts(geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))])
    kinds = set(shapely.get_type_id(parts).tolist())
    if kinds - {shapely.GeometryType.POLYGON}:
        raise TopologyError(f"a map layer holds geometry types {sorted(kinds)}", expected="polygons", cure="图层须为面要素")
    west, south, east, north = extent
    box = shapely.bounds(parts) if len(parts) else np.empty((0, 4))
    parts = parts[(box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)]
    parts = shapely.simplify(parts, _SIMPLIFY_PX * pixel_m, preserve_topology=True)
    parts = shapely.orient_polygons(parts[~shapely.is_empty(parts)])
    return _compound(parts) if len(parts) else []


def _compound(parts: np.ndarray) -> list[Path]:
    _, points, (rings, polygons) = shapely.to_ragged_array(shapely.force_2d(parts))
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    codes[rings[:-1]] = Path.MOVETO
    codes[rings[1:] - 1] = Path.CLOSEPOLY
    edges = _chunks(rings[polygons])
    return [Path(points[a:b], codes[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _chunks(edges: np.ndarray) -> list[int]:
    chosen = [int(edges[0])]
    for before, edge in zip(edges[:-1], edges[1:], strict=True):
        if edge - chosen[-1] > _CHUNK_VERTICES and before > chosen[-1]:
            chosen.append(int(before))
    return [*chosen, int(edges[-1])]


def _split(layer: MapLayer) -> list[tuple[Symbol, np.ndarray]]:
    geometries = np.asarray(layer.frame.geometry.array)
    if isinstance(layer.style, Symbol):
        return [(layer.style, geometries)]
    return _by_class(layer, layer.style, geometries)


def _by_class(layer: MapLayer, style: Classes, geometries: np.ndarray) -> list[tuple[Symbol, np.ndarray]]:
    if style.column not in layer.frame.columns:
        raise SchemaError(f"a map layer has no column {style.column}", expected=", ".join(map(str, layer.frame.columns)))
    values = layer.frame[style.column].astype("string").fillna("").to_numpy(dtype=object)
    rest = ~np.isin(values, list(style.symbols))
    pairs = [(s, geometries[values == v]) for v, s in style.symbols.items()]
    return [*pairs, (style.other, geometries[rest])]


def _collection(paths: list[Path], style: Symbol, zorder: float) -> PathCollection:
    made = PathCollection(
        paths, facecolors=style.fill or "none", edgecolors=style.edge, linewidths=style.width_pt, hatch=style.hatch * 2 or None, zorder=zorder
    )
    made.set_hatchcolor(_HATCH_COLOUR)
    made.set_hatch_linewidth(_HATCH_PT)
    made.set_joinstyle("round")
    return made
