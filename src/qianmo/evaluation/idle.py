"""Idle and inefficient land (闲置与低效用地)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.evaluation.classes import flag, group, text_column
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns
from qianmo.schema.units import m2_to_mu, mu_to_m2

__all__ = ["IDLE_KINDS", "idle_land", "isolated"]

IDLE_KINDS = {
    "vacant": "空闲地",
    "abandoned": "废弃建设用地",
    "inefficient_industry": "低效工矿用地(候选)",
    "isolated_homestead": "零散宅基地(候选)",
    "uncultivated": "未耕种耕地",
}
"""Kinds of idle land and their Chinese names; candidates must be confirmed in the field."""

_FIRST_LOOK = 10.0

VACANT, HOMESTEAD, INDUSTRY = ("1201",), ("0702",), ("0601", "0602")


def idle_land(
    patches: gpd.GeoDataFrame, *, scheme: str, overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Patches that are idle or used below their worth, each with its reason (闲置低效用地清单).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, metric CRS

    Returns
    -------
    DataFrame
        patch_id, village_code, kind (of :data:`IDLE_KINDS`), area_m2 (class area), reason. Facts of the register come
        first (vacant land 1201, refined code FQ, planting code WG); isolated industry and homesteads are candidates
        found by size and distance. A patch has one row. Sorted as `patches`.
    """
    require_columns("landuse_patch", list(patches.columns))
    code = text_column(patches, "class_code").to_numpy()
    built = flag(patches["class_code"], "construction", scheme=scheme)
    area = patches["class_area_m2"].to_numpy(float)
    kind = np.full(len(patches), "", dtype=object)
    home = np.isin(code, HOMESTEAD) & _below(area, "isolated_homestead_max_mu", overrides)
    works = np.isin(code, INDUSTRY) & _below(area, "inefficient_industry_max_mu", overrides)
    lonely = np.zeros(len(patches), dtype=bool)
    lonely[home | works] = isolated(patches, np.flatnonzero(home | works), scheme=scheme, overrides=overrides)
    kind[home & lonely] = "isolated_homestead"
    kind[works & lonely] = "inefficient_industry"
    fallow = (text_column(patches, "planting_code") == "WG").to_numpy()
    kind[flag(patches["class_code"], "farmland", scheme=scheme) & fallow] = "uncultivated"
    kind[np.isin(code, VACANT)] = "vacant"
    kind[built & (text_column(patches, "refined_code") == "FQ").to_numpy()] = "abandoned"
    rows = np.flatnonzero(kind != "")
    distance = parameter("isolated_built_distance_m", overrides)
    return pd.DataFrame({
        "patch_id": patches["patch_id"].to_numpy()[rows],
        "village_code": text_column(patches, "village_code").to_numpy()[rows],
        "kind": kind[rows],
        "area_m2": area[rows],
        "reason": [_reason(kind[i], code[i], area[i], distance) for i in rows],
    })  # fmt: skip


def isolated(
    patches: gpd.GeoDataFrame, rows: np.ndarray, *, scheme: str, overrides: Mapping[str, float] | None = None
) -> np.ndarray:
    """True where no other building patch lies within ``isolated_built_distance_m`` (孤立图斑), bool (len(rows),).

    Building patches are construction land other than roads and hydraulic works.
    """
    if not len(rows):
        return np.zeros(0, dtype=bool)
    codes = patches["class_code"]
    built = flag(codes, "construction", scheme=scheme) & ~np.isin(group(codes, scheme=scheme), ["transport", "water"])
    neighbours = np.flatnonzero(built)
    geoms = patches.geometry.to_numpy()
    tree = shapely.STRtree(geoms[neighbours])
    distance = parameter("isolated_built_distance_m", overrides)
    lonely = np.ones(len(rows), dtype=bool)
    for reach in (distance / _FIRST_LOOK, distance):  # most have one next to them: the wide look is for the rest
        left = np.flatnonzero(lonely)
        a, b = tree.query(geoms[rows[left]], predicate="dwithin", distance=reach)
        lonely[left[a[rows[left[a]] != neighbours[b]]]] = False
    return lonely


def _below(area_m2: np.ndarray, name: str, overrides: Mapping[str, float] | None) -> np.ndarray:
    return np.round(area_m2, 2) <= round(mu_to_m2(parameter(name, overrides)), 2)


def _reason(kind: str, code: str, area_m2: float, distance_m: float) -> str:
    mu = f"面积 {m2_to_mu(area_m2):.2f} 亩"
    if kind == "vacant":
        return f"地类 {code} 空闲地,{mu}"
    if kind == "abandoned":
        return f"图斑细化代码 FQ(废弃),地类 {code},{mu}"
    if kind == "uncultivated":
        return f"种植属性 WG(未耕种),地类 {code},{mu}"
    return f"地类 {code},{mu},周边 {distance_m:g} 米内无其他建设用地图斑;候选,须实地核实"
