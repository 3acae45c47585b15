"""Indicators before and after a plan, the five of Jingshan among them (整治前后指标)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.basic_farmland_form import moved_areas
from qianmo.evaluation.classes import flag, group
from qianmo.evaluation.contiguity import contiguity_index, farmland_blocks, share_in_large_blocks
from qianmo.evaluation.facts import Facts
from qianmo.evaluation.fields import field_areas
from qianmo.evaluation.fragmentation import is_small_field
from qianmo.evaluation.idle import idle_land
from qianmo.evaluation.slope import slope_class
from qianmo.schema.units import M2_PER_HA

__all__ = ["INDICATOR_COLUMNS", "change", "indicators", "share_of"]

INDICATOR_COLUMNS = ("key", "zh", "unit", "before", "after", "change", "change_pct", "group")

NAMES = {
    "farmland_area": ("耕地面积", "ha", "jingshan"),
    "small_patches": ("3亩以下碎片化耕地图斑数", "count", "jingshan"),
    "basic_farmland_area": ("永久基本农田面积", "ha", "jingshan"),
    "inefficient_land_revitalised": ("盘活低效用地面积", "ha", "jingshan"),
    "stock_construction_revitalised": ("盘活存量建设用地面积", "ha", "jingshan"),
    "basic_farmland_share": ("永久基本农田占耕地比例", "ratio", "general"),
    "small_patch_area": ("3亩以下碎片化耕地面积", "ha", "general"),
    "mean_field_area": ("平均耕地图斑面积", "ha", "general"),
    "contiguity_index": ("集中连片度指数", "ratio", "general"),
    "large_block_share": ("连片耕地占比", "ratio", "general"),
    "steep_farmland_area": ("25度以上耕地面积", "ha", "general"),
    "garden_area": ("园地面积", "ha", "general"),
    "forest_area": ("林地面积", "ha", "general"),
    "wetland_area": ("湿地面积", "ha", "general"),
    "ecological_area": ("生态用地面积", "ha", "general"),
    "construction_area": ("建设用地面积", "ha", "general"),
    "idle_land_area": ("闲置低效用地面积", "ha", "general"),
}
"""Chinese name, unit and group of every indicator."""

INEFFICIENT = ("redevelop_industry",)
STOCK = ("reclaim_homestead", "redevelop_industry")
STEEP = "5"


@dataclass(frozen=True)
class _State:
    """Patches and what was done to them, in one state (before or after)."""

    patches: gpd.GeoDataFrame
    measure: np.ndarray | None
    basic_farmland_m2: float


def indicators(
    facts: Facts, *, block_table: pd.DataFrame | None = None, idle: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Indicator table before and after (整治前后指标表).

    Parameters
    ----------
    facts : Facts
        Without a plan the column `after` and the changes are NaN.
    block_table, idle : DataFrame, optional
        Results of ``farmland_blocks`` and ``idle_land`` for the patches before, to save work.

    Returns
    -------
    DataFrame
        key, zh, unit (ha, count or ratio), before, after, change, change_pct (per cent of before; NaN where before is
        zero), group ('jingshan' for the five indicators of the Jingshan case, else 'general'). Basic farmland is the
        layer plus what tables ``basic_farmland_in`` and ``basic_farmland_out`` move; NaN without the layer.
    """
    before = _values(facts, _State(facts.before, None, _protected(facts, after=False)), block_table, idle)
    after: Mapping[str, float] = {}
    if facts.after is not None:
        done = facts.measure_of if facts.works is not None else None
        after = _values(facts, _State(facts.planned, done, _protected(facts, after=True)), None, None)
    rows = []
    for key, (zh, unit, kind) in NAMES.items():
        a, b = before[key], after.get(key, np.nan)
        rows.append((key, zh, unit, a, b, *change(a, b), kind))
    return pd.DataFrame(rows, columns=list(INDICATOR_COLUMNS))


def change(before: float, after: float) -> tuple[float, float]:
    """Change and change in per cent of before (变化量与变化率); the rate is NaN where before is zero.

    >>> [round(x, 4) for x in change(16443.0, 26443.0)]
    [10000.0, 60.8162]
    """
    gain = after - before
    return gain, gain / before * 100.0 if before else np.nan


def share_of(part: float, whole: float) -> float:
    """Part over whole (占比); NaN where the whole is zero."""
    return part / whole if whole else np.nan


def _values(
    facts: Facts, state: _State, block_table: pd.DataFrame | None, idle: pd.DataFrame | None
) -> dict[str, float]:
    table, scheme, p = state.patches, facts.scheme, facts.overrides
    area = table["class_area_m2"].to_numpy(float) / M2_PER_HA
    kind = group(table["class_code"], scheme=scheme)
    farm = flag(table["class_code"], "farmland", scheme=scheme)
    merged = state.measure == "merge_fields" if state.measure is not None else None
    fields = field_areas(table, scheme=scheme, overrides=p, merged=merged)
    small = is_small_field(fields, overrides=p)
    blocks = farmland_blocks(table, scheme=scheme, overrides=p) if block_table is None else block_table
    idle = idle_land(table, scheme=scheme, overrides=p) if idle is None else idle
    done = state.measure if state.measure is not None else np.full(len(table), "", dtype=object)
    treated = np.isin(done, STOCK)
    farmland_ha, protected = float(area[farm].sum()), state.basic_farmland_m2 / M2_PER_HA
    still_idle = ~np.isin(idle["patch_id"].to_numpy(), table["patch_id"].to_numpy()[treated])
    return {
        "farmland_area": farmland_ha,
        "small_patches": float(small.sum()),
        "basic_farmland_area": protected,
        "inefficient_land_revitalised": _done(facts, done, INEFFICIENT),
        "stock_construction_revitalised": _done(facts, done, STOCK),
        "basic_farmland_share": share_of(protected, farmland_ha),
        "small_patch_area": float(fields[small].sum()) / M2_PER_HA,
        "mean_field_area": share_of(farmland_ha, len(fields)),
        "contiguity_index": contiguity_index(blocks),
        "large_block_share": share_in_large_blocks(blocks, overrides=p),
        "steep_farmland_area": float(area[farm & (slope_class(table) == STEEP)].sum()),
        "garden_area": float(area[kind == "garden"].sum()),
        "forest_area": float(area[kind == "forest"].sum()),
        "wetland_area": float(area[kind == "wetland"].sum()),
        "ecological_area": float(area[flag(table["class_code"], "eco", scheme=scheme)].sum()),
        "construction_area": float(area[flag(table["class_code"], "construction", scheme=scheme)].sum()),
        "idle_land_area": float(idle["area_m2"].to_numpy(float)[still_idle].sum()) / M2_PER_HA,
    }


def _protected(facts: Facts, *, after: bool) -> float:
    layer = facts.layers.get("basic_farmland")
    if layer is None:
        return np.nan
    total = float(moved_areas(layer).sum())
    if after and facts.layers.get("basic_farmland_in") is not None:
        total += float(moved_areas(facts.layers["basic_farmland_in"]).sum())
    if after and facts.layers.get("basic_farmland_out") is not None:
        total -= float(moved_areas(facts.layers["basic_farmland_out"]).sum())
    return total


def _done(facts: Facts, done: np.ndarray, names: tuple[str, ...]) -> float:
    return float(facts.before["class_area_m2"].to_numpy(float)[np.isin(done, names)].sum()) / M2_PER_HA

