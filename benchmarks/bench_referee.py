"""Both paths of the house and two referees on the same problem files: scores and bounds must fit, and proven optima be equal.

Two files a size: a grid whose relaxation is tight, and a county with windows on townships, dominance rows, a budget and weak borders. Scores are whole
hundredths of a point. Every way recounts its plan from the tables of the file and is held against all earlier ones of the same file: no plan above
another's bound, and two proven optima equal to the hundredth. The figure is the score; HiGHS and SCIP get the program of `linear_problem`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import linear_problem
import numpy as np
from measure import Outcome, Way, WayFailedError
from plan_instances import SEED

import qianmo.planning.solve as solving
from qianmo.planning.allocation import allocation_problem
from qianmo.planning.exchange import problem_from_tables, problem_tables
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.planted import planted_problem
from qianmo.planning.problem import PlanProblem
from qianmo.schema.errors import QianmoError
from qianmo.store.problem_file import read_problem_file, write_problem_file

__all__ = ["KINDS", "PATHS", "Said", "contradictions", "by_house", "in_hundredths", "referee_problem", "ways"]

KINDS = ("grid", "county")
PATHS = {"small path": 10**12, "engine path": 0}
"""Size from which the engine takes over, so that each path gets the file whatever its size."""

_FULL = 100_000
_ANY = 1e9


@dataclass(frozen=True)
class Said:
    """What one way says of a file [hundredths of a point]: score of its plan, bound that its prices prove, bound that its search claims."""

    way: str
    score: float
    bound: float
    claimed: float

    @property
    def is_proven(self) -> bool:
        """True where no whole score lies between score and the smaller bound."""
        return bool(min(self.bound, self.claimed) - self.score < 1.0 - 1e-3)


def ways(size: int, cache: Path) -> list[Way]:
    """Grid and county of 900, 1,600 and 3,600 patches in a full run, one small size otherwise."""
    sizes, seconds = ((900, 1_600, 3_600), 180.0) if size >= _FULL else ((64,), 5.0)
    made = []
    for kind in KINDS:
        for n in sizes:
            path = _file(kind, n, cache)
            made += [_house(kind, n, path, which, seconds) for which in PATHS]
            made += [_peer(kind, n, path, name, solver, seconds) for name, solver in (("HiGHS in SciPy", linear_problem.by_highs), ("SCIP", linear_problem.by_scip))]
    return made


def referee_problem(kind: str, n: int) -> PlanProblem:
    """A problem of about n patches with scores in whole hundredths."""
    rng = np.random.default_rng(n)
    if kind == "grid":
        side = round(n**0.5)
        return in_hundredths(planted_problem(side, side, rng=rng)[0])
    recipe = CountyRecipe(uses=3, townships=2, villages=4, tightness=1.0, grades=(5, 10), compactness=0.03, budget=1.0, noise=1.2)
    return in_hundredths(allocation_problem(make_county(n, rng=rng, recipe=recipe)))


def in_hundredths(problem: PlanProblem) -> PlanProblem:
    """The problem with values and bonuses rounded to 0.01 points."""
    return replace(problem, value=np.round(problem.value, 2), pairs=tuple(replace(p, weight=np.round(p.weight, 2)) for p in problem.pairs))


def by_house(path: Path, which: str, *, seconds: float, gap: float = 1e-6) -> Said:
    """One path of `qianmo solve` on a file, its plan recounted from the tables."""
    record, tables = read_problem_file(path)
    problem = problem_from_tables(record, tables).problem
    before, solving.LARGE = solving.LARGE, PATHS[which]
    try:
        found = solving.solve(problem, gap=gap, time_limit_s=seconds, timer=time.perf_counter)
    finally:
        solving.LARGE = before
    score, broken = linear_problem.score_of_options(record, tables, found.choice)
    if broken or abs(score - 100.0 * found.objective) > 1e-4:
        raise WayFailedError(f"{path.name}, {which}: claims {100 * found.objective!r}, recounted {score}, broken {broken}")
    return Said(which, float(score), 100.0 * found.bound, 100.0 * found.solver_bound)


def contradictions(said: list[Said]) -> list[str]:
    """Pairs of ways of one file that cannot both be right, in words."""
    wrong = []
    for one in said:
        for other in said:
            room = 1e-6 * max(abs(one.score), 1.0)
            if one.score > min(other.bound, other.claimed) + room:
                wrong.append(f"{one.way} scores {one.score!r}, above the bound {min(other.bound, other.claimed)!r} of {other.way}")
            if one.is_proven and other.is_proven and round(one.score) != round(other.score):
                wrong.append(f"proven optima differ: {one.way} {one.score!r}, {other.way} {other.score!r}")
    return wrong


def _file(kind: str, n: int, cache: Path) -> Path:
    path = cache / f"referee-{kind}-{n}-{SEED}.qproblem"
    if not path.is_file():
        record, tables = problem_tables(referee_problem(kind, n), name=f"referee {kind} {n}")
        write_problem_file(path, record, tables)
    return path


def _house(kind: str, n: int, path: Path, which: str, seconds: float) -> Way:
    def run() -> Outcome:
        try:
            return _heard(path, by_house(path, which, seconds=seconds))
        except QianmoError:
            return Outcome(0.0, {"found no plan in s": seconds})

    return Way(f"referee {kind}", f"qianmo, {which}", n, run, lambda: _compiled(), _ANY)


def _peer(kind: str, n: int, path: Path, name: str, solver: Callable[..., linear_problem.Verdict], seconds: float) -> Way:
    def run() -> Outcome:
        record, tables = read_problem_file(path)
        found = solver(linear_problem.program_of_file(record, tables), time_limit_s=seconds)
        if found.chosen is None:
            return Outcome(0.0, {"found no plan in s": seconds, "bound": found.bound / 100.0})
        choice = np.full(len(tables["patches"]), -1)
        place = {p: k for k, p in enumerate(tables["patches"]["patch_id"])}
        choice[tables["options"]["patch_id"].map(place).to_numpy()[found.chosen]] = found.chosen
        score, broken = linear_problem.score_of_options(record, tables, choice)
        notes = {} if not broken else {"limits broken by rounding": float(len(broken))}
        return _heard(path, Said(name, float(score), found.bound, found.bound), notes)

    return Way(f"referee {kind}", name, n, run, None, _ANY, 2.0 * seconds + 60.0)


def _heard(path: Path, said: Said, notes: dict[str, float] | None = None) -> Outcome:
    """The figures of one way, after it is held against the earlier ones of this run (of the same parent process)."""
    book = path.with_suffix(f".{os.getppid()}.json")
    earlier = [Said(**x) for x in json.loads(book.read_text(encoding="utf-8"))] if book.is_file() else []
    wrong = contradictions([*earlier, said])
    if wrong:
        raise WayFailedError(f"{path.name}: {'; '.join(wrong)}")
    book.write_text(json.dumps([asdict(x) for x in (*earlier, said)]), encoding="utf-8")
    gap = (min(said.bound, said.claimed) - said.score) / max(abs(said.bound), 1e-12)
    return Outcome(said.score / 100.0, {"bound": said.bound / 100.0, "claimed": said.claimed / 100.0, "gap": gap, "proven": float(said.is_proven), **(notes or {})})


def _compiled() -> None:
    """The engine compiled before the clock starts."""
    problem = planted_problem(6, 6, rng=np.random.default_rng(0))[0]
    before, solving.LARGE = solving.LARGE, 0
    try:
        solving.solve(problem, gap=1e-3, time_limit_s=5.0, timer=time.perf_counter)
    finally:
        solving.LARGE = before
