"""Rasters of a project back into memory (项目栅格读取)."""

from __future__ import annotations

from pathlib import Path

import pyproj
import rasterio

from qianmo.geo.grid import Grid
from qianmo.schema.errors import MissingDataError

__all__ = ["read_cog"]


def read_cog(path: Path) -> Grid:
    """The grid that `qianmo.store.write_raster.write_cog` wrote; files from outside go through the guard instead.

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    if not path.is_file():
        raise MissingDataError(f"项目中没有栅格 {path.stem}", expected="已入库的栅格", cure="先入库该栅格")
    with rasterio.open(path, driver="GTiff") as opened:
        return Grid(opened.read(1), opened.transform, pyproj.CRS.from_wkt(opened.crs.to_wkt()), opened.nodata)
