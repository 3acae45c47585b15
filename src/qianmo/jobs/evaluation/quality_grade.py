"""Quality of farmland and suitability of land for uses, before and after a plan (耕地质量与适宜性评价)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.classes import farmland
from qianmo.evaluation.quality import mean_grade
from qianmo.evaluation.quality_index import (
    check_facts,
    facts_after_works,
    grade_by_area,
    limiting_summary,
    mean_index_grade,
    quality_index,
)
from qianmo.evaluation.quality_model import MODEL_TABLES, QualityModel, quality_model
from qianmo.evaluation.suitability import suitability
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.carbon_account import cover_of
from qianmo.jobs.evaluation.quality_input import merged_facts, soil_of, told_facts
from qianmo.jobs.opened import QUALITY_TABLES, Opened, open_for_work, planned_state
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.before_after import change_text
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import quality_maps, suitability_maps
from qianmo.reports.plan_tables import book_tables
from qianmo.reports.spec_table import spec_table
from qianmo.reports.tables import workbook
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA
from qianmo.store.durable import replace_bytes
from qianmo.store.model_tables import read_model_tables
from qianmo.store.project import change

__all__ = ["SPECS", "run"]

_PRINTED = ("quality_total", "quality_grade_area", "quality_limiting", "suitability_area")
_NEW = "新增耕地平均质量等级"
_NO_NEW = "没有新增耕地"
_KINDS = ("high", "medium", "low", "none", "excluded", "unknown")


@dataclass(frozen=True)
class _Judged:
    """Farmland of one state: rows, class area [ha], result of the index."""

    rows: np.ndarray
    area_ha: np.ndarray
    table: pd.DataFrame


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Evaluate by the standard that is asked for."""
    if values["standard"] != "33469":
        module, name = _STANDARDS[values["standard"]]
        found: JobReport = getattr(import_module(f"qianmo.jobs.evaluation.{module}"), name)(context, values)
        return found
    if values["region"]:
        raise SchemaError(f"--region {values['region']} 与 --standard 33469", expected="分区只用于 28407、1036 与 30600", cure="去掉 --region, 用 --tables 给出本县指标体系")
    return _graded(context, values)


def _graded(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Judge farmland and suitability, keep the tables with their lineage, write workbook and sheets; nothing is written when anything fails."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    own = {} if not values["tables"] else read_model_tables(Path(values["tables"]), MODEL_TABLES)
    model = quality_model(own, opened.overrides)
    told = _told(values["indicators"], opened, model)
    context.step("指标", 0.1)
    soil = soil_of(opened)
    facts = _facts(opened.patches, opened, soil, told, model)
    context.step("质量与适宜性", 0.4)
    now = _judged(opened.patches, facts, opened, model)
    later = _after(opened, soil, told, model)
    fits = suitability(facts, model, opened.overrides)
    tables = _tables(opened, model, now, later, fits)
    context.step("制图", 0.6)
    folder = Path(values["out"]) if values["out"] else opened.project.folder / "quality"
    cover, villages = cover_of(context, opened), opened.layers.get("village")
    sheets = [*quality_maps(opened.patches, tables["quality_patch"], villages, cover), *suitability_maps(opened.patches, tables["suitability_patch"], villages, cover)]
    made = _workbook(context, opened, tables)
    context.step("保存", 0.9)
    paths = [Path(p) for p in (values["indicators"], *(Path(values["tables"]) / f"{n}.csv" for n in own)) if p]
    used = ("landuse_patch", "soil", "soil_type", "basic_farmland", "eco_redline")
    lineage = {
        "tool": f"qianmo {__version__} quality", "at": context.clock().isoformat(timespec="seconds"), "user": context.user, "own_tables": sorted(own),
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}, "consistency_ratio": dict(model.ratios), "with_plan": later is not None,
        "sources": {n: opened.datasets[n].lineage.source_sha256 for n in used if n in opened.datasets},
    }  # fmt: skip
    with change(opened.project.folder, what="耕地质量与适宜性评价", user=context.user, now=context.clock()) as stage:
        stage.remove_tables(QUALITY_TABLES)
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_json("quality_lineage", lineage)
    files = [(folder / "耕地质量与适宜性附表.xlsx", made, "附表"), *((folder / f"{m.title}.png", m.png, m.title) for m in sheets)]
    for path, data, _ in files:
        replace_bytes(path, data)
    lacking = [r["name_zh"] for r in model.indicators if r["fact"] not in facts or not pd.Series(facts[r["fact"]]).replace("", np.nan).notna().any()]
    if lacking:
        context.note(f"没有数据的指标: {'、'.join(lacking)}; 指数只按已知指标计算, 上下限见 quality_patch (可用 --indicators 补充)")
    return JobReport(tuple(_lines(tables, model, own)), tuple((str(p), w) for p, _, w in files), _figures(tables))


