"""Adjust permanent basic farmland: what leaves, what enters, the form, the proof (永久基本农田布局调整)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.basic_farmland_form import moved_areas
from qianmo.evaluation.classes import text_column
from qianmo.evaluation.compliance import verdicts
from qianmo.evaluation.facts import Facts
from qianmo.evaluation.form_levelling import levelled_form
from qianmo.jobs.context import Context
from qianmo.jobs.opened import PLAN_GRIDS, PLAN_LAYERS, PLAN_TABLES, SWAP_LAYERS, SWAP_TABLES, Opened, open_for_work
from qianmo.jobs.planning.proof_of import keep_proof
from qianmo.jobs.planning.swap_units import SwapUnits, swap_units
from qianmo.jobs.searching import Searching, limits_of_search, teller
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.farmland_swap.land import land_from_table
from qianmo.planning.farmland_swap.settings import SwapSettings
from qianmo.planning.farmland_swap.swap import SwapResult, swap
from qianmo.planning.verify import verify
from qianmo.reports.adjustment_form import adjustment_form, form_values
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameters, rules
from qianmo.schema.units import m2_to_mu
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change
from qianmo.store.stage import Stage

__all__ = ["RULES", "SPECS", "run"]

RULES = ("Z-02", "Z-03", "Z-04", "Z-05", "Z-06", "Z-07", "Z-08", "Z-09", "Z-10", "Y-08")
"""Rules that a swap makes answerable."""

_WORDS = {"pass": "通过", "fail": "不通过", "needs_confirmation": "规则文本待核实", "no_data": "缺数据"}
_LAYERS = {"basic_farmland_after": "永久基本农田(调整后)", "basic_farmland_out": "永久基本农田调出", "basic_farmland_in": "永久基本农田调入"}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Choose the swap, check the proof by a second route, answer the rules, keep layers, tables and form."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    settings = _settings(opened, values)
    context.step("整理调整单元", 0.1)
    units = swap_units(opened)
    land = land_from_table(units.table, units.borders, class_scheme=opened.scheme)
    context.step("求解调出调入", 0.25)
    gap = values["gap"] if values["gap"] is not None else settings.value("swap_gap_rel")
    minutes = values["minutes"] if values["minutes"] is not None else settings.value("swap_minutes")
    gap, seconds = limits_of_search(float(gap), float(minutes) * 60.0, default_gap=0.0, default_seconds=0.0)
    with context.catch() as stop:
        search = Searching(gap, seconds, time.monotonic, teller(context, "求解调出调入", seconds, time.monotonic, low=0.25, high=0.6), stop)
        result = swap(land, settings=settings, gap=gap, time_limit_s=seconds, timer=time.monotonic, search=search)
    context.step("独立核验证明", 0.6)
    checks = verify(result.formulation.problem, result.solution.choice, result.certificate, result.prices)
    failed = [c for c in checks if not c["ok"]]
    if failed:
        raise SchemaError(f"证明核验未通过: {failed[:3]}", expected="目标值、约束与上界全部复核一致", cure="请保留项目并反馈")
    context.step("填写审查表、判定规则", 0.7)
    layers = _layers(opened, units, result)
    moved = bool(len(layers["basic_farmland_out"]) and len(layers["basic_farmland_in"]))
    form = _form(opened, layers) if moved else None
    judged = _judged(opened, layers, settings) if moved else None
    context.step("保存调整成果", 0.85)
    sheet = opened.project.folder / "swap" / "永久基本农田布局调整审查情况汇总表.xlsx"
    with change(opened.project.folder, what="永久基本农田布局调整", user=context.user, now=context.clock()) as stage:
        _put(stage, opened, layers, result, form, judged, context, moved=moved)
        keep_proof(
            stage.folder / "swap_proof", result.formulation.problem, result.solution, now=context.clock(), prices=result.prices, area_m2=land.area,
            patch_id=units.table["unit_id"].to_numpy(object),
        )  # fmt: skip
        stage.put_json("swap_certificate", _plain({**result.certificate, "checks": checks}))
    files = [(str(opened.project.folder / "onemap.gpkg"), "调整后、调出、调入图层已加入")] if moved else []
    if form is not None:
        replace_bytes(sheet, adjustment_form(form, project_name=opened.project.name, synthetic=tuple(opened.synthetic.values()), date=f"{context.clock():%Y年%m月%d日}"))
        files.append((str(sheet), "审查情况汇总表"))
    figures = {**_figures(result), "interrupted": search.stopped}
    if values["json"]:
        return JobReport((json.dumps(_plain({"figures": figures, "certificate": result.certificate}), ensure_ascii=False),), (), figures)
    early = (f"按要求提前结束求解, 保留当前最优方案, 差距 {result.certificate['gap_rel']:.4%} (ended early with the best plan so far)",) if search.stopped else ()
    return JobReport((*early, *_lines(result, judged, checks)), tuple(files), figures)


def _settings(opened: Opened, values: Mapping[str, Any]) -> SwapSettings:
    told = dict(opened.project.settings.get("swap", {}))
    numbers = {k: float(v) for k, v in opened.overrides.items() if not isinstance(v, str)}
    basis = str(opened.overrides.get("pbf_denominator", parameters()["pbf_denominator"].default))
    township = opened.documents.get("township_basic_farmland_m2")
    return SwapSettings(
        surplus=_first(values["surplus"], told.get("surplus")), cap=_first(values["cap"], told.get("cap")),
        base_m2=float(township) if basis == "township" and township else None,
        parameters={k: v for k, v in numbers.items() if k not in rules()}, rule_values={k: v for k, v in numbers.items() if k in rules()},
        waived=tuple(values["waive"] or told.get("waived", ())), leave_without_reason=bool(told.get("leave_without_reason", False)),
        fewest_changes=bool(values["fewest"] or told.get("fewest_changes", False)), reserve_first=bool(told.get("reserve_first", False)),
        class_scheme=opened.scheme,
    )  # fmt: skip


def _first(*values: Any) -> float | None:
    return next((float(v) for v in values if v is not None), None)


def _layers(opened: Opened, units: SwapUnits, result: SwapResult) -> dict[str, gpd.GeoDataFrame]:
    table = units.table
    was = table["is_protected"].to_numpy(bool)
    rows = _as_basic_farmland(opened, units)
    rows["reason"], rows["rule_ids"] = result.parcels["reason"].to_numpy(object), result.parcels["rule_ids"].to_numpy(object)
    rows["to_confirm"] = result.parcels["to_confirm"].to_numpy(object)
    sides = {"basic_farmland_out": was & ~result.after, "basic_farmland_in": ~was & result.after, "basic_farmland_after": result.after}
    return {name: rows[side].reset_index(drop=True) for name, side in sides.items()}


def _as_basic_farmland(opened: Opened, units: SwapUnits) -> gpd.GeoDataFrame:
    """Every unit in the columns of table ``basic_farmland``, with today's class, and the flags of the form where known."""
    table, base = units.table, opened.layers["basic_farmland"]
    patches = pd.DataFrame(opened.patches.drop(columns="geometry")).iloc[units.patch_row].reset_index(drop=True)
    out = pd.DataFrame({"patch_id": table["unit_id"], "class_code": table["class_code"]})
    for name in ("owner_name", "location_code", "location_name"):
        out[name] = text_column(patches, name)
    out["farmland_number"] = ""
    at = units.protected_row >= 0
    out.loc[at, "farmland_number"] = text_column(base, "farmland_number").to_numpy(object)[units.protected_row[at]]
    out["patch_area_m2"] = patches["area_m2"].to_numpy(float)
    if "patch_area_m2" in base:
        own = pd.to_numeric(base["patch_area_m2"], errors="coerce").to_numpy(float)[units.protected_row[at]]
        out.loc[at, "patch_area_m2"] = np.where(np.isfinite(own), own, table["area_m2"].to_numpy(float)[at])
    out["area_m2"] = table["area_m2"].to_numpy(float)
    low, high = table["slope_low_deg"].to_numpy(float), table["slope_high_deg"].to_numpy(float)
    out["slope_deg"] = np.where(low == high, low, np.nan)
    out["slope_class"] = text_column(patches, "slope_class")
    if "slope_class" in base:
        out.loc[at, "slope_class"] = text_column(base, "slope_class").to_numpy(object)[units.protected_row[at]]
    out["quality_grade"] = pd.array(np.nan_to_num(table["quality_grade"].to_numpy(float)).astype(int), dtype="Int64")
    out.loc[~np.isfinite(table["quality_grade"].to_numpy(float)), "quality_grade"] = pd.NA
    stable = table["is_stable"].to_numpy(float)
    out["is_stable"] = np.where(np.isfinite(stable), np.where(stable == 1, "1", "0"), "").astype(object)
    high_standard = table["is_high_standard"].to_numpy(float)
    if np.isfinite(high_standard).all():
        out["is_high_standard"] = high_standard == 1
    return gpd.GeoDataFrame(out, geometry=table.geometry.to_numpy(), crs=table.crs)


