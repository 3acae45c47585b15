"""Sheets of the plan: zones, sub-projects, basic farmland, target use, tenure, sequence (规划类图件)."""

from __future__ import annotations

import geopandas as gpd

from qianmo.reports.map_source_sheets import use_layer
from qianmo.reports.map_style import Classes, MapLayer, sequence_symbols, symbol, symbols
from qianmo.reports.map_subject import Sheet, Subject
from qianmo.schema.codes import domain_codes
from qianmo.schema.measures import KEEP

__all__ = ["basic_farmland_sheet", "sequence_sheet", "subproject_sheet", "target_sheet", "tenure_sheet", "zoning_sheet"]

_NO_PLAN = "尚未编制规划方案"
_MOST_OWNERS = 24


def zoning_sheet(on: Subject) -> Sheet:
    """Villages by the class of works that leads in them, and the works (整治分区与布局图)."""
    title = "整治分区与布局图"
    if on.plan is None:
        return _without_plan(on, "zoning", title)
    works = _works(on.plan)
    zones = _zones(on, works)
    lead = [MapLayer(zones, Classes("zone", symbols("zone")))] if zones is not None else []
    layer = MapLayer(works, Classes("project_class", symbols("project_class")))
    remark = "整治分区以行政村为单元,按村内整治面积最大的工程类别确定。" if lead else "缺少行政村界或村代码,未划分整治分区。"
    return Sheet("zoning", title, (*lead, layer, *on.frame_lines()), ("*",), (remark,), "" if len(works) else "本方案未安排整治工程")


def subproject_sheet(on: Subject) -> Sheet:
    """Parcels of the sub-projects by class, numbered at the largest parcel (子项目分布图)."""
    title = "子项目分布图"
    if on.plan is None or "subproject_id" not in on.plan.columns:
        return _without_plan(on, "subproject", title)
    works = _works(on.plan)
    works = works[works["subproject_id"].astype("string").fillna("").ne("")]
    largest = works.loc[works.groupby("subproject_id")["area_m2"].idxmax()]
    layer = MapLayer(works, Classes("project_class", symbols("project_class")))
    tags = MapLayer(largest, Classes("project_class", symbols("project_class")), labels="subproject_id", label_pt=6.5)
    lines = [*on.plain("landuse_patch"), layer, *on.plain("village"), *on.plain("project_area"), tags]
    remark = "子项目编号注于该子项目面积最大的地块上。"
    return Sheet("subproject", title, tuple(lines), ("*",), (remark,), "" if len(works) else "本方案未划分子项目")


def basic_farmland_sheet(on: Subject) -> Sheet:
    """Permanent basic farmland moved out and in, or the words that none is (永久基本农田调出调入图)."""
    moved = [layer for k in ("basic_farmland_out", "basic_farmland_in") for layer in on.plain(k)]
    statement = ""
    if not moved:
        statement = "本方案不涉及永久基本农田布局调整" if on.swaps_basic_farmland is False else "未提供永久基本农田布局调整数据"
    remarks = () if on.has("basic_farmland") else ("未提供永久基本农田图斑。",)
    lines = (*on.plain("landuse_patch"), *on.plain("basic_farmland"), *moved, *on.frame_lines())
    return Sheet("basic_farmland", "永久基本农田调出调入图", lines, ("*",), remarks, statement)


def target_sheet(on: Subject) -> Sheet:
    """Land use after the works (土地利用规划图)."""
    title = "土地整治规划图"
    if on.plan is None:
        return _without_plan(on, "target", title)
    remark = "本图表示整治后地类;未安排整治的图斑维持现状地类。"
    return Sheet("target", title, (use_layer(on.plan, "target_class", on.scheme), *on.frame_lines()), ("*",), (remark,))


def tenure_sheet(on: Subject) -> Sheet:
    """Owners of the patches, else the kind of tenure, else the words that the data hold none (权属调整图)."""
    title, patches = "土地权属调整图", on.layers.get("landuse_patch")
    column = "" if patches is None else _tenure_column(patches)
    if patches is None or not column:
        base = (*on.plain("landuse_patch"), *on.frame_lines())
        return Sheet("tenure", title, base, ("landuse_patch", "village", "project_area"), statement="数据不含权属信息,未编制权属调整内容")
    values = sorted(str(v) for v in patches[column].dropna().unique() if str(v))
    named = sequence_symbols(values, group="tenure")
    if column == "tenure_code":
        kinds = domain_codes("QSXZ")
        named = {v: type(s)(f"{kinds.get(v, '未定义')}({v})", s.fill, s.hatch, s.edge, s.width_pt) for v, s in named.items()}
    style = Classes(column, named, other=symbol("layer", "landuse_patch", label="权属未注明"))
    works = [] if on.plan is None else [MapLayer(_works(on.plan), symbol("layer", "works_outline"))]
    remark = "本图表示整治前权属现状与拟整治地块;权属调整协议签订后更新。"
    return Sheet("tenure", title, (MapLayer(patches, style), *works, *on.frame_lines()), ("*",), (remark,))


def sequence_sheet(on: Subject) -> Sheet:
    """Works by year (实施时序图)."""
    title = "实施时序图"
    if on.plan is None or "year" not in on.plan.columns:
        return _without_plan(on, "sequence", title)
    works = _works(on.plan).dropna(subset="year")
    works = works[works["year"].astype(int) > 0]
    named = works.assign(year_text=works["year"].astype(int).astype(str) + "年完工")
    style = Classes("year_text", sequence_symbols(sorted(named["year_text"].unique())))
    lines = (*on.plain("landuse_patch"), MapLayer(named, style), *on.frame_lines())
    return Sheet("sequence", title, lines, ("*",), (), "" if len(works) else "未排定实施年度")


def _without_plan(on: Subject, key: str, title: str) -> Sheet:
    return Sheet(key, title, (*on.plain("landuse_patch"), *on.frame_lines()), ("*",), statement=_NO_PLAN)


def _works(plan: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return plan[plan["measure"] != KEEP]


def _zones(on: Subject, works: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    if not on.has("village") or "village_code" not in works.columns:
        return None
    villages = on.layers["village"]
    sums = works.groupby(["village_code", "project_class"])["area_m2"].sum().reset_index()
    lead = sums.sort_values(["area_m2", "project_class"]).drop_duplicates("village_code", keep="last").set_index("village_code")["project_class"]
    return villages.assign(zone=villages["village_code"].map(lead).fillna("none"))


def _tenure_column(patches: gpd.GeoDataFrame) -> str:
    for column in ("owner_name", "tenure_code"):
        if column in patches.columns:
            values = {str(v) for v in patches[column].dropna().unique()} - {""}
            if values and (column == "tenure_code" or len(values) <= _MOST_OWNERS):
                return column
    return ""
