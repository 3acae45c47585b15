"""Which demands, limits and orders cannot hold together, in words (组合约束冲突)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import vstack

from qianmo.governance.portfolio.model import Model, build_model
from qianmo.governance.portfolio.pay import payments_of
from qianmo.governance.portfolio.problem import Problem, Supply, open_years
from qianmo.schema.errors import InfeasibleError

__all__ = ["Clause", "clauses", "explain_conflict", "is_possible", "smallest_set", "to_the_fen"]

SECONDS = 10.0
"""Limit of one question whether a portfolio is possible. [s]"""

MOST_QUESTIONS = 400
"""Questions after which the search for a smaller conflict ends; what is given then is a conflict, perhaps not the smallest."""

_ROOM_FEN = 100
"""Money kept back from every supply when a plan of the solver misses a fen; its tolerance is one."""

MANY_WORDS = 12
"""Conditions above which the message counts the projects instead of naming each; the list of the error names all."""

MANY = 60
"""Conditions above which the conflict is first cut down by linear programs, and only then searched for the fewest."""


@dataclass(frozen=True)
class Clause:
    """One demand or limit that could be given up (可放宽的条件).

    `kind` is must, floor, fund, order or window; `key` says which one.
    """

    kind: str
    key: str
    zh: str


def clauses(problem: Problem) -> tuple[Clause, ...]:
    """Every demand and limit of a problem that could be given up (条件清单)."""
    first, last = problem.first_year, problem.last_year
    found = [Clause("must", c.id, f"项目 {c.id} {c.name} 必须实施, 投资 {_wan(c.cost_fen)}") for c in problem.candidates if c.must]
    for k, f in enumerate(problem.floors):
        if f.least_fen > 0:
            found.append(Clause("floor", str(k), f"区域 {f.region} {f.first}—{f.last} 年至少安排 {_wan(f.least_fen)}"))
    for fund in sorted({s.fund for s in problem.supplies} | {x for c in problem.candidates for n in c.needs for x in n.funds}):
        total = sum(s.fen for s in problem.supplies if s.fund == fund)
        found.append(Clause("fund", fund, f"资金 {fund} {first}—{last} 年共 {_wan(total)}"))
    for k, p in enumerate(problem.precedences):
        found.append(Clause("order", str(k), f"{p.after} 须在 {p.before} 完工之后开工"))
    for c in problem.candidates:
        possible = set(open_years(c, first, last))
        if possible - set(c.starts):
            words = "、".join(map(str, sorted(c.starts))) or "没有一年"
            found.append(Clause("window", c.id, f"项目 {c.id} 只能在 {words} 开工" if c.starts else f"项目 {c.id} 没有可开工的年份"))
    return tuple(found)


def is_possible(problem: Problem, kept: tuple[Clause, ...]) -> bool:
    """False when it is proven that no portfolio obeys the kept clauses; the others are given up (条件能否同时满足)."""
    relaxed = _relaxed(problem, kept)
    model = build_model(relaxed)
    if not len(model.value):
        return _nothing_suffices(model)
    if not _divisible(model):
        return False
    found = _any_plan(model)
    if found.x is None:
        return bool(found.status != 2)
    starts = {relaxed.candidates[n].id: year for (n, year), x in zip(model.start, found.x) if x > 0.5}
    return payments_of(relaxed, starts) is not None or bool(_any_plan(build_model(to_the_fen(relaxed))).status != 2)


def to_the_fen(problem: Problem) -> Problem:
    """The problem with a little less of every supply, for plans that a solver found to within its tolerance only (留出取整余地)."""
    return replace(problem, supplies=tuple(replace(s, fen=max(0, s.fen - _ROOM_FEN)) for s in problem.supplies))


def smallest_set(count: int, possible: Callable[[tuple[int, ...]], bool]) -> tuple[int, ...]:
    """Numbers of the fewest of `count` conditions that cannot hold together (最少冲突条件).

    Every conflict meets every set whose removal frees the rest. Such sets are gathered until the fewest conditions that meet
    them all are in conflict themselves, or are as many as an irreducible conflict that is known.

    Parameters
    ----------
    count : int
    possible : function
        False when the conditions of these numbers cannot hold together; the empty set can.
    """
    core = _irreducible(tuple(range(count)), possible)
    freeing: list[frozenset[int]] = []
    asked = 0
    while asked < MOST_QUESTIONS:
        picked = _fewest_meeting(freeing, count)
        if len(picked) >= len(core):
            break
        asked += 1
        if not possible(picked):
            return picked
        held = set(picked)
        step = max(1, count // 4)
        rest = [k for k in range(count) if k not in held]
        while rest:
            some, asked = rest[:step], asked + 1
            if possible(tuple(sorted({*held, *some}))):
                held.update(some)
                rest = rest[step:]
            elif step == 1:
                rest = rest[1:]
            else:
                step = max(1, step // 2)
        freeing.append(frozenset(range(count)) - held)
    return core


def explain_conflict(problem: Problem) -> InfeasibleError:
    """The error that names the fewest conditions that cannot hold together (组合无解说明)."""
    core = clauses(problem)
    if len(core) > MANY:
        core = _cut_down(problem, core)
    if len(core) <= MANY:
        numbers = smallest_set(len(core), lambda some: is_possible(problem, tuple(core[k] for k in some)))
        core = tuple(core[k] for k in numbers)
    return InfeasibleError(
        "没有同时满足全部条件的项目组合: " + _told(problem, core), conflict=tuple(c.zh for c in core),
        cure="放宽其中任意一项: 增加资金、推迟或取消必须实施的要求、降低区域保底或调整先后关系",
    )  # fmt: skip


def _told(problem: Problem, core: tuple[Clause, ...]) -> str:
    """The conditions in words; many projects that must be done as their count and sum."""
    if len(core) <= MANY_WORDS:
        return "; ".join(c.zh for c in core)
    cost = {c.id: c.cost_fen for c in problem.candidates}
    musts = [c for c in core if c.kind == "must"]
    rest = [c.zh for c in core if c.kind not in ("must", "window")]
    windows = sum(c.kind == "window" for c in core)
    parts = [f"{len(musts)} 个必须实施的项目投资共 {_wan(sum(cost[c.key] for c in musts))}"] if musts else []
    parts += [f"其中或其前置 {windows} 个项目限定开工年"] if windows else []
    return "; ".join([*parts, *rest])


def _cut_down(problem: Problem, listed: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """Fewer conditions that are in conflict: linear programs where projects may be split answer most questions.

    Windows and orders are left out first, then cheap projects, so that what stays tells most.
    """
    cost = {c.id: c.cost_fen for c in problem.candidates}
    rank = {"window": 0, "order": 1, "must": 2, "floor": 3, "fund": 4}
    listed = tuple(sorted(listed, key=lambda c: (rank[c.kind], cost.get(c.key, 0))))

    def splittable(numbers: tuple[int, ...]) -> bool:
        model = build_model(_relaxed(problem, tuple(listed[k] for k in numbers)))
        return _divisible(model) if len(model.value) else _nothing_suffices(model)

    everything = tuple(range(len(listed)))
    if splittable(everything):
        return tuple(listed[k] for k in _irreducible(everything, lambda some: is_possible(problem, tuple(listed[k] for k in some)), most=MANY))
    return tuple(listed[k] for k in _irreducible(everything, splittable))


def _any_plan(model: Model) -> OptimizeResult:
    count = len(model.start)
    whole = np.r_[np.ones(count), np.zeros(len(model.flow))]
    most = np.r_[np.ones(count), np.full(len(model.flow), np.inf)]
    rows = LinearConstraint(model.matrix, model.low, model.high)
    return milp(np.zeros(len(model.value)), constraints=rows, integrality=whole, bounds=Bounds(0.0, most), options={"time_limit": SECONDS})


def _nothing_suffices(model: Model) -> bool:
    return bool((model.low <= 0).all() and (model.high >= 0).all())


def _divisible(model: Model) -> bool:
    """False when even projects that may be split obey no plan: a proof that is quick."""
    equal = model.low == model.high
    over, under = np.isfinite(model.high) & ~equal, np.isfinite(model.low) & ~equal
    most = [(0.0, 1.0)] * len(model.start) + [(0.0, None)] * len(model.flow)
    rows, sides = vstack([model.matrix[over], -model.matrix[under]]), np.r_[model.high[over], -model.low[under]]
    found = linprog(np.zeros(len(model.value)), A_ub=rows, b_ub=sides, A_eq=model.matrix[equal], b_eq=model.high[equal], bounds=most, method="highs")
    return bool(found.status != 2)


def _irreducible(core: tuple[int, ...], possible: Callable[[tuple[int, ...]], bool], *, most: int = MOST_QUESTIONS) -> tuple[int, ...]:
    """Leave out ever smaller pieces as long as the rest stays in conflict; `most` questions at most."""
    size = max(1, len(core) // 2)
    at = asked = 0
    while asked < most:
        if at >= len(core):
            if size == 1:
                return core
            size, at = max(1, size // 2), 0
            continue
        fewer, asked = core[:at] + core[at + size :], asked + 1
        if not possible(fewer):
            core = fewer
        else:
            at += size
    return core


def _fewest_meeting(sets: list[frozenset[int]], count: int) -> tuple[int, ...]:
    if not sets:
        return ()
    rows = np.zeros((len(sets), count))
    for r, members in enumerate(sets):
        rows[r, list(members)] = 1.0
    found = milp(1.0 + 1e-6 * np.arange(count), constraints=LinearConstraint(rows, 1.0, np.inf), integrality=np.ones(count), bounds=Bounds(0, 1))
    return tuple(int(k) for k in np.flatnonzero(np.rint(found.x) == 1))


def _relaxed(problem: Problem, kept: tuple[Clause, ...]) -> Problem:
    """The problem without what was given up: a fund that is given up pays anything in any year."""
    have = {(c.kind, c.key) for c in kept}
    first, last = problem.first_year, problem.last_year
    candidates = tuple(
        replace(
            c, must=c.must and ("must", c.id) in have,
            starts=c.starts if ("window", c.id) in have else {y: c.starts.get(y, 0) for y in sorted({*c.starts, *open_years(c, first, last)})},
        )
        for c in problem.candidates
    )  # fmt: skip
    funds = {x for c in problem.candidates for n in c.needs for x in n.funds} | {s.fund for s in problem.supplies}
    plenty = sum(c.cost_fen for c in problem.candidates)
    supplies = tuple(s for s in problem.supplies if ("fund", s.fund) in have)
    free = tuple(Supply(f, first, last, plenty) for f in sorted(funds) if ("fund", f) not in have)
    floors = tuple(f for k, f in enumerate(problem.floors) if ("floor", str(k)) in have)
    orders = tuple(p for k, p in enumerate(problem.precedences) if ("order", str(k)) in have)
    return _with_what_counts(replace(problem, candidates=candidates, supplies=supplies + free, floors=floors, precedences=orders))


def _with_what_counts(problem: Problem) -> Problem:
    """Only projects that a demand can need: those that must be done, those of regions with a floor, and all that these wait for."""
    regions = {f.region for f in problem.floors}
    counted = {c.id for c in problem.candidates if c.must or c.region in regions}
    while more := {p.before for p in problem.precedences if p.after in counted} - counted:
        counted |= more
    kept = tuple(c for c in problem.candidates if c.id in counted)
    return replace(problem, candidates=kept, precedences=tuple(p for p in problem.precedences if {p.before, p.after} <= counted))


def _wan(fen: int) -> str:
    return f"{fen / 1e6:,.2f} 万元"
