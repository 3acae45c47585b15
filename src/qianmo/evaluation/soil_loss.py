"""Soil loss by water (土壤流失量): R K LS C P of every patch."""

from __future__ import annotations

import numpy as np

from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import factor_column, looked_up, service_classes
from qianmo.geo.slope_length import slope_length_factor
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA

__all__ = ["practice_factor", "soil_loss"]

COVER_COLUMN = {"low": "cover_low", "default": "cover", "high": "cover_high"}


def practice_factor(land: Land) -> np.ndarray:
    """Support practice factor P (水土保持措施因子), (n,) in 0..1; NaN where it needs a slope that is unknown.

    By class from ``soil_cover.csv``; `slope` there means contour tillage by ``slope_practice.csv``. Terraced land has
    ``practice_terrace`` where that is lower.
    """
    table = {r["carbon_class"]: r["practice"] for r in shipped_rows("parameters", "soil_cover")}
    fixed = {k: float(v) for k, v in table.items() if v != "slope"}
    steps = shipped_rows("parameters", "slope_practice")
    upper = np.array([float(r["slope_max_deg"]) for r in steps])
    value = np.array([float(r["practice"]) for r in steps])
    tilled = np.where(np.isfinite(land.slope), value[np.searchsorted(upper[:-1], np.nan_to_num(land.slope))], np.nan)
    kinds = service_classes(land.scheme, "carbon_class")
    by_slope = np.isin(land.code.astype(str), [c for c, k in kinds.items() if table.get(k) == "slope"])
    found = np.where(by_slope, tilled, looked_up(land.code, land.scheme, "carbon_class", fixed))
    return np.where(land.terraced, np.minimum(found, parameter("practice_terrace", land.overrides)), found)


def soil_loss(land: Land, level: str = "default") -> np.ndarray:
    r"""Soil loss of every patch [t/yr] (土壤流失量), (n,), at least 0.

    NaN where slope, R, K or the class is unknown; 0 where the class has no sheet erosion, whatever the slope.

    Notes
    -----
    .. math:: A_i = R_i K_i\, L(\lambda_i) S(\theta_i)\, C(k_i) P(k_i, \theta_i)\, a_i

    with `a` the register area [ha]. Gross loss of each field: no deposition and no delivery to streams is modelled, since
    that needs a flow map. `level` picks the end of the cover factor C.

    References
    ----------
    .. [1] K. G. Renard et al., USDA Agriculture Handbook 703, 1997.
    """
    cover = looked_up(land.code, land.scheme, "carbon_class", factor_column("soil_cover", COVER_COLUMN[level], land.overrides))
    loss = land.erosivity * land.erodibility * slope_length_factor(land.length, land.slope) * cover * practice_factor(land)
    return np.where(cover == 0, 0.0, loss * land.area / M2_PER_HA)
