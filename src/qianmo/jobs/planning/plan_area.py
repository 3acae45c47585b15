"""Plan a project: one measure a parcel, solved to a proven gap (编制方案)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.evaluate import before_and_after
from qianmo.evaluation.facts import Facts
from qianmo.geo.adjacency import shared_borders
from qianmo.geo.overlay import share_inside
from qianmo.jobs.compared import compared, previous_plan
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.evaluate_area import faults_of
from qianmo.jobs.evaluation.service_lines import checked_services, service_lines
from qianmo.jobs.opened import (
    CARBON_TABLES,
    GRADATION_RESULTS,
    PLAN_GRIDS,
    QUALITY_TABLES,
    RECLAMATION_RESULTS,
    Opened,
    open_for_work,
    read_tables,
)
from qianmo.jobs.planning.proof_of import by_cases, keep_proof, source_hashes
from qianmo.jobs.searching import Searching, limits_of_search, teller
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.diff import patch_scores
from qianmo.planning.plan import PlanResult, plan
from qianmo.planning.settings import PlanSettings, Window
from qianmo.planning.verify import verify
from qianmo.reports.before_after import change_text
from qianmo.reports.table_frames import verdict_word
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.measures import KEEP
from qianmo.schema.rules import rules
from qianmo.schema.units import MU_PER_HA, m2_to_mu, mu_to_m2
from qianmo.store.project import change
from qianmo.store.proof_folder import file_sha256
from qianmo.store.stage import Stage

__all__ = ["SPECS", "block_line", "inside_share", "least_block_m2", "locks_from", "plan_settings", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Choose the measures, check the proof by a second route, and keep plan, tables and map."""
    context.step("读取项目与潜力", 0.0)
    opened = open_for_work(Path(values["project"]))
    options = read_tables(opened.project, ("measure_options",)).get("measure_options")
    if options is None:
        raise MissingDataError("项目还没有潜力表 (no measure options)", cure="先运行 qianmo evaluate")
    settings = plan_settings(opened, values)
    earlier = previous_plan(opened) if values.get("compare") else None
    gap, seconds = limits_of_search(
        values.get("gap"), values.get("seconds"), default_gap=settings.value("plan_gap_rel"), default_seconds=settings.value("plan_time_limit_s")
    )
    patches = opened.patches
    borders = shared_borders(patches.geometry.to_numpy())
    context.step("求解方案", 0.2)
    with context.catch() as stop:
        search = Searching(gap, seconds, time.monotonic, teller(context, "求解方案", seconds, time.monotonic, low=0.2, high=0.6), stop)
        result = plan(
            patches, options, borders, settings=settings, basic_share=_basic_share(opened, values, context),
            redline_share=inside_share(opened, "eco_redline"), locks=locks_from(values.get("lock") or ()), search=search,
            least_block_m2=least_block_m2(opened, values), timer=time.monotonic,
        )  # fmt: skip
    context.step("独立核验证明", 0.6)
    checks = verify(result.formulation.problem, result.solution.choice, result.certificate, result.prices)
    failed = [c for c in checks if not c["ok"]]
    if failed:
        raise SchemaError(f"证明核验未通过: {failed[:3]}", expected="目标值、约束与上界全部复核一致", cure="请保留项目并反馈")
    context.step("方案后指标与合规", 0.7)
    facts = Facts(
        patches, opened.layers, opened.scheme, after=result.after, works=result.plan_parcel, faults=faults_of(opened),
        documents={"basic_farmland_adjusted": "basic_farmland_out" in opened.layers, **opened.documents}, overrides={**opened.overrides, **settings.rule_values},
    )  # fmt: skip
    tables = before_and_after(facts)
    tables["plan_verdicts"] = tables.pop("verdicts")
    tables |= checked_services(opened, options, result.after, borders)
    scores = patch_scores(result.formulation.problem, result.solution.choice)
    difference = compared(earlier, result.plan_parcel, scores, result.certificate)
    context.step("保存方案", 0.85)
    with change(opened.project.folder, what="编制方案", user=context.user, now=context.clock()) as stage:
        stage.remove_tables(("erosion_change", *CARBON_TABLES, *QUALITY_TABLES, *GRADATION_RESULTS, *RECLAMATION_RESULTS))
        for name in PLAN_GRIDS:
            stage.remove(name)
        _put(stage, opened, result, tables, context)
        stage.put_table("plan_score", pd.DataFrame({"patch_id": result.plan_parcel["patch_id"], "score": scores}))
        for name, frame in difference.tables.items():
            stage.put_table(name, frame)
        _put_proof(stage, opened, result, context)
        proof = {"folder": "proof", "sha256": file_sha256(stage.folder / "proof" / "certificate.json")}
        stage.put_json("certificate", {**result.certificate, "checks": checks, "proof": proof})
    lines = [*_lines(result, tables, checks), *difference.lines]
    if search.stopped:
        lines.insert(0, f"按要求提前结束求解, 保留当前最优方案, 差距 {result.certificate['gap_rel']:.4%} (ended early with the best plan so far)")
    return JobReport(tuple(lines), ((str(opened.project.folder / "onemap.gpkg"), "规划图斑 plan_parcel 与子项目 subproject 已加入"),),
                     {**_figures(result), "interrupted": search.stopped, **difference.figures})  # fmt: skip


