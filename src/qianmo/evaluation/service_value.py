"""Value of ecosystem services by equivalence factors (生态系统服务价值)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from qianmo.evaluation.carbon_stock import by_area
from qianmo.evaluation.land import Land
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows

__all__ = ["equivalents", "service_value", "unit_value"]


@cache
def equivalents() -> dict[str, float]:
    """Sum of the equivalence factors of the eleven services by ecosystem class (当量因子合计)."""
    out: dict[str, float] = {}
    for r in shipped_rows("parameters", "service_equivalent"):
        out[r["esv_class"]] = out.get(r["esv_class"], 0.0) + float(r["equivalent"])
    return out


def unit_value(overrides: Mapping[str, Any] | None = None) -> float:
    """Value of one equivalent [yuan/(ha yr)] (单位当量价值): a seventh of the value of the grain of one hectare."""
    return parameter("esv_grain_yield", overrides) * parameter("esv_grain_price", overrides) / 7.0


def service_value(land: Land, level: str = "default") -> np.ndarray:
    r"""Value of ecosystem services of every patch [yuan/yr] (生态系统服务价值), (n,); NaN where a class has no factors.

    Parameters
    ----------
    level : str
        Not used: the published factors have no range.

    Notes
    -----
    .. math:: V_i = D \sum_s e_s(k_i)\, a_i

    with the unit value `D` and equivalents `e` of service `s` [1]_. A transfer of mean values: it tells rank and size, not
    what anyone would pay.

    References
    ----------
    .. [1] Xie Gaodi et al., Journal of Natural Resources, vol. 30 no. 8, pp. 1243-1254, 2015.
    """
    value = unit_value(land.overrides)
    return by_area(land, "esv_class", {k: e * value for k, e in equivalents().items()})
