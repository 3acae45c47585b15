"""The exchange by other routes: enumeration, linear programming, areas cut by bisection, local optimality by trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from scipy.optimize import linprog

from qianmo.planning.readjustment.basis import without_cycles
from qianmo.planning.readjustment.exchange import ExchangeSettings, exchange
from qianmo.planning.readjustment.flow import transport
from qianmo.planning.readjustment.holdings import centroids, holdings
from qianmo.planning.readjustment.make_village_exchange import village_exchange
from qianmo.planning.readjustment.pieces import status_quo
from qianmo.planning.readjustment.rounding import rounded_owners
from qianmo.planning.readjustment.split import cut_offsets, parallel_parts
from qianmo.planning.readjustment.standing import standing


def ship(rng: np.random.Generator, n: int, k: int, *, width: int, value: np.ndarray | None = None):
    points, sites = rng.random((n, 2)) * 1000, rng.random((k, 2)) * 1000
    value = rng.integers(100, 900, n) if value is None else value
    owner = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    wanted = np.zeros(k, np.int64)
    np.add.at(wanted, owner, value)
    flow = transport(points, value, sites, wanted, np.zeros(k), width=width, current=owner, bonus_m2=np.zeros(k))
    cost = np.rint(flow.scale * ((points[:, None] - sites[None]) ** 2).sum(axis=2))
    return points, sites, value, wanted, flow, cost


def linear(cost: np.ndarray, value: np.ndarray, wanted: np.ndarray) -> float:
    n, k = cost.shape
    rows = np.zeros((n + k, n * k))
    for j, o in itertools.product(range(n), range(k)):
        rows[j, j * k + o] = rows[n + o, j * k + o] = 1.0
    return float(linprog(cost.ravel(), A_eq=rows, b_eq=np.concatenate([value, wanted]), method="highs").fun)


@pytest.mark.parametrize("seed", range(8))
def test_the_flow_costs_what_highs_says(seed):
    rng = np.random.default_rng(seed)
    _, _, value, wanted, flow, cost = ship(rng, 40, 7, width=3)
    reached = float((flow.amount * cost[flow.parcel, flow.owner]).sum())
    assert reached == pytest.approx(linear(cost, value, wanted), rel=1e-9)
    assert (np.bincount(flow.parcel) > 1).sum() <= 6


@pytest.mark.parametrize("seed", range(6))
def test_six_parcels_and_three_owners_by_enumeration(seed):
    """With equal values nothing is split, and the best of all 90 deals is the flow."""
    rng = np.random.default_rng(seed)
    points, sites, value = rng.random((6, 2)) * 100, rng.random((3, 2)) * 100, np.full(6, 50)
    now = np.array([0, 0, 1, 1, 2, 2])
    flow = transport(points, value, sites, np.full(3, 100), np.zeros(3), width=2, current=now, bonus_m2=np.zeros(3))
    cost = np.rint(flow.scale * ((points[:, None] - sites[None]) ** 2).sum(axis=2))
    best = min(sum(cost[j, o] * 50 for j, o in enumerate(deal)) for deal in set(itertools.permutations(now.tolist())))
    assert float((flow.amount * cost[flow.parcel, flow.owner]).sum()) == best
    assert len(flow.parcel) == 6


def test_pruned_candidates_give_the_same_cost_as_all():
    results = [ship(np.random.default_rng(4), 120, 12, width=w) for w in (2, 12)]
    costs = [sum(int(a) * int(c[j, o]) for j, o, a in zip(f.parcel, f.owner, f.amount)) for *_, f, c in results]
    assert costs[0] == costs[1]


def test_cycles_are_taken_out_of_a_flow():
    tail, head, amount = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1]), np.array([5, 5, 4, 6, 3, 7])
    j, o, a = without_cycles(tail, head, amount, 3, 2)
    assert np.bincount(j, a).tolist() == [10, 10, 10] and np.bincount(o, a).tolist() == [12, 18]
    assert (np.bincount(j) > 1).sum() <= 1 and (a > 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_cuts_are_where_bisection_puts_them(seed):
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    star = shapely.polygons(np.column_stack([np.cos(turn), np.sin(turn)]) * rng.uniform(20, 60, (9, 1)) + [5e5, 3e6])
    hole = shapely.buffer(shapely.centroid(star), 2.0)
    shape = shapely.difference(star, hole)
    angle = rng.uniform(0, np.pi)
    u = np.array([np.cos(angle), np.sin(angle)])
    total, share = float(shapely.area(shape)), rng.uniform(0.1, 0.9)
    at = float(cut_offsets(shape, u, [share * total])[0])
    low, high = float((shapely.get_coordinates(shape) @ u).min()), float((shapely.get_coordinates(shape) @ u).max())
    across = np.array([-u[1], u[0]])
    middle = shapely.get_coordinates(shapely.centroid(shape))[0]
    for _ in range(60):
        half = (low + high) / 2
        edge = middle + (half - middle @ u) * u
        behind = shapely.polygons([edge - 500 * across, edge + 500 * across, edge + 500 * across - 500 * u, edge - 500 * across - 500 * u])
        low, high = (half, high) if shapely.area(shapely.intersection(shape, behind)) < share * total else (low, half)
    assert at == pytest.approx(half, abs=1e-6)
    parts = parallel_parts(shape, u, [share, 1 - share])
    assert shapely.area(parts[0]) == pytest.approx(share * total, rel=1e-9)


def test_no_move_swap_or_cycle_improves_a_rounded_exchange():
    parcels, owners = village_exchange(22, 4, rng=np.random.default_rng(8), homes="scattered")
    problem = holdings(parcels, owners)
    points = centroids(problem)
    before = standing(problem, status_quo(problem), gap_m=0.0, least_border_m=0.5)
    settings = ExchangeSettings(value_tolerance=0.1, area_tolerance=0.2, distance_tolerance=0.2, may_split=False)
    site, rows, who = problem.anchor, np.arange(22), np.arange(4)
    flow = transport(points, problem.value_fen, site, before["value_fen"].to_numpy(), np.zeros(4), width=4, current=problem.owner, bonus_m2=np.zeros(4))
    owner = rounded_owners(problem, points, [(rows, flow, who)], site, before, settings, np.zeros(4))

    old_value, old_area, old_far = (before[c].to_numpy(float) for c in ("value_fen", "area_dm2", "mean_distance_m"))
    reach = np.hypot(points[:, None, 0] - problem.anchor[None, :, 0], points[:, None, 1] - problem.anchor[None, :, 1])
    price = problem.value_fen[:, None] * ((points[:, None] - site[None]) ** 2).sum(axis=2)
    every = np.arange(22)

    def judged(deal: np.ndarray) -> tuple[bool, float]:
        value, area = (np.bincount(deal, w, 4) for w in (problem.value_fen, problem.area_dm2))
        mean = np.bincount(deal, problem.area_dm2 * reach[every, deal], 4) / np.maximum(area, 1)
        fits = (np.abs(value / old_value - 1) <= 0.1) & (np.abs(area / old_area - 1) <= 0.2) & (mean <= old_far * 1.2)
        return bool(fits.all()), float(price[every, deal].sum())

    ok, cost = judged(owner)
    assert ok and cost <= judged(problem.owner)[1]
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(22), size):
            turns = itertools.permutations(chosen) if size > 1 else [chosen]
            targets = [[int(owner[j]) for j in turn] for turn in turns] if size > 1 else [[o] for o in range(4)]
            for target in targets:
                deal = owner.copy()
                deal[list(chosen)] = target
                fits, other = judged(deal)
                assert not fits or other >= cost - 1e-6 * cost


def test_a_turned_and_relabelled_village_gives_the_same_flow():
    rng = np.random.default_rng(2)
    points, sites, value, wanted, flow, cost = ship(rng, 60, 6, width=6)
    turned, shuffled = points @ np.array([[0.6, -0.8], [0.8, 0.6]]), rng.permutation(60)
    other = transport(
        turned[shuffled], value[shuffled], sites @ np.array([[0.6, -0.8], [0.8, 0.6]]), wanted, np.zeros(6), width=3, current=np.zeros(60, int),
        bonus_m2=np.zeros(6),
    )
    reached = float((flow.amount * cost[flow.parcel, flow.owner]).sum())
    again = float((other.amount * cost[shuffled][other.parcel, other.owner]).sum())
    assert again == pytest.approx(reached, rel=1e-6)


def test_scaling_the_land_scales_the_distances():
    parcels, owners = village_exchange(120, 6, rng=np.random.default_rng(9), homes="scattered")
    big = parcels.set_geometry(parcels.geometry.scale(2, 2, origin=(500_000, 3_000_000)))
    far = owners.assign(anchor_x=(owners["anchor_x"] - 5e5) * 2 + 5e5, anchor_y=(owners["anchor_y"] - 3e6) * 2 + 3e6)
    one, two = (
        exchange(holdings(p, o), settings=ExchangeSettings(), progress=lambda w, s: None, stop=lambda: False) for p, o in ((parcels, owners), (big, far))
    )
    assert two.after["blocks"].sum() <= two.before["blocks"].sum()
    assert (two.before["mean_distance_m"] / one.before["mean_distance_m"]).to_numpy() == pytest.approx(np.full(6, 2.0), rel=1e-4)
    assert two.after["mean_distance_m"].mean() == pytest.approx(2 * one.after["mean_distance_m"].mean(), rel=0.1)
