"""Utilisation and economic coefficients of farmland from yields and costs (土地利用系数与土地经济系数)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.evaluation.gradation_model import Crop, GradationModel
from qianmo.schema.errors import SchemaError

__all__ = ["USE_FACTS", "use_coefficients", "use_facts"]

USE_FACTS = ("use_coefficient", "economic_coefficient")
"""Coefficients that may be given for a patch as they are, for all crops."""


def use_facts(model: GradationModel) -> dict[str, str]:
    """Columns that yields and costs of the crops are read from, with their names (产量与成本字段)."""
    told = dict(zip(USE_FACTS, ("土地利用系数", "土地经济系数")))
    for c in model.crops:
        told |= {f"yield_{c.crop}_kg_mu": f"{c.zh}实际单产 (千克/亩)", f"cost_{c.crop}_yuan_mu": f"{c.zh}实际成本 (元/亩)"}
    return told


def use_coefficients(facts: pd.DataFrame, model: GradationModel, area: np.ndarray, zone: np.ndarray) -> pd.DataFrame:
    r"""Coefficients of n patches, with how they are known (利用系数与经济系数).

    Parameters
    ----------
    facts : DataFrame, n rows
        With ``patch_id``, and what is known of :func:`use_facts`.
    area : (n,)
        Weights of the means of a zone. [ha]
    zone : (n,) text
        Zone of equal coefficient (等值区), the village; '' is no zone.

    Returns
    -------
    DataFrame, n rows
        ``use_<crop>`` and ``economic_<crop>`` from 0 to 1, and coefficient_from: 'parcel' (given), 'yield' (from the yield of the patch), 'village' (mean of
        its zone), '' (unknown), the least certain over the crops.

    Raises
    ------
    SchemaError
        A coefficient outside 0 to 1, a negative yield, a cost that is not above 0, or a yield (or a yield a cost) above the largest of the region.

    Notes
    -----
    :math:`K_L = Y / Y_{max}`, :math:`K_C = (Y / c) / (Y / c)_{max}`, with yield Y [kg/mu], cost c [yuan/mu] and the largest of the region. Patches without
    a yield take the mean of their zone, as sample plots stand for a zone of equal coefficient.
    """
    given = [_checked(facts, f, 0.0, 1.0) for f in USE_FACTS]
    out: dict[str, np.ndarray] = {}
    origin = np.full(len(facts), 3)
    for crop in model.crops:
        yields, cost = _checked(facts, f"yield_{crop.crop}_kg_mu", 0.0, np.inf), _checked(facts, f"cost_{crop.crop}_yuan_mu", np.nextafter(0.0, 1.0), np.inf)
        own = _shares(facts, crop, yields, cost)
        for name, told, found in zip(("use", "economic"), given, own):
            value = np.where(np.isfinite(told), told, found)
            mean = _zone_mean(value, area, zone)
            out[f"{name}_{crop.crop}"] = np.where(np.isfinite(value), value, mean)
            if name == "use":
                rank = np.select([np.isfinite(told), np.isfinite(found), np.isfinite(mean)], [3, 2, 1], 0)
                origin = np.minimum(origin, rank)
    words = np.array(["", "village", "yield", "parcel"], object)
    return pd.DataFrame(out | {"coefficient_from": words[origin]}, index=facts.index)


def _shares(facts: pd.DataFrame, crop: Crop, yields: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    use, gain = yields / crop.yield_max, yields / cost / crop.return_max
    for found, limit, word in ((use, crop.yield_max, "单产"), (gain, crop.return_max, "产量成本比")):
        over = np.flatnonzero(found > 1.0 + 1e-9)
        if len(over):
            named = ", ".join(f"{facts['patch_id'].iloc[k]}: {found[k] * limit:.4g}" for k in over[:3])
            raise SchemaError(f"{crop.zh}{word}有 {len(over)} 个图斑高于指标区最高值 {limit:g}, 如 {named}", expected=f"不超过 {limit:g}", cure="核对单位 (千克/亩, 元/亩), 或改 gradation_crop 的最高值")
    return np.minimum(use, 1.0), np.minimum(gain, 1.0)


def _zone_mean(value: np.ndarray, area: np.ndarray, zone: np.ndarray) -> np.ndarray:
    names, place = np.unique(np.asarray(zone, object).astype(str), return_inverse=True)
    known = np.isfinite(value)
    weight = np.bincount(place, np.where(known, area, 0.0), minlength=len(names))
    total = np.bincount(place, np.where(known, value * area, 0.0), minlength=len(names))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where((weight > 0) & (names != ""), total / weight, np.nan)
    return mean[place]


def _checked(facts: pd.DataFrame, name: str, low: float, high: float) -> np.ndarray:
    if name not in facts:
        return np.full(len(facts), np.nan)
    value = pd.to_numeric(facts[name], errors="coerce").to_numpy(float, na_value=np.nan)
    bad = np.flatnonzero((value < low) | (value > high) | np.isinf(value))
    if len(bad):
        named = ", ".join(f"{facts['patch_id'].iloc[k]}: {value[k]:g}" for k in bad[:3])
        least = "大于 0" if low > 0 else f"不小于 {low:g}"
        raise SchemaError(f"{name} 有 {len(bad)} 个图斑超出范围, 如 {named}", expected=least if high == np.inf else f"{low:g} 至 {high:g}", cure="核对单位与无数据值")
    return value
