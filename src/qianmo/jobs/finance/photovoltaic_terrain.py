"""Elevation models for photovoltaics: from a file or a project to horizons and slopes (光伏地形)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyproj

from qianmo.finance.photovoltaic.terrain import Surroundings, sky_view
from qianmo.geo.crs import project_crs, transform_points
from qianmo.geo.gradient import gradient
from qianmo.geo.horizon import grid_north_deg, horizons
from qianmo.geo.raster import Grid, resampled
from qianmo.schema.errors import CrsError, MissingDataError
from qianmo.store.guard import inspect
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_raster import read_grids
from qianmo.store.scratch import scratch_folder

__all__ = ["DIRECTIONS", "read_elevation", "surroundings_at"]

DIRECTIONS = 72
"""Directions of a horizon: every 5 degrees."""

_WGS84 = 4326
_DEGREE_M = 111_000.0
"""Metres of a degree of latitude, for the cell of a model in degrees."""


def read_elevation(path: Path, target: pyproj.CRS, *, assume: pyproj.CRS | None = None) -> Grid:
    """The first band of a GeoTIFF through the gate, in the CRS asked for (读取高程模型).

    Parameters
    ----------
    assume : CRS, optional
        What the file is in where it says nothing.

    Raises
    ------
    UnsafeInputError, MissingDataError
        The gate refuses the file, or it is not there.
    CrsError
        It names no CRS, or one that cannot be brought to the target safely.
    """
    limits = default_limits()
    with scratch_folder() as folder:
        raw = read_grids(inspect(Path(path), limits=limits), workdir=folder, limits=limits)[0]
        values = np.array(raw.values)
    if not raw.crs_wkt and assume is None:
        raise CrsError(f"{Path(path).name} 没有坐标系 (no CRS)", expected="带坐标系的高程模型", cure="先为栅格定义坐标系")
    grid = Grid(values, raw.transform, pyproj.CRS.from_wkt(raw.crs_wkt) if raw.crs_wkt else assume, raw.nodata)  # type: ignore[arg-type]
    if grid.crs == target or (grid.crs.to_epsg() is not None and grid.crs.to_epsg() == target.to_epsg()):
        return grid
    cell = abs(grid.transform.e) * _DEGREE_M if grid.crs.is_geographic else None
    return resampled(grid, target, cell=cell)


def surroundings_at(path: Path, longitude_deg: float, latitude_deg: float, facing_deg: float) -> Surroundings:
    """Horizon, sky and rise of the ground of one place from an elevation model (单点地形).

    Raises
    ------
    MissingDataError
        The place has no height in the model.
    """
    target = _metric_crs(longitude_deg, latitude_deg)
    grid = read_elevation(path, target)
    x, y = (np.atleast_1d(v) for v in transform_points(np.array([longitude_deg]), np.array([latitude_deg]), pyproj.CRS.from_epsg(_WGS84), target))
    profile = horizons(grid, x, y, directions=DIRECTIONS, north_deg=grid_north_deg(target, x, y))[0]
    east, north = gradient(grid)
    column, row = ~grid.transform * (float(x[0]), float(y[0]))
    r, c = (min(max(math.floor(v), 0), most - 1) for v, most in ((row, east.shape[0]), (column, east.shape[1])))
    turn = math.radians(facing_deg + float(grid_north_deg(target, x, y)[0]))
    rise = math.degrees(math.atan(east[r, c] * math.sin(turn) + north[r, c] * math.cos(turn)))
    if not math.isfinite(rise):
        raise MissingDataError(f"东经 {longitude_deg:g}°、北纬 {latitude_deg:g}° 处没有高程", expected="位于高程模型内的站址")
    return Surroundings(profile, float(sky_view(profile)), rise)


def _metric_crs(longitude_deg: float, latitude_deg: float) -> pyproj.CRS:
    """A CGCS2000 zone inside China, a UTM zone elsewhere."""
    try:
        return pyproj.CRS.from_epsg(project_crs(longitude_deg))
    except CrsError:
        zone = int((longitude_deg + 180.0) // 6.0) % 60 + 1
        return pyproj.CRS.from_epsg((32600 if latitude_deg >= 0.0 else 32700) + zone)
