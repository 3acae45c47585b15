"""Ground motion from a stack of unwrapped interferograms, kept in the project (地表形变监测)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo import __version__
from qianmo.geo.cells import placed
from qianmo.geo.crs import transform
from qianmo.geo.grid import polygonize, zonal_mean
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.ingest_read import read_recipe
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.motion_chart import Course, motion_chart
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.durable import replace_bytes
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.scratch import scratch_folder
from qianmo.store.stage import read_catalog
from qianmo.survey.insar.basin import basins, growth
from qianmo.survey.insar.closure import correct_turns, report
from qianmo.survey.insar.delay import most_coherent, referenced
from qianmo.survey.insar.geometry import vertical
from qianmo.survey.insar.inversion import PhaseSeries, coherence_weights, invert
from qianmo.survey.insar.network import triplets
from qianmo.survey.insar.rate import Rate, displacement_mm, fit_rate, rate_functional
from qianmo.survey.insar.stack import Stack, stacked
from qianmo.survey.subsidence.damage import graded, intervals

__all__ = ["SPECS", "run"]

_TEXT = '[project]\nname = "形变监测"\n[parameters]\n[plan]\n[documents]\n[office]\n'


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the pairs, check the loops, invert, fit rates, save maps, tables and chart; nothing is written when anything fails."""
    folder = Path(values["into"])
    project = open_project(folder) if (folder / "current").is_file() else None
    context.step("读取干涉图", 0.0)
    stack, sources, digest = _stack(values)
    context.step("闭合差与参考点", 0.3)
    phase, told = _prepared(stack, values)
    context.step("时序反演", 0.4)
    series, rate, moved = _solved(stack, phase, values)
    context.step("速率、盆地与地块", 0.7)
    grids = _grids(stack, series, rate, values)
    table, inside = _by_date(stack, moved, grids, values)
    patches = _by_patch(project, grids)
    told |= _figures(stack, grids, table)
    context.step("保存成果", 0.9)
    lineage = Lineage("; ".join(sources)[:400], digest, f"qianmo {__version__} motion", context.clock().isoformat(timespec="seconds"), context.user, dict(told))
    crs = f"EPSG:{stack.grid.crs.to_epsg()}"
    vintage = str(stack.network.dates[-1].year)
    with change(folder, what="地表形变监测", user=context.user, now=context.clock(), settings_text=_TEXT) as stage:
        for name, (grid, zh) in grids.items():
            stage.put_grid(grid, Dataset(name, "raster", zh, crs, "", vintage, False, int(grid.valid.sum()), lineage))
        edge = _edge(inside, stack.grid)
        if edge is not None:
            stage.put_layer(edge, Dataset("motion_basin", "other_layer", "沉陷盆地", crs, "", vintage, False, len(edge), lineage))
        elif "motion_basin" in stage.datasets:
            stage.remove("motion_basin")
        stage.remove_tables(("motion_patch",))
        stage.put_table("motion_date", table)
        if patches is not None:
            stage.put_table("motion_patch", patches)
        stage.put_json("motion", told)
    out = Path(values["out"]) if values["out"] else folder / "motion"
    replace_bytes(out / "形变速率与时序.png", _chart(stack, moved, grids, told))
    return _report(told, patches, folder, out)


def _stack(values: Mapping[str, Any]) -> tuple[Stack, list[str], str]:
    """The stack, the names of its files, and one digest of all their hashes in the order of their names."""
    paths: list[Path] = []
    for source in map(Path, values["sources"]):
        if source.is_dir():
            paths += sorted(p for p in source.rglob("*") if p.suffix.lower() in (".tif", ".tiff"))
        else:
            paths.append(source)
    if not paths:
        raise MissingDataError(f"{', '.join(values['sources'])} 中没有 GeoTIFF", expected="解缠相位 (及相干性) 的 .tif 文件或其文件夹", cure="核对路径; HDF5 请先导出为 GeoTIFF")
    with scratch_folder() as workdir:
        reads = read_recipe(Recipe(tuple(SourceRecipe(p) for p in paths)), workdir=workdir, limits=default_limits(), consent=Consent())
        grids = {}
        for path, read in zip(paths, reads):
            raw = read.reading.grids[0]
            if raw.crs_wkt is None:
                raise SchemaError(f"{path.name}: 没有坐标系", expected="带坐标系的 GeoTIFF", cure="用处理软件重新导出地理编码结果")
            grids[path.name] = Grid(raw.values, raw.transform, pyproj.CRS.from_wkt(raw.crs_wkt), raw.nodata)
        digest = hashlib.sha256("".join(read.reading.source.sha256 for read in reads).encode()).hexdigest()
    return stacked(grids, allow_wrapped=values["allow_wrapped"]), [p.name for p in paths], digest


