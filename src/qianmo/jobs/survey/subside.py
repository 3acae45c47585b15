"""Mining subsidence over working faces: maps of movement, damage, fit to levelling (开采沉陷预计)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo import __version__
from qianmo.geo.grid import Grid, polygonize
from qianmo.jobs.book.kept_charts import kept_charts
from qianmo.jobs.context import Context
from qianmo.jobs.given import (
    crs_of_project,
    dataset_of,
    given_from_file,
    given_from_project,
    in_one_crs,
    parameter_overrides,
)
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.subside_damage import building_damage, damaged_patches, land_damage
from qianmo.jobs.survey.subside_fit import Fitted, fitted
from qianmo.jobs.survey.subside_free import asked_of
from qianmo.jobs.survey.subside_input import faces_from, observations_from, sightings_from
from qianmo.jobs.survey.subside_state import advance_from, state_of
from qianmo.reports.subsidence_sheet import BREAKS_MM, damage_sheet, profile_chart, subsidence_sheet, trade_off_chart
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA
from qianmo.store.durable import replace_bytes
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.stage import read_catalog
from qianmo.survey.subsidence.basin_edge import edge_polygon
from qianmo.survey.subsidence.face import Face, acting_polygon, dip_direction, radius_m
from qianmo.survey.subsidence.predict import Movement, predict, principal

__all__ = ["SPECS", "run"]

_REACH = 1.6
"""Radii around the acting area that the maps cover: less than a thousandth of the largest subsidence lies outside."""

_MAPS = {
    "subsidence": "下沉 mm", "tilt": "最大倾斜 mm/m", "curvature": "主曲率 (绝对值最大) 1e-3/m", "horizontal_movement": "水平移动 mm",
    "strain": "主水平变形 (绝对值最大) mm/m",
}  # fmt: skip


@dataclass(frozen=True)
class _Field:
    """Movement on the cell centres of a north-up grid."""

    transform: affine.Affine
    crs: pyproj.CRS
    x: np.ndarray
    y: np.ndarray
    maps: Mapping[str, np.ndarray]


_CHARTS = ("主断面下沉曲线图", "参数权衡曲线图")
"""Sheets that are charts: the project keeps them for its plan book."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Predict, or fit and predict; keep rasters, basin, damage tables, map sheet and charts."""
    context.step("读取工作面", 0.0)
    folder = Path(values["project"])
    project = open_project(folder) if (folder / "current").is_file() else None
    told = project.settings if project else {}
    overrides = parameter_overrides(values["set"], told, prefix="pim_")
    given = given_from_file(values["faces"], "working_face") if values["faces"] else given_from_project(project, "working_face") if project else None
    if given is None or not isinstance(given.frame, gpd.GeoDataFrame):
        raise MissingDataError("没有工作面", expected="--faces 文件, 或项目中的 working_face 图层", cure="按 how-to/subside 准备工作面图层")
    given = in_one_crs({"faces": given}, crs_of_project(project))["faces"]
    drawn = given.frame
    faces, borrowed = faces_from(drawn, source=given.source, overrides=overrides)
    fit = None
    sources = {n: read(values[o]) for n, o, read in (("levelling", "observations", observations_from), ("insar", "insar", sightings_from)) if values[o]}
    if sources:
        context.step("参数反演", 0.1)
        fit = fitted(faces, sources, asked_of(values["fit"]))
        faces = fit.faces
    elif values["fit"]:
        raise SchemaError("给了 --fit 而没有观测", expected="--observations 或 --insar", cure="加上观测文件, 或去掉 --fit")
    faces, shares, day = state_of(faces, drawn, day_text=values["date"], advance=advance_from(values["advance"]) if values["advance"] else None,
                                  overrides=overrides, source=given.source)  # fmt: skip
    context.step("移动变形预计", 0.35)
    field = _field(faces, shares, pyproj.CRS(drawn.crs), float(values["cell"] or parameter("pim_cell_m", overrides)), parameter("pim_cells_max", overrides))
    edge_mm = parameter("basin_edge_mm")
    basin = edge_polygon(field.maps["subsidence"], field.x, field.y, level_mm=edge_mm)
    context.step("损坏等级", 0.6)
    tables, layers = _damage(project, faces, shares, field)
    tables["subsidence_face"] = _face_table(faces, shares)
    if fit is not None:
        tables |= fit.tables
    context.step("制图", 0.7)
    synthetic = given.synthetic
    invented = (*(("工作面（合成）",) if synthetic else ()), *_invented(project))
    sheets = _sheets(context, told, _placed(drawn, fit), faces, shares, field, basin, fit, layers | {"graded": _graded(layers, tables)}, invented, day)
    context.step("保存", 0.9)
    facts = {"cell_m": float(field.transform.a), "defaults": borrowed, "date": day or "最终状态", **({"fit": fit.inversion.parameters} if fit else {})}
    text = '[project]\nname = "开采沉陷预计"\n[parameters]\n[plan]\n[documents]\n[office]\n'
    with change(folder, what="开采沉陷预计", user=context.user, now=context.clock(), settings_text=text) as stage:
        stage.put_layer(drawn, dataset_of("working_face", given, drawn, context, zh="工作面", job="subside", facts={}))
        outline = gpd.GeoDataFrame({"level_mm": [edge_mm], "area_m2": [basin.area]}, geometry=[basin], crs=drawn.crs)
        if not basin.is_empty:
            stage.put_layer(outline, dataset_of("subsidence_basin", "other_layer", outline, context, zh="下沉盆地", job="subside", facts=facts, synthetic=synthetic))
        else:
            stage.remove("subsidence_basin")
        if len(land := layers.get("land_damage_patch", drawn[:0])):
            stage.put_layer(land, dataset_of("land_damage_patch", "other_layer", land, context, zh="损毁图斑", job="subside", facts=facts, synthetic=synthetic))
        elif "land_damage_patch" in stage.datasets:
            stage.remove("land_damage_patch")
        for name, zh in _MAPS.items():
            grid = Grid(field.maps[name].astype(np.float32), field.transform, field.crs, None)
            stage.put_grid(grid, _raster(context, name, zh, grid, facts, given.source, given.sha256, synthetic))
        stage.remove_tables(("building_damage", "land_damage", "subsidence_fit", "subsidence_trade_off", "subsidence_fit_source"))
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_json("subsidence_section", {"charts": kept_charts([s for s in sheets if s[0] in _CHARTS])})
    out = Path(values["out"]) if values["out"] else folder / "subsidence"
    for name, data in sheets:
        replace_bytes(out / f"{name}.png", data)
    figures = _figures(field, basin, tables, fit, day)
    if borrowed:
        context.note("采用缺省参数的列 (工作面个数): " + ", ".join(f"{k} {n}" for k, n in borrowed.items()) + "; 来源见 parameters.csv 的 pim_*")
    return JobReport(tuple(_lines(figures, tables, fit, edge_mm)), tuple((str(out / f"{n}.png"), n) for n, _ in sheets), figures)


