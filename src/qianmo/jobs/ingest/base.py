"""From files to a project: read safely, recognise, locate, check, repair, store (数据入库)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo import __version__
from qianmo.geo.cells import placed
from qianmo.geo.grid import Grid, resampled, slope_deg, zonal_mean
from qianmo.jobs.context import Context
from qianmo.jobs.ingest.invent import invent
from qianmo.jobs.ingest.layer import SLOPE_LIMITS, Prepared, Setting, prepare_classes, prepare_layer
from qianmo.jobs.ingest.place import where
from qianmo.jobs.ingest.plain import PLAIN_TABLES, RAIN_RESULTS, PlainTable, plain_lines, prepare_plain, put_plain
from qianmo.jobs.ingest.read import Read, read_recipe
from qianmo.jobs.opened import EROSION_GRIDS, LIBRARY_TABLES_KEPT, SWAP_LAYERS, TENURE_TABLES, plan_layers
from qianmo.jobs.recipe import Recipe, recipe_from_file, recipe_from_options
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.onemap.check_layer import check_layer
from qianmo.onemap.level import compute_areas, level_to_villages
from qianmo.onemap.repair import RepairResult, repair_layer
from qianmo.reports.typography import word
from qianmo.schema.codes import FARMLAND_CODES
from qianmo.schema.dataset import FAULT_COLUMNS, Dataset, Lineage
from qianmo.schema.errors import ChoiceNeededError, SchemaError
from qianmo.schema.messages import chinese_message
from qianmo.schema.rules import parameter
from qianmo.schema.tables import table_spec
from qianmo.store.durable import toml_key, toml_value
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project
from qianmo.store.raw import RawGrid
from qianmo.store.scratch import read_toml, scratch_folder
from qianmo.store.stage import Stage, read_catalog

__all__ = ["SPECS", "checked", "finished", "ingest", "merged_layers", "raster_layer", "run", "setting_of", "state_of"]

_BASE = "landuse_patch"
_WORTH_SHOWING = 0.1
"""Score below which a candidate that lost is only in the lineage, not on the screen."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Ingest what the options or the recipe file name."""
    if values["recipe"]:
        path = Path(values["recipe"])
        recipe = recipe_from_file(read_toml(path), path.parent)
    elif values["sources"]:
        recipe = recipe_from_options(values)
    else:
        raise SchemaError("没有给出来源 (no source)", expected="文件、文件夹或 --recipe 方案文件")
    agreed = dict.fromkeys(values["accept"] or (), True)
    known = [f.name for f in fields(Consent)]
    if set(agreed) - set(known):
        raise SchemaError(f"--accept {'、'.join(sorted(set(agreed) - set(known)))}: 没有这一项", expected="、".join(known), cure="按出错信息中提示的名称填写")
    return ingest(context, recipe, Path(values["into"]), repair=values["repair"], level=values["level"], consent=Consent(**agreed))


def ingest(
    context: Context, recipe: Recipe, folder: Path, *, repair: bool = False, level: bool = False, consent: Consent | None = None
) -> JobReport:
    """Bring the sources of a recipe into a project; the project stays as it was when anything is refused.

    Raises
    ------
    QianmoError
        A source was refused, a choice is needed, or a datum needs parameters.
    """
    context.step("安全检查与读取", 0.0)
    setting, old = setting_of(context, recipe, folder)
    with scratch_folder() as workdir:
        reads = read_recipe(recipe, workdir=workdir, limits=default_limits(), consent=consent or Consent())
        context.step("识别图层与坐标系", 0.3)
        layers, grids = _prepared([r for r in reads if not r.said.plain], setting)
        plain = prepare_plain([r for r in reads if r.said.plain], setting, state=state_of(folder))
    if plain and not layers and not grids:
        return _tables_alone(context, recipe, setting, folder, plain)
    context.step("椭球面积与地形", 0.45)
    layers = finished(layers, grids, old, setting, level=level)
    context.step("质量检查", 0.6)
    faults, repaired, log = checked(layers, old, repair=False)
    context.step("写入项目", 0.75)
    names = sorted([*(x.dataset.name for x in layers), *(x.dataset.name for x in plain)])
    notes = _commit(folder, recipe, setting, layers, grids, faults, what="入库 " + ", ".join(names), plain=plain)
    files = [(str(folder / "onemap.gpkg"), "QGIS 可直接打开的数据库 (含样式)"), (str(folder / "project.toml"), "项目设置")]
    lines = _lines(layers, grids, faults, setting, plain)
    if repair and len(faults) and bool(faults["repairable"].any()):
        context.step("修复", 0.88)
        faults, repaired, log = checked(layers, old, repair=True)
        _commit(folder, recipe, setting, repaired, {}, faults, what=f"修复 {len(log)} 处", log=log)
        lines += [f"已修复 {len(log)} 处 (修复前后见表 repair_log; qianmo undo 可撤销); 余 {len(faults)} 个问题"]
    for note in notes:
        context.note(note)
    return JobReport(tuple(lines), tuple(files), {"faults": len(faults), "layers": len(layers), "repairs": len(log)})


