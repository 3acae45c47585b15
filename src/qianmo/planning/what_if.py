"""What if a limit were other, or some patches were settled: a new plan from the last one (情景重算).

Limits change by their ids. Patches are locked by taking their other options out of the problem,
so that a lock needs no price; border and limit prices of the last solution keep their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, Refusals, limit_value, objective
from qianmo.planning.solve import Solution, is_large, solve
from qianmo.schema.errors import SchemaError

__all__ = ["Change", "WhatIf", "changed_problem", "what_if"]


@dataclass(frozen=True)
class Change:
    """What is to be different (情景变化).

    Parameters
    ----------
    bounds : mapping limit id → new bound
        In the unit of the limit.
    keep : tuple of int
        Patches locked to their present use.
    take : mapping patch → option
        Patches locked to one of their options.
    limits : tuple of Limit
        Limits that come in besides.
    """

    bounds: Mapping[str, float] = field(default_factory=dict)
    keep: tuple[int, ...] = ()
    take: Mapping[int, int] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True)
class WhatIf:
    """The new plan beside the old one (情景结果).

    `solution` belongs to `problem`, which has fewer options where patches were locked: `option` (m',) is
    the old number of each. `choice` (n,) is the new plan in the old numbers.
    """

    problem: PlanProblem
    option: np.ndarray
    solution: Solution
    choice: np.ndarray
    before: Solution
    changed: np.ndarray
    limits: tuple[dict[str, Any], ...]

    @property
    def gap(self) -> float:
        """Share of the new bound that is not reached."""
        return (self.solution.bound - self.solution.objective) / max(abs(self.solution.bound), 1e-12)

    def lines(self) -> tuple[str, ...]:
        """The change in words (情景说明)."""
        old, new = self.before, self.solution
        head = f"得分 {old.objective:,.4f} → {new.objective:,.4f}, 上界 {new.bound:,.4f}, 差距 {self.gap:.4%}; {len(self.changed)} 个图斑变化"
        rows = [
            f"  {x['zh'] or x['id']}: 限值 {x['bound_before']:,.2f} → {x['bound_after']:,.2f} {x['unit']}, 取值 {x['value_before']:,.2f} → {x['value_after']:,.2f}"
            for x in self.limits
        ]
        return (head, *rows)


def changed_problem(problem: PlanProblem, change: Change) -> tuple[PlanProblem, np.ndarray]:
    """The problem with the change, and the old number of each of its options (变更后的问题).

    Raises
    ------
    SchemaError
        An unknown limit, patch or option, a patch locked twice, or one locked to a use it must leave.
    """
    known = {x.id for x in problem.limits}
    unknown = sorted(set(change.bounds) - known)
    if unknown:
        raise SchemaError(f"no limit called {', '.join(unknown)} (没有这个约束)", expected=", ".join(sorted(known)[:20]))
    _refuse_locks(problem, change)
    limits = tuple(replace(x, bound=float(change.bounds[x.id])) if x.id in change.bounds else x for x in problem.limits)
    limits = (*limits, *change.limits)
    if not change.keep and not change.take:
        return replace(problem, limits=limits), np.arange(problem.m)
    locked = np.zeros(problem.n, bool)
    locked[[*change.keep, *change.take]] = True
    left = ~locked[problem.patch]
    left[list(change.take.values())] = True
    keeps = problem.keeps.copy()
    keeps[list(change.take)] = False
    if change.take:
        limits = (*limits, _taken(limits, np.array(sorted(change.take.values()))))
    return _with_options(replace(problem, limits=limits), left, keeps), np.flatnonzero(left)


def what_if(
    problem: PlanProblem,
    solution: Solution,
    change: Change,
    *,
    gap: float = 1e-3,
    time_limit_s: float = 20.0,
    timer: Callable[[], float] | None = None,
    tell: Callable[[float, float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> WhatIf:
    """A new plan with its bound after a change, from the last solution (情景重算).

    Parameters
    ----------
    problem, solution
        The last problem and its solution.
    change : Change
    gap, time_limit_s, timer, tell, stop
        As for `qianmo.planning.solve.solve`.

    Returns
    -------
    WhatIf
        `qianmo.planning.certificate.certificate` of its problem and solution is the new proof.

    Raises
    ------
    InfeasibleError
        No plan obeys the changed limits.
    SchemaError
        The change does not fit the problem.
    """
    changed, option = changed_problem(problem, change)
    start = _start(problem, changed, option, solution)
    new = _quick(changed, start, gap, timer)
    if new is None:
        new = solve(changed, gap=gap, time_limit_s=time_limit_s, timer=timer, tell=tell, stop=stop, start=start)
    choice = np.where(new.choice >= 0, option[np.maximum(new.choice, 0)] if len(option) else KEPT, KEPT)
    differs = np.flatnonzero(choice != solution.choice)
    return WhatIf(changed, option, new, choice, solution, differs, tuple(_limit_rows(problem, changed, solution.choice, new.choice)))


def _quick(changed: PlanProblem, start: Solution, gap: float, timer: Callable[[], float] | None) -> Solution | None:
    """The last plan of a large problem with broken limits settled, where its gap is small enough."""
    if not is_large(changed):
        return None
    from qianmo.planning.restart import restart  # compiled loops: loaded for large problems alone

    began = timer() if timer else 0.0
    found = restart(changed, start, gap=gap)
    if found is None or found.bound - found.objective > gap * abs(found.bound):
        return None
    return replace(found, time_s=timer() - began if timer else 0.0)


def _refuse_locks(problem: PlanProblem, change: Change) -> None:
    named = [*change.keep, *change.take]
    wrong = [k for k in named if not 0 <= k < problem.n]
    if wrong:
        raise SchemaError(f"no patches {wrong[:5]}", expected=f"0 to {problem.n - 1}")
    if len(set(named)) != len(named):
        raise SchemaError("a patch is locked twice (同一图斑锁定两次)", expected="one lock a patch")
    stray = [k for k, o in change.take.items() if not (0 <= o < problem.m and problem.patch[o] == k)]
    if stray:
        raise SchemaError(f"patches {stray[:5]} are locked to an option that is not theirs", expected="an option of the patch")
    leaving = [k for k in change.keep if not problem.keeps[k]]
    if leaving:
        raise SchemaError(f"patches {leaving[:5]} must leave their use and cannot be locked to it (须退出的图斑不能锁定为现状)")


def _taken(limits: tuple[Limit, ...], option: np.ndarray) -> Limit:
    """The row by which every general solver takes the locked options."""
    name = f"lock:take:{sum(x.rule_id == 'lock' for x in limits) + 1}"
    return Limit(name, "lock", "锁定图斑按指定措施", option, np.ones(len(option)), ">=", float(len(option)), "1")


def _with_options(problem: PlanProblem, left: np.ndarray, keeps: np.ndarray) -> PlanProblem:
    number = np.cumsum(left) - 1
    gone = np.flatnonzero(~left)
    old = problem.refusals
    refusals = Refusals(
        np.concatenate([old.patch if old else np.zeros(0, int), problem.patch[gone]]),
        np.concatenate([old.label if old else np.zeros(0, object), problem.measure[gone]]),
        np.concatenate([old.reason if old else np.zeros(0, object), np.full(len(gone), "lock", object)]),
        np.concatenate([old.rule_id if old else np.zeros(0, object), np.full(len(gone), "", object)]),
    )

    def row(x: Limit) -> Limit:
        here = left[x.option]
        return replace(x, option=number[x.option[here]], coefficient=x.coefficient[here])

    return replace(
        problem, patch=problem.patch[left], measure=problem.measure[left], target_class=problem.target_class[left],
        value=problem.value[left], cost=problem.cost[left], effects={k: v[left] for k, v in problem.effects.items()},
        pairs=tuple(Pairs(p.aim, p.zh, p.i, p.j, p.weight, p.state0, p.state[left]) for p in problem.pairs),
        limits=tuple(row(x) for x in problem.limits), may_keep=keeps, refusals=refusals,
    )  # fmt: skip


def _start(problem: PlanProblem, changed: PlanProblem, option: np.ndarray, solution: Solution) -> Solution:
    """The last solution in the new numbers, locked patches as they are locked; its score is that of the new problem."""
    number = np.full(problem.m + 1, KEPT)
    number[option] = np.arange(len(option))
    choice = number[solution.choice]
    stuck = np.flatnonzero((choice < 0) & ~changed.keeps)
    choice[stuck] = np.searchsorted(changed.patch, stuck)
    more = len(changed.limits) - len(solution.prices.limit)
    prices = replace(solution.prices, limit=np.append(solution.prices.limit, np.zeros(more)))
    return replace(solution, choice=choice, prices=prices, objective=objective(changed, choice))


def _limit_rows(problem: PlanProblem, changed: PlanProblem, before: np.ndarray, after: np.ndarray) -> list[dict[str, Any]]:
    """Limits that are new or have another bound, with their values in both plans."""
    old = {x.id: x for x in problem.limits}
    rows = []
    for x in changed.limits:
        was = old.get(x.id)
        if x.rule_id == "lock" or (was is not None and was.bound == x.bound):
            continue
        nothing = float("nan")
        rows.append(
            {
                "id": x.id, "zh": x.zh, "unit": x.unit, "relation": x.relation, "bound_after": x.bound,
                "value_after": limit_value(x, after, changed.m), "bound_before": nothing if was is None else was.bound,
                "value_before": nothing if was is None else limit_value(was, before, problem.m),
            }
        )  # fmt: skip
    return rows
