"""Rank the library and put its projects into years (项目排序与年度组合)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.governance.library.check import check_library
from qianmo.governance.library.score import normed_values, ranked, score_of
from qianmo.governance.library.sensitivity import smallest_flips
from qianmo.governance.library.weights import compared_weights, default_weights, direct_weights
from qianmo.governance.portfolio.from_library import BASES, OPEN_STATES, library_problem, portfolio_tables
from qianmo.governance.portfolio.problem import value_of
from qianmo.governance.portfolio.replay import replay
from qianmo.jobs.context import Context
from qianmo.jobs.library.store import Library, fault_lines, open_library, put_library, still_as_read
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import QianmoError, SchemaError
from qianmo.schema.library import library_criteria
from qianmo.schema.rules import parameter
from qianmo.schema.workflows import workflow
from qianmo.store.project import change

__all__ = ["SPECS", "choose_portfolio", "rank_library", "weights_from"]

_MOST_LINES = 30


def rank_library(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Rank the projects, say how ties were broken and which change of one weight turns neighbours round."""
    folder = Path(values["project"])
    library = open_library(folder)
    weights, words = weights_from(values, _overrides(library))
    table = ranked(library.projects, weights)
    normed = {str(r["project_id"]): normed_values(r) for r in library.projects.to_dict("records")}
    order = table["project_id"].tolist()
    flips = smallest_flips(normed, order, weights)
    with change(folder, what="项目库: 评分排序", user=context.user, now=context.clock()) as stage:
        stage.put_table("library_rank", table)
        stage.put_json("library_weights", {k: float(w) for k, w in weights.items()})
    lines = [f"权重: {words}"]
    for r in table.head(_MOST_LINES).to_dict("records"):
        lines.append(f"  {r['rank']:>3} {r['project_id']} {r['name']}: {r['score']:.4f} = {r['parts']}" + (f" ({r['tie']})" if r["tie"] else ""))
    told = sorted((f for f in flips.values() if f is not None), key=lambda f: abs(f.change))[:5]
    lines += ["最容易改变的相邻次序:", *(f"  {f.zh}" for f in told)] if told else ["单独调整任一权重都不改变相邻次序"]
    figures = {"order": order, "scores": table["score"].tolist(), "weights": {k: float(w) for k, w in weights.items()},
               "flips": [{"above": f.above, "below": f.below, "criterion": f.criterion, "weight_at": float(f.weight_at), "change": float(f.change)} for f in told]}  # fmt: skip
    return JobReport(tuple(lines), (), figures)


