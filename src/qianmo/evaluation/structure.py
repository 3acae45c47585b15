"""Present use of the land: by class and by village (土地利用现状结构)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import GROUPS, RIDGE_CLASS, class_table, group, ridge_area, text_column
from qianmo.schema.tables import require_columns

__all__ = ["land_structure", "structure_by_village", "village_names"]


def land_structure(patches: pd.DataFrame, *, scheme: str) -> pd.DataFrame:
    """Area and number of patches of each class (现状地类统计表).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``
    scheme : str
        Land-class scheme of the patches.

    Returns
    -------
    DataFrame
        class_code, class_name, big_class, patches, area_m2 (register), class_area_m2 (less ridges) and share of the
        total, sorted by code. Ridges deducted from farmland stand in the row of class 1203 with no patch of their own,
        so that the class areas close to the register area exactly.

    Raises
    ------
    CodeError
        A class is not in the scheme.
    """
    require_columns("landuse_patch", list(patches.columns))
    group(patches["class_code"], scheme=scheme)
    sums = patches.groupby("class_code", observed=True).agg(
        patches=("class_code", "size"), area_m2=("area_m2", "sum"), class_area_m2=("class_area_m2", "sum")
    )
    ridges = float(ridge_area(patches).sum())
    if ridges > 0:
        sums = sums.reindex(sums.index.union([RIDGE_CLASS]), fill_value=0)
        sums["class_area_m2"] = sums["class_area_m2"].astype(float) + np.where(sums.index == RIDGE_CLASS, ridges, 0.0)
    sums = sums.sort_index().rename_axis("class_code").reset_index()
    table = class_table(scheme)
    sums.insert(1, "class_name", table["zh"].reindex(sums["class_code"]).to_numpy())
    sums.insert(2, "big_class", table["big_class"].reindex(sums["class_code"]).to_numpy())
    sums["patches"] = sums["patches"].astype(int)
    sums[["area_m2", "class_area_m2"]] = sums[["area_m2", "class_area_m2"]].round(2)
    total = sums["class_area_m2"].sum()
    sums["share"] = sums["class_area_m2"] / total if total else 0.0
    return sums


def structure_by_village(patches: pd.DataFrame, villages: pd.DataFrame | None, *, scheme: str) -> pd.DataFrame:
    """First-level groups by village (分村现状结构).

    Returns
    -------
    DataFrame
        village_code, village_name, one column a group [m2] and total_m2. Farmland without its ridges, which count as
        other land; each row sums to its total to the hundredth. Patches without a village stand in a row with code ''.
    """
    require_columns("landuse_patch", list(patches.columns))
    code = text_column(patches, "village_code")
    kind = pd.Series(group(patches["class_code"], scheme=scheme), index=patches.index)
    cents = (patches["class_area_m2"].astype(float) * 100).round()
    wide = cents.groupby([code.to_numpy(), kind.to_numpy()]).sum().unstack(fill_value=0)
    wide = wide.reindex(columns=list(GROUPS), fill_value=0).astype(float)
    wide["other"] += pd.Series(np.round(ridge_area(patches) * 100)).groupby(code.to_numpy()).sum()
    out = (wide / 100).round(2)
    out.columns = [f"{c}_m2" for c in out.columns]
    out["total_m2"] = (wide.sum(axis=1) / 100).round(2)
    out = out.rename_axis("village_code").reset_index()
    out.insert(1, "village_name", out["village_code"].map(village_names(patches, villages)).fillna(""))
    return out


def village_names(patches: pd.DataFrame, villages: pd.DataFrame | None) -> dict[str, str]:
    """Village names by code (村名), from the village layer, else from the location names of the patches."""
    names: dict[str, str] = {}
    if "location_name" in patches.columns:
        pairs = pd.DataFrame({"code": text_column(patches, "village_code"), "name": text_column(patches, "location_name")})
        pairs = pairs[pairs["name"] != ""].drop_duplicates("code")
        names = dict(zip(pairs["code"], pairs["name"]))
    if villages is not None:
        names.update(zip(villages["village_code"].astype(str), villages["village_name"].astype(str)))
    names.setdefault("", "(无村代码)")
    return names