def _form(opened: Opened, layers: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    told = dict(opened.project.settings.get("swap", {}))
    towns = _townships(opened.patches)
    texts = {
        "xmmc": opened.project.name, "xzmc": str(told.get("townships", "") or "、".join(towns)), "sfsj": "是", "sfbz": "是",
        "scjg3": told.get("ecology_conclusion"), "scjg5": told.get("other_opinion"),
    }  # fmt: skip
    base = float(moved_areas(opened.layers["basic_farmland"]).sum())
    form = levelled_form(layers["basic_farmland_out"], layers["basic_farmland_in"], base_m2=base, scheme=opened.scheme, texts=texts)
    rise = form.loc[form["field"] == "scjg2", "value"].iloc[0]
    return form.assign(value=[rise if f == "jhtszld" else v for f, v in zip(form["field"], form["value"])])


def _townships(patches: gpd.GeoDataFrame) -> list[str]:
    """Names of the townships from the names of the locations, else their codes."""
    names = text_column(patches, "location_name").str.extract(r"(?:[县市区旗])([^县市区旗]+?(?:镇|乡|街道))", expand=False).dropna()
    codes = {c[:9] for c in text_column(patches, "village_code")} - {""}
    return sorted(set(names)) or sorted(codes)


def _judged(opened: Opened, layers: Mapping[str, gpd.GeoDataFrame], settings: SwapSettings) -> pd.DataFrame:
    thresholds = {"Z-02": settings.surplus_share, "Z-03": settings.cap_share}
    facts = Facts(
        opened.patches, {**opened.layers, **layers}, opened.scheme, documents={**opened.documents, "basic_farmland_adjusted": True},
        overrides={**opened.overrides, **thresholds},
    )  # fmt: skip
    return verdicts(facts, rule_ids=RULES)


def _put(
    stage: Stage, opened: Opened, layers: Mapping[str, gpd.GeoDataFrame], result: SwapResult, form: pd.DataFrame | None,
    judged: pd.DataFrame | None, context: Context, *, moved: bool,
) -> None:  # fmt: skip
    stage.remove_tables((*SWAP_TABLES, *PLAN_TABLES))
    for name in (*SWAP_LAYERS, *PLAN_LAYERS, *PLAN_GRIDS):
        stage.remove(name)
    base = opened.datasets["basic_farmland"]
    moment = context.clock().isoformat(timespec="seconds")
    settings = result.formulation.settings
    facts = {"gap_rel": result.certificate["gap_rel"], "surplus": settings.surplus_share, "cap": settings.cap_share, "waived": list(settings.waived)}
    lineage = Lineage("qianmo swap", "", f"qianmo {__version__} swap", moment, context.user, facts)
    synthetic = bool(opened.synthetic)
    for name in SWAP_LAYERS if moved else ():
        frame = layers[name]
        stage.put_layer(frame, Dataset(name, "basic_farmland", _LAYERS[name], base.crs, base.class_scheme, base.vintage, synthetic, len(frame), lineage))
    tables = {"swap_parcel": result.parcels, "swap_balance": result.balance, "swap_questions": result.questions, "swap_form": form, "swap_verdicts": judged}
    for name, table in tables.items():
        if table is not None:
            stage.put_table(name, table.assign(value=form_values(table)) if name == "swap_form" else table)


def _figures(result: SwapResult) -> dict[str, Any]:
    total = result.balance[(result.balance["item"] == "total") & (result.balance["township_code"] == "*")].iloc[0]
    c = result.certificate
    return {
        "gap": c["gap_rel"], "out_m2": float(total["out_m2"]), "in_m2": float(total["in_m2"]), "before_m2": float(total["before_m2"]),
        "after_m2": float(total["after_m2"]), "n_out": c["n_out"], "n_in": c["n_in"], "objective_yuan": c["objective"], "bound_yuan": c["bound"],
    }  # fmt: skip


def _lines(result: SwapResult, judged: pd.DataFrame | None, checks: list[dict[str, Any]]) -> list[str]:
    c, f = result.certificate, _figures(result)
    out, into = f["out_m2"], f["in_m2"]
    if not c["n_out"] and not c["n_in"]:
        lines = ["在现有数据与约束下, 不调整即为最优; 不填报审查表, 不生成图层"]
    elif not c["n_out"] or not c["n_in"]:
        lines = [f"只有一侧有变化 (调出 {c['n_out']} 个, 调入 {c['n_in']} 个), 不构成布局调整: 不填报审查表, 不生成图层; 逐图斑结果见表 swap_parcel"]
    else:
        lines = [
            f"调出 {c['n_out']} 个 {m2_to_mu(out):.2f} 亩, 调入 {c['n_in']} 个 {m2_to_mu(into):.2f} 亩; 净增 {m2_to_mu(into - out):.2f} 亩 ({(into - out) / out:.2%}); "
            f"永农 {m2_to_mu(f['before_m2']):.2f} → {m2_to_mu(f['after_m2']):.2f} 亩"
        ]
    lines.append(f"证明: 得分 {c['objective']:.2f} 元, 可独立复核的上界 {c['bound']:.2f} 元 (差距 {c['gap_rel']:.4%}); 独立核验 {len(checks)} 项全部一致")
    if c["solver_bound"] < c["bound"]:
        lines.append(f"      精确搜索给出的上界 {c['solver_bound']:.2f} 元 (差距 {c['solver_gap_rel']:.4%})")
    if c["bound_without_means"] > c["bound"] * (1 + 1e-9):
        lines.append(f"      调入调出均值规则 (Z-04、Z-05) 按参考值施加; 不施加时的上界 {c['bound_without_means']:.2f} 元")
    if (block := c.get("minimum_block")) is not None:
        exact = "" if block["price_is_exact"] else " (至多)"
        lines.append(f"  最小连片 {m2_to_mu(block['least_m2']):.2f} 亩: 原有过小连片 {block['blocks_too_small_before']} 个, 硬性规则的代价 {block['price']:.2f} 元{exact}")
    lines += [f"  未施加 {x['zh']} ({x['rule_id']}): {x['why']}" for x in c["not_imposed"]]
    binding = [x for x in c["limits"] if abs(x["price"]) > 1e-9]
    lines += [f"  起作用的约束 {x['rule_id'] if x['rule_id'] in rules() else '(自定)'} {x['zh']}: 每亩影子价格 {abs(x['price']) * 10_000 / 15:.2f} 元" for x in binding if x["unit"] == "m2"]
    if judged is not None:
        lines += [f"  {r.rule_id} {_WORDS[r.verdict]}: {r.numbers or '缺少 ' + str(r.missing)}" for r in judged.itertuples()]
    lines += [f"  待核实 {'调出' if q.side == 'out' else '调入'}: {q.zh} ({q.rule_id}), {q.units} 个 {m2_to_mu(q.area_m2):.2f} 亩" for q in result.questions.itertuples()]
    return lines


def _plain(value: Any) -> Any:
    """Numbers, text, lists and dicts of plain Python; what is no number becomes None."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


SPECS = (
    JobSpec(
        "swap", "永久基本农田布局调整", "adjust permanent basic farmland within all limits, with a proof and the review form",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("surplus", "number", "净增比例下限, 如 0.05", "least net gain on the area moved out (Z-02)"),
            JobOption("cap", "number", "调出比例上限, 如 0.05", "greatest share moved out (Z-03)"),
            JobOption("waive", "texts", "不作为约束的项目, 如 township", "limit of swap_limits.csv not to be imposed"),
            JobOption("fewest", "flag", "改动图斑最少", "change as few patches as possible"),
            JobOption("gap", "number", "差距目标, 如 0.001", "target of the proven gap"),
            JobOption("minutes", "number", "求解时间上限 (分钟)", "time limit of the search in minutes"),
            JobOption("json", "flag", "以 JSON 输出", "print JSON"),
        ),
        run,
    ),
)  # fmt: skip
