"""Near-optimal alternatives: far, good enough, and the distance bound holds (备选方案)."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.planning.alternatives import alternatives, distance
from qianmo.planning.front_aims import scalarised
from qianmo.planning.problem import objective
from qianmo.planning.solve import solve
from qianmo.schema.errors import SchemaError


@pytest.mark.parametrize("bonded", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_plan_near_enough_is_farther_than_the_bound(seed: int, bonded: bool, tiny, every_plan) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, seed, bonded=bonded)
    asked = scalarised(problem, aims, np.array([1.0, 0.3, 0.7]))
    best = solve(asked, gap=0.0)
    area = np.arange(1.0, 7.0)
    found = alternatives(asked, best, count=3, share=0.2, weight=area, search=lambda p: solve(p, gap=0.0))
    assert found
    away = [best.choice]
    near_enough = [c for c in every_plan(asked) if objective(asked, c) >= best.objective * 0.8 - 1e-9]
    for a in found:
        farthest = max(np.mean([distance(c, b, area) for b in away]) for c in near_enough)
        assert objective(asked, a.choice) == a.score >= a.least_score - 1e-9
        assert a.distance == pytest.approx(np.mean([distance(a.choice, b, area) for b in away]))
        assert a.nearest == min(distance(a.choice, b, area) for b in away) > 0
        assert a.distance <= farthest + 1e-9 <= a.distance_bound + 1e-6
        if not bonded:
            assert a.distance == pytest.approx(farthest) and a.distance_bound == pytest.approx(farthest, abs=1e-6)
        away.append(a.choice)


def test_no_loss_allowed_and_one_best_plan_gives_no_alternative(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 3, bonded=False)
    asked = scalarised(problem, aims, np.array([1.0, 0.3, 0.7]))
    best = solve(asked, gap=0.0)
    assert alternatives(asked, best, share=0.0, search=lambda p: solve(p, gap=0.0)) == ()


def test_wrong_shares_and_weights_are_refused(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(4, 3)
    asked = scalarised(problem, aims, np.ones(3))
    best = solve(asked, gap=0.0)
    with pytest.raises(SchemaError, match="share"):
        alternatives(asked, best, share=1.5)
    with pytest.raises(SchemaError, match="weights"):
        alternatives(asked, best, weight=np.array([1.0, -1.0, 1.0, 1.0]))
