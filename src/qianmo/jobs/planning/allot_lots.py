"""Design fields, give every owner lots of exact value, keep layers, books, certificate and map (田块设计与分地)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.jobs.context import Context
from qianmo.jobs.given import (
    Given,
    crs_of_project,
    dataset_of,
    given_from_file,
    given_from_project,
    in_one_crs,
    parameter_overrides,
)
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.allotment.allot import AllotmentResult, allot
from qianmo.planning.allotment.blocks import surfaces
from qianmo.planning.allotment.checks import check_lines
from qianmo.planning.allotment.fields import FieldDesign, design_fields
from qianmo.planning.allotment.settings import AllotmentSettings, allotment_settings
from qianmo.reports.map_tenure_sheets import allotment_sheet
from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.schema.tables import table_spec
from qianmo.schema.units import m2_to_mu
from qianmo.store.durable import replace_bytes
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.stage import read_catalog
from qianmo.village.allotment import make_allotment

__all__ = ["SPECS", "run"]

_TABLES = {"area": "project_area", "blocks": "allotment_block", "lines": "allotment_line", "zones": "value_zone", "owners": "allotment_owner"}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the inputs, design fields where only an area is given, allot, audit, save; nothing is written when anything fails."""
    context.step("读取输入", 0.0)
    folder = Path(values["project"])
    is_old = (folder / "current").is_file()
    project = open_project(folder) if is_old else None
    told = project.settings if project else {}
    settings = allotment_settings(parameter_overrides(values["set"], told, prefix="allot_"), deduction_share=values["deduction"], cut=values["cut"])
    given = _given(values, project)
    context.step("田块设计", 0.15)
    given, design = _with_blocks(given, settings, values)
    context.step("归户与分地", 0.3)
    frames = {name: g.frame for name, g in given.items()}
    laid = _laid_before(given["blocks"], project, design)
    frames["lines"] = _with_tracks(frames["lines"], laid)
    result = allot(frames["blocks"], frames["owners"], frames["lines"], frames["zones"], settings=settings)
    failed = [c for c in result.certificate["checks"] if not c["ok"]]
    if failed:
        raise SchemaError(f"分地核验未通过: {failed[:3]}", expected="独立核验全部一致", cure="请保留输入并反馈")
    context.step("绘制分地图", 0.8)
    synthetic = any(g.synthetic for g in given.values())
    sheet = _sheet(result, given["lines"].frame, laid, context, told, synthetic)
    context.step("保存成果", 0.9)
    text = '[project]\nname = "分地项目"\n[parameters]\n[plan]\n[documents]\n[office]\n'
    with change(folder, what="田块设计与分地", user=context.user, now=context.clock(), settings_text=text) as stage:
        for name, g in given.items():
            if isinstance(g.frame, gpd.GeoDataFrame) and name != "blocks":
                stage.put_layer(g.frame, dataset_of(g.table, g, g.frame, context, zh=table_spec(g.table).zh, job="allot", facts={}))
        facts = {"gap_rel": result.certificate["gap_rel"], "inputs_sha256": result.certificate["inputs_sha256"]}
        for table, frame in (("allotment_block", result.blocks), ("lot", result.lots)):
            stage.put_layer(frame, dataset_of(table, table, frame, context, zh=table_spec(table).zh, job="allot", facts=facts, synthetic=synthetic))
        tracks = _tracks(result, laid)
        if len(tracks):
            stage.put_layer(tracks, dataset_of("allotment_track", "other_layer", tracks, context, zh="新增田间路", job="allot", facts=facts, synthetic=synthetic))
        else:
            stage.remove("allotment_track")
        stage.put_table("allotment_owner", pd.DataFrame(frames["owners"]).drop(columns="geometry", errors="ignore"))
        stage.put_table("allotment_ledger", result.ledger)
        stage.put_json("allotment_certificate", result.certificate)
    out = Path(values["out"]) if values["out"] else folder / "allot"
    replace_bytes(out / "田块设计与分地图.png", sheet)
    return _report(result, folder, out)


