"""Farmland of a project against the standard of high-standard farmland, with gaps and works (高标准农田达标作业)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import farmland
from qianmo.evaluation.fact_ranges import check_ranges
from qianmo.evaluation.high_standard import (
    HIGH_STANDARD_TABLES,
    HighStandardModel,
    high_standard_model,
    judge_area,
    judge_patches,
    score_patches,
    work_table,
)
from qianmo.evaluation.quality_index import mean_index_grade
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.carbon_account import cover_of
from qianmo.jobs.evaluation.quality_input import merged_facts, soil_of, told_facts
from qianmo.jobs.evaluation.quality_output import Kept, keep_result
from qianmo.jobs.opened import HIGH_STANDARD_RESULTS, Opened, open_for_work, read_tables
from qianmo.jobs.spec import JobReport
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import coded_sheet
from qianmo.reports.spec_table import spec_table
from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.rules import CONFIDENCE_WORDS, parameter, unit_cost, unit_costs
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA, MU_PER_HA
from qianmo.store.model_tables import read_model_tables

__all__ = ["run_high_standard"]

_VERDICTS = {"met": "达标", "partly": "基本达标", "short": "未达标", "unknown": "资料不全"}
_SCOPES = {"parcel": "图斑", "area": "片区"}
_UPGRADE = "C-HSF-UP"
_PADDY = "0101"


def run_high_standard(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Score the farmland, keep the result, write workbook and sheet; nothing is written when anything fails."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    own = {} if not values["tables"] else read_model_tables(Path(values["tables"]), HIGH_STANDARD_TABLES)
    model = high_standard_model(own, region=values["region"])
    strange = sorted({r["cost_item"] for r in model.rows} - {"", *unit_costs()})
    if strange:
        raise RuleError(f"high_standard_indicator: 单价 {', '.join(strange)}", expected="unit_costs 中的编号, 或空白")
    columns = {r["fact"]: r["name_zh"] for r in model.parcel_rows}
    told = told_facts(values["indicators"], opened, columns)
    farm = farmland(opened.patches, scheme=opened.scheme)
    if not farm.any():
        raise MissingDataError("没有耕地图斑", expected="地类 01 的图斑")
    context.step("指标", 0.1)
    facts = _facts(opened, model, told, columns)
    check_ranges(facts, model.parcel_rows)
    facts = facts[farm].reset_index(drop=True)
    area = pd.Series(opened.patches["class_area_m2"].to_numpy(float)[farm] / M2_PER_HA, index=facts["patch_id"])
    context.step("评分", 0.4)
    scores = score_patches(facts, model)
    hilly = float(area[(facts["terrain"] == "hilly").to_numpy()].sum()) > 0.5 * float(area.sum())
    whole = judge_area(scores, area, _whole(opened, model, facts, area), model, "hilly" if hilly else "plain")
    tables = _tables(opened, model, scores, whole, area)
    context.step("制图", 0.6)
    codes = tables["high_standard_patch"].set_index("patch_id")["verdict"]
    remark = (f"分区 {model.region_zh}；限值为编制参数，条文须核对 GB/T 30600 原文。",)
    sheet = coded_sheet(opened.patches, codes, opened.layers.get("village"), cover_of(context, opened), key="high_standard", title="高标准农田达标评价图", group="high_standard", otherwise="off",
                        remarks=remark, uses=("*",))  # fmt: skip
    hide = {"high_standard_total": ("item",), "high_standard_area": ("scope", "indicator"), "high_standard_work": ("work",), "high_standard_patch": ("verdict",), "high_standard_score": ("indicator", "work")}
    marks = marked(opened.synthetic, ("*",))
    printed = [spec_table(n, tables[n], hide=h, synthetic=marks, empty="没有差距" if n == "high_standard_work" else "") for n, h in hide.items()]
    context.step("保存", 0.9)
    inputs = [Path(p) for p in (values["indicators"], *(Path(values["tables"]) / f"{n}.csv" for n in own)) if p]
    lineage = {"standard": "GB/T 30600", "region": model.region, "own_tables": sorted(own)}
    kept = Kept("高标准农田达标评价", "high_standard", tables, HIGH_STANDARD_RESULTS, printed, [sheet], inputs, ("landuse_patch", "soil", "soil_type"), lineage)
    files = keep_result(context, opened, kept, Path(values["out"]) if values["out"] else opened.project.folder / "quality")
    lacking = tables["high_standard_area"]
    lacking = lacking[(lacking["scope"] == "parcel") & lacking["value"].isna()]["indicator"].tolist()
    if lacking:
        missing = {r["fact"]: r["name_zh"] for r in model.parcel_rows if r["indicator"] in lacking}
        context.note("没有数据的指标可用 --indicators 给出: " + ", ".join(f"{fact} ({zh})" for fact, zh in missing.items()))
    return JobReport(tuple(_lines(tables, model, own)), files, _figures(tables, model))


def _facts(opened: Opened, model: HighStandardModel, told: pd.DataFrame | None, columns: Mapping[str, str]) -> pd.DataFrame:
    facts = merged_facts(opened.patches, opened, soil_of(opened), told, names=columns)
    graded = read_tables(opened.project, ("quality_patch",)).get("quality_patch")
    if graded is not None:
        known = graded.set_index("patch_id")["grade"].reindex(facts["patch_id"]).to_numpy(float)
        given = pd.to_numeric(facts["grade"], errors="coerce").to_numpy(float, na_value=np.nan) if "grade" in facts else np.full(len(facts), np.nan)
        facts["grade"] = np.where(np.isfinite(given), given, known)
    slope = pd.to_numeric(facts["slope_deg"], errors="coerce").to_numpy(float, na_value=np.nan)
    return facts.assign(
        land=np.where(opened.patches["class_code"].astype(str).str.startswith(_PADDY), "paddy", "dry"),
        terrain=np.where(slope > parameter("high_standard_plain_slope_deg", opened.overrides), "hilly", "plain"),
    )  # fmt: skip


def _whole(opened: Opened, model: HighStandardModel, facts: pd.DataFrame, area: pd.Series) -> dict[str, float]:
    """Facts of the whole area: share of farmland by a road, share of roads and ditches among farmland with them, mean grade."""
    size = area.to_numpy(float)
    road = pd.to_numeric(facts["road_m"], errors="coerce").to_numpy(float, na_value=np.nan)
    reach = next((float(r["full_high"]) for r in model.applied("parcel", "dry", "plain") if r["fact"] == "road_m" and r["full_high"]), np.nan)
    known = np.isfinite(road)
    code = opened.patches["class_code"].astype(str)
    fields = float(opened.patches["class_area_m2"].to_numpy(float)[np.logical_or.reduce([code.str.startswith(c).to_numpy() for c in model.facilities])].sum()) / M2_PER_HA
    grade = pd.to_numeric(facts["grade"], errors="coerce").to_numpy(float, na_value=np.nan) if "grade" in facts else np.full(len(facts), np.nan)
    return {
        "road_access_share": float(size[known & (road <= reach)].sum() / size.sum()) if known.any() and reach == reach else np.nan,
        "facility_share": fields / (fields + float(size.sum())), "mean_grade": mean_index_grade(grade, size),
    }  # fmt: skip


def _tables(opened: Opened, model: HighStandardModel, scores: pd.DataFrame, whole: pd.DataFrame, area: pd.Series) -> dict[str, pd.DataFrame]:
    known = opened.patches.set_index(opened.patches["patch_id"].astype(str))["class_code"]
    patch = judge_patches(scores)
    patch = patch.assign(
        class_code=known.reindex(patch["patch_id"]).to_numpy(object), area_ha=area.reindex(patch["patch_id"]).to_numpy(float), verdict_zh=[_VERDICTS[v] for v in patch["verdict"]]
    )  # fmt: skip
    work = work_table(scores, area, model)
    prices = [f"{unit_cost(c).low:g} 至 {unit_cost(c).high:g} {unit_cost(c).unit} ({unit_cost(c).zh})" if c else "" for c in work["cost_item"]]
    made = {
        "high_standard_patch": patch, "high_standard_score": scores, "high_standard_work": work.assign(area_mu=work["area_ha"] * MU_PER_HA, price_zh=prices), "high_standard_total": _total(patch),
        "high_standard_area": whole.assign(scope_zh=[_SCOPES[s] for s in whole["scope"]], confidence_zh=[CONFIDENCE_WORDS.get(c, c) for c in whole["confidence"]]),
    }  # fmt: skip
    return {n: t[list(table_spec(n).column_names)].reset_index(drop=True) for n, t in made.items()}


def _total(patch: pd.DataFrame) -> pd.DataFrame:
    rows = [("farmland", "耕地面积", "公顷", float(patch["area_ha"].sum()), "")]
    rows += [(v, f"其中{zh}", "公顷", float(patch.loc[patch["verdict"] == v, "area_ha"].sum()), _NOTES[v]) for v, zh in _VERDICTS.items()]
    gap = patch["gaps_zh"] != ""
    mu = float(patch.loc[gap, "area_ha"].sum()) * MU_PER_HA
    rows.append(("gap_mu", "有差距的耕地", "亩", mu, "任一指标未得满分"))
    price = unit_cost(_UPGRADE)
    for key, zh, each in (("cost_low", "改造提升投资 (低)", price.low), ("cost", "改造提升投资", price.default), ("cost_high", "改造提升投资 (高)", price.high)):
        rows.append((key, zh, "万元", mu * each / 1e4, f"有差距的面积×{price.zh} {each:g} {price.unit}"))
    return pd.DataFrame(rows, columns=["item", "zh", "unit", "value", "note"])


_NOTES = {"met": "各项指标均得 2 分", "partly": "没有 0 分，有 1 分", "short": "有 0 分的指标", "unknown": "没有 0 分，但有必需指标缺数据"}


def _lines(tables: Mapping[str, pd.DataFrame], model: HighStandardModel, own: Mapping[str, Any]) -> list[str]:
    source = f"自定表 {'、'.join(sorted(own))}" if own else "随包限值 (置信度中低, 须核对 GB/T 30600 原文)"
    lines = [f"高标准农田达标评价: {model.region_zh}; {source}"]
    lines += [f"  {r.zh}: {r.value:.2f} {r.unit}" for r in tables["high_standard_total"].itertuples()]
    for r in tables["high_standard_area"][tables["high_standard_area"]["scope"] == "area"].itertuples():
        lines.append(f"  片区 {r.name_zh}: " + ("缺数据" if r.value != r.value else f"{r.value:.4g}, {r.target_zh}, {r.score:g} 分"))
    lines += [f"  {r.work_zh} ({r.indicators_zh}): {r.parcels} 个图斑, {r.area_ha:.2f} 公顷" for r in tables["high_standard_work"].head(6).itertuples()]
    return lines


def _figures(tables: Mapping[str, pd.DataFrame], model: HighStandardModel) -> dict[str, Any]:
    whole = tables["high_standard_area"]
    return {
        "region": model.region, **{r["item"]: float(r["value"]) for r in tables["high_standard_total"].to_dict("records")},
        "area_scores": {r["indicator"]: None if r["score"] != r["score"] else float(r["score"]) for r in whole.to_dict("records")},
        "works_ha": {r["work"]: float(r["area_ha"]) for r in tables["high_standard_work"].to_dict("records")},
    }  # fmt: skip