def _prepared(stack: Stack, values: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Phases with whole turns put right and referenced, and what is told of them."""
    loops = triplets(stack.network)
    phase, left = correct_turns(stack.phase, loops) if values["mend"] else (stack.phase, None)
    whole = np.isfinite(phase).all(axis=0)
    quality = stack.coherence if stack.coherence is not None else np.where(np.isfinite(phase), 1.0, 0.0).astype(np.float32)
    at = _asked(values["reference"], stack) if values["reference"] else most_coherent(quality, whole)
    phase = referenced(phase, np.array([at]))
    row, column = divmod(int(at), stack.shape[1])
    told: dict[str, Any] = {
        "pairs": len(stack.network.first), "dates": len(stack.network.dates), "first": str(stack.network.dates[0]), "last": str(stack.network.dates[-1]),
        "reference_row": row, "reference_column": column, "complete_share": float(whole.mean()), "loops": len(loops),
    }  # fmt: skip
    if len(loops):
        closing = report(phase[:, whole], loops)
        told |= {"closure_mean_abs_rad": closing.mean_abs_rad, "closure_over_pi_share": closing.share_over_pi}
    if left is not None:
        told["turns_left_pixels"] = int((left > 0).sum())
    return phase, told


def _asked(reference: str, stack: Stack) -> int:
    try:
        x, y = (float(v) for v in reference.replace("，", ",").split(","))
    except ValueError:
        raise SchemaError(f"--reference {reference!r}", expected="x,y (与干涉图同坐标系), 例如 113.60,24.68") from None
    column, row = (int(np.floor(v[0])) for v in placed(~stack.grid.transform, np.array([x]), np.array([y])))
    if not (0 <= row < stack.shape[0] and 0 <= column < stack.shape[1]):
        raise SchemaError(f"参考点 {reference} 不在干涉图范围内", expected="范围内的点, 与干涉图同坐标系")
    return row * stack.shape[1] + column


def _solved(stack: Stack, phase: np.ndarray, values: Mapping[str, Any]) -> tuple[PhaseSeries, Rate, np.ndarray]:
    weights = coherence_weights(stack.coherence, looks=values["looks"]) if stack.coherence is not None else None
    days = stack.network.days
    series = invert(phase, stack.network, weights=weights, functional=rate_functional(days))
    moved = displacement_mm(series.phase_rad, values["wavelength"])
    carried = np.abs(displacement_mm(series.functional_sigma, values["wavelength"]))
    return series, fit_rate(moved, days, pair_sigma_mm_yr=carried, network=stack.network), moved


def _grids(stack: Stack, series: PhaseSeries, rate: Rate, values: Mapping[str, Any]) -> dict[str, tuple[Grid, str]]:
    least = parameter("motion_least_coherence")
    seen = np.isfinite(rate.rate_mm_yr) & (series.coherence >= least)
    up = np.where(seen, vertical(rate.rate_mm_yr, values["incidence"]), np.nan)
    sigma = np.where(seen, rate.sigma_mm_yr / np.cos(np.radians(values["incidence"])), np.nan)
    lay = lambda v: Grid(v.reshape(stack.shape).astype(np.float32), stack.grid.transform, stack.grid.crs, float("nan"))  # noqa: E731
    return {
        "motion_rate": (lay(np.where(seen, rate.rate_mm_yr, np.nan)), "视线向形变速率"), "motion_vertical": (lay(up), "垂直向形变速率 (假定无水平移动)"),
        "motion_sigma": (lay(sigma), "垂直向速率中误差"), "motion_coherence": (lay(series.coherence), "时间相干性"),
    }  # fmt: skip


def _by_date(stack: Stack, moved: np.ndarray, grids: Mapping[str, tuple[Grid, str]], values: Mapping[str, Any]) -> tuple[pd.DataFrame, np.ndarray]:
    """Bowls at every date: area that sank by the edge value, deepest point; and the cells of the bowls of the last date."""
    seen = grids["motion_rate"][0].valid.ravel()
    cell = _cell_area_m2(stack.grid)
    rows, inside = [], np.zeros(stack.shape, dtype=bool)
    for k, day in enumerate(stack.network.dates):
        sunk = np.where(seen, -vertical(moved[k], values["incidence"]), np.nan).reshape(stack.shape)
        found = basins(sunk, edge_mm=values["edge"], cell_area_m2=cell)
        inside = np.logical_or.reduce([np.zeros(stack.shape, dtype=bool), *(b.mask for b in found)])
        deepest = float(np.nanmax(sunk)) if seen.any() else float("nan")
        rows.append((day, int(stack.network.days[k]), sum(b.area_ha for b in found), len(found), deepest))
    return pd.DataFrame(rows, columns=["day", "days", "area_ha", "basins", "deepest_mm"]), inside


def _edge(inside: np.ndarray, grid: Grid) -> gpd.GeoDataFrame | None:
    """Outlines of the bowls of the last date, the cells that the table counts."""
    if not inside.any():
        return None
    found = polygonize(Grid(inside.astype(np.int32), grid.transform, grid.crs, None), crop_zero=True)
    return found.assign(basin_id=[str(k + 1) for k in range(len(found))])[["basin_id", "geometry"]]


def _by_patch(project: Project | None, grids: Mapping[str, tuple[Grid, str]]) -> pd.DataFrame | None:
    """Rate, standard error, tilt of the rate and grade of every land-use patch."""
    if project is None or "landuse_patch" not in read_catalog(project.state):
        return None
    frame = read_frame(project.state / "layers" / "landuse_patch.parquet")
    up, sigma = grids["motion_vertical"][0], grids["motion_sigma"][0]
    shapes = transform(frame.geometry.to_numpy(), pyproj.CRS(frame.crs), up.crs)
    x0, y0, x1, y1 = shapely.total_bounds(shapes)
    rows, columns = up.values.shape
    west, north = up.transform.c, up.transform.f
    east, south = west + columns * up.transform.a, north + rows * up.transform.e
    if x1 < west or x0 > east or y1 < south or y0 > north:
        raise MissingDataError("干涉图与项目地块没有重叠", expected="同一地区", cure="核对干涉图的坐标系与项目位置")
    rate = zonal_mean(up, shapes)
    slope = np.hypot(*np.gradient(np.where(up.valid, up.values, np.nan).astype(float))) / np.sqrt(_cell_area_m2(up))
    tilt = zonal_mean(Grid(slope, up.transform, up.crs, float("nan")), shapes)
    rank, _ = graded("insar_subsidence", "地面沉降", {"v": np.where(rate < 0, -rate, np.where(np.isfinite(rate), 0.0, np.nan))})
    words = {r.rank: r.zh for r in intervals("insar_subsidence", "地面沉降")}
    return pd.DataFrame(
        {
            "patch_id": frame["patch_id"].to_numpy(), "vertical_mm_yr": rate, "sigma_mm_yr": zonal_mean(sigma, shapes), "tilt_rate_mm_m_yr": tilt,
            "grade": [words.get(int(r), "") for r in rank],
        }
    )  # fmt: skip


def _cell_area_m2(grid: Grid) -> float:
    t = grid.transform
    if not grid.crs.is_geographic:
        return abs(t.a * t.e)
    x, y = t.c, t.f + (grid.values.shape[0] // 2) * t.e
    geod = grid.crs.get_geod()
    if geod is None:
        raise CrsError("干涉图的坐标系没有椭球", expected="地理坐标系或米制投影坐标系", cure="用处理软件重新导出地理编码结果")
    area, _ = geod.polygon_area_perimeter([x, x + t.a, x + t.a, x], [y, y, y + t.e, y + t.e])
    return abs(float(area))


def _figures(stack: Stack, grids: Mapping[str, tuple[Grid, str]], table: pd.DataFrame) -> dict[str, Any]:
    rate, up = grids["motion_rate"][0], grids["motion_vertical"][0]
    if not rate.valid.any():
        raise MissingDataError("没有像元达到相干性要求", expected=f"时间相干性不低于 {parameter('motion_least_coherence'):g}", cure="检查参考点与解缠质量, 或放宽 motion_least_coherence")
    low, middle, high = np.nanpercentile(rate.values, [5, 50, 95])
    row, column = np.unravel_index(int(np.nanargmin(up.values)), stack.shape)
    told = {
        "rate_p5_mm_yr": float(low), "rate_p50_mm_yr": float(middle), "rate_p95_mm_yr": float(high), "lowest_vertical_mm_yr": float(np.nanmin(up.values)),
        "lowest_row": int(row), "lowest_column": int(column), "sigma_median_mm_yr": float(np.nanmedian(grids["motion_sigma"][0].values)),
        "seen_share": float(rate.valid.mean()), "area_ha": float(table["area_ha"].iloc[-1]),
    }  # fmt: skip
    grown = table[table["area_ha"] > 0]
    return told | (growth(grown["area_ha"].to_numpy(), grown["days"].to_numpy()) if len(grown) > 1 else {})


def _chart(stack: Stack, moved: np.ndarray, grids: Mapping[str, tuple[Grid, str]], told: Mapping[str, Any]) -> bytes:
    t = stack.network.days / 365.25
    design = np.column_stack([np.ones_like(t), t])
    courses = []
    for name, row, column in (("沉降最快处", told["lowest_row"], told["lowest_column"]), ("参考点", told["reference_row"], told["reference_column"])):
        line = moved[:, row * stack.shape[1] + column].astype(float)
        fit = design @ np.linalg.lstsq(design, line, rcond=None)[0]
        courses.append(Course(name, row, column, line, fit, float((line - fit).std(ddof=2))))
    notes = (f"参考点: 第 {told['reference_row'] + 1} 行 {told['reference_column'] + 1} 列; 视线向朝卫星为正;", f"垂直向按无水平移动换算; {told['first']} 至 {told['last']}, {told['pairs']} 个干涉对;",
             "曲线为视线向累计形变, 点线为线性拟合")  # fmt: skip
    return motion_chart(grids["motion_vertical"][0], courses, stack.network.dates, title="地表形变速率与时序", unit="垂直向速率（毫米/年，上升为正）", notes=notes)


def _report(told: dict[str, Any], patches: pd.DataFrame | None, folder: Path, out: Path) -> JobReport:
    lines = [
        f"干涉对 {told['pairs']} 个, 影像 {told['dates']} 期, {told['first']} 至 {told['last']}",
        f"参考点: 第 {told['reference_row'] + 1} 行 {told['reference_column'] + 1} 列 (相干性最高的完整像元, 或用户指定)",
        f"闭合环 {told['loops']} 个" + (f", 平均绝对闭合差 {told['closure_mean_abs_rad']:.4f} 弧度, 超过 π 的占 {told['closure_over_pi_share']:.2%}" if told["loops"] else ": 无法检验解缠"),
        f"视线向速率 5/50/95 % 分位: {told['rate_p5_mm_yr']:.2f} / {told['rate_p50_mm_yr']:.2f} / {told['rate_p95_mm_yr']:.2f} 毫米/年, 中误差中位数 {told['sigma_median_mm_yr']:.2f}",
        f"垂直向最大沉降速率 {told['lowest_vertical_mm_yr']:.2f} 毫米/年 (假定无水平移动; 单轨不能区分水平移动)",
        f"沉陷盆地面积 {told['area_ha']:.2f} 公顷" + (f", 扩展速度 {told['speed_ha_yr']:.2f} 公顷/年" if "speed_ha_yr" in told else ""),
    ]
    if patches is not None:
        counts = patches.loc[patches["grade"] != "", "grade"].value_counts()
        lines.append("地块沉降分级: " + ", ".join(f"{k} {v} 个" for k, v in counts.items()) + f"; 无数据 {int((patches['grade'] == '').sum())} 个")
    files = ((str(folder / "onemap.gpkg"), "项目数据库 (盆地图层)"), (str(out / "形变速率与时序.png"), "速率图与时序曲线"))
    return JobReport(tuple(lines), files, told)


SPECS = (
    JobSpec(
        "motion", "地表形变监测", "ground motion from unwrapped interferograms",
        (
            JobOption("sources", "paths", "解缠干涉图 (与相干性) 的文件或文件夹", "unwrapped interferograms (and coherence): files or folders", required=True, positional=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("wavelength", "number", "雷达波长 (米)", "radar wavelength in metres", default=0.055466),
            JobOption("incidence", "number", "平均入射角 (度)", "mean incidence angle in degrees", required=True),
            JobOption("looks", "number", "独立视数", "independent looks", default=20.0),
            JobOption("reference", "text", "参考点 x,y; 不填则取相干性最高处", "reference point x,y; the most coherent pixel by default"),
            JobOption("edge", "number", "盆地边界下沉值 (毫米)", "subsidence at the edge of a basin in mm", default=10.0),
            JobOption("mend", "flag", "按闭合差改正整周解缠误差", "put whole turns right by the loops", default=False),
            JobOption("allow_wrapped", "flag", "相位像未解缠时也继续", "go on although the phases look wrapped", default=False),
            JobOption("out", "path", "图件文件夹 [项目/motion]", "folder for the chart [project/motion]"),
        ),
        run,
    ),
)  # fmt: skip