def setting_of(context: Context, recipe: Recipe, folder: Path) -> tuple[Setting, dict[str, gpd.GeoDataFrame]]:
    """What all layers of one ingest share, and the layers of the project that checks lean on (公共设置)."""
    known: dict[str, tuple[float, float, float, float]] = {}
    crs, old = recipe.crs, {}
    if (folder / "current").is_file():
        project = open_project(folder)
        for dataset in read_catalog(project.state).values():
            box = dataset.lineage.parameters.get("lonlat_box")
            if box:
                known[dataset.name] = (box[0], box[1], box[2], box[3])
            crs = int(dataset.crs.removeprefix("EPSG:")) if dataset.crs else crs
            if dataset.kind in (_BASE, "village"):
                old[dataset.kind] = read_frame(project.state / "layers" / f"{dataset.name}.parquet")
    return Setting(recipe, context.clock(), context.user, crs, known), old


def state_of(folder: Path) -> Path | None:
    """Folder of the current generation; None where there is no project yet (当前版本)."""
    return open_project(folder).state if (folder / "current").is_file() else None


def _tables_alone(context: Context, recipe: Recipe, setting: Setting, folder: Path, plain: list[PlainTable]) -> JobReport:
    """Tables without drawings alone: the layers and all that rests on them stay."""
    if setting.crs is None:
        raise SchemaError("只有表格, 不能建立项目", expected="项目中已有图层, 或同时给出一个图层", cure="先入库地类图斑等图层, 再入库表格")
    context.step("写入项目", 0.75)
    with change(folder, what="入库 " + ", ".join(sorted(x.dataset.name for x in plain)), user=setting.user, now=setting.now) as stage:
        put_plain(stage, plain, overrides=dict(open_project(folder).settings.get("parameters", {})))
    for note in setting.notes:
        context.note(note)
    return JobReport(tuple(plain_lines(plain)), ((str(folder), "项目 (表格在当前版本的 tables/)"),), {"faults": 0, "layers": 0, "repairs": 0})


def _prepared(reads: list[Read], setting: Setting) -> tuple[list[Prepared], dict[str, tuple[Grid, Dataset]]]:
    layers: list[Prepared] = []
    rasters: list[tuple[RawGrid, Read]] = []
    terrain = next((g for r in reads for g in r.reading.grids if r.said.role == "dem"), None)
    for read in reads:
        for raw in read.reading.grids:
            if read.said.classes:
                layers.append(prepare_classes(raw, read, setting, terrain=terrain))
            else:
                rasters.append((raw, read))
        said = [(raw, read.of_layer(raw.name)) for raw in read.reading.layers]
        layers += [prepare_layer(raw, one, setting) for raw, one in said if not one.said.skip]
    names = [x.dataset.name for x in layers]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        merged = [x for x in layers if x.dataset.name not in twice]
        merged += [merged_layers([x for x in layers if x.dataset.name == n]) for n in twice]
        layers = merged
    grids = {}
    for raw, read in rasters:
        grid, dataset = raster_layer(raw, read, setting)
        grids[dataset.name] = (grid, dataset)
    return layers, grids