def plan_settings(opened: Opened, values: Mapping[str, Any]) -> PlanSettings:
    """Settings of a plan: those of the command line, then of project.toml, then the shipped ones (方案设置)."""
    told = dict(opened.project.settings.get("plan", {}))
    budget = values["budget"] if values["budget"] is not None else told.get("budget_wan")
    thresholds = {k: float(v) for k, v in opened.overrides.items() if k in rules() and not isinstance(v, str)}
    for pair in values["rule"] or ():
        name, _, number = str(pair).partition("=")
        if name not in rules() or not number:
            raise SchemaError(f"--rule {pair}", expected="规则编号=数值, 例如 Z-01=0.03")
        thresholds[name] = float(number)
    names = {}
    if "village" in opened.layers:
        villages = opened.layers["village"]
        names = dict(zip(villages["village_code"].astype(str), villages["village_name"].astype(str)))
    windows = tuple(Window(**w) for w in told.get("windows", []))
    return PlanSettings(
        start_year=int(values["start_year"] or told.get("start_year", 2026)), weights=dict(told.get("weights", {})),
        budget_yuan=None if budget is None else float(budget) * 1e4, windows=windows, floors=dict(told.get("floors", {})), rule_values=thresholds,
        parameters={k: float(v) for k, v in opened.overrides.items() if k not in rules()}, waived=tuple(values["waive"] or told.get("waived", ())),
        class_scheme=opened.scheme, village_names=names,
    )  # fmt: skip


def least_block_m2(opened: Opened, values: Mapping[str, Any]) -> float:
    """Least area of a block with new farmland, of the command line or of project.toml, 0 where none is asked for [m2] (最小连片规模)."""
    told = values.get("min_block")
    mu = float(opened.project.settings.get("plan", {}).get("min_block_mu", 0.0) if told is None else told)
    if not 0 <= mu < float("inf"):
        raise SchemaError(f"--min-block {mu:g}", expected="不小于 0 的亩数 (mu, at least 0)")
    return mu_to_m2(mu)


def locks_from(texts: Sequence[str]) -> dict[str, str]:
    """Locks of the command line: ``PATCH`` keeps its use, ``PATCH=measure`` takes the measure (锁定).

    Raises
    ------
    SchemaError
        A patch is locked twice to different things, or a text is empty.
    """
    locks: dict[str, str] = {}
    for text in texts:
        patch_id, mark, works = str(text).partition("=")
        wanted = works if mark else KEEP
        if not patch_id or not wanted or locks.setdefault(patch_id, wanted) != wanted:
            raise SchemaError(f"--lock {text}", expected="图斑编号 (维持现状) 或 图斑编号=措施, 每个图斑一次")
    return locks


