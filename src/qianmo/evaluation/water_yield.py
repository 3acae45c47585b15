"""Yearly water yield of land by class in closed form (产水量)."""

from __future__ import annotations

import numpy as np

from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import factor_column, looked_up
from qianmo.schema.errors import RuleError
from qianmo.schema.rules import parameter

__all__ = ["evaporated_share", "water_yield"]

KC_COLUMN = {"low": "kc_high", "default": "kc", "high": "kc_low"}
"""More evaporation is less yield: the low end of the yield takes the high coefficient."""

LARGEST_OMEGA = 5.0
_OMEGA_BARE = 1.25
_M_PER_MM = 1e-3


def evaporated_share(dryness: np.ndarray, omega: np.ndarray) -> np.ndarray:
    r"""Share of the rain that evaporates, by Fu's curve (蒸散占降水比例), in 0..min(1, `dryness`).

    Parameters
    ----------
    dryness : ndarray
        Potential evaporation over rain, at least 0.
    omega : ndarray
        Shape of the curve, above 1.

    Notes
    -----
    .. math:: \frac{E}{P} = 1 + \phi - (1 + \phi^\omega)^{1/\omega}

    Solved in the form :math:`1 + \phi - m(1 + (n/m)^\omega)^{1/\omega}` with the larger m and the smaller n of 1 and :math:`\phi`, which does not overflow.
    [1]_, [2]_
    """
    big, small = np.maximum(1.0, dryness), np.minimum(1.0, dryness)
    return 1.0 + dryness - big * np.exp(np.log1p((small / big) ** omega) / omega)


def water_yield(land: Land, level: str = "default") -> np.ndarray:
    r"""Water yield of every patch [m3/yr] (产水量), (n,), at least 0; NaN where a class has no coefficient.

    Raises
    ------
    RuleError
        Rain or reference evapotranspiration that is not above 0, or a share of available water outside 0..1.

    Notes
    -----
    .. math:: Y_i = P a_i \left(1 - E/P\right), \quad \phi = K_c ET_0 / P, \quad \omega = \min(5, Z\,\mathrm{AWC}/P + 1.25)

    with AWC the smaller of root and soil depth times the available share; land without plants evaporates :math:`\min(K_c ET_0, P)`: the formulas of the InVEST annual
    water yield model [3]_. Linear in the area, so the coefficient of an option is exact. `level` takes the end of Kc that gives the low or high yield.

    References
    ----------
    .. [1] B. P. Fu, Scientia Atmospherica Sinica, vol. 5, pp. 23-31, 1981.
    .. [2] L. Zhang et al., Water Resources Research, vol. 40, W02502, 2004.
    .. [3] Natural Capital Project, InVEST user guide, annual water yield.
    """
    rain, reference = (_above_zero(n, land) for n in ("water_rain_mm", "water_reference_mm"))
    share = parameter("water_available_share", land.overrides)
    if not 0 <= share <= 1:
        raise RuleError(f"water_available_share = {share:g}", expected="0 至 1", cure="体积比, 不是百分数")

    def factor(column: str) -> np.ndarray:
        return looked_up(land.code, land.scheme, "carbon_class", factor_column("water_balance", column, land.overrides))

    held = np.minimum(factor("root_mm"), parameter("water_soil_depth_mm", land.overrides)) * share
    omega = np.minimum(LARGEST_OMEGA, parameter("water_seasonality", land.overrides) * held / rain + _OMEGA_BARE)
    dryness = factor(KC_COLUMN[level]) * reference / rain
    gone = np.where(factor("is_vegetated") > 0, evaporated_share(dryness, omega), np.minimum(dryness, 1.0))
    return (1.0 - gone) * rain * _M_PER_MM * land.area


def _above_zero(name: str, land: Land) -> float:
    value = parameter(name, land.overrides)
    if not value > 0:
        raise RuleError(f"{name} = {value:g}", expected="大于 0 毫米", cure="单位为毫米/年")
    return value
