"""Plans nearly as good as the best and as unlike it as may be, with a proof of how unlike (近优备选方案)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened, open_for_work
from qianmo.jobs.planning.front_area import QUESTION_OPTIONS, formulation_of
from qianmo.jobs.planning.plan_area import plan_settings
from qianmo.jobs.searching import Searching, limits_of_search, teller
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.alternatives import PRICE_STEPS, REDRAWN, Alternative, alternatives
from qianmo.planning.diff import changed_parcels, summary_of_changes
from qianmo.planning.formulate import Formulation
from qianmo.planning.improve import obeys
from qianmo.planning.problem import PlanProblem
from qianmo.planning.results import plan_parcels
from qianmo.planning.solve import Solution
from qianmo.planning.verify import score
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import SchemaError
from qianmo.schema.units import m2_to_mu
from qianmo.store.project import change
from qianmo.store.stage import Stage

__all__ = ["SPECS", "run"]

ALTERNATIVE = "alternative_plan_"
"""Beginning of the names of the layers."""

QUESTIONS = PRICE_STEPS + REDRAWN
"""Most problems solved for one alternative."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Solve the plan, find plans far from it that lose little, count each again, keep tables and layers."""
    context.step("读取项目与潜力", 0.0)
    opened = open_for_work(Path(values["project"]))
    settings = plan_settings(opened, values)
    gap, seconds = limits_of_search(
        values["gap"], values["seconds"], default_gap=settings.value("plan_gap_rel"), default_seconds=settings.value("plan_time_limit_s")
    )
    count, loss = int(values["count"]), float(values["loss"])
    if not 1 <= count <= 50 or not 0 <= loss <= 1:
        raise SchemaError(f"--count {count}, --loss {loss:g}", expected="1 到 50 个备选方案, 得分损失 0 到 1")
    made = formulation_of(opened, values)
    problem, area = made.problem, made.parts.area
    with context.catch() as stop:
        search = Searching(gap, seconds, time.monotonic, teller(context, "求解最优方案", seconds, time.monotonic, low=0.1, high=0.3), stop)
        best = search(problem)
        found = alternatives(problem, best, count=count, share=loss, weight=area, search=_counting(context, search, seconds, count))
    for a in found:
        again = score(problem, a.choice)
        if abs(again - a.score) > 1e-6 * max(1.0, abs(again)) or not obeys(problem, a.choice):
            raise SchemaError(f"备选方案复核不符: {again} 与 {a.score}", expected="得分与约束复核一致", cure="请保留项目并反馈")
    first = _parcels(made, best.choice, "最优方案")
    tables = [_parcels(made, a.choice, f"备选方案{k}") for k, a in enumerate(found, 1)]
    listed, differences = _listed(best, found, tables), [changed_parcels(first, t) for t in tables]
    context.step("保存备选方案", 0.92)
    with change(opened.project.folder, what="近优备选方案", user=context.user, now=context.clock()) as stage:
        _put(stage, opened, tables, found, context)
        stage.put_table("alternative_plans", listed)
        stage.put_table("alternative_diff", _together(differences))
    figures = {"alternatives": listed.to_dict("records"), "objective": best.objective, "bound": best.bound, "interrupted": search.stopped}
    files = tuple((f"{ALTERNATIVE}{k:02d}", "备选方案图层") for k in range(1, len(found) + 1))
    return JobReport(tuple(_lines(best, found, differences, area, loss, stopped=search.stopped)), files, figures)


def _counting(context: Context, search: Searching, seconds: float, count: int) -> Callable[[PlanProblem], Solution]:
    """The search, telling which question it is at."""
    asked, most = [0], count * QUESTIONS

    def ask(problem: PlanProblem) -> Solution:
        low, high = (0.3 + 0.6 * min(k / most, 1.0) for k in (asked[0], asked[0] + 1))
        asked[0] += 1
        search.tell = teller(context, f"寻找备选方案 · 第 {asked[0]} 问, 共约 {most} 问", seconds, time.monotonic, low=low, high=high)
        return search(problem)

    return ask


