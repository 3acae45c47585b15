"""Measured soil loss at points beside the modelled one: table of residuals and the map of them (实测点检核)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.cells import placed
from qianmo.geo.raster import Grid
from qianmo.jobs.plain_table import plain_table
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.erosion.loss import Sampled, sampled_residuals

__all__ = ["RESIDUAL_KINDS", "compared_samples", "residual_discs", "samples_from"]

NEEDED = ("x", "y", "modulus_t_km2")

RESIDUAL_KINDS = ("below", "near", "above", "unknown")
"""Modelled under half of the measured, within half and double, over double, no modelled value; codes of ``map_styles.csv``, group residual."""


def samples_from(path: str) -> pd.DataFrame:
    """Sample points from a table with x, y [m, CRS of the project] and modulus_t_km2 [t/(km2·a)], optionally a sample name (采样点表).

    Raises
    ------
    SchemaError
        Columns are missing, values are no numbers or negative; the rows are named as in the file.
    MissingDataError
        No rows.
    """
    table = plain_table(path, needed=NEEDED, optional=" (可另有 sample)", meaning="x 东坐标, y 北坐标 (米, 项目坐标系), modulus_t_km2 实测侵蚀模数 t/(km²·a)")
    if not len(table):
        raise MissingDataError(f"{path}: 没有采样点", expected="至少 3 个采样点")
    numbers = table[list(NEEDED)].apply(pd.to_numeric, errors="coerce")
    bad = [int(k) + 2 for k in np.flatnonzero(~np.isfinite(numbers).all(axis=1) | (numbers["modulus_t_km2"] < 0))]
    if bad:
        raise SchemaError(f"{path}: 第 {', '.join(map(str, bad[:8]))} 行不是数或模数为负", expected="数值, 模数不小于 0", cure="删除或补齐这些采样点")
    names = table["sample"].astype(str) if "sample" in table else pd.Series([f"{k + 1}" for k in range(len(table))])
    return numbers.assign(sample=names.to_numpy())


def compared_samples(samples: pd.DataFrame, loss: Grid, *, source: str) -> tuple[pd.DataFrame, Sampled]:
    """Modelled beside measured modulus at each sample, from the cell it lies in (采样点残差表).

    Returns
    -------
    (table, sampled)
        Table (sample, x, y, measured_t_km2, modelled_t_km2, residual_t_km2, kind); the residual is modelled less measured. Figures of
        `sampled` are in t/(km2·a).

    Raises
    ------
    MissingDataError
        Fewer than three samples lie where the loss is known: told with how many lie outside the grid.
    """
    height, width = loss.values.shape
    x, y = samples["x"].to_numpy(float), samples["y"].to_numpy(float)
    column, row = (np.floor(v).astype(np.int64) for v in placed(~loss.transform, x, y))
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = np.where(inside, row, 0), np.where(inside, column, 0)
    modelled = np.where(inside & loss.valid[at], 100.0 * loss.values[at].astype(float), np.nan)
    measured = samples["modulus_t_km2"].to_numpy(float)
    if np.isfinite(modelled).sum() < 3:
        raise MissingDataError(
            f"{source}: {len(samples)} 个采样点中 {int((~inside).sum())} 个在高程范围外, 只有 {int(np.isfinite(modelled).sum())} 个有模型值",
            expected="至少 3 个采样点落在有地类的像元上", cure="核对坐标系与 x、y 次序 (x 东, y 北)",
        )  # fmt: skip
    sampled = sampled_residuals(modelled, measured)
    kind = np.select([~np.isfinite(modelled), modelled < 0.5 * measured, modelled > 2.0 * measured], ["unknown", "below", "above"], "near")
    table = pd.DataFrame({
        "sample": samples["sample"].to_numpy(object), "x": x, "y": y, "measured_t_km2": measured, "modelled_t_km2": modelled,
        "residual_t_km2": sampled.residual, "kind": kind,
    })  # fmt: skip
    return table, sampled


def residual_discs(table: pd.DataFrame, loss: Grid) -> gpd.GeoDataFrame:
    """Discs at the samples with their residual as a label, for a sheet (残差分布). Radius a hundredth of the longer side of the grid."""
    longest = max(loss.values.shape) * abs(float(loss.transform.a))
    discs = shapely.buffer(shapely.points(table["x"].to_numpy(), table["y"].to_numpy()), longest / 100.0)
    said = [f"{s} {r:+.0f}" if np.isfinite(r) else f"{s} 无模型值" for s, r in zip(table["sample"], table["residual_t_km2"])]
    return gpd.GeoDataFrame({"kind": table["kind"].to_numpy(object), "said": said}, geometry=discs, crs=loss.crs.to_wkt())
