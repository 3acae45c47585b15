"""Survey results that a project holds, for its plan book: facts, layers and sheets (成果书专项调查材料)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.geo.crs import transform
from qianmo.geo.grid import Grid, polygonize
from qianmo.jobs.book.kept_charts import book_charts
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened
from qianmo.jobs.survey.erosion_samples import residual_discs
from qianmo.reports.change_sheet import change_sheet
from qianmo.reports.erosion_sheet import erosion_sheet
from qianmo.reports.goaf_sheet import goaf_sheet
from qianmo.reports.map_sheet import PAPERS
from qianmo.reports.marks import marked
from qianmo.reports.motion_sheet import motion_sheet, rate_bands
from qianmo.reports.patch_sheet import Cover
from qianmo.reports.subsidence_sheet import BREAKS_MM, damage_sheet, subsidence_sheet
from qianmo.schema.book import BookMap
from qianmo.schema.errors import CrsError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA
from qianmo.store.parquet import read_frame
from qianmo.store.read_cog import read_cog
from qianmo.survey.erosion.grade import interval_grade

__all__ = ["survey_maps", "survey_results"]

_MOVEMENT = ("subsidence", "tilt", "curvature", "horizontal_movement", "strain")
_EROSION_USES = ("dem", "landuse_patch", "rain_day", "soil", "soil_type", "village", "helmert")
_CHART_MM = (297.0, 145.0)
_NEAR = 0.1
"""Part of the extent of the project that sheets of larger rasters show around it."""


def survey_results(opened: Opened) -> dict[str, Any]:
    """Layers that are printed as tables, and what the lineage tells beside the tables; only what the project holds (专项调查资料)."""
    found: dict[str, Any] = {}
    for name in ("goaf_zone", "goaf_anomaly", "land_damage_patch"):
        if name in opened.datasets:
            found[name] = pd.DataFrame(_layer(opened, name).drop(columns="geometry"))
    for name, raster in (("erosion_facts", "soil_loss"), ("subsidence_facts", "subsidence"), ("motion_facts", "motion_rate"), ("change_facts", "change_strength")):
        if raster in opened.datasets:
            found[name] = dict(opened.datasets[raster].lineage.parameters) | {"vintage": opened.datasets[raster].vintage}
    if "subsidence_facts" in found:
        largest = {n: float(np.nanmax(np.abs(read_cog(_raster(opened, n)).values))) for n in _MOVEMENT if n in opened.datasets}
        basin = _layer(opened, "subsidence_basin") if "subsidence_basin" in opened.datasets else None
        edge = parameter("basin_edge_mm") if basin is None else float(basin["level_mm"].iloc[0])
        found["subsidence_facts"] |= {"largest": largest, "edge_mm": edge, "basin_ha": 0.0 if basin is None else float(basin.geometry.area.sum()) / M2_PER_HA}
        if found["subsidence_facts"].get("date") == "最终状态":
            found["subsidence_facts"]["date"] = ""
    if "goaf_zone" in found:
        shapes = _layer(opened, "goaf_zone").geometry
        covered = float(shapes.union_all().area)
        found["goaf_facts"] = {"covered_m2": covered, "overlap_m2": float(shapes.area.sum()) - covered}
    edge_mm = dict(found.get("motion_facts", {}).get("options", {})).get("edge")
    if edge_mm is not None:
        found["motion_facts"]["edge_mm"] = float(edge_mm)
    return found


def survey_maps(context: Context, opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    """Sheets and charts of the surveys that the project holds, in the order of the text (专项调查图件)."""
    return [*_erosion(opened, results, cover), *_mining(opened, results, cover), *_goaf(opened, results, cover), *_motion(context, opened, results, cover),
            *_change(context, opened, results, cover)]  # fmt: skip


def _erosion(opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    if "erosion_area" not in results or "erosion_grade" not in opened.datasets:
        return []
    facts = results["erosion_facts"]
    remarks = [f"按 SL 190-2007 水力侵蚀强度分级，{facts['region']}，容许土壤流失量 {facts['tolerance_t_km2']:g} t/(km²·a)。", "面蚀模型计算值，没有误差区间；不含沟蚀、崩岗与重力侵蚀。"]
    grids: list[tuple[str, str, Grid, tuple[str, ...]]] = [("erosion", "土壤侵蚀强度分级图", read_cog(_raster(opened, "erosion_grade")), _EROSION_USES)]
    if "erosion_change" in results and "soil_loss_after" in opened.datasets:
        loss = read_cog(_raster(opened, "soil_loss_after"))
        grade = np.zeros(loss.values.shape, np.uint8)
        grade[loss.valid] = interval_grade(100.0 * loss.values[loss.valid].astype(float), table="modulus", erosion="water", region=facts["region"])
        grids.append(("erosion_after", "方案后土壤侵蚀强度分级图", Grid(grade, loss.transform, loss.crs, 0), ("*",)))
    made = []
    for key, title, grid, uses in grids:
        told = _told(cover, title, uses, remarks)
        made.append(_map(key, title, erosion_sheet(polygonize(grid), opened.layers.get("village"), **told), told))
    if "erosion_sample" in results:
        discs = residual_discs(results["erosion_sample"], read_cog(_raster(opened, "soil_loss")))
        told = _told(cover, "土壤侵蚀采样点残差图", _EROSION_USES, [*remarks, "注记为点名与残差（模型减实测）。"])
        made.append(_map("erosion_sample", "土壤侵蚀采样点残差图", erosion_sheet(polygonize(grids[0][2]), opened.layers.get("village"), discs, **told), told))
    return made


def _mining(opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    if "subsidence_face" not in results or not {"subsidence", "working_face", "subsidence_basin"} <= set(opened.datasets):
        return []
    faces, edge, ground = _layer(opened, "working_face"), _layer(opened, "subsidence_basin"), read_cog(_raster(opened, "subsidence"))
    houses = opened.layers.get("building")
    day = str(results["subsidence_facts"].get("date") or "最终状态")
    remarks = [f"概率积分法预计，{day}，像元 {ground.transform.a:g} 米。", "模型计算值，以观测站实测为准。"]
    bands = np.where(ground.valid, np.digitize(np.nan_to_num(ground.values), BREAKS_MM), 0).astype(np.uint8)
    made = []
    if bands.any():
        told = _told(cover, "地表下沉预计图", ("working_face", "building"), remarks, vintage=day)
        made.append(_map("subsidence", "地表下沉预计图", subsidence_sheet(polygonize(Grid(bands, ground.transform, ground.crs, 0)), faces, edge, houses, **told), told))
    land = _layer(opened, "land_damage_patch") if "land_damage_patch" in opened.datasets else None
    sunk = None
    if houses is not None and "building_damage" in results:
        table = results["building_damage"].set_index("building_id").reindex(houses["building_id"].astype(str).to_numpy())
        here = (table["subsidence_mm"] >= parameter("basin_edge_mm")).to_numpy()
        sunk = houses[here].assign(grade=table["grade"].to_numpy()[here]) if here.any() else None
    if land is not None or sunk is not None:
        words = ["土地按图斑内最差处定级，房屋按角点与中心最差指标定级（砖混结构，长度不超过 20 米）。", *remarks]
        told = _told(cover, "土地与房屋损坏等级图", ("working_face", "building", "landuse_patch", "landuse_patch_columns"), words, vintage=day)
        made.append(_map("damage", "土地与房屋损坏等级图", damage_sheet(land, sunk, faces, edge, **told), told))
    return made + book_charts("subsidence_section", results.get("subsidence_section"), remarks[0], marked(cover.synthetic, ("working_face",)))


def _goaf(opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    made = []
    if "goaf_zone" in results:
        told = _told(cover, "采空区分区图", ("goaf_zone", "village"), ["注记为异常区编号与深度±中误差，没有深度的只注编号；未判定不等于稳定。", "物探异常须经钻探验证。"], vintage=opened.datasets["goaf_zone"].vintage)
        villages = opened.layers.get("village")
        made.append(_map("goaf", "采空区分区图", goaf_sheet(_layer(opened, "goaf_zone"), _layer(opened, "goaf_anomaly"), villages, **told), told))
    marks = marked(cover.synthetic, ("goaf_zone", "goaf_anomaly"))
    for k, line in enumerate(dict(results.get("goaf_section") or {}).get("lines", []), start=1):
        made.append(BookMap(f"goaf_section_{k:03d}", f"{line['line']}物探剖面图", base64.b64decode(line["png_base64"]), str(line["said"]), marks, _CHART_MM))
    return made


def _motion(context: Context, opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    if "motion" not in results or "motion_vertical" not in opened.datasets:
        return []
    told_of, crs = results["motion"], pyproj.CRS(opened.patches.crs)
    try:
        near = _cropped(read_cog(_raster(opened, "motion_vertical")), opened.patches)
        bands = None if near is None else rate_bands(near)
        if bands is None:
            context.note("整治区域内没有地表形变速率，未绘制速率图")
            return []
        bands = _moved(bands, crs)
        bowls = _moved(_layer(opened, "motion_basin"), crs) if "motion_basin" in opened.datasets else None
    except CrsError as error:
        context.note(f"速率图未绘制: {error.found}")
        return []
    edge = results["motion_facts"].get("edge_mm")
    if bowls is not None:
        bowls = bowls[(bowls["day"] == told_of["last"]) & ((bowls["edge_mm"] == edge) if edge is not None else True) & bowls.intersects(_frame(opened.patches))]
    how = "升降轨二维分解" if told_of["is_two_tracks"] else "单轨换算，假定无水平移动"
    remarks = [f"垂直向速率，{how}；中误差中位数 {told_of['sigma_median_mm_yr']:.1f} mm/年。", f"{told_of['first']} 至 {told_of['last']}，{told_of['pairs']} 个干涉对；空白处没有数据。"]
    told = _told(cover, "地表形变速率图", ("motion_vertical", "village"), remarks, vintage=str(told_of["last"]))
    chart = book_charts("motion_section", results.get("motion_section"), remarks[1], marked(cover.synthetic, ("motion_vertical",)))
    return [_map("motion", "地表形变速率图", motion_sheet(bands, bowls, opened.layers.get("village"), **told), told), *chart]


def _change(context: Context, opened: Opened, results: Mapping[str, Any], cover: Cover) -> list[BookMap]:
    if "change" not in results or "change_patch" not in opened.datasets:
        return []
    crs = pyproj.CRS(opened.patches.crs)
    try:
        patches = _moved(_layer(opened, "change_patch"), crs)
        lit = _moved(_layer(opened, "change_parcel"), crs) if "change_parcel" in opened.datasets else None
    except CrsError as error:
        context.note(f"变化图斑图未绘制: {error.found}")
        return []
    patches = patches[patches.intersects(_frame(opened.patches))]
    if not len(patches):
        return []
    found = results["change"]
    remarks = [f"方法 {found['method']}，阈值 {found['threshold']:.2f}。", "红绿灯为线索，须现场核实。"]
    told = _told(cover, "变化图斑与红绿灯图", ("landuse_patch", "landuse_patch_columns"), remarks, vintage=str(results["change_facts"].get("vintage") or "未注明"))
    return [_map("change", "变化图斑与红绿灯图", change_sheet(patches, lit, **told), told)]


def _told(cover: Cover, title: str, uses: Sequence[str], remarks: Sequence[str], *, vintage: str = "") -> dict[str, Any]:
    """What stands around the map of a sheet."""
    return {"title": f"{cover.project_name}　{title}", "crs_text": cover.crs_text, "date": cover.date, "vintage": vintage or cover.vintage, "office": cover.office,
            "synthetic": marked(cover.synthetic, uses), "remarks": list(remarks)}  # fmt: skip


def _map(key: str, title: str, png: bytes, told: Mapping[str, Any]) -> BookMap:
    return BookMap(key, title, png, " ".join(told["remarks"]), tuple(told["synthetic"]), (PAPERS["A3"].width, PAPERS["A3"].height))


def _layer(opened: Opened, name: str) -> gpd.GeoDataFrame:
    frame = read_frame(opened.project.state / "layers" / f"{name}.parquet")
    assert isinstance(frame, gpd.GeoDataFrame)
    return frame


def _raster(opened: Opened, name: str) -> Any:
    return opened.project.state / "rasters" / f"{name}.tif"


def _moved(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """The layer in the system of the project."""
    if pyproj.CRS(frame.crs) == crs:
        return frame
    return gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=transform(frame.geometry.to_numpy(), pyproj.CRS(frame.crs), crs), crs=crs)


def _frame(patches: gpd.GeoDataFrame) -> shapely.Polygon:
    """Rectangle around the project with a margin. [m]"""
    west, south, east, north = patches.total_bounds
    return shapely.box(west, south, east, north).buffer(_NEAR * max(east - west, north - south), join_style="mitre")


def _cropped(grid: Grid, patches: gpd.GeoDataFrame) -> Grid | None:
    """The part of a raster around the project; None where they do not meet."""
    west, south, east, north = transform(np.array([_frame(patches)]), pyproj.CRS(patches.crs), grid.crs)[0].bounds
    t, (rows, columns) = grid.transform, grid.values.shape
    top, bottom = max(0, int(np.floor((north - t.f) / t.e))), min(rows, int(np.ceil((south - t.f) / t.e)))
    left, right = max(0, int(np.floor((west - t.c) / t.a))), min(columns, int(np.ceil((east - t.c) / t.a)))
    if top >= bottom or left >= right:
        return None
    return Grid(grid.values[top:bottom, left:right], t * t.translation(left, top), grid.crs, grid.nodata)
