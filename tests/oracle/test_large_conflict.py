"""Conflicts that prices prove, against an exact solver."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.planning.conflict import is_feasible
from qianmo.planning.large_conflict import conflicting_limits, is_reachable, most_reachable
from qianmo.planning.problem import Limit, PlanProblem


def plots(n: int, seed: int, *, wanted: float) -> PlanProblem:
    """Two uses a plot; `wanted` is the share of all land that a floor asks for within a budget that pays for half."""
    rng = np.random.default_rng(seed)
    patch, area = np.repeat(np.arange(n), 2), rng.integers(100, 900, n) / 100.0
    cost = np.repeat(area, 2)
    first = np.arange(0, 2 * n, 2)
    text = np.full(2 * n, "", object)
    limits = (
        Limit("budget", "B-1", "预算", np.arange(2 * n), cost, "<=", round(float(area.sum()) * 0.5, 2), "yuan"),
        Limit("floor", "F-1", "下限", first, area, ">=", round(float(area.sum()) * wanted, 2), "m2"),
        Limit("idle", "I-1", "无关", first + 1, area, "<=", round(float(area.sum()) * 0.4, 2), "m2"),
    )
    return PlanProblem(n, patch, text, text, rng.normal(0, 1, 2 * n), cost, {}, {}, (), limits)


@pytest.mark.parametrize("wanted", [0.3, 0.45, 0.55, 0.8])
def test_prices_say_what_the_exact_solver_says(wanted: float) -> None:
    problem = plots(400, 1, wanted=wanted)
    assert is_reachable(problem, list(problem.limits)) is is_feasible(problem, list(problem.limits))
    assert conflicting_limits(problem) == ([0, 1] if wanted > 0.5 else [])


def test_what_is_missing_is_at_least_what_is_said() -> None:
    problem = plots(400, 2, wanted=0.8)
    budget, floor, _ = problem.limits
    assert most_reachable(problem, [budget], floor) == pytest.approx(budget.bound, rel=1e-3)
    assert most_reachable(problem, [floor], budget) == pytest.approx(floor.bound, rel=1e-3)