def choose_portfolio(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Choose the projects of each year within the funds, count the money again, store the year plan."""
    folder = Path(values["project"])
    library = open_library(folder, needed=("library_project", "library_fund", "library_fund_year"))
    faults = check_library(library.tables)
    wrong = faults[faults["severity"] == "error"]
    if len(wrong):
        raise SchemaError(f"项目库有 {len(wrong)} 处错误: " + "; ".join(fault_lines(wrong)), cure="改正后重新计算: qianmo library export, 修改, import")
    overrides = _overrides(library)
    weights, words = weights_from(values, overrides)
    scores = {str(r["project_id"]): score_of(normed_values(r), weights) for r in library.projects.to_dict("records")}
    first = values["first"] if values["first"] is not None else context.clock().year + 1
    states = tuple(workflow("project_library").state(s).id for s in values["states"] or OPEN_STATES)
    problem = library_problem(library.tables, scores, first_year=first, years=values["years"], delay_rate=parameter("portfolio_delay_rate", overrides), basis=values["basis"], states=states)
    if not problem.candidates:
        raise SchemaError("没有可安排的项目", expected="状态为 " + "、".join(workflow("project_library").state(s).zh for s in states) + " 的项目", cure="先用 qianmo library move 办理, 或用 --states 指定状态")
    context.step("求解项目组合", 0.2)
    gap = values["gap"] if values["gap"] is not None else parameter("portfolio_gap", overrides)
    from qianmo.governance.portfolio.by_rank import year_plan_by_rank  # solvers are loaded by who searches, not by the pages
    from qianmo.governance.portfolio.solve import solve_portfolio

    found = solve_portfolio(problem, gap=gap, seconds=values["seconds"], clock=time.monotonic)
    context.step("现金复核", 0.8)
    again = replay(problem, found)
    if again.faults:
        raise QianmoError("复核不通过: " + "; ".join(again.faults[:5]), cure="请报告此问题")
    tables = portfolio_tables(problem, found, again)
    by_rank = value_of(problem, year_plan_by_rank(problem, [i for i in ranked(library.projects, weights)["project_id"] if i in {c.id for c in problem.candidates}]))
    record = {
        "value": found.value, "bound": found.bound, "gap": found.gap, "proven_bound": again.bound, "proven_gap": again.gap, "value_by_rank": by_rank, "basis": values["basis"],
        "first_year": problem.first_year, "last_year": problem.last_year, "weights": {k: float(w) for k, w in weights.items()}, "method": found.method, "states": list(states),
    }  # fmt: skip
    projects = _planned(library.projects, tables["portfolio_start"])
    with change(folder, what=f"项目库: 年度组合 {problem.first_year}—{problem.last_year}", user=context.user, now=context.clock()) as stage:
        still_as_read(stage, library)
        if not values["keep_years"]:
            put_library(stage, {**library.tables, "library_project": projects}, library.history, context, source="年度组合")
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_table("library_rank", ranked(library.projects, weights))
        stage.put_json("portfolio", record)
    return JobReport(tuple(_lines(tables, record, words, found.seconds)), (), record | {"starts": dict(found.starts), "seconds": found.seconds})


def weights_from(values: Mapping[str, Any], overrides: Mapping[str, float]) -> tuple[dict[str, Fraction], str]:
    """Weights of the options and how they came about, in words (权重).

    Raises
    ------
    SchemaError
        A weight or a comparison is not written as it should be.
    """
    if values["weight"] and values["compare"]:
        raise SchemaError("同时给了 --weight 与 --compare", expected="其中一种")
    known = library_criteria()
    if values["weight"]:
        given = dict(_pair(text, "指标=权重") for text in values["weight"])
        weights, how = direct_weights(given), "直接赋权"
    elif values["compare"]:
        names, table = _comparisons(values["compare"])
        found = compared_weights(names, table, ratio_max=parameter("library_consistency_max", overrides))
        weights, how = dict(found.weights), f"两两比较, 一致性比率 {found.ratio:.3f}"
    else:
        weights, how = default_weights(), "缺省"
    return weights, ", ".join(f"{known[k].zh} {float(w):.4g}" for k, w in weights.items() if w) + f" ({how})"


def _comparisons(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """``urgency:fund_readiness=3`` says that urgency outweighs readiness three times."""
    pairs = {}
    for text in texts:
        names, times = _pair(text, "指标:指标=倍数")
        a, _, b = names.partition(":")
        try:
            pairs[a, b] = float(Fraction(times))
        except (ValueError, ZeroDivisionError):
            raise SchemaError(f"比较 {text!r}", expected="指标:指标=倍数, 如 urgency:fund_readiness=3 或 1/3") from None
    names_in_order = list(dict.fromkeys(n for pair in pairs for n in pair))
    table = np.eye(len(names_in_order))
    for i, a in enumerate(names_in_order):
        for j, b in enumerate(names_in_order):
            if i < j:
                if (a, b) not in pairs and (b, a) not in pairs:
                    raise SchemaError(f"没有比较 {a} 与 {b}", expected="每两项指标一条比较")
                table[i, j] = pairs[a, b] if (a, b) in pairs else 1 / pairs[b, a]
                table[j, i] = 1 / table[i, j]
    return names_in_order, table


def _pair(text: str, expected: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise SchemaError(f"{text!r}", expected=expected)
    return name.strip(), value.strip()


def _overrides(library: Library) -> dict[str, float]:
    return {k: float(v) for k, v in library.project.settings.get("parameters", {}).items() if isinstance(v, (int, float)) and not isinstance(v, bool)}


def _planned(projects: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Start and end years of the plan in the library; projects that took no part keep theirs."""
    out, of = projects.copy(), plan.set_index("project_id")
    mine = out["project_id"].isin(of.index)
    for column in ("start_year", "end_year"):
        out.loc[mine, column] = [of.loc[p, column] for p in out.loc[mine, "project_id"]]
    return out


def _lines(tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any], words: str, seconds: float) -> list[str]:
    plan = tables["portfolio_start"]
    inside = plan[plan["start_year"].notna()]
    share = record["value_by_rank"] / max(1, record["value"])
    lines = [
        f"权重: {words}; 价值口径: {BASES[record['basis']]}",
        f"安排 {len(inside)} / {len(plan)} 个项目, 投资 {inside['investment_yuan'].sum() / 1e4:,.2f} 万元, 用时 {seconds:.1f} 秒",
        f"与最优的差距不超过 {min(record['gap'], record['proven_gap']):.2%} (不依赖求解器的界: {record['proven_gap']:.2%})",
        f"按名次依次安排所得价值为本方案的 {share:.1%}",
    ]
    for year, rows in inside.groupby("start_year"):
        names = "、".join(f"{r['project_id']} {r['name']}" for r in rows.head(8).to_dict("records"))
        lines.append(f"  {year} 年开工 {len(rows)} 个: {names}" + (" 等" if len(rows) > 8 else ""))
    left = plan[plan["start_year"].isna()]
    if len(left):
        lines.append(f"  未安排 {len(left)} 个: " + "、".join(left["project_id"].head(12)) + (" 等" if len(left) > 12 else ""))
    lines.append("资金年度平衡 (万元):")
    for r in tables["fund_balance"].to_dict("records"):
        lines.append(
            f"  {r['fund_id']} {r['year']}: 结转 {r['opening_yuan'] / 1e4:,.2f} + 到位 {r['arrived_yuan'] / 1e4:,.2f} - 支付 {r['paid_yuan'] / 1e4:,.2f}"
            f" - 收回 {r['lapsed_yuan'] / 1e4:,.2f} = 结余 {r['closing_yuan'] / 1e4:,.2f}"
        )
    return lines


_PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)
_WEIGHTS = (
    JobOption("weight", "texts", "指标=权重, 可重复; 如 urgency=0.6", "criterion=weight, repeat for more"),
    JobOption("compare", "texts", "指标:指标=倍数 (层次分析), 可重复; 如 urgency:fund_readiness=3", "criterion:criterion=times, repeat for every pair"),
)

SPECS = (
    JobSpec("library-score", "项目评分排序与权重敏感性", "score and rank the projects, and what turns the order round", (_PROJECT, *_WEIGHTS), rank_library),
    JobSpec(
        "library-portfolio", "年度项目组合", "which projects start in which year, and who pays",
        (
            _PROJECT, *_WEIGHTS,
            JobOption("first", "integer", "第一年; 默认明年", "first year; the next one by default"),
            JobOption("years", "integer", "年数", "number of years", default=5),
            JobOption("basis", "choice", "价值口径: score 得分, score_money 得分乘投资, new_farmland 新增耕地", "what the value of a project is", default="score_money", choices=tuple(BASES)),
            JobOption("states", "texts", "参加的状态, 可重复; 默认县级入库至列入计划", "states that take part, repeat for more"),
            JobOption("gap", "number", "与最优的允许差距", "distance from the best at which the search may end"),
            JobOption("seconds", "number", "求解时限(秒)", "limit of the search in seconds", default=60.0),
            JobOption("keep_years", "flag", "不改项目库中的开工年", "leave the start years of the library as they are", default=False),
        ),
        choose_portfolio,
    ),
)  # fmt: skip
