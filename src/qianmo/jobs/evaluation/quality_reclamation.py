"""Quality of the reclaimed parcels of a project after TD/T 1036, from samples and yields (土地复垦质量作业)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import text_column
from qianmo.evaluation.fact_ranges import check_ranges
from qianmo.evaluation.reclamation import (
    PENDING,
    RECLAMATION_TABLES,
    ReclamationModel,
    judge_parcels,
    judge_samples,
    reclamation_model,
    target_of,
)
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.carbon_account import cover_of
from qianmo.jobs.evaluation.quality_input import joined_rows
from qianmo.jobs.evaluation.quality_output import Kept, keep_result
from qianmo.jobs.opened import RECLAMATION_RESULTS, Opened, open_for_work, planned_state
from qianmo.jobs.spec import JobReport
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import coded_sheet
from qianmo.reports.spec_table import spec_table
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import CONFIDENCE_WORDS, CONFIRM, FAIL, NO_DATA, PASS
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA
from qianmo.store.model_tables import read_model_tables

__all__ = ["run_reclamation"]

_WORDS = {"sample": "样点名", "target_class": "复垦后地类编码", "form": "地形: terrace 或 梯田, 其余空白"}
_YIELDS = {"years_after": "复垦后第几年", "yield_kg_mu": "单产 (千克/亩)", "surrounding_kg_mu": "周边单产 (千克/亩)"}
_VERDICTS = {PASS: "达标", CONFIRM: "不达标（条文待核实）", FAIL: "不达标", PENDING: "产量未到期", NO_DATA: "资料不全"}
_TERRACE = ("terrace", "梯田")


def run_reclamation(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Judge every sample and parcel of the file, keep the result, write workbook and sheet; nothing is written when anything fails."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    own = {} if not values["tables"] else read_model_tables(Path(values["tables"]), RECLAMATION_TABLES)
    model = reclamation_model(own, region=values["region"])
    if not values["indicators"]:
        raise MissingDataError("没有样点表", expected="--indicators 样点.csv: patch_id (或 BSM), sample 与检测值列", cure="每个样点一行, 见 how-to/quality")
    path = Path(values["indicators"])
    facts = {r["fact"]: r["name_zh"] for r in model.criteria}
    rows = _samples(joined_rows(path, opened, _WORDS | facts | _YIELDS, words=_WORDS, once=False), opened, model, list(facts), path.name)
    check_ranges(rows.assign(label=rows["line"]), model.criteria, label="label")
    context.step("判定", 0.4)
    measured = rows[[f for f in facts if f in rows]].notna().any(axis=1) if any(f in rows for f in facts) else pd.Series(False, index=rows.index)
    samples, yields = rows[measured].reset_index(drop=True), _yields(rows, path.name)
    samples = samples.assign(slope_deg=_own_slope(samples, opened)) if "slope_deg" in facts else samples
    results = judge_samples(samples, model)
    parcels = judge_parcels(samples, results, yields, model, opened.overrides)
    if not len(parcels):
        raise MissingDataError(f"{path.name} 没有检测值, 也没有产量", expected="检测值列: " + ", ".join(facts))
    tables = _tables(opened, rows, results, parcels)
    context.step("制图", 0.6)
    codes = tables["reclamation_patch"].set_index("patch_id")["verdict"]
    remark = (f"分区 {model.region_zh}；标准为编制参数，条文须核对 TD/T 1036 原文。",)
    sheet = coded_sheet(opened.patches, codes, opened.layers.get("village"), cover_of(context, opened), key="reclamation", title="土地复垦质量判定图", group="reclamation", otherwise="off",
                        remarks=remark, uses=("*",))  # fmt: skip
    marks = marked(opened.synthetic, ("*",))
    printed = [
        spec_table("reclamation_total", tables["reclamation_total"], hide=("target",), sums=[c.name for c in table_spec("reclamation_total").columns if c.type != "text"], synthetic=marks),
        spec_table("reclamation_patch", tables["reclamation_patch"], hide=("target", "verdict"), synthetic=marks),
        spec_table("reclamation_result", tables["reclamation_result"], hide=("target", "indicator", "verdict"), synthetic=marks, empty="没有样点检测值"),
    ]
    context.step("保存", 0.9)
    inputs = [path, *(Path(values["tables"]) / f"{n}.csv" for n in own)]
    lineage = {"standard": "TD/T 1036", "region": model.region, "own_tables": sorted(own)}
    kept = Kept("土地复垦质量", "reclamation", tables, RECLAMATION_RESULTS, printed, [sheet], inputs, ("landuse_patch",), lineage)
    files = keep_result(context, opened, kept, Path(values["out"]) if values["out"] else opened.project.folder / "quality")
    return JobReport(tuple(_lines(tables, model, own)), files, _figures(tables, model))


def _samples(rows: pd.DataFrame, opened: Opened, model: ReclamationModel, facts: list[str], name: str) -> pd.DataFrame:
    """Rows with their line in the file, sample name, target and form."""
    patches = opened.patches.set_index(opened.patches["patch_id"].astype(str))
    plan = planned_state(opened)
    planned = patches["class_code"].astype(str) if plan is None else pd.Series(plan.target, index=patches.index)
    lines = [f"第 {k + 2} 行" for k in range(len(rows))]
    blank = pd.Series("", index=rows.index)
    told = {k: rows[k].astype(str).str.strip() if k in rows else blank for k in _WORDS}
    strange = [f"{line} {form}" for line, form in zip(lines, told["form"]) if form and form not in _TERRACE]
    if strange:
        raise SchemaError(f"{name}: 地形 {', '.join(strange[:3])}", expected="terrace (梯田), 或空白")
    code = np.where(told["target_class"] != "", told["target_class"], planned.reindex(rows["patch_id"]).to_numpy(object))
    targets = target_of(list(code), model)
    terraced = text_column(patches, "farmland_type").reindex(rows["patch_id"]).to_numpy() == "TT"
    form = np.where(told["form"].isin(_TERRACE) | terraced, "terrace", "")
    out = rows.assign(line=lines, sample=np.where(told["sample"] != "", told["sample"], lines), target=[t for t, _ in targets], target_zh=[z for _, z in targets], form=form)
    split = out.groupby("patch_id")["target"].nunique()
    mixed = [str(p) for p in split.index[split > 1]]
    if mixed:
        raise SchemaError(f"{name}: 图斑 {', '.join(mixed[:3])} 的样点复垦方向不同", expected="一个图斑一个复垦方向", cure="核对 target_class, 或先分割图斑")
    return out


def _yields(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    table = rows.reindex(columns=["patch_id", "line", *_YIELDS]).dropna(how="all", subset=list(_YIELDS)[1:])
    numbers = table[list(_YIELDS)].astype(float)
    bad = table["line"][(~np.isfinite(numbers)).any(axis=1) | (numbers["years_after"] < 0) | (numbers["yield_kg_mu"] < 0) | ~(numbers["surrounding_kg_mu"] > 0)]
    if len(bad):
        raise SchemaError(f"{name}: {', '.join(bad.head(3))} 产量不全或不可能", expected="years_after 不小于 0, yield_kg_mu 不小于 0, surrounding_kg_mu 大于 0, 三列同时给出", cure="补齐这些行, 或三列都留空")
    return table.astype(dict.fromkeys(_YIELDS, float)).reset_index(drop=True)


def _own_slope(samples: pd.DataFrame, opened: Opened) -> np.ndarray:
    """Slope of the sample, else the mean slope of its parcel."""
    told = samples["slope_deg"].to_numpy(float) if "slope_deg" in samples else np.full(len(samples), np.nan)
    if "slope_deg" not in opened.patches:
        return told
    mean = pd.to_numeric(opened.patches["slope_deg"], errors="coerce").set_axis(opened.patches["patch_id"].astype(str)).reindex(samples["patch_id"]).to_numpy(float)
    return np.where(np.isfinite(told), told, mean)


def _tables(opened: Opened, rows: pd.DataFrame, results: pd.DataFrame, parcels: pd.DataFrame) -> dict[str, pd.DataFrame]:
    known = opened.patches.set_index(opened.patches["patch_id"].astype(str))
    aims = rows.drop_duplicates("patch_id").set_index("patch_id")
    patch = parcels.assign(
        class_code=known["class_code"].reindex(parcels["patch_id"]).to_numpy(object), area_ha=known["area_m2"].astype(float).reindex(parcels["patch_id"]).to_numpy() / M2_PER_HA,
        target=aims["target"].reindex(parcels["patch_id"]).to_numpy(object), target_zh=aims["target_zh"].reindex(parcels["patch_id"]).to_numpy(object),
        verdict_zh=[_VERDICTS[v] for v in parcels["verdict"]],
    )  # fmt: skip
    sums = patch.pivot_table(index=["target", "target_zh"], columns="verdict", values="area_ha", aggfunc="sum", fill_value=0.0).reindex(columns=list(_VERDICTS), fill_value=0.0)
    total = sums.add_suffix("_ha").assign(parcels=patch.groupby(["target", "target_zh"]).size(), area_ha=patch.groupby(["target", "target_zh"])["area_ha"].sum()).reset_index()
    shown = results.assign(verdict_zh=[_VERDICTS[v] for v in results["verdict"]], confidence_zh=[CONFIDENCE_WORDS.get(c, c) for c in results["confidence"]])
    made = {"reclamation_result": shown, "reclamation_patch": patch, "reclamation_total": total}
    return {n: t[list(table_spec(n).column_names)].reset_index(drop=True) for n, t in made.items()}


def _lines(tables: Mapping[str, pd.DataFrame], model: ReclamationModel, own: Mapping[str, Any]) -> list[str]:
    source = f"自定表 {'、'.join(sorted(own))}" if own else "随包标准 (置信度低, 须核对 TD/T 1036 原文)"
    lines = [f"土地复垦质量: {model.region_zh}, {model.years:g} 年内达到周边产量; {source}"]
    for r in tables["reclamation_total"].to_dict("records"):
        said = ", ".join(f"{zh} {r[f'{v}_ha']:.2f}" for v, zh in _VERDICTS.items() if r[f"{v}_ha"] > 0)
        lines.append(f"  {r['target_zh']}: {r['parcels']} 个地块, {r['area_ha']:.2f} 公顷; {said} 公顷")
    bad = tables["reclamation_patch"][tables["reclamation_patch"]["verdict"] != PASS]
    lines += [f"  {r.patch_id} {r.verdict_zh}: {r.reason_zh}" for r in bad.head(5).itertuples()]
    return [*lines, f"  其余 {len(bad) - 5} 个见附表"] if len(bad) > 5 else lines


def _figures(tables: Mapping[str, pd.DataFrame], model: ReclamationModel) -> dict[str, Any]:
    parcels = tables["reclamation_patch"]
    return {"region": model.region, "parcels": len(parcels), "samples": int(parcels["samples"].sum()), "verdicts": {v: int((parcels["verdict"] == v).sum()) for v in _VERDICTS},
            "area_ha": {v: float(parcels.loc[parcels["verdict"] == v, "area_ha"].sum()) for v in _VERDICTS}}  # fmt: skip
