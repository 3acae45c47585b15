"""Sheets of the present state: location, use, three lines, potential, slope (现状类图件)."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from qianmo.reports.map_style import Classes, MapLayer, class_symbols, symbol, symbols
from qianmo.reports.map_subject import Sheet, Subject
from qianmo.schema.measures import measures
from qianmo.schema.tables import table_spec

__all__ = ["location_sheet", "potential_sheet", "present_sheet", "slope_sheet", "three_lines_sheet"]

_LINES = ("basic_farmland", "eco_redline", "urban_boundary")


def location_sheet(on: Subject) -> Sheet:
    """Project and villages in the net of meridians and parallels (区位图)."""
    villages = on.plain("village", style="village_fill", labels="village_name")
    lines = villages or on.plain("landuse_patch")
    remarks = ["未提供县级行政区划底图,本图以经纬网表示整治区域位置。"]
    if not villages:
        remarks.append("未提供行政村界。")
    return Sheet("location", "区位图", (*lines, *on.plain("project_area")), ("village", "project_area"), tuple(remarks), grid="lonlat")


def present_sheet(on: Subject) -> Sheet:
    """Present land use by class (土地利用现状图)."""
    title, uses = "土地利用现状图", ("landuse_patch", "village", "project_area")
    if not on.has("landuse_patch"):
        return Sheet("present", title, tuple(on.frame_lines()), uses, statement="未提供地类图斑,无法编制现状图")
    return Sheet("present", title, (use_layer(on.layers["landuse_patch"], "class_code", on.scheme), *on.frame_lines()), uses)


def three_lines_sheet(on: Subject) -> Sheet:
    """The three control lines over the patches (三区三线图)."""
    missing = [table_spec(k).zh for k in _LINES if not on.has(k)]
    drawn = [layer for k in _LINES for layer in on.plain(k)]
    remarks = (f"未提供:{'、'.join(missing)}。",) if missing else ()
    statement = "未提供三条控制线数据" if not drawn else ""
    return Sheet(
        "three_lines", "三区三线图", (*on.plain("landuse_patch"), *drawn, *on.frame_lines()), ("landuse_patch", *_LINES, "village", "project_area"),
        remarks, statement,
    )  # fmt: skip


def potential_sheet(on: Subject) -> Sheet:
    """What each patch could become; patches that only rules keep back are hatched (整治潜力分布图)."""
    title, base = "整治潜力分布图", on.plain("landuse_patch")
    if on.options is None or not on.has("landuse_patch"):
        return Sheet("potential", title, (*base, *on.frame_lines()), ("*",), statement="未进行潜力评价,无潜力数据")
    shown = _best_option(on.layers["landuse_patch"], on.options)
    remark = "同一图斑有多种可行措施时,按措施表次序表示首项;全部措施均受规则限制的图斑以斜线表示。"
    statement = "" if len(shown) else "评价未发现可实施整治措施的图斑"
    layer = MapLayer(shown, Classes("measure", symbols("measure")))
    return Sheet("potential", title, (*base, layer, *on.frame_lines()), ("*",), (remark,), statement)


def slope_sheet(on: Subject) -> Sheet | None:
    """Slope class of the patches, where the data carry it (坡度图)."""
    if not on.has("landuse_patch") or "slope_class" not in on.layers["landuse_patch"].columns:
        return None
    patches = on.layers["landuse_patch"]
    if patches["slope_class"].astype("string").fillna("").eq("").all():
        return None
    style = Classes("slope_class", symbols("slope"), other=symbol("layer", "landuse_patch", label="无坡度级别"))
    return Sheet("slope", "图斑坡度分级图", (MapLayer(patches, style), *on.frame_lines()), ("landuse_patch", "dem", "village", "project_area"))


def use_layer(frame: gpd.GeoDataFrame, column: str, scheme: str) -> MapLayer:
    """Patches drawn by a column of land classes (地类图层)."""
    codes = {str(c) for c in frame[column].dropna().unique()}
    return MapLayer(frame, Classes(column, class_symbols(codes, scheme=scheme)))


def _best_option(patches: gpd.GeoDataFrame, options: pd.DataFrame) -> gpd.GeoDataFrame:
    ranked = options.assign(
        blocked=options["blocked_by"].astype("string").fillna("").ne(""), rank=options["measure"].map({m: n for n, m in enumerate(measures())})
    )
    first = ranked.sort_values(["blocked", "rank"], kind="stable").drop_duplicates("patch_id")
    first = first.assign(measure=first["measure"].where(~first["blocked"], "blocked"))
    return patches[["patch_id", patches.geometry.name]].merge(first[["patch_id", "measure"]], on="patch_id")
