"""Service layers of a plan: linear coefficients before, exact figures after (生态服务系数与复算)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.carbon_stock import carbon_stock
from qianmo.evaluation.grade_area import grade_after, grade_area
from qianmo.evaluation.habitat import habitat_area, threat_share
from qianmo.evaluation.land import ERODIBILITY, EROSIVITY, Land, land_of
from qianmo.evaluation.service_value import service_value
from qianmo.evaluation.soil_loss import soil_loss
from qianmo.evaluation.water_yield import water_yield
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import require_columns

__all__ = ["QUANTITIES", "land_with", "service_coefficients", "service_notes"]

QUANTITIES: Mapping[str, Callable[[Land, str], np.ndarray]] = {
    "carbon_t": carbon_stock,
    "soil_loss_t_yr": soil_loss,
    "service_value_yuan_yr": service_value,
    "grade_area_ha": grade_area,
    "habitat_ha": habitat_area,
    "water_yield_m3_yr": water_yield,
}
"""Formula of each quantity of ``codes/services.csv``: land and level of the factors to one figure a patch."""


def service_coefficients(
    patches: pd.DataFrame, options: pd.DataFrame, borders: pd.DataFrame, *, scheme: str, overrides: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """What each option adds to each service, other patches as they are (生态服务线性系数).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``, n rows
    options : DataFrame, table ``measure_option``, m rows
    borders : DataFrame (i, j, length_m)
        Shared borders of rows of `patches`. [m]

    Returns
    -------
    DataFrame, table ``service_effect``, m rows in the order and with the index of `options`
        NaN where a quantity is unknown before or after, never 0 in its place.

    Raises
    ------
    SchemaError
        An option names a patch that is not there.
    CodeError
        A class is not in the scheme.
    """
    require_columns("measure_option", list(options.columns), names=("patch_id", "measure", "target_class"))
    place = pd.Series(np.arange(len(patches)), index=patches["patch_id"].to_numpy(object))
    row = options["patch_id"].map(place)
    if row.isna().any():
        raise SchemaError(f"options for unknown patches {', '.join(options['patch_id'][row.isna()].astype(str)[:5])}")
    share = threat_share(patches["class_code"].to_numpy(object), borders, scheme=scheme)
    before = land_of(patches, scheme=scheme, threat=share, overrides=overrides).rows(row.to_numpy(np.int64))
    after = land_with(before, options["target_class"].to_numpy(object), options["measure"].to_numpy(object))
    out = options[["patch_id", "measure", "target_class"]].copy()
    for name, formula in QUANTITIES.items():
        out[name] = formula(after, "default") - formula(before, "default")
    return out


def service_notes(patches: pd.DataFrame, effects: pd.DataFrame) -> list[str]:
    """What the coefficients assume and lack, in words (系数说明)."""
    zh = {r["quantity"]: r["zh"] for r in shipped_rows("codes", "services")}
    notes = [f"{zh[q]}: {int(effects[q].isna().sum())} 个选项缺数据, 没有系数(不是零)" for q in QUANTITIES if effects[q].isna().any()]
    lacking = [name for name, column in (("R", EROSIVITY), ("K", ERODIBILITY)) if column not in patches]
    return notes + ([f"土壤流失: {'、'.join(lacking)} 因子取参数值, 全区一致, 置信度低"] if lacking else [])


def land_with(before: Land, target: np.ndarray, measure: np.ndarray) -> Land:
    """Each row with its option done; neighbours, slope and length of slope stay (措施后土地状态)."""
    classes = land_classes(before.scheme)
    ridges = [b == t or (classes[b].ridge_applies and classes[t].ridge_applies) for b, t in zip(before.code, target)]
    farm = np.array([classes[t].is_farmland for t in target], bool)
    return replace(
        before,
        code=target,
        class_area=np.where(np.array(ridges, bool), before.class_area, before.area),
        grade=grade_after(before, target, measure),
        terraced=(before.terraced & farm) | (measure == "terrace"),
    )
