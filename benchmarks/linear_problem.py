"""A problem file written out as a mixed-integer program from its tables alone, and the two referees that solve it.

A yes-or-no column for each option and one for each border and layer, which may be 1 only where both ends have the state. Scores and
borders are counted in whole hundredths of a point, so that two proven optima can be compared to the last one. Shares no code with `qianmo.planning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

__all__ = ["FileProgram", "Verdict", "by_highs", "by_scip", "program_of_file", "score_of_options"]


@dataclass(frozen=True)
class FileProgram:
    """Maximise ``gain @ v + constant`` with ``low <= rows @ v <= high``, v in 0..1, the first `options` whole [hundredths of a point]."""

    gain: np.ndarray
    constant: float
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    options: int


@dataclass(frozen=True)
class Verdict:
    """What a referee says: best score (nan: none), bound, chosen options (None: none) [hundredths of a point]."""

    score: float
    bound: float
    chosen: np.ndarray | None

    @property
    def is_proven(self) -> bool:
        """True where no whole score lies between score and bound."""
        return bool(self.bound - self.score < 1.0 - 1e-6)


def program_of_file(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> FileProgram:
    """The program of the record and the tables of a ``.qproblem`` file."""
    place = {p: k for k, p in enumerate(tables["patches"]["patch_id"])}
    patch = tables["options"]["patch_id"].map(place).to_numpy()
    n, m = len(place), len(patch)
    gain, constant = [_hundredths(tables["options"]["value"])], 0.0
    rows, low, high, at = [], [], [], [0]

    def add(row: np.ndarray, column: np.ndarray, value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        rows.append((row + at[0], column, value))
        low.append(lower)
        high.append(upper)
        at[0] += len(lower)

    one = np.ones(m)
    add(patch, np.arange(m), one, np.where(tables["patches"]["may_keep"], -np.inf, 1.0), np.ones(n))
    for k, x in enumerate(record["limit"]):
        t = tables["limit_real" if x["unit"] == "1" else "limit_whole"]
        mine = t["limit"].to_numpy() == k
        amount, side = t["amount"].to_numpy(float)[mine], float(x["bound"] - x.get("constant", 0))
        size = max(float(np.abs(amount).max(initial=0.0)), 1.0)
        ends = (-np.inf if x["relation"] == "<=" else side / size, np.inf if x["relation"] == ">=" else side / size)
        add(np.zeros(mine.sum(), int), t["option"].to_numpy()[mine], amount / size, *(np.array([e]) for e in ends))
    first = m
    for layer in record.get("layer", []):
        t = tables[layer["borders"]]
        ends = [t[c].map(place).to_numpy() for c in ("patch_i", "patch_j")]
        weight = _hundredths(t["weight"])
        before = tables["patch_states"][layer["state"]].to_numpy(float)
        change = tables["option_states"][layer["state"]].to_numpy(float) - before[patch]
        constant -= float(weight @ (before[ends[0]] * before[ends[1]]))
        both = first + np.arange(len(t))
        for end in ends:  # both - sum of changes at this end <= state today
            start = np.searchsorted(patch, end)
            count = np.searchsorted(patch, end, side="right") - start
            row = np.repeat(np.arange(len(t)), count)
            option = np.repeat(start - np.cumsum(count) + count, count) + np.arange(count.sum())
            add(np.r_[np.arange(len(t)), row], np.r_[both, option], np.r_[np.ones(len(t)), -change[option]], np.full(len(t), -np.inf), before[end])
        gain.append(weight)
        first += len(t)
    row, column, value = (np.concatenate([r[k] for r in rows]) for k in range(3))
    matrix = csr_array(coo_array((value, (row, column)), shape=(at[0], first)))
    matrix.eliminate_zeros()
    return FileProgram(np.concatenate(gain), constant, matrix, np.concatenate(low), np.concatenate(high), m)


def score_of_options(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], choice: np.ndarray) -> tuple[int, list[str]]:
    """Score of a plan in whole hundredths of a point and the limits it breaks, from the tables, in whole numbers.

    `choice` (n,) is the row of table ``options`` of each patch, -1 where it keeps its use.
    """
    place = {p: k for k, p in enumerate(tables["patches"]["patch_id"])}
    done = np.flatnonzero(choice >= 0)
    assert (tables["options"]["patch_id"].map(place).to_numpy()[choice[done]] == done).all()
    assert tables["patches"]["may_keep"].to_numpy()[choice < 0].all()
    total = int(_hundredths(tables["options"]["value"])[choice[done]].sum())
    for layer in record.get("layer", []):
        t = tables[layer["borders"]]
        i, j = (t[c].map(place).to_numpy() for c in ("patch_i", "patch_j"))
        before = tables["patch_states"][layer["state"]].to_numpy(bool)
        after = before.copy()
        after[done] = tables["option_states"][layer["state"]].to_numpy(bool)[choice[done]]
        total += int(_hundredths(t["weight"]) @ ((after[i] & after[j]).astype(int) - (before[i] & before[j])))
    broken = []
    for k, x in enumerate(record["limit"]):
        t = tables["limit_real" if x["unit"] == "1" else "limit_whole"]
        mine = (t["limit"].to_numpy() == k) & np.isin(t["option"], choice[done])
        held = t["amount"].to_numpy()[mine].sum() + x.get("constant", 0)
        room = 1e-6 * max(1.0, abs(x["bound"])) if x["unit"] == "1" else 0
        if (x["relation"] != ">=" and held > x["bound"] + room) or (x["relation"] != "<=" and held < x["bound"] - room):
            broken.append(x["id"])
    return total, broken


def by_highs(p: FileProgram, *, time_limit_s: float, gap: float = 0.0) -> Verdict:
    """HiGHS in SciPy."""
    whole = (np.arange(len(p.gain)) < p.options).astype(int)
    found = milp(
        -p.gain, constraints=LinearConstraint(p.rows, p.low, p.high), integrality=whole, bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_limit_s, "mip_rel_gap": gap},
    )  # fmt: skip
    least = found.mip_dual_bound
    bound = np.inf if least is None or not np.isfinite(least) else p.constant - float(least)
    if found.x is None:
        return Verdict(np.nan, -np.inf if found.status == 2 else bound, None)
    return Verdict(p.constant - float(found.fun), bound, np.flatnonzero(found.x[: p.options] > 0.5))


def by_scip(p: FileProgram, *, time_limit_s: float, gap: float = 0.0) -> Verdict:
    """SCIP through PySCIPOpt."""
    from pyscipopt import Model, quicksum

    model = Model()
    model.hideOutput()
    model.setParam("limits/time", time_limit_s)
    model.setParam("limits/gap", gap)
    v = [model.addVar(vtype="B" if k < p.options else "C", lb=0.0, ub=1.0) for k in range(len(p.gain))]
    for r in range(p.rows.shape[0]):
        part = slice(p.rows.indptr[r], p.rows.indptr[r + 1])
        total = quicksum(float(c) * v[k] for k, c in zip(p.rows.indices[part], p.rows.data[part]))
        if np.isfinite(p.low[r]):
            model.addCons(total >= float(p.low[r]))
        if np.isfinite(p.high[r]):
            model.addCons(total <= float(p.high[r]))
    model.setObjective(quicksum(float(c) * x for c, x in zip(p.gain, v) if c) + p.constant, "maximize")
    model.optimize()
    if model.getStatus() == "infeasible":
        return Verdict(np.nan, -np.inf, None)
    bound = float(model.getDualbound())
    if not model.getNSols():
        return Verdict(np.nan, bound, None)
    taken = np.array([model.getVal(x) for x in v[: p.options]])
    return Verdict(float(model.getObjVal()), bound, np.flatnonzero(taken > 0.5))


def _hundredths(points: pd.Series) -> np.ndarray:
    whole = np.rint(points.to_numpy(float) * 100.0)
    if np.abs(whole - points.to_numpy(float) * 100.0).max(initial=0.0) > 1e-6:
        raise ValueError("scores are no whole hundredths of a point")
    return whole
