"""What-if on a county grid: a changed budget, a changed window, locked patches, from the last solution and from scratch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from measure import Way

from qianmo.planning.prices import Prices
from qianmo.planning.problem import Limit, Pairs, PlanProblem, limit_values, objective
from qianmo.planning.solve import Solution, is_large, solve
from qianmo.planning.what_if import Change, changed_problem, what_if

__all__ = ["ways"]

USES, SEED = 6, 20260303
SECONDS = 60.0
SMALLEST = 4096
"""Below this the small-problem engine would solve it."""

BIG = 100_000
"""Patches from which the gap of 0.1 % is asked for; whole patches are too coarse for it in small regions."""


def ways(size: int, cache_folder: Path) -> list[Way]:
    """Each change in two ways; the figure is the score, which differs by no more than the gap of both."""
    side = int(np.ceil(np.sqrt(max(size, SMALLEST))))
    out = []
    for name in ("budget", "window", "locks"):
        for way, run in (("from the last solution", _again), ("from scratch", _afresh)):
            task = _Task(name, side, cache_folder)
            out.append(Way(f"what-if {name}", way, side * side, lambda r=run, t=task: r(t), lambda t=task: _warm(t), tolerance=2 * _gap(side)))
    return out


@dataclass(frozen=True)
class _Task:
    """One change on one grid."""

    name: str
    side: int
    folder: Path


def _warm(task: _Task) -> None:
    """The grid, its first solution from the folder or solved into it, and compiled loops."""
    problem, first = _first(task.side, task.folder)
    what_if(problem, first, Change(), gap=1.0, time_limit_s=1.0, timer=time.monotonic)


def _again(task: _Task) -> float:
    problem, first = _first(task.side, task.folder)
    began = time.monotonic()
    done = what_if(problem, first, _change(task.name, problem, first), gap=_gap(task.side), time_limit_s=SECONDS, timer=time.monotonic)
    _say(task, "from the last", done.solution, time.monotonic() - began)
    return done.solution.objective


def _afresh(task: _Task) -> float:
    problem, first = _first(task.side, task.folder)
    began = time.monotonic()
    changed, _ = changed_problem(problem, _change(task.name, problem, first))
    done = solve(changed, gap=_gap(task.side), time_limit_s=SECONDS, timer=time.monotonic)
    _say(task, "from scratch", done, time.monotonic() - began)
    return done.objective


def _gap(side: int) -> float:
    return 1e-3 if side * side >= BIG else 2e-2


def _say(task: _Task, way: str, done: Solution, seconds: float) -> None:
    gap = (done.bound - done.objective) / abs(done.bound)
    print(f"  what-if {task.name}, {way}: gap {gap:.4%}, {seconds:.1f} s, {done.method}")


def _change(name: str, problem: PlanProblem, first: Solution) -> Change:
    ids = [x.id for x in problem.limits]
    value = limit_values(problem, first.choice)
    if name == "budget":
        return Change(bounds={"budget": round(value[ids.index("budget")] * 0.98, 2)})
    if name == "window":
        k = next(k for k, x in enumerate(problem.limits) if x.relation == "<=" and x.id != "budget")
        return Change(bounds={ids[k]: round(value[k] * 0.99, 2)})
    return Change(keep=tuple(np.flatnonzero(first.choice >= 0)[:200].tolist()))


@cache
def _first(side: int, folder: Path) -> tuple[PlanProblem, Solution]:
    problem = county_grid(side)
    if not is_large(problem):
        raise ValueError(f"{side * side} patches are too few for the whole-area engine")
    path = folder / f"what-if-{side}-{SEED}.npz"
    if path.is_file():
        kept = np.load(path)
        prices = Prices(kept["limit"], tuple(kept["split"].astype(float)))
        score = objective(problem, kept["choice"])
        return problem, Solution(kept["choice"], score, float(kept["bound"]), float(kept["bound"]), prices, "kept", 0.0)
    found = solve(problem, gap=_gap(side), time_limit_s=240.0 if side * side >= BIG else 30.0, timer=time.monotonic)
    print(f"  first solution: gap {(found.bound - found.objective) / found.bound:.4%}, {found.time_s:.1f} s")
    split = np.array(found.prices.split)
    np.savez(path, choice=found.choice, bound=found.bound, limit=found.prices.limit, split=split)
    return problem, found


def county_grid(side: int) -> PlanProblem:
    """Square patches, six uses in clumps, a window on every use of every region from both sides (216 uses of regions at half a million patches) and a budget (县域算例)."""
    rng = np.random.default_rng(SEED)
    n = side * side
    row, column = np.divmod(np.arange(n), side)
    field = [_smooth(rng, side) for _ in range(2 * USES)]
    now = np.argmax(np.array(field[:USES]), axis=0)
    patch = np.repeat(np.arange(n), USES - 1)
    use = (now[patch] + np.tile(np.arange(1, USES), n)) % USES
    order = np.lexsort((use, patch))
    use = use[order]
    fit = np.array(field[USES:])
    value = fit[use, patch] - fit[now[patch], patch] - 0.4 + rng.normal(0, 0.2, len(patch))
    area = rng.integers(50_000, 200_000, n) / 100.0
    cost = np.round(area[patch] * rng.uniform(5, 30, len(patch)), 2)
    at = np.arange(n).reshape(side, side)
    i = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    j = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    weight = rng.uniform(0.05, 0.3, len(i))
    layers = tuple(Pairs(f"use{k}", "", i, j, weight, now == k, use == k) for k in range(USES))
    edge = min(6, max(2, side // 100))
    region = (row * edge // side) * edge + column * edge // side
    text = np.full(len(patch), "", object)
    limits = (*_windows(region, now, use, patch, area), _budget(value, cost))
    return PlanProblem(n, patch, text, text, value, cost, {}, {}, layers, limits)


def _windows(region: np.ndarray, now: np.ndarray, use: np.ndarray, patch: np.ndarray, area: np.ndarray) -> list[Limit]:
    out = []
    for r in range(int(region.max()) + 1):
        mine = np.flatnonzero(region[patch] == r)
        for k in range(USES):
            option = mine[(use[mine] == k) | (now[patch[mine]] == k)]
            change = np.where(use[option] == k, area[patch[option]], -area[patch[option]])
            today = round(float(area[(region == r) & (now == k)].sum()), 2)
            whole = float(area[region == r].sum())
            for relation, bound in ((">=", today * 0.9), ("<=", today * 1.1 + 0.01 * whole)):
                out.append(Limit(f"{r}-{k}{relation}", "window", f"{r}区{k}类面积", option, change, relation, round(bound, 2), "m2", today))
    return out


def _budget(value: np.ndarray, cost: np.ndarray) -> Limit:
    likely = value.reshape(-1, USES - 1).argmax(axis=1) + np.arange(len(value) // (USES - 1)) * (USES - 1)
    wanted = float(cost[likely][value[likely] > 0].sum())
    return Limit("budget", "budget", "总投资", np.arange(len(cost)), cost, "<=", round(0.6 * wanted, 2), "yuan")


def _smooth(rng: np.random.Generator, side: int) -> np.ndarray:
    """Noise in clumps of some twelve patches across, (side * side,)."""
    coarse = side // 12 + 2
    seed = rng.normal(0, 1, (coarse, coarse))
    at = np.linspace(0, coarse - 1.001, side)
    k, part = at.astype(int), at - at.astype(int)
    rows = seed[k] * (1 - part)[:, None] + seed[k + 1] * part[:, None]
    both = rows[:, k] * (1 - part) + rows[:, k + 1] * part
    return both.ravel()
