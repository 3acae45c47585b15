"""Pattern indices of a class raster or of the parcels of a project, as tables (景观格局指数)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj

from qianmo import __version__
from qianmo.evaluation.landscape.cells import Patches, patches_of
from qianmo.evaluation.landscape.metrics import class_metrics, landscape_metrics, patch_metrics
from qianmo.evaluation.landscape.parcels import parcel_core, parcel_pattern
from qianmo.geo.crs import is_metric
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.opened import PATTERN_RESULTS, Opened, open_for_work
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import CrsError, SchemaError
from qianmo.store.durable import replace_bytes
from qianmo.store.guard import inspect
from qianmo.store.guard_limits import default_limits
from qianmo.store.project import change
from qianmo.store.read_raster import read_grids
from qianmo.store.scratch import scratch_folder

__all__ = ["SPECS", "run"]

_TOLD = ("NP", "PD", "LPI", "ED", "SHAPE_MN", "MESH", "SHDI", "CONTAG", "AI")


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Find patches, write the indices of the whole, of classes and of patches as CSV; nothing is written when anything fails."""
    source = Path(values["source"])
    context.step("读取", 0.0)
    if source.is_dir() and (values["as_listed"] or values["neighbours"] == "4"):
        raise SchemaError("--as-listed 与 --neighbours 用于栅格", expected="GeoTIFF 类别栅格", cure="图斑按公共边界合并, 去掉这两项")
    opened = open_for_work(source) if source.is_dir() else None
    tables = _of_raster(context, source, values) if opened is None else _of_parcels(opened, values["depth"])
    out = Path(values["out"]) if values["out"] else (source if source.is_dir() else source.parent) / "pattern"
    context.step("保存", 0.9)
    if opened is not None:
        _keep(context, opened, tables, values["depth"])
    files = []
    for name, table in tables.items():
        path = out / f"{name}.csv"
        replace_bytes(path, table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        files.append((str(path), name))
    whole = tables["景观级指数"].set_index("index")["value"]
    by_class = tables["类型级指数"]
    lines = [f"景观格局: {len(by_class)} 类, {by_class['NP'].sum():.0f} 个斑块 ({'图斑' if source.is_dir() else '栅格'})"]
    lines.append("  " + ", ".join(f"{k} {whole[k]:.4g}" for k in _TOLD if k in whole and math.isfinite(whole[k])))
    lines += [f"  {r['class']}: 占 {r['PLAND']:.2f}%, {r['NP']:.0f} 块, 最大斑块 {r['LPI']:.2f}%, 边缘密度 {r['ED']:.1f} 米/公顷" for r in by_class.to_dict("records")]
    return JobReport(tuple(lines), tuple(files), {k: None if math.isnan(v) else float(v) for k, v in whole.items()})


def _of_raster(context: Context, path: Path, values: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    if values["depth"] is not None:
        raise SchemaError("--depth 用于项目的图斑", expected="栅格的边缘深度是一个像元", cure="去掉 --depth, 或给出项目文件夹")
    grid = _classes(path)
    context.step("斑块", 0.2)
    p = patches_of(grid.values, _cell_m(grid, path), valid=grid.valid, eight=values["neighbours"] == "8", as_listed=bool(values["as_listed"]))
    return _raster_tables(p)


def _raster_tables(p: Patches) -> dict[str, pd.DataFrame]:
    patch = patch_metrics(p)
    patch.insert(0, "patch", np.arange(1, len(patch) + 1))
    return {"景观级指数": _whole(landscape_metrics(p)), "类型级指数": class_metrics(p).reset_index(), "斑块级指数": patch}


def _keep(context: Context, opened: Opened, tables: Mapping[str, pd.DataFrame], depth: float | None) -> None:
    """The tables into the project, for its plan book, with what they were made of."""
    of = opened.datasets["landuse_patch"]
    lineage = {"tool": f"qianmo {__version__} pattern", "at": context.clock().isoformat(timespec="seconds"), "user": context.user, "depth_m": depth,
               "sources": {"landuse_patch": of.lineage.source_sha256}}  # fmt: skip
    with change(opened.project.folder, what="景观格局指数", user=context.user, now=context.clock()) as stage:
        stage.remove_tables(PATTERN_RESULTS)
        stage.put_table("pattern_whole", tables["景观级指数"])
        stage.put_table("pattern_class", tables["类型级指数"])
        stage.put_json("pattern_lineage", lineage)


def _of_parcels(opened: Opened, depth: float | None) -> dict[str, pd.DataFrame]:
    by_class, whole = parcel_pattern(opened.patches)
    if depth is not None:
        by_class = by_class.join(parcel_core(opened.patches, depth_m=depth))
    return {"景观级指数": _whole(whole), "类型级指数": by_class.rename_axis("class").reset_index()}


def _whole(found: Mapping[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"index": list(found), "value": list(found.values())})


def _classes(path: Path) -> Grid:
    """The first band through the gate, as whole numbers."""
    limits = default_limits()
    with scratch_folder() as folder:
        raw = read_grids(inspect(path, limits=limits), workdir=folder, limits=limits)[0]
        found = np.array(raw.values)
    if not raw.crs_wkt:
        raise CrsError(f"{path.name} 没有坐标系 (no CRS)", expected="以米为单位的投影坐标系", cure="先为栅格定义坐标系")
    grid = Grid(found, raw.transform, pyproj.CRS.from_wkt(raw.crs_wkt), raw.nodata)
    if found.dtype.kind in "iu":
        return grid
    valid = grid.valid
    if not np.array_equal(found[valid], np.rint(found[valid])):
        raise SchemaError(f"{path.name} 有小数, 如 {found[valid][found[valid] != np.rint(found[valid])][0]:g}", expected="整数类别栅格", cure="先分类, 或核对波段")
    lowest = int(found[valid].min()) - 1 if valid.any() else 0
    return Grid(np.where(valid, found, lowest).astype(np.int64), grid.transform, grid.crs, float(lowest))


def _cell_m(grid: Grid, path: Path) -> float:
    """Side of the square cells of a raster in metres."""
    t = grid.transform
    if not is_metric(grid.crs):
        raise CrsError(f"{path.name} 坐标系 {grid.crs.name}", expected="以米为单位的投影坐标系", cure="先投影, 类别用最近邻重采样")
    if t.b or t.d or not math.isclose(abs(t.a), abs(t.e), rel_tol=1e-6):
        raise SchemaError(f"{path.name} 像元 {t.a:g} × {abs(t.e):g} 米", expected="正方形像元, 不旋转", cure="重采样为正方形像元")
    return abs(float(t.a))


SPECS = (
    JobSpec(
        "pattern", "景观格局指数", "pattern indices of a class raster, or of the parcels of a project",
        (
            JobOption("source", "path", "类别栅格 (GeoTIFF), 或项目文件夹 (按图斑计算)", "class raster (GeoTIFF), or a project folder (from its parcels)", required=True, positional=True),
            JobOption("neighbours", "choice", "斑块相邻规则 (栅格)", "neighbours that join cells to a patch (raster)", default="8", choices=("4", "8")),
            JobOption("as_listed", "flag", "核心区按 FRAGSTATS 4.2 的列表口径 (略去其搜索漏掉的核心)", "cores as FRAGSTATS 4.2 lists them, without those its search passes over"),
            JobOption("depth", "number", "图斑核心区的边缘深度 (米)", "depth of the edge for cores of parcels, metres"),
            JobOption("out", "path", "表格输出文件夹", "folder for the tables, pattern/ beside the source by default"),
        ),
        run,
    ),
)  # fmt: skip
