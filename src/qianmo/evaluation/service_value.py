"""Value of ecosystem services by equivalence factors (生态系统服务价值)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.carbon_stock import by_area
from qianmo.evaluation.land import Land
from qianmo.schema.local_factors import factor_values
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA

__all__ = ["equivalents", "service_value", "unit_value", "value_by_class"]


def equivalents(overrides: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Sum of the equivalence factors of the eleven services by ecosystem class, local ones first (当量因子合计)."""
    out: dict[str, float] = {}
    for row, value in factor_values("service_equivalent", "equivalent", overrides).items():
        kind = row.partition(".")[0]
        out[kind] = out.get(kind, 0.0) + value
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
    return by_area(land, "esv_class", {k: e * value for k, e in equivalents(land.overrides).items()})


def value_by_class(land: Land) -> pd.DataFrame:
    r"""Area, equivalent, value and sensitivity of every ecosystem class (分类生态系统服务价值与敏感性指数).

    Returns
    -------
    DataFrame
        class, zh, area_ha, equivalent, value_yuan_yr, sensitivity (0 to 1), source. Land without factors stands in the last row, class "", with no value; it is no part
        of the sum that `sensitivity` is of.

    Notes
    -----
    The sensitivity index is the relative change of the whole value over that of the equivalents of one class. The value is linear in them, so that it is the share
    of the class, whatever the change:

    .. math:: SI_k = \frac{(V' - V) / V}{(e'_k - e_k) / e_k} = \frac{V_k}{V}

    Ridges of fields count in the class of their own land. NaN where nothing has a value.
    """
    shipped, ours, unit = equivalents(), equivalents(land.overrides), unit_value(land.overrides)
    names = {r["esv_class"]: r["name_zh"] for r in shipped_rows("parameters", "service_equivalent")}
    area = {k: float(by_area(land, "esv_class", {j: float(j == k) for j in ours})[~np.isnan(by_area(land, "esv_class", ours))].sum()) for k in ours}
    total = sum(area[k] * ours[k] for k in ours) * unit
    rows = [
        (k, names[k], area[k], ours[k], area[k] * ours[k] * unit, area[k] * ours[k] * unit / total if total else np.nan, "project.toml [factors]" if ours[k] != shipped[k] else "")
        for k in ours if area[k] > 0
    ]  # fmt: skip
    lost = float(land.area.sum()) / M2_PER_HA - sum(area.values())
    if lost > 1e-6:
        rows.append(("", "没有当量的地类", lost, np.nan, np.nan, np.nan, ""))
    return pd.DataFrame(rows, columns=["class", "zh", "area_ha", "equivalent", "value_yuan_yr", "sensitivity", "source"])