def merged_layers(parts: list[Prepared]) -> Prepared:
    """Several sheets of one table become one layer; rows keep their order, the schemes must agree (图幅合并)."""
    schemes = {p.dataset.class_scheme for p in parts}
    if len(schemes) > 1:
        raise ChoiceNeededError(
            f"图层 {parts[0].dataset.zh} 的各图幅地类体系不同", choices=sorted(schemes), cure="先用同一地类体系转换各图幅, 不同版本的地类不得混用"
        )
    frame = gpd.GeoDataFrame(pd.concat([p.frame for p in parts], ignore_index=True), crs=parts[0].frame.crs)
    first = parts[0].dataset
    sources = "; ".join(p.dataset.lineage.source for p in parts)
    hashes = "; ".join(p.dataset.lineage.source_sha256 for p in parts)
    lineage = replace(first.lineage, source=sources, source_sha256=hashes)
    return Prepared(frame, replace(first, rows=len(frame), synthetic=any(p.dataset.synthetic for p in parts), lineage=lineage))


def raster_layer(raw: RawGrid, read: Read, setting: Setting) -> tuple[Grid, Dataset]:
    """A raster in the project CRS with its record (栅格入库).

    Raises
    ------
    ChoiceNeededError, CrsError, SchemaError
        Where it lies is not clear, or the project has no CRS yet.
    """
    role = read.said.role or ("dem" if raw.values.dtype.kind == "f" else "raster")
    height, width = raw.values.shape
    x, y = placed(raw.transform, np.array([0.0, width, width, 0.0]), np.array([0.0, 0.0, height, height]))
    bounds = (float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y)))
    spot = where(bounds, np.column_stack([x, y]), wkt=raw.crs_wkt, said=read.said, county=setting.recipe.county_code, known=setting.known,
                 origin=raw.source_path)  # fmt: skip
    head, *marks = spot.chosen.split(";")
    if marks:
        raise ChoiceNeededError(f"{raw.source_path}: 栅格的坐标轴或偏移异常 ({spot.chosen})", choices=[spot.chosen], cure="请先在数据源中改正栅格的定位")
    source = pyproj.CRS.from_user_input(raw.crs_wkt if head == "declared" and raw.crs_wkt else head)
    if setting.crs is None:
        raise SchemaError("只有栅格, 不能确定项目坐标系", expected="--project-crs, 例如 4527, 或同时给出一个矢量图层")
    target = pyproj.CRS.from_epsg(setting.crs)
    grid = Grid(raw.values, raw.transform, source, raw.nodata)
    if source != target:
        grid = resampled(grid, target, helmert=setting.recipe.helmert, nearest=role != "dem" and raw.values.dtype.kind != "f")
    parameters = {"source_crs": spot.chosen, "cell_m": abs(grid.transform.a), "helmert": vars(setting.recipe.helmert) if setting.recipe.helmert else None}
    lineage = Lineage(raw.source_path, raw.sha256, f"qianmo {__version__} ingest", setting.now.isoformat(timespec="seconds"), setting.user, parameters, (spot,))
    name = role if role != "raster" else f"raster_{raw.name}"
    zh = {"dem": "数字高程模型", "soil": "土壤类型"}.get(role, raw.name)
    return grid, Dataset(name, "raster", zh, f"EPSG:{setting.crs}", "", read.said.vintage, read.said.synthetic, int(grid.valid.sum()), lineage)


def finished(
    layers: list[Prepared], grids: Mapping[str, tuple[Grid, Dataset]], old: Mapping[str, gpd.GeoDataFrame], setting: Setting, *, level: bool
) -> list[Prepared]:
    """Terrain, areas, invented layers, levelling: what needs more than one layer."""
    out = []
    for item in layers:
        frame = item.frame
        if item.dataset.kind == _BASE:
            frame = _with_terrain(frame, grids)
        out.append(replace(item, frame=frame))
    if setting.recipe.invent:
        out = invent(out, setting)
    villages = next((x.frame for x in out if x.dataset.kind == "village"), old.get("village"))
    for k, item in enumerate(out):
        if item.dataset.kind not in (_BASE, "parcel"):
            continue
        frame = _safe_areas(item.frame)
        if item.dataset.kind == _BASE and level and villages is not None:
            frame, levelled = level_to_villages(frame, villages)
            setting.notes.append(f"面积平差: {len(levelled)} 个村, 各村图斑面积之和等于控制面积")
        out[k] = replace(item, frame=frame, dataset=replace(item.dataset, rows=len(frame)))
    return out


