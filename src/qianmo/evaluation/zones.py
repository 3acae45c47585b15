"""Share of every patch in each control zone (图斑与控制线叠置)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.evaluation.classes import text_column
from qianmo.geo.crs import same_metric_crs
from qianmo.geo.overlay import share_inside

__all__ = ["ZONES", "ZONE_NAMES", "zone_areas"]

ZONES = ("basic_farmland", "eco_core", "eco_other", "eco_unzoned", "udb_inside")
"""Columns of :func:`zone_areas`; `eco_unzoned` is redline whose source does not say core or not."""

ZONE_NAMES = {
    "basic_farmland": "永久基本农田",
    "eco_core": "生态保护红线核心保护区",
    "eco_other": "生态保护红线(核心区外)",
    "eco_unzoned": "生态保护红线(未注明是否核心区)",
    "udb_inside": "城镇开发边界内",
    "udb_outside": "城镇开发边界外",
    "ordinary_farmland": "一般耕地",
}
"""Chinese names of the zones."""

CORE = "核心"


def zone_areas(
    patches: gpd.GeoDataFrame, layers: Mapping[str, gpd.GeoDataFrame], *, is_partition: bool = True
) -> pd.DataFrame:
    """Area of each patch inside each control zone (图斑落入各控制线的面积).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, n rows, metric CRS
    layers : mapping
        ``basic_farmland``, ``eco_redline``, ``urban_boundary`` where there are any, in the same CRS.
    is_partition : bool
        The patches do not overlap each other (D-05). Then a zone polygon drawn exactly as one patch is not cut with the
        neighbours it only touches, which saves most of the time. False where the checks found overlaps.

    Returns
    -------
    DataFrame, n rows, index of `patches`
        One column a zone of :data:`ZONES` [m2]: the share of the drawing inside times the register area, so that the
        figure is ellipsoidal. NaN throughout where the layer is not there.

    Raises
    ------
    CrsError
        The layers differ in CRS, or are in degrees.
    """
    used = {k: layers[k] for k in ("basic_farmland", "eco_redline", "urban_boundary") if layers.get(k) is not None}
    same_metric_crs(patches, *used.values())
    out = pd.DataFrame(np.nan, index=patches.index, columns=list(ZONES))
    area = patches["area_m2"].to_numpy(float)
    geoms = patches.geometry.to_numpy()
    drawn = pd.Index(shapely.to_wkb(geoms)) if used else pd.Index([])
    for zone, polygons in _zone_geometries(used).items():
        out[zone] = np.round(_share(geoms, drawn, polygons, is_partition=is_partition) * area, 4)
    return out


def _zone_geometries(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, np.ndarray]:
    zones: dict[str, np.ndarray] = {}
    if "basic_farmland" in layers:
        zones["basic_farmland"] = layers["basic_farmland"].geometry.to_numpy()
    if "eco_redline" in layers:
        redline = layers["eco_redline"]
        name = text_column(redline, "reserve_zone")
        core = name.str.contains(CORE).to_numpy()
        unzoned = (name == "").to_numpy()
        geoms = redline.geometry.to_numpy()
        zones |= {"eco_core": geoms[core], "eco_other": geoms[~core & ~unzoned], "eco_unzoned": geoms[unzoned]}
    if "urban_boundary" in layers:
        zones["udb_inside"] = layers["urban_boundary"].geometry.to_numpy()
    return zones


def _share(geoms: np.ndarray, drawn: pd.Index, polygons: np.ndarray, *, is_partition: bool) -> np.ndarray:
    """Planar share of each geometry in the union of the polygons, 0 to 1; one drawn exactly as a polygon is all inside."""
    share = np.zeros(len(geoms))
    if not len(polygons):
        return share
    wanted = pd.Index(shapely.to_wkb(polygons))
    share[drawn.isin(wanted)] = 1.0
    if is_partition:
        polygons = polygons[~wanted.isin(drawn)]
    rest = np.flatnonzero(share < 1.0)
    share[rest] = share_inside(geoms[rest], polygons)
    return share
