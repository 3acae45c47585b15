"""Whole-area plans and selections: the house's engine beside HiGHS, SCIP, PDLP and a genetic algorithm on the same file.

The figure is the score of the plan; the notes hold the bound, the certified gap as a share of the bound, and what else there is.
Peers have a time limit: their score is what they have by then, 0 (all kept) where they have nothing. Reading the file, building the
problem and compiling are not timed, except in the row that says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import genetic
import linear_allocation as linear
import numpy as np
from measure import Outcome, Way
from plan_instances import SEED, county_file, read_allocation

from qianmo.planning.allocation import Allocation, Window, allocation_problem
from qianmo.planning.make_selection import make_selection
from qianmo.planning.planted_county import planted_county
from qianmo.planning.problem import PlanProblem
from qianmo.planning.solve import Solution, solve

__all__ = ["ways"]

_FULL = 100_000
"""Sizes from which instances have their real proportions; below, tiny ones only show that all runs."""
_ANY = 1e9
"""Tolerance of ways whose scores may differ: a peer that runs out of time."""


def ways(size: int, cache: Path) -> list[Way]:
    """County, county with finer gap, what-if, province, selection; then the small file by all peers."""
    full = size >= _FULL
    county = county_file(size if full else 60, cache)
    stated = county_file(size if full else 60, cache, rows="stated")
    province = county_file(8 * size if full else 80, cache, rows="few")
    small = county_file(22_500 if full else 60, cache, rows="windows")
    referee = county_file(3_600 if full else 40, cache, rows="windows")
    side = (round(777 * np.sqrt(size / 500_000)), round(780 * np.sqrt(size / 500_000))) if full else (10, 12)
    seconds = 120.0 if full else 1.0
    return [
        _build(county), _plan("county", stated, 1e-3, 60.0), _plan("county, all rows", county, 1e-3, 60.0), _plan("county fine", stated, 1e-4, 180.0), _what_if(county),
        _plan("province", province, 1e-3, 200.0), _selection(*side, 72 if full else 4),
        _planted(1_000_000 if full else 60),
        _plan("small file", small, 1e-3, seconds), _peer("small file", small, "HiGHS in SciPy", linear.by_highs, seconds),
        _relaxed("small file", small, seconds), _herd("small file", small, seconds / 2),
        _plan("3,600 file", referee, 1e-4, seconds), _peer("3,600 file", referee, "HiGHS in SciPy", linear.by_highs, seconds),
        _peer("3,600 file", referee, "SCIP", linear.by_scip, seconds), _herd("3,600 file", referee, seconds / 2),
    ]  # fmt: skip


def _build(path: Path) -> Way:
    box: dict[str, Allocation] = {}

    def run() -> Outcome:
        problem = allocation_problem(box["question"])
        return Outcome(float(problem.m), {"limits": len(problem.limits), "borders": len(problem.pairs[0].i)})

    return Way("county build", "allocation_problem", _rows(path), run, lambda: box.update(question=read_allocation(path)))


def _plan(task: str, path: Path, gap: float, seconds: float) -> Way:
    box: dict[str, PlanProblem] = {}
    run = lambda: _told(solve(box["problem"], gap=gap, time_limit_s=seconds, timer=time.perf_counter))  # noqa: E731
    return Way(task, f"qianmo solve, gap {gap:g}", _rows(path), run, lambda: _ready(box, lambda: allocation_problem(read_allocation(path))), _ANY)


def _what_if(path: Path) -> Way:
    """One window of the county changed after a first plan; the clock runs for the new plan alone."""
    box: dict[str, PlanProblem] = {}

    def warm() -> None:
        question = read_allocation(path)
        _ready(box, lambda: allocation_problem(_wider(question)))

    run = lambda: _told(solve(box["problem"], gap=1e-3, time_limit_s=60.0, timer=time.perf_counter))  # noqa: E731
    return Way("what-if", "qianmo solve, one window wider", _rows(path), run, warm, _ANY)


def _wider(question: Allocation) -> Allocation:
    row = next(k for k, w in enumerate(question.windows) if w.most_dm2 is not None)
    w = question.windows[row]
    wide = Window(w.system, w.region, w.use, w.least_dm2, int((w.most_dm2 or 0) * 1.05), w.rule_id)
    return replace(question, windows=(*question.windows[:row], wide, *question.windows[row + 1 :]))


def _selection(rows: int, columns: int, features: int) -> Way:
    box: dict[str, PlanProblem] = {}
    make = lambda: make_selection(rows, columns, features=features, rng=np.random.default_rng(SEED))  # noqa: E731
    run = lambda: _told(solve(box["problem"], gap=1e-2, time_limit_s=60.0, timer=time.perf_counter))  # noqa: E731
    return Way("selection", f"qianmo solve, {features} features", rows * columns, run, lambda: _ready(box, make), _ANY)


def _planted(n: int) -> Way:
    """A county whose best score is known: the notes say how far score and bound lie from it, as shares."""
    box: dict[str, PlanProblem] = {}
    truth: dict[str, float] = {}

    def warm() -> None:
        made = planted_county(n, rng=np.random.default_rng(SEED))
        truth["score"] = made.score
        _ready(box, lambda: made.problem)

    def run() -> Outcome:
        found = solve(box["problem"], gap=1e-3, time_limit_s=120.0, timer=time.perf_counter)
        best = truth["score"]
        notes = {"planted": best, "score below": 1.0 - found.objective / best, "bound above": found.bound / best - 1.0}
        return Outcome(found.objective, notes)

    return Way("planted", "qianmo solve, gap 0.001", n, run, warm, _ANY)


def _peer(task: str, path: Path, name: str, solver: Callable[..., linear.Result], seconds: float) -> Way:
    box: dict[str, object] = {}

    def run() -> Outcome:
        question = box["question"]
        found = solver(box["program"], len(question.uses), time_limit_s=seconds, gap=1e-4)  # type: ignore[attr-defined]
        if found.uses is None:
            return Outcome(0.0, {"found no plan in s": seconds, "bound": found.bound})
        score = linear.score_of(question, found.uses)
        return Outcome(score, {"score": score, "bound": found.bound, "gap": _gap(score, found.bound)})

    return Way(task, name, _rows(path), run, lambda: _program(box, path), _ANY, 2.0 * seconds + 30.0)


def _relaxed(task: str, path: Path, seconds: float) -> Way:
    """The bound of the relaxation; it makes no plan, so its figure is 0."""
    box: dict[str, object] = {}

    def run() -> Outcome:
        return Outcome(0.0, {"bound (no plan)": linear.by_pdlp(box["program"], time_limit_s=seconds).bound})  # type: ignore[arg-type]

    name = "OR-Tools PDLP, relaxation only"
    return Way(task, name, _rows(path), run, lambda: _program(box, path), _ANY, 2.0 * seconds + 30.0)


def _herd(task: str, path: Path, seconds: float) -> Way:
    box: dict[str, Allocation] = {}

    def run() -> Outcome:
        rng = np.random.default_rng(SEED)
        score, uses, children = genetic.by_genetic(box["question"], seconds=seconds, clock=time.perf_counter, rng=rng)
        if np.isnan(score):
            return Outcome(0.0, {"found no plan in s": seconds, "children": children})
        score = linear.score_of(box["question"], uses)
        return Outcome(score, {"score": score, "children": children})

    return Way(task, "genetic algorithm with repair", _rows(path), run, lambda: box.update(question=read_allocation(path)), _ANY)


def _told(found: Solution) -> Outcome:
    return Outcome(found.objective, {"score": found.objective, "bound": found.bound, "gap": _gap(found.objective, found.bound)})


def _gap(score: float, bound: float) -> float:
    return (bound - score) / max(abs(bound), 1e-12)


def _ready(box: dict[str, PlanProblem], make: Callable[[], PlanProblem]) -> None:
    """The problem in the box, and the engine compiled on a tiny one."""
    tiny = make_selection(4, 5, features=2, rng=np.random.default_rng(0))
    solve(tiny, gap=1e-2)
    box["problem"] = make()


def _program(box: dict[str, object], path: Path) -> None:
    box["question"] = read_allocation(path)
    box["program"] = linear.program_of(box["question"])


def _rows(path: Path) -> int:
    return int(path.name.split("-")[1])
