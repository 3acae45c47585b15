"""From the layers of a project to the units of a swap (永农调整单元)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.evaluation.basic_farmland_form import moved_areas
from qianmo.evaluation.classes import flag, text_column
from qianmo.evaluation.slope import slope_bounds
from qianmo.geo.adjacency import shared_borders_noded
from qianmo.geo.blocks import blocks
from qianmo.geo.crs import same_metric_crs
from qianmo.geo.overlay import majority, share_inside
from qianmo.jobs.opened import Opened
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter
from qianmo.store.parquet import read_frame

__all__ = ["SwapUnits", "swap_units"]

WHOLLY = 0.99
"""Share from which a patch is the protected patch itself and no candidate."""

CORE = "核心"
TABLE_KEYS = {"project_share": "listed_project_layer", "reserve_share": "reserve_layer"}
HOUSE_NAMES = {"reserve_layer": "basic_farmland_reserve", "high_standard_layer": "high_standard_farmland", "polluted_layer": "polluted_land"}


@dataclass(frozen=True)
class SwapUnits:
    """Units with geometry (table ``swap_unit``), their borders, and the source rows: `protected` and `patch` (-1 where none)."""

    table: gpd.GeoDataFrame
    borders: pd.DataFrame
    protected_row: np.ndarray
    patch_row: np.ndarray


def swap_units(opened: Opened) -> SwapUnits:
    """Protected patches, and farmland patches that are not wholly protected (整理永农调整单元).

    A protected patch takes class, village, slope and grade of the land-use patch that covers most of it where its own
    layer does not say. Layers that are named in ``[swap]`` of ``project.toml`` (listed_project_layer, polluted_layer,
    high_standard_layer, reserve_layer) give the rest; what no layer says stays blank.

    Raises
    ------
    MissingDataError
        No layer of basic farmland, or a layer that is named is not in the project.
    """
    base = opened.layers.get("basic_farmland")
    if base is None or base.empty:
        raise MissingDataError("项目没有永久基本农田图层 basic_farmland", cure="先接入永久基本农田图层 (YJJBNTTB)")
    patches, told = opened.patches, dict(opened.project.settings.get("swap", {}))
    same_metric_crs(patches, base)
    drawn, shapes = patches.geometry.to_numpy(), base.geometry.to_numpy()
    covered = share_inside(drawn, shapes)
    candidate = np.flatnonzero(flag(patches["class_code"], "farmland", scheme=opened.scheme) & (covered < WHOLLY))
    under = majority(shapes, drawn)
    patch_row = np.concatenate([under, candidate]).astype(np.int64)
    protected_row = np.concatenate([np.arange(len(base)), np.full(len(candidate), -1)])
    geoms = np.concatenate([shapes, drawn[candidate]])
    area = np.concatenate([moved_areas(base), patches["class_area_m2"].to_numpy(float)[candidate]])
    table = gpd.GeoDataFrame(_described(opened, base, patches, patch_row, protected_row), geometry=geoms, crs=patches.crs)
    table.insert(1, "is_protected", protected_row >= 0)
    table.insert(2, "area_m2", np.round(area, 2))
    table = table.assign(**_shares(opened, geoms, area, told), **_flags(opened, base, patches, protected_row, patch_row, geoms, told))
    table["protected_share"] = np.concatenate([np.zeros(len(base)), covered[candidate]])
    table["block"] = blocks(geoms, gap_m=parameter("contig_buffer_m", _numbers(opened.overrides)))
    table["perimeter_m"] = np.round(shapely.length(geoms), 3)
    return SwapUnits(table, shared_borders_noded(geoms), protected_row, patch_row)


def _described(opened: Opened, base: gpd.GeoDataFrame, patches: gpd.GeoDataFrame, patch_row: np.ndarray, protected_row: np.ndarray) -> pd.DataFrame:
    lost = int((patch_row < 0).sum())
    if lost:
        raise MissingDataError(f"{lost} 个永农图斑不在地类图斑之内", expected="each protected patch on land-use patches", cure="核对两个图层的范围与坐标系")
    land = pd.DataFrame(patches.drop(columns="geometry")).iloc[patch_row].reset_index(drop=True)
    own = pd.DataFrame(base.drop(columns="geometry"))
    at = np.flatnonzero(protected_row >= 0)
    seen = pd.DataFrame({"slope_class": text_column(land, "slope_class")})
    if "slope_deg" in land:
        seen["slope_deg"] = land["slope_deg"]
    mine = text_column(own, "slope_class").to_numpy()
    seen.loc[at[mine != ""], "slope_class"] = mine[mine != ""]
    low, high = slope_bounds(seen)
    grade = pd.to_numeric(land["quality_grade"], errors="coerce").to_numpy(float, na_value=np.nan) if "quality_grade" in land else np.full(len(land), np.nan)
    if "quality_grade" in own:
        told = pd.to_numeric(own["quality_grade"], errors="coerce").to_numpy(float, na_value=np.nan)
        grade[at] = np.where(np.isfinite(told), told, grade[at])
    village = text_column(land, "village_code")
    ids = np.concatenate([text_column(base, "patch_id").to_numpy(object), text_column(land, "patch_id").to_numpy(object)[len(base) :]])
    return pd.DataFrame(
        {
            "unit_id": ids, "class_code": land["class_code"].astype(str), "village_code": village, "township_code": village.str[:9],
            "slope_low_deg": low, "slope_high_deg": high, "quality_grade": grade,
        }
    )  # fmt: skip


def _shares(opened: Opened, geoms: np.ndarray, area: np.ndarray, told: Mapping[str, Any]) -> dict[str, np.ndarray]:
    unknown = np.full(len(geoms), np.nan)
    out = {}
    for name, key in TABLE_KEYS.items():
        layer = _named(opened, told, key)
        out[name] = unknown if layer is None else share_inside(geoms, layer.geometry.to_numpy())
    urban, redline = opened.layers.get("urban_boundary"), opened.layers.get("eco_redline")
    out["urban_share"] = unknown if urban is None else share_inside(geoms, urban.geometry.to_numpy())
    if redline is None:
        return out | {"redline_share": unknown, "redline_core_share": unknown}
    zone = text_column(redline, "reserve_zone")
    lines = redline.geometry.to_numpy()
    core, unzoned = zone.str.contains(CORE).to_numpy(), (zone == "").to_numpy()
    inside = share_inside(geoms, lines[core]) if core.any() else np.zeros(len(geoms))
    open_ = share_inside(geoms, lines[unzoned]) * area > parameter("conflict_tolerance_m2", _numbers(opened.overrides)) if unzoned.any() else False
    return out | {"redline_share": share_inside(geoms, lines), "redline_core_share": np.where(open_, np.nan, inside)}


def _flags(
    opened: Opened, base: gpd.GeoDataFrame, patches: gpd.GeoDataFrame, protected_row: np.ndarray, patch_row: np.ndarray, geoms: np.ndarray,
    told: Mapping[str, Any],
) -> dict[str, np.ndarray]:  # fmt: skip
    out = {n: _column(base, patches, n, protected_row, patch_row) for n in ("is_high_standard", "is_stable", "is_polluted", "erosion_class")}
    for name, key in (("is_high_standard", "high_standard_layer"), ("is_polluted", "polluted_layer")):
        layer = _named(opened, told, key)
        if layer is not None:
            inside = (share_inside(geoms, layer.geometry.to_numpy()) > 0.5).astype(float)
            out[name] = np.where(np.isfinite(out[name]), out[name], inside)
    return out


def _column(base: gpd.GeoDataFrame, patches: gpd.GeoDataFrame, name: str, protected_row: np.ndarray, patch_row: np.ndarray) -> np.ndarray:
    """A column of the land-use patches, that of the protected layer first; NaN where neither says."""
    value = _as_number(patches, name)[patch_row]
    own = _as_number(base, name)
    at = protected_row >= 0
    value[at] = np.where(np.isfinite(own[protected_row[at]]), own[protected_row[at]], value[at])
    return value


def _as_number(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        return np.full(len(table), np.nan)
    words = table[name].map(lambda v: {"true": 1, "false": 0, "是": 1, "否": 0}.get(str(v).strip().lower(), v))
    return pd.to_numeric(words, errors="coerce").to_numpy(float, na_value=np.nan)


def _named(opened: Opened, told: Mapping[str, Any], key: str) -> gpd.GeoDataFrame | None:
    """A layer by the name the settings give, else by its house name; None where neither is there."""
    name = str(told.get(key, "") or "")
    if name and name not in opened.datasets:
        raise MissingDataError(f"project.toml [swap] {key} = {name!r}", expected=f"a layer of the project: {', '.join(sorted(opened.datasets))}")
    name = name or HOUSE_NAMES.get(key, "")
    if name not in opened.datasets:
        return None
    found = opened.layers.get(name)
    return found if found is not None else read_frame(opened.project.state / "layers" / f"{name}.parquet")


def _numbers(overrides: Mapping[str, Any]) -> dict[str, float]:
    return {k: float(v) for k, v in overrides.items() if not isinstance(v, str)}
