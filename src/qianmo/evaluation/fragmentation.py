"""Fragmentation of cultivated land (耕地破碎化)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.evaluation.classes import farmland, text_column
from qianmo.evaluation.structure import village_names
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns
from qianmo.schema.units import M2_PER_HA, mu_to_m2

__all__ = ["fragmentation", "is_small_field", "shape_dimension"]


def fragmentation(
    patches: gpd.GeoDataFrame,
    villages: pd.DataFrame | None,
    *,
    scheme: str,
    overrides: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    r"""Fragmentation of the farmland of each village, and of all of it in the last row (耕地破碎化指标).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, metric CRS
    villages : DataFrame, table ``village``, optional
        Gives names and control areas; without it the area of a village is the sum of its patches.

    Returns
    -------
    DataFrame
        village_code, village_name, patches (number of farmland patches), area_m2, mean_patch_m2, small_patches and
        small_area_m2 (below parameter ``small_patch_mu``), small_share (of the area), patch_density_per_km2 (patches
        over the village), effective_mesh_ha, area_weighted_shape, simpson. Villages without farmland have zeros, and
        NaN where there is nothing to average.

    Notes
    -----
    With class areas :math:`a_i` of the farmland in a village of area :math:`A`:
    effective mesh size :math:`\sum a_i^2 / A` [1]_, from 0 to :math:`A`;
    area-weighted fractal dimension :math:`\sum (a_i/\sum a) \, 2\ln(p_i/4)/\ln a_i` [2]_, 1 for squares, higher for
    ragged fields (perimeter and area from the drawing); Simpson :math:`1 - \sum a_i^2/(\sum a_i)^2`, 0 for one field.

    References
    ----------
    .. [1] J. A. G. Jaeger, Landscape Ecology, vol. 15, pp. 115-130, 2000.
    .. [2] K. McGarigal and B. J. Marks, FRAGSTATS, USDA PNW-GTR-351, 1995.
    """
    require_columns("landuse_patch", list(patches.columns))
    code = text_column(patches, "village_code").to_numpy()
    is_farm = farmland(patches, scheme=scheme)
    farm = pd.DataFrame({
        "village": code[is_farm],
        "area": patches["class_area_m2"].to_numpy(float)[is_farm],
        "small": is_small_field(patches["class_area_m2"].to_numpy(float)[is_farm], overrides=overrides),
        "shape": shape_dimension(patches.geometry.to_numpy()[is_farm]),
    })  # fmt: skip
    ground = pd.Series(patches["area_m2"].to_numpy(float)).groupby(code).sum()
    if villages is not None and "control_area_m2" in villages.columns:
        control = villages.set_index(villages["village_code"].astype(str))["control_area_m2"].dropna().astype(float)
        ground.update(control)
    by_village = dict(list(farm.groupby("village")))
    rows = [_row(v, by_village.get(v, farm.iloc[:0]), ground[v]) for v in ground.index]
    rows.append(_row("", farm, float(ground.sum())))
    out = pd.DataFrame(rows)
    out.insert(1, "village_name", out["village_code"].map(village_names(patches, villages)).fillna(""))
    out.loc[out.index[-1], "village_name"] = "合计"
    return out


def is_small_field(area_m2: np.ndarray, *, overrides: Mapping[str, float] | None = None) -> np.ndarray:
    """True for a field below the limit of rule Z-19 (小于3亩的图斑); a field of exactly 3 mu is not small."""
    return np.round(area_m2, 2) < round(mu_to_m2(parameter("small_patch_mu", overrides)), 2)


def shape_dimension(geoms: np.ndarray) -> np.ndarray:
    """Fractal dimension of each outline (形状分维数), (n,): 1 for a square, towards 2 for a ragged outline."""
    area, length = shapely.area(geoms), shapely.length(geoms)
    safe = area > 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(safe, 2.0 * np.log(0.25 * length) / np.log(area), np.nan)


def _row(village: str, farm: pd.DataFrame, ground_m2: float) -> dict[str, object]:
    area = farm["area"].to_numpy(float)
    total, squares = area.sum(), float((area**2).sum())
    small = farm["small"].to_numpy(bool)
    weighted = farm["shape"].notna().to_numpy()
    weight = area[weighted].sum()
    return {
        "village_code": village,
        "patches": len(farm),
        "area_m2": round(float(total), 2),
        "mean_patch_m2": total / len(farm) if len(farm) else np.nan,
        "small_patches": int(small.sum()),
        "small_area_m2": round(float(area[small].sum()), 2),
        "small_share": area[small].sum() / total if total else np.nan,
        "patch_density_per_km2": len(farm) / (ground_m2 / 1e6) if ground_m2 else np.nan,
        "effective_mesh_ha": squares / ground_m2 / M2_PER_HA if ground_m2 else np.nan,
        "area_weighted_shape": float((area[weighted] * farm["shape"].to_numpy()[weighted]).sum() / weight) if weight else np.nan,
        "simpson": 1.0 - squares / total**2 if total else np.nan,
    }
