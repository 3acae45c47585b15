"""Gradation of the farmland of a project after GB/T 28407, before and after a plan (农用地分等作业)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import farmland, text_column
from qianmo.evaluation.fact_ranges import changed_by_works, check_ranges
from qianmo.evaluation.gradation import crop_indices, gradation, grain_capacity
from qianmo.evaluation.gradation_model import BIN_KINDS, GRADATION_TABLES, GradationModel, gradation_model
from qianmo.evaluation.gradation_use import use_coefficients, use_facts
from qianmo.evaluation.quality_index import mean_index_grade
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.carbon_account import cover_of
from qianmo.jobs.evaluation.quality_input import merged_facts, soil_of, told_facts
from qianmo.jobs.evaluation.quality_output import Kept, keep_result
from qianmo.jobs.opened import GRADATION_RESULTS, Opened, open_for_work, planned_state
from qianmo.jobs.spec import JobReport
from qianmo.reports.before_after import change_text
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import coded_sheet
from qianmo.reports.spec_table import spec_table
from qianmo.schema.errors import MissingDataError
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA, MU_PER_HA
from qianmo.store.model_tables import read_model_tables

__all__ = ["run_gradation"]

_KIND_ZH = {"natural": "自然质量等", "use": "利用等", "economic": "经济等"}
_FROM_ZH = {"parcel": "直接给出", "yield": "实际产量", "village": "本村样点平均", "": ""}
_KG_PER_T = 1000.0


@dataclass(frozen=True)
class _State:
    """Farmland of one state: rows of the patches, class area [ha], result of the gradation."""

    rows: np.ndarray
    area_ha: np.ndarray
    table: pd.DataFrame


def run_gradation(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Grade farmland by the region's tables, keep the result, write workbook and sheets; nothing is written when anything fails."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    own = {} if not values["tables"] else read_model_tables(Path(values["tables"]), GRADATION_TABLES)
    model = gradation_model(own, region=values["region"])
    columns = {r["fact"]: r["name_zh"] for r in model.indicators} | use_facts(model)
    told = told_facts(values["indicators"], opened, columns, words=model.worded)
    context.step("分等因素", 0.1)
    soil = soil_of(opened)
    facts = merged_facts(opened.patches, opened, soil, told, names=columns)
    check_ranges(facts, model.indicators, words=model.worded)
    farm = farmland(opened.patches, scheme=opened.scheme)
    if not farm.any():
        raise MissingDataError("没有耕地图斑", expected="地类 01 的图斑")
    village = text_column(opened.patches, "village_code").to_numpy()
    coefficients = use_coefficients(facts, model, np.where(farm, opened.patches["class_area_m2"].to_numpy(float), 0.0), village)
    context.step("分等", 0.4)
    now = _state(opened, facts, coefficients, model, farm, opened.patches["class_area_m2"].to_numpy(float))
    plan = planned_state(opened)
    later = None
    if plan is not None:
        patches = opened.patches.assign(class_code=plan.target, class_area_m2=plan.class_area_m2)
        measured = merged_facts(patches, opened, soil, told, names=columns, measure=plan.measure)
        after = changed_by_works(measured, plan.measure, model.effects, model.ranks, what="gradation_effect")
        later = _state(opened, after, coefficients, model, farmland(patches, scheme=opened.scheme), plan.class_area_m2)
    crops = crop_indices(facts.iloc[now.rows], model, coefficients.iloc[now.rows])
    basis = "use" if np.isfinite(now.table["use_grade"]).any() else "natural"
    tables = _tables(opened, model, now, later, (plan.target, plan.measure) if plan is not None else None, coefficients, basis) | {"gradation_crop_index": crops}
    context.step("制图", 0.6)
    cover, villages = cover_of(context, opened), opened.layers.get("village")
    remark = ("1等最好，15等最差；指标区、分值与权重为编制参数，非正式分等成果。",)
    sheets = []
    for kind in BIN_KINDS:
        for side, said in (("", ""), ("_after", "整治后")):
            column = f"{kind}_grade{side}"
            if tables["gradation_patch"][column].notna().any():
                codes = _codes(tables["gradation_patch"], column)
                sheets.append(coded_sheet(opened.patches, codes, villages, cover, key=f"gradation_{column}", title=f"{said}农用地{_KIND_ZH[kind]}别图", group="gradation_grade",
                                          otherwise="off", remarks=remark, uses=("*",)))  # fmt: skip
    marks = marked(opened.synthetic, ("*",))
    printed = [
        spec_table("gradation_total", tables["gradation_total"], hide=("item",), synthetic=marks),
        spec_table("gradation_grade_area", tables["gradation_grade_area"], hide=("grade",), sums=[c for c in tables["gradation_grade_area"] if c.endswith("_ha")], synthetic=marks),
        spec_table("gradation_patch", tables["gradation_patch"], hide=("limiting",), synthetic=marks),
        spec_table("gradation_crop_index", crops, hide=("crop",), synthetic=marks),
    ]
    context.step("保存", 0.9)
    inputs = [Path(p) for p in (values["indicators"], *(Path(values["tables"]) / f"{n}.csv" for n in own)) if p]
    lineage = {"standard": "GB/T 28407", "region": model.region, "own_tables": sorted(own), "with_plan": later is not None, "capacity_basis": basis}
    kept = Kept("农用地分等", "gradation", tables, GRADATION_RESULTS, printed, sheets, inputs, ("landuse_patch", "soil", "soil_type"), lineage)
    folder = Path(values["out"]) if values["out"] else opened.project.folder / "quality"
    files = keep_result(context, opened, kept, folder)
    if not np.isfinite(now.table["use_index"]).any():
        context.note("没有产量或利用系数, 未评利用等与经济等; 用 --indicators 给出 " + ", ".join(use_facts(model)))
    return JobReport(tuple(_lines(tables, model, own)), files, _figures(tables, model))


def _state(opened: Opened, facts: pd.DataFrame, coefficients: pd.DataFrame, model: GradationModel, farm: np.ndarray, area_m2: np.ndarray) -> _State:
    rows = np.flatnonzero(farm)
    return _State(rows, area_m2[rows] / M2_PER_HA, gradation(facts.iloc[rows], model, coefficients.iloc[rows], opened.overrides))


def _tables(
    opened: Opened, model: GradationModel, now: _State, later: _State | None, plan: tuple[np.ndarray, np.ndarray] | None, coefficients: pd.DataFrame, basis: str
) -> dict[str, pd.DataFrame]:
    patches = opened.patches
    rows = now.rows if later is None else np.union1d(now.rows, later.rows)
    first = now.table.set_axis(now.rows).reindex(rows)
    second = first.assign(**dict.fromkeys(first.columns, np.nan)) if later is None else later.table.set_axis(later.rows).reindex(rows)
    out = first.assign(
        patch_id=patches["patch_id"].to_numpy(object)[rows], class_code=patches["class_code"].to_numpy(object)[rows],
        target_class=None if plan is None else plan[0][rows], measure=None if plan is None else plan[1][rows],
        area_ha=patches["class_area_m2"].to_numpy(float)[rows] / M2_PER_HA, coefficient_zh=[_FROM_ZH[w] for w in coefficients["coefficient_from"].to_numpy()[rows]],
        limiting=first["limiting"].fillna(""), limiting_zh=first["limiting_zh"].fillna(""), limiting_after_zh=second["limiting_zh"].astype(object).fillna(""),
        capacity_kg_mu=grain_capacity(first[f"{basis}_grade"].to_numpy(float), opened.overrides), register_grade=_register(patches)[rows],
        natural_index_after=second["natural_index"], capacity_after_kg_mu=grain_capacity(second[f"{basis}_grade"].to_numpy(float), opened.overrides),
        **{f"{k}_grade_after": second[f"{k}_grade"] for k in BIN_KINDS},
    )  # fmt: skip
    return {
        "gradation_patch": out[list(table_spec("gradation_patch").column_names)].reset_index(drop=True),
        "gradation_total": _total(opened, now, later, basis), "gradation_grade_area": _by_grade(now, later),
    }  # fmt: skip


def _register(patches: pd.DataFrame) -> np.ndarray:
    if "quality_grade" not in patches:
        return np.full(len(patches), np.nan)
    grade = pd.to_numeric(patches["quality_grade"], errors="coerce").to_numpy(float, na_value=np.nan)
    return np.where((grade >= 1) & (grade <= 15), grade, np.nan)


def _total(opened: Opened, now: _State, later: _State | None, basis: str) -> pd.DataFrame:
    nan = float("nan")

    def both(measure: Any) -> tuple[float, float]:
        return measure(now), nan if later is None else measure(later)

    def mean(kind: str) -> Any:
        return lambda s: mean_index_grade(s.table[f"{kind}_grade"].to_numpy(float), s.area_ha)

    def tonnes(s: _State) -> float:
        capacity = grain_capacity(s.table[f"{basis}_grade"].to_numpy(float), opened.overrides)
        return float(np.nansum(capacity * s.area_ha * MU_PER_HA)) / _KG_PER_T if np.isfinite(capacity).any() else nan

    def graded(kind: str) -> Any:
        return lambda s: float(s.area_ha[np.isfinite(s.table[f"{kind}_grade"].to_numpy(float))].sum())

    rows = [("farmland", "耕地面积", "公顷", *both(lambda s: float(s.area_ha.sum())), "")]
    for kind in BIN_KINDS:
        rows.append((f"{kind}_graded", f"其中已评{_KIND_ZH[kind]}", "公顷", *both(graded(kind)), "已知权重或系数不足的不评"))
        rows.append((f"{kind}_grade", f"平均{_KIND_ZH[kind]}别", "等", *both(mean(kind)), "按面积加权，1等最好"))
    old = None if later is None else np.isin(later.rows, now.rows)
    if later is not None and old is not None and not old.all():
        grade = later.table[f"{basis}_grade"].to_numpy(float)
        rows.append(("old_grade", f"原有耕地平均{_KIND_ZH[basis]}别", "等", mean(basis)(now), mean_index_grade(grade[old], later.area_ha[old]), "整治后仍为耕地的"))
        rows.append(("new_grade", f"新增耕地平均{_KIND_ZH[basis]}别", "等", nan, mean_index_grade(grade[~old], later.area_ha[~old]), "由其他地类整治而来"))
    rows.append(("capacity", "耕地产能", "吨/年", *both(tonnes), f"按{_KIND_ZH[basis]}别，(15.5−等别)×100千克/亩；未评的不计"))
    grade = _register(opened.patches)[now.rows]
    if np.isfinite(grade).any():
        rows.append(("register_grade", "数据库平均等别(GDDB)", "等", mean_index_grade(grade, now.area_ha), nan, "国土调查数据库，不随本次评定改变"))
        rows.append(("register_capacity", "数据库等别对应产能", "吨/年", float(np.nansum(grain_capacity(grade, opened.overrides) * now.area_ha * MU_PER_HA)) / _KG_PER_T, nan, "无等别的不计"))
    return pd.DataFrame(rows, columns=["item", "zh", "unit", "before", "after", "note"])


def _by_grade(now: _State, later: _State | None) -> pd.DataFrame:
    rows = []
    for grade in (*range(1, 16), np.nan):
        row: dict[str, Any] = {"grade": grade, "zh": f"{grade:g}等" if grade == grade else "未评"}
        for kind in BIN_KINDS:
            for side, s in (("", now), ("_after", later)):
                found = None if s is None else s.table[f"{kind}_grade"].to_numpy(float)
                row[f"{kind}{side}_ha"] = np.nan if s is None or found is None else float(s.area_ha[np.isnan(found) if grade != grade else found == grade].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _codes(table: pd.DataFrame, column: str) -> pd.Series:
    known = table["known_weight"].notna() if not column.endswith("_after") else table["natural_index_after"].notna()
    grade = table[column].to_numpy(float)
    codes = np.where(known, [f"{g:g}" if g == g else "unknown" for g in grade], "off")
    return pd.Series(codes, index=table["patch_id"].to_numpy(object))


def _lines(tables: Mapping[str, pd.DataFrame], model: GradationModel, own: Mapping[str, Any]) -> list[str]:
    source = f"自定表 {'、'.join(sorted(own))}" if own else "随包示例参数 (置信度低, 非正式等别, 须换成本县的)"
    crops = "、".join(c.zh for c in model.crops)
    lines = [f"农用地分等: 指标区 {model.region_zh}, 指定作物 {crops}, {'几何' if model.is_geometric else '加权'}平均; {source}"]
    for r in tables["gradation_total"].itertuples():
        if r.before == r.before or r.after == r.after:
            lines.append(f"  {r.zh}: " + change_text(r.before, r.after, "{:.2f}".format, unit=r.unit, absent="无" if r.item == "new_grade" else "缺数据"))
    return lines


def _figures(tables: Mapping[str, pd.DataFrame], model: GradationModel) -> dict[str, Any]:
    rows = tables["gradation_total"].to_dict("records")
    found: dict[str, Any] = {f"{r['item']}{side}": None if r[k] != r[k] else float(r[k]) for r in rows for k, side in (("before", ""), ("after", "_after"))}
    return {"region": model.region} | found