def _placed(drawn: gpd.GeoDataFrame, fit: Fitted | None) -> gpd.GeoDataFrame:
    """The faces where the fit has put them, for the sheets; the layer keeps them as drawn."""
    return drawn if fit is None else drawn.set_geometry(gpd.GeoSeries([f.polygon for f in fit.faces], index=drawn.index, crs=drawn.crs))


def _field(faces: Sequence[Face], shares: np.ndarray | None, crs: pyproj.CRS, cell: float, most: float) -> _Field:
    rings = [shapely.Polygon(acting_polygon(f)).buffer(_REACH * radius_m(f)) for f in faces]
    west, south, east, north = shapely.union_all(rings).bounds
    west, south = (float(np.floor(v / cell) * cell) for v in (west, south))
    columns, rows = (int(np.ceil((b - a) / cell)) for a, b in ((west, east), (south, north)))
    if not cell > 0 or columns * rows > most:
        raise SchemaError(f"格网 {columns} × {rows}, 像元 {cell:g} m", expected=f"不超过 {most:.0f} 个像元 (pim_cells_max)", cure="加大 --cell")
    x, y = west + (np.arange(columns) + 0.5) * cell, south + rows * cell - (np.arange(rows) + 0.5) * cell
    moved = predict(np.column_stack([v.ravel() for v in np.meshgrid(x, y)]), faces, shares=None if shares is None else shares.tolist())
    maps = {name: v.reshape(rows, columns) for name, v in zip(_MAPS, _measures(moved))}
    return _Field(affine.Affine(cell, 0, west, 0, -cell, south + rows * cell), crs, x, y, maps)


