"""Tables of a re-allotment: blocks with their figures, and what each owner was owed and got (分地表册)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.allotment.blocks import ReadyBlock
from qianmo.planning.allotment.checks import wishes_of
from qianmo.planning.allotment.tiers import depth_of

__all__ = ["block_table", "owner_ledger"]


def block_table(ready: Sequence[ReadyBlock], worth: np.ndarray, crs: Any) -> gpd.GeoDataFrame:
    """Table ``allotment_block`` of the blocks as they were cut; `worth` is their value in fen (地块表)."""
    rows = []
    for b, w in zip(ready, worth):
        step = b.frontage.main[-1] - b.frontage.main[0]
        way = float(np.degrees(np.arctan2(step[1], step[0]))) % 180.0
        axis = float("nan") if b.ruling else float(np.degrees(np.arctan2(b.axis[1], b.axis[0])))
        rows.append((b.name, b.shape.area, int(w), depth_of(b.shape, b.frontage), way, axis, b.frontage.is_double, b.parent))
    columns = ["block_id", "area_m2", "value_fen", "depth_m", "direction_deg", "axis_deg", "is_double", "parent_id"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=[b.shape for b in ready], crs=crs)


def owner_ledger(
    owners: pd.DataFrame, names: list[str], entitled: np.ndarray, owed: np.ndarray, lots: gpd.GeoDataFrame, parent: Mapping[str, str]
) -> pd.DataFrame:
    """Table ``allotment_ledger``: owed and got to the fen; `parent` names the block each tier was cut from (分地平衡表)."""
    place = dict(zip(owners["owner_id"].astype(str), owners[["x_m", "y_m"]].to_numpy(dtype=float)))
    wishes = dict(zip(owners["owner_id"].astype(str), map(wishes_of, owners["wishes"]))) if "wishes" in owners.columns else {}
    centre = shapely.get_coordinates(shapely.centroid(lots.geometry.to_numpy()))
    rows = []
    for n, e, d in zip(names, entitled, owed):
        mine = np.flatnonzero((lots["owner_id"] == n).to_numpy())
        value = lots["value_fen"].to_numpy(dtype=float)[mine]
        away = np.linalg.norm(centre[mine] - place.get(n, np.zeros(2)), axis=1) @ value / value.sum() if n in place else 0.0
        wished = wishes.get(n, [])
        met = [wished.index(parent[b]) + 1 for b in lots["block_id"].iloc[mine] if parent[b] in wished]
        rows.append((n, _name(lots, mine), int(e), int(e - d), int(d), len(mine), float(away), min(met, default=0)))
    columns = ["owner_id", "owner_name", "entitlement_fen", "deduction_fen", "allotted_fen", "lots", "distance_m", "wish_rank"]
    return pd.DataFrame(rows, columns=columns)


def _name(lots: gpd.GeoDataFrame, rows: np.ndarray) -> str:
    return str(lots["owner_name"].iloc[rows[0]]) if len(rows) else ""
