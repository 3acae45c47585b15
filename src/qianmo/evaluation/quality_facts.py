"""What is known of every patch for quality and suitability (评价指标值)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from qianmo.evaluation.classes import class_table, text_column
from qianmo.evaluation.contiguity import farmland_blocks
from qianmo.evaluation.zones import zone_areas
from qianmo.schema.rules import parameter
from qianmo.schema.units import m2_to_mu

__all__ = ["patch_facts", "soil_facts"]

_IRRIGATED = {"0101": "full", "0102": "most", "0103": "none"}
_WILD = ("forest", "grass", "wetland")
_KG, _CM = 1000.0, 0.1


def patch_facts(
    patches: gpd.GeoDataFrame, layers: Mapping[str, gpd.GeoDataFrame], *, scheme: str, soil: pd.DataFrame | None = None, borders: pd.DataFrame | None = None,
    measure: np.ndarray | None = None, overrides: Mapping[str, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Facts of n patches for the quality model (图斑指标值).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, metric CRS
        In the state that is judged: classes before or after the plan.
    soil : DataFrame, n rows, optional
        From :func:`soil_facts`.
    borders : DataFrame (i, j, length_m), optional
        With `measure`: neighbours of one class and village that both merge are one plot.

    Returns
    -------
    DataFrame, n rows
        patch_id, slope_deg, irrigation (by class: paddy full, irrigated most, dry none), plot_mu, block_mu (contiguous farmland; 0 off it), basic_farmland_share,
        eco_share, eco_core_share (0 where there is no such land, NaN where the layer is missing), is_construction, is_water, road_m, built_m, water_m, wild_m
        (from the outline to the nearest other patch of the kind; NaN where there is none), and the soil.
    """
    kinds = class_table(scheme)
    code = text_column(patches, "class_code").to_numpy()
    group = kinds["group"].reindex(code).to_numpy(object)
    table = farmland_blocks(patches, scheme=scheme, overrides=overrides)
    block = np.zeros(len(patches))
    block[table["row"].to_numpy(int)] = m2_to_mu(table["block_area_m2"].to_numpy(float))
    area = patches["area_m2"].to_numpy(float)
    zones = zone_areas(patches, layers)
    core = zones["eco_core"].to_numpy(float)
    eco = zones[["eco_core", "eco_other", "eco_unzoned"]].to_numpy(float).sum(axis=1)
    shapes = patches.geometry.to_numpy()
    facts: dict[str, Any] = {
        "patch_id": patches["patch_id"].to_numpy(object), "slope_deg": _number(patches, "slope_deg"), "irrigation": [_IRRIGATED.get(c, "") for c in code],
        "plot_mu": _plots(patches, code, measure, borders), "block_mu": block, "basic_farmland_share": zones["basic_farmland"].to_numpy(float) / area,
        "eco_share": eco / area, "eco_core_share": core / area, "is_construction": (group == "construction").astype(float), "is_water": (group == "water").astype(float),
        "road_m": _nearest(shapes, group == "transport"), "built_m": _nearest(shapes, group == "construction"), "water_m": _nearest(shapes, np.isin(group, ("water", "wetland"))),
        "wild_m": _nearest(shapes, np.isin(group, _WILD)),
    }  # fmt: skip
    out = pd.DataFrame(facts)
    return out if soil is None else pd.concat([out, soil.reset_index(drop=True)], axis=1)


def soil_facts(code: np.ndarray, types: pd.DataFrame, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Organic matter, depth and texture of n patches from the soil type under each (土壤指标).

    Parameters
    ----------
    code : (n,) text
        Soil code of each patch; '' where there is none.
    types : DataFrame, table ``soil_type``

    Returns
    -------
    DataFrame (organic_g_kg, depth_cm, texture), n rows; NaN and '' where unknown
        Texture by FAO: sand (clay < 18 %, sand > 65 %), clay (clay > 35 %), loam.
    """
    own = types.assign(soil_code=types["soil_code"].astype(str)).drop_duplicates("soil_code").set_index("soil_code").reindex(code)
    clay, sand = _number(own, "topsoil_clay_share"), _number(own, "topsoil_sand_share")
    coarse = (clay < parameter("texture_coarse_clay", overrides)) & (sand > parameter("texture_coarse_sand", overrides))
    fine = clay > parameter("texture_fine_clay", overrides)
    known = np.isfinite(clay) & np.isfinite(sand)
    texture = np.where(~known, "", np.where(coarse, "sand", np.where(fine, "clay", "loam")))
    return pd.DataFrame({"organic_g_kg": _number(own, "topsoil_organic_share") * _KG, "depth_cm": _number(own, "depth_mm") * _CM, "texture": texture})


def _plots(patches: gpd.GeoDataFrame, code: np.ndarray, measure: np.ndarray | None, borders: pd.DataFrame | None) -> np.ndarray:
    """Size of the plot of each patch [mu]; neighbours that merge are one."""
    own = patches["class_area_m2"].to_numpy(float)
    if measure is None or borders is None:
        return np.asarray(m2_to_mu(own))
    village = text_column(patches, "village_code").to_numpy() if "village_code" in patches else np.full(len(patches), "")
    i, j = borders["i"].to_numpy(int), borders["j"].to_numpy(int)
    both = (measure[i] == "merge_fields") & (measure[j] == "merge_fields") & (code[i] == code[j]) & (village[i] == village[j])
    n = len(patches)
    field = connected_components(coo_matrix((np.ones(int(both.sum())), (i[both], j[both])), shape=(n, n)), directed=False)[1]
    return np.asarray(m2_to_mu(np.bincount(field, own)[field]))


def _nearest(shapes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Distance from each patch to the nearest other of the chosen ones [m]; 0 for those chosen."""
    out = np.full(len(shapes), np.nan)
    if not chosen.any():
        return out
    out[chosen] = 0.0
    rest = np.flatnonzero(~chosen)
    at, distance = shapely.STRtree(shapes[chosen]).query_nearest(shapes[rest], return_distance=True, all_matches=False)
    out[rest[at[0]]] = distance
    return out


def _number(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name], errors="coerce").to_numpy(float, na_value=np.nan)