def _given(values: Mapping[str, Any], project: Project | None) -> dict[str, Given]:
    if values["example"]:
        made = make_allotment(rng=np.random.default_rng(20260101))
        frames = {"area": made.area, "lines": made.allotment_line, "zones": made.value_zone, "owners": made.allotment_owner}
        made_up = {k: Given(_TABLES[k], f, "按规则生成 (qianmo.village.allotment)", "", True) for k, f in frames.items()}
        return _refuse_real(made_up, project)
    found = {name: given_from_file(values[name], table) for name, table in _TABLES.items() if values[name]}
    for name, table in _TABLES.items():
        kept = given_from_project(project, table) if project and name not in found and not (name == "blocks" and "area" in found) else None
        if kept is not None:
            found[name] = kept
    if "owners" in found:
        found["owners"] = _by_owner(found["owners"])
    if "zones" not in found and values["unit_value"] is not None and ("blocks" in found or "area" in found):
        base = found["blocks"] if "blocks" in found else found["area"]
        whole = gpd.GeoDataFrame({"zone_id": ["1"], "unit_value_yuan_m2": [float(values["unit_value"])]},
                                 geometry=[shapely.box(*base.frame.total_bounds).buffer(10, join_style="mitre")], crs=base.frame.crs)  # fmt: skip
        found["zones"] = Given("value_zone", whole, "--unit-value", "")
    missing = [f"--{n} ({table_spec(_TABLES[n]).zh})" for n in ("lines", "zones", "owners") if n not in found]
    if "blocks" not in found and "area" not in found:
        missing.append("--blocks 或 --area")
    if missing:
        raise MissingDataError(f"分地缺少 {', '.join(missing)}", expected="文件或项目中的同名图层", cure="补充文件; 没有价值分区时可用 --unit-value; 或用 --example 试用虚拟数据")
    return in_one_crs(found, crs_of_project(project))


def _refuse_real(made_up: dict[str, Given], project: Project | None) -> dict[str, Given]:
    """The example never mixes with real layers."""
    if project is not None and any(not d.synthetic for d in read_catalog(project.state).values()):
        raise NotAllowedError(f"{project.folder} 中有真实数据", expected="空文件夹或全部为合成数据的项目", cure="--example 请用新的项目文件夹")
    return made_up


def _by_owner(given: Given) -> Given:
    """Old parcels as owners: value added, place weighted by value, where rows carry shapes instead of coordinates."""
    frame = given.frame
    if not isinstance(frame, gpd.GeoDataFrame) or {"x_m", "y_m"} <= set(frame.columns):
        return Given(given.table, pd.DataFrame(frame).drop(columns="geometry", errors="ignore"), given.source, given.sha256, given.synthetic)
    value = pd.to_numeric(frame["entitlement_yuan"], errors="coerce")
    bad = np.flatnonzero(~(np.isfinite(value) & (value > 0)) | shapely.is_empty(frame.geometry.to_numpy()))
    if len(bad):
        raise SchemaError(f"rows {', '.join(str(b + 1) for b in bad[:8])}: no value above 0 or no shape", expected="原地块有价值与图形", cure="改正原地块")
    centre = frame.geometry.centroid
    work = pd.DataFrame(frame.drop(columns=frame.geometry.name)).assign(entitlement_yuan=value, x_m=centre.x * value, y_m=centre.y * value)
    keep = {c: "first" for c in ("owner_name", "wishes", "lots_max") if c in work.columns}
    out = work.groupby("owner_id", sort=True, as_index=False).agg({"entitlement_yuan": "sum", "x_m": "sum", "y_m": "sum", **keep})
    out[["x_m", "y_m"]] = out[["x_m", "y_m"]].div(out["entitlement_yuan"], axis=0)
    return Given(given.table, out, given.source, given.sha256, given.synthetic)


def _with_blocks(given: dict[str, Given], settings: AllotmentSettings, values: Mapping[str, Any]) -> tuple[dict[str, Given], FieldDesign | None]:
    if "blocks" in given:
        return given, None
    lines = given["lines"].frame
    check_lines(lines)
    road, ditch = surfaces(lines)
    area = shapely.union_all(given["area"].frame.geometry.to_numpy())
    made = design_fields(area, road, ditch, settings=settings, slope_deg=float(values["slope"] or 0.0), contour_direction_deg=values["contour"])
    order = np.lexsort((shapely.get_x(shapely.centroid(made.fields)).round(1), -shapely.get_y(shapely.centroid(made.fields)).round(-2)))
    names = [f"B{k + 1:02d}" for k in range(len(order))]
    frame = gpd.GeoDataFrame({"block_id": names}, geometry=made.fields[order], crs=lines.crs)
    return {**given, "blocks": Given("allotment_block", frame, "田块设计 (qianmo allot)", "", given["area"].synthetic)}, made


def _laid_before(blocks: Given, project: Project | None, design: FieldDesign | None) -> list[shapely.Geometry]:
    """Tracks that belong to the blocks before they are cut: of the design, or of an earlier run where its blocks are used again."""
    if design is not None:
        return list(design.tracks)
    path = project.state / "layers" / "allotment_track.parquet" if project else None
    return list(read_frame(path).geometry) if path and path.is_file() and blocks.source.startswith("项目图层") else []


