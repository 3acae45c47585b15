"""The front of several aims against all plans one by one (前沿)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qianmo.planning.case_bounds import proven_bound, wrong_prices
from qianmo.planning.front import Front, front, question_of
from qianmo.planning.front_aims import amounts_again, check_point, chosen_aims, floor_limit, scalarised, units_of
from qianmo.planning.front_faces import inner_faces, is_dominated, lattice
from qianmo.planning.problem import PlanProblem, limit_value, objective
from qianmo.planning.proof import stored_prices
from qianmo.planning.solve import Solution, solve
from qianmo.schema.errors import InfeasibleError, NotAllowedError, QianmoError, RuleError, SchemaError


def exactly(problem: PlanProblem, start: Solution | None) -> Solution:
    return solve(problem, gap=0.0)


def all_points(problem: PlanProblem, aims, every_plan) -> np.ndarray:  # type: ignore[no-untyped-def]
    return np.array([amounts_again(aims, c) * units_of(aims) for c in every_plan(problem)])


CASES = [(0, (0, 1)), (1, (2, 1)), (2, (0, 1, 2))]


@pytest.fixture(scope="module", params=CASES, ids=["farmland and cost", "borders and cost", "three aims"])
def made(request, tiny, every_plan) -> tuple[Front, np.ndarray]:  # type:  # type: ignore[no-untyped-def]
    seed, which = request.param
    problem, aims = tiny(6, seed)
    use = tuple(aims[k] for k in which)
    return front(problem, use, count=40, floors=8, search=exactly), all_points(problem, use, every_plan)


def test_every_plan_of_the_front_is_beaten_by_none(made) -> None:  # type: ignore[no-untyped-def]
    found, everything = made
    efficient = everything[~is_dominated(everything)]
    assert len(found.plans) >= 3
    for p in found.plans:
        assert np.abs(efficient - p.points).max(axis=1).min() < 1e-7


def test_no_plan_rises_above_the_hull_of_the_front(made) -> None:  # type: ignore[no-untyped-def]
    found, everything = made
    points = np.array([p.points for p in found.plans])
    assert found.missed <= 1e-6
    for w in np.random.default_rng(0).dirichlet(np.ones(points.shape[1]), 200):
        assert (everything @ w).max() <= (points @ w).max() + 1e-2
    assert (found.proven @ everything.T <= found.bounds[:, None] + 1e-7).all()


def test_the_prices_of_every_plan_prove_its_bound(made, tiny, request) -> None:  # type: ignore[no-untyped-def]
    found, everything = made
    seed, which = request.node.callspec.params["made"]
    problem, aims = tiny(6, seed)
    for p in found.plans:
        question, solution = question_of(problem, tuple(aims[k] for k in which), p)
        prices = stored_prices(question, solution.prices, solution.branches)
        assert wrong_prices(question, prices) == []
        assert objective(question, p.choice) == pytest.approx(p.objective, abs=1e-9)
        bound = proven_bound(question, prices)[0]
        assert bound <= p.bound + 1e-3 * max(1.0, abs(p.bound))
        within = everything[(everything >= p.floors - 1e-9).all(axis=1)]
        assert (within @ p.weights).max() <= bound + 1e-7


def test_ideal_and_nadir_are_those_of_all_plans(made) -> None:  # type: ignore[no-untyped-def]
    found, everything = made
    assert found.ideal == pytest.approx(everything.max(axis=0), abs=1e-6)
    if everything.shape[1] == 2:
        assert found.nadir == pytest.approx(everything[~is_dominated(everything)].min(axis=0), abs=1e-6)


def test_floors_find_plans_that_no_weighting_finds(tiny, every_plan) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(7, 5)
    weighted = front(problem, aims[:2], count=40, search=exactly)
    more = front(problem, aims[:2], count=40, floors=25, search=exactly)
    everything = all_points(problem, aims[:2], every_plan)
    efficient = np.unique(everything[~is_dominated(everything)].round(7), axis=0)
    assert any(p.has_floors for p in more.plans)
    assert len(weighted.plans) < len(more.plans) <= len(efficient)
    for p in more.plans:
        within = everything[(everything >= p.floors - 1e-9).all(axis=1)]
        assert (within @ p.weights).max() <= p.solver_bound + 1e-7 <= p.bound + 1e-6
        assert p.objective == pytest.approx((within @ p.weights).max(), abs=1e-7)


def test_more_weight_on_an_aim_never_lowers_it(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(7, 3)
    for k in range(3):
        last = -np.inf
        for weight in (0.0, 0.3, 1.0, 3.0, 10.0):
            weights = np.ones(3)
            weights[k] = weight
            asked = scalarised(problem, aims, weights)
            value = amounts_again(aims, solve(asked, gap=0.0).choice)[k]
            assert value >= last - 1e-9
            last = value


def test_the_front_is_the_same_every_time(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 8)
    one, two = (front(problem, aims, count=12, search=exactly) for _ in range(2))
    assert [p.choice.tolist() for p in one.plans] == [p.choice.tolist() for p in two.plans]


def test_a_front_that_is_stopped_gives_what_it_has(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)
    heard: list[int] = []
    found = front(problem, aims[:2], count=30, search=exactly, tell=lambda asked, missed: heard.append(asked), stop=lambda: len(heard) >= 4)
    assert found.broken_off and len(found.plans) >= 1 and heard == [1, 2, 3, 4]


def test_a_question_broken_off_before_it_has_a_plan_leaves_the_earlier_plans(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)

    def search(most: int):  # type: ignore[no-untyped-def]
        asked: list[int] = []

        def one(p: PlanProblem, start: Solution | None) -> Solution:
            asked.append(1)
            if len(asked) > most:
                raise NotAllowedError("ended before there was a plan")
            return solve(p, gap=0.0)

        return one

    found = front(problem, aims[:2], count=9, floors=3, search=search(5))
    assert found.broken_off and found.plans
    assert front(problem, aims[:2], count=4, floors=3, search=search(4)).broken_off
    with pytest.raises(NotAllowedError):
        front(problem, aims[:2], count=9, search=search(0))


def test_a_plan_that_claims_too_much_fails_its_check(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)
    weights = np.ones(3)
    asked = scalarised(problem, aims, weights)
    best = solve(asked, gap=0.0)
    assert check_point(asked, aims, weights, best.choice, best.objective) == pytest.approx(amounts_again(aims, best.choice))
    with pytest.raises(QianmoError, match="fails its check"):
        check_point(asked, aims, weights, best.choice, best.objective + 0.01)
    other = best.choice.copy()
    other[0] = problem.m - 1
    with pytest.raises(QianmoError, match="proper form False"):
        check_point(asked, aims, weights, other, objective(asked, other))
    tight = replace(asked, limits=(replace(asked.limits[0], bound=0.0),))
    with pytest.raises(QianmoError, match="budget"):
        check_point(tight, aims, weights, best.choice, best.objective)


def test_aims_that_do_not_make_a_front_are_refused(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)
    assert [a.id for a in chosen_aims(aims, ("cost", "farmland"))] == ["cost", "farmland"]
    for ids in (("cost",), ("cost", "cost"), ("cost", "gold")):
        with pytest.raises(RuleError):
            chosen_aims(aims, ids)
    with pytest.raises(RuleError, match="no option serves"):
        chosen_aims((aims[0], replace(aims[1], potential=0.0)), ("farmland", "cost"))
    with pytest.raises(SchemaError, match="counts borders"):
        floor_limit(aims[2], 1.0)
    with pytest.raises(SchemaError, match="all count borders"):
        front(problem, (aims[2], replace(aims[2], id="other")), floors=1, search=exactly)


def test_limits_without_a_plan_make_no_front(tiny) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)
    limits = (replace(problem.limits[0], bound=-1.0),)
    with pytest.raises(InfeasibleError):
        front(replace(problem, limits=limits), aims[:2], search=exactly)


def test_a_floor_is_the_amount_of_the_aim(tiny, every_plan) -> None:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 0)
    choice = every_plan(problem)[-1]
    row = floor_limit(aims[0], 2.5)
    assert limit_value(row, choice, problem.m) == pytest.approx(amounts_again(aims, choice)[0]) and row.bound == 2.5


def test_faces_by_hand() -> None:
    assert lattice(3, 2)[:3].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]] and len(lattice(3, 2)) == 6
    faces = inner_faces(np.array([[0.0, 2.0], [1.0, 0.0]]))
    assert any(np.allclose(w, [2 / 3, 1 / 3]) for w in faces)
    assert is_dominated(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 2.0]])).tolist() == [False, True, False]
