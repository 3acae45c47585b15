"""Blocks that are too small are dropped or grown; sites and fields (最小连片、选址)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import uniform_filter

from qianmo.planning.farmland_swap.audit import small_blocks
from qianmo.planning.farmland_swap.minimum import enforce_minimum
from qianmo.planning.farmland_swap.sites import SiteWish, field_wish, select_sites, site_problem
from qianmo.planning.problem import objective
from qianmo.schema.errors import InfeasibleError, RuleError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import mu_to_m2


def grid(rows: int, columns: int) -> pd.DataFrame:
    at = np.arange(rows * columns).reshape(rows, columns)
    i, j = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()]), np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    return pd.DataFrame({"i": i, "j": j, "length_m": 30.0})


def drawn(seed: int, rows: int = 3, columns: int = 4) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n = rows * columns
    return np.round(rng.uniform(500, 1500, n), 2), rng.normal(0, 100, n), grid(rows, columns)


def whole_blocks(chosen: np.ndarray, area: np.ndarray, borders: pd.DataFrame, least: float) -> bool:
    """Blocks by repeated spreading of labels, written for this test."""
    label = np.where(chosen, np.arange(len(chosen)), -1)
    for _ in range(len(chosen)):
        for a, b in zip(borders["i"], borders["j"]):
            if chosen[a] and chosen[b]:
                label[a] = label[b] = min(label[a], label[b])
    return all(round(area[label == k].sum(), 2) >= least for k in set(label[chosen].tolist()))


def best_by_enumeration(problem, area, borders, least) -> float:
    best = -np.inf
    for bits in product([False, True], repeat=problem.n):
        chosen = np.array(bits)
        if whole_blocks(chosen, area, borders, least):
            choice = np.where(chosen, np.arange(problem.n), -1)
            value = sum(c for c, b in zip(problem.value, bits) if b)
            for p in problem.pairs:
                value += sum(w for a, b, w in zip(p.i, p.j, p.weight) if chosen[a] and chosen[b])
            assert value == pytest.approx(objective(problem, choice))
            best = max(best, value)
    return best


@pytest.mark.parametrize("seed", range(5))
def test_one_window_finds_what_enumeration_finds(seed):
    area, worth, borders = drawn(seed)
    wish = SiteWish(least_block_m2=3000.0, border_yuan_m=0.5)
    cost, every = np.zeros(12), np.ones(12, bool)
    problem = site_problem(area, worth, cost, borders, eligible=every, wish=wish)
    found = select_sites(area, worth, cost, borders, eligible=every, wish=wish, gap=0.0)
    assert found.minimum.is_exact
    assert found.solution.objective == pytest.approx(best_by_enumeration(problem, area, borders, 3000.0), abs=1e-6)
    assert found.minimum.price == pytest.approx(found.minimum.soft - found.solution.objective)
    assert found.minimum.price >= -1e-9
    assert whole_blocks(found.selected, area, borders, 3000.0)


@pytest.mark.parametrize("seed", range(4))
def test_small_windows_keep_every_block_large_enough_and_cost_no_less(seed):
    area, worth, borders = drawn(seed, 14, 14)
    every = np.ones(196, bool)
    wish = SiteWish(least_block_m2=6000.0, border_yuan_m=0.4)
    exact, narrow = (select_sites(area, worth, np.zeros(196), borders, eligible=every, wish=wish, most=m, time_limit_s=20.0) for m in (3000, 40))
    for found in (exact, narrow):
        assert small_blocks(found.selected, area, borders["i"], borders["j"], least_m2=6000.0) == []
        assert found.blocks["area_m2"].min() >= 6000.0
        assert found.blocks["area_m2"].sum() == pytest.approx(area[found.selected].sum())
    assert exact.minimum.is_exact and not narrow.minimum.is_exact
    assert narrow.minimum.windows >= 1
    assert narrow.solution.objective <= exact.solution.objective + 1e-6


def test_the_audit_finds_a_small_block_that_a_choice_leaves():
    borders = grid(1, 5)
    assert small_blocks([True, True, False, True, False], [100.0] * 5, borders["i"], borders["j"], least_m2=200.0) == [(100.0, [3])]
    assert small_blocks([True, True, False, True, False], [100.0] * 5, borders["i"], borders["j"], least_m2=200.0, needs=[True, False, False, False, False]) == []
    assert small_blocks([True] * 2, [99.99, 100.0], [0], [1], least_m2=200.0) == [(199.99, [0, 1])]


def test_a_block_of_exactly_the_least_area_is_large_enough():
    borders = grid(1, 3)
    area, worth = np.array([0.1, 0.2, 5.0]), np.array([1.0, 1.0, -9.0])
    found = select_sites(area, worth, np.zeros(3), borders, eligible=np.ones(3, bool), wish=SiteWish(least_block_m2=0.3), gap=0.0)
    assert found.selected.tolist() == [True, True, False]


NODES = 60
"""Nodes of each search, so that the test ends alike on every machine."""


def test_fields_of_a_hundred_mu_are_made_within_target_and_budget():
    rng = np.random.default_rng(11)
    n = 196
    area = np.round(mu_to_m2(4.0) * rng.uniform(0.5, 1.5, n), 2)
    cost = np.round(area * 2.0, 2)
    least = mu_to_m2(parameter("field_small_mu"))
    wish = field_wish("small", target_m2=round(2 * least, 2), budget_yuan=5 * least, border_yuan_m=1.0)
    smooth = uniform_filter(rng.normal(size=(14, 14)), 5, mode="wrap").ravel()
    worth = (2.0 + smooth / smooth.std()) * area
    found = select_sites(area, worth, cost, grid(14, 14), eligible=rng.random(n) < 0.9, wish=wish, time_limit_s=1e4, nodes=NODES)
    assert found.blocks["area_m2"].min() >= least - 0.01 and area[found.selected].sum() >= 2 * least
    assert cost[found.selected].sum() <= 5 * least
    assert found.certificate["minimum_block"]["price"] >= -1e-6


def test_sites_that_cannot_be_made_large_enough_are_refused_in_words():
    borders = pd.DataFrame({"i": [0], "j": [1], "length_m": [10.0]})
    with pytest.raises(InfeasibleError, match="neither grown nor dropped"):
        select_sites(np.array([100.0, 100.0]), np.ones(2), np.zeros(2), borders, eligible=np.ones(2, bool),
                     wish=SiteWish(least_block_m2=300.0, target_m2=100.0))  # fmt: skip
    with pytest.raises(SchemaError, match="lack area"):
        select_sites(np.array([np.nan, 1.0]), np.ones(2), np.zeros(2), borders, eligible=np.ones(2, bool), wish=SiteWish())
    with pytest.raises(SchemaError, match="region"):
        select_sites(np.ones(2), np.ones(2), np.zeros(2), borders, eligible=np.ones(2, bool), wish=SiteWish(region_target_m2={"X": 1.0}))


def test_the_sizes_of_fields_are_parameters():
    assert field_wish("small").least_block_m2 == 66_666.67 and field_wish("large").least_block_m2 == 666_666.67
    assert field_wish("small", parameters={"field_small_mu": 150.0}).least_block_m2 == 100_000.0
    with pytest.raises(RuleError, match="small, large"):
        field_wish("huge")


def test_each_region_gets_its_share():
    area, worth, borders = np.full(12, 1000.0), np.linspace(100, 1, 12), grid(3, 4)
    region = np.array(["A"] * 6 + ["B"] * 6, object)
    wish = SiteWish(budget_yuan=500.0, region_target_m2={"B": 2000.0})
    found = select_sites(area, worth, np.full(12, 100.0), borders, eligible=np.ones(12, bool), wish=wish, region=region, gap=0.0)
    assert area[found.selected & (region == "B")].sum() >= 2000.0


def test_fixed_units_outside_the_window_count_for_a_block():
    borders = grid(1, 4)
    area = np.array([1000.0, 1000.0, 400.0, 400.0])
    problem = site_problem(area, np.array([5.0, 5.0, 5.0, -1.0]), np.zeros(4), borders, eligible=np.array([False, False, True, True]), wish=SiteWish())
    state = np.array([True, True, False, False])
    done = enforce_minimum(problem, np.array([-1, -1, 0, -1]), area=area, layer_state=state, least_m2=2000.0, borders=(borders["i"].to_numpy(), borders["j"].to_numpy()))
    assert done.choice.tolist() == [-1, -1, 0, -1] and done.price == 0.0
