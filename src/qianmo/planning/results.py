"""The plan as tables: parcel list, land after the plan, fields after merging (规划成果)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.parts import Parts, class_area_after
from qianmo.schema.codes import LandClass, land_class
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP
from qianmo.schema.tables import table_spec

__all__ = ["apply_plan", "merged_fields", "plan_parcels"]

FARMLAND_ONLY = ("quality_grade", "planting_code", "farmland_type", "refined_code")
"""Columns that describe what was surveyed on the old class and are unknown after a change of class."""

AREA_COLUMNS = ("area_m2", "class_area_m2", "ridge_area_m2", "ellipsoid_area_m2", "planar_area_m2", "geodesic_area_m2")

RIDGE_COLUMNS = ("ridge_class_code", "ridge_coefficient", "ridge_area_m2")


def plan_parcels(
    parts: Parts, choice: np.ndarray, *, reason: np.ndarray, subproject: np.ndarray, year: np.ndarray
) -> pd.DataFrame:
    """Parcel list of the plan, one row a patch in the order of the patches (规划图斑表).

    Parameters
    ----------
    parts : Parts
    choice : (n,) int
    reason, subproject : (n,) text
    year : (n,) int, 0 where nothing is done

    Returns
    -------
    DataFrame, table ``plan_parcel``
        ``cost_yuan`` is the cost of works; fees are in ``cost_by_measure``.
    """
    done = choice >= 0
    taken = choice[done]
    works, target = np.full(parts.n, KEEP, object), parts.class_code.copy()
    works[done], target[done] = parts.measure[taken], parts.target_class[taken]
    cost = np.zeros(parts.n)
    cost[done] = parts.cost[taken]
    years = pd.array(np.where(done, year, 0), dtype="Int64")
    years[~done] = pd.NA
    table = pd.DataFrame(
        {
            "patch_id": parts.patch_id, "village_code": parts.village, "class_code": parts.class_code, "measure": works,
            "target_class": target, "area_m2": parts.area, "class_area_m2": parts.class_area, "cost_yuan": cost,
            "reason": reason, "subproject_id": subproject, "year": years,
        }
    )  # fmt: skip
    return table[list(table_spec("plan_parcel").column_names)]


def apply_plan(
    patches: pd.DataFrame, plan_parcel: pd.DataFrame, *, groups: np.ndarray | None = None, class_scheme: str = "SD3"
) -> pd.DataFrame:
    """Land use after the plan: the same patches with new classes (规划后图斑).

    Register area and geometry stay as they are, so the total area is kept to the last digit.
    Class area is area less ridges: ridges stay where both classes have ridges, and go back to the
    patch where the new class has none.

    Parameters
    ----------
    patches : (Geo)DataFrame, table ``landuse_patch``
    plan_parcel : DataFrame, table ``plan_parcel``
        Same patches, any order.
    groups : (n,) int, optional
        Field of each patch after merging; column ``field_group`` of the result.

    Raises
    ------
    SchemaError
        The two tables do not hold the same patches, or the plan was made for other classes.
    """
    plan = plan_parcel.set_index("patch_id")
    if set(plan.index) != set(patches["patch_id"]) or len(plan) != len(patches):
        raise SchemaError("plan and patches do not hold the same patch_id", cure="apply a plan to the layer it was made for")
    plan = plan.loc[patches["patch_id"]]
    before, target = patches["class_code"].to_numpy(object), plan["target_class"].to_numpy(object)
    stale = np.flatnonzero(plan["class_code"].to_numpy(object) != before)
    if len(stale):
        raise SchemaError(f"class of rows {stale[:5].tolist()} is not the one that was planned for", cure="plan again")
    classes = {c: land_class(c, scheme=class_scheme) for c in {*before, *target}}
    after = patches.copy()
    area, old = patches["area_m2"].to_numpy(float), patches["class_area_m2"].to_numpy(float)
    after["class_code"] = target
    after["class_area_m2"] = class_area_after(before, target, area, old, classes)
    if "class_name" in after:
        after["class_name"] = [classes[t].zh if b != t else n for b, t, n in zip(before, target, patches["class_name"])]
    _forget(after, before, target, classes)
    after["measure"] = plan["measure"].to_numpy(object)
    after["field_group"] = np.arange(len(after)) if groups is None else groups
    return after


def merged_fields(after: pd.DataFrame) -> pd.DataFrame:
    """Patches with the merged fields of one class in one village dissolved into one (归并后图斑).

    Groups that were set by hand and span classes or villages stay in as many pieces, so that no
    land changes its class or village here.

    Areas are summed to the 0.01 m2; slope, elevation and grade are means by area (the grade
    rounded to the nearest); other columns are those of the largest member, the id that of the
    first. Column ``merged_from`` lists the members of a dissolved field.
    """
    keys = [c for c in ("field_group", "class_code", "village_code") if c in after]
    group = after.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    order = np.lexsort((after["patch_id"].to_numpy(str), -after["area_m2"].to_numpy(float), group))
    lead = order[np.r_[True, np.diff(group[order]) != 0]] if len(order) else order
    size = np.bincount(group)
    many = np.flatnonzero(size > 1)
    fields = after.iloc[lead].copy()
    for name, value in _means_and_sums(after, group, many).items():
        _put(fields, name, many, value)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(size)[:-1])
    ids = after["patch_id"].to_numpy(object)
    listed = [sorted(map(str, ids[members[g]])) for g in many]
    fields["merged_from"] = ""
    _put(fields, "merged_from", many, np.array([";".join(x) for x in listed], object))
    _put(fields, "patch_id", many, np.array([x[0] for x in listed], object))
    if isinstance(after, gpd.GeoDataFrame):
        shapes, parts = np.asarray(fields.geometry, object).copy(), np.asarray(after.geometry, object)
        shapes[many] = [shapely.union_all(parts[members[g]]) for g in many]
        fields = gpd.GeoDataFrame(fields, geometry=gpd.GeoSeries(shapes, index=fields.index, crs=after.crs))
    return fields.iloc[np.argsort(lead, kind="stable")]


def _put(fields: pd.DataFrame, name: str, at: np.ndarray, value: np.ndarray) -> None:
    column = fields[name].copy()
    column.iloc[at] = value
    fields[name] = column


def _forget(after: pd.DataFrame, before: np.ndarray, target: np.ndarray, classes: Mapping[str, LandClass]) -> None:
    changed = before != target
    for name in FARMLAND_ONLY:
        if name in after:
            after.loc[changed, name] = None
    freed = changed & ~np.array([classes[t].ridge_applies for t in target], bool)
    for name in RIDGE_COLUMNS:
        if name in after:
            after.loc[freed, name] = 0.0 if name == "ridge_area_m2" else None


def _means_and_sums(after: pd.DataFrame, group: np.ndarray, many: np.ndarray) -> dict[str, np.ndarray]:
    """For the groups `many`: areas summed in whole 0.01 m2, means by area where every member has a value."""
    out: dict[str, np.ndarray] = {}
    weight = after["area_m2"].to_numpy(float)
    for name in AREA_COLUMNS:
        if name in after:
            cents = np.rint(np.nan_to_num(after[name].to_numpy(float, na_value=np.nan)) * 100)
            out[name] = (np.bincount(group, cents) / 100)[many]
    total = np.bincount(group, weight)[many]
    for name in ("slope_deg", "elevation_m", "quality_grade"):
        if name in after:
            product = after[name].to_numpy(float, na_value=np.nan) * weight
            mean = np.bincount(group, product)[many] / np.where(total > 0, total, np.nan)
            out[name] = np.rint(mean) if name == "quality_grade" else mean
    return out
