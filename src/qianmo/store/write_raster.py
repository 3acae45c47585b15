"""Rasters as Cloud Optimised GeoTIFF (栅格写出)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rasterio

if TYPE_CHECKING:
    from qianmo.geo.grid import Grid

__all__ = ["write_cog"]


def write_cog(path: Path, grid: Grid) -> None:
    """Write one band as a COG with DEFLATE; an old file is unlinked first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    height, width = grid.values.shape
    with rasterio.open(
        path, "w", driver="COG", height=height, width=width, count=1, dtype=grid.values.dtype.name,
        crs=rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()), transform=grid.transform, nodata=grid.nodata, compress="DEFLATE",
    ) as target:  # fmt: skip
        target.write(grid.values, 1)