def _told(path: str, opened: Opened, model: QualityModel) -> pd.DataFrame | None:
    """Indicators of patches from a file: patch_id and a column a fact."""
    rows = {r["fact"]: r for r in (*model.criteria, *model.indicators)}
    return told_facts(path, opened, {f: r.get("name_zh", "") for f, r in rows.items()}, words=[f for f, r in rows.items() if r["function"] == "concept"])


def _facts(
    patches: gpd.GeoDataFrame, opened: Opened, soil: pd.DataFrame | None, told: pd.DataFrame | None, model: QualityModel, measure: np.ndarray | None = None
) -> pd.DataFrame:
    facts = merged_facts(patches, opened, soil, told, measure=measure)
    check_facts(facts, model)
    return facts


def _judged(patches: gpd.GeoDataFrame, facts: pd.DataFrame, opened: Opened, model: QualityModel) -> _Judged:
    rows = np.flatnonzero(farmland(patches, scheme=opened.scheme))
    if not len(rows):
        raise MissingDataError("没有耕地图斑", expected="地类 01 的图斑")
    area = patches["class_area_m2"].to_numpy(float)[rows] / M2_PER_HA
    return _Judged(rows, area, quality_index(facts.iloc[rows], model, opened.overrides))


def _after(opened: Opened, soil: pd.DataFrame | None, told: pd.DataFrame | None, model: QualityModel) -> tuple[_Judged, np.ndarray, np.ndarray] | None:
    plan = planned_state(opened)
    if plan is None:
        return None
    patches = opened.patches.assign(class_code=plan.target, class_area_m2=plan.class_area_m2)
    facts = facts_after_works(_facts(patches, opened, soil, told, model, plan.measure), plan.measure, model)
    return _judged(patches, facts, opened, model), plan.target, plan.measure


