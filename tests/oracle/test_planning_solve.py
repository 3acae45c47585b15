"""The solver against enumeration, planted optima, and the minimum cut (求解对照)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qianmo.planning.conflict import irreducible
from qianmo.planning.cuts import best_cut, chains_hold
from qianmo.planning.planted import planted_problem
from qianmo.planning.price_search import search_prices
from qianmo.planning.prices import Prices, dual_bound
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem
from qianmo.planning.relaxation import relax
from qianmo.planning.solve import solve
from qianmo.schema.errors import InfeasibleError, SchemaError


def random_problem(seed: int, *, n: int = 8, layers: int = 1) -> PlanProblem:
    """A small problem with random options, borders and limits; some have no plan."""
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), rng.integers(0, 4, n))
    m = len(patch)
    pairs = []
    for k in range(layers):
        i, j = np.triu_indices(n, 1)
        use = rng.random(len(i)) < 0.4
        weight = rng.uniform(0, 2, use.sum())
        pairs.append(Pairs(f"layer{k}", "", i[use], j[use], weight, rng.random(n) < 0.5, rng.random(m) < 0.5))
    limits = []
    for k, relation in enumerate(["<=", ">=", "<="]):
        option = np.flatnonzero(rng.random(m) < 0.7)
        coefficient = rng.uniform(-0.5, 2, len(option)).round(2)
        bound = round(rng.uniform(0, 0.5) * np.abs(coefficient).sum(), 2)
        limits.append(Limit(f"l{k}", f"R-{k}", "", option, coefficient, relation, bound, "m2"))
    text = np.full(m, "works", object)
    return PlanProblem(n, patch, text, text, rng.normal(0.3, 1, m), np.ones(m), {}, {}, tuple(pairs), tuple(limits))


def enumerate_best(problem: PlanProblem) -> float:
    """Best score over every choice, written out from the definition; -inf when none obeys the limits."""
    ways = [[KEPT, *np.flatnonzero(problem.patch == k)] for k in range(problem.n)]
    best = -np.inf
    for choice in product(*ways):
        taken = [c for c in choice if c != KEPT]
        if all(_holds(x, taken) for x in problem.limits):
            best = max(best, sum(problem.value[c] for c in taken) + sum(_bonus(p, choice) for p in problem.pairs))
    return best


def _holds(limit: Limit, taken: list[int]) -> bool:
    value = limit.constant + sum(c for o, c in zip(limit.option, limit.coefficient) if o in taken)
    return value <= limit.bound + 1e-9 if limit.relation == "<=" else value >= limit.bound - 1e-9


def _bonus(p: Pairs, choice: tuple[int, ...]) -> float:
    after = [bool(p.state[c]) if c != KEPT else bool(p.state0[k]) for k, c in enumerate(choice)]
    return sum(w * (int(after[i] and after[j]) - int(p.state0[i] and p.state0[j])) for i, j, w in zip(p.i, p.j, p.weight))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_the_solver_finds_what_enumeration_finds(seed: int, layers: int) -> None:
    problem = random_problem(seed + 100 * layers, n=7, layers=layers)
    truth = enumerate_best(problem)
    if truth == -np.inf:
        with pytest.raises(InfeasibleError):
            solve(problem, gap=0.0)
        return
    found = solve(problem, gap=0.0)
    assert found.objective == pytest.approx(truth, abs=1e-7)
    assert found.bound >= truth - 1e-7
    assert found.solver_bound == pytest.approx(truth, abs=1e-5)


def test_twelve_patches_are_solved_as_enumeration_does() -> None:
    problem = random_problem(5, n=12)
    assert len(problem.patch) >= 12
    assert solve(problem, gap=0.0).objective == pytest.approx(enumerate_best(problem), abs=1e-7)


def test_the_small_problems_hold_feasible_and_infeasible_ones() -> None:
    truths = [enumerate_best(random_problem(s, n=7, layers=0)) for s in range(12)]
    assert 0 < sum(t == -np.inf for t in truths) < 12


@pytest.mark.parametrize("seed", range(6))
def test_an_infeasible_core_is_infeasible_and_no_smaller_one_is(seed: int) -> None:
    problem = next(p for s in range(seed * 50, 10_000) if enumerate_best(p := random_problem(s, n=5, layers=0)) == -np.inf)
    core = irreducible(problem)

    def truth(kept: list[int]) -> float:
        return enumerate_best(PlanProblem(**{**problem.__dict__, "limits": tuple(problem.limits[k] for k in kept)}))

    assert truth(core) == -np.inf
    assert all(truth([k for k in core if k != left]) > -np.inf for left in core)


@pytest.mark.parametrize("side", [3, 12, 25])
def test_a_planted_plan_is_found_with_its_score(side: int) -> None:
    problem, choice, score = planted_problem(side, side, rng=np.random.default_rng(side))
    found = solve(problem, gap=1e-7)
    assert found.objective == pytest.approx(score, rel=1e-7)
    assert found.bound == pytest.approx(score, rel=1e-6)
    assert (found.choice == choice).all()


@pytest.mark.parametrize("seed", range(5))
def test_any_prices_give_a_bound(seed: int) -> None:
    problem, _, score = planted_problem(5, 5, rng=np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    for _ in range(20):
        sign = np.array([1.0 if x.relation == "<=" else -1.0 for x in problem.limits])
        split = tuple(p.weight * rng.random(len(p.weight)) for p in problem.pairs)
        prices = Prices(sign * rng.exponential(0.5, len(sign)), split)
        assert dual_bound(problem, prices) >= score - 1e-9


@pytest.mark.parametrize("side", [4, 15])
def test_the_minimum_cut_proves_the_same_bound_as_the_relaxation(side: int) -> None:
    problem, _, score = planted_problem(side, side, rng=np.random.default_rng(side))
    relaxed = relax(problem)
    assert relaxed is not None
    cut = best_cut(problem, relaxed[1].limit)
    assert cut.bound == pytest.approx(score, rel=1e-5)
    assert cut.bound >= score - 1e-9 * score


@pytest.mark.parametrize("seed", range(8))
def test_the_minimum_cut_solves_the_problem_without_limits(seed: int) -> None:
    drawn = random_problem(seed, n=8, layers=1)
    problem = PlanProblem(**{**drawn.__dict__, "limits": ()})
    cut = best_cut(problem, np.zeros(0))
    assert cut.bound == pytest.approx(enumerate_best(problem), abs=1e-5)


def test_prices_found_by_cuts_prove_the_bound_of_the_relaxation() -> None:
    problem, _, score = planted_problem(15, 15, rng=np.random.default_rng(4))
    cuts = search_prices(problem, tolerance=1e-6)
    assert cuts[0].bound == pytest.approx(score, rel=2e-4)
    assert min(c.bound for c in cuts) >= score - 1e-9 * score


@pytest.mark.slow
def test_the_road_of_cuts_finds_a_planted_plan_among_many_borders() -> None:
    problem, _, score = planted_problem(65, 65, rng=np.random.default_rng(1), options=2)
    found = solve(problem, gap=1e-3)
    assert found.method.startswith("minimum cuts")
    assert score * (1 - 1e-3) <= found.objective <= score * (1 + 1e-9) <= found.bound * (1 + 1e-8)


def test_states_that_are_not_nested_are_refused_by_the_cut() -> None:
    problem = next(p for s in range(100) if not chains_hold(p := random_problem(s, layers=2)))
    with pytest.raises(SchemaError, match="chain"):
        best_cut(problem, np.zeros(len(problem.limits)))
