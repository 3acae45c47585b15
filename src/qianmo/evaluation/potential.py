"""Consolidation potential of every patch and measure, with costs and the rules that stand against it (整治潜力)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.admission import admission
from qianmo.evaluation.classes import text_column
from qianmo.evaluation.contiguity import farmland_blocks
from qianmo.evaluation.eligibility import ELIGIBLE, Ground, measure_targets
from qianmo.evaluation.fields import farmland_borders
from qianmo.evaluation.idle import idle_land
from qianmo.evaluation.slope import slope_bounds
from qianmo.evaluation.zones import zone_areas
from qianmo.schema.errors import CodeError, RuleError
from qianmo.schema.measures import KEEP, measures
from qianmo.schema.rules import unit_cost
from qianmo.schema.tables import require_columns, table_spec
from qianmo.schema.units import m2_to_mu

__all__ = ["ground", "measure_cost", "measure_options", "potential_summary"]

SCHEMES = ("SD3", "GBT21010_2017")
"""Schemes in which the class codes of ``codes/measure_classes.csv`` mean the same."""

YUAN_PER_UNIT = {"元/亩": 1.0, "万元/亩": 10_000.0}
RESTORE_AT_ONCE = ("JKHF", "C-REST")
"""Land tagged as restorable at once costs the light item, not the engineering one."""

NEW_FARMLAND = "0103"


def measure_options(
    patches: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    scheme: str,
    overrides: Mapping[str, float] | None = None,
    zones: pd.DataFrame | None = None,
    block_table: pd.DataFrame | None = None,
    idle: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every measure that could be done on every patch (图斑整治潜力表).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, metric CRS
    layers : mapping
        basic_farmland, eco_redline, urban_boundary where there are any.
    zones, block_table, idle : DataFrame, optional
        Results of ``zone_areas``, ``farmland_blocks`` and ``idle_land`` for the same patches, to save work.

    Returns
    -------
    DataFrame, table ``measure_option``
        A patch may have several rows; none for measures its class and slope do not allow. What a rule forbids is listed
        with `blocked_by` filled, never dropped. Sorted by measure and patch. ``attrs['patches_without_slope']`` counts
        patches for which the measures that need a slope could not be judged.

    Raises
    ------
    CodeError
        The scheme is one whose codes the measures do not know.
    """
    require_columns("landuse_patch", list(patches.columns))
    if scheme not in SCHEMES:
        cure = "map the classes to SD3 at ingest (先转换为三调分类)"
        raise CodeError(f"potential of scheme {scheme}", expected=" or ".join(SCHEMES), cure=cure)
    g = ground(patches, scheme=scheme, overrides=overrides, block_table=block_table, idle=idle)
    areas = zone_areas(patches, layers) if zones is None else zones
    parts = [_options(g, measure, areas, layers) for measure in ELIGIBLE]
    names = list(table_spec("measure_option").column_names)
    out = pd.concat(parts, ignore_index=True)[names]
    out.attrs["patches_without_slope"] = int((~np.isfinite(g.high)).sum())
    return out


def ground(
    patches: gpd.GeoDataFrame,
    *,
    scheme: str,
    overrides: Mapping[str, float] | None = None,
    block_table: pd.DataFrame | None = None,
    idle: pd.DataFrame | None = None,
) -> Ground:
    """Conditions of every patch that the measures look at (图斑条件)."""
    n = len(patches)
    low, high = slope_bounds(patches)
    table = farmland_blocks(patches, scheme=scheme, overrides=overrides) if block_table is None else block_table
    block = np.zeros(n)
    block[table["row"].to_numpy(dtype=int)] = table["block_area_m2"].to_numpy(float)
    found = idle_land(patches, scheme=scheme, overrides=overrides) if idle is None else idle
    kinds = dict(zip(found["patch_id"], found["kind"]))
    borders = farmland_borders(patches, scheme=scheme, overrides=overrides)
    ends = np.concatenate([borders["i"], borders["j"]]).astype(int)
    longest = np.zeros(n)
    np.maximum.at(longest, ends, np.concatenate([borders["length_m"], borders["length_m"]]))
    return Ground(
        patches=patches,
        scheme=scheme,
        overrides=overrides or {},
        code=text_column(patches, "class_code").to_numpy(),
        area_m2=patches["class_area_m2"].to_numpy(float),
        low=low,
        high=high,
        idle=np.array([kinds.get(k, "") for k in patches["patch_id"]], dtype=object),
        block_m2=block,
        neighbours=np.bincount(ends, minlength=n),
        border_m=longest,
    )


def measure_cost(item_id: str, area_m2: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low, default and high cost of works on areas (措施费用) [yuan], from the unit cost of one item.

    Raises
    ------
    RuleError
        The item is not priced by area of land.
    """
    item = unit_cost(item_id)
    if item.unit not in YUAN_PER_UNIT:
        raise RuleError(f"unit cost {item_id} is in {item.unit}", expected=" or ".join(YUAN_PER_UNIT))
    mu = m2_to_mu(1.0) * area_m2 * YUAN_PER_UNIT[item.unit]
    return (mu * item.low).round(2), (mu * item.default).round(2), (mu * item.high).round(2)


def potential_summary(options: pd.DataFrame) -> pd.DataFrame:
    """Potential by measure (整治潜力汇总表).

    Columns measure, zh, patches, area_m2 and the three costs of what no rule blocks; blocked_patches, blocked_m2.
    """
    free = options[options["blocked_by"] == ""]
    held = options[options["blocked_by"] != ""]
    names = [m for m in measures() if m != KEEP]
    out = pd.DataFrame({"measure": names, "zh": [measures()[m].zh for m in names]})
    by = free.groupby("measure")
    out["patches"] = out["measure"].map(by.size()).fillna(0).astype(int)
    for column in ("area_m2", "cost_low_yuan", "cost_yuan", "cost_high_yuan"):
        out[column] = out["measure"].map(by[column].sum()).fillna(0.0).astype(float).round(2)
    out["blocked_patches"] = out["measure"].map(held.groupby("measure").size()).fillna(0).astype(int)
    out["blocked_m2"] = out["measure"].map(held.groupby("measure")["area_m2"].sum()).fillna(0.0).astype(float).round(2)
    return out


def _options(g: Ground, measure: str, areas: pd.DataFrame, layers: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    rows, reasons = ELIGIBLE[measure](g)
    targets = measure_targets(measure)
    target = np.array([targets.get(c, NEW_FARMLAND) or c for c in g.code[rows]], dtype=object)
    low, default, high = _cost(g, measure, rows)
    blocked, notes = admission(g, measure, rows, target, areas, layers)
    return pd.DataFrame({
        "patch_id": g.patches["patch_id"].to_numpy()[rows],
        "measure": measure,
        "target_class": target,
        "area_m2": g.area_m2[rows],
        "cost_low_yuan": low,
        "cost_yuan": default,
        "cost_high_yuan": high,
        "reason": [a + b for a, b in zip(reasons, notes)],
        "blocked_by": blocked,
    })  # fmt: skip


def _cost(g: Ground, measure: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    area = g.area_m2[rows]
    costs = measure_cost(measures()[measure].cost_item, area)
    if measure != "restore_farmland":
        return costs
    tag, item = RESTORE_AT_ONCE
    light = (text_column(g.patches, "planting_code") == tag).to_numpy()[rows]
    low, default, high = (np.where(light, a, b) for a, b in zip(measure_cost(item, area), costs))
    return low, default, high
