"""Soil erodibility K from texture and organic carbon (土壤可蚀性)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError

__all__ = ["SI_FACTOR", "china_corrected", "epic_erodibility", "erodibility_by_type"]

_MATTER_A_CARBON = 1.724
"""Organic matter a unit of organic carbon (van Bemmelen)."""

SI_FACTOR = 0.1317
"""From US units to t·ha·h/(ha·MJ·mm)."""


def epic_erodibility(sand: np.ndarray, silt: np.ndarray, clay: np.ndarray, organic_carbon: np.ndarray) -> np.ndarray:
    r"""K of the EPIC model in US units, times `SI_FACTOR` for SI (EPIC 模型土壤可蚀性).

    Parameters
    ----------
    sand, silt, clay : ndarray (n,)
        Shares of the fine earth in percent (0.05–2 mm, 0.002–0.05 mm, below 0.002 mm); they must make 100 ± 2.
    organic_carbon : ndarray (n,)
        Organic carbon in percent (organic matter / 1.724), 0 to 20.

    Returns
    -------
    ndarray (n,)
        About 0.1 to 0.5; nan where an input is nan.

    Raises
    ------
    SchemaError
        Shares that do not make 100, or values out of range: grams a kilogram in place of percent.

    References
    ----------
    .. [1] J. R. Williams, The EPIC model, in: Computer Models of Watershed Hydrology, 1995.
    """
    sa, si, cl, c = (np.asarray(v, dtype=float) for v in (sand, silt, clay, organic_carbon))
    known = np.isfinite(sa + si + cl + c)
    total = sa + si + cl
    off = np.flatnonzero(known & ((np.abs(total - 100.0) > 2.0) | (np.minimum(np.minimum(sa, si), cl) < 0)))
    if len(off):
        raise SchemaError(f"砂粉黏粒合计 {total[off[:5]].round(2).tolist()} %, 行 {off[:5].tolist()}", expected="合计 100 % (容差 2 %)", cure="核对单位 (g/kg 需除以 10)、粒级制 (美国制) 与砾石是否已扣除")
    rich = np.flatnonzero(known & ((c < 0) | (c > 20)))
    if len(rich):
        raise SchemaError(f"有机碳 {c[rich[:5]].tolist()} %, 行 {rich[:5].tolist()}", expected="0 至 20 %", cure="有机质须除以 1.724; g/kg 须除以 10")
    bare = 1.0 - sa / 100.0
    coarse = 0.2 + 0.3 * np.exp(-0.0256 * sa * (1.0 - si / 100.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        fine = (si / (cl + si)) ** 0.3
    humus = 1.0 - 0.25 * c / (c + np.exp(3.72 - 2.95 * c))
    sandy = 1.0 - 0.7 * bare / (bare + np.exp(-5.51 + 22.9 * bare))
    return np.where(known, coarse * np.where(cl + si > 0, fine, 0.0) * humus * sandy, np.nan)


def china_corrected(erodibility_si: np.ndarray) -> np.ndarray:
    """K corrected for China, −0.01383 + 0.51575·K, at least 0 (张科利修正).

    References
    ----------
    .. [1] 张科利等, 土壤学报, 2007, 44(1): 7-13.
    """
    return np.maximum(-0.01383 + 0.51575 * np.asarray(erodibility_si, dtype=float), 0.0)


def erodibility_by_type(types: pd.DataFrame, *, least: float = 0.0) -> pd.Series:
    """K of each soil type in t·ha·h/(ha·MJ·mm), EPIC with the correction for China (各土种可蚀性 K).

    Parameters
    ----------
    types : DataFrame, table ``soil_type``, k rows
        Shares of sand, silt, clay, rock and organic matter of the topsoil, each 0 to 1. Where sand, silt, clay and rock
        together make 1, the first three are taken as shares of the whole soil and brought to the fine earth.

    least : float
        What a type is given whose corrected K is smaller: the linear correction reaches 0 on sandy soils.

    Returns
    -------
    Series, index soil_code
        NaN where texture or organic matter is unknown; about 0.001 to 0.02.

    Raises
    ------
    SchemaError
        Shares that do not make 1: the rows are named.
    """
    share = {n: pd.to_numeric(types[f"topsoil_{n}_share"], errors="coerce").to_numpy(float) if f"topsoil_{n}_share" in types else np.full(len(types), np.nan)
             for n in ("sand", "silt", "clay", "rock", "organic")}  # fmt: skip
    rock = np.nan_to_num(share["rock"])
    fine = share["sand"] + share["silt"] + share["clay"]
    scale = np.where((np.abs(fine + rock - 1.0) < np.abs(fine - 1.0)) & (rock < 1.0), 100.0 / (1.0 - np.minimum(rock, 0.99)), 100.0)
    us = epic_erodibility(scale * share["sand"], scale * share["silt"], scale * share["clay"], 100.0 * share["organic"] / _MATTER_A_CARBON)
    return pd.Series(np.maximum(china_corrected(us * SI_FACTOR), least), index=types["soil_code"].astype(str).to_numpy(), name="erodibility")
