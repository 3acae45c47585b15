"""Fields after merging: small ones joined to the neighbour they share most border with (田块归并)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.evaluation.classes import farmland
from qianmo.evaluation.fragmentation import is_small_field
from qianmo.geo.adjacency import shared_borders
from qianmo.schema.rules import parameter

__all__ = ["farmland_borders", "field_areas", "merged_fields", "small_fields"]


def farmland_borders(
    patches: gpd.GeoDataFrame, *, scheme: str, overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Pairs of farmland patches with a common border (相邻耕地图斑).

    Returns
    -------
    DataFrame
        i, j (positions in `patches`, i < j), length_m; borders shorter than ``merge_border_min_m`` are left out.
    """
    rows = np.flatnonzero(farmland(patches, scheme=scheme))
    if len(rows) < 2:
        return pd.DataFrame({"i": rows[:0], "j": rows[:0], "length_m": np.zeros(0)})
    pairs = shared_borders(patches.geometry.to_numpy()[rows])
    pairs = pairs[pairs["length_m"] >= parameter("merge_border_min_m", overrides)]
    return pd.DataFrame({
        "i": rows[pairs["i"].to_numpy()], "j": rows[pairs["j"].to_numpy()], "length_m": pairs["length_m"].to_numpy(float)
    })  # fmt: skip


def merged_fields(n: int, borders: pd.DataFrame, merged: np.ndarray) -> np.ndarray:
    """Field number of each of `n` patches after merging (归并后田块号), int (n,).

    Parameters
    ----------
    borders : DataFrame
        Result of :func:`farmland_borders`.
    merged : ndarray, bool (n,)
        Patches with the measure ``merge_fields``: each joins one neighbour, that with the longest common border (the
        first of equals), so that a large field is not drawn in through a chain of neighbours.
    """
    both = pd.concat([
        borders.rename(columns={"i": "a", "j": "b"}),
        borders.rename(columns={"j": "a", "i": "b"}),
    ])  # fmt: skip
    both = both[merged[both["a"].to_numpy(dtype=int)]]
    best = both.sort_values(["a", "length_m", "b"], ascending=[True, False, True]).drop_duplicates("a")
    a, b = best["a"].to_numpy(dtype=int), best["b"].to_numpy(dtype=int)
    links = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    return connected_components(links, directed=False)[1]


def field_areas(
    patches: gpd.GeoDataFrame,
    *,
    scheme: str,
    overrides: Mapping[str, float] | None = None,
    merged: np.ndarray | None = None,
) -> np.ndarray:
    """Area of each farmland field [m2] (田块面积): the patches, or what they become by merging.

    Where the plan says which patches become one field (column ``field_group``: same group, class and village), that
    counts; otherwise each patch of `merged` joins the neighbour of the longest border.
    """
    is_farm = farmland(patches, scheme=scheme)
    area = patches["class_area_m2"].to_numpy(float)
    if "field_group" in patches.columns:
        keys = [c for c in ("field_group", "class_code", "village_code") if c in patches.columns]
        return patches.loc[is_farm, "class_area_m2"].groupby([patches.loc[is_farm, k] for k in keys], dropna=False).sum().to_numpy(float)
    if merged is None or not (merged & is_farm).any():
        return area[is_farm]
    number = merged_fields(len(patches), farmland_borders(patches, scheme=scheme, overrides=overrides), merged & is_farm)
    _, number = np.unique(number[is_farm], return_inverse=True)
    return np.bincount(number, weights=area[is_farm])


def small_fields(
    patches: gpd.GeoDataFrame,
    *,
    scheme: str,
    overrides: Mapping[str, float] | None = None,
    merged: np.ndarray | None = None,
) -> tuple[int, float]:
    """Number and area [m2] of farmland fields below the limit of rule Z-19 (小于3亩的耕地图斑), after merging where given."""
    area = field_areas(patches, scheme=scheme, overrides=overrides, merged=merged)
    small = is_small_field(area, overrides=overrides)
    return int(small.sum()), float(area[small].sum())
