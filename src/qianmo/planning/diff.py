"""What two plans do differently, parcel by parcel and in sums (方案差异)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.problem import PlanProblem, states
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP, measure

__all__ = ["changed_parcels", "patch_scores", "summary_of_changes"]

_CHANGED = ("patch_id", "village_code", "class_code", "area_m2", "measure_before", "measure_after", "target_before", "target_after")
_MONEY = ("cost_before_yuan", "cost_after_yuan", "cost_change_yuan")
_SCORE = ("score_before", "score_after", "score_change")


def changed_parcels(
    before: pd.DataFrame, after: pd.DataFrame, *, score_before: np.ndarray | None = None, score_after: np.ndarray | None = None
) -> pd.DataFrame:
    """Parcels on which two plans of one area differ, in the order of the second (变化图斑表).

    Parameters
    ----------
    before, after : DataFrame, table ``plan_parcel``
        The same patches in any order.
    score_before, score_after : (n,) float, optional
        Points of each patch in the order of its table, as of `patch_scores`. [points]

    Returns
    -------
    DataFrame
        Measure and target class of both, area, cost of works before, after and the change [yuan], and
        the points where they were given. A patch whose neighbours changed may gain points and is
        listed only where its own measure or class changed.

    Raises
    ------
    SchemaError
        The plans are not of the same patches.
    """
    place = _same_patches(before["patch_id"], after["patch_id"])
    works, target = ("measure", "target_class")
    differs = np.zeros(len(after), bool)
    for name in (works, target):
        differs |= before[name].to_numpy(object)[place] != after[name].to_numpy(object)
    at = np.flatnonzero(differs)
    old, new = before.iloc[place[at]], after.iloc[at]
    table = pd.DataFrame(
        {
            "patch_id": new["patch_id"].to_numpy(object), "village_code": new["village_code"].to_numpy(object), "class_code": new["class_code"].to_numpy(object),
            "area_m2": new["area_m2"].to_numpy(float), "measure_before": old[works].to_numpy(object),
            "measure_after": new[works].to_numpy(object), "target_before": old[target].to_numpy(object),
            "target_after": new[target].to_numpy(object), "cost_before_yuan": old["cost_yuan"].to_numpy(float),
            "cost_after_yuan": new["cost_yuan"].to_numpy(float),
        }
    )  # fmt: skip
    table["cost_change_yuan"] = (table["cost_after_yuan"] - table["cost_before_yuan"]).round(2)
    columns = [*_CHANGED, *_MONEY]
    if score_before is not None and score_after is not None:
        table["score_before"], table["score_after"] = np.asarray(score_before)[place[at]], np.asarray(score_after)[at]
        table["score_change"] = table["score_after"] - table["score_before"]
        columns += list(_SCORE)
    return table[columns]


def _same_patches(before: pd.Series, after: pd.Series) -> np.ndarray:
    """Row of the first plan of each patch of the second."""
    old, new = before.to_numpy(object), after.to_numpy(object)
    if np.array_equal(old, new):
        return np.arange(len(new))
    if len(old) != len(new) or set(old) != set(new):
        alone = sorted(map(str, set(old) ^ set(new)))
        raise SchemaError(
            f"the plans hold different patches: {len(old)} and {len(new)}, only in one {', '.join(alone[:5])}",
            expected="two plans of the same patches (同一底图的两个方案)", cure="plan again on the present base layer",
        )  # fmt: skip
    return pd.Series(np.arange(len(old)), index=old)[new].to_numpy()


def summary_of_changes(changed: pd.DataFrame, *, by: str = "measure") -> pd.DataFrame:
    """Sums of the changes by measure or village (变化汇总表).

    Parameters
    ----------
    changed : DataFrame
        As made by `changed_parcels`.
    by : 'measure' or 'village_code'

    Returns
    -------
    DataFrame
        By measure: patches and area that leave it and that enter it, cost change of both together.
        By village: changed patches, their area, cost change.
    """
    if by == "village_code":
        rows = changed.groupby("village_code", sort=True, dropna=False)
        return rows.agg(patches=("patch_id", "size"), area_m2=("area_m2", "sum"), cost_change_yuan=("cost_change_yuan", "sum")).reset_index()
    names = sorted({*changed["measure_before"], *changed["measure_after"]})
    out = []
    for name in names:
        gone, come = changed[changed["measure_before"] == name], changed[changed["measure_after"] == name]
        out.append(
            {
                "measure": name, "zh": "维持现状" if name == KEEP else measure(name).zh, "patches_before": len(gone), "patches_after": len(come),
                "area_before_m2": float(gone["area_m2"].sum()), "area_after_m2": float(come["area_m2"].sum()),
                "cost_change_yuan": round(float(come["cost_after_yuan"].sum() - gone["cost_before_yuan"].sum()), 2),
            }
        )  # fmt: skip
    columns = ["measure", "zh", "patches_before", "patches_after", "area_before_m2", "area_after_m2", "cost_change_yuan"]
    return pd.DataFrame(out, columns=columns)


def patch_scores(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """Points of each patch under a plan, (n,): its own, and half of what its borders gain (图斑得分); they add up to the score."""
    out = np.zeros(problem.n)
    done = np.flatnonzero(choice >= 0)
    out[done] = problem.value[choice[done]]
    for p in problem.pairs:
        now, after = p.state0.astype(bool), states(p, choice)
        half = 0.5 * p.weight * ((after[p.i] & after[p.j]).astype(float) - (now[p.i] & now[p.j]))
        out += np.bincount(p.i, half, problem.n) + np.bincount(p.j, half, problem.n)
    return out
