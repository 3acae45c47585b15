"""Lots and assignments by another route: overlays and bisection, enumeration of who goes where."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from scipy.optimize import brentq, linprog

from qianmo.planning.allotment.assign import assign
from qianmo.planning.allotment.assignment_problem import AssignmentProblem
from qianmo.planning.allotment.fill import filled, transport
from qianmo.planning.allotment.frontage import cut_axis, frontage_of
from qianmo.planning.allotment.partition import partition, soil_pieces
from qianmo.planning.allotment.profile import position_of, steepest_value, value_profile


def soil_of(block, rng, count=12):
    box = shapely.box(*block.bounds).buffer(20, join_style="mitre")
    seeds = rng.uniform(box.bounds[:2], box.bounds[2:], (count, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=box))
    return cells, rng.uniform(1, 5, len(cells))


def value_behind(block, cells, unit, axis, t):
    across = np.array([-axis[1], axis[0]])
    corners = [axis * (t - 1e4) - across * 1e5, axis * t - across * 1e5, axis * t + across * 1e5, axis * (t - 1e4) + across * 1e5]
    return float(shapely.area(shapely.intersection(cells, shapely.intersection(block, shapely.Polygon(corners)))) @ unit)


def test_cut_positions_agree_with_bisection_on_overlays(rng):
    block = shapely.Polygon([(0, 0), (120, 10), (260, -5), (270, 90), (180, 60), (90, 110), (-10, 80)])
    cells, unit = soil_of(block, rng)
    front = frontage_of(block, shapely.LineString([(0, 0), (120, 10), (260, -5)]), reach_m=0.01)
    axis = cut_axis(block, front, cut="perpendicular")
    pieces, value = soil_pieces(block, cells, unit)
    profile = value_profile(pieces, value, axis)
    for share in (0.1, 0.37, 0.5, 0.83):
        target = share * profile.total
        found = brentq(lambda t: value_behind(block, cells, unit, axis, t) - target, profile.at[0], profile.at[-1], xtol=1e-10)  # noqa: B023
        assert position_of(profile, np.array([target]))[0] == pytest.approx(found, abs=1e-7)


def test_lots_have_their_value_by_overlay_to_nine_digits(rng):
    block = shapely.Polygon([(5e5, 3e6), (500600, 3000030), (500590, 3000150), (500300, 3000110), (500010, 3000160)])
    cells, unit = soil_of(block, rng, 60)
    front = frontage_of(block, shapely.LineString([(5e5, 3e6), (500600, 3000030)]), reach_m=0.01)
    pieces, value = soil_pieces(block, cells, unit)
    share = rng.uniform(1, 2, 40)
    made = partition(block, share, pieces, value, front, cut_axis(block, front, cut="perpendicular"))
    worth = np.array([shapely.area(shapely.intersection(cells, lot)) @ unit for lot in made.lots])
    assert np.abs(worth / (share / share.sum() * worth.sum()) - 1).max() < 1e-9
    assert shapely.coverage_is_valid(made.lots) and shapely.union_all(made.lots).symmetric_difference(block).area < 1e-6


def test_no_strip_of_the_width_holds_more_than_the_steepest(rng):
    for _ in range(10):
        corners = np.column_stack([np.sort(rng.uniform(0, 200, 5)), rng.uniform(20, 90, 5)])
        block = shapely.Polygon([(0, 0), (200, 0), *corners[::-1]]).buffer(0)
        if block.geom_type != "Polygon":
            continue
        cells, unit = soil_of(block, rng, 6)
        pieces, value = soil_pieces(block, cells, unit)
        profile = value_profile(pieces, value, np.array([1.0, 0.0]))
        tried = [float(shapely.area(shapely.intersection(pieces, shapely.box(x, -1, x + 15, 200))) @ value) for x in np.linspace(0, 185, 400)]
        assert steepest_value(profile, 15.0) >= max(tried) * (1 - 1e-9)


def problem_of(rng, owners, blocks, *, least=5, lots_max=2):
    owed = rng.integers(20, 60, owners) * 1000
    share = rng.dirichlet(np.full(blocks, 8.0))
    worth = np.floor(share * owed.sum()).astype(np.int64)
    worth[-1] += owed.sum() - worth.sum()
    owner, block = np.nonzero(np.ones((owners, blocks)))
    cost = rng.uniform(10, 200, owners * blocks)
    return AssignmentProblem(tuple(f"o{k}" for k in range(owners)), tuple(f"b{k}" for k in range(blocks)), owed, worth, owner, block, cost,
                             np.full(owners * blocks, least * 1000), np.full(owners, lots_max), 30.0)  # fmt: skip


def cheapest_by_enumeration(p):
    """Every choice of one or two blocks an owner; the values by a small linear programme."""
    n, k = len(p.owed), len(p.block_value)
    cost, best = p.cost.reshape(n, k), np.inf
    choices = [c for r in (1, 2) for c in itertools.combinations(range(k), r)]
    for pick in itertools.product(choices, repeat=n):
        pairs = [(o, b) for o, c in enumerate(pick) for b in c]
        rows = np.zeros((n + k, len(pairs)))
        for e, (o, b) in enumerate(pairs):
            rows[o, e] = rows[n + b, e] = 1
        sides = np.concatenate([p.owed, p.block_value]).astype(float)
        if len({b for _, b in pairs}) < k:
            continue
        price = [cost[o, b] / p.owed[o] for o, b in pairs]
        found = linprog(price, A_eq=rows, b_eq=sides, bounds=(p.lot_min[0], None))
        if found.status == 0:
            best = min(best, found.fun + p.lot_cost * len(pairs))
    return best


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_assignment_is_the_best_of_all(seed):
    p = problem_of(np.random.default_rng(seed), 4, 2)
    made = assign(p, gap_rel=0.0, time_limit_s=20)
    assert made.objective == pytest.approx(cheapest_by_enumeration(p), rel=1e-5)
    assert made.bound <= made.objective * (1 + 1e-9) and made.bound == pytest.approx(made.objective, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_exchanges_reach_a_filling_that_obeys_every_limit(seed):
    p = problem_of(np.random.default_rng(seed), 60, 6)
    value, bound = transport(p)
    found = filled(p, value)
    assert found is not None
    assert (np.bincount(p.owner, found) == p.owed).all() and (np.bincount(p.block, found) == p.block_value).all()
    assert (found[found > 0] >= p.lot_min[found > 0]).all() and np.bincount(p.owner[found > 0]).max() <= 2
    assert (found > 0).sum() <= len(p.owed) + len(p.block_value) - 1
    assert bound <= p.cost[found > 0] @ (found[found > 0] / p.owed[p.owner[found > 0]]) + p.lot_cost * (found > 0).sum()
