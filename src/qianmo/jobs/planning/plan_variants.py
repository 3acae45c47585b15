"""Variants of a plan that were changed by hand: what the present problem offers, what an edit does, what is kept of it (手改方案)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.hand_made import choice_of, edited_choice, limit_table
from qianmo.planning.problem import PlanProblem
from qianmo.planning.proof_arrays import read_proof
from qianmo.planning.verify import fingerprint, score, verify_hand_made
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.measures import KEEP, measures
from qianmo.store.columns import file_stamp
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project
from qianmo.store.proof_folder import is_proof_folder, read_proof_folder

__all__ = ["STATEMENT", "VARIANT", "Edit", "PlanningDesk", "edits_from", "hand_made_record", "planning_desk", "variant_records", "with_edits"]

VARIANT = "variant_plan_"
"""Beginning of the names of layers that hold a plan changed by hand."""

STATEMENT = "人工修改, 未证明最优; 约束已逐项复核 (changed by hand, no proof of optimality; limits re-checked)"
"""What every such plan says of itself."""

_SHOWN = 5


@dataclass(frozen=True)
class Edit:
    """One measure set on some patches (一次手改); `target_class` is '' where the measure leads to one class only, and for keeping."""

    patches: tuple[str, ...]
    measure: str
    target_class: str = ""


@dataclass(frozen=True, eq=False)
class PlanningDesk:
    """The planning problem of a project's proven plan, for changing plans by hand (规划问题).

    `options` are the measure options of the evaluation, those that rules forbid among them.
    """

    problem: PlanProblem
    patch_id: np.ndarray
    options: pd.DataFrame
    has_least_block: bool

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the problem."""
        return fingerprint(self.problem)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each patch by its id."""
        return {str(p): k for k, p in enumerate(self.patch_id)}

    @cached_property
    def costs(self) -> dict[tuple[str, str, str], float]:
        """Cost of works by patch, measure and class. [yuan]"""
        o = self.options
        return {(str(p), str(m), str(t)): round(float(c), 2) for p, m, t, c in zip(o["patch_id"], o["measure"], o["target_class"], o["cost_yuan"], strict=True)}

    def rows(self, patches: Sequence[str]) -> np.ndarray:
        """Rows of some patches.

        Raises
        ------
        MissingDataError
            The problem has no such patch.
        """
        lost = [p for p in patches if p not in self.row_of]
        if lost:
            raise MissingDataError(f"no patch {', '.join(lost[:_SHOWN])} in the planning problem", expected="patches of the plan", cure="choose them on the map")
        return np.array([self.row_of[p] for p in patches], dtype=np.int64)


def planning_desk(project: Project) -> PlanningDesk:
    """The problem of the plan a project holds, as its proof keeps it (打开规划问题).

    Raises
    ------
    MissingDataError
        The project has no plan with a proof, or no measure options.
    """
    place, options = project.state / "proof" / "certificate.json", project.state / "tables" / "measure_options.parquet"
    if not is_proof_folder(place.parent) or not options.is_file():
        raise MissingDataError("项目没有带证明的方案, 不能手改 (no plan with a proof)", expected="qianmo evaluate 与 qianmo plan 的结果", cure="先运行 qianmo plan")
    return _desk(project.state, file_stamp(place), file_stamp(options))


@lru_cache(maxsize=2)
def _desk(state: Path, proof_stamp: tuple[int, int, int], options_stamp: tuple[int, int, int]) -> PlanningDesk:
    record, arrays = read_proof_folder(state / "proof")
    proof = read_proof(record, arrays)
    if proof.patch_id is None:
        raise MissingDataError("方案证明没有图斑编号 (the proof names no patches)", cure="重新运行 qianmo plan")
    certificate = state / "tables" / "certificate.json"
    told = json.loads(certificate.read_text(encoding="utf-8")) if certificate.is_file() else {}
    return PlanningDesk(proof.problem, proof.patch_id, read_frame(state / "tables" / "measure_options.parquet"), bool(told.get("minimum_block")))


def edits_from(texts: Sequence[str]) -> list[Edit]:
    """Edits of the command line: ``PATCH=measure``, ``PATCH=measure:class`` or ``PATCH=keep``; equal ones are taken together (手改参数).

    Raises
    ------
    SchemaError
        A text is none of these, or a patch occurs twice.
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    seen: set[str] = set()
    for text in texts:
        patch, mark, rest = str(text).partition("=")
        measure, _, target = rest.partition(":")
        if not patch or not mark or measure not in measures() or patch in seen:
            raise SchemaError(f"--set {text}", expected=f"图斑编号=措施[:目标地类], 每个图斑一次; 措施: {', '.join(measures())}")
        seen.add(patch)
        grouped.setdefault((measure, target), []).append(patch)
    return [Edit(tuple(p), m, t) for (m, t), p in grouped.items()]


