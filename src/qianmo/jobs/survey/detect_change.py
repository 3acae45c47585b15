"""Change between two images: patches from class to class, signals and lights of the project's parcels (双时相变化检测)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import label

from qianmo import __version__
from qianmo.geo.grid import polygonize
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.detect_labels import TRAINED, accuracy_lines, learnt_from
from qianmo.jobs.survey.detect_land import Land, after_classes, land_of, patch_shapes, signals_of, tree_of, words
from qianmo.jobs.survey.detect_tiles import (
    Images,
    Strength,
    clear_work,
    images_of,
    names_of,
    partly_missing,
    sample,
    scene_shift,
    strength_of,
    without_clouds,
)
from qianmo.jobs.survey.watch_truth import scored_pair, scores_table, told_lines
from qianmo.reports.change_sheet import change_sheet
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import m2_to_mu
from qianmo.store.durable import replace_bytes
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.scratch import scratch_folder
from qianmo.store.stage import read_catalog
from qianmo.survey.change.coregister import check_shift
from qianmo.survey.change.from_to import main_class
from qianmo.survey.change.lights import Question, lights
from qianmo.survey.change.threshold import change_chance, larger_patches, otsu_threshold

__all__ = ["SPECS", "run"]

_METHODS = ("irmad", "cva", "pca")
_TEXT = '[project]\nname = "变化检测"\n[parameters]\n[plan]\n[documents]\n[office]\n'
_SIZES = {"construction": "min_map_area_built_m2", "transport": "min_map_area_built_m2", "other": "min_map_area_other_m2"}
"""Parameter of the minimum mapping unit by the group after the change; agricultural land otherwise."""


@dataclass(frozen=True)
class _Found:
    """Change on the grid and as patches."""

    changed: np.ndarray
    seen: np.ndarray
    chance: np.ndarray
    small_m2: float
    patches: gpd.GeoDataFrame


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read both images, find change, lay it on the parcels; nothing of the project is written when anything fails."""
    folder = Path(values["into"])
    project = open_project(folder) if (folder / "current").is_file() else None
    tree = tree_of(values["thresholds"])
    vintage = _dates(values)
    if values["truth"] and not (values["before_date"] and values["after_date"]):
        raise SchemaError("给出了 --truth, 没有给出两期影像的日期", expected="--before-date 与 --after-date", cure="时滞从变化日算到后期影像, 须知道日期")
    work = Path(values["work"]) if values["work"] else folder.parent / f"{folder.name}-detect"
    with scratch_folder() as scratch:
        context.step("读取影像", 0.0)
        before, after = images_of(values["before"], values["after"], scratch)
        for images in (before, after):
            if (share := partly_missing(images)) > parameter("change_partly_missing_max"):
                context.note(f"{images.name} 有 {share:.1%} 的像元只在部分波段有值, 按没有数据处理; 无效值可能声明有误 (现为 {images.bands[0].nodata})")
        told_clouds: dict[str, Any] = {"clouds": values["clouds"]}
        if values["clouds"] != "none":
            options = {"method": values["clouds"], "factor": values["reflectance"], "level": values["level"], "context": context}
            before, after = (without_clouds(i, names_of(values["bands"]), **options) for i in (before, after))
            told_clouds |= {f"cloudy_{k}": 1.0 - float(i.clear.mean()) for k, i in (("before", before), ("after", after)) if i.clear is not None}
            if values["clouds"] == "rule":
                context.note("云用亮白像元规则剔除 (不是训练模型, 不识别云影, 会误伤白色屋顶与大棚)")
        land = land_of(project, before)
        told = told_clouds | _shift(before, after, values, context)
        learnt = None
        if values["labels"]:
            learnt = learnt_from(values["labels"], before, after, limit=values["threshold"], method=values["method"], scratch=scratch, context=context)
            strength, told = learnt.strength, told | learnt.told
        else:
            strength = strength_of(before, after, method=values["method"], tile=values["tile"], work=work, context=context)
        context.step("变化图斑", 0.65)
        limit = values["threshold"] if values["threshold"] is not None else learnt.limit if learnt else otsu_threshold(sample(strength.values, parameter("change_sample_cells")))
        found = _found(strength, float(limit), before, after, land, values, context)
        if project is not None and len(found.patches):
            found = _with_class(found, land)
        context.step("地块信号与红绿灯", 0.8)
        signals = branches = None
        if land is not None:
            bands = names_of(values["bands"])
            signals, branches = _judged(project, land, before, after, bands, found, tree)
            if not bands:
                context.note("没有给出波段名 (--bands), 光谱指数缺失, 变化的耕地只能给黄灯")
        told |= _figures(strength, float(limit), found, before, TRAINED if learnt else values["method"])
        scores, labelled = scored_pair(values["truth"], signals, values["before_date"], values["after_date"]) if values["truth"] else (None, 0)
        if scores is not None:
            told |= {"labelled": labelled, "lag": scores_table(scores).to_dict("records")}
    context.step("保存成果", 0.9)
    more = [f"; {v}" if learnt else "" for v in ((learnt.name, learnt.sha256) if learnt else ("", ""))]
    lineage = Lineage(f"{before.name}; {after.name}{more[0]}", f"{before.sha256}; {after.sha256}{more[1]}", f"qianmo {__version__} detect",
                      context.clock().isoformat(timespec="seconds"), context.user, dict(told))  # fmt: skip
    lit = _lit(land, signals)
    _save(context, folder, strength, found, before, signals, branches, lit, told, lineage, vintage, learnt.accuracy if learnt else None, scores_table(scores) if scores is not None else None)
    clear_work(strength)
    files = [(str(folder / "onemap.gpkg"), "项目数据库 (变化图斑)")]
    if len(found.patches):
        out = Path(values["out"]) if values["out"] else folder / "change"
        replace_bytes(out / "变化图斑.png", _sheet(context, project, found, lit, before, told, vintage))
        files.append((str(out / "变化图斑.png"), "变化图斑与红绿灯图"))
    return _report(told, found.patches, signals, tuple(files), (accuracy_lines(learnt.accuracy) if learnt else []) + (told_lines(scores, labelled) if scores is not None else []))