def _with_tracks(lines: gpd.GeoDataFrame, tracks: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    """Roads, ditches and tracks: a track gives frontage as a road does."""
    if not tracks:
        return lines
    more = gpd.GeoDataFrame({"line_kind": ["road"] * len(tracks)}, geometry=tracks, crs=lines.crs)
    return gpd.GeoDataFrame(pd.concat([lines, more], ignore_index=True), crs=lines.crs)


def _tracks(result: AllotmentResult, laid: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    shapes = [*laid, *result.tracks.geometry]
    return gpd.GeoDataFrame({"line_kind": ["track"] * len(shapes)}, geometry=shapes, crs=result.lots.crs)


def _sheet(
    result: AllotmentResult, lines: gpd.GeoDataFrame, laid: list[shapely.Geometry], context: Context, told: Mapping[str, Any], synthetic: bool
) -> bytes:
    road, ditch = surfaces(lines)
    crs = result.lots.crs
    drawn = {k: gpd.GeoDataFrame(geometry=[g] if not g.is_empty else [], crs=crs) for k, g in (("road", road), ("ditch", ditch))}
    c = result.certificate
    remarks = [f"扣减率 {c['deduction_share']:.2%};宗块 {c['lots']} 个,最小宽度 {result.lots['width_m'].min():.1f} 米。"]
    return allotment_sheet(
        result.lots, result.blocks, {**drawn, "track": _tracks(result, laid)}, crs_text=f"{pyproj.CRS(crs).name} (EPSG:{pyproj.CRS(crs).to_epsg()})",
        date=f"{context.clock():%Y年%m月%d日}", vintage="未注明", office=str(told.get("office", {}).get("name", "")),
        synthetic=("分地输入（合成）",) if synthetic else (), remarks=remarks,
    )  # fmt: skip


def _report(result: AllotmentResult, folder: Path, out: Path) -> JobReport:
    c, ledger = result.certificate, result.ledger
    area = float(result.blocks["area_m2"].sum())
    lines = (
        f"分地: {c['owners']} 个权利人, {c['blocks']} 个地块 ({m2_to_mu(area):.2f} 亩), {c['lots']} 个宗块, 户均 {c['lots'] / c['owners']:.2f} 块",
        f"扣减率 {c['deduction_share']:.4%}; 分得总价值 {ledger['allotted_fen'].sum() / 1e6:.4f} 万元, 各户精确到分",
        f"宗块最小宽度 {result.lots['width_m'].min():.2f} 米, 最短临路 {result.lots['frontage_m'].min():.2f} 米; 平均距离 {ledger['distance_m'].mean():.1f} 米",
        f"归户: 目标 {c['objective_m']:.1f}, 求解器声称的下界 {c['solver_bound_claimed_m']:.1f} (差距 {c['gap_rel']:.3%}{', 到时限为止' if 'limit' in c['status'] else ''})",
        f"独立核验 {len(c['checks'])} 项全部一致, 价值相对误差 {next(x['found'] for x in c['checks'] if x['id'] == 'value'):.1e}",
    )
    files = ((str(folder / "onemap.gpkg"), "图层 lot 与 allotment_block 已加入"), (str(out / "田块设计与分地图.png"), "分地图"))
    figures = {"lots": c["lots"], "gap": c["gap_rel"], "deduction_share": c["deduction_share"], "width_min_m": float(result.lots["width_m"].min())}
    return JobReport(lines, files, figures)


SPECS = (
    JobSpec(
        "allot", "田块设计与分地", "design fields and give every owner lots of exact value",
        (
            JobOption("project", "path", "项目文件夹", "project folder, made when it is not there", required=True, positional=True),
            JobOption("blocks", "path", "分地地块图层", "layer of blocks"),
            JobOption("area", "path", "整治范围 (没有地块时据此设计田块)", "consolidation area to design fields in, instead of blocks"),
            JobOption("lines", "path", "道路与沟渠线", "roads and ditches"),
            JobOption("zones", "path", "土地价值分区", "polygons of land value"),
            JobOption("unit_value", "number", "统一单价 (元/平方米), 没有价值分区时", "one value a square metre where there are no zones"),
            JobOption("owners", "path", "权利人应得表或原地块图层", "owners with entitlements, or old parcels"),
            JobOption("deduction", "number", "扣减率 (不填则由地块总值推算)", "share deducted; left out, it follows from the blocks"),
            JobOption("cut", "choice", "界线方向", "direction of the cut lines", default="perpendicular", choices=("perpendicular", "sides")),
            JobOption("slope", "number", "平均坡度 (度)", "mean slope of the area in degrees"),
            JobOption("contour", "number", "等高线方向 (度, 自正东逆时针)", "direction of the contours, degrees anticlockwise from east"),
            JobOption("set", "texts", "参数, 如 allot_lot_width_min_m=10", "local value of a parameter"),
            JobOption("out", "path", "图件文件夹", "folder of the map sheet"),
            JobOption("example", "flag", "用虚拟数据试用", "try it on an invented example"),
        ),
        run,
    ),
)  # fmt: skip