def _parcels(made: Formulation, choice: np.ndarray, name: str) -> pd.DataFrame:
    n = made.parts.n
    reason = np.where(choice >= 0, f"{name}采用", f"{name}维持现状").astype(object)
    return plan_parcels(made.parts, choice, reason=reason, subproject=np.full(n, "", object), year=np.zeros(n, int))


def _listed(best: Solution, found: tuple[Alternative, ...], tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One row an alternative: score, loss, distances and the proven bound on the distance."""
    rows = [
        {
            "number": k, "score": a.score, "least_score": a.least_score, "loss_share": (best.objective - a.score) / max(abs(best.objective), 1e-12),
            "mean_distance_m2": a.distance, "nearest_m2": a.nearest, "distance_bound_m2": a.distance_bound, "cost_yuan": round(float(t["cost_yuan"].sum()), 2),
        }
        for k, (a, t) in enumerate(zip(found, tables), 1)
    ]  # fmt: skip
    columns = ["number", "score", "least_score", "loss_share", "mean_distance_m2", "nearest_m2", "distance_bound_m2", "cost_yuan"]
    return pd.DataFrame(rows, columns=columns)


def _together(differences: list[pd.DataFrame]) -> pd.DataFrame:
    """What each alternative does otherwise than the best plan, one under the other."""
    return pd.concat([d.assign(number=k) for k, d in enumerate(differences, 1)] or [pd.DataFrame({"number": pd.Series([], dtype=int)})], ignore_index=True)


def _put(stage: Stage, opened: Opened, tables: list[pd.DataFrame], found: tuple[Alternative, ...], context: Context) -> None:
    for name in [n for n in stage.datasets if n.startswith(ALTERNATIVE)]:
        stage.remove(name)
    patches, base = opened.patches, opened.datasets["landuse_patch"]
    for k, (table, a) in enumerate(zip(tables, found), 1):
        drawn = gpd.GeoDataFrame(table, geometry=patches.geometry.to_numpy(), crs=patches.crs)
        told = {"score": a.score, "mean_distance_m2": a.distance, "distance_bound_m2": a.distance_bound}
        lineage = Lineage("qianmo alternatives", "", f"qianmo {__version__} alternatives", context.clock().isoformat(timespec="seconds"), context.user, told)
        stage.put_layer(
            drawn, Dataset(f"{ALTERNATIVE}{k:02d}", "plan_parcel", f"备选方案{k}", base.crs, base.class_scheme, base.vintage, bool(opened.synthetic), len(drawn), lineage)
        )


def _lines(best: Solution, found: tuple[Alternative, ...], differences: list[pd.DataFrame], area: np.ndarray, loss: float, *, stopped: bool) -> list[str]:
    lines = ["按要求提前结束求解, 以下距离上界较宽 (ended early)"] if stopped else []
    lines.append(f"最优方案: 得分 {best.objective:.6g}, 上界 {best.bound:.6g}; 备选方案 {len(found)} 个, 得分损失不超过 {loss:.2%}")
    for k, (a, d) in enumerate(zip(found, differences), 1):
        lines.append(
            f"  {k}. 得分 {a.score:.6g}, 与已有方案平均相差 {m2_to_mu(a.distance):.2f} 亩 (最近 {m2_to_mu(a.nearest):.2f} 亩); "
            f"损失在限度内的任何方案平均相差不超过 {m2_to_mu(a.distance_bound):.2f} 亩"
        )
        lines += [
            f"       {r.zh}: 退出 {r.patches_before} 个 {m2_to_mu(r.area_before_m2):.2f} 亩, 进入 {r.patches_after} 个 {m2_to_mu(r.area_after_m2):.2f} 亩"
            for r in summary_of_changes(d).itertuples()
        ]
    if not found:
        lines.append(f"  没有找到损失在限度内的其他方案 (全区 {m2_to_mu(float(area.sum())):.2f} 亩); 可调大 --loss")
    return lines


SPECS = (
    JobSpec(
        "alternatives", "近优备选方案", "plans nearly as good as the best and as unlike it as may be, with a proven bound on how unlike",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("count", "integer", "备选方案个数", "alternatives wanted", default=3),
            JobOption("loss", "number", "允许的得分损失 (比例)", "share of the best score that may be lost", default=0.01),
            *QUESTION_OPTIONS,
        ),
        run,
    ),
)  # fmt: skip
