"""Map sheet of vertical rates with the bowls of the last date (地表形变速率图)."""

from __future__ import annotations

from collections.abc import Sequence

import affine
import geopandas as gpd
import numpy as np

from qianmo.geo.grid import polygonize
from qianmo.geo.raster import Grid
from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["BREAKS_MM_YR", "coarse", "motion_sheet", "rate_bands"]

BREAKS_MM_YR = (-100.0, -30.0, -10.0, 10.0)
"""Bounds of the bands of the style group ``motion``. [mm/yr, up positive]"""


def coarse(grid: Grid, *, most_cells: int = 1200) -> Grid:
    """The grid with whole blocks of cells averaged until no side has more cells than wanted (降采样); nan cells are passed over."""
    rows, columns = grid.values.shape
    step = -(-max(rows, columns) // most_cells)
    if step == 1:
        return grid
    values = np.full((-(-rows // step) * step, -(-columns // step) * step), np.nan, np.float32)
    values[:rows, :columns] = np.where(grid.valid, grid.values, np.nan)
    blocks = values.reshape(values.shape[0] // step, step, values.shape[1] // step, step)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3))
    mean = np.divide(total, count, out=np.full(total.shape, np.nan, np.float32), where=count * 2 >= step * step)
    return Grid(mean, grid.transform * affine.Affine.scale(step), grid.crs, float("nan"))


def rate_bands(vertical: Grid, *, most_cells: int = 600) -> gpd.GeoDataFrame | None:
    """Polygons of the bands of the vertical rate (value 1 to 5), for the sheet: coarser than the raster where that is large; None without cells."""
    small = coarse(vertical, most_cells=most_cells)
    if not small.valid.any():
        return None
    band = np.where(small.valid, np.digitize(np.nan_to_num(small.values), BREAKS_MM_YR) + 1, 0)
    return polygonize(Grid(band.astype(np.int32), small.transform, small.crs, None), crop_zero=True)


def motion_sheet(
    bands: gpd.GeoDataFrame, bowls: gpd.GeoDataFrame | None, villages: gpd.GeoDataFrame | None, *, title: str, crs_text: str, date: str, vintage: str, office: str = "",
    synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Bands of the vertical rate, the bowls of the last date and the borders of the villages (地表形变速率图).

    Parameters
    ----------
    bands : GeoDataFrame (value, geometry)
        As of `rate_bands`, in a metric CRS. [m]
    bowls, villages : GeoDataFrame, optional
        In the same CRS.
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.

    Returns
    -------
    bytes
        PNG.
    """
    shown = bands.assign(band=bands["value"].astype(int).astype(str))
    layers = [MapLayer(shown, Classes("band", {k: s for k, s in symbols("motion").items() if k in set(shown["band"])}))]
    if villages is not None and len(villages):
        layers.append(MapLayer(villages, symbol("layer", "village"), labels="village_name"))
    if bowls is not None and len(bowls):
        layers.append(MapLayer(bowls, symbol("layer", "motion_basin")))
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size=size,
                     dpi=dpi)  # fmt: skip