def _tables(
    opened: Opened, model: QualityModel, now: _Judged, later: tuple[_Judged, np.ndarray, np.ndarray] | None, fits: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    patches = opened.patches
    rows = now.rows if later is None else np.union1d(now.rows, later[0].rows)
    first = now.table.set_axis(now.rows).reindex(rows)
    out = pd.DataFrame({
        "patch_id": patches["patch_id"].to_numpy(object)[rows], "class_code": patches["class_code"].to_numpy(object)[rows],
        "target_class": None if later is None else later[1][rows], "measure": None if later is None else later[2][rows],
        "area_ha": patches["class_area_m2"].to_numpy(float)[rows] / M2_PER_HA,
    })  # fmt: skip
    for name in ("index", "index_low", "index_high", "known_weight", "grade"):
        out[name] = first[name].to_numpy(float)
    for name in ("limiting", "limiting_zh"):
        out[name] = first[name].fillna("").to_numpy(object)
    second = None if later is None else later[0].table.set_axis(later[0].rows).reindex(rows)
    out["index_after"] = np.nan if second is None else second["index"].to_numpy(float)
    out["grade_after"] = np.nan if second is None else second["grade"].to_numpy(float)
    out["limiting_after_zh"] = "" if second is None else second["limiting_zh"].fillna("").to_numpy(object)
    place = patches.iloc[fits["row"].to_numpy()]
    suit = fits.assign(patch_id=place["patch_id"].to_numpy(object), class_code=place["class_code"].to_numpy(object), area_ha=place["area_m2"].to_numpy(float) / M2_PER_HA)
    pair = [(j.table["grade"].to_numpy(float), j.area_ha) for j in ([now] if later is None else [now, later[0]])]
    return {
        "quality_patch": out[list(table_spec("quality_patch").column_names)], "suitability_patch": suit[list(table_spec("suitability_patch").column_names)],
        "quality_total": _total(opened, now, None if later is None else later[0]), "quality_grade_area": grade_by_area(model, pair[0], pair[1] if len(pair) > 1 else None),
        "quality_limiting": limiting_summary(now.table, now.area_ha, model), "suitability_area": _by_use(suit),
    }  # fmt: skip


def _total(opened: Opened, now: _Judged, later: _Judged | None) -> pd.DataFrame:
    def figures(j: _Judged) -> list[float]:
        graded = j.table["index"].notna().to_numpy()
        mean = float(np.average(j.table["index"][graded], weights=j.area_ha[graded])) if graded.any() else float("nan")
        return [float(j.area_ha.sum()), float(j.area_ha[graded].sum()), mean, mean_index_grade(j.table["grade"].to_numpy(float), j.area_ha)]

    before, after = figures(now), [np.nan] * 4 if later is None else figures(later)
    named = (("耕地面积", "公顷", ""), ("其中已评等级", "公顷", "已知权重不足的不评"), ("平均综合指数", "", "按面积加权，0至1"), ("平均质量等级", "等", "按面积加权，1等最好；本表指标体系"))
    rows = [(zh, unit, b, a, note) for (zh, unit, note), b, a in zip(named, before, after)]
    if later is not None:
        grade, old = later.table["grade"].to_numpy(float), np.isin(later.rows, now.rows)
        told = _NO_NEW if old.all() else "由其他地类整治而来，按同一指标评定；整治前不是耕地，没有等级"
        for zh, chosen, b, note in (("原有耕地平均质量等级", old, before[3], "整治后仍为耕地的"), (_NEW, ~old, np.nan, told)):
            rows.append((zh, "等", b, mean_index_grade(grade[chosen], later.area_ha[chosen]), note))
    register = mean_grade(opened.patches.iloc[now.rows], now.area_ha)
    if np.isfinite(register):
        rows.append(("平均耕地等别(调查数据库)", "等", register, np.nan, "GDDB，1至15等，另一指标体系，不可与上行相比"))
    return pd.DataFrame(rows, columns=["zh", "unit", "before", "after", "note"])


def _by_use(suit: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for use, part in suit.groupby("use_zh", sort=False):
        sums = part.groupby("class")["area_ha"].sum()
        barred = part[part["class"] == "excluded"].groupby("reason_zh")["area_ha"].sum()
        most = f"{barred.idxmax()} ({barred.max():.2f} 公顷)" if len(barred) else "无"
        rows.append((use, *(float(sums.get(k, 0.0)) for k in _KINDS), most))
    return pd.DataFrame(rows, columns=["use_zh", *(f"{k}_ha" for k in _KINDS), "reason_zh"])


def _workbook(context: Context, opened: Opened, tables: Mapping[str, pd.DataFrame]) -> bytes:
    printed = book_tables(tables, synthetic=opened.synthetic)
    made = [printed[k] for k in _PRINTED]
    marks = marked(opened.synthetic, ("*",))
    for name, shown in (("quality_patch", "耕地质量评价图斑表"), ("suitability_patch", "土地适宜性图斑表")):
        made.append(spec_table(name, tables[name], title=shown, hide=_CODES, synthetic=marks))
    return workbook(
        made, title=f"{opened.project.name} 耕地质量与适宜性评价", date=f"{context.clock():%Y年%m月%d日}", vintage=opened.vintage, crs_text=opened.patches.crs.name,
        synthetic=tuple(opened.synthetic.values()), made=context.clock(),
    )  # fmt: skip


_CODES = ("limiting", "use", "class")
"""Columns that hold codes of words which stand beside them."""

def _figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    total = tables["quality_total"].set_index("zh")
    keys = {"耕地面积": "farmland_ha", "其中已评等级": "graded_ha", "平均综合指数": "mean_index", "平均质量等级": "mean_grade"}
    found: dict[str, Any] = {f"{k}{side}": _plain(total.loc[zh, column]) for zh, k in keys.items() for column, side in (("before", ""), ("after", "_after"))}
    found["limiting_ha"] = {r.zh: round(float(r.area_ha), 4) for r in tables["quality_limiting"].itertuples()}
    found["suitability_ha"] = {r["use_zh"]: {k: r[f"{k}_ha"] for k in _KINDS} for r in tables["suitability_area"].to_dict("records")}
    return found


def _plain(value: float) -> float | None:
    return None if value != value else float(value)


def _lines(tables: Mapping[str, pd.DataFrame], model: QualityModel, own: Mapping[str, Any]) -> list[str]:
    ratio = max(model.ratios.values(), default=0.0)
    source = f"自定表 {'、'.join(sorted(own))}" if own else "随包指标体系 (编制参数, 置信度低, 须换成本县的)"
    lines = [f"耕地质量: {len(model.indicators)} 项指标, {source}; 判断矩阵一致性比率最大 {ratio:.3f}"]
    for r in tables["quality_total"].itertuples():
        absent, neither = "无" if r.zh == _NEW else "缺数据", "无" if r.note == _NO_NEW else "缺数据"
        lines.append(f"  {r.zh}: " + change_text(r.before, r.after, "{:.2f}".format, unit=r.unit, absent=absent, neither=neither))
    for r in tables["quality_limiting"].head(4).itertuples():
        lines.append(f"  限制因素 {r.zh}: {r.patches} 个图斑, {r.area_ha:.2f} 公顷 ({r.share:.1%})")
    for r in tables["suitability_area"].itertuples():
        lines.append(f"  {r.use_zh}: 高度 {r.high_ha:.2f}, 中度 {r.medium_ha:.2f}, 勉强 {r.low_ha:.2f}, 不适宜 {r.none_ha:.2f}, 禁止 {r.excluded_ha:.2f}, 缺数据 {r.unknown_ha:.2f} 公顷; 主要禁止理由: {r.reason_zh}")
    return lines


_STANDARDS = {"28407": ("quality_gradation", "run_gradation"), "1036": ("quality_reclamation", "run_reclamation"), "30600": ("quality_high_standard", "run_high_standard")}
"""Module and function of the other standards; a module is imported when its standard is asked for."""

SPECS = (
    JobSpec(
        "quality", "耕地质量与适宜性评价", "grade of farmland with its limiting factor, suitability for four uses, before and after a plan",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("indicators", "path", "图斑指标表或复垦样点表 (CSV: patch_id 或 BSM, 与指标列)", "CSV with patch_id (or BSM) and a column a fact; for 1036 a row a sample"),
            JobOption("standard", "choice", "依据标准: 33469 耕地质量等级与适宜性, 28407 农用地分等, 1036 土地复垦质量, 30600 高标准农田",
                      "standard: 33469 farmland quality and suitability, 28407 gradation of farmland, 1036 quality of reclaimed land, 30600 high-standard farmland", default="33469", choices=("33469", *_STANDARDS)),
            JobOption("region", "text", "标准的分区 (代码或名称): 分等指标区, 复垦分区, 高标准农田分区", "region of the standard's tables, by code or name"),
            JobOption("tables", "path", "自定模型表文件夹", "folder with tables of the county in place of the shipped ones"),
            JobOption("out", "path", "图件与附表输出文件夹", "folder for sheets and workbook, the project's quality/ by default"),
        ),
        run,
    ),
)  # fmt: skip
