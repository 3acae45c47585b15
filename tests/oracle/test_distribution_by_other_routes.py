"""Shares, games and waterfalls by brute force, by permutations, by SciPy's linear programs and by coopgame-py."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq, linprog

from qianmo.finance.distribution.claims import equal_awards, equal_losses, talmud
from qianmo.finance.distribution.clearance import Asset
from qianmo.finance.distribution.core import core_check
from qianmo.finance.distribution.game import Game, claims_game
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import check_nucleolus
from qianmo.finance.distribution.shapley import shapley_value
from qianmo.finance.distribution.shares import share_bands
from qianmo.finance.distribution.waterfall import Tier, waterfall


def random_game(n: int, rng: np.random.Generator, *, kind: int = 0) -> Game:
    """Values with many ties (kind 0), large ones (1), or a game without core (2)."""
    values = rng.integers(0, (12, 10**11, 1000)[kind], 1 << n)
    values[0] = 0
    for i in range(n):
        values[1 << i] //= 4 * n
    size = np.array([s.bit_count() for s in range(1 << n)])
    if kind < 2:
        values = values * size
    values[-1] = max(int(values[-1]), int(sum(values[1 << i] for i in range(n))))
    return Game(tuple(f"p{i}" for i in range(n)), values)


def test_share_bands_are_the_extremes_over_all_corners_of_the_box(rng: np.random.Generator) -> None:
    for _ in range(30):
        count = int(rng.integers(2, 8))
        assets = [
            Asset(str(k), "", "land", "甲乙丙"[k % int(rng.integers(2, 4))], int(rng.integers(1, 10_000)), Fraction(int(rng.integers(0, 99)), 100), "证")
            for k in range(count)
        ]
        found = share_bands(assets)
        least, most = dict.fromkeys(found, Fraction(2)), dict.fromkeys(found, Fraction(-1))
        for corner in itertools.product((-1, 1), repeat=count):
            worth = [a.appraised_fen * (1 + c * a.band) for a, c in zip(assets, corner)]
            for party in found:
                share = sum((w for w, a in zip(worth, assets) if a.party == party), Fraction(0)) / sum(worth, Fraction(0))
                least[party], most[party] = min(least[party], share), max(most[party], share)
        assert {p: b.low for p, b in found.items()} == least
        assert {p: b.high for p, b in found.items()} == most


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_shapley_is_the_mean_over_all_orders(n: int, rng: np.random.Generator) -> None:
    game = random_game(n, rng, kind=1) if n > 1 else Game(("p0",), np.array([0, 7]))
    got = [Fraction(0)] * n
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        s = 0
        for i in order:
            got[i] += int(game.values[s | 1 << i]) - int(game.values[s])
            s |= 1 << i
    assert list(shapley_value(game).values()) == [g / len(orders) for g in got]


def test_shapley_of_twenty_parties_is_exact_where_the_sums_pass_two_to_the_63(rng: np.random.Generator) -> None:
    """An additive game with amounts near 2^48 each: everybody gets just that."""
    amounts = rng.integers(1 << 47, 1 << 48, 20)
    values = np.zeros(1 << 20, dtype=np.int64)
    for i, a in enumerate(amounts):
        values[1 << i : 2 << i] = values[: 1 << i] + a
    assert list(shapley_value(Game(tuple(f"p{i}" for i in range(20)), values)).values()) == amounts.tolist()


def test_the_two_ways_to_sum_agree_beyond_the_range_of_whole_numbers(rng: np.random.Generator) -> None:
    game = random_game(6, rng, kind=1)
    large = np.empty(64, dtype=object)
    large[:] = [int(v) * 10**20 for v in game.values]
    assert [v * 10**20 for v in shapley_value(game).values()] == list(shapley_value(Game(game.parties, large)).values())


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_nucleolus_equals_the_exact_one_of_coopgame(n: int, kind: int) -> None:
    coopgame = pytest.importorskip("coopgame", reason="coopgame-py is a test-only peer")
    for seed in range(3):
        game = random_game(n, np.random.default_rng(100 * n + 10 * kind + seed), kind=kind)
        found = nucleolus(game)
        assert list(found.amounts.values()) == coopgame.nucleolus_exact([int(v) for v in game.values[1:]])["allocation"]
        assert check_nucleolus(game, found) == ()


@pytest.mark.parametrize("n", range(7, 13))
@pytest.mark.parametrize("individual", [True, False])
def test_nucleoli_of_up_to_twelve_parties_equal_the_certified_ones_of_coopgame(n: int, individual: bool) -> None:
    # nucleolus_exact of the peer stops at 10 parties; its solver by generated rows does not, and its certificate gives that answer in fractions
    coopgame = pytest.importorskip("coopgame", reason="coopgame-py is a test-only peer")
    domain = "imputation" if individual else "preimputation"
    for kind in range(3):
        game = random_game(n, np.random.default_rng(1000 + 10 * n + kind), kind=kind)
        values = [int(v) for v in game.values[1:]]
        theirs = coopgame.nucleolus(coopgame.Game([float(v) for v in values]), domain)["allocation"]
        proved = coopgame.certify_rational(values, theirs, domain)
        assert proved["satisfied"]
        found = nucleolus(game, individual=individual)
        assert list(found.amounts.values()) == proved["allocation"]
        assert check_nucleolus(game, found) == ()


def test_the_first_level_is_the_least_core_of_a_linear_program(rng: np.random.Generator) -> None:
    for n in (3, 5, 7):
        game = random_game(n, rng, kind=1)
        inner = range(1, (1 << n) - 1)
        member = np.array([[s >> i & 1 for i in range(n)] for s in inner], dtype=float)
        scale = float(game.values[-1])
        limits = np.hstack([-member, -np.ones((len(member), 1))])
        alone = [(float(game.values[1 << i]) / scale, None) for i in range(n)]
        lp = linprog([0.0] * n + [1.0], limits, -game.values[1:-1] / scale, [[1.0] * n + [0.0]], [1.0], [*alone, (None, None)], method="highs")
        assert float(nucleolus(game).levels[0].excess) / scale == pytest.approx(lp.fun, abs=1e-9)


def test_a_changed_amount_or_weight_fails_the_check(rng: np.random.Generator) -> None:
    from dataclasses import replace

    game = random_game(5, rng, kind=1)
    found = nucleolus(game)
    first, second, *rest = found.amounts
    moved = {**found.amounts, first: found.amounts[first] + 1, second: found.amounts[second] - 1}
    assert check_nucleolus(game, replace(found, amounts=moved))
    level = found.levels[0]
    heavier = replace(level, open_weights={s: w * 2 for s, w in level.open_weights.items()})
    assert check_nucleolus(game, replace(found, levels=(heavier, *found.levels[1:])))
    assert check_nucleolus(game, replace(found, levels=found.levels[:-1]))


def test_the_nucleolus_lies_in_the_core_where_a_linear_program_finds_one(rng: np.random.Generator) -> None:
    seen = set()
    for seed in range(40):
        n = 4
        game = random_game(n, np.random.default_rng(seed), kind=seed % 3)
        member = np.array([[s >> i & 1 for i in range(n)] for s in range(1, 15)], dtype=float)
        lp = linprog([0.0] * n, -member, -game.values[1:-1].astype(float), [[1.0] * n], [float(game.values[-1])], [(None, None)] * n, method="highs")
        inside = core_check(game, nucleolus(game).amounts).in_core
        assert inside == (lp.status == 0)
        seen.add(inside)
    assert seen == {True, False}


def test_the_talmud_rule_is_the_nucleolus_of_the_claims_game_and_the_rule_of_coopgame(rng: np.random.Generator) -> None:
    coopgame = pytest.importorskip("coopgame", reason="coopgame-py is a test-only peer")
    for _ in range(30):
        claims = [int(c) for c in rng.integers(1, 500, 4)]
        estate = int(rng.integers(1, sum(claims) + 1))
        named = dict(zip("abcd", claims))
        found = list(talmud(estate, named).values())
        assert found == list(nucleolus(claims_game(estate, named)).amounts.values())
        assert found == coopgame.talmud(estate, claims, exact=True)
        assert list(equal_awards(estate, named).values()) == coopgame.constrained_equal_awards(estate, claims, exact=True)
        assert list(equal_losses(estate, named).values()) == coopgame.constrained_equal_losses(estate, claims, exact=True)


@pytest.mark.parametrize("hurdle", [Fraction(6, 100), Fraction(10, 100), Fraction(15, 100)])
def test_the_investor_earns_the_hurdle_exactly_where_cash_just_fills_the_tier(hurdle: Fraction) -> None:
    """The return is found by bisection on the flows, knowing nothing of balances."""
    tiers = [Tier(Fraction(1), Fraction(0)), Tier(Fraction(9, 10), hurdle), Tier(Fraction(1, 2))]
    paid_in, cash = [1000, 500, 0, 0, 0], [0, 100, 300, 400]
    before = waterfall([*paid_in[:4], 0], [*cash, 0], tiers, whole=False)
    owed = before.balance[3][1] * (1 + hurdle)
    capital = before.balance[3][0]
    last = capital + (owed - capital) / Fraction(9, 10)
    found = waterfall(paid_in, [*cash, last], tiers, whole=False)
    assert found.balance[-1][1] == 0
    flows = [float(i - c) for i, c in zip(found.investor, paid_in)]
    rate = brentq(lambda r: sum(f / (1 + r) ** t for t, f in enumerate(flows)), -0.5, 1.0, xtol=1e-15, rtol=1e-14)
    assert rate == pytest.approx(float(hurdle), abs=1e-11)


def test_tiers_by_year_equal_one_run_on_a_fine_grid_of_cash() -> None:
    """Cash poured in drop by drop in the last year ends where the tiers in one step end."""
    tiers = [Tier(Fraction(1), Fraction(8, 100)), Tier(Fraction(0), catch_up=Fraction(1, 5)), Tier(Fraction(4, 5))]
    got = kept = Fraction(0)
    capital, owed = Fraction(1000), Fraction(1000) * Fraction(108, 100)
    drop = Fraction(1, 4)
    for _ in range(1400 * 4):
        if got < owed:
            part = min(drop, owed - got)
            got += part
            kept += drop - part
        elif kept < Fraction(1, 5) * (got - capital + kept):
            kept += drop
        else:
            got += drop * Fraction(4, 5)
            kept += drop * Fraction(1, 5)
    found = waterfall([1000, 0], [0, 1400], tiers, whole=False)
    assert abs(sum(found.investor) - got) <= drop and abs(sum(found.sponsor) - kept) <= drop


