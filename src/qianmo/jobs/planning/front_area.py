"""Weigh several aims of a project against each other: plans that none beats in all (多目标前沿)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.geo.adjacency import shared_borders
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened, open_for_work, read_tables
from qianmo.jobs.planning.plan_area import inside_share, locks_from, plan_settings
from qianmo.jobs.planning.proof_of import keep_proof
from qianmo.jobs.searching import Searching, limits_of_search
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.formulate import Formulation, formulate
from qianmo.planning.front import Front, FrontPoint, front, question_of
from qianmo.planning.front_aims import chosen_aims
from qianmo.planning.front_tables import front_plans, front_points, front_record
from qianmo.planning.parts import assemble_parts
from qianmo.planning.proof_arrays import read_proof
from qianmo.planning.results import plan_parcels
from qianmo.planning.verify import fingerprint, verify
from qianmo.reports.front_chart import front_chart
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.units import m2_to_mu
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change, open_project
from qianmo.store.proof_folder import file_sha256, read_proof_folder
from qianmo.store.stage import Stage

__all__ = ["QUESTION_OPTIONS", "SPECS", "formulation_of", "kept_numbers", "run"]

FRONT = "front_plan_"
"""Beginning of the names of kept plans."""

PROOFS = "front_proofs"
"""Folder of the proofs of the plans of a front in its generation, one a number."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Find the front, check every plan by a second route, keep tables, chart and the plans asked for."""
    context.step("读取项目与潜力", 0.0)
    opened = open_for_work(Path(values["project"]))
    settings = plan_settings(opened, values)
    gap, seconds = limits_of_search(
        values["gap"], values["seconds"], default_gap=settings.value("plan_gap_rel"), default_seconds=settings.value("plan_time_limit_s")
    )
    count, floors = _counts(values)
    made = formulation_of(opened, values)
    aims = chosen_aims(made.aims, tuple(a.strip() for a in str(values["aims"]).split(",")))
    with context.catch() as stop:
        search = Searching(gap, seconds, time.monotonic, lambda gap_now, share: None, stop)
        found = front(made.problem, aims, count=count, floors=floors, search=search, tell=_teller(context, count + floors), stop=lambda: search.stopped or stop())
    kept = kept_numbers(values["keep"] or (), len(found.plans))
    plans, points = front_plans(found, cost=made.problem.cost), front_points(found)
    folder = Path(values["out"]) if values["out"] else opened.project.folder / "front"
    context.step("绘制前沿图", 0.85)
    mark = "含合成数据: " + "、".join(opened.synthetic.values()) if opened.synthetic else ""
    title = f"{opened.project.name} 多目标前沿"
    shown = [(folder / f"前沿.{kind}", front_chart(points, plans, kind=kind, title=title, mark=mark)) for kind in ("png", "pdf")]
    context.step("保存前沿", 0.9)
    with change(opened.project.folder, what="多目标前沿", user=context.user, now=context.clock()) as stage:
        _put(stage, opened, made, found, kept, context)
        proofs = _put_proofs(stage, opened, made, found, context)
        stage.put_table("front_plans", plans)
        stage.put_table("front_points", points)
        asked = {"aims": [a.id for a in aims], "points": count, "floors": floors, "gap": gap, "seconds": seconds}
        lineage = {"tool": f"qianmo {__version__} front", "time": context.clock().isoformat(timespec="seconds"), "user": context.user, "parameters": asked}
        stage.put_json("front", {**front_record(found), "problem_sha256": fingerprint(made.problem), "proofs": proofs, "lineage": lineage})
    for path, data in shown:
        replace_bytes(path, data)
    files = ((str(opened.project.folder), "前沿表 front_plans、front_points (当前版本的 tables/)"),
             (str(open_project(opened.project.folder).state / PROOFS), "每个方案的证明, 用其中的 check_plan.py 或 qianmo verify-plan 核验"), *((str(p), "前沿图") for p, _ in shown),
             *((FRONT + f"{k:02d}", "保留的方案图层") for k in kept))  # fmt: skip
    return JobReport(tuple(_lines(found, plans, points)), files, _figures(found, plans, points))


