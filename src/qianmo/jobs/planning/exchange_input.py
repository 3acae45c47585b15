"""From a project and a few side files to an exchange problem (调换数据准备)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.blocks import blocks
from qianmo.jobs.plain_table import plain_table
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.land_values import USE_CLASSES, land_value

__all__ = ["exchange_tables", "holders_by_share", "settings_values", "side_table"]

_TITLE = ("title_number", "title_no")
_NUMBERS = ("share_num", "share_den", "value_yuan_m2", "x", "y")


def exchange_tables(
    parcels: gpd.GeoDataFrame, *, rights: pd.DataFrame | None, values: pd.DataFrame | None, anchors: pd.DataFrame | None, register_diff_max: float
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[str]]:
    """Parcels and owners as `qianmo.planning.readjustment.holdings.holdings` wants them, and notes for the user (准备调换表).

    Parameters
    ----------
    parcels : GeoDataFrame, table ``parcel``
        With holder_id, or titles that `rights` explains. Metric CRS.
    rights : DataFrame, optional
        title_number (or title_no) or parcel_id, owner, share_num, share_den.
    values : DataFrame, optional
        parcel_id, value_yuan_m2, and if wanted use_class, kept_reason; parcels that it does not list are kept out.
    anchors : DataFrame, optional
        owner, x, y; without it an owner's homestead, else the middle of its largest block. [m]

    Raises
    ------
    MissingDataError
        Nobody holds the parcels, or no parcel is agricultural.
    SchemaError
        Shares of a title do not sum to 1, or a side file lacks columns.
    """
    notes: list[str] = []
    table = parcels.reset_index(drop=True).copy()
    table["parcel_id"] = table["parcel_id"].astype(str)
    if rights is not None:
        table["holder_id"] = _holders_of(table, rights)
    elif "holder_id" not in table and "holder_name" in table:
        table["holder_id"] = table["holder_name"]
    if "holder_id" not in table or not table["holder_id"].fillna("").ne("").any():
        raise MissingDataError(
            "宗地没有权利人 (parcels without holders)", expected="column holder_id, or --rights FILE with title_number, owner, share_num, share_den",
            cure="用 --rights 提供权利登记表",
        )  # fmt: skip
    homes = table[table["land_type"].astype(str).str.contains("宅基地") & table["holder_id"].fillna("").ne("")] if "land_type" in table else table[:0]
    table = _with_values(table, values)
    held = table["holder_id"].fillna("").ne("") & table["use_class"].fillna("").ne("") & table["value_yuan_m2"].notna()
    if not held.any():
        raise MissingDataError("没有可调换的农用地宗地", expected="use_class and value_yuan_m2", cure="用 --values 提供地类与单价")
    notes.append(f"农用地宗地 {int(held.sum())} 宗参加, 其余 {int((~held).sum())} 宗不参加 (非农用地或无权利人、无单价)")
    table = table[held].reset_index(drop=True)
    drawn = shapely.area(table.geometry.to_numpy())
    register = table["registered_area_m2"].to_numpy(float) if "registered_area_m2" in table else drawn
    area = np.where(np.isfinite(register), register, drawn)
    reason = table["kept_reason"].fillna("").astype(str).to_numpy(object) if "kept_reason" in table else np.full(len(table), "", object)
    reason[(reason == "") & (np.abs(area - drawn) > register_diff_max * drawn)] = "register_differs"
    reason[(reason == "") & table["holder_id"].str.contains("+", regex=False).to_numpy()] = "co_owned"
    made = gpd.GeoDataFrame({
        "parcel_id": table["parcel_id"], "owner_id": table["holder_id"].astype(str), "area_m2": area,
        "value_yuan_m2": table["value_yuan_m2"].astype(float), "use_class": table["use_class"].astype(str),
        "collective_code": table["collective_code"].fillna("").astype(str) if "collective_code" in table else "", "reason": reason,
    }, geometry=table.geometry.to_numpy(), crs=parcels.crs)  # fmt: skip
    return made, _owners(made, homes, anchors, notes), notes


def holders_by_share(rights: pd.DataFrame, key: str) -> pd.Series:
    """Holder of each title: the owner, or the co-owners joined by + in order of name (共有人合并).

    A title of several owners stays one undivided holding: an ideal share cannot be exchanged without the others.

    Raises
    ------
    SchemaError
        The shares of a title do not sum to 1; the titles are named.
    """
    share = rights["share_num"].astype(float) / rights["share_den"].astype(float)
    total = share.groupby(rights[key].astype(str)).sum()
    wrong = total[~(np.abs(total - 1.0) < 1e-9)]
    if len(wrong):
        named = ", ".join(f"{t} ({v:.4g})" for t, v in wrong.head(8).items())
        raise SchemaError(f"份额之和不等于 1: {named}", expected="share_num/share_den of each title sum to 1", cure="更正权利登记表")
    return rights.groupby(rights[key].astype(str))["owner"].agg(lambda o: "+".join(sorted(set(o.astype(str)))))


def _holders_of(table: gpd.GeoDataFrame, rights: pd.DataFrame) -> pd.Series:
    if "right_code" in rights.columns:
        rights = rights[rights["right_code"].astype(str) == "30"]
    key = next((k for k in (*_TITLE, "parcel_id") if k in rights.columns), None)
    lacking = [c for c in ("owner", "share_num", "share_den") if c not in rights.columns]
    if key is None or lacking:
        raise SchemaError(f"权利登记表缺少列 {', '.join(lacking) or 'title_number'}", expected="title_number or parcel_id, owner, share_num, share_den")
    column = "parcel_id" if key == "parcel_id" else "title_number"
    return table[column].astype(str).map(holders_by_share(rights, key)).fillna("")


def _with_values(table: gpd.GeoDataFrame, values: pd.DataFrame | None) -> gpd.GeoDataFrame:
    if values is not None:
        if not {"parcel_id", "value_yuan_m2"} <= set(values.columns):
            raise SchemaError(f"单价表的列为 {', '.join(values.columns)}", expected="parcel_id, value_yuan_m2 [, use_class, kept_reason]")
        side = values.assign(parcel_id=values["parcel_id"].astype(str)).drop_duplicates("parcel_id").set_index("parcel_id")
        for name in ("value_yuan_m2", "use_class", "kept_reason"):
            if name in side.columns:
                table[name] = table["parcel_id"].map(side[name])
        if "use_class" not in side.columns and "use_class" not in table:
            table["use_class"] = np.where(table["value_yuan_m2"].notna(), "agricultural", "")
    if "use_class" not in table:
        table["use_class"] = ""
    if "value_yuan_m2" not in table:
        known = table["use_class"].isin(USE_CLASSES)
        table["value_yuan_m2"] = [land_value(u) if k else np.nan for u, k in zip(table["use_class"], known)]
    return table


def _owners(made: gpd.GeoDataFrame, homes: gpd.GeoDataFrame, anchors: pd.DataFrame | None, notes: list[str]) -> pd.DataFrame:
    ids = sorted(made["owner_id"].unique())
    place: dict[str, tuple[float, float]] = {}
    if anchors is not None:
        lacking = [c for c in ("owner", "x", "y") if c not in anchors.columns]
        if lacking:
            raise SchemaError(f"住所表缺少列 {', '.join(lacking)}", expected="owner, x, y")
        place = {str(o): (float(x), float(y)) for o, x, y in zip(anchors["owner"], anchors["x"], anchors["y"])}
    point = homes.geometry.representative_point() if len(homes) else homes.geometry
    for holder, at in zip(homes["holder_id"].astype(str) if len(homes) else (), point):
        place.setdefault(holder, (at.x, at.y))
    main = [o for o in ids if o not in place]
    if main:
        notes.append(f"{len(main)} 户没有住所坐标, 以其最大连片地块的中心为准")
        for o in main:
            place[o] = _main_block(made.geometry.to_numpy()[(made["owner_id"] == o).to_numpy()])
    return pd.DataFrame({"owner_id": ids, "anchor_x": [place[o][0] for o in ids], "anchor_y": [place[o][1] for o in ids]})


def _main_block(geoms: np.ndarray) -> tuple[float, float]:
    label = blocks(geoms, gap_m=0.0)
    size = np.bincount(label, shapely.area(geoms))
    middle = shapely.centroid(shapely.union_all(geoms[label == size.argmax()]))
    return float(shapely.get_x(middle)), float(shapely.get_y(middle))


def side_table(path: Any) -> pd.DataFrame | None:
    """A CSV file or workbook beside the project through the guarded reader, or None where none is named (旁侧表格).

    Returns
    -------
    DataFrame
        Names of columns in lower case; ids, names and codes are text, shares, prices and coordinates numbers, NaN where blank.

    Raises
    ------
    MissingDataError
        No such file, or no table in it.
    SchemaError
        A share, price or coordinate is no number; its rows are named.
    UnsafeInputError, EncodingError, ChoiceNeededError
        As for `plain_layers`.
    """
    if not path:
        return None
    if not Path(path).is_file():
        raise MissingDataError(f"没有文件 {path}", expected="CSV 或 XLSX 表格 (a CSV file or workbook)")
    table = plain_table(path, needed=(), meaning="")
    for name in table.columns:
        written = table[name].map(lambda v: "" if v is None or v != v else str(v).strip())
        table[name] = _numbers(Path(path).name, name, written) if name in _NUMBERS else written.where(written != "", None)
    return table


def _numbers(file: str, name: str, written: pd.Series) -> pd.Series:
    read = pd.to_numeric(written.where(written != "", None), errors="coerce").astype(float)
    wrong = np.flatnonzero((written != "") & ~np.isfinite(read))
    if len(wrong):
        rows = ", ".join(f"第 {n + 2} 行 {written.iloc[n][:20]}" for n in wrong[:8])
        raise SchemaError(f"{file} 列 {name} 有 {len(wrong)} 处不是数字: {rows}", expected="数字", cure="改正这些单元格")
    return read


def settings_values(values: Mapping[str, Any], told: Mapping[str, Any], name: str, default: float) -> float:
    """An option of the command, else of ``project.toml`` [exchange], else the default."""
    found = values.get(name)
    return float(found if found is not None else told.get(name, default))
