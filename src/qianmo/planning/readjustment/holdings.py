"""Parcels, owners, values and bonds of an exchange of land (权属调整的地块与权利人)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from qianmo.planning.readjustment.faults import Faults

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["KEPT_REASONS", "Holdings", "centroids", "holdings", "required_values", "with_kept_owners"]

KEPT_REASONS = {
    "": "可调换", "co_owned": "共有", "encumbered": "设有抵押、查封等他项权利", "not_agricultural": "非农用地", "other": "其他原因不调换",
    "alone": "所在调换范围内只有一个权利人", "kept_fair": "为不使权利人受损而保持原状", "refused": "权利人不同意调换",
    "register_differs": "登记面积与图上面积相差过大",
}  # fmt: skip
"""Why a parcel stays with its owner: reason code → words."""


@dataclass(frozen=True, eq=False)
class Holdings:
    """What is exchanged, between whom, and what may not move (调换问题).

    Parameters
    ----------
    parcel_id : (n,) object
        Unique names.
    geometry : (n,) polygons
        In a metric CRS, not overlapping. [m]
    area_dm2, value_fen : (n,) int64
        Registered area and appraised value, both positive. [dm2, fen]
    owner, pool : (n,) int
        Position in `owner_id` and `pool_id`. Land moves only inside a pool: one collective and one quality class.
    reason : (n,) object
        '' where the parcel may move, else a key of `KEPT_REASONS`.
    owner_id : (k,) object
    anchor : (k, 2) float
        Homestead or main block of each owner. [m]
    pool_id : (p,) object
        Collective and class, such as ``990101001|paddy``.
    """

    parcel_id: np.ndarray
    geometry: np.ndarray
    area_dm2: np.ndarray
    value_fen: np.ndarray
    owner: np.ndarray
    pool: np.ndarray
    reason: np.ndarray
    owner_id: np.ndarray
    anchor: np.ndarray
    pool_id: np.ndarray

    @property
    def n(self) -> int:
        """Number of parcels."""
        return len(self.parcel_id)

    @property
    def k(self) -> int:
        """Number of owners."""
        return len(self.owner_id)

    @property
    def is_free(self) -> np.ndarray:
        """(n,) bool: the parcel may move."""
        return self.reason == ""


def holdings(parcels: gpd.GeoDataFrame, owners: pd.DataFrame, *, across_collectives: bool = False) -> Holdings:
    """Build the problem from two tables, or name everything that is wrong with them (建立调换问题).

    Parameters
    ----------
    parcels : GeoDataFrame
        parcel_id, owner_id, area_m2, value_yuan_m2, use_class; optional collective_code and reason. Metric CRS. [m2, yuan/m2]
    owners : DataFrame
        owner_id, anchor_x, anchor_y. [m]
    across_collectives : bool
        Land may move between collectives; by default it may not (农村土地承包法: within one collective).

    Returns
    -------
    Holdings
        Areas to the square decimetre, values to the fen. A pool with a single owner is kept, reason ``alone``.

    Raises
    ------
    SchemaError
        Columns are missing, or rows are wrong: an id twice, area or value not a positive number, an unknown owner or reason,
        an owner without parcel or anchor, no polygon. All faults are gathered; rows are named.
    """
    faults = Faults()
    faults.columns("parcels", parcels, ("parcel_id", "owner_id", "area_m2", "value_yuan_m2", "use_class"))
    faults.columns("owners", owners, ("owner_id", "anchor_x", "anchor_y"))
    faults.stop()
    names, owner_names = parcels["parcel_id"].astype(str).to_numpy(object), owners["owner_id"].astype(str).to_numpy(object)
    area, price = (parcels[c].to_numpy(float) for c in ("area_m2", "value_yuan_m2"))
    anchor = owners[["anchor_x", "anchor_y"]].to_numpy(float)
    reason = parcels["reason"].fillna("").astype(str).to_numpy(object) if "reason" in parcels else np.full(len(parcels), "", object)
    held = parcels["owner_id"].astype(str).to_numpy(object)
    geometry = np.asarray(parcels.geometry.to_numpy(), dtype=object)
    collective = parcels["collective_code"].astype(str).to_numpy(object) if "collective_code" in parcels else np.full(len(parcels), "", object)
    faults.crs(parcels.crs)
    faults.rows("parcel_id 重复", names, np.array(_repeated(names)))
    faults.rows("owner_id 重复", owner_names, np.array(_repeated(owner_names)))
    faults.rows("area_m2 不是正数", names, ~(np.isfinite(area) & (area >= 0.005)))
    faults.rows("value_yuan_m2 不是正数", names, ~(np.isfinite(price) & (price > 0)))
    faults.rows("use_class 空缺", names, parcels["use_class"].isna().to_numpy())
    faults.rows("权利人不在名单中", names, ~np.isin(held, owner_names))
    faults.rows("reason 不在代码表中", names, ~np.isin(reason, list(KEPT_REASONS)))
    faults.rows("不是有效多边形", names, ~_is_polygon(geometry))
    faults.rows("权利人没有地块", owner_names, ~np.isin(owner_names, held))
    faults.rows("权利人缺少住所或主地块坐标 (anchor)", owner_names, ~np.isfinite(anchor).all(axis=1))
    faults.stop()
    group = np.full(len(parcels), "", object) if across_collectives else collective
    label = group + "|" + parcels["use_class"].astype(str).to_numpy(object)
    pool_id, pool = np.unique(label.astype(str), return_inverse=True)
    place = {name: i for i, name in enumerate(owner_names)}
    area_dm2 = np.rint(area * 100).astype(np.int64)
    value_fen = np.maximum(np.rint(area_dm2 * price), 1).astype(np.int64)
    made = Holdings(
        names, geometry, area_dm2, value_fen, np.array([place[h] for h in held]), pool, reason, owner_names, anchor, pool_id.astype(object)
    )
    return _without_lonely_pools(made)


def centroids(problem: Holdings) -> np.ndarray:
    """(n, 2) centroids of the parcels to the millimetre, so that they survive writing. [m]"""
    points = shapely.centroid(problem.geometry)
    return np.round(np.column_stack([shapely.get_x(points), shapely.get_y(points)]), 3)


def required_values(problem: Holdings) -> np.ndarray:
    """(pools, owners) int64: value each owner gave into each pool and must get out of it. [fen]"""
    free = problem.is_free
    out = np.zeros((len(problem.pool_id), problem.k), np.int64)
    np.add.at(out, (problem.pool[free], problem.owner[free]), problem.value_fen[free])
    return out


def with_kept_owners(problem: Holdings, owners: np.ndarray, *, reason: str) -> Holdings:
    """The problem in which all parcels of some owners stay (权利人保持原状)."""
    new = problem.reason.copy()
    new[np.isin(problem.owner, owners) & problem.is_free] = reason
    return _without_lonely_pools(replace(problem, reason=new))


def _without_lonely_pools(problem: Holdings) -> Holdings:
    needs = (required_values(problem) > 0).sum(axis=1)
    reason = problem.reason.copy()
    reason[problem.is_free & (needs[problem.pool] < 2)] = "alone"
    return replace(problem, reason=reason)


def _repeated(names: np.ndarray) -> np.ndarray:
    _, back, count = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    return np.asarray(count[back] > 1)


def _is_polygon(geometry: np.ndarray) -> np.ndarray:
    kind = np.isin(shapely.get_type_id(geometry), (3, 6))
    return np.asarray(kind & ~shapely.is_empty(geometry) & shapely.is_valid(geometry) & (shapely.area(geometry) > 0))
