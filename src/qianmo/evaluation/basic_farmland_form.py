"""The national review form of a basic-farmland layout adjustment (永久基本农田布局调整事项审查情况汇总表)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.classes import class_table, flag, text_column
from qianmo.evaluation.contiguity import block_bins
from qianmo.evaluation.quality import mean_grade
from qianmo.evaluation.slope import slope_bounds
from qianmo.geo.area import ellipsoid_area_of
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import rule
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA, MU_PER_HA, mu_to_m2

__all__ = ["basic_farmland_form", "conclusions", "moved_areas", "side", "slope_bins"]

SIDES = {"dc": "调出", "dr": "调入"}
SLOPE_FIELDS = ("PdLe15Mj", "PdGe15Le25", "PdGe25")
BLOCK_FIELDS = ("LpLe5", "LpGe5Le10", "LpGe10Le20", "LpGe20")
CLASS_FIELDS = {"0101": "XzStmj", "0102": "XzSjdmj", "0103": "XzHdmj"}
OTHER_FIELDS = {"农用地": "XzFgnyd", "建设用地": "XzJsyd", "未利用地": "XzWlyd"}
FLAG_FIELDS = {"is_high_standard": "HyGbntMj", "is_upgraded": "XzSfssTzgz", "is_new_farmland": "XzSfXzgd"}


def conclusions(*, out_ha: float, in_ha: float, out_patches: int, in_patches: int, base_ha: float) -> dict[str, float]:
    """The arithmetic of the form (审查结果的算术).

    Parameters
    ----------
    out_ha, in_ha : float
        Basic farmland moved out and in [ha], above zero.
    out_patches, in_patches : int
        Number of patches.
    base_ha : float
        Original basic farmland of the consolidation area [ha].

    Returns
    -------
    dict
        out_share, net_gain, contiguity_gain (fractions); gain_mu; mean_out_ha, mean_in_ha; mean_gain_mu.

    Raises
    ------
    MissingDataError
        Nothing is moved, or the base area is not above zero: the ratios do not exist.

    Examples
    --------
    >>> conclusions(out_ha=80, in_ha=86, out_patches=160, in_patches=120, base_ha=1800)["net_gain"]
    0.075
    """
    if min(out_ha, in_ha, out_patches, in_patches, base_ha) <= 0:
        raise MissingDataError(
            f"调出 {out_ha:g} 公顷 {out_patches} 个、调入 {in_ha:g} 公顷 {in_patches} 个、原永农 {base_ha:g} 公顷",
            expected="all above zero",
            cure="fill the tables moved out and in (补齐调出调入图斑)",
        )
    mean_out, mean_in = out_ha / out_patches, in_ha / in_patches
    return {
        "out_share": out_ha / base_ha,
        "net_gain": (in_ha - out_ha) / out_ha,
        "gain_mu": (in_ha - out_ha) * MU_PER_HA,
        "mean_out_ha": mean_out,
        "mean_in_ha": mean_in,
        "mean_gain_mu": (mean_in - mean_out) * MU_PER_HA,
        "contiguity_gain": (mean_in - mean_out) / mean_out,
    }


@cache
def slope_bins() -> tuple[float, ...]:
    """Upper limits of the slope bins of moved land (坡度分档上限) [degree], read from rule Z-06."""
    return tuple(float(x) for x in re.findall(r",(\d+)\]", rule("Z-06").formula))


def moved_areas(table: pd.DataFrame) -> np.ndarray:
    """Protected area of each patch (永久基本农田面积) [m2], (n,): the register area, else the ellipsoidal area of the drawing.

    Raises
    ------
    MissingDataError
        A patch has neither; the message counts them.
    """
    area = np.full(len(table), np.nan)
    if "area_m2" in table.columns:
        area = pd.to_numeric(table["area_m2"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    open_ = ~np.isfinite(area)
    if open_.any() and isinstance(table, gpd.GeoDataFrame) and table.crs is not None:
        area = np.where(open_, ellipsoid_area_of(table), area)
        open_ = ~np.isfinite(area)
    if open_.any():
        raise MissingDataError(f"永久基本农田面积 area_m2({int(open_.sum())} 个图斑为空)")
    return area


def side(table: pd.DataFrame, *, prefix: str, scheme: str) -> dict[str, Any]:
    """One side of the form (调出或调入): field name → value in hectares, counts or grades.

    Parameters
    ----------
    table : DataFrame, table ``basic_farmland``
        Patches moved; columns is_high_standard, is_upgraded, is_new_farmland (bool) where known.
    prefix : {'dc', 'dr'}
        Moved out or moved in.

    Notes
    -----
    Bins are closed above: 15 degrees is in the first, 25 in the second; 5 mu in the first. What is not known is None:
    the slope bins where a patch has no slope, the class split where it has no class, the flags where no column is there.
    """
    ha = moved_areas(table) / M2_PER_HA
    total, count = ha.sum(), len(table)
    grade = mean_grade(table, ha)
    fields: dict[str, Any] = {"Zmj": total, "Tbsm": count, "Pjdgtbmj": total / count if count else None}
    fields["Pjzldb"] = grade if np.isfinite(grade) else None
    fields |= _class_split(table, ha, scheme=scheme) | _slope_split(table, ha)
    limits = [round(mu_to_m2(x), 2) for x in block_bins()]
    bins = np.searchsorted(limits, np.round(ha * M2_PER_HA, 2), side="left")
    fields |= dict(zip(BLOCK_FIELDS, np.bincount(bins, weights=ha, minlength=len(BLOCK_FIELDS)).tolist()))
    for column, name in FLAG_FIELDS.items():
        known = column in table.columns and table[column].notna().all()
        fields[name] = float(ha[table[column].astype(bool).to_numpy()].sum()) if known else None
    return {prefix + k: v for k, v in fields.items()}


def basic_farmland_form(
    moved_out: pd.DataFrame,
    moved_in: pd.DataFrame,
    *,
    base_m2: float,
    scheme: str,
    texts: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """All rows of the form in its order (审查情况汇总表).

    Parameters
    ----------
    moved_out, moved_in : DataFrame, table ``basic_farmland``
    base_m2 : float
        Original basic farmland of the consolidation area [m2].
    texts : mapping, optional
        Values of the fields no table holds: xmmc, xzmc, sfsj, sfbz, jhtszld, scjg3, scjg5.

    Returns
    -------
    DataFrame
        form_row, block, label_zh, field, value_type, value; value None where the data do not say. Areas in hectares.
    """
    out, into = side(moved_out, prefix="dc", scheme=scheme), side(moved_in, prefix="dr", scheme=scheme)
    c = conclusions(
        out_ha=out["dcZmj"],
        in_ha=into["drZmj"],
        out_patches=out["dcTbsm"],
        in_patches=into["drTbsm"],
        base_ha=base_m2 / M2_PER_HA,
    )
    values = {**out, **into, "yyjjbntzmj": base_m2 / M2_PER_HA, "dcMjbl": c["out_share"] * 100, **(texts or {})}
    values["scjg1"] = f"增加{c['gain_mu']:.2f}亩,增加比例{c['net_gain']:.4%}"
    if out["dcPjzldb"] is not None and into["drPjzldb"] is not None:
        values["scjg2"] = round(out["dcPjzldb"] - into["drPjzldb"], 4)
    values["scjg4"] = f"平均单个图斑面积增加{c['mean_gain_mu']:.4f}亩,集中连片度提升{c['contiguity_gain']:.4%}"
    rows = shipped_rows("codes", "basic_farmland_form")
    head = ("form_row", "block", "label_zh", "field", "value_type")
    return pd.DataFrame([{**{k: r[k] for k in head}, "value": values.get(r["field"])} for r in rows])


def _class_split(table: pd.DataFrame, ha: np.ndarray, *, scheme: str) -> dict[str, Any]:
    codes = text_column(table, "class_code")
    names = ("XzGdmj", *CLASS_FIELDS.values(), "XzFgdmj", *OTHER_FIELDS.values())
    if (codes == "").any():
        return dict.fromkeys(names)
    farm = flag(codes, "farmland", scheme=scheme)
    big = class_table(scheme)["big_class"].reindex(codes).to_numpy()
    fields = {"XzGdmj": float(ha[farm].sum()), "XzFgdmj": float(ha[~farm].sum())}
    fields |= {name: float(ha[(codes == code).to_numpy()].sum()) for code, name in CLASS_FIELDS.items()}
    return fields | {name: float(ha[~farm & (big == kind)].sum()) for kind, name in OTHER_FIELDS.items()}


def _slope_split(table: pd.DataFrame, ha: np.ndarray) -> dict[str, Any]:
    _, upper = slope_bounds(table)
    if not np.isfinite(upper).all():
        return dict.fromkeys(SLOPE_FIELDS)
    bins = np.searchsorted(slope_bins(), upper, side="left")
    return dict(zip(SLOPE_FIELDS, np.bincount(bins, weights=ha, minlength=3).tolist()))