def _measures(moved: Movement) -> tuple[np.ndarray, ...]:
    """The five maps: subsidence, largest tilt, curvature, horizontal movement, strain of n points."""
    return (moved.subsidence_mm, np.hypot(*moved.tilt_mm_m.T), _largest(moved.curvature_e3_m), np.hypot(*moved.horizontal_mm.T), _largest(moved.strain_mm_m))


def _largest(tensor: np.ndarray) -> np.ndarray:
    high, low = principal(tensor)
    return np.where(np.abs(high) >= np.abs(low), high, low)


def _damage(project: Project | None, faces: Sequence[Face], shares: np.ndarray | None, field: _Field) -> tuple[dict[str, pd.DataFrame], dict[str, gpd.GeoDataFrame]]:
    tables: dict[str, pd.DataFrame] = {}
    layers: dict[str, gpd.GeoDataFrame] = {}
    if project is None:
        return tables, layers
    catalog = read_catalog(project.state)
    if "building" in catalog:
        layers["building"] = read_frame(project.state / "layers" / "building.parquet")
        tables["building_damage"] = building_damage(
            layers["building"], lambda xy: _measures(predict(xy, faces, shares=None if shares is None else shares.tolist()))
        )
    if "landuse_patch" in catalog:
        patches = read_frame(project.state / "layers" / "landuse_patch.parquet")
        tables["land_damage"] = land_damage(patches, catalog["landuse_patch"].class_scheme, field.maps, field.transform)
        layers["land_damage_patch"] = damaged_patches(patches, catalog["landuse_patch"].class_scheme, field.maps, field.transform)
    return tables, layers


def _graded(layers: Mapping[str, gpd.GeoDataFrame], tables: Mapping[str, pd.DataFrame]) -> gpd.GeoDataFrame | None:
    """Buildings that sink by 10 mm or more with their grade; None where there is none."""
    if "building" not in layers:
        return None
    table = tables["building_damage"]
    sunk = (table["subsidence_mm"] >= 10.0).to_numpy()
    return layers["building"][sunk].assign(grade=table["grade"].to_numpy()[sunk]) if sunk.any() else None


def _invented(project: Project | None) -> tuple[str, ...]:
    """Labels of invented layers that the sheet shows beside the faces."""
    found = read_catalog(project.state) if project else {}
    return tuple(f"{d.zh}（合成）" for d in found.values() if d.name == "building" and d.synthetic)


def _face_table(faces: Sequence[Face], shares: np.ndarray | None) -> pd.DataFrame:
    rows = [
        (f.name, f.depth_m, f.thickness_m, f.dip_deg, f.parameters.q, f.parameters.tan_beta, f.parameters.b, f.parameters.propagation, radius_m(f),
         1000 * f.thickness_m * f.parameters.q * float(np.cos(np.radians(f.dip_deg))), 1.0 if shares is None else float(shares[k]))
        for k, f in enumerate(faces)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["face_name", "depth_m", "thickness_m", "dip_deg", "q", "tan_beta", "b", "k", "radius_m", "largest_mm", "share"])


def _raster(context: Context, name: str, zh: str, grid: Grid, facts: Mapping[str, Any], source: str, sha: str, synthetic: bool) -> Dataset:
    lineage = Lineage(source, sha, f"qianmo {__version__} subside", context.clock().isoformat(timespec="seconds"), context.user, dict(facts))
    return Dataset(name, "raster", zh, f"EPSG:{grid.crs.to_epsg()}", "", "", synthetic, grid.values.size, lineage)