def inside_share(opened: Opened, name: str) -> np.ndarray | None:
    """Share of each patch inside a layer; None where there is no such layer (压盖比例)."""
    layer = opened.layers.get(name)
    return None if layer is None else share_inside(opened.patches.geometry.to_numpy(), layer.geometry.to_numpy())


def _basic_share(opened: Opened, values: Mapping[str, Any], context: Context) -> np.ndarray | None:
    """Protected share of each patch: today's layer, the adjusted one, or the larger of the two; said in a note where there is a swap."""
    today, adjusted = inside_share(opened, "basic_farmland"), inside_share(opened, "basic_farmland_after")
    if today is None or adjusted is None:
        return today
    how = str(values.get("basic_farmland") or "both")
    words = {"both": "调整前和调整后的永农都不得改变用途", "current": "按调整前的永农保护, 调入地块未受保护", "adjusted": "按调整后的永农保护, 调出地块可以安排其他用途"}
    context.note(f"项目含永农布局调整: {words[how]} (--basic-farmland {how}); 验收并更新数据库之前, 现行保护图层仍然有效 (Z-20)")
    return {"both": np.maximum(today, adjusted), "current": today, "adjusted": adjusted}[how]


def _put(stage: Stage, opened: Opened, result: PlanResult, tables: Mapping[str, pd.DataFrame], context: Context) -> None:
    patches = opened.patches
    drawn = gpd.GeoDataFrame(
        result.plan_parcel, geometry=patches.set_index("patch_id").geometry.reindex(result.plan_parcel["patch_id"]).to_numpy(), crs=patches.crs
    )
    moment = context.clock().isoformat(timespec="seconds")
    lineage = Lineage("qianmo plan", "", f"qianmo {__version__} plan", moment, context.user, {"gap_rel": result.certificate["gap_rel"]})
    base = opened.datasets["landuse_patch"]
    synthetic = bool(opened.synthetic)
    stage.put_layer(drawn, Dataset("plan_parcel", "plan_parcel", "规划图斑", base.crs, base.class_scheme, base.vintage, synthetic, len(drawn), lineage))
    works = drawn[drawn["subproject_id"].fillna("") != ""]
    if len(works):
        outline = works[["subproject_id", "geometry"]].dissolve("subproject_id").reset_index()
        listed = gpd.GeoDataFrame(result.subproject.merge(outline, on="subproject_id"), geometry="geometry", crs=patches.crs)
        stage.put_layer(listed, Dataset("subproject", "subproject", "子项目", base.crs, "", base.vintage, synthetic, len(listed), lineage))
    own = {"subproject": result.subproject, "cost_by_measure": result.cost_by_measure, "year_plan": result.year_plan, "funding": result.funding,
           "plan_parcel": result.plan_parcel}  # fmt: skip
    for name, frame in {**own, **tables}.items():
        stage.put_table(name, pd.DataFrame(frame).drop(columns="geometry", errors="ignore"))


def _put_proof(stage: Stage, opened: Opened, result: PlanResult, context: Context) -> None:
    """The proof, bound to the layers and tables the problem was built from."""
    read = tuple(f"layers/{name}.parquet" for name in opened.layers)
    sources = source_hashes(stage.folder, (*read, "tables/measure_options.parquet", "tables/plan_parcel.parquet"))
    patches = opened.patches
    keep_proof(
        stage.folder / "proof", result.formulation.problem, result.solution, now=context.clock(), prices=result.prices, sources=sources,
        area_m2=patches["area_m2"].to_numpy(float), patch_id=patches["patch_id"].astype(str).to_numpy(),
    )  # fmt: skip


def _figures(result: PlanResult) -> dict[str, Any]:
    c = result.certificate
    named = {"gap": "gap_rel", "objective": "objective", "bound": "bound", "solver_gap": "solver_gap_rel", "seconds": "time_s",
             "patches": "n_parcels", "options": "n_options", "changed": "n_changed"}  # fmt: skip
    return {**{k: c[v] for k, v in named.items()}, "cost_yuan": round(float(result.cost_by_measure["total_yuan"].sum()), 2)}


