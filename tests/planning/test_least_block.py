"""The smallest block of newly brought land: exact on small problems, in windows on larger ones (最小连片规模)."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from qianmo.planning.allocation import allocation_problem
from qianmo.planning.least_block import with_least_block
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.problem import PlanProblem, objective, states
from qianmo.planning.solve import solve
from qianmo.schema.errors import SchemaError


def smallest_new_block(problem: PlanProblem, choice: np.ndarray, area: np.ndarray, i: np.ndarray, j: np.ndarray) -> float:
    """Area of the smallest block with a newly brought patch, by walking from patch to patch."""
    layer = problem.pairs[0]
    has = states(layer, choice)
    near: dict[int, list[int]] = {}
    for a, b in zip(i.tolist(), j.tolist()):
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    sizes = []
    for k in np.flatnonzero(has & ~layer.state0.astype(bool)).tolist():
        seen, queue = {k}, deque([k])
        while queue:
            for n in near.get(queue.popleft(), []):
                if has[n] and n not in seen:
                    seen.add(n)
                    queue.append(n)
        sizes.append(float(area[sorted(seen)].sum()))
    return min(sizes, default=np.inf)


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_under_the_rule_is_the_best_of_all_plans_that_keep_it(seed: int, tiny, every_plan) -> None:  # type: ignore[no-untyped-def]
    problem, _ = tiny(7, seed)
    ring, area = problem.pairs[0], np.array([1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0])
    soft = solve(problem, gap=0.0)
    hard, found = with_least_block(problem, soft, ring, area=area, least_m2=4.0, borders=(ring.i, ring.j))
    allowed = [c for c in every_plan(problem) if smallest_new_block(problem, c, area, ring.i, ring.j) >= 4.0]
    assert found.is_exact and hard.objective == pytest.approx(max(objective(problem, c) for c in allowed), abs=1e-6)
    assert found.price == pytest.approx(soft.objective - hard.objective) and found.price >= -1e-9
    assert hard.objective <= soft.bound + 1e-9 and hard.bound == soft.bound


def test_a_larger_area_is_settled_in_windows_with_the_limits_kept() -> None:
    county = make_county(900, rng=np.random.default_rng(3), recipe=CountyRecipe(townships=2, villages=4, tightness=0.4, grades=(), budget=1.0))
    problem = allocation_problem(county)
    layer = problem.pairs[0]
    area = np.full(problem.n, 2.0)
    soft = solve(problem, gap=1e-3)
    hard, found = with_least_block(problem, soft, layer, area=area, least_m2=12.0, borders=(layer.i, layer.j), most=150, time_limit_s=10.0)
    assert found.blocks_before > 0 and found.windows >= 1 and not found.is_exact
    assert smallest_new_block(problem, soft.choice, area, layer.i, layer.j) < 12.0
    assert smallest_new_block(problem, hard.choice, area, layer.i, layer.j) >= 12.0
    for x in problem.limits:
        taken = set(hard.choice[hard.choice >= 0].tolist())
        value = x.constant + sum(c for o, c in zip(x.option.tolist(), x.coefficient.tolist()) if o in taken)
        assert (x.relation == "<=" or value >= x.bound - 0.004) and (x.relation == ">=" or value <= x.bound + 0.004), x.id


def test_a_plan_that_keeps_the_rule_stays_and_costs_nothing(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, _ = tiny(6, 1)
    ring, soft = problem.pairs[0], solve(problem, gap=0.0)
    hard, found = with_least_block(problem, soft, ring, area=np.ones(6), least_m2=1.0, borders=(ring.i, ring.j))
    assert hard is soft and (found.price, found.blocks_before, found.is_exact) == (0.0, 0, True)
    with pytest.raises(SchemaError, match="least block"):
        with_least_block(problem, replace(soft), ring, area=np.ones(6), least_m2=-1.0, borders=(ring.i, ring.j))