def kept_numbers(texts: tuple[str, ...] | list[str], count: int) -> tuple[int, ...]:
    """Numbers of the plans to keep, from 1; 'all' for every one (保留方案编号).

    Raises
    ------
    SchemaError
        A text that is no number of a plan.
    """
    if "all" in texts:
        return tuple(range(1, count + 1))
    wrong = [t for t in texts if not (str(t).isdecimal() and 1 <= int(t) <= count)]
    if wrong:
        raise SchemaError(f"--keep {', '.join(map(str, wrong))}: 前沿上没有这个方案 (no such plan)", expected=f"1 到 {count}, 或 all")
    return tuple(sorted({int(t) for t in texts}))


def formulation_of(opened: Opened, values: Mapping[str, Any]) -> Formulation:
    """The problem of a project under the options of the command (项目的规划问题).

    Raises
    ------
    MissingDataError
        The project has not been evaluated.
    """
    options = read_tables(opened.project, ("measure_options",)).get("measure_options")
    if options is None:
        raise MissingDataError("项目还没有潜力表 (no measure options)", cure="先运行 qianmo evaluate")
    settings = plan_settings(opened, values)
    parts = assemble_parts(
        opened.patches, options, shared_borders(opened.patches.geometry.to_numpy()), settings=settings,
        basic_share=inside_share(opened, "basic_farmland"), redline_share=inside_share(opened, "eco_redline"),
    )  # fmt: skip
    return formulate(parts, settings, locks=locks_from(values["lock"] or ()))


def _counts(values: Mapping[str, Any]) -> tuple[int, int]:
    count, floors = int(values["points"]), int(values["floors"])
    if not 2 <= count <= 500 or not 0 <= floors <= 500:
        raise SchemaError(f"--points {count}, --floors {floors}", expected="2 到 500 个加权点, 0 到 500 个下限点")
    return count, floors


def _teller(context: Context, total: int) -> Any:
    def tell(done: int, missed: float) -> None:
        room = "" if not np.isfinite(missed) else f" · 未探明 {missed:.3g} 分"
        context.step(f"求解前沿 · 第 {done} 问{room}", 0.15 + 0.7 * min(done / total, 1.0))

    return tell


def _put(stage: Stage, opened: Opened, made: Formulation, found: Front, kept: tuple[int, ...], context: Context) -> None:
    for name in [n for n in stage.datasets if n.startswith(FRONT)]:
        stage.remove(name)
    patches, base = opened.patches, opened.datasets["landuse_patch"]
    for k in kept:
        p = found.plans[k - 1]
        table = _parcels(made, p, k)
        drawn = gpd.GeoDataFrame(table, geometry=patches.geometry.to_numpy(), crs=patches.crs)
        told = {"weights": dict(zip([a.id for a in found.aims], p.weights.tolist())), "gap_points": p.gap_points, "objective": p.objective, "bound": p.bound}
        lineage = Lineage("qianmo front", "", f"qianmo {__version__} front", context.clock().isoformat(timespec="seconds"), context.user, told)
        name = f"{FRONT}{k:02d}"
        stage.put_layer(
            drawn, Dataset(name, "plan_parcel", f"前沿方案{k}", base.crs, base.class_scheme, base.vintage, bool(opened.synthetic), len(drawn), lineage)
        )


def _put_proofs(stage: Stage, opened: Opened, made: Formulation, found: Front, context: Context) -> list[dict[str, Any]]:
    """A proof folder for every plan of the front, each checked as it lies on the disk."""
    shutil.rmtree(stage.folder / PROOFS, ignore_errors=True)
    listed = []
    area, ids = (opened.patches[c] for c in ("area_m2", "patch_id"))
    for k, p in enumerate(found.plans, 1):
        folder = stage.folder / PROOFS / f"{k:02d}"
        question, solution = question_of(made.problem, found.aims, p)
        keep_proof(folder, question, solution, now=context.clock(), area_m2=area.to_numpy(float), patch_id=ids.astype(str).to_numpy())
        record, arrays = read_proof_folder(folder)
        proof = read_proof(record, arrays)
        failed = [c for c in verify(proof.problem, proof.choice, record, proof.prices) if not c["ok"]]
        if failed:
            raise SchemaError(f"前沿方案 {k} 的证明核验未通过: {failed[:3]}", expected="目标值、约束与上界全部复核一致", cure="请保留项目并反馈")
        listed.append({"number": k, "folder": f"{PROOFS}/{k:02d}", "gap_abs": record["gap_abs"], "sha256": file_sha256(folder / "certificate.json")})
    return listed


