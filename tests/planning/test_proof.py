"""A proof is arrays and a record, and comes back as it went (规划证明)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from qianmo.planning.case_bounds import SHARES, CasePrices, case_bound, case_options, one_case, proven_bound, wrong_prices
from qianmo.planning.planted import planted_problem
from qianmo.planning.problem import Limit, PlanProblem
from qianmo.planning.proof import area_table, border_shares, claims, proof_record, solver_of
from qianmo.planning.proof_arrays import proof_arrays, read_proof
from qianmo.planning.verify import fingerprint, score, verify
from qianmo.schema.errors import SchemaError

Saved = tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]


@pytest.fixture
def made(rng: np.random.Generator) -> tuple[PlanProblem, np.ndarray, CasePrices]:
    """A planted problem with a limit in plain numbers, its plan, legal prices and shares."""
    problem, choice, _ = planted_problem(7, 8, rng=rng)
    grade = Limit("grade", "G-01", "等别", np.arange(problem.m), rng.normal(0, 1, problem.m), "<=", 1e3, "1", 0.25)
    problem = replace(problem, limits=(*problem.limits[:2], grade, *problem.limits[2:]), may_keep=np.arange(problem.n) > 3)
    choice[:4] = np.arange(4) * 3
    price = np.array([{"<=": 0.5, ">=": -0.25}[x.relation] for x in problem.limits])
    return problem, choice, one_case(price, border_shares(problem, [rng.random(len(p.i)) * p.weight for p in problem.pairs]))


def saved(made: tuple[Any, ...], **more: Any) -> Saved:
    problem, choice, prices = made
    record = proof_record(problem, choice, prices, made="2026", software="s", method="m", area_dm2=more.get("area_dm2"))
    return json.loads(json.dumps(record)), proof_arrays(problem, choice, prices, **more)


def test_problem_plan_and_prices_come_back(made) -> None:  # type: ignore[no-untyped-def]
    problem, choice, prices = made
    ids, area = np.array([f"图斑{k}" for k in range(problem.n)], object), np.arange(problem.n) * 100 + 7
    back = read_proof(*saved(made, patch_id=ids, area_dm2=area))
    assert fingerprint(back.problem) == fingerprint(problem)
    assert np.array_equal(back.choice, choice) and np.array_equal(back.prices.share[0], prices.share[0])
    assert [x.id for x in back.problem.limits] == [x.id for x in problem.limits]
    assert back.problem.measure.tolist() == problem.measure.tolist() and back.problem.keeps.tolist() == problem.keeps.tolist()
    assert back.patch_id is not None and back.patch_id.tolist() == ids.tolist()
    assert back.area_dm2 is not None and back.area_dm2.tolist() == area.tolist()


def test_layers_with_the_same_borders_are_kept_once(made) -> None:  # type: ignore[no-untyped-def]
    problem, choice, prices = made
    one = problem.pairs[0]
    two = replace(one, aim="other", i=one.i.copy(), state0=~one.state0)
    three = replace(one, aim="third", weight=one.weight * 2)
    problem = replace(problem, pairs=(one, two, three))
    prices = replace(prices, share=prices.share * 3)
    arrays = proof_arrays(problem, choice, prices)
    assert arrays["problem"]["layer_graph"].tolist() == [0, 0, 1]
    assert sum(k.endswith("_weight") for k in arrays["problem"]) == 2
    record = proof_record(problem, choice, prices, made="", software="", method="")
    back = read_proof(record, arrays)
    assert back.problem.pairs[0].weight is back.problem.pairs[1].weight and fingerprint(back.problem) == fingerprint(problem)


def divided(made: tuple[Any, ...], option: list[int], taken: list[int], left: list[int]) -> CasePrices:
    """The same prices in every case of a division."""
    prices, cases = made[2], len(option) + 1
    ends = (np.array(x, np.int64) for x in (option, taken, left))
    return CasePrices(*ends, np.repeat(prices.limit, cases, axis=0), tuple(np.repeat(s, cases, axis=0) for s in prices.share))


def test_cases_say_which_options_are_taken(made) -> None:  # type: ignore[no-untyped-def]
    prices = divided(made, [7, 3], [-1, -3], [1, -2])
    assert case_options(prices) == [((7, True),), ((7, False), (3, False)), ((7, False), (3, True))]
    assert wrong_prices(made[0], prices) == [] and case_options(made[2]) == [()]


@pytest.mark.parametrize(("option", "taken", "left"), [
    ([7, 3], [-1, -3], [-2, 1]), ([7, 3], [-1, -1], [1, -3]), ([7, 3], [1, -3], [1, -2]), ([7, 3], [0, -1], [-2, -3]), ([7, 3], [-1, 1], [1, -2]),
    ([7, 3], [-1, -2], [1, -4]), ([7, 3], [-1, -2], [2, -3]), ([7, 3, 5], [-1, 2, 1], [-2, -3, -4]), ([7, 999], [-1, -3], [1, -2]), ([-1, 3], [-1, -3], [1, -2]),
])  # fmt: skip
def test_divisions_that_are_no_tree_of_options_prove_nothing(made, option: list[int], taken: list[int], left: list[int]) -> None:  # type: ignore[no-untyped-def]
    assert wrong_prices(made[0], divided(made, option, taken, left))


def test_what_a_case_fixes_is_what_its_bound_allows(made) -> None:  # type: ignore[no-untyped-def]
    problem = made[0]
    price, bare = np.zeros(len(problem.limits)), replace(problem, pairs=(), may_keep=None)
    patch = int(problem.patch[9])
    own = np.flatnonzero(problem.patch == patch).tolist()
    assert len(own) > 2

    def best(fixed: tuple[tuple[int, bool], ...]) -> float:
        return case_bound(bare, price, [], fixed)[0] - rest

    others = replace(bare, value=np.where(problem.patch == patch, 0.0, bare.value))
    rest = case_bound(others, price, [])[0]
    value = bare.value.tolist()
    assert best(()) == pytest.approx(max(0.0, *(value[o] for o in own)))
    assert best(((own[1], True),)) == pytest.approx(value[own[1]])
    assert best(((own[0], False), (own[1], True))) == pytest.approx(value[own[1]])
    assert best(((own[0], False), (own[1], False))) == pytest.approx(max(0.0, *(value[o] for o in own[2:])))
    for none in (((own[0], True), (own[1], True)), ((own[0], True), (own[0], False)), ((own[0], False), (own[0], True))):
        assert best(none) == -np.inf
    locked = replace(bare, may_keep=np.arange(problem.n) != patch)
    assert case_bound(locked, price, [], tuple((o, False) for o in own))[0] == -np.inf


@pytest.mark.parametrize("huge", [1e18, 1e302, 1e308])
def test_prices_beyond_floating_point_prove_nothing(huge: float) -> None:
    text = np.array(["a", "b"], object)
    limit = Limit("loss", "", "", np.arange(2), np.array([1.0, 2e6]), "<=", 0.0, "m2")
    problem = PlanProblem(2, np.arange(2), text, text, np.array([1.0, 2.0]), np.zeros(2), {}, {}, (), (limit,))
    choice, prices = np.array([-1, -1]), one_case(np.array([huge]))
    record = {**claims(problem, choice, one_case(np.zeros(1))), "cases": 1, "problem_sha256": fingerprint(problem), "bound": 0.0, "bound_rounding": 1e200}
    record["limits"][0]["price"] = huge
    failed = {c["id"] for c in verify(problem, choice, record, prices) if not c["ok"]}
    assert "rounding" in failed


def test_the_solver_named_is_the_one_that_searched() -> None:
    assert solver_of("linear relaxation, rounding, proof by 3 cases") == "HiGHS in scipy.optimize"
    assert solver_of("primal-dual prices (40 steps), rounding, chains of changes") == "the primal-dual engine of qianmo"
    assert solver_of("minimum cuts with prices, rounding") == "maximum flow in scipy.sparse"
    assert "HiGHS" in solver_of("minimum cuts with prices, rounding, then exact search on the remaining options")


def test_shares_never_leave_the_bonus(made, rng: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    problem = made[0]
    p = problem.pairs[0]
    wild = [rng.normal(0, 3, len(p.i)) * p.weight]
    share = border_shares(problem, wild)[0]
    part = p.weight * (share / SHARES)
    assert share.dtype == np.uint16 and (part >= 0).all() and (part <= p.weight).all()
    exact = border_shares(problem, [p.weight])[0]
    assert (exact == SHARES).all()
    free = replace(problem, pairs=(replace(p, weight=np.zeros(len(p.i))),))
    assert (border_shares(free, [np.zeros(len(p.i))])[0] == 0).all()


def test_the_bound_stated_is_the_bound_of_the_stored_prices_to_the_last_bit(made) -> None:  # type: ignore[no-untyped-def]
    record, arrays = saved(made)
    back = read_proof(record, arrays)
    assert proven_bound(back.problem, back.prices) == (record["bound"], record["bound_rounding"], record["case"])
    assert back.prices.limit[0].tolist() == [x["price"] for x in record["limits"]]
    assert score(back.problem, back.choice) == record["objective"]
    assert all(c["ok"] for c in verify(back.problem, back.choice, record, back.prices) if not c["id"].startswith("limit:"))


def test_sums_of_areas_are_exact_where_floats_are_not() -> None:
    m = 100_000
    option, text = np.arange(m), np.full(m, "x", object)
    limit = Limit("area", "", "", option, np.full(m, 0.01), "<=", 1000.0, "m2", 1e11)
    limit = replace(limit, bound=round(1e11 + 1000.0, 2))
    problem = PlanProblem(m, option, text, text, np.ones(m), np.zeros(m), {}, {}, (), (limit,))
    prices = one_case(np.zeros(1))
    told = claims(problem, option.copy(), prices)
    checks = {c["id"]: c for c in verify(problem, option, {**told, "problem_sha256": fingerprint(problem)}, prices)}
    assert checks["limit:area"]["ok"] and told["limits"][0]["slack"] == 0.0
    one_less = replace(problem, limits=(replace(limit, bound=round(1e11 + 999.99, 2)),))
    checks = {c["id"]: c for c in verify(one_less, option, {**told, "problem_sha256": ""}, prices)}
    assert not checks["limit:area"]["ok"]


def test_a_broken_score_of_many_terms_is_still_exactly_rounded() -> None:
    m = 30_000
    value = np.tile([1e16, 1.0, -1e16], m // 3)
    text = np.full(m, "x", object)
    problem = PlanProblem(m, np.arange(m), text, text, value, np.zeros(m), {}, {}, (), ())
    assert score(problem, np.arange(m)) == m / 3


def test_areas_by_measure_add_up_and_kept_land_is_first(made) -> None:  # type: ignore[no-untyped-def]
    problem, choice, _ = made
    area = np.arange(problem.n) + 1
    rows = area_table(problem, choice, area)
    assert rows[0]["measure"] == "keep" and sum(r["patches"] for r in rows) == problem.n
    assert rows[0]["area_dm2"] == int(area[choice < 0].sum()) and sum(r["area_dm2"] for r in rows) == int(area.sum())


def test_the_fingerprint_sees_every_part_of_the_problem(made) -> None:  # type: ignore[no-untyped-def]
    problem = made[0]
    p, x = problem.pairs[0], problem.limits[0]
    bumped = problem.value.copy()
    bumped[3] = np.nextafter(bumped[3], 9.0)
    others = [
        replace(problem, value=bumped), replace(problem, may_keep=None), replace(problem, measure=np.full(problem.m, "other", object)),
        replace(problem, pairs=(replace(p, state0=~p.state0.astype(bool)),)), replace(problem, pairs=(replace(p, weight=p.weight * 2),)),
        replace(problem, pairs=()), replace(problem, limits=problem.limits[1:]), replace(problem, limits=(replace(x, bound=x.bound + 0.01), *problem.limits[1:])),
        replace(problem, limits=(replace(x, rule_id="X"), *problem.limits[1:])), replace(problem, limits=(replace(x, unit="yuan"), *problem.limits[1:])),
    ]  # fmt: skip
    assert len({fingerprint(q) for q in (problem, *others)}) == len(others) + 1
    nudged = replace(x, coefficient=x.coefficient * (1 + 1e-15))
    assert fingerprint(replace(problem, limits=(nudged, *problem.limits[1:]))) == fingerprint(problem)


@pytest.mark.parametrize(
    ("part", "name", "change", "message"),
    [
        ("problem", "value", lambda a: a[:-1], "array value of problem.npz"),
        ("problem", "patch", lambda a: a.astype(float), "array patch of problem.npz"),
        ("problem", "value", lambda a: a * np.nan, "is not a number"),
        ("problem", "graph0_weight", lambda a: -a, "negative weight"),
        ("problem", "graph0_i", lambda a: a + 10**6, "missing neighbour"),
        ("problem", "measure", lambda a: a + 7, "names text that is not there"),
        ("problem", "whole_start", lambda a: a[::-1], "does not divide the entries"),
        ("problem", "whole_sense", lambda a: a + 5, "sense"),
        ("problem", "may_keep", lambda a: a[:-1], "array may_keep"),
        ("plan", "choice", lambda a: a[None], "array choice of plan.npz"),
        ("prices", "share0", lambda a: a.astype(np.float64), "array share0 of prices.npz"),
        ("prices", "share0", None, "has no array share0"),
        ("prices", "case_option", None, "has no array case_option"),
        ("prices", "case_option", lambda a: np.zeros(1, np.int32), "array whole_price of prices.npz"),
        ("prices", "case_left", lambda a: np.zeros(1, np.int32), "array case_left of prices.npz"),
    ],
)  # fmt: skip
def test_arrays_that_are_none_are_refused_with_their_name(made, part, name, change, message) -> None:  # type: ignore[no-untyped-def]
    record, arrays = saved(made)
    if change is None:
        del arrays[part][name]
    else:
        arrays[part][name] = change(arrays[part][name])
    with pytest.raises(SchemaError, match=message):
        read_proof(record, arrays)


@pytest.mark.parametrize("change", [{"format": "other/9"}, {"counts": {"patches": -1, "options": 2}}, {"bound": None}, {"limits": 5}, {"objective": float("nan")}])
def test_records_that_are_none_are_refused(made, change: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
    record, arrays = saved(made)
    with pytest.raises(SchemaError):
        read_proof({**record, **change}, arrays)