def _sheets(
    context: Context, told: Mapping[str, Any], drawn: gpd.GeoDataFrame, faces: Sequence[Face], shares: np.ndarray | None, field: _Field,
    basin: shapely.MultiPolygon, fit: Fitted | None, layers: Mapping[str, gpd.GeoDataFrame | None], invented: Sequence[str], day: str,
) -> list[tuple[str, bytes]]:  # fmt: skip
    project = dict(told.get("project", {}))
    state = f"{day} 状态 (Knothe)" if day else "最终状态"
    made = []
    if not basin.is_empty:
        band = np.digitize(field.maps["subsidence"], BREAKS_MM).astype(np.uint8)
        bands = polygonize(Grid(band, field.transform, field.crs, 0))
        edge = gpd.GeoDataFrame(geometry=[basin], crs=drawn.crs)
        remarks = [f"概率积分法预计,{state},像元 {field.transform.a:g} 米。", "地表移动变形为模型计算值,以观测站实测为准。"]
        sheet = subsidence_sheet(
            bands, drawn, edge, layers.get("building"), title=f"{project.get('name', '')}　地表下沉预计图".strip("　"), crs_text=pyproj.CRS(drawn.crs).name,
            date=f"{context.clock():%Y年%m月%d日}", vintage=day or "最终状态", office=str(dict(told.get("office", {})).get("name", "")),
            synthetic=invented, remarks=remarks,
        )  # fmt: skip
        made.append(("地表下沉预计图", sheet))
        land, houses = layers.get("land_damage_patch"), layers["graded"]
        if (land is not None and len(land)) or houses is not None:
            words = ["土地按图斑内最差处定级, 房屋按角点与中心最差指标定级 (砖混结构, 长度不超过 20 米)。", *remarks]
            made.append(("损坏等级图", damage_sheet(
                land, houses, drawn, edge, title=f"{project.get('name', '')}　土地与房屋损坏等级图".strip("　"), crs_text=pyproj.CRS(drawn.crs).name,
                date=f"{context.clock():%Y年%m月%d日}", vintage=day or "最终状态", office=str(dict(told.get("office", {})).get("name", "")), synthetic=invented, remarks=words,
            )))  # fmt: skip
    made.append((_CHARTS[0], _profile(faces, shares, field, fit, state)))
    if fit is not None:
        made.append((_CHARTS[1], trade_off_chart(fit.curves, title="参数权衡曲线图", note="固定一个参数，其余参数重新拟合；蓝带为残差增加不超过一倍中误差的取值；三倍最小残差以上不绘")))
    return made


def _profile(faces: Sequence[Face], shares: np.ndarray | None, field: _Field, fit: Fitted | None, state: str) -> bytes:
    """The section down the dip through the deepest point, or along the measured points."""
    if fit is None or not _on_a_line(fit.levelled.points_m):
        row, column = np.unravel_index(field.maps["subsidence"].argmax(), field.maps["subsidence"].shape)
        centre, along = np.array([field.x[column], field.y[row]]), dip_direction(faces[0])
        reach = max(np.ptp(field.x), np.ptp(field.y)) / 2
        at = np.linspace(-reach, reach, 400)
        w = predict(centre + at[:, None] * along, faces, shares=None if shares is None else shares.tolist()).subsidence_mm
        return profile_chart({f"预计下沉，{state}": (at, w)}, None, title="主断面下沉曲线图", note="过最大下沉点，沿第一个工作面的倾向；距离以最大下沉点为零，顺倾向为正")
    seen = fit.levelled
    centre = seen.points_m.mean(axis=0)
    along = np.linalg.svd(seen.points_m - centre)[2][0]
    at = (seen.points_m - centre) @ along
    order = np.argsort(at)
    lines = {label: (at[order], predict(seen.points_m, f).subsidence_mm[order]) for label, f in (("反演参数", fit.faces), ("给定参数", fit.start))}
    return profile_chart(lines, (at, seen.value_mm, seen.sigma_mm), title="下沉实测与拟合曲线图", note=f"测点沿其主方向排列；全部观测均方根残差 {fit.inversion.rms_mm:.1f} 毫米")


def _on_a_line(points_m: np.ndarray) -> bool:
    """Points that can be drawn as one profile: their spread across is under a tenth of that along."""
    if len(points_m) < 3:
        return False
    along, across = np.linalg.svd(points_m - points_m.mean(axis=0), compute_uv=False)
    return bool(across < 0.1 * along)