def _parcels(made: Formulation, p: FrontPoint, number: int) -> pd.DataFrame:
    n = made.parts.n
    done = p.choice >= 0
    reason = np.where(done, f"前沿方案{number}采用", f"前沿方案{number}维持现状").astype(object)
    return plan_parcels(made.parts, p.choice, reason=reason, subproject=np.full(n, "", object), year=np.zeros(n, int))


def _lines(found: Front, plans: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    lines = []
    if found.broken_off:
        lines.append("按要求提前结束, 以下为已求得的部分前沿 (ended early, part of the front)")
    names = "、".join(a.zh for a in found.aims)
    lines.append(f"前沿: {len(found.plans)} 个方案, 目标 {names}; 每个方案均经另一条路径复核")
    for k, a in enumerate(found.aims):
        lines.append(f"  {a.zh}: 单独最优不超过 {found.ideal[k]:.2f} 分, 前沿上最低 {found.nadir[k]:.2f} 分 (100 分 = 全部潜力 {_shown(a.potential, a.unit)})")
    if np.isfinite(found.missed):
        lines.append(f"  未知的加权最优方案至多高出已知前沿 {found.missed:.4g} 分" + ("" if found.missed > 1e-6 else " (加权前沿完整)"))
    for r in plans.itertuples():
        mine = points[points["number"] == r.number]
        reached = ", ".join(f"{q.zh} {_shown(q.amount, q.unit)}" for q in mine.itertuples() if q.aim != "cost")
        lines.append(f"  {r.number}. {reached}; 工程费 {r.cost_yuan / 1e4:.2f} 万元, {r.patches} 个图斑, 差距 {r.gap_points:.3g} 分 (精确搜索 {r.solver_gap_points:.3g} 分)")
    return lines


def _shown(amount: float, unit: str) -> str:
    if unit == "m2":
        return f"{m2_to_mu(amount):,.2f} 亩"
    return f"{amount / 1e4:,.2f} 万元" if unit == "yuan" else f"{amount:,.2f} {unit}"


def _figures(found: Front, plans: pd.DataFrame, points: pd.DataFrame) -> dict[str, Any]:
    listed = [
        {**row, "aims": [{"aim": q.aim, "amount": q.amount, "unit": q.unit, "points": q.points, "weight": q.weight, "floor": q.floor}
                         for q in points[points["number"] == row["number"]].itertuples()]}
        for row in plans.to_dict("records")
    ]  # fmt: skip
    return {"plans": listed, "ideal": found.ideal, "nadir": found.nadir, "missed": found.missed, "interrupted": found.broken_off}


QUESTION_OPTIONS = (
    JobOption("budget", "number", "投资上限 (万元)", "budget in 10,000 yuan"),
    JobOption("start_year", "integer", "开工年度", "first year of works"),
    JobOption("rule", "texts", "规则阈值, 如 Z-01=0.03", "local threshold of a rule"),
    JobOption("waive", "texts", "不作为约束的规则编号", "rule not to be imposed"),
    JobOption("lock", "texts", "锁定图斑: 编号 (维持现状) 或 编号=措施", "patch settled beforehand: its id (kept) or id=measure"),
    JobOption("gap", "number", "每次求解的差距目标", "gap at which each search ends, a share"),
    JobOption("seconds", "number", "每次求解的时限 (秒)", "time limit of each search in seconds"),
)  # fmt: skip
"""What every command that asks many questions of one project takes: its limits, locks, and when a search ends (求解选项)."""

SPECS = (
    JobSpec(
        "front", "多目标前沿", "weigh several aims: plans that none beats in all of them, each with its gap",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("aims", "text", "目标, 逗号分隔", "aims, separated by commas", default="new_farmland,cost"),
            JobOption("points", "integer", "加权求解次数", "weightings to solve", default=9),
            JobOption("floors", "integer", "目标下限求解次数", "further questions with floors on aims", default=0),
            JobOption("keep", "texts", "保留为图层的方案编号, 或 all", "number of a plan to keep as a layer, or all"),
            JobOption("out", "path", "前沿图文件夹", "folder for the chart, the project's front/ by default"),
            *QUESTION_OPTIONS,
        ),
        run,
    ),
)  # fmt: skip
