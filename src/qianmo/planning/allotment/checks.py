"""Inputs of a re-allotment, checked before anything is computed (分地输入检查)."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.crs import same_metric_crs
from qianmo.schema.errors import MissingDataError, SchemaError, TopologyError
from qianmo.schema.tables import require_columns

__all__ = ["check_blocks", "check_lines", "check_owners", "check_zones", "rows_text", "wishes_of"]


def rows_text(rows: Sequence[int] | np.ndarray, *, most: int = 8) -> str:
    """Row numbers for a message, counted from 1."""
    shown = ", ".join(str(int(r) + 1) for r in list(rows)[:most])
    return shown + (" …" if len(rows) > most else "")


def check_owners(owners: pd.DataFrame, blocks: Sequence[str] = ()) -> None:
    """Refuse owners without id, twice, without a value above 0, without a place, or wishing for unknown blocks.

    Raises
    ------
    SchemaError
        Rows are named.
    """
    require_columns("allotment_owner", list(owners.columns))
    if owners.empty:
        raise MissingDataError("no owners", expected="at least one row of allotment_owner", cure="补充权利人表")
    name = owners["owner_id"].astype("string")
    _refuse(name.isna() | (name.str.strip() == ""), "owner_id is empty", "an id in each row", "补全权利人编号")
    _refuse(name.duplicated(keep=False), "owner_id occurs twice", "one row an owner", "合并同一权利人的行")
    value = pd.to_numeric(owners["entitlement_yuan"], errors="coerce")
    _refuse(~(np.isfinite(value) & (value > 0)), "entitlement_yuan is not a number above 0", "yuan above 0", "改正应得价值")
    place = owners[["x_m", "y_m"]].apply(pd.to_numeric, errors="coerce")
    _refuse(~np.isfinite(place).all(axis=1), "x_m or y_m is missing", "the centre of the old land in project coordinates", "补全原位置坐标")
    if "lots_max" in owners.columns:
        most = pd.to_numeric(owners["lots_max"], errors="coerce")
        _refuse(owners["lots_max"].notna() & ~(most >= 1), "lots_max is below 1 or no number", "1 or more, or empty", "改正地块数上限")
    if "wishes" in owners.columns and len(blocks):
        known = set(blocks)
        strange = [bool({w for w in wishes_of(t) if w not in known}) for t in owners["wishes"]]
        _refuse(np.array(strange), "wishes name an unknown block", "ids of allotment_block parted by ;", "改正意愿地块编号")


def wishes_of(text: object) -> list[str]:
    """Block ids of a list of wishes, first wish first."""
    return [] if text is None or pd.isna(text) else [w.strip() for w in str(text).replace("；", ";").split(";") if w.strip()]


def check_blocks(blocks: gpd.GeoDataFrame) -> None:
    """Refuse blocks without id, twice, not simple polygons, or overlapping.

    Raises
    ------
    SchemaError, TopologyError, MissingDataError
        Rows are named.
    """
    require_columns("allotment_block", list(blocks.columns))
    same_metric_crs(blocks)
    if blocks.empty:
        raise MissingDataError("no blocks", expected="at least one polygon of allotment_block", cure="补充地块图层, 或用 --area 由田块设计生成")
    name = blocks["block_id"].astype("string")
    _refuse(name.isna() | (name.str.strip() == ""), "block_id is empty", "an id in each row", "补全地块编号")
    _refuse(name.duplicated(keep=False), "block_id occurs twice", "one row a block", "改正重复的地块编号")
    shapes = blocks.geometry.to_numpy()
    good = shapely.is_valid(shapes) & (shapely.get_type_id(shapes) == 3) & (shapely.area(shapes) > 0)
    _refuse_shape(~good, "not a valid polygon of one part with an area", "修复图形, 多部件地块拆成多行")
    first, second = shapely.STRtree(shapes).query(shapes)
    pairs = first < second
    common = shapely.area(shapely.intersection(shapes[first[pairs]], shapes[second[pairs]]))
    over = np.flatnonzero(common > 1e-6 * np.minimum(shapely.area(shapes[first[pairs]]), shapely.area(shapes[second[pairs]])))
    if len(over):
        a, b = first[pairs][over[0]], second[pairs][over[0]]
        raise TopologyError(f"allotment_block rows {a + 1} and {b + 1} overlap by {common[over[0]]:.2f} m2", expected="blocks side by side", cure="消除地块重叠")


def check_lines(lines: gpd.GeoDataFrame) -> None:
    """Refuse lines of unknown kind or with a width that is no number above 0.

    Raises
    ------
    SchemaError, TopologyError
        Rows are named.
    """
    require_columns("allotment_line", list(lines.columns))
    same_metric_crs(lines)
    _refuse(~lines["line_kind"].isin(["road", "ditch"]).to_numpy(), "line_kind is unknown", "road or ditch", "改正线类型")
    if "width_m" in lines.columns:
        width = pd.to_numeric(lines["width_m"], errors="coerce")
        _refuse(lines["width_m"].notna() & ~(np.isfinite(width) & (width > 0)), "width_m is not above 0", "metres above 0, or empty", "改正道路沟渠宽度")
    shapes = lines.geometry.to_numpy()
    _refuse_shape(~(shapely.is_valid(shapes) & ~shapely.is_empty(shapes)), "an empty or invalid line", "修复线图形")


def check_zones(zones: gpd.GeoDataFrame) -> None:
    """Refuse value zones with a unit value that is no number of at least 0, or that are not valid polygons.

    Raises
    ------
    SchemaError, TopologyError
        Rows are named.
    """
    require_columns("value_zone", list(zones.columns))
    same_metric_crs(zones)
    value = pd.to_numeric(zones["unit_value_yuan_m2"], errors="coerce")
    _refuse(~(np.isfinite(value) & (value >= 0)), "unit_value_yuan_m2 is not a number of at least 0", "yuan a square metre", "改正单位价值")
    shapes = zones.geometry.to_numpy()
    _refuse_shape(~(shapely.is_valid(shapes) & (shapely.area(shapes) > 0)), "not a valid polygon with an area", "修复价值分区图形")


def _refuse(bad: pd.Series | np.ndarray, found: str, expected: str, cure: str) -> None:
    rows = np.flatnonzero(np.asarray(bad, dtype=bool))
    if len(rows):
        raise SchemaError(f"rows {rows_text(rows)}: {found}", expected=expected, cure=cure)


def _refuse_shape(bad: np.ndarray, found: str, cure: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        raise TopologyError(f"rows {rows_text(rows)}: {found}", expected="valid geometry", cure=cure)