def _lines(result: PlanResult, tables: Mapping[str, pd.DataFrame], checks: list[dict[str, Any]]) -> list[str]:
    c = result.certificate
    costs = result.cost_by_measure
    works = result.plan_parcel[result.plan_parcel["measure"] != "keep"]
    lines = [
        f"方案: {len(works)} 个图斑安排措施, 投资 {costs['total_yuan'].sum() / 1e4:.2f} 万元, 子项目 {len(result.subproject)} 个",
        f"证明: 目标 {c['objective']:.6g}, 可独立复核的上界 {c['bound']:.6g} (差距 {c['gap_rel']:.4%}{by_cases(c['cases'])}); 独立核验 {len(checks)} 项全部一致",
    ]
    if c["solver_gap_rel"] < 0.99 * c["gap_rel"]:
        lines.append(f"      精确搜索给出的上界 {c['solver_bound']:.6g} (差距 {c['solver_gap_rel']:.4%})")
    lines += block_line(c.get("minimum_block"))
    lines += [f"  {r.zh}: {int(r.patches)} 个, {m2_to_mu(r.area_m2):.2f} 亩, {r.total_yuan / 1e4:.2f} 万元" for r in costs.itertuples()]
    for r in tables["indicators"].itertuples():
        lines.append(f"  {r.zh}: " + change_text(float(r.before), float(r.after), partial(_shown, unit=r.unit), both_sides=True))
    lines += service_lines(tables.get("service_check"))
    failed = tables["plan_verdicts"][tables["plan_verdicts"]["verdict"].isin(["fail", "needs_confirmation"])]
    lines += [f"  注意 {r.rule_id} {verdict_word(r.verdict, r.numbers)}: {r.numbers}" for r in failed.itertuples()]
    return lines


def block_line(block: Mapping[str, Any] | None) -> list[str]:
    """What a hard least block costs; nothing where none was asked for (最小连片的代价)."""
    if block is None:
        return []
    exact = "" if block["price_is_exact"] else " (至多)"
    return [
        f"      新增耕地所在连片不小于 {m2_to_mu(block['least_m2']):.2f} 亩: 不施加时过小 {block['blocks_too_small_before']} 处, "
        f"硬性规则的代价 {block['price']:.6g} 分{exact}, 其余差距为求解所余"
    ]


def _shown(value: float, unit: str) -> str:
    if unit == "ha":
        return f"{value:.2f} 公顷 ({value * MU_PER_HA:.2f} 亩)"
    if unit == "count":
        return f"{value:.0f} 个"
    return f"{value:.2%}" if unit == "ratio" else f"{value:.2f} {unit}"


SPECS = (
    JobSpec(
        "plan", "编制方案", "choose one measure a parcel within all limits, with a proof",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("budget", "number", "投资上限 (万元)", "budget in 10,000 yuan"),
            JobOption("start_year", "integer", "开工年度", "first year of works"),
            JobOption("rule", "texts", "规则阈值, 如 Z-01=0.03", "local threshold of a rule"),
            JobOption("waive", "texts", "不作为约束的规则编号", "rule not to be imposed"),
            JobOption("basic_farmland", "choice", "永农布局调整后按哪个图层保护", "layer that protects after a swap", default="both",
                      choices=("both", "current", "adjusted")),
            JobOption("gap", "number", "求解差距目标, 如 0.001", "gap at which the search ends, a share"),
            JobOption("seconds", "number", "求解时限 (秒)", "time limit of the search in seconds"),
            JobOption("lock", "texts", "锁定图斑: 编号 (维持现状) 或 编号=措施", "patch settled beforehand: its id (kept) or id=measure"),
            JobOption("min_block", "number", "新增耕地所在连片的最小面积 (亩)", "least block of farmland that holds new farmland, in mu"),
            JobOption("compare", "flag", "与上一方案比较", "list what changes against the previous plan", default=False),
        ),
        run,
    ),
)  # fmt: skip
