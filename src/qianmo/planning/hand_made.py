"""A plan changed by hand: what may be set on a patch, and what that does to each limit (手改方案)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qianmo.planning.problem import KEPT, PlanProblem, limit_values
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP

__all__ = ["LIMIT_COLUMNS", "allowed_options", "choice_of", "edited_choice", "limit_table"]

LIMIT_COLUMNS = ("id", "rule_id", "zh", "relation", "bound", "unit", "value_before", "value_after", "over_before", "over_after")

_SLACK = 1e-9
"""Rounding of limits that are no areas and no money, as a share of their bound."""

_SHOWN = 5


def choice_of(problem: PlanProblem, patch_id: Sequence[str] | np.ndarray, plan_parcel: pd.DataFrame) -> np.ndarray:
    """The option of each patch that a parcel list names (由规划图斑表还原决策).

    Parameters
    ----------
    problem : PlanProblem
    patch_id : (n,) text
        Patches in the order of the problem.
    plan_parcel : DataFrame, table ``plan_parcel``
        The same patches in any order.

    Returns
    -------
    (n,) int
        Option of each patch, -1 where it keeps its use.

    Raises
    ------
    SchemaError
        The list holds other patches, or something the problem does not offer.
    """
    rows = plan_parcel.set_index(plan_parcel["patch_id"].astype(str))
    ids = np.asarray(patch_id).astype(str)
    if len(rows) != problem.n or set(rows.index) != set(ids):
        raise SchemaError("the plan holds other patches than the planning problem", expected="a plan of the present problem (同一规划问题的方案)", cure="run qianmo plan again (重新编制方案)")
    rows = rows.loc[ids]
    measure, target = rows["measure"].to_numpy(object), rows["target_class"].to_numpy(object)
    works = np.flatnonzero(measure != KEEP)
    choice = np.full(problem.n, KEPT)
    choice[works] = _options(problem, works, measure[works], target[works])
    wrong = np.union1d(works[choice[works] < 0], np.flatnonzero((choice == KEPT) & ~problem.keeps))
    if len(wrong):
        raise SchemaError(
            f"{len(wrong)} patches are planned as the present problem does not offer: {', '.join(f'{ids[k]} {measure[k]}' for k in wrong[:_SHOWN])}",
            expected="measures of the present planning problem (当前规划问题的措施)", cure="choose another plan, or run qianmo plan again (另选方案或重新编制)",
        )  # fmt: skip
    return choice


def allowed_options(problem: PlanProblem, rows: Sequence[int] | np.ndarray) -> pd.DataFrame:
    """What may be set on some patches, keeping first (可选措施).

    Returns
    -------
    DataFrame, columns ``measure``, ``target_class``, ``patches``
        `patches` counts those of the rows that may take it; ``target_class`` is '' for keeping.
    """
    rows = np.unique(np.asarray(rows, dtype=np.int64))
    at = np.flatnonzero(np.isin(problem.patch, rows))
    pairs = pd.DataFrame({"measure": problem.measure[at].astype(object), "target_class": problem.target_class[at].astype(object)})
    found = pairs.groupby(["measure", "target_class"], sort=True).size().rename("patches").reset_index()
    kept = pd.DataFrame({"measure": [KEEP], "target_class": [""], "patches": [int(problem.keeps[rows].sum())]})
    return pd.concat([kept, found], ignore_index=True)


def edited_choice(problem: PlanProblem, choice: np.ndarray, rows: Sequence[int] | np.ndarray, measure: str, target_class: str = "") -> np.ndarray:
    """The choice with one measure set on some patches (手改决策).

    Parameters
    ----------
    target_class : str
        Class it leads to; '' where the measure leads to one class only, and for keeping.

    Raises
    ------
    SchemaError
        A patch does not offer it, or the measure leads to several classes.
    """
    rows = np.unique(np.asarray(rows, dtype=np.int64))
    out = np.asarray(choice).copy()
    if measure == KEEP:
        out[rows] = KEPT
        wrong = rows[~problem.keeps[rows]]
    else:
        targets = np.full(len(rows), target_class, object) if target_class else _only_targets(problem, rows, measure)
        out[rows] = _options(problem, rows, np.full(len(rows), measure, object), targets)
        wrong = rows[out[rows] < 0]
    if len(wrong):
        raise SchemaError(
            f"{len(wrong)} of {len(rows)} patches do not offer {measure} {target_class}: rows {wrong[:_SHOWN].tolist()}",
            expected="a measure that the planning problem offers there (规划问题允许的措施)", cure="take those patches out of the choice (从选择中去掉这些图斑)",
        )  # fmt: skip
    return out


def limit_table(problem: PlanProblem, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """Each limit under two choices (约束复核表).

    Returns
    -------
    DataFrame, columns `LIMIT_COLUMNS`
        Values, and how far each lies beyond its bound: 0 where it holds. Areas [m2] and money [yuan] to the hundredth.
    """
    old, new = limit_values(problem, before), limit_values(problem, after)
    rows = [
        (x.id, x.rule_id, x.zh, x.relation, float(x.bound), x.unit, float(a), float(b), _over(x.relation, float(a), float(x.bound), x.is_whole), _over(x.relation, float(b), float(x.bound), x.is_whole))
        for x, a, b in zip(problem.limits, old, new, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(LIMIT_COLUMNS))


def _over(relation: str, value: float, bound: float, is_whole: bool) -> float:
    room = round(value - bound, 2) if is_whole else value - bound
    over = room if relation == "<=" else -room if relation == ">=" else abs(room)
    slack = 0.0 if is_whole else _SLACK * max(1.0, abs(bound), abs(value))
    return over if over > slack else 0.0


def _options(problem: PlanProblem, rows: np.ndarray, measure: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Option of each row with that measure and class; -1 where there is none."""
    at = np.flatnonzero(np.isin(problem.patch, rows))
    named = {(int(problem.patch[k]), str(problem.measure[k]), str(problem.target_class[k])): int(k) for k in at}
    return np.array([named.get((int(r), str(m), str(t)), -1) for r, m, t in zip(rows, measure, target, strict=True)], dtype=np.int64)


def _only_targets(problem: PlanProblem, rows: np.ndarray, measure: str) -> np.ndarray:
    at = np.flatnonzero(np.isin(problem.patch, rows) & (problem.measure == measure))
    found: dict[int, set[str]] = {}
    for k in at:
        found.setdefault(int(problem.patch[k]), set()).add(str(problem.target_class[k]))
    several = [r for r, t in found.items() if len(t) > 1]
    if several:
        raise SchemaError(
            f"{measure} leads to several classes on rows {several[:_SHOWN]}: {', '.join(sorted(found[several[0]]))}",
            expected="the class it is to become (目标地类)", cure="name the class too (一并给出目标地类)",
        )  # fmt: skip
    return np.array([next(iter(found.get(int(r), {""}))) for r in rows], dtype=object)
