"""Integration of a handful of titles against every way of doing it, each with its own small linear programme."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.optimize import linprog

from qianmo.planning.integration.candidates import candidates
from qianmo.planning.integration.integrate import integrate
from qianmo.planning.integration.settings import integration_settings
from qianmo.planning.integration.titles import read_titles

ROWS, COLUMNS, SIDE = 2, 3, 100.0


def titles_of(seed):
    rng = np.random.default_rng(seed)
    n = ROWS * COLUMNS
    shapes = [shapely.box(c * SIDE, r * SIDE, (c + 1) * SIDE, (r + 1) * SIDE) for r in range(ROWS) for c in range(COLUMNS)]
    pairs = ["merge;transfer", "cooperate;transfer", "merge;swap", "swap;transfer", "merge;cooperate"]
    return gpd.GeoDataFrame(
        {
            "title_id": [f"t{k}" for k in range(n)], "holder_id": [f"h{k}" for k in range(n)], "land_kind": rng.choice(["state", "collective"], n),
            "value_yuan": np.round(rng.uniform(2.0e6, 4.5e6, n)), "floor_area_m2": np.round(rng.uniform(1000, 9000, n)),
            "remediation_yuan": np.where(rng.random(n) < 0.3, 3e5, 0.0), "delay_years": 0, "consent": rng.choice(["yes", "yes", "yes", "open", "no"], n),
            "accepts": rng.choice(pairs, n), "gain_min": rng.choice([0.0, 0.08], n),
        },
        geometry=shapes, crs=4547,
    )  # fmt: skip


def best_of_all(f, s):
    """Objective in yuan over every connected block, every mode of every title; money and land by linprog."""
    n, side_by_side = len(f), {(a, b) for a in range(6) for b in range(6) if shapely.distance(f.geometry[a], f.geometry[b]) < 1}
    best = 0.0
    for size in range(1, n + 1):
        for block in itertools.combinations(range(n), size):
            if size * SIDE**2 < s.block_area_min_m2 or not linked(block, side_by_side) or (f.consent[list(block)] == "no").any():
                continue
            if (f.consent[list(block)] == "yes").mean() < s.consent_heads_min:
                continue
            inside = [[m for m in f.accepts[k].split(";") if m != "swap"] for k in block]
            outside = [k for k in range(n) if k not in block and "swap" in f.accepts[k] and f.consent[k] != "no"]
            for modes in itertools.product(*inside, *[["keep", "swap"]] * len(outside)):
                taken = {k: m for k, m in zip([*block, *outside], modes) if m != "keep"}
                best = max(best, value_of(f, s, block, taken))
    return best


def linked(block, near):
    seen = {block[0]}
    while True:
        more = {b for a in seen for b in block if (a, b) in near} - seen
        if not more:
            return len(seen) == len(block)
        seen |= more


def value_of(f, s, block, taken):
    area = len(block) * SIDE**2
    usable, names, p = area * (1 - s.public_share), list(taken), s.price_yuan_m2
    kind = "state" if (f.land_kind[list(block)] == "state").mean() >= 0.5 else "collective"
    fixed = f.remediation_yuan[list(block)].sum() + s.works_yuan_m2 * area + s.block_yuan
    fixed += sum(s.transaction_yuan + (s.route_yuan if f.land_kind[k] != kind else 0) for k in names)
    m = len(names)
    land, equity, out, into = (np.arange(m) + m * j for j in range(4))
    a, b = [], []

    def at_most(terms, side):
        row = np.zeros(4 * m + 1)
        for c, w in terms:
            row[c] += w
        a.append(row)
        b.append(side)

    high = np.zeros(4 * m + 1)
    high[-1] = usable
    for j, k in enumerate(names):
        v, due = f.value_yuan[k], f.value_yuan[k] * (1 + f.gain_min[k])
        high[out[j]] = due
        if taken[k] in ("merge", "swap"):
            high[land[j]] = usable
            at_most([(land[j], -1)], -max(s.lot_area_min_m2, f.floor_area_m2[k] / s.plot_ratio_max))
        elif taken[k] == "cooperate":
            high[equity[j]] = usable * p
        if taken[k] != "transfer":
            high[into[j]] = s.pay_in_share_max * v
            at_most([(land[j], -p), (equity[j], -1)], -s.in_kind_share_min * v)
        at_most([(land[j], -p), (equity[j], -1), (out[j], -1), (into[j], 1)], -due)
    at_most([*((c, p) for c in land), *((c, 1) for c in equity), (4 * m, p)], usable * p)
    at_most([*((c, 1) for c in out), *((c, -1) for c in into)], sum(s.budget_yuan) - fixed)
    price = np.zeros(4 * m + 1)
    price[out] = 1.0
    found = linprog(price, A_ub=np.array(a), b_ub=np.array(b), bounds=list(zip(np.zeros(4 * m + 1), high)))
    return usable * p - fixed - found.fun if found.status == 0 else -np.inf


@pytest.mark.parametrize("seed", [4, 5, 6, 10, 13])
def test_the_integration_is_the_best_of_all(seed):
    f = titles_of(seed)
    s = integration_settings({"integrate_block_area_min_m2": 3.5 * SIDE**2, "integrate_gap_rel": 0.0, "integrate_reach_m": 0.5, "integrate_consent_area_min": 0.0,
                              "integrate_consent_heads_min": 0.5}, budget_yuan=[4e6])  # fmt: skip
    made = integrate(f, settings=s, require_block=False)
    expected = best_of_all(f, s)
    assert expected > 0
    assert made.certificate["objective_fen"] / 100 == pytest.approx(expected, abs=50_000 * 1e-3 + 5 * s.price_yuan_m2)
    assert made.certificate["solver_bound_claimed_fen"] / 100 >= expected - 100
    assert all(c["ok"] for c in made.certificate["checks"])


def test_every_connected_set_is_a_candidate():
    f = titles_of(1)
    s = integration_settings({"integrate_block_area_min_m2": 3.5 * SIDE**2, "integrate_reach_m": 0.5})
    found = {c.members for c in candidates(read_titles(f, settings=s), settings=s)}
    near = {(a, b) for a in range(6) for b in range(6) if shapely.distance(f.geometry[a], f.geometry[b]) < 1}
    assert found == {b for r in (4, 5, 6) for b in itertools.combinations(range(6), r) if linked(b, near)}
