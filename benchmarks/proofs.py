"""Proofs of any size for the benchmarks, made once and kept in a folder.

A grid of patches with six uses: a layer of equal-use bonuses for each use over one border graph, area windows of every
use in 34 regions, a budget. The plan and the prices are drawn, not searched: checking costs the same whatever the gap.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qianmo.planning.case_bounds import SHARES, one_case
from qianmo.planning.problem import Limit, Pairs, PlanProblem
from qianmo.planning.proof import proof_record
from qianmo.planning.proof_arrays import proof_arrays
from qianmo.store.proof_folder import is_proof_folder, write_proof_folder

__all__ = ["USES", "grid_problem", "proof_folder"]

SEED = 20260101
USES = 6
REGIONS = 34


def proof_folder(size: int, cache: Path) -> Path:
    """Folder of a proof with `size` patches, from the cache or made into it."""
    folder = cache / f"proof-{size}-{SEED}-2"
    if not is_proof_folder(folder):
        rng = np.random.default_rng(SEED)
        problem, choice = grid_problem(size, rng)
        price = np.array([rng.uniform(0, 1e-3) * (1 if x.relation == "<=" else -1) for x in problem.limits])
        shares = tuple(rng.integers(0, SHARES + 1, len(p.i)).astype(np.uint16) for p in problem.pairs)
        prices = one_case(price, shares)
        area = rng.integers(10_000, 1_000_000, problem.n)
        record = proof_record(problem, choice, prices, made="2026-01-01T00:00:00+00:00", software="benchmark", method="drawn", area_dm2=area)
        write_proof_folder(folder, record, proof_arrays(problem, choice, prices, area_dm2=area))
    return folder


def grid_problem(size: int, rng: np.random.Generator) -> tuple[PlanProblem, np.ndarray]:
    """A problem of `size` patches and six uses, and a plan within its limits."""
    rows = next(r for r in range(int(size**0.5), 0, -1) if size % r == 0)
    today = rng.integers(0, USES, size)
    patch = np.repeat(np.arange(size), USES - 1)
    use = (np.tile(np.arange(1, USES), size) + today[patch]) % USES
    choice = np.where(rng.random(size) < 0.3, np.arange(size) * (USES - 1) + rng.integers(0, USES - 1, size), -1)
    at = np.arange(size).reshape(rows, -1)
    i, j = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()]), np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    weight = rng.uniform(0.1, 1.0, len(i))
    pairs = tuple(Pairs(f"use{u}", f"用途{u}", i, j, weight, today == u, use == u) for u in range(USES))
    area, region = rng.integers(10_000, 1_000_000, size), np.arange(size) * REGIONS // size
    taken = np.zeros(len(patch), bool)
    taken[choice[choice >= 0]] = True
    limits = [_window(r, u, region, today, patch, use, area, taken) for r in range(REGIONS) for u in range(USES)]
    cost = rng.integers(0, 10**8, len(patch)) / 100.0
    spent = int(np.rint(cost[taken] * 100).sum())
    limits.append(Limit("budget", "", "投资", np.arange(len(patch)), cost, "<=", spent / 100.0, "yuan"))
    text = np.array([f"use{u}" for u in range(USES)], object)[use]
    value = rng.normal(0, 1, len(patch))
    return PlanProblem(size, patch, text, text, value, cost, {}, {}, pairs, tuple(limits)), choice


def _window(
    r: int, u: int, region: np.ndarray, today: np.ndarray, patch: np.ndarray, use: np.ndarray, area: np.ndarray, taken: np.ndarray
) -> Limit:
    low, high = np.searchsorted(patch, np.searchsorted(region, [r, r + 1]))
    here = slice(int(low), int(high))
    change = (use[here] == u).astype(np.int64) - (today[patch[here]] == u)
    option = np.flatnonzero(change) + int(low)
    amount = change[change != 0] * area[patch[option]]
    constant = int(area[(region == r) & (today == u)].sum())
    reached = constant + int(amount[taken[option]].sum())
    relation = "<=" if (r + u) % 2 else ">="
    return Limit(f"window-{r}-{u}", f"R-{u}", f"区{r}用途{u}面积", option, amount / 100.0, relation, reached / 100.0, "m2", constant / 100.0)
