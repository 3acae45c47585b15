"""Quality of cultivated land: grades where they are, else a proxy that is never called a grade (耕地质量)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.slope import slope_bounds
from qianmo.schema.rules import parameter
from qianmo.schema.units import mu_to_m2

__all__ = ["PROXY_BASIS", "mean_grade", "quality", "quality_points"]

PROXY_BASIS = "proxy: slope+size+contiguity"
PROXY_LABELS = ("条件差(代理)", "条件一般(代理)", "条件较好(代理)", "条件好(代理)")


def quality(
    patches: gpd.GeoDataFrame, block_table: pd.DataFrame, *, overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Farmland by quality grade, or by a proxy where no grade is given (耕地质量构成).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``
    block_table : DataFrame
        Result of :func:`qianmo.evaluation.contiguity.farmland_blocks` for the same patches.

    Returns
    -------
    DataFrame
        label, area_m2, share, basis. Where any farmland has a grade (耕地等别, 1 best to 15) basis is 'GDDB', one row a
        grade, and farmland without one stands in a row of its own. Where none has, basis is the proxy: points for slope
        (at most ``mechanisation_slope_max_deg``), plot size (at least ``mechanisation_plot_min_mu``) and block size
        (at least ``contig_block_min_mu``), 0 to 3. The proxy is no grade and cannot answer rule Z-04.
    """
    rows = block_table["row"].to_numpy()
    area = block_table["area_m2"].to_numpy(float)
    grade = _grades(patches)[rows]
    if np.isfinite(grade).any():
        label = np.where(np.isfinite(grade), [f"{g:g}等" for g in np.nan_to_num(grade)], "无等别")
        order = [f"{g:g}等" for g in np.unique(grade[np.isfinite(grade)])]
        basis = "GDDB"
    else:
        points = quality_points(patches, block_table, overrides=overrides)
        known = np.isfinite(points)
        label = np.where(known, np.array(PROXY_LABELS, dtype=object)[np.nan_to_num(points).astype(int)], "无坡度数据")
        order, basis = list(PROXY_LABELS[::-1]), PROXY_BASIS
    sums = pd.Series(area).groupby(label).sum()
    order += [x for x in sums.index if x not in order]
    out = pd.DataFrame({"label": order, "area_m2": sums.reindex(order).fillna(0.0).round(2).to_numpy()})
    total = out["area_m2"].sum()
    out["share"] = out["area_m2"] / total if total else 0.0
    out["basis"] = basis
    return out


def quality_points(
    patches: gpd.GeoDataFrame, block_table: pd.DataFrame, *, overrides: Mapping[str, float] | None = None
) -> np.ndarray:
    """Points of the proxy for each farmland row (耕地条件代理分), float (k,): 0 to 3, NaN where the slope is unknown."""
    rows = block_table["row"].to_numpy()
    _, upper = slope_bounds(patches.iloc[rows])
    flat = upper <= parameter("mechanisation_slope_max_deg", overrides)
    large = block_table["area_m2"].round(2) >= round(mu_to_m2(parameter("mechanisation_plot_min_mu", overrides)), 2)
    block = block_table["block_area_m2"].round(2) >= round(mu_to_m2(parameter("contig_block_min_mu", overrides)), 2)
    points = flat.astype(float) + large.to_numpy(float) + block.to_numpy(float)
    return np.where(np.isfinite(upper), points, np.nan)


def mean_grade(table: pd.DataFrame, area_m2: np.ndarray) -> float:
    """Area-weighted mean grade (平均质量等别), 1 best; NaN unless every row with area has a grade."""
    grade = _grades(table)
    used = area_m2 > 0
    if not used.any() or not np.isfinite(grade[used]).all():
        return float("nan")
    return float(np.average(grade[used], weights=area_m2[used]))


def _grades(table: pd.DataFrame) -> np.ndarray:
    if "quality_grade" not in table.columns:
        return np.full(len(table), np.nan)
    grade = pd.to_numeric(table["quality_grade"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where((grade >= 1) & (grade <= 15), grade, np.nan)
