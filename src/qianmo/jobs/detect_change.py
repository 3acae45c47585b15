"""Change between two images, as patches with the class they lay on, kept in the project (双时相变化检测)."""

from __future__ import annotations

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
from qianmo.geo.grid import polygonize
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.ingest_read import read_recipe
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.units import m2_to_mu
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.scratch import scratch_folder
from qianmo.store.stage import read_catalog
from qianmo.survey.change.threshold import larger_patches, otsu_threshold
from qianmo.survey.change.two_dates import Difference, change_vector, irmad, pca_two_means

__all__ = ["SPECS", "run"]

_METHODS = {"irmad": irmad, "cva": change_vector, "pca": pca_two_means}
_TEXT = '[project]\nname = "变化检测"\n[parameters]\n[plan]\n[documents]\n[office]\n'


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read both images, find change, keep strength and patches; nothing is written when anything fails."""
    folder = Path(values["into"])
    project = open_project(folder) if (folder / "current").is_file() else None
    context.step("读取影像", 0.0)
    (before, base, one, first), (after, other, two, second) = _image(values["before"]), _image(values["after"])
    if base.values.shape != other.values.shape or not base.transform.almost_equals(other.transform, 1e-6) or base.crs != other.crs:
        raise CrsError(f"{one} 的格网 {base.values.shape} 与 {two} 的 {other.values.shape} 不一致", expected="同一范围、像元与坐标系", cure="先配准并裁切到同一格网")
    if base.crs.is_geographic:
        raise CrsError(f"{one} 为经纬度坐标", expected="米制投影坐标系, 面积才有意义", cure="先重投影")
    context.step("变化检测", 0.2)
    found = _METHODS[values["method"]](before, after)
    limit = values["threshold"] if values["threshold"] is not None else otsu_threshold(found.strength)
    cell = abs(base.transform.a * base.transform.e)
    changed = np.nan_to_num(found.strength, nan=-np.inf) > limit
    kept, small = larger_patches(changed, least_cells=max(1, int(np.ceil(values["smallest"] / cell))))
    context.step("变化图斑", 0.6)
    patches = _patches(kept, found, base)
    if project is not None and len(patches):
        patches = _with_class(patches, project)
    told = {
        "method": values["method"], "threshold": float(limit), "rounds": found.rounds, "cells": int(np.isfinite(found.strength).sum()),
        "changed_m2": float(kept.sum() * cell), "small_m2": float(small.sum() * cell), "patches": len(patches), "cell_m2": cell,
    }  # fmt: skip
    context.step("保存成果", 0.9)
    lineage = Lineage(f"{one}; {two}", f"{first}; {second}", f"qianmo {__version__} detect", context.clock().isoformat(timespec="seconds"), context.user, dict(told))
    crs = f"EPSG:{base.crs.to_epsg()}"
    with change(folder, what="变化检测", user=context.user, now=context.clock(), settings_text=_TEXT) as stage:
        strength = Grid(found.strength.astype(np.float32), base.transform, base.crs, float("nan"))
        stage.put_grid(strength, Dataset("change_strength", "raster", "变化强度", crs, "", "", False, told["cells"], lineage))
        if len(patches):
            stage.put_layer(patches, Dataset("change_patch", "other_layer", "变化图斑", crs, "", "", False, len(patches), lineage))
        elif "change_patch" in stage.datasets:
            stage.remove("change_patch")
        stage.put_table("change_class", _by_class(patches))
        stage.put_json("change", told)
    return _report(told, patches, folder)


def _image(path: str) -> tuple[np.ndarray, Grid, str, str]:
    """Bands, the first one as a grid, the file's name and its hash."""
    with scratch_folder() as workdir:
        reads = read_recipe(Recipe((SourceRecipe(Path(path)),)), workdir=workdir, limits=default_limits(), consent=Consent())
        raws = [g for r in reads for g in r.reading.grids]
    if not raws:
        raise MissingDataError(f"{path} 不是影像", expected="多波段 GeoTIFF")
    if raws[0].crs_wkt is None:
        raise SchemaError(f"{path}: 没有坐标系", expected="带坐标系的 GeoTIFF", cure="先赋予坐标系")
    grids = [Grid(r.values, r.transform, pyproj.CRS.from_wkt(r.crs_wkt or ""), r.nodata) for r in raws]
    bands = np.stack([np.where(g.valid, g.values, np.nan) for g in grids]).astype(float)
    return bands, grids[0], Path(path).name, raws[0].sha256


