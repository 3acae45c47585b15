"""Slope of farmland and of every patch (坡度分级)."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import farmland, text_column
from qianmo.schema.codes import domain_codes

__all__ = ["SLOPE_CLASSES", "slope_bounds", "slope_class", "slope_classes", "slope_limits"]

SLOPE_CLASSES = ("1", "2", "3", "4", "5")


@cache
def slope_limits() -> tuple[float, ...]:
    """Upper limits of the slope classes 1 to 4 (坡度级上限) [degree], read from the code list GDPDJB."""
    names = domain_codes("GDPDJB")
    return tuple(float(re.findall(r"\d+", names[c])[-1]) for c in SLOPE_CLASSES[:-1])


def slope_class(patches: pd.DataFrame) -> np.ndarray:
    """Slope class of every patch (坡度级), text (n,): the register class, else from the mean slope, else ''.

    A slope on a limit belongs to the lower class: 25 degrees is class 4.
    """
    text = text_column(patches, "slope_class")
    known = {t: t.strip() for t in text.unique() if t.strip() in SLOPE_CLASSES}
    given = text.map(known).fillna("").to_numpy(dtype=object) if known else np.full(len(text), "", dtype=object)
    if "slope_deg" not in patches.columns:
        return given
    deg = pd.to_numeric(patches["slope_deg"], errors="coerce").to_numpy(float)
    derived = np.array(SLOPE_CLASSES, dtype=object)[np.searchsorted(slope_limits(), np.nan_to_num(deg), side="left")]
    return np.where((given == "") & np.isfinite(deg), derived, given)


def slope_bounds(patches: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest slope each patch can have (坡度上下限) [degree], two arrays (n,).

    The mean slope gives both. Where only the class is known its limits are given; where nothing is known, NaN, so
    that every comparison is false.
    """
    deg = np.full(len(patches), np.nan)
    if "slope_deg" in patches.columns:
        deg = pd.to_numeric(patches["slope_deg"], errors="coerce").to_numpy(float)
    limits = slope_limits()
    low = dict(zip(SLOPE_CLASSES, (0.0, *limits)))
    high = dict(zip(SLOPE_CLASSES, (*limits, 90.0)))
    known = pd.Series(slope_class(patches))
    lower = np.where(np.isfinite(deg), deg, known.map(low).to_numpy(float))
    upper = np.where(np.isfinite(deg), deg, known.map(high).to_numpy(float))
    return lower, upper


def slope_classes(patches: pd.DataFrame, *, scheme: str) -> pd.DataFrame:
    """Farmland and all land by slope class (坡度分级表).

    Returns
    -------
    DataFrame
        slope_class, label, farmland_m2 (less ridges), total_m2 (register), share of the farmland. Five rows, and a
        sixth with class '' for patches of unknown slope where there are any.
    """
    klass = slope_class(patches)
    is_farm = farmland(patches, scheme=scheme)
    farm = pd.Series(np.where(is_farm, patches["class_area_m2"].to_numpy(float), 0.0)).groupby(klass).sum()
    total = pd.Series(patches["area_m2"].to_numpy(float)).groupby(klass).sum()
    order = [*SLOPE_CLASSES, ""] if total.get("", 0.0) > 0 else list(SLOPE_CLASSES)
    labels = {**domain_codes("GDPDJB"), "": "无坡度数据"}
    out = pd.DataFrame({"slope_class": order, "label": [labels[c] for c in order]})
    out["farmland_m2"] = farm.reindex(order).fillna(0.0).round(2).to_numpy()
    out["total_m2"] = total.reindex(order).fillna(0.0).round(2).to_numpy()
    sum_farm = out["farmland_m2"].sum()
    out["share"] = out["farmland_m2"] / sum_farm if sum_farm else 0.0
    return out
