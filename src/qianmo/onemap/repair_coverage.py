"""Safe repairs between neighbours: small overlaps cut, narrow gaps filled (面层修复)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

__all__ = ["cut_overlaps", "fill_gaps"]


def cut_overlaps(geoms: np.ndarray, faults: gpd.GeoDataFrame) -> np.ndarray:
    """Geometries less the overlaps that stand on them (切除重叠).

    Parameters
    ----------
    geoms : n polygons [m]
    faults : rows ``overlap`` of a fault table
        ``row`` is the smaller polygon, the geometry the land it gives to the larger one.

    Returns
    -------
    ndarray, n
        A polygon that would lose half of itself or more in all is left as it was.
    """
    out = geoms.copy()
    for row, land in _land_of_rows(faults):
        rest = shapely.difference(shapely.force_2d(geoms[row]), land)
        if shapely.area(rest) > 0.5 * shapely.area(geoms[row]):
            out[row] = rest
    return out


def fill_gaps(geoms: np.ndarray, faults: gpd.GeoDataFrame) -> np.ndarray:
    """Geometries with the gaps that were given to them (填补缝隙).

    Parameters
    ----------
    geoms : n polygons [m]
    faults : rows ``gap`` of a fault table
        ``row`` is the neighbour with the longest shared border, the geometry the gap.
    """
    out = geoms.copy()
    for row, land in _land_of_rows(faults):
        out[row] = shapely.union(shapely.force_2d(geoms[row]), land)
    return out


def _land_of_rows(faults: gpd.GeoDataFrame) -> list[tuple[int, shapely.Geometry]]:
    land = pd.Series(faults.geometry.to_numpy()).groupby(faults["row"].to_numpy(dtype=np.int64)).agg(list)
    return [(int(row), shapely.union_all(parts)) for row, parts in zip(land.index.to_numpy(), land)]