def _dates(values: Mapping[str, Any]) -> str:
    """The dates of both images in words; the later must be later."""
    days = []
    for name in ("before_date", "after_date"):
        try:
            days.append(date.fromisoformat(values[name]) if values[name] else None)
        except ValueError:
            raise SchemaError(f"--{name.replace('_', '-')} {values[name]!r}", expected="年-月-日, 如 2024-05-01") from None
    if days[0] is not None and days[1] is not None and days[0] >= days[1]:
        raise SchemaError(f"前期 {days[0]} 不早于后期 {days[1]}", expected="前期早于后期", cure="核对两期影像的次序")
    return " 至 ".join(d.isoformat() for d in days if d is not None)


def _shift(before: Images, after: Images, values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    shift = scene_shift(before, after)
    check_shift(shift, most=values["shift"] if values["shift"] is not None else parameter("change_shift_max_cells"))
    if not shift.is_clear:
        context.note("两期影像的相关峰不明显, 未能判断是否配准; 请目视核对")
    return {"shift_row": shift.row if shift.is_clear else None, "shift_column": shift.column if shift.is_clear else None}


def _found(strength: Strength, limit: float, before: Images, after: Images, land: Land | None, values: Mapping[str, Any], context: Context) -> _Found:
    seen = np.isfinite(strength.values)
    least = values["smallest"] if values["smallest"] is not None else min(map(parameter, ("min_map_area_agri_m2", *_SIZES.values())))
    kept, small = larger_patches(np.nan_to_num(strength.values, nan=-np.inf) > limit, least_cells=_cells(least, before))
    named, count = label(kept, structure=np.ones((3, 3)))
    after_it = after_classes(land, after, kept) if land is not None and count else None
    columns: dict[str, Any] = {}
    keep = np.ones(count, dtype=bool)
    if after_it is not None:
        kinds, share = main_class(named, after_it[0], count=count)
        names = np.array([*after_it[2], ""], dtype=object)
        columns = {"to_group": names[kinds], "to_share": share}
        context.note("变化后地类由同期未变化的纯像元训练得出, 是线索, 不是认定")
    elif land is not None and count:
        context.note("未变化的纯像元不足以训练分类, 没有给出变化后地类")
    if values["smallest"] is None:
        size = np.bincount(named.ravel(), minlength=count + 1)[1:]
        groups = columns.get("to_group", [""] * count)
        keep = size >= np.array([_cells(parameter(_SIZES.get(g, "min_map_area_agri_m2")), before) for g in groups], dtype=int)
    new = np.concatenate([[0], np.where(keep, np.cumsum(keep), 0)])
    small, named = small | (kept & (new[named] == 0)), new[named]
    chance = strength.values if strength.is_chance else _chance(strength.values, limit, context)
    patches = _patches(named, strength.values, chance, before, {k: np.asarray(v)[keep] for k, v in columns.items()})
    return _Found(named > 0, seen, chance, float(small.sum() * before.cell_m2), patches)


def _cells(area_m2: float, images: Images) -> int:
    return max(1, int(np.ceil(area_m2 / images.cell_m2 - 1e-9)))


def _chance(strength: np.ndarray, limit: float, context: Context) -> np.ndarray:
    """Probability of change of every cell; nan throughout where the histogram cannot tell."""
    try:
        at, chance = change_chance(sample(strength, parameter("change_sample_cells")), limit=limit)
    except MissingDataError:
        context.note("变化像元太少, 没有给出变化概率")
        return np.full(strength.shape, np.nan, dtype=np.float32)
    return np.where(np.isfinite(strength), np.interp(strength, at, chance), np.nan).astype(np.float32)


def _patches(named: np.ndarray, strength: np.ndarray, chance: np.ndarray, images: Images, columns: Mapping[str, np.ndarray]) -> gpd.GeoDataFrame:
    count = int(named.max(initial=0))
    if not count:
        return gpd.GeoDataFrame({"change_id": [], "area_m2": [], "strength": [], "chance": []}, geometry=[], crs=images.crs)
    parts = polygonize(Grid(named.astype(np.int32), images.bands[0].transform, images.crs, None), crop_zero=True)
    shapes = patch_shapes(parts.geometry.to_numpy(), parts["value"].to_numpy(), count)
    cells = np.bincount(named.ravel(), minlength=count + 1)[1:]
    mean = {k: np.bincount(named.ravel(), weights=np.nan_to_num(v).ravel(), minlength=count + 1)[1:] / cells for k, v in (("strength", strength), ("chance", chance))}
    if not np.isfinite(chance[named > 0]).all():
        mean["chance"] = np.full(count, np.nan)
    table = {"change_id": [str(k + 1) for k in range(count)], "area_m2": cells * images.cell_m2, **mean, **columns}
    return gpd.GeoDataFrame(table, geometry=shapes, crs=images.crs)


def _with_class(found: _Found, land: Land | None) -> _Found:
    """The land-use class that holds most of each patch by exact area, its share, and its group."""
    if land is None:
        return found
    patches, shapes = found.patches, land.frame.geometry.to_numpy()
    i, j = shapely.STRtree(shapes).query(patches.geometry.to_numpy(), predicate="intersects")
    area = shapely.area(shapely.intersection(patches.geometry.to_numpy()[i], shapes[j]))
    table = pd.DataFrame({"i": i, "class_code": land.frame["class_code"].to_numpy()[j], "group": land.group[j], "area": area})
    table = table.groupby(["i", "class_code", "group"], as_index=False)["area"].sum()
    best = table.loc[table.groupby("i")["area"].idxmax()].set_index("i").reindex(range(len(patches)))
    share = best["area"].fillna(0.0).to_numpy() / patches["area_m2"].to_numpy()
    told = patches.assign(from_class=best["class_code"].fillna("").to_numpy(), from_group=best["group"].fillna("").to_numpy(), from_share=share)
    return _Found(found.changed, found.seen, found.chance, found.small_m2, told)


def _judged(project: Project | None, land: Land, before: Images, after: Images, bands: Any, found: _Found, tree: tuple[Question, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Signals of all patches; lights of the cultivated ones, '' for the others."""
    table = signals_of(land, before, after, bands, changed=found.changed, seen=found.seen, chance=found.chance)
    series = project.state / "tables" / "change_series.parquet" if project is not None else None
    if series is not None and series.is_file():
        table["ndvi_amplitude"] = table["patch_id"].map(read_frame(series).set_index("patch_id")["amplitude"]).to_numpy(float)
    fields = table[table["farmland"]]
    answer, branches = lights(fields, tree)
    return table.join(answer.set_index(fields.index)).fillna({"light": "", "candidate": "", "node": ""}), branches


def _lit(land: Land | None, signals: pd.DataFrame | None) -> gpd.GeoDataFrame | None:
    """Cultivated parcels with their light, drawn."""
    if land is None or signals is None:
        return None
    fields = signals[signals["farmland"]]
    return gpd.GeoDataFrame(fields.drop(columns="farmland"), geometry=land.frame.geometry.to_numpy()[fields.index], crs=land.frame.crs).reset_index(drop=True)


def _save(
    context: Context, folder: Path, strength: Strength, found: _Found, images: Images, signals: pd.DataFrame | None, branches: pd.DataFrame | None,
    lit: gpd.GeoDataFrame | None, told: dict[str, Any], lineage: Lineage, vintage: str,
    accuracy: pd.DataFrame | None, lag: pd.DataFrame | None,
) -> None:  # fmt: skip
    crs = f"EPSG:{images.crs.to_epsg()}"
    told_of = lambda name, kind, zh, rows: Dataset(name, kind, zh, crs, "", vintage, False, rows, lineage)  # noqa: E731
    with change(folder, what="变化检测", user=context.user, now=context.clock(), settings_text=_TEXT) as stage:
        stage.put_grid(images.grid(strength.values), told_of("change_strength", "raster", "变化强度", told["cells"]))
        layers = {"change_patch": (found.patches, "变化图斑"), "change_parcel": (lit, "耕地地块红绿灯")}
        for name, (frame, zh) in layers.items():
            if frame is not None and len(frame):
                stage.put_layer(frame, told_of(name, "other_layer", zh, len(frame)))
            elif name in stage.datasets:
                stage.remove(name)
        stage.remove_tables(("change_signal", "change_branch", "change_accuracy", "change_pair_lag"))
        if lag is not None:
            stage.put_table("change_pair_lag", lag)
        if accuracy is not None:
            stage.put_table("change_accuracy", accuracy)
        if signals is not None and branches is not None:
            stage.put_table("change_signal", signals)
            stage.put_table("change_branch", branches)
        stage.put_table("change_class", _by_class(found.patches))
        stage.put_json("change", told)


def _by_class(patches: gpd.GeoDataFrame) -> pd.DataFrame:
    keys = [k for k in ("from_class", "to_group") if k in patches]
    if not keys:
        return pd.DataFrame({"from_class": [""], "patches": [len(patches)], "area_m2": [float(patches["area_m2"].sum())]})
    return patches.groupby(keys, as_index=False).agg(patches=("change_id", "size"), area_m2=("area_m2", "sum"))


def _figures(strength: Strength, limit: float, found: _Found, images: Images, method: str) -> dict[str, Any]:
    return {
        "method": method, "threshold": limit, "rounds": strength.rounds, "cells": int(found.seen.sum()), "seen_share": float(found.seen.mean()), "changed_m2": float(found.changed.sum() * images.cell_m2),
        "small_m2": found.small_m2, "patches": len(found.patches), "cell_m2": images.cell_m2, "tiles": strength.tiles, "resumed": strength.resumed,
    }  # fmt: skip


def _sheet(context: Context, project: Project | None, found: _Found, lit: gpd.GeoDataFrame | None, images: Images, told: Mapping[str, Any], vintage: str) -> bytes:
    invented = [] if project is None else [f"{d.zh}（合成）" for d in read_catalog(project.state).values() if d.synthetic and d.name == "landuse_patch"]
    remarks = [f"方法 {told['method']}, 阈值 {told['threshold']:.2f}", "红绿灯为线索, 须现场核实"]
    return change_sheet(
        found.patches, lit, title=f"{project.name if project else '变化检测'}　变化图斑", crs_text=images.crs.name, date=f"{context.clock():%Y年%m月%d日}",
        vintage=vintage or "未注明", synthetic=invented, remarks=remarks,
    )  # fmt: skip


def _report(told: dict[str, Any], patches: gpd.GeoDataFrame, signals: pd.DataFrame | None, files: tuple[tuple[str, str], ...], learnt: list[str]) -> JobReport:
    apart = f"两期错开 向下 {told['shift_row']:+.2f}, 向右 {told['shift_column']:+.2f} 像元" if told["shift_row"] is not None else "配准未能判断"
    lines = [
        f"方法 {told['method']}, 阈值 {told['threshold']:.3f}, 有效像元 {told['cells']} 个 (占 {told['seen_share']:.1%}); {apart}",
        f"变化图斑 {told['patches']} 个, {told['changed_m2'] / 1e4:.2f} 公顷 ({m2_to_mu(told['changed_m2']):.2f} 亩)",
        f"小于最小上图面积、只列出不上图: {told['small_m2'] / 1e4:.2f} 公顷",
    ]
    lines += learnt
    if "cloudy_before" in told:
        lines.append(f"有云占比: 前期 {told['cloudy_before']:.1%}, 后期 {told['cloudy_after']:.1%}, 按未看清处理")
    if told["resumed"]:
        lines.append(f"续算: {told['tiles']} 块中 {told['resumed']} 块取自上次中断的运行")
    if "from_class" in patches:
        named = words("group")
        for row in _by_class(patches).itertuples():
            later = f" → {named.get(row.to_group, '未知')}" if "to_group" in patches else ""
            lines.append(f"  原地类 {row.from_class or '(范围外)'}{later}: {row.patches} 个, {row.area_m2 / 1e4:.2f} 公顷")
    if signals is not None:
        fields = signals[signals["farmland"]]
        zh, kinds = words("light"), words("candidate")
        lines.append(f"耕地图斑 {len(fields)} 个: " + ", ".join(f"{zh[k]} {int((fields['light'] == k).sum())}" for k in zh))
        for (light, kind), n in fields[fields["light"].isin(["red", "yellow"])].groupby(["light", "candidate"]).size().items():
            lines.append(f"  {zh[light]} {kinds[kind]}: {n} 个")
    return JobReport(tuple(lines), files, told)


SPECS = (
    JobSpec(
        "detect", "双时相变化检测", "change between two images",
        (
            JobOption("before", "path", "前期影像 (GeoTIFF)", "earlier image", required=True, positional=True),
            JobOption("after", "path", "后期影像 (GeoTIFF)", "later image", required=True, positional=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("method", "choice", "检测方法", "detector", default="irmad", choices=_METHODS),
            JobOption("labels", "path", "标注栅格 (GeoTIFF, 同一格网: 1 变化, 0 未变化, 其他或无数据为未标注); 给出即用监督检测", "raster of labels (1 changed, 0 unchanged): a detector is trained on them"),
            JobOption("threshold", "number", "变化阈值; 不填则自动 (大津法)", "threshold of the strength; Otsu by default"),
            JobOption("smallest", "number", "最小上图面积 (平方米); 不填则按变化后地类", "minimum mapping unit in square metres; by the class after the change where not given"),
            JobOption("bands", "text", "各波段名称, 如 blue,green,red,nir,swir16,swir22; 不用的留空", "name of each band, blank where not used"),
            JobOption("clouds", "choice", "去云: none 不做, model 用 ukis-csmask 模型, rule 用亮白像元规则", "cloud masking", default="none", choices=("none", "model", "rule")),
            JobOption("reflectance", "number", "像元值换算为反射率的系数, 去云时用", "factor that makes reflectance of cell values, for cloud masking", default=1.0),
            JobOption("level", "choice", "影像级别: l1c 大气顶, l2a 地表", "level of the reflectance", default="l2a", choices=("l1c", "l2a")),
            JobOption("before_date", "text", "前期日期 (年-月-日)", "date of the earlier image"),
            JobOption("after_date", "text", "后期日期 (年-月-日)", "date of the later image"),
            JobOption("truth", "path", "带日期的标注 (CSV: patch_id,change_date, 没有变化的留空); 给出即评价时滞精度", "CSV of patches with the date of change, blank where none: F1 by delay is told"),
            JobOption("thresholds", "path", "红绿灯阈值文件 (TOML 或 CSV)", "thresholds of the traffic lights"),
            JobOption("shift", "number", "允许的配准偏差 (像元)", "largest shift between the images in pixels, change_shift_max_cells by default"),
            JobOption("tile", "integer", "分块边长 (像元)", "side of a tile in pixels", default=512),
            JobOption("work", "path", "中间结果文件夹; 中断后重跑时续算", "folder of finished tiles, taken up again after a break, PROJECT-detect by default"),
            JobOption("out", "path", "图件输出文件夹", "folder for the map sheet, the project's change/ by default"),
        ),
        run,
    ),
)  # fmt: skip