def _figures(field: _Field, basin: shapely.MultiPolygon, tables: Mapping[str, pd.DataFrame], fit: Fitted | None, day: str) -> dict[str, Any]:
    found = {
        "date": day, "cells": int(field.maps["subsidence"].size), "basin_ha": basin.area / M2_PER_HA,
        **{f"{n}_largest": float(np.abs(v).max()) for n, v in field.maps.items()},
    }  # fmt: skip
    if "building_damage" in tables:
        found["buildings_by_grade"] = {str(k): int(v) for k, v in tables["building_damage"]["grade_zh"].value_counts().items()}
    if fit is not None:
        found |= {"fit": fit.inversion.parameters, "fit_rms_mm": fit.inversion.rms_mm}
    return found


def _lines(f: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], fit: Fitted | None, edge_mm: float) -> list[str]:
    lines = [
        f"最大下沉 {f['subsidence_largest']:.0f} mm, 倾斜 {f['tilt_largest']:.2f} mm/m, 曲率 {f['curvature_largest']:.3f} ×10⁻³/m, "
        f"水平移动 {f['horizontal_movement_largest']:.0f} mm, 水平变形 {f['strain_largest']:.2f} mm/m",
        f"下沉 {edge_mm:g} mm 边界内 {f['basin_ha']:.2f} 公顷" + (f" ({f['date']})" if f["date"] else " (最终状态)"),
    ]
    if fit is not None:
        lines += [f"反演 {r.parameter}: {r.value:.4f} ± {r.sigma:.4f}; 可接受 {r.low:.3f} 至 {r.high:.3f}" for r in fit.tables["subsidence_fit"].itertuples()]
        lines += [f"  均方根残差 {fit.inversion.rms_mm:.2f} mm" + (f"; {fit.remark}" if fit.remark else "")]
        lines += [f"  {r.zh} {r.count} 个: 单独反演残差 {r.rms_alone_mm:.1f} mm, 联合 {r.rms_joint_mm:.1f} mm" for r in fit.tables["subsidence_fit_source"].itertuples()]
    if "building_damage" in tables:
        lines.append("房屋损坏: " + "、".join(f"{k} 级 {n} 栋" for k, n in f["buildings_by_grade"].items()))
    if "land_damage" in tables:
        lines += [f"  {r.use} {r.grade_zh}: {r.area_ha:.2f} 公顷" for r in tables["land_damage"].itertuples()]
    return lines


SPECS = (
    JobSpec(
        "subside", "开采沉陷预计", "mining subsidence over working faces: maps, damage grades, fit to levelling",
        (
            JobOption("project", "path", "项目文件夹 (可新建)", "project folder, new or old", required=True),
            JobOption("faces", "path", "工作面图层", "layer of working faces, the project's by default"),
            JobOption("observations", "path", "水准观测 CSV: x,y,subsidence_mm,sigma_mm", "levelling to which q, tan beta and b are fitted"),
            JobOption("insar", "path", "InSAR 视线向 CSV: x,y,los_mm,sigma_mm,incidence_deg,heading_deg", "InSAR lines of sight to which the rock is fitted, with levelling or alone"),
            JobOption("advance", "path", "推进表 CSV: face_name,day,position_m,azimuth_deg", "positions of advancing faces, cut into strips for the state of a day"),
            JobOption("fit", "texts", "另反演的参数: offsets (s1-s4 拐点偏移距), place (east, north 工作面平移), dip; 可带范围 s1=-50:100 或固定值 q=0.7",
                      "more to fit: offsets (s1-s4), place (east, north), dip; with bounds s1=-50:100, or held q=0.7"),
            JobOption("date", "text", "动态预计日期, 如 2026-06-30", "day of the dynamic state, the end by default"),
            JobOption("cell", "number", "像元边长 (米)", "cell of the maps in metres"),
            JobOption("set", "texts", "参数, 如 pim_q=0.7", "parameter of the prediction, name=value"),
            JobOption("out", "path", "图件输出文件夹", "folder for map sheet and charts, the project's subsidence/ by default"),
        ),
        run,
    ),
)  # fmt: skip
