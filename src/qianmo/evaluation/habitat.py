"""Habitat area: suitability less what threatening neighbours take (生境当量面积)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import factor_column, looked_up
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["habitat_area", "threat_share"]

SUITABILITY_COLUMN = {"low": "suitability_low", "default": "suitability", "high": "suitability_high"}


def threat_share(code: np.ndarray, borders: pd.DataFrame, *, scheme: str, group: np.ndarray | None = None) -> np.ndarray:
    """Share of the border of each patch against threats, weighted by their strength (受胁迫边界占比), (n,) in 0..1.

    Parameters
    ----------
    code : (n,) text
        Land class of each patch.
    borders : DataFrame (i, j, length_m)
        From ``shared_borders``. Border without a known neighbour does not count.
    group : (n,) int, optional
        Fields after merging: a border inside a field is none, and all members have the share of their field.

    Returns
    -------
    (n,) float
        NaN where no neighbour is known, or one has no threat factor.
    """
    own = np.arange(len(code)) if group is None else np.unique(group, return_inverse=True)[1]
    i, j = borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64)
    outer = own[i] != own[j]
    here, there = np.r_[i[outer], j[outer]], np.r_[j[outer], i[outer]]
    length = np.tile(borders["length_m"].to_numpy(float)[outer], 2)
    threat = looked_up(code, scheme, "carbon_class", factor_column("habitat_suitability", "threat"))
    total = np.bincount(own[here], length, minlength=len(code))
    against = np.bincount(own[here], length * threat[there], minlength=len(code))
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, against / np.where(total > 0, total, 1.0), np.nan)[own]


def habitat_area(land: Land, level: str = "default") -> np.ndarray:
    r"""Habitat area of every patch [ha] (生境当量面积), (n,) from 0 to the area; NaN where class or neighbours are unknown.

    Notes
    -----
    .. math:: H_i = a_i S(k_i) \left(1 - \frac{d_i^z}{d_i^z + h^z}\right), \quad d_i = s(k_i)\, t_i

    with suitability `S`, sensitivity `s` and the threatened share `t` of the border; the form of the InVEST habitat model
    [1]_ with contact along borders in place of distance decay. It depends on the neighbours' classes: a plan that changes
    both sides of a border is not the sum of its options.

    References
    ----------
    .. [1] Natural Capital Project, InVEST user guide, habitat quality.
    """
    def factor(column: str) -> np.ndarray:
        return looked_up(land.code, land.scheme, "carbon_class", factor_column("habitat_suitability", column, land.overrides))

    z, half = parameter("habitat_exponent", land.overrides), parameter("habitat_half_saturation", land.overrides)
    exposed = (factor("sensitivity") * land.threat) ** z
    suitability = factor(SUITABILITY_COLUMN[level])
    found = land.area / M2_PER_HA * suitability * (1.0 - exposed / (exposed + half**z))
    return np.where(suitability == 0, 0.0, found)