def _patches(kept: np.ndarray, found: Difference, base: Grid) -> gpd.GeoDataFrame:
    if not kept.any():
        return gpd.GeoDataFrame({"change_id": [], "area_m2": [], "strength": []}, geometry=[], crs=base.crs)
    shapes = polygonize(Grid(kept.astype(np.int32), base.transform, base.crs, None), crop_zero=True).geometry.to_numpy()
    inside = shapely.point_on_surface(shapes)
    column, row = (np.floor(v).astype(int) for v in placed(~base.transform, shapely.get_x(inside), shapely.get_y(inside)))
    return gpd.GeoDataFrame(
        {"change_id": [str(k + 1) for k in range(len(shapes))], "area_m2": shapely.area(shapes), "strength": found.strength[row, column]}, geometry=shapes, crs=base.crs
    )


def _with_class(patches: gpd.GeoDataFrame, project: Project) -> gpd.GeoDataFrame:
    """The land-use class that holds most of each patch, and its share."""
    if "landuse_patch" not in read_catalog(project.state):
        return patches
    land = read_frame(project.state / "layers" / "landuse_patch.parquet")
    shapes = transform(land.geometry.to_numpy(), pyproj.CRS(land.crs), pyproj.CRS(patches.crs))
    tree = shapely.STRtree(shapes)
    i, j = tree.query(patches.geometry.to_numpy(), predicate="intersects")
    if not len(i):
        raise MissingDataError("变化图斑与项目的地类图斑没有重叠", expected="同一地区", cure="核对影像坐标系与项目位置")
    area = shapely.area(shapely.intersection(patches.geometry.to_numpy()[i], shapes[j]))
    table = pd.DataFrame({"i": i, "class_code": land["class_code"].to_numpy()[j], "area": area}).groupby(["i", "class_code"], as_index=False)["area"].sum()
    best = table.loc[table.groupby("i")["area"].idxmax()].set_index("i")
    return patches.assign(
        from_class=[best["class_code"].get(k, "") for k in range(len(patches))],
        from_share=[float(best["area"].get(k, 0.0)) / a for k, a in enumerate(patches["area_m2"])],
    )


def _by_class(patches: gpd.GeoDataFrame) -> pd.DataFrame:
    if "from_class" not in patches:
        return pd.DataFrame({"from_class": [""], "patches": [len(patches)], "area_m2": [float(patches["area_m2"].sum())]})
    return patches.groupby("from_class", as_index=False).agg(patches=("change_id", "size"), area_m2=("area_m2", "sum"))


def _report(told: dict[str, Any], patches: gpd.GeoDataFrame, folder: Path) -> JobReport:
    lines = [
        f"方法 {told['method']}, 阈值 {told['threshold']:.3f}, 有效像元 {told['cells']} 个",
        f"变化图斑 {told['patches']} 个, {told['changed_m2'] / 1e4:.2f} 公顷 ({m2_to_mu(told['changed_m2']):.2f} 亩)",
        f"小于最小上图面积、只列出不上图: {told['small_m2'] / 1e4:.2f} 公顷",
    ]
    if "from_class" in patches:
        lines += [f"  原地类 {r.from_class or '(范围外)'}: {r.patches} 个, {r.area_m2 / 1e4:.2f} 公顷" for r in _by_class(patches).itertuples()]
    return JobReport(tuple(lines), ((str(folder / "onemap.gpkg"), "项目数据库 (变化图斑)"),), told)


SPECS = (
    JobSpec(
        "detect", "双时相变化检测", "change between two images",
        (
            JobOption("before", "path", "前期影像 (GeoTIFF)", "earlier image", required=True, positional=True),
            JobOption("after", "path", "后期影像 (GeoTIFF)", "later image", required=True, positional=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("method", "choice", "检测方法", "detector", default="irmad", choices=tuple(_METHODS)),
            JobOption("threshold", "number", "变化阈值; 不填则自动 (大津法)", "threshold of the strength; Otsu by default"),
            JobOption("smallest", "number", "最小上图面积 (平方米)", "minimum mapping unit in square metres", default=400.0),
        ),
        run,
    ),
)  # fmt: skip
