"""Carbon stock of land by class (碳储量)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import looked_up
from qianmo.schema.local_factors import factor_values
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["by_area", "carbon_density", "carbon_stock"]

ANNUAL = ("cropland_paddy", "cropland_dry", "facility_agri")


def carbon_density(level: str = "default", *, annual_crops: bool = False, overrides: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Carbon density by carbon class over all pools [t C/ha] (碳密度).

    Above and below ground biomass, soil to 100 cm and dead matter are added. The above-ground biomass of annual crops is
    harvested within the year and is no stock [1]_; `annual_crops` counts it all the same.

    References
    ----------
    .. [1] IPCC 2006 Guidelines, vol. 4, ch. 5 (cropland).
    """
    out: dict[str, float] = {}
    for row, value in factor_values("carbon_density", level, overrides).items():
        kind, _, pool = row.partition(".")
        counts = annual_crops or not (pool == "AGB" and kind in ANNUAL)
        out[kind] = out.get(kind, 0.0) + (value if counts else 0.0)
    return out


def carbon_stock(land: Land, level: str = "default") -> np.ndarray:
    r"""Carbon stock of every patch [t C] (碳储量), (n,); NaN where a class has no density.

    Notes
    -----
    .. math:: C_i = d(k_i)\, a_i + d(\text{ridge})\, r_i

    with density `d`, class area `a` and ridge area `r` [ha]: the stock-difference method of IPCC. Linear in the areas, so
    the coefficient of an option is exact.
    """
    density = carbon_density(level, annual_crops=parameter("carbon_counts_annual_crop", land.overrides) > 0, overrides=land.overrides)
    return by_area(land, "carbon_class", density)


def by_area(land: Land, kind: str, factor: dict[str, float]) -> np.ndarray:
    """Factor per hectare times area, ridges with the factor of their own class (单位面积系数×面积), (n,)."""
    own = looked_up(land.code, land.scheme, kind, factor) * land.class_area
    ridge = np.where(land.ridge > 0, looked_up(land.ridge_code, land.scheme, kind, factor) * land.ridge, 0.0)
    return (own + ridge) / M2_PER_HA
