"""Swaps against enumeration, a model of our own in HiGHS, and SQL over the tables that come out (永农调整对照)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from qianmo.planning.farmland_swap.eligibility import eligibility
from qianmo.planning.farmland_swap.formulate import formulate_swap
from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.make_instance import make_small_swap, make_swap
from qianmo.planning.farmland_swap.settings import SwapSettings
from qianmo.planning.farmland_swap.swap import swap
from qianmo.planning.problem import objective
from qianmo.planning.solve import solve
from qianmo.schema.errors import InfeasibleError
from qianmo.schema.rules import parameter

LOOSE = SwapSettings(cap=0.5, waived=("high_standard", "township"), leave_without_reason=True)


def dm2(land: SwapLand, member: np.ndarray) -> int:
    return sum(round(a * 100) for a in land.area[member].tolist())


def rules_hold(land: SwapLand, after: np.ndarray, *, surplus: str, cap: str, means: bool) -> bool:
    """Every rule of the loose settings, written out from its text over sets of units, in exact numbers."""
    before, out, into = land.protected, land.protected & ~after, ~land.protected & after
    area_out, area_in = dm2(land, out), dm2(land, into)
    if area_in < (1 + Fraction(surplus)) * area_out or area_out > Fraction(cap) * dm2(land, before):
        return False
    if any(dm2(land, after & (land.grade <= g)) < dm2(land, before & (land.grade <= g)) for g in range(1, 15)):
        return False
    if dm2(land, after & (land.class_code == "0101")) < dm2(land, before & (land.class_code == "0101")):
        return False
    if dm2(land, after & (land.slope_low > 15)) > dm2(land, before & (land.slope_low > 15)):
        return False
    wet = np.isin(land.class_code, ["0101", "0102"])
    if dm2(land, after & wet) * dm2(land, before) < dm2(land, before & wet) * dm2(land, after):
        return False
    if not means or not out.any():
        return True
    points = [Fraction(sum(round(a * 100) * int(g) for a, g in zip(land.area[s], land.grade[s])), dm2(land, s)) for s in (into, out)]
    return points[0] <= points[1] and Fraction(area_in, int(into.sum())) > Fraction(area_out, int(out.sum()))


def worth(land: SwapLand, after: np.ndarray) -> float:
    """Yuan of a protection against today's: outline, scattered patches, grade, joined fields, cost; from the meaning of each."""
    def state(x: np.ndarray) -> float:
        mean = np.average(land.grade[land.protected], weights=land.area[land.protected])
        outline = land.perimeter[x].sum() - 2 * sum(m for i, j, m in zip(land.border_i, land.border_j, land.border_m) if x[i] and x[j])
        size = {b: land.area[land.block == b].sum() for b in set(land.block.tolist())}
        scattered = sum(size[b] < 5 * 2000 / 3 - 0.005 for b in land.block[x].tolist())
        joined = sum(
            m for i, j, m in zip(land.border_i, land.border_j, land.border_m)
            if x[i] and x[j] and land.block[i] == land.block[j] and size[land.block[i]] >= 20 * 2000 / 3 - 0.005
        )  # fmt: skip
        grade = sum(a * 15 / 10_000 * (mean - g) for a, g in zip(land.area[x], land.grade[x]))
        p = parameter
        return (
            p("swap_grade_yuan_mu") * grade - p("swap_border_yuan_m") * outline - p("swap_fragment_yuan") * scattered + p("swap_join_yuan_m") * joined
        )

    changed = after != land.protected
    cost = sum(parameter("swap_cost_yuan_mu") * a * 15 / 10_000 + parameter("swap_change_yuan") for a in land.area[changed])
    return state(after) - state(land.protected) - cost


