"""Auditing lots by another route: overlays only, nothing of the cutting code (分地独立核验)."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

__all__ = ["audit"]

VALUE_TOLERANCE = 1e-6
"""Relative error of the value of a lot that is allowed."""

_TOUCH_M = 1e-3


def audit(
    lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, roads: shapely.Geometry, ledger: pd.DataFrame, *,
    limits: Mapping[str, float],
) -> list[dict[str, Any]]:  # fmt: skip
    """Check lots against blocks, value zones, roads and the ledger (分地独立核验).

    Parameters
    ----------
    lots, blocks, zones : GeoDataFrames, tables ``lot``, ``allotment_block`` (with `axis_deg`), ``value_zone``
    roads : Geometry
        Surface of roads and tracks. [m]
    ledger : DataFrame, table ``allotment_ledger``
    limits : mapping
        `width_min_m`, `area_min_m2`, `reach_m`, `lots_max` by owner under ``lots_max:ID``.

    Returns
    -------
    list of dict, keys id, zh, ok, found, expected
    """
    return [
        *_cover(lots, blocks), *_values(lots, blocks, zones), *_access(lots, blocks, roads, limits), *_books(lots, blocks, ledger, limits)
    ]  # fmt: skip


def _cover(lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    shape = lots.geometry.to_numpy()
    simple = int((~(shapely.is_valid(shape) & (shapely.get_type_id(shape) == 3))).sum())
    left, lost = 0.0, []
    for b in blocks.itertuples():
        mine = shape[(lots["block_id"] == b.block_id).to_numpy()]
        rest = shapely.area(shapely.symmetric_difference(shapely.union_all(mine), b.geometry)) / b.geometry.area if len(mine) else 1.0
        left = max(left, float(rest))
        if rest > 1e-9:
            lost.append(b.block_id)
    i, j = shapely.STRtree(shape).query(shape)
    pair = i < j
    double = shapely.area(shapely.intersection(shape[i[pair]], shape[j[pair]]))
    unknown = sorted(set(lots["block_id"]) - set(blocks["block_id"]))
    return [
        _row("simple", "每个宗块为有效的单一多边形", simple == 0, simple, 0),
        _row("union", "宗块合并等于地块", not lost and not unknown, lost[:5] + unknown[:5] or left, "差异面积占比不超过 1e-9"),
        _row("overlap", "宗块互不重叠", float(double.max(initial=0.0)) <= 1e-6, float(double.max(initial=0.0)), "不超过 1e-6 平方米"),
    ]


def _values(lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Overlay of lots with zones, added with exact rounding, against the value in the table."""
    shape, zone = lots.geometry.to_numpy(), zones.geometry.to_numpy()
    i, j = shapely.STRtree(zone).query(shape)
    worth = shapely.area(shapely.intersection(shape[i], zone[j])) * zones["unit_value_yuan_m2"].to_numpy(dtype=float)[j] * 100.0
    terms: list[list[float]] = [[] for _ in range(len(lots))]
    for k, w in zip(i.tolist(), worth.tolist()):
        terms[k].append(w)
    found = np.array([fsum(t) for t in terms])
    claimed = lots["value_fen"].to_numpy(dtype=float)
    error = np.abs(found - claimed) / np.maximum(claimed, 1.0)
    whole = np.array([float(x) == int(x) and x > 0 for x in claimed])
    worst = float(error.max(initial=0.0))
    sums = lots.groupby("block_id")["value_fen"].sum()
    wrong = [b.block_id for b in blocks.itertuples() if int(sums.get(b.block_id, 0)) != int(b.value_fen)]
    return [
        _row("value", "按图叠加复算的价值与表一致", worst <= VALUE_TOLERANCE, worst, f"相对误差不超过 {VALUE_TOLERANCE:g}"),
        _row("whole", "价值为正的整数分", bool(whole.all()), int((~whole).sum()), 0),
        _row("block_sum", "各地块宗块价值之和等于地块价值", not wrong, wrong[:5], []),
    ]


def _access(lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, roads: shapely.Geometry, limits: Mapping[str, float]) -> list[dict[str, Any]]:
    shape = lots.geometry.to_numpy()
    near = shapely.buffer(roads, limits["reach_m"] + _TOUCH_M)
    shapely.prepare(near)
    front = shapely.length(shapely.intersection(shapely.boundary(shape), near)) - 4 * (limits["reach_m"] + _TOUCH_M)
    axis = dict(zip(blocks["block_id"], np.radians(blocks["axis_deg"].to_numpy(dtype=float))))
    width, excess = [], []
    for block, lot, claim in zip(lots["block_id"], shape, lots["width_m"]):
        way = axis.get(block, 0.0)
        if np.isnan(way):  # side lines that are not parallel: the largest circle inside is at least as wide as they are apart
            width.append(2.0 * float(shapely.length(shapely.maximum_inscribed_circle(lot, tolerance=0.01))))
            excess.append(max(float(claim) - width[-1] - 0.02, 0.0))
        else:
            width.append(float(np.ptp(shapely.get_coordinates(lot) @ np.array([np.cos(way), np.sin(way)]))))
            excess.append(abs(float(claim) - width[-1]))
    least, narrow = limits["width_min_m"], float(min(width, default=0.0))
    small = float(shapely.area(shape).min(initial=np.inf))
    said = max(excess, default=0.0)
    blind = [str(x) for x in lots["lot_id"].to_numpy()[front <= 0]]
    return [
        _row("frontage", "每个宗块临路", not blind, blind[:5], []),
        _row("width", "宗块宽度不小于下限", narrow >= least - 1e-6, narrow, least),
        _row("width_said", "宽度可复算", float(said) <= 1e-6, float(said), "不超过 1e-6 米"),
        _row("area", "宗块面积不小于下限", small >= limits["area_min_m2"] * (1 - 1e-9), small, limits["area_min_m2"]),
    ]


def _books(lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, ledger: pd.DataFrame, limits: Mapping[str, float]) -> list[dict[str, Any]]:
    got: dict[str, int] = {}
    count: dict[str, int] = {}
    for owner, value in zip(lots["owner_id"], lots["value_fen"]):
        got[owner] = got.get(owner, 0) + int(value)
        count[owner] = count.get(owner, 0) + 1
    wrong, many = [], []
    for r in ledger.itertuples():
        if got.get(r.owner_id, 0) != int(r.allotted_fen) or int(r.entitlement_fen) - int(r.deduction_fen) != int(r.allotted_fen):
            wrong.append(r.owner_id)
        if count.get(r.owner_id, 0) != int(r.lots) or count.get(r.owner_id, 0) > limits.get(f"lots_max:{r.owner_id}", np.inf):
            many.append(r.owner_id)
    strange = sorted(set(got) - set(ledger["owner_id"]))
    total, all_blocks = sum(got.values()), int(blocks["value_fen"].sum())
    return [
        _row("owner_sum", "各权利人分得价值等于应得减扣减, 精确到分", not wrong and not strange, wrong[:5] + strange[:5], []),
        _row("lots_max", "每户地块数不超过上限", not many, many[:5], []),
        _row("total", "分得总价值等于地块总价值", total == all_blocks, total, all_blocks),
    ]


def _row(check: str, zh: str, ok: bool, found: Any, expected: Any) -> dict[str, Any]:
    return {"id": check, "zh": zh, "ok": bool(ok), "found": found, "expected": expected}
