"""Restarting a large problem by settling broken limits: within the limits, and still a bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qianmo.planning import what_if as module
from qianmo.planning.planted import planted_problem
from qianmo.planning.prices import dual_bound
from qianmo.planning.problem import limit_values, objective
from qianmo.planning.restart import restart
from qianmo.planning.solve import Solution, solve
from qianmo.planning.what_if import Change, what_if


def test_a_restart_keeps_the_limits_and_its_bound_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, planted, score = planted_problem(8, 8, rng=np.random.default_rng(2), options=2, limits=4, bonus=1.0)
    first = solve(problem, gap=1e-4)
    k = next(k for k, x in enumerate(problem.limits) if x.relation == "<=")
    tighter = round(float(limit_values(problem, first.choice)[k]) * 0.97, 2)
    changed = replace(problem, limits=tuple(replace(x, bound=tighter) if i == k else x for i, x in enumerate(problem.limits)))
    again = restart(changed, first, gap=1.0)
    assert isinstance(again, Solution)
    assert limit_values(changed, again.choice)[k] <= tighter < limit_values(problem, first.choice)[k]
    best = solve(changed, gap=1e-6)
    assert again.bound == pytest.approx(dual_bound(changed, first.prices)) and again.bound >= best.objective - 1e-9
    assert again.objective == objective(changed, again.choice) <= best.objective + 1e-9
    monkeypatch.setattr(module, "is_large", lambda p: True)
    done = what_if(problem, first, Change(bounds={problem.limits[k].id: tighter}), gap=1.0)
    assert done.solution.method == again.method and np.array_equal(done.choice, again.choice)
