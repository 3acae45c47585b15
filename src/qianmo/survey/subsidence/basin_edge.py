"""Edge of a subsidence basin as polygons: the line of equal subsidence (下沉盆地边界)."""

from __future__ import annotations

import contourpy
import numpy as np
import shapely

from qianmo.schema.errors import SchemaError

__all__ = ["edge_polygon"]


def edge_polygon(subsidence_mm: np.ndarray, x_m: np.ndarray, y_m: np.ndarray, *, level_mm: float) -> shapely.MultiPolygon:
    """Area that sinks by the level or more, its edge interpolated between the points of the grid (下沉等值线).

    Parameters
    ----------
    subsidence_mm : ndarray (y, x)
        Down positive, finite.
    x_m, y_m : ndarray (x,), (y,)
        Coordinates of columns and rows, each in one direction.
    level_mm : float

    Returns
    -------
    MultiPolygon
        Empty where nothing sinks that much; holes where ground inside stays.

    Raises
    ------
    SchemaError
        The basin runs over the edge of the grid.
    """
    w = np.asarray(subsidence_mm, dtype=float)
    rim = np.concatenate([w[0], w[-1], w[:, 0], w[:, -1]])
    if (rim >= level_mm).any():
        raise SchemaError(f"下沉 {level_mm:g} mm 边界超出格网 (边缘最大 {rim.max():.1f} mm)", expected="格网包住整个盆地", cure="扩大格网")
    lines = [shapely.LineString(line) for line in contourpy.contour_generator(x_m, y_m, w).lines(level_mm) if len(line) >= 4]
    area = shapely.build_area(shapely.MultiLineString(lines)) if lines else shapely.MultiPolygon()
    parts = [p for p in shapely.get_parts(area) if not p.is_empty]
    return shapely.MultiPolygon(parts)
