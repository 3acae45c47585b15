"""Numbers of domain.md 5.4-5.8, 7.10 and of the papers on games and claims that finance_ledger.md 4 lists."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from qianmo.finance.distribution.claims import talmud
from qianmo.finance.distribution.clearance import Asset
from qianmo.finance.distribution.dividend import Agreement, allocate_years
from qianmo.finance.distribution.exact import exact
from qianmo.finance.distribution.exit_share import ExitTerms, capital_time_share, exit_share, settle_exit
from qianmo.finance.distribution.game import Game, game_of_values
from qianmo.finance.distribution.homestead_swap import homestead_areas
from qianmo.finance.distribution.increment import land_levy
from qianmo.finance.distribution.market_entry import land_ticket
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import check_nucleolus
from qianmo.finance.distribution.quota_chain import QuotaLot, quota_chain
from qianmo.finance.distribution.shapley import shapley_value
from qianmo.finance.distribution.shares import equity_shares
from qianmo.finance.distribution.time_weight import Contribution
from qianmo.finance.distribution.waterfall import Tier, waterfall

WAN = 1_000_000
"""Fen in ten thousand yuan."""

TERMS = ExitTerms(Fraction(1, 5), Fraction(3, 5), Fraction(7, 10), (Fraction(0), Fraction(6, 5)), (Fraction(0), Fraction(1, 5)))


@pytest.fixture(scope="module")
def vectors(shared_domain: Path) -> dict:
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def by_size(names: str, values: list) -> Game:
    """A game listed by size of coalition, then in order of names, as the papers print it."""
    order = sorted(range(1, 1 << len(names)), key=lambda s: (s.bit_count(), [i for i in range(len(names)) if s >> i & 1]))
    return game_of_values(tuple(names), {tuple(p for i, p in enumerate(names) if s >> i & 1): v for s, v in zip(order, values, strict=True)})


def test_hongcun_collective_600_and_enterprise_1400_hold_30_and_70_percent_and_a_profit_of_1000_gives_300() -> None:
    shares = equity_shares([Asset("1", "土地与闲置房屋", "house", "集体", 600 * WAN, title="证"), Asset("2", "资金", "cash", "企业", 1400 * WAN)])
    assert shares == {"集体": Fraction(3, 10), "企业": Fraction(7, 10)}
    assert allocate_years([1000 * WAN], Agreement(shares))[0].amount_fen == {"集体": 300 * WAN, "企业": 700 * WAN}


def test_the_exit_vector_gives_share_and_amounts_to_the_printed_places(vectors: dict) -> None:
    case = vectors["exit_share"]
    given = [Contribution("企业", 1700 * WAN, Fraction(0)), Contribution("政府", 1000 * WAN, Fraction(0))]
    capital = capital_time_share(given, ["企业"], until=5)
    assert round(float(capital), 5) == case["C"]
    share = exit_share(exact(case["C"]), 0.9, 0.05, TERMS)
    assert round(float(share), 4) == case["share"]
    paid = settle_exit(case["delta_V"] * WAN, exit_share(capital, 0.9, 0.05, TERMS), TERMS)
    assert (paid.private_fen, paid.collective_fen, paid.government_fen) == tuple(round(case[k] * WAN) for k in ("private", "collective", "government"))
    assert paid.private_fen + paid.collective_fen + paid.government_fen == case["delta_V"] * WAN


def test_the_homestead_vector(vectors: dict) -> None:
    found = homestead_areas(300, 0.30, 0.12, accept_rate=0.95, reserve_ratio=0.05)
    assert {k: float(getattr(found, k)) for k in vectors["homestead_swap"]} == vectors["homestead_swap"]


def test_the_land_ticket_and_levy_vectors(vectors: dict) -> None:
    case = vectors["land_ticket"]
    ticket = land_ticket(case["price"] * WAN, case["cost"] * WAN, farmer_share=0.85)
    assert (ticket.farmer_fen / WAN, ticket.collective_fen / WAN) == (case["farmer"], case["collective"])
    case = vectors["levy"]
    levy = land_levy(case["price"] * WAN, case["cost"] * WAN, case["rate"], band=(0.2, 0.5))
    assert (levy.levy_fen / WAN, levy.net_fen / WAN) == (case["levy"], case["net"])


def test_a_thousand_mu_of_mine_land_at_08_and_150000_yuan_bring_120_million_yuan() -> None:
    lot = QuotaLot("HS-1", "area", Fraction(1000), Fraction(0), exact(0.8), None, Fraction(150_000))
    found = quota_chain([lot], {"works": 0.4, "construction": 0.3, "incubation": 0.2, "operation": 0.1})
    assert found.income_fen["HS-1"] == 120_000_000 * 100 == sum(found.use_fen.values())


def test_the_estate_of_ibn_ezra() -> None:
    """Aumann, Game theory in the Talmud, 2010: four sons claim 120, 60, 40, 30 of an estate of 120."""
    claims = (120, 60, 40, 30)
    game = Game(tuple("abcd"), np.array([max([c for i, c in enumerate(claims) if s >> i & 1], default=0) for s in range(16)]))
    assert [round(float(v), 4) for v in shapley_value(game).values()] == [80.8333, 20.8333, 10.8333, 7.5]


def test_the_investors_of_lemaire() -> None:
    """Lemaire 1984: three investors with 46,125 .. 90,000."""
    game = by_size("abc", [46125, 17437.5, 5812.5, 69187.5, 53812.5, 30750, 90000])
    assert list(shapley_value(game).values()) == [51750, 25875, 12375]
    assert [float(v) for v in nucleolus(game).amounts.values()] == [52687.5, 24468.75, 12843.75]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 0, 0, 5, 5, 8, 9, 10, 8, 13, 15, 16, 17, 21], [3.5, 4.5, 5.5, 7.5]),
        ([68, 102, 0, 170, 710, 762, 992], [149, 192, 651]),
    ],
)
def test_published_nucleoli_with_their_proof(values: list, expected: list) -> None:
    game = by_size("abcd"[: len(expected)], values)
    found = nucleolus(game)
    assert [float(v) for v in found.amounts.values()] == expected
    assert check_nucleolus(game, found) == ()


@pytest.mark.parametrize(("estate", "expected"), [(100, [Fraction(100, 3)] * 3), (200, [50, 75, 75]), (300, [50, 100, 150])])
def test_the_talmud_divides_100_200_300_as_the_mishnah_says(estate: int, expected: list) -> None:
    assert list(talmud(estate, {"a": 100, "b": 200, "c": 300}).values()) == expected


@pytest.mark.parametrize("years", [1, 2])
def test_the_four_tier_example_gives_360_and_90_thousand(years: int) -> None:
    """1 M equity, 450 k profit, 20 % promote, full catch-up: the preferred return does not matter once caught up."""
    tiers = [Tier(Fraction(1), Fraction(0)), Tier(Fraction(1), Fraction(8, 100)), Tier(Fraction(0), catch_up=Fraction(1, 5)), Tier(Fraction(4, 5))]
    found = waterfall([100 * WAN] + [0] * years, [0] * years + [145 * WAN], tiers)
    assert (sum(found.investor) - 100 * WAN, sum(found.sponsor)) == (36 * WAN, 9 * WAN)
