"""The whole-area engine against an exact solver, a planted optimum and its own promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from qianmo.planning.engine.dense import choice_of, dense, slots_of
from qianmo.planning.engine.export import parts_from, problem_prices, row_prices
from qianmo.planning.engine.primal_dual import iterate, start_state, steps_of
from qianmo.planning.engine.rounding import row_values, settle, violation
from qianmo.planning.overrun import exact_ends, overrun
from qianmo.planning.planted import planted_problem
from qianmo.planning.planted_county import planted_county
from qianmo.planning.prices import dual_bound
from qianmo.planning.problem import Limit, Pairs, PlanProblem, limit_values, objective
from qianmo.planning.whole_area import allocate


def uses_on_a_grid(side: int, uses: int, seed: int, *, tight: float = 0.1, bonus: float = 0.4) -> PlanProblem:
    """One of a few uses for each square, equal neighbours rewarded, area windows of each half of the grid, a budget."""
    rng = np.random.default_rng(seed)
    n = side * side
    at = np.arange(n).reshape(side, side)
    i, j = np.r_[at[:, :-1].ravel(), at[:-1].ravel()], np.r_[at[:, 1:].ravel(), at[1:].ravel()]
    now, area = rng.integers(0, uses, n), rng.integers(100, 900, n) / 100.0
    patch, use = np.nonzero((np.arange(uses)[None, :] != now[:, None]) & (rng.random((n, uses)) < 0.8))
    worth = rng.normal(0, 1, (n, uses))
    value = worth[patch, use] - worth[patch, now[patch]]
    weight = rng.uniform(0.2, 1.8, len(i)) * bonus
    pairs = tuple(Pairs(f"use{k}", "", i, j, weight, now == k, use == k) for k in range(uses))
    limits, half = [], (np.arange(n) >= n // 2).astype(int)
    for r in (0, 1):
        for k in range(uses):
            option = np.flatnonzero((half[patch] == r) & ((use == k) | (now[patch] == k)))
            change = np.where(use[option] == k, area[patch[option]], -area[patch[option]])
            today = round(float(area[(half == r) & (now == k)].sum()), 2)
            limits.append(Limit(f"{r}-{k}-low", "w", "", option, change, ">=", round(today * (1 - tight), 2), "m2", today))
            limits.append(Limit(f"{r}-{k}-high", "w", "", option, change, "<=", round(today * (1 + tight), 2), "m2", today))
    cost = rng.integers(100, 300, len(patch)) / 100.0
    limits.append(Limit("budget", "b", "", np.arange(len(patch)), cost, "<=", round(0.5 * n, 2), "yuan"))
    text = np.full(len(patch), "", object)
    return PlanProblem(n, patch, text, text, value, cost, {}, {}, pairs, tuple(limits))


def solved_exactly(problem: PlanProblem, *, relaxed: bool = False) -> tuple[float, float]:
    """Score and bound by HiGHS on matrices written from the definition: columns are options, then one a border and layer."""
    m, rows, low, high = problem.m, [], [], []
    layers = [(k, e) for k, p in enumerate(problem.pairs) for e in range(len(p.i))]
    size = m + len(layers)
    entries: list[tuple[int, int, float]] = []

    def row(cells: list[tuple[int, float]], lo: float, hi: float) -> None:
        entries.extend((len(low), c, v) for c, v in cells)
        low.append(lo)
        high.append(hi)

    owned = [np.flatnonzero(problem.patch == k) for k in range(problem.n)]
    for mine in owned:
        row([(int(o), 1.0) for o in mine], -np.inf, 1.0)
    for x in problem.limits:
        side = x.bound - x.constant
        cells = [(int(o), float(c)) for o, c in zip(x.option, x.coefficient)]
        row(cells, side if x.relation != "<=" else -np.inf, side if x.relation != ">=" else np.inf)
    bonus = np.zeros(size)
    bonus[:m] = problem.value
    constant = 0.0
    for z, (k, e) in enumerate(layers):
        p = problem.pairs[k]
        bonus[m + z] = p.weight[e]
        constant -= p.weight[e] * (bool(p.state0[p.i[e]]) and bool(p.state0[p.j[e]]))
        for end in (int(p.i[e]), int(p.j[e])):
            change = [(int(o), -(float(p.state[o]) - float(p.state0[end]))) for o in owned[end]]
            row([(m + z, 1.0), *change], -np.inf, float(p.state0[end]))
    at = np.array(entries)
    rows = coo_array((at[:, 2], (at[:, 0].astype(int), at[:, 1].astype(int))), shape=(len(low), size)).tocsr()
    whole = np.zeros(size) if relaxed else (np.arange(size) < m).astype(float)
    found = milp(-bonus, constraints=LinearConstraint(rows, low, high), integrality=whole, bounds=Bounds(0, 1),
                 options={"mip_rel_gap": 1e-6, "time_limit": 60})  # fmt: skip
    bound = found.mip_dual_bound if found.mip_dual_bound is not None else found.fun
    return -found.fun + constant, -bound + constant


@pytest.mark.parametrize("seed", [0, 1])
def test_the_bound_comes_to_the_relaxation_and_the_plan_near_the_optimum(seed: int) -> None:
    problem = uses_on_a_grid(12, 3, seed)
    relaxation, _ = solved_exactly(problem, relaxed=True)
    best, _ = solved_exactly(problem)
    found = allocate(problem, gap=1e-4, time_limit_s=1e9)
    assert found.bound >= relaxation - 1e-6 * abs(relaxation)
    assert found.bound <= relaxation * (1 + 2e-3)
    assert found.choice is not None and not overrun(problem, found.choice).any()
    assert best * (1 - 0.03) <= objective(problem, found.choice) <= best + 1e-6
    assert found.bound >= best - 1e-6


def test_a_planted_optimum_is_reached_and_proven() -> None:
    problem, planted, score = planted_problem(70, 70, rng=np.random.default_rng(3), options=3, limits=4, bonus=1.0)
    found = allocate(problem, gap=1e-3, time_limit_s=1e9)
    assert not overrun(problem, planted).any()
    assert found.choice is not None and not overrun(problem, found.choice).any()
    assert score - 1e-6 <= found.bound <= score * (1 + 1e-3)
    assert objective(problem, found.choice) >= score * (1 - 1e-3)
    assert found.bound == dual_bound(problem, found.prices)


def test_a_changed_window_starts_from_the_last_prices_and_stays_a_bound() -> None:
    problem = uses_on_a_grid(30, 3, 5)
    first = allocate(problem, gap=5e-3, time_limit_s=1e9)
    assert first.choice is not None
    narrower = tuple(
        Limit(x.id, x.rule_id, x.zh, x.option, x.coefficient, x.relation, round(x.bound * 0.98, 2), x.unit, x.constant)
        if x.id == "budget" else x for x in problem.limits
    )  # fmt: skip
    changed = PlanProblem(**{**problem.__dict__, "limits": narrower})
    cold = allocate(changed, gap=5e-3, time_limit_s=1e9)
    warm = allocate(changed, gap=5e-3, time_limit_s=1e9, prices=first.prices, choice=first.choice)
    assert warm.choice is not None and not overrun(changed, warm.choice).any()
    assert warm.steps < cold.steps
    assert warm.bound >= objective(changed, cold.choice) and cold.bound >= objective(changed, warm.choice)


def test_settled_slots_keep_every_row_and_rows_are_the_limits() -> None:
    problem = uses_on_a_grid(20, 4, 9)
    d = dense(problem)
    rng = np.random.default_rng(0)
    slot = (rng.random(d.n) * d.layout.width).astype(np.int16)
    choice = choice_of(d, slot)
    assert np.array_equal(slots_of(d, choice), slot)
    value, act = limit_values(problem, choice), row_values(d, slot)
    for r, members in enumerate(d.members):
        for k in members:
            x = problem.limits[k]
            end = d.low[r] if x.relation == ">=" else d.high[r]
            assert act[r] - end == pytest.approx(value[k] - x.bound, abs=1e-3)
    assert any(len(m) == 2 for m in d.members), "both ends of a window are one row"
    settled = settle(d, slots_of(d, np.full(d.n, -1)), np.zeros(len(d.low)))
    assert settled is not None and violation(d, settled).max() <= 1e-3


def test_layers_with_borders_of_their_own_and_turned_ends_keep_their_prices() -> None:
    rng = np.random.default_rng(4)
    n = 60
    patch = np.repeat(np.arange(n), 2)
    pairs = []
    for k in range(2):
        i, j = np.triu_indices(n, 1)
        use = rng.random(len(i)) < 0.08
        i, j = i[use], j[use]
        turn = rng.random(len(i)) < 0.5
        i, j = np.where(turn, j, i), np.where(turn, i, j)
        pairs.append(Pairs(f"l{k}", "", i, j, rng.uniform(0, 1, len(i)), rng.random(n) < 0.5, rng.random(2 * n) < 0.5))
    text = np.full(2 * n, "", object)
    problem = PlanProblem(n, patch, text, text, rng.normal(0, 1, 2 * n), np.ones(2 * n), {}, {}, tuple(pairs), ())
    d = dense(problem)
    state = start_state(d)
    for bound, price in iterate(d, steps_of(d), state):
        prices = problem_prices(d, problem, state.a, price)
        assert dual_bound(problem, prices) == pytest.approx(bound, rel=1e-5)
        if state.steps_done >= 200:
            break
    best, _ = solved_exactly(problem)
    assert best - 1e-6 <= bound <= best * 1.02
    back = parts_from(d, problem, prices)
    clipped = np.clip(state.a, 0, d.layout.weight)
    assert np.allclose(back, clipped, atol=1e-5)
    assert np.array_equal(row_prices(d, prices.limit), price)


def test_the_ends_said_to_the_compiled_loops_break_exactly_where_the_limits_do() -> None:
    problem = uses_on_a_grid(30, 4, 3)
    d, rng = dense(problem), np.random.default_rng(5)
    start = (rng.random(d.n) * d.layout.width).astype(np.int16)
    value = limit_values(problem, choice_of(d, start))
    step = rng.integers(-1, 2, len(value)) * 0.01
    filled = tuple(replace(x, bound=round(float(v + s), 2)) for x, v, s in zip(problem.limits, value, step))  # at the sum, or a dm2 beside it
    tight = replace(problem, limits=filled)
    d = dense(tight)
    over, act, (low, high) = overrun(tight, choice_of(d, start)), row_values(d, start), exact_ends(tight, d, start)
    assert 0 < (over > 0).sum() < len(over)
    for r, members in enumerate(d.members):
        assert ((act[r] < low[r]) or (act[r] > high[r])) == (over[list(members)] > 0).any()


def test_a_planted_county_whose_windows_are_full_to_the_square_decimetre_is_found() -> None:
    made = planted_county(6_000, rng=np.random.default_rng(2), townships=24)
    assert len(made.problem.limits) > 300
    found = allocate(made.problem, gap=1e-6, time_limit_s=1e9)
    assert found.choice is not None and not overrun(made.problem, found.choice).any()
    assert objective(made.problem, found.choice) <= made.score * (1 + 1e-9) <= found.bound * (1 + 2e-9)
    assert objective(made.problem, found.choice) >= made.score * (1 - 1e-6)