def with_edits(desk: PlanningDesk, plan_parcel: pd.DataFrame, edits: Sequence[Edit], *, reason: str = "") -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """The choice before and after some edits, and the parcel list after them (执行手改).

    Returns
    -------
    (n,) int, (n,) int, DataFrame, table ``plan_parcel``
        The list keeps the order of the one given; changed patches lose sub-project and year, which are arranged anew only by a plan.

    Raises
    ------
    SchemaError
        A patch does not offer what is set, or the evaluation no longer knows what it costs.
    """
    before = choice_of(desk.problem, desk.patch_id, plan_parcel)
    after = before
    for edit in edits:
        after = edited_choice(desk.problem, after, desk.rows(edit.patches), edit.measure, edit.target_class)
    table = plan_parcel.copy()
    rows = desk.rows(table["patch_id"].astype(str).to_list())
    at = np.flatnonzero(before[rows] != after[rows])
    taken = after[rows[at]]
    done = taken >= 0
    measure, target = np.full(len(at), KEEP, object), table["class_code"].to_numpy(object)[at].copy()
    measure[done], target[done] = desk.problem.measure[taken[done]], desk.problem.target_class[taken[done]]
    ids = table["patch_id"].astype(str).to_numpy(object)[at]
    cost = _costs(desk, ids, measure, target)
    zh = measures()
    why = [f"{reason}: {zh[a].zh if a in zh else a} → {zh[b].zh}" for a, b in zip(table["measure"].to_numpy(object)[at], measure, strict=True)]
    new = {"measure": measure, "target_class": target, "cost_yuan": cost, "reason": why, "subproject_id": "", "year": pd.NA}
    for name, value in new.items():
        if name in table.columns:
            column = table[name].copy()
            column.iloc[at] = value
            table[name] = column
    return before, after, table


def _costs(desk: PlanningDesk, ids: np.ndarray, measure: np.ndarray, target: np.ndarray) -> list[float]:
    """Cost of the works of each patch [yuan]; the evaluation may have changed since the plan was made."""
    wanted = list(zip(map(str, ids), map(str, measure), map(str, target), strict=True))
    lost = [k for k in wanted if k[1] != KEEP and k not in desk.costs]
    if lost:
        raise SchemaError(
            f"{len(lost)} 个图斑的措施没有造价: {', '.join(' '.join(k) for k in lost[:_SHOWN])}", expected="与方案同一次评价的措施清单",
            cure="评价在编制方案之后变过: 重新运行 qianmo plan, 再手改",
        )  # fmt: skip
    return [0.0 if k[1] == KEEP else desk.costs[k] for k in wanted]


def hand_made_record(desk: PlanningDesk, before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """What is said of a plan changed by hand, checked by a second route: score, limits, which of them it breaks; no bound (手改方案记录).

    Raises
    ------
    SchemaError
        The second route finds other figures.
    """
    limits = limit_table(desk.problem, before, after)
    claims = [
        {"id": x.id, "rule_id": x.rule_id, "zh": x.zh, "relation": r.relation, "bound": float(x.bound), "unit": x.unit, "constant": float(x.constant), "value": r.value_after,
         "slack": r.value_after - x.bound if x.relation == ">=" else x.bound - r.value_after, "value_before": r.value_before, "over": r.over_after, "over_before": r.over_before}
        for x, r in zip(desk.problem.limits, limits.itertuples(), strict=True)
    ]  # fmt: skip
    record: dict[str, Any] = {
        "statement": STATEMENT, "problem_sha256": desk.sha256, "objective": score(desk.problem, after), "objective_before": score(desk.problem, before), "limits": claims,
        "broken": [c["id"] for c in claims if c["over"] > 0], "least_block_unchecked": desk.has_least_block,
    }  # fmt: skip
    checks = verify_hand_made(desk.problem, after, record)
    wrong = [c for c in checks if not c["ok"] and not c["id"].startswith("limit:")]
    broken = sorted(c["id"].removeprefix("limit:") for c in checks if not c["ok"] and c["id"].startswith("limit:"))
    if wrong or broken != sorted(record["broken"]):
        raise SchemaError(f"手改方案复核不符: {wrong[:3]} {broken} {record['broken']}", expected="两条路径结果一致", cure="请保留项目并反馈")
    return {**record, "checks": len(checks)}


def variant_records(project: Project) -> Mapping[str, dict[str, Any]]:
    """Records of the plans of a project that were changed by hand, by the name of their layer (手改方案清单)."""
    path = project.state / "tables" / "variant_plans.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
