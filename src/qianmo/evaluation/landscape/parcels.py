"""Pattern indices of parcel polygons, without a raster between (宗地景观指数)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from qianmo.geo.adjacency import shared_borders_noded
from qianmo.geo.crs import same_metric_crs
from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["parcel_core", "parcel_pattern"]


def parcel_pattern(patches: gpd.GeoDataFrame, *, class_column: str = "class_code", merge: bool = True) -> tuple[pd.DataFrame, dict[str, float]]:
    r"""Indices of every class and of the whole, from the polygons themselves (宗地景观格局).

    Parameters
    ----------
    patches : GeoDataFrame, n rows
        Polygons of a coverage in a metric CRS. [m]
    class_column : str
        Column of the class.
    merge : bool
        Parcels of one class that share a border count as one patch, as cells do in a raster; False keeps every parcel apart.

    Returns
    -------
    classes : DataFrame, index class
        CA [ha], PLAND [%], NP, PD [1/100 ha], LPI [%], TE [m], ED [m/ha], AREA_MN [ha], SHAPE_MN (perimeter over that of the circle of
        equal area, at least 1), SHAPE_AM (weighted by area), FRAC_AM, MESH [ha], SPLIT, DIVISION.
    landscape : dict
        The same for all, and PR, SHDI, SIDI, SHEI.

    Raises
    ------
    MissingDataError
        No polygon.
    CrsError
        Degrees.

    Notes
    -----
    TE counts borders between different classes; the outline of the whole is not an edge, as in the raster indices. The shape index here is that of
    vector patches, p/(2√(πa)); the raster one divides by the least perimeter of so many cells, so the two differ by up to 13 %.
    """
    if not len(patches):
        raise MissingDataError("没有图斑", expected="至少一个多边形")
    same_metric_crs(patches)
    shapes, codes = patches.geometry.to_numpy(), patches[class_column].to_numpy()
    borders = shared_borders_noded(shapes)
    a, b, length = (borders[c].to_numpy() for c in ("i", "j", "length_m"))
    alike = codes[a] == codes[b]
    group = _joined(len(patches), a[alike], b[alike]) if merge else np.arange(len(patches))
    area = np.bincount(group, weights=shapely.area(shapes))
    inner = np.bincount(group[a[alike]], weights=length[alike], minlength=len(area)) if merge else np.zeros(len(area))
    perimeter = np.bincount(group, weights=shapely.length(shapes)) - 2.0 * inner
    of = np.empty(len(area), dtype=codes.dtype)
    of[group] = codes
    total = float(area.sum())
    rows = {}
    for code in pd.unique(codes):
        mine = of == code
        edge = float(length[~alike & ((codes[a] == code) | (codes[b] == code))].sum())
        rows[code] = _row(area[mine], perimeter[mine], edge, total)
    whole = _row(area, perimeter, float(length[~alike].sum()), total)
    share = np.array([area[of == c].sum() for c in rows]) / total
    shannon = float(-(share * np.log(share)).sum())
    whole |= {"PR": float(len(share)), "SHDI": shannon, "SIDI": float(1.0 - (share**2).sum()), "SHEI": shannon / np.log(len(share)) if len(share) > 1 else float("nan")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(class_column).sort_index(), whole


def parcel_core(patches: gpd.GeoDataFrame, *, depth_m: float, class_column: str = "class_code") -> pd.DataFrame:
    """Core and distance indices of every class from the polygons themselves (宗地核心区与邻近度).

    Parameters
    ----------
    patches : GeoDataFrame, n rows
        Polygons of a coverage in a metric CRS; parcels of one class that share a border are one patch. [m]
    depth_m : float
        Depth of the edge, above 0; the outline of the whole is an edge too, as in the raster indices. [m]

    Returns
    -------
    DataFrame, index class
        TCA [ha], CPLAND [%] of the whole, NDCA (disjunct cores), CAI [%], ENN_MN and ENN_SD [m] (from outline to outline of the nearest patch of the class; NaN for a
        class of one patch).

    Raises
    ------
    MissingDataError
        No polygon.
    SchemaError
        A depth that is not above 0.
    CrsError
        Degrees.
    """
    if not len(patches):
        raise MissingDataError("没有图斑", expected="至少一个多边形")
    if not depth_m > 0:
        raise SchemaError(f"边缘深度 {depth_m:g} 米", expected="大于 0")
    same_metric_crs(patches)
    total = float(patches.geometry.area.sum())
    rows = {}
    for code, part in patches.groupby(class_column, sort=True):
        shapes, area = part.geometry.to_numpy(), float(part.geometry.area.sum())
        borders = shared_borders_noded(shapes)
        group = _joined(len(shapes), borders["i"].to_numpy(), borders["j"].to_numpy())
        whole = np.array([shapely.union_all(shapes[group == k]) for k in range(group.max() + 1)], object)
        core = shapely.buffer(whole, -depth_m, join_style="mitre")
        parts = shapely.get_parts(core[~shapely.is_empty(core)])
        inner, away = float(shapely.area(core).sum()), np.full(len(whole), np.nan)
        if len(whole) > 1:
            at, far = shapely.STRtree(whole).query_nearest(whole, exclusive=True, return_distance=True, all_matches=False)
            away[at[0]] = far
        rows[code] = {
            "TCA": inner / 1e4, "CPLAND": 100.0 * inner / total, "NDCA": float(len(parts)), "CAI": 100.0 * inner / area,
            "ENN_MN": float(away.mean()), "ENN_SD": float(away.std()),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(class_column)


def _row(area: np.ndarray, perimeter: np.ndarray, edge: float, total: float) -> dict[str, float]:
    mine = float(area.sum())
    shape = perimeter / (2.0 * np.sqrt(np.pi * area))
    fractal = 2.0 * np.log(0.25 * perimeter) / np.log(area)
    squares = float((area**2).sum())
    return {
        "CA": mine / 1e4, "PLAND": 100.0 * mine / total, "NP": float(len(area)), "PD": len(area) / (total / 1e6), "LPI": 100.0 * float(area.max()) / total,
        "TE": edge, "ED": edge / (total / 1e4), "AREA_MN": float(area.mean()) / 1e4, "SHAPE_MN": float(shape.mean()), "SHAPE_AM": float(shape @ area / mine),
        "FRAC_AM": float(fractal @ area / mine), "MESH": squares / total / 1e4, "SPLIT": total**2 / squares, "DIVISION": 1.0 - squares / total**2,
    }  # fmt: skip


def _joined(count: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count)), directed=False)[1]