def _safe_areas(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Computed areas for rows whose coordinates are finite; the others stay null and are reported by the check."""
    points, owner = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    bad = np.unique(owner[~np.isfinite(points).all(axis=1)])
    if not len(bad):
        return compute_areas(frame)
    good = np.setdiff1d(np.arange(len(frame)), bad)
    done = compute_areas(frame.iloc[good])
    out = frame.copy()
    for name in ("ellipsoid_area_m2", "planar_area_m2", "geodesic_area_m2"):
        out[name] = np.nan
        out.iloc[good, out.columns.get_loc(name)] = done[name].to_numpy()
    return out


def _with_terrain(frame: gpd.GeoDataFrame, grids: Mapping[str, tuple[Grid, Dataset]]) -> gpd.GeoDataFrame:
    if "dem" not in grids:
        return frame
    dem = grids["dem"][0]
    out = frame.copy()
    geoms = out.geometry.to_numpy()
    out["slope_deg"] = zonal_mean(slope_deg(dem), geoms).round(3)
    out["elevation_m"] = zonal_mean(dem, geoms).round(2)
    if "slope_class" not in out.columns or out["slope_class"].isna().all():
        farmland = out["class_code"].isin(FARMLAND_CODES)
        grade = pd.Series(np.searchsorted(SLOPE_LIMITS, out["slope_deg"], side="left") + 1, index=out.index).astype(str)
        out["slope_class"] = grade.where(farmland & out["slope_deg"].notna(), None)
        terraced = farmland & (out["slope_class"].fillna("1") > "1") & (out["class_code"] == "0101")
        sloping = farmland & (out["slope_class"].fillna("1") > "1") & (out["class_code"] != "0101")
        kind = pd.Series([None] * len(out), index=out.index, dtype=object)
        kind[terraced], kind[sloping] = "TT", "PD"
        out["farmland_type"] = kind
    return out


def checked(
    layers: list[Prepared], old: Mapping[str, gpd.GeoDataFrame], *, repair: bool
) -> tuple[gpd.GeoDataFrame, list[Prepared], pd.DataFrame]:
    """Faults of the layers, the layers (repaired where that is asked), and the log of the repair (质量检查与修复)."""
    villages = next((x.frame for x in layers if x.dataset.kind == "village"), old.get("village"))

    def judged(item: Prepared) -> tuple[Prepared, gpd.GeoDataFrame, pd.DataFrame]:
        control = villages if item.dataset.kind == _BASE else None
        scheme = item.dataset.class_scheme
        if not repair:
            return item, check_layer(item.frame, item.dataset.kind, class_scheme=scheme, control=control), pd.DataFrame()
        result, left = repair_layer(item.frame, item.dataset.kind, class_scheme=scheme, control=control)
        return _after_repair(item, result), left, result.log.assign(layer=item.dataset.name)

    with ThreadPoolExecutor(max_workers=2) as pool:  # the geometry engine lets threads run side by side
        done = list(pool.map(judged, layers))
    out = [item for item, _, _ in done]
    logs = [log for _, _, log in done if len(log)]
    faults = [f.assign(layer=item.dataset.name) for item, left, _ in done for f in (left, _read_faults(item))]
    some = [f for f in faults if len(f)] or faults[:1]
    all_faults = gpd.GeoDataFrame(pd.concat(some, ignore_index=True), crs=layers[0].frame.crs) if some else gpd.GeoDataFrame()
    log = pd.concat(logs, ignore_index=True) if logs else pd.DataFrame()
    return all_faults, out, log


def _read_faults(item: Prepared) -> gpd.GeoDataFrame:
    """Remarks of the reader that are errors, as rows of the fault table."""
    bad = [n for n in item.remarks if n.severity == "error"]
    rows = [(item.dataset.name, n.rows[0] if n.rows else -1, "", "READ", "error", n.kind, n.found or n.what, n.expected, n.cure, False) for n in bad]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=list(FAULT_COLUMNS)), geometry=[None] * len(rows), crs=item.frame.crs)


def _after_repair(item: Prepared, result: RepairResult) -> Prepared:
    frame = _safe_areas(result.frame) if item.dataset.kind in (_BASE, "parcel") else result.frame
    return replace(item, frame=frame, dataset=replace(item.dataset, rows=len(frame)))


def _commit(
    folder: Path, recipe: Recipe, setting: Setting, layers: list[Prepared], grids: Mapping[str, tuple[Grid, Dataset]],
    faults: gpd.GeoDataFrame, *, what: str, log: pd.DataFrame | None = None, plain: Sequence[PlainTable] = (),
) -> list[str]:  # fmt: skip
    with change(folder, what=what, user=setting.user, now=setting.now, settings_text=_settings_text(folder, recipe, setting)) as stage:
        for item in layers:
            stage.put_layer(item.frame, item.dataset)
        for grid, dataset in grids.values():
            stage.put_grid(grid, dataset)
        _put_faults(stage, faults, setting, {x.dataset.name for x in layers})
        if log is not None:
            stage.put_table("repair_log", log.astype({"before": str, "after": str}) if len(log) else log)
        stage.clear_results(keep=(*TENURE_TABLES, *LIBRARY_TABLES_KEPT, *PLAIN_TABLES, *RAIN_RESULTS, *(("repair_log",) if log is not None else ())))
        if plain:
            put_plain(stage, list(plain), overrides=_parameters_of(folder, recipe))
        for name in (*plan_layers(stage.datasets), *SWAP_LAYERS, *EROSION_GRIDS):
            stage.remove(name)
    return setting.notes


def _parameters_of(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Local parameters: of the project where there is one, of the recipe for a new one."""
    settings = open_project(folder).settings if (folder / "current").is_file() else recipe.settings
    return dict(settings.get("parameters", {}))


def _put_faults(stage: Stage, faults: gpd.GeoDataFrame, setting: Setting, renewed: set[str]) -> None:
    path = stage.folder / "layers" / "fault.parquet"
    if path.is_file():
        earlier = read_frame(path)
        kept = earlier[~earlier["layer"].isin(renewed)]
        if len(kept):
            faults = gpd.GeoDataFrame(pd.concat([kept, faults], ignore_index=True), crs=earlier.crs)
    if "fault" in stage.datasets:
        stage.remove("fault")
    if len(faults):
        lineage = Lineage("质量检查", "", f"qianmo {__version__} check", setting.now.isoformat(timespec="seconds"), setting.user)
        stage.put_layer(faults, Dataset("fault", "fault", table_spec("fault").zh, f"EPSG:{setting.crs}", "", "", False, len(faults), lineage))


def _settings_text(folder: Path, recipe: Recipe, setting: Setting) -> str:
    lines = ["# 阡陌项目设置: 可编辑; 每次运行重新读取", "[project]", f"name = {toml_value(recipe.name or folder.name)}", f"crs = {setting.crs}",
             f"county_code = {toml_value(recipe.county_code)}", f'created = "{setting.now.isoformat(timespec="seconds")}"', "",
             "# 参数覆盖: 名称见 reference 参数表, 例如 small_patch_mu = 3", "[parameters]"]  # fmt: skip
    lines += [f"{toml_key(k)} = {toml_value(v)}" for k, v in dict(recipe.settings.get("parameters", {})).items()]
    for section in ("plan", "documents", "office"):
        lines += ["", f"[{section}]"]
        plain = {k: v for k, v in dict(recipe.settings.get(section, {})).items() if not isinstance(v, dict)}
        lines += [f"{toml_key(k)} = {toml_value(v)}" for k, v in plain.items()]
        for key, value in dict(recipe.settings.get(section, {})).items():
            if isinstance(value, dict):
                lines += [f"[{section}.{toml_key(key)}]", *(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items())]
    return "\n".join(lines) + "\n"


def _lines(layers: list[Prepared], grids: Mapping[str, tuple[Grid, Dataset]], faults: gpd.GeoDataFrame, setting: Setting, plain: list[PlainTable]) -> list[str]:
    mu = parameter("mu_per_ha")
    lines = [f"项目坐标系 EPSG:{setting.crs}; 面积按 CGCS2000 椭球面积"]
    for item in layers:
        d = item.dataset
        total = item.frame["area_m2"].sum() / 1e4 if "area_m2" in item.frame and item.frame["area_m2"].notna().any() else None
        size = "" if total is None else f", {total:.4f} 公顷 ({total * mu:.2f} 亩)"
        mark = " [合成]" if d.synthetic else ""
        lines.append(f"  {d.zh} {d.name}: {d.rows} 条{size}{mark}")
        for decision in d.lineage.decisions:
            others = "、".join(f"{c.value}({c.score:.2f})" for c in decision.candidates if c.value != decision.chosen and c.score >= _WORTH_SHOWING)
            lines.append(f"      {chinese_message(decision.question)} → {decision.chosen}" + (f"; 其他候选 {others}" if others else ""))
    lines += [f"  {d.zh} {d.name}: {g.values.shape[1]}×{g.values.shape[0]} 像元" for g, d in grids.values()]
    lines += plain_lines(plain)
    count = faults["severity"].value_counts() if len(faults) else {}
    words = {"error": "错误", "warning": "警告", "info": "提示"}
    lines.append("质检: " + ("、".join(f"{words[s]} {int(count[s])}" for s in words if s in count) or "未发现问题"))
    if len(faults):
        top = faults.groupby(["rule", "what"], sort=False).size().sort_values(ascending=False).head(6)
        lines += [f"      {rule} {word('fault', str(what))}: {n} 处" for (rule, what), n in top.items()]
    return lines


SPECS = (
    JobSpec(
        "ingest", "数据入库", "read sources into a project, check and repair them",
        (
            JobOption("sources", "paths", "来源文件或文件夹", "files or folders to read", default=(), positional=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("recipe", "path", "入库方案文件 (TOML)", "recipe file instead of sources"),
            JobOption("as_table", "text", "图层类型", "what the layer is, when it cannot be recognised"),
            JobOption("crs", "text", "来源坐标系, 如 EPSG:4527", "reference system of the sources"),
            JobOption("datum", "choice", "来源基准", "datum of the sources", choices=("CGCS2000", "Xian80", "Beijing54", "NewBeijing", "WGS84")),
            JobOption("helmert", "text", "三参数或七参数 dx,dy,dz[,rx,ry,rz,ppm]", "datum shift to CGCS2000"),
            JobOption("encoding", "text", "文本编码", "text encoding of the sources"),
            JobOption("class_scheme", "choice", "地类体系", "land-class scheme",
                      choices=("SD3", "GBT21010_2017", "GBT21010_2007", "LANDSEA_2023", "SD3_MONITOR")),
            JobOption("classes", "text", "栅格值与地类对照, 如 4=0201,6=0301", "class of each value of a raster"),
            JobOption("unit", "text", "降水量单位, 如 mm", "unit of the rain"),
            JobOption("county", "text", "县级行政区代码", "county code"),
            JobOption("vintage", "text", "数据时点", "date of the data"),
            JobOption("name", "text", "项目名称", "project name"),
            JobOption("project_crs", "integer", "项目坐标系 EPSG 代码", "EPSG code of a new project"),
            JobOption("synthetic", "flag", "标为合成数据", "mark the sources as synthetic", default=False),
            JobOption("repair", "flag", "修复可安全修复的问题", "repair what is safe", default=False),
            JobOption("level", "flag", "按村控制面积平差", "level areas to village control areas", default=False),
            JobOption("accept", "texts", "确认接受: null_geometry, broken_geometry, rebuild_index, without_attributes", "agree to a fault of the source"),
        ),
        run,
    ),
)  # fmt: skip
