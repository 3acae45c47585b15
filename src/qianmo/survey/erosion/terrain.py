"""Flow over a height model and the LS factor it gives (汇流与坡长坡度)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.geo.grid import slope_deg
from qianmo.geo.raster import NODATA, Grid
from qianmo.geo.slope_length import catchment_length_factor, steepness_factor
from qianmo.schema.errors import CrsError, MissingDataError

__all__ = ["Flow", "flow_over", "slope_length_grid"]


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
    .. [1] D. Eilander et al., pyflwdir (MIT), which does the filling and the accumulation.
    """
    import pyflwdir  # compiled at import: only where flow is asked for

    if elevation.crs.is_geographic or abs(abs(elevation.transform.a) - abs(elevation.transform.e)) > 1e-6 * abs(elevation.transform.a):
        raise CrsError("高程栅格不是米制方形像元", expected="投影坐标系, 像元为正方形", cure="先重采样到投影坐标系")
    valid = elevation.valid
    if not valid.any():
        raise MissingDataError("高程栅格没有有效像元", expected="至少一个有效高程")
    cell = abs(elevation.transform.a)
    heights = np.where(valid, elevation.values, NODATA).astype(np.float32)
    ways = pyflwdir.from_dem(heights, nodata=NODATA, outlets="edge")
    cells = ways.upstream_area("cell").astype(float)
    below = ways.idxs_ds.reshape(heights.shape).astype(np.int64)
    return Flow(np.where(valid & (cells > 0), cells * cell**2, np.nan), np.where(valid, below, -1), np.asarray(ways.idxs_seq, dtype=np.int64))


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
