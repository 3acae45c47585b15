"""Shared limit columns and chained changes of the whole-area engine against sums and searches written out."""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
import pytest

from qianmo.planning.allocation import allocation_problem
from qianmo.planning.engine.columns import Gatherer
from qianmo.planning.engine.dense import choice_of, dense
from qianmo.planning.engine.entries import entry_changes, patches_by_row, row_amounts
from qianmo.planning.engine.linking import HARD, SOFT, linked
from qianmo.planning.engine.primal_dual import iterate, start_state, steps_of
from qianmo.planning.engine.rounding import nearest_slots, row_values, settle, violation
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.problem import Limit, PlanProblem, limit_values, objective


def test_a_county_keeps_its_area_rows_in_few_columns_and_the_budget_apart() -> None:
    problem = allocation_problem(make_county(3_000, rng=np.random.default_rng(5), recipe=CountyRecipe(townships=4, villages=8)))
    d = dense(problem)
    g, rng = d.layout, np.random.default_rng(1)
    budget = next(k for k, x in enumerate(problem.limits) if x.id == "budget")
    apart = {k for r in np.unique(g.row).tolist() for k in d.members[r]}
    assert budget in apart and len(apart) <= 4, "budget and carbon alone are no multiples of the area"
    assert len(g.column_first) < d.n / 2
    slot = (rng.random(d.n) * g.width).astype(np.int16)
    value, act = limit_values(problem, choice_of(d, slot)), row_values(d, slot)
    for r, members in enumerate(d.members):
        for k in members:
            x = problem.limits[k]
            end = d.low[r] if x.relation == ">=" else d.high[r]
            assert act[r] - end == pytest.approx(value[k] - x.bound, rel=1e-5, abs=1.0)


def test_rows_of_other_sizes_stay_entries_and_all_entries_can_be_written_out() -> None:
    gatherer = Gatherer(3, 2)
    patch, slot = np.array([0, 1, 2]), np.array([1, 1, 0])
    gatherer.add(0, patch, slot, np.array([2.0, -3.0, 4.0]))
    gatherer.add(1, patch, slot, np.array([2.0, 3.0, 5.0]))
    gatherer.add(2, patch[:2], slot[:2], np.array([-2.0, -3.0]))
    c = gatherer.done()
    assert np.array_equal(np.unique(c.row), [1]) and np.allclose(c.row_coefficient, [2.0, 3.0, 5.0])
    held = {(i, s): [(int(r), float(z)) for r, z in zip(c.column_row[c.column_first[k] : c.column_first[k + 1]],
            c.column_sign[c.column_first[k] : c.column_first[k + 1]])] for (i, s), k in np.ndenumerate(c.column)}  # fmt: skip
    assert held[0, 1] == [(0, 1.0), (2, -1.0)] and held[1, 1] == [(0, -1.0), (2, -1.0)] and held[2, 0] == [(0, 1.0)]
    assert held[0, 0] == [] and np.allclose(c.size, [2.0, 3.0, 4.0])


def test_an_option_named_twice_in_a_limit_counts_twice() -> None:
    text = np.full(2, "", object)
    twice = Limit("a", "r", "", np.array([0, 0, 1]), np.array([1.0, 1.0, 5.0]), "<=", 4.0, "m2")
    d = dense(PlanProblem(2, np.array([0, 1]), text, text, np.ones(2), np.ones(2), {}, {}, (), (twice,)))
    assert row_values(d, np.array([1, 0], np.int16))[0] == 2.0
    assert row_values(d, np.array([1, 1], np.int16))[0] == 7.0
    assert np.allclose(row_amounts(d), [[7.0], [2]])


def test_changes_written_out_are_differences_of_row_sums() -> None:
    d = dense(allocation_problem(make_county(800, rng=np.random.default_rng(2))))
    rng = np.random.default_rng(3)
    slot = np.zeros(d.n, np.int16)
    who = np.sort(rng.choice(np.flatnonzero(d.layout.width > 1), 40, replace=False))
    target = np.ones(len(who), np.int16)
    change = entry_changes(d, who, target, slot[who]).toarray()
    before = row_values(d, slot)
    for k, i in enumerate(who):
        moved = slot.copy()
        moved[i] = 1
        assert np.allclose(change[:, k], row_values(d, moved) - before, atol=1e-2)
    member, first = patches_by_row(d, who)
    assert len(first) == len(d.low) + 1
    for r in range(len(d.low)):
        assert set(np.flatnonzero(np.abs(change[r]) > 0)) <= {int(np.searchsorted(who, i)) for i in member[first[r] : first[r + 1]]}


@pytest.mark.parametrize("seed", range(6))
def test_chains_keep_the_limits_and_come_near_the_best_of_all_plans(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, text = 10, np.full(20, "", object)
    patch, area = np.repeat(np.arange(n), 2), rng.integers(100, 400, n) / 100.0
    value = rng.normal(0.5, 0.5, 2 * n)
    window = [Limit(f"{k}{z}", "r", "", np.arange(k, 2 * n, 2), area, z, b, "m2") for k in (0, 1) for z, b in ((">=", 6.0), ("<=", 7.5))]
    problem = PlanProblem(n, patch, text, text, value, np.ones(2 * n), {}, {}, (), tuple(window))
    d = dense(problem)
    plans = [np.array(s, np.int16) for s in product(range(3), repeat=n)]
    fits = [objective(problem, choice_of(d, s)) for s in plans if not violation(d, s).any()]
    state = start_state(d)
    price = next(p for _, p in iterate(d, steps_of(d), state) if state.steps_done >= 200)
    settled = settle(d, linked(d, nearest_slots(d, state.x), price, SOFT), price)
    assert settled is not None
    found = linked(d, settled, price, HARD)
    before, after = (objective(problem, choice_of(d, s)) for s in (settled, found))
    assert violation(d, found).max() < 1e-4 and before - 1e-6 <= after <= max(fits) + 1e-6
    assert after >= max(fits) - 0.25 * abs(max(fits))


def test_the_iterates_do_not_depend_on_the_number_of_threads() -> None:
    d = dense(allocation_problem(make_county(5_000, rng=np.random.default_rng(7))))
    most, shares = numba.get_num_threads(), []
    try:
        for threads in (1, most):
            numba.set_num_threads(threads)
            state = start_state(d)
            bound = next(b for b, _ in iterate(d, steps_of(d), state) if state.steps_done >= 60)
            shares.append((bound, state.x.copy(), state.p.copy()))
    finally:
        numba.set_num_threads(most)
    assert shares[0][0] == shares[1][0]
    assert np.array_equal(shares[0][1], shares[1][1]) and np.array_equal(shares[0][2], shares[1][2])


def test_prices_of_rows_come_near_their_end_within_two_hundred_steps() -> None:
    problem = allocation_problem(make_county(5_000, rng=np.random.default_rng(8)))
    d = dense(problem)
    state, bounds = start_state(d), []
    for bound, _ in iterate(d, steps_of(d), state):
        bounds.append(bound)
        if state.steps_done >= 600:
            break
    assert bounds[9] - min(bounds) <= 2e-3 * abs(min(bounds))
