"""Patches that must change: the solver against enumeration, and the words where none can (必须变更的图斑)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qianmo.planning.improve import climb, obeys, repair
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem
from qianmo.planning.solve import solve
from qianmo.schema.errors import InfeasibleError


def drawn(seed: int, *, n: int = 7) -> PlanProblem:
    """Random options, one layer of borders, two limits; two patches with options may not keep their use."""
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), rng.integers(0, 3, n))
    patch = np.sort(np.concatenate([patch, [0, 1]]))
    m = len(patch)
    i, j = np.triu_indices(n, 1)
    use = rng.random(len(i)) < 0.4
    pairs = Pairs("joined", "", i[use], j[use], rng.uniform(0, 2, use.sum()), rng.random(n) < 0.5, rng.random(m) < 0.5)
    limits = []
    for k, relation in enumerate(["<=", ">="]):
        option = np.flatnonzero(rng.random(m) < 0.7)
        coefficient = rng.uniform(-0.5, 2, len(option)).round(2)
        limits.append(Limit(f"l{k}", f"R-{k}", "", option, coefficient, relation, round(rng.uniform(0, 0.4) * np.abs(coefficient).sum(), 2), "m2"))
    keep = np.ones(n, bool)
    keep[:2] = False
    text = np.full(m, "works", object)
    return PlanProblem(n, patch, text, text, rng.normal(-0.5, 1, m), np.ones(m), {}, {}, (pairs,), tuple(limits), keep)


def truth(problem: PlanProblem) -> float:
    ways = [[*([KEPT] if problem.may_keep[k] else []), *np.flatnonzero(problem.patch == k)] for k in range(problem.n)]
    best = -np.inf
    for choice in product(*ways):
        taken = [c for c in choice if c != KEPT]
        sums = [x.constant + sum(c for o, c in zip(x.option, x.coefficient) if o in taken) for x in problem.limits]
        if all(v <= x.bound + 1e-9 if x.relation == "<=" else v >= x.bound - 1e-9 for v, x in zip(sums, problem.limits)):
            p = problem.pairs[0]
            after = [bool(p.state[c]) if c != KEPT else bool(p.state0[k]) for k, c in enumerate(choice)]
            joined = sum(w * (int(after[a] and after[b]) - int(p.state0[a] and p.state0[b])) for a, b, w in zip(p.i, p.j, p.weight))
            best = max(best, sum(problem.value[c] for c in taken) + joined)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_solver_finds_what_enumeration_finds(seed):
    problem = drawn(seed)
    best = truth(problem)
    if best == -np.inf:
        with pytest.raises(InfeasibleError):
            solve(problem, gap=0.0)
        return
    found = solve(problem, gap=0.0)
    assert (found.choice[:2] >= 0).all()
    assert found.objective == pytest.approx(best, abs=1e-7)
    assert found.bound >= best - 1e-7


def test_some_of_them_lose_by_the_change_and_some_have_no_plan():
    best = [truth(drawn(s)) for s in range(20)]
    assert any(b == -np.inf for b in best) and any(-np.inf < b < 0 for b in best)


@pytest.mark.parametrize("seed", range(6))
def test_repair_and_climb_never_leave_such_a_patch_as_it_is(seed):
    problem = drawn(seed)
    assert not obeys(problem, np.full(problem.n, KEPT))
    found = repair(problem, np.full(problem.n, KEPT))
    if found is not None:
        assert (climb(problem, found)[:2] >= 0).all()
