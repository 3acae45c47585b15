"""Rise of an elevation model to the east and to the north (坡面梯度)."""

from __future__ import annotations

import numpy as np

from qianmo.geo.crs import is_metric
from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError

__all__ = ["aspect_deg", "gradient", "square_cell"]


def gradient(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Rise to the east and to the north by Horn's third-order difference [m/m], two arrays (y, x), NaN without data (坡面梯度).

    A neighbour that is missing, at the edge or beside cells without data, is continued in a straight line from the
    opposite neighbour; where that is missing too, a corner is continued from the two sides and a side is taken level. So a
    plane has its true rise in every cell of a raster of at least two by two full cells.

    Raises
    ------
    CrsError
        The grid is in degrees, its cells are not square, or it is turned.

    References
    ----------
    .. [1] B. K. P. Horn, Hill shading and the reflectance map, Proceedings of the IEEE, vol. 69, pp. 14-47, 1981.
    """
    cell = square_cell(grid)
    z = np.where(grid.valid, grid.values.astype(float), np.nan)
    p = np.pad(z, 1, constant_values=np.nan)

    def at(dy: int, dx: int) -> np.ndarray:
        rows, columns = z.shape
        window = p[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]
        if not np.isnan(window).any():
            return window
        across = p[1 - dy : 1 - dy + rows, 1 - dx : 1 - dx + columns]
        level = at(dy, 0) + at(0, dx) - z if dy and dx else z
        return np.where(np.isnan(window), np.where(np.isnan(across), level, 2.0 * z - across), window)

    east = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1)
    south = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1)
    return east / (8.0 * cell), -south / (8.0 * cell)


def aspect_deg(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Direction downhill of a rise to the east and to the north (坡向) [degree from north by east], 0 to below 360; level ground gives 0."""
    level = (east == 0.0) & (north == 0.0)
    return np.where(level, 0.0, np.mod(np.degrees(np.arctan2(-east, -north)), 360.0))


def square_cell(grid: Grid) -> float:
    """Side of the square cells of a north-up grid in metres.

    Raises
    ------
    CrsError
        The grid is in degrees, its cells are not square, or it is turned.
    """
    t = grid.transform
    if not is_metric(grid.crs):
        found = f"slope needs metres, the elevation model is in {grid.crs.name}"
        raise CrsError(found, expected="a projected CRS in metres", cure="use resampled (请先投影)")
    if t.b or t.d or abs(abs(t.e) - abs(t.a)) > 1e-6 * abs(t.a):
        found = f"cells are {abs(t.a):g} x {abs(t.e):g} m, turned by {t.b:g}, {t.d:g}"
        raise CrsError(found, expected="square cells, north up", cure="use resampled (请先重采样)")
    return abs(t.a)
