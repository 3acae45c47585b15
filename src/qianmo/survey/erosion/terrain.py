"""Flow over a height model and the LS factor it gives (汇流与坡长坡度)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.geo.grid import slope_deg
from qianmo.geo.raster import NODATA, Grid
from qianmo.geo.slope_length import catchment_length_factor, steepness_factor
from qianmo.schema.errors import CrsError, MissingDataError

__all__ = ["Flow", "flow_over", "slope_length_grid"]


_WAYS = {(0, 1): 1, (1, 1): 2, (1, 0): 4, (1, -1): 8, (0, -1): 16, (-1, -1): 32, (-1, 0): 64, (-1, 1): 128}
"""D8 code by step down and to the right."""


_STEP_M = 2.0**-10
"""Heights are multiples of this: sums and differences of heights up to 16 km are then exact in single precision. [m]"""


@dataclass(frozen=True)
class Flow:
    """Where water runs (汇流).

    Attributes
    ----------
    area_m2 : ndarray (y, x)
        Area that drains through the cell, the cell included [m2]; nan outside the model.
    downstream : ndarray (y, x), int64
        Flat index of the cell below; its own index at an outlet, −1 outside the model.
    order : ndarray (k,), int64
        Flat indices of the valid cells from the outlets upwards.
    """

    area_m2: np.ndarray
    downstream: np.ndarray
    order: np.ndarray


def flow_over(elevation: Grid) -> Flow:
    """Fill the sinks, find for each cell the steepest of eight ways down, and add up the area above (填洼与 D8 汇流).

    Heights are taken to the millimetre (1/1024 m), so that filled ground is level to the last bit and no water runs in a ring.

    Parameters
    ----------
    elevation : Grid
        Heights [m] in a metric CRS with square cells.

    Raises
    ------
    CrsError
        Degrees, or cells that are not square.
    MissingDataError
        No valid cell.

    References
    ----------
    .. [1] D. Eilander et al., pyflwdir (MIT), which does the filling and the accumulation. The way it gives with the filling leads to the
       lowest neighbour, not down the steepest way; it is kept only where the filled ground is level.
    """
    import pyflwdir  # compiled at import: only where flow is asked for

    if elevation.crs.is_geographic or abs(abs(elevation.transform.a) - abs(elevation.transform.e)) > 1e-6 * abs(elevation.transform.a):
        raise CrsError("高程栅格不是米制方形像元", expected="投影坐标系, 像元为正方形", cure="先重采样到投影坐标系")
    valid = elevation.valid
    if not valid.any():
        raise MissingDataError("高程栅格没有有效像元", expected="至少一个有效高程")
    cell = abs(elevation.transform.a)
    heights = np.where(valid, np.round(elevation.values.astype(float) / _STEP_M) * _STEP_M, NODATA).astype(np.float32)
    filled, flooded = pyflwdir.dem.fill_depressions(heights, nodata=NODATA, outlets="edge")
    ways = pyflwdir.from_array(_steepest(filled, flooded, valid), ftype="d8", check_ftype=False)
    cells = ways.upstream_area("cell").astype(float)
    below = ways.idxs_ds.reshape(heights.shape).astype(np.int64)
    return Flow(np.where(valid & (cells > 0), cells * cell**2, np.nan), np.where(valid, below, -1), np.asarray(ways.idxs_seq, dtype=np.int64))


def _steepest(filled: np.ndarray, flooded: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Code of the steepest way down of every cell; on level ground the way of the flood, which no steeper way can close to a ring."""
    rows, columns = filled.shape
    code, most = flooded.copy(), np.zeros(filled.shape, np.float32)
    for (down, right), number in _WAYS.items():
        here = slice(max(0, -down), rows - max(0, down)), slice(max(0, -right), columns - max(0, right))
        there = slice(max(0, down), rows - max(0, -down)), slice(max(0, right), columns - max(0, -right))
        drop = (filled[here] - filled[there]) / np.float32(np.hypot(down, right))
        steeper = valid[here] & valid[there] & (drop > most[here])
        code[here][steeper] = number
        most[here][steeper] = drop[steeper]
    return code


def slope_length_grid(elevation: Grid, flow: Flow, *, longest_m: float) -> Grid:
    """LS of every cell from the slope and the area above it (栅格坡长坡度因子).

    Parameters
    ----------
    elevation : Grid
    flow : Flow
        Of the same grid.
    longest_m : float
        Slope length at which water gathers into a channel, see parameter ``erosion_longest_slope_m``.

    Returns
    -------
    Grid
        Float, at least 0; nan outside.
    """
    steep = slope_deg(elevation)
    slope = np.where(steep.valid, steep.values, np.nan)
    dy, dx = np.gradient(np.where(elevation.valid, elevation.values, np.nan).astype(float))
    cell = abs(elevation.transform.a)
    length = catchment_length_factor(np.maximum(flow.area_m2 - cell**2, 0.0), np.nan_to_num(slope), np.arctan2(dy, dx), cell, longest_m=longest_m)
    found = np.where(np.isfinite(slope) & np.isfinite(flow.area_m2), length * steepness_factor(np.nan_to_num(slope)), np.nan)
    return Grid(found, elevation.transform, elevation.crs, np.nan)