def best_of_all(land: SwapLand, *, means: bool) -> float:
    found = eligibility(land, LOOSE)
    flexible = np.flatnonzero(found.may_leave | found.may_enter)
    assert 4 <= len(flexible) <= 12
    best = -np.inf
    for bits in product([False, True], repeat=len(flexible)):
        after = land.protected.copy()
        after[flexible[list(bits)]] ^= True
        if rules_hold(land, after, surplus="0.05", cap="0.5", means=means):
            best = max(best, worth(land, after))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_a_swap_without_the_rules_of_means_is_the_best_of_all(seed):
    land = make_small_swap(rng=np.random.default_rng(seed), n=36)
    truth = best_of_all(land, means=False)
    problem = formulate_swap(land, LOOSE).problem
    found = solve(problem, gap=0.0)
    assert found.objective == pytest.approx(truth, abs=0.02)
    assert found.bound >= truth - 0.02
    assert worth(land, land.protected ^ (found.choice >= 0)) == pytest.approx(found.objective, abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_a_swap_under_the_rules_of_means_obeys_them_and_its_bound_holds(seed):
    land = make_small_swap(rng=np.random.default_rng(seed + 100), n=36)
    truth = best_of_all(land, means=True)
    result = swap(land, settings=LOOSE, gap=0.0)
    assert rules_hold(land, result.after, surplus="0.05", cap="0.5", means=True)
    assert result.solution.objective <= truth + 0.02
    assert result.certificate["bound_without_means"] >= truth - 0.02
    assert truth >= 0


def test_some_small_lands_gain_by_a_swap():
    gains = [best_of_all(make_small_swap(rng=np.random.default_rng(s), n=36, leave=4, enter=4), means=False) for s in range(12)]
    assert sum(g > 1 for g in gains) >= 2


def model_of_our_own(land: SwapLand, settings: SwapSettings) -> float:
    """Best score by HiGHS on a model written down here: x_i protected after, z_ij both; no code of the planning room."""
    found = eligibility(land, settings)
    n, k = land.n, len(land.border_i)
    low = np.where(land.protected & ~found.may_leave & ~found.must_leave, 1.0, 0.0)
    high = np.where((~land.protected & ~found.may_enter) | found.must_leave, 0.0, 1.0)
    today = land.protected.astype(float)
    mean = np.average(land.grade[land.protected], weights=land.area[land.protected])
    mu = land.area * 15 / 10_000
    value = parameter("swap_grade_yuan_mu") * mu * (mean - land.grade) - parameter("swap_border_yuan_m") * land.perimeter
    value -= parameter("swap_fragment_yuan") * (land.block_area < round(5 * 2000 / 3, 2))
    cost = np.round(parameter("swap_cost_yuan_mu") * mu + parameter("swap_change_yuan"), 2)
    x_value = value - np.where(land.protected, -cost, cost)  # staying protected saves the cost of leaving
    large = land.block_area >= round(20 * 2000 / 3, 2)
    z_value = (2 * parameter("swap_border_yuan_m") + parameter("swap_join_yuan_m") * (large[land.border_i] & large[land.border_j] & (land.block[land.border_i] == land.block[land.border_j]))) * land.border_m  # fmt: skip
    rows, lows, highs = [], [], []

    def row(coefficient: np.ndarray, least: float, most: float = np.inf) -> None:
        rows.append(coefficient)
        lows.append(least)
        highs.append(most)

    a, p = land.area, land.protected
    row(a * np.where(p, 1.05, 1.0), (1.05 * a[p]).sum())
    row(a * p, a[p].sum() * (1 - 0.05))
    for g in range(1, 15):
        row(a * (land.grade <= g), a[p & (land.grade <= g)].sum())
    row(a * land.paddy, a[p & land.paddy].sum())
    row(a * (land.slope_low > 15), -np.inf, a[p & (land.slope_low > 15)].sum())
    for member in (land.irrigated, land.high_standard == 1):
        row(a * member - a * a[p & member].sum() / a[p].sum(), 0.0)
    for town in set(land.township):
        row(a * (land.township == town), a[p & (land.township == town)].sum())
    wide = coo_array(np.array(rows) / 1000.0)
    wide.resize((len(rows), n + k))
    at = np.arange(k)
    ties = coo_array(
        (np.tile([1.0, -1.0], 2 * k), (np.repeat(np.r_[at, at + k], 2), np.stack([np.r_[n + at, n + at], np.r_[land.border_i, land.border_j]]).T.ravel())),
        shape=(2 * k, n + k),
    )  # fmt: skip
    answer = milp(
        -np.r_[x_value, z_value], integrality=np.r_[np.ones(n), np.zeros(k)], bounds=Bounds(np.r_[low, np.zeros(k)], np.r_[high, np.ones(k)]),
        constraints=[LinearConstraint(wide.tocsr(), np.array(lows) / 1000.0 - 1e-9, np.array(highs) / 1000.0 + 1e-9), LinearConstraint(ties.tocsr(), -np.inf, 0.0)],
        options={"mip_rel_gap": 1e-9, "time_limit": 60},
    )  # fmt: skip
    assert answer.status == 0, answer.message
    both = (today[land.border_i] * today[land.border_j]) @ z_value
    return float(-answer.fun - x_value @ today - both)


@pytest.mark.parametrize("seed", [1, 4])
def test_highs_on_a_model_of_our_own_finds_the_same_score(seed):
    land = make_swap(400, rng=np.random.default_rng(seed), townships=3)
    problem = formulate_swap(land, SwapSettings()).problem
    found = solve(problem, gap=1e-7)
    truth = model_of_our_own(land, SwapSettings())
    assert found.objective == pytest.approx(truth, rel=1e-5, abs=0.5)
    assert found.bound >= truth - 0.5


@pytest.fixture(scope="module")
def adjusted():
    land = make_swap(1600, rng=np.random.default_rng(8))
    return land, swap(land, settings=SwapSettings(waived=("patch_mean",)), gap=0.05, time_limit_s=8.0)


def test_sql_over_the_moved_units_finds_the_balances_of_the_table(adjusted):
    land, result = adjusted
    units = pd.DataFrame(
        {
            "township": land.township.astype(str), "dm2": np.rint(land.area * 100).astype(np.int64), "was": land.protected, "now": result.after,
            "grade": land.grade, "code": land.class_code.astype(str),
        }
    )  # fmt: skip
    link = duckdb.connect()
    link.register("units", units)
    for item, where in [("total", "true"), ("paddy", "code = '0101'"), ("grade:8", "grade = 8"), ("dry", "code = '0103'")]:
        found = link.execute(
            f"select township, sum(dm2) filter (was), sum(dm2) filter (was and not now), sum(dm2) filter (now and not was), sum(dm2) filter (now)"
            f" from units where {where} group by township order by township"
        ).fetchall()
        table = result.balance[(result.balance["item"] == item) & (result.balance["township_code"] != "*")].set_index("township_code")
        for township, *sums in found:
            assert [round(v * 100) for v in table.loc[township, ["before_m2", "out_m2", "in_m2", "after_m2"]]] == [s or 0 for s in sums]


def test_sql_over_the_output_finds_dominance_at_every_grade_and_every_floor(adjusted):
    _, result = adjusted
    link = duckdb.connect()
    link.register("parcels", result.parcels.assign(quality_grade=result.parcels["quality_grade"].astype(int), dm2=np.rint(result.parcels["area_m2"] * 100).astype(int)))
    for g in range(1, 16):
        before, after = link.execute(
            "select coalesce(sum(dm2) filter (decision in ('stay', 'leave')), 0), coalesce(sum(dm2) filter (decision in ('stay', 'enter')), 0)"
            " from parcels where quality_grade <= ?", [g],
        ).fetchone()  # fmt: skip
        assert after >= before, g
    rows = link.execute(
        "select township_code, sum(dm2) filter (decision in ('stay', 'leave')), sum(dm2) filter (decision in ('stay', 'enter')) from parcels group by 1"
    ).fetchall()
    assert all(after >= before for _, before, after in rows) and len(rows) == 6
    out, into, base = link.execute(
        "select sum(dm2) filter (decision = 'leave'), sum(dm2) filter (decision = 'enter'), sum(dm2) filter (decision in ('stay', 'leave')) from parcels"
    ).fetchone()
    assert into * 100 >= out * 105 and out * 100 <= base * 5 and out > 0


def test_the_plan_of_nothing_is_no_worse_where_nothing_must_leave():
    for seed in range(3):
        land = make_small_swap(rng=np.random.default_rng(seed), n=36)
        problem = formulate_swap(land, LOOSE).problem
        assert solve(problem, gap=0.0).objective >= objective(problem, np.full(land.n, -1)) == 0.0


def test_infeasibility_is_that_of_enumeration():
    kept = 0
    for seed in range(8):
        land = make_small_swap(rng=np.random.default_rng(seed), n=36, enter=2 + 3 * (seed % 2))
        first = np.flatnonzero(eligibility(land, LOOSE).may_leave)[:4]
        polluted = land.polluted.copy()
        polluted[first] = 1.0
        bad = SwapLand(**{**vars(land), "polluted": polluted})
        flexible = np.flatnonzero(eligibility(bad, LOOSE).flexible)
        able = False
        for bits in product([False, True], repeat=len(flexible)):
            after = land.protected.copy()
            after[flexible[list(bits)]] ^= True
            able = able or (not after[first].any() and rules_hold(land, after, surplus="0.05", cap="0.5", means=False))
        try:
            solve(formulate_swap(bad, LOOSE).problem, gap=0.0)
            assert able
            kept += 1
        except InfeasibleError as error:
            assert not able and error.conflict
    assert 0 < kept < 8
