"""A proof by cases against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qianmo.planning.branching import branch, branch_bound, case_options
from qianmo.planning.case_bounds import case_of, one_case
from qianmo.planning.prices import Prices, dual_bound
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, limit_values, objective
from qianmo.planning.proof import stored_prices
from qianmo.planning.solve import solve


def lumpy(seed: int, n: int = 8) -> PlanProblem:
    """A budget that whole patches do not fill, a floor, and neighbours that like each other."""
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), 2)
    cost = rng.integers(300, 900, 2 * n) / 100.0
    value = cost * rng.uniform(0.8, 1.2, 2 * n)
    pairs = Pairs("p", "", np.arange(n - 1), np.arange(1, n), rng.uniform(0, 1, n - 1), rng.random(n) < 0.5, rng.random(2 * n) < 0.5)
    limits = (
        Limit("budget", "b", "", np.arange(2 * n), cost, "<=", round(float(cost.sum()) * 0.21, 2), "yuan"),
        Limit("floor", "f", "", np.arange(0, 2 * n, 2), cost[::2], ">=", round(float(cost[::2].sum()) * 0.15, 2), "yuan"),
    )
    may_keep = np.ones(n, bool)
    may_keep[seed % n] = False
    text = np.full(2 * n, "", object)
    return PlanProblem(n, patch, text, text, value, cost, {}, {}, (pairs,), limits, may_keep=may_keep)


def every_plan(problem: PlanProblem) -> list[np.ndarray]:
    ways = [[*([KEPT] if problem.keeps[k] else []), *np.flatnonzero(problem.patch == k)] for k in range(problem.n)]
    return [np.array(c) for c in product(*ways)]


def holds(problem: PlanProblem, choice: np.ndarray) -> bool:
    value = limit_values(problem, choice)
    return value[0] <= problem.limits[0].bound and value[1] >= problem.limits[1].bound


@pytest.mark.parametrize("seed", range(6))
def test_cases_prove_the_optimum_that_enumeration_finds(seed: int) -> None:
    problem = lumpy(seed, n=7)
    best = max(objective(problem, c) for c in every_plan(problem) if holds(problem, c))
    found = solve(problem, gap=1e-4)
    assert found.objective == pytest.approx(best)
    assert best - 1e-9 <= found.bound <= best * (1 + 2e-4)
    if found.branches is not None:
        assert branch_bound(problem, found.branches) == pytest.approx(found.bound)


@pytest.mark.parametrize("seed", range(3))
def test_every_plan_lies_in_one_case_and_below_its_bound(seed: int) -> None:
    problem = lumpy(seed, n=6)
    plans = [c for c in every_plan(problem) if holds(problem, c)]
    best = max(objective(problem, c) for c in plans)
    cases = branch(problem, best, gap=1e-9)
    assert cases is not None and cases.cases > 1
    bounds = []
    for k, fixed in enumerate(case_options(cases)):
        bounds.append(dual_bound(problem, Prices(cases.limit[k], tuple(s[k] for s in cases.split)), fixed=fixed))
    for choice in plans:
        inside = [all((o in choice) == taken for o, taken in fixed.items()) for fixed in case_options(cases)]
        assert sum(inside) == 1
        assert objective(problem, choice) <= bounds[inside.index(True)] + 1e-9


@pytest.mark.parametrize("most", [2, 5, 12])
def test_the_most_counts_cases_and_fewer_cases_are_a_proof_too(most: int) -> None:
    problem = lumpy(2, n=7)
    best = max(objective(problem, c) for c in every_plan(problem) if holds(problem, c))
    cases = branch(problem, best, gap=1e-9, most=most)
    assert cases is not None and 1 < cases.cases <= most
    assert branch_bound(problem, cases) >= best - 1e-9
    assert branch(problem, best, gap=1e-9, most=1) is None


def test_a_method_names_cases_only_where_they_prove_the_bound() -> None:
    for seed in range(6):
        found = solve(lumpy(seed, n=7), gap=1e-4)
        assert ("cases" in found.method) == (found.branches is not None)


def test_the_case_of_a_plan_is_the_one_whose_options_it_takes_and_leaves() -> None:
    problem = lumpy(1, n=6)
    plans = every_plan(problem)
    best = max(objective(problem, c) for c in plans if holds(problem, c))
    cases = branch(problem, best, gap=1e-9)
    assert cases is not None
    prices = stored_prices(problem, Prices(np.zeros(2), tuple(s[0] for s in cases.split)), cases)
    assert prices.cases == cases.cases > 1
    for choice in plans:
        fixed = case_options(cases)[case_of(prices, choice)]
        assert all((o in choice) == taken for o, taken in fixed.items())
    assert case_of(one_case(np.zeros(2)), plans[0]) == 0


def test_one_set_of_prices_proves_less_than_the_cases() -> None:
    gaps = []
    for seed in range(6):
        problem = lumpy(seed, n=7)
        found = solve(problem, gap=1e-4)
        gaps.append((dual_bound(problem, found.prices) - found.objective, found.bound - found.objective))
    assert sum(one for one, _ in gaps) > 5 * sum(by_cases for _, by_cases in gaps)
