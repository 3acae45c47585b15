"""True for any swap: more entrants, better grades and laxer caps never hurt; order means nothing (永农调整性质)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.form_levelling import levelled_parts
from qianmo.planning.farmland_swap.eligibility import eligibility
from qianmo.planning.farmland_swap.formulate import formulate_swap
from qianmo.planning.farmland_swap.land import SwapLand, with_unit
from qianmo.planning.farmland_swap.make_instance import make_small_swap
from qianmo.planning.farmland_swap.settings import SwapSettings
from qianmo.planning.solve import solve
from qianmo.schema.errors import InfeasibleError

LOOSE = SwapSettings(cap=0.2, waived=("high_standard", "township"), leave_without_reason=True, parameters={"swap_grade_yuan_mu": 0.0})
SEEDS = st.integers(0, 10_000)


def best(land: SwapLand, wish: SwapSettings = LOOSE) -> float:
    """Best score, -inf where nothing is possible."""
    try:
        return solve(formulate_swap(land, wish).problem, gap=0.0).objective
    except InfeasibleError:
        return -np.inf


def drawn(seed: int, *, polluted: bool) -> SwapLand:
    rng = np.random.default_rng(seed)
    land = make_small_swap(rng=rng, n=36, leave=4, enter=4)
    able = np.flatnonzero(eligibility(land, LOOSE).may_leave)
    return with_unit(land, int(rng.choice(able)), polluted=1.0) if polluted and len(able) else land


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.booleans())
def test_another_entrant_never_hurts(seed, polluted):
    land = drawn(seed, polluted=polluted)
    shut = np.flatnonzero(~land.protected & land.farmland & (land.stable == 0) & (land.block_protected > 0))
    if len(shut):
        more = with_unit(land, int(shut[seed % len(shut)]), stable=1.0)
        assert best(more) >= best(land) - 1e-6


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_a_better_grade_of_an_entrant_never_removes_feasibility(seed):
    land = drawn(seed, polluted=True)
    enter = np.flatnonzero(eligibility(land, LOOSE).may_enter)
    if len(enter):
        k = int(enter[seed % len(enter)])
        better = with_unit(land, k, grade=max(1.0, land.grade[k] - 3))
        assert best(better) >= best(land) - 1e-6


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.floats(0.0, 0.15), st.floats(0.0, 0.1))
def test_a_laxer_cap_or_surplus_never_hurts(seed, more_cap, less_surplus):
    land = drawn(seed, polluted=seed % 2 == 0)
    tight = replace(LOOSE, cap=0.08, surplus=0.1)
    assert best(land, replace(tight, cap=0.08 + more_cap)) >= best(land, tight) - 1e-6
    assert best(land, replace(tight, surplus=0.1 - less_surplus)) >= best(land, tight) - 1e-6


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_the_order_of_the_units_means_nothing(seed):
    land = drawn(seed, polluted=False)
    order = np.random.default_rng(seed).permutation(land.n)
    back = np.argsort(order)
    mixed = {
        name: back[value] if name in ("border_i", "border_j") else value if name == "border_m" else value[order] for name, value in vars(land).items()
    }
    assert abs(best(SwapLand(**mixed)) - best(land)) < 1e-6


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_levelled_parts_add_up_and_move_less_than_a_step(parts):
    total = (2 * sum(parts) + 100) // 200
    made = levelled_parts(parts, total)
    assert sum(made) == total
    assert all(abs(100 * m - p) < 100 for m, p in zip(made, parts))
