"""The new plan beside the one the project holds (与上一方案比较)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from qianmo.jobs.opened import Opened, read_tables
from qianmo.planning.diff import changed_parcels, summary_of_changes
from qianmo.schema.errors import MissingDataError
from qianmo.schema.units import m2_to_mu
from qianmo.store.project import Project

__all__ = ["Difference", "Earlier", "compared", "plan_of", "previous_plan"]

MOST_SHOWN = 20
"""Changed patches that are listed on the screen; the table holds all."""


@dataclass(frozen=True)
class Earlier:
    """The plan a project holds: parcels, points of each, certificate (上一方案)."""

    plan_parcel: pd.DataFrame
    score: np.ndarray | None
    certificate: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """Tables, lines and figures of a comparison; all empty where none was asked for (比较结果)."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


def previous_plan(opened: Opened) -> Earlier:
    """The plan the project holds.

    Raises
    ------
    MissingDataError
        It holds none.
    """
    found = plan_of(opened.project)
    if found is None:
        raise MissingDataError("项目还没有方案, 无从比较 (no plan to compare with)", cure="先运行 qianmo plan, 再用 --compare")
    return found


def plan_of(project: Project) -> Earlier | None:
    """The plan of one state of a project, None where it holds none (项目某一版的方案)."""
    found = read_tables(project, ("plan_parcel", "plan_score"))
    path = project.state / "tables" / "certificate.json"
    if "plan_parcel" not in found or not path.is_file():
        return None
    score = None
    if "plan_score" in found:
        score = found["plan_score"].set_index("patch_id")["score"].reindex(found["plan_parcel"]["patch_id"]).to_numpy(float)
    return Earlier(found["plan_parcel"], score, json.loads(path.read_text(encoding="utf-8")))


def compared(earlier: Earlier | None, plan_parcel: pd.DataFrame, score: np.ndarray | None, certificate: Mapping[str, Any]) -> Difference:
    """What changed against the earlier plan: parcels, sums, limits, score (方案比较)."""
    if earlier is None:
        return Difference()
    old, both = earlier.certificate, earlier.score is not None and score is not None
    changed = changed_parcels(earlier.plan_parcel, plan_parcel, score_before=earlier.score if both else None, score_after=score if both else None)
    measures, villages = summary_of_changes(changed), summary_of_changes(changed, by="village_code")
    money = float(changed["cost_change_yuan"].sum())
    lines = [
        f"与上一方案比较: {len(changed)} 个图斑不同 ({m2_to_mu(changed['area_m2'].sum()):.2f} 亩), 工程费变化 {money / 1e4:+.2f} 万元",
        f"  得分 {old['objective']:.6g} (差距 {old['gap_rel']:.4%}) → {certificate['objective']:.6g} (差距 {certificate['gap_rel']:.4%})",
        *_limit_lines(old["limits"], certificate["limits"]),
    ]
    for r in measures.itertuples():
        lines.append(
            f"  {r.zh}: 退出 {r.patches_before} 个 {m2_to_mu(r.area_before_m2):.2f} 亩, 进入 {r.patches_after} 个 {m2_to_mu(r.area_after_m2):.2f} 亩"
        )
    names = dict(zip(measures["measure"], measures["zh"]))
    for r in changed.head(MOST_SHOWN).itertuples():
        points = f", {r.score_change:+.4f} 分" if both else ""
        lines.append(
            f"    {r.patch_id}: {names[r.measure_before]} → {names[r.measure_after]}, {m2_to_mu(r.area_m2):.2f} 亩, {r.cost_change_yuan / 1e4:+.2f} 万元{points}"
        )
    if len(changed) > MOST_SHOWN:
        lines.append(f"    其余 {len(changed) - MOST_SHOWN} 个图斑见表 plan_diff")
    figures = {"changed_against_previous": len(changed), "objective_previous": old["objective"], "gap_previous": old["gap_rel"], "cost_change_yuan": money}
    return Difference({"plan_diff": changed, "plan_diff_measure": measures, "plan_diff_village": villages}, tuple(lines), figures)


def _limit_lines(before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]) -> list[str]:
    old, new = ({x["id"]: x for x in rows} for rows in (before, after))
    lines = []
    for name in [*new, *(k for k in old if k not in new)]:
        a, b = old.get(name), new.get(name)
        if a is not None and b is not None and a["bound"] == b["bound"]:
            continue
        said = b if b is not None else a
        assert said is not None
        was, now = ("无" if x is None else f"{x['relation']} {x['bound']:,.2f} {x['unit']}" for x in (a, b))
        lines.append(f"  约束 {said['zh']}: {was} → {now}")
    return lines
