"""Exit, waterfall, schemes, land: what their docstrings say, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from qianmo.finance.distribution.bundle import attributed_increments, increments
from qianmo.finance.distribution.claims import talmud
from qianmo.finance.distribution.core import core_check, dummies, interchangeable
from qianmo.finance.distribution.dividend import Agreement
from qianmo.finance.distribution.exit_share import ExitTerms, capital_time_share, exit_sensitivity, exit_share, settle_exit
from qianmo.finance.distribution.fairness import fairness_report
from qianmo.finance.distribution.game import Game, game_of_contributions, game_of_values
from qianmo.finance.distribution.homestead_swap import area_differences, break_even_occupancy, homestead_areas, swap_balance
from qianmo.finance.distribution.increment import increment_pool, land_levy, pool_over_levy_band
from qianmo.finance.distribution.market_entry import land_ticket, market_entry
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import read_certificate
from qianmo.finance.distribution.quota_chain import QuotaLot, quota_chain, quota_income_by_year
from qianmo.finance.distribution.remainder import Spending, assigned_remainder, remainder_account
from qianmo.finance.distribution.schemes import Situation
from qianmo.finance.distribution.time_weight import Contribution, performance_factor, time_weights, weighted_shares, years_between
from qianmo.finance.distribution.waterfall import Tier, waterfall
from qianmo.schema.errors import SchemaError
from qianmo.schema.units import M2_PER_MU

TERMS = ExitTerms(Fraction(1, 5), Fraction(3, 5), Fraction(7, 10), (Fraction(0), Fraction(6, 5)), (Fraction(0), Fraction(1, 5)))
LAST = Tier(Fraction(1, 2))


def test_compounded_weights_of_broken_years_are_right_to_many_digits() -> None:
    weight = time_weights([Contribution("甲", 100, Fraction(1, 2))], until=2, rate=0.08)["甲"]
    assert abs(weight**2 - 10_000 * Fraction(108, 100) ** 3) < Fraction(1, 10**30)
    assert years_between(date(2024, 1, 1), date(2025, 1, 1)) == Fraction(366, 365)


def test_yuan_years_and_compounded_values_are_two_different_weights() -> None:
    given = [Contribution("甲", 100, Fraction(0)), Contribution("乙", 100, Fraction(4))]
    assert time_weights(given, until=5) == {"甲": 500, "乙": 100}
    assert time_weights(given, until=5, rate=0) == {"甲": 100, "乙": 100}


def test_performance_and_risk_move_the_shares() -> None:
    assert weighted_shares({"甲": Fraction(1), "乙": Fraction(1)}, performance={"甲": 1.2}, risk={"乙": 0.8})["甲"] == Fraction(12, 20)


@pytest.mark.parametrize("change", [{"C": 1.1}, {"P": 1.3}, {"rho": 0.3}, {"rho": -0.1}])
def test_factors_outside_their_band_are_refused(change: dict) -> None:
    values = {"C": 0.5, "P": 1.0, "rho": 0.1} | change
    with pytest.raises(SchemaError):
        exit_share(values["C"], values["P"], values["rho"], TERMS)


def test_contributions_after_the_exit_and_scores_beyond_100_are_refused() -> None:
    with pytest.raises(SchemaError):
        time_weights([Contribution("甲", 1, Fraction(6))], until=5)
    with pytest.raises(SchemaError):
        capital_time_share([Contribution("甲", 1, Fraction(5))], ["甲"], until=5)
    with pytest.raises(SchemaError):
        performance_factor({"就业": 101}, {"就业": 1}, low=0.8, high=1.2)


def test_a_falling_value_is_shared_by_the_loss_rule_and_refused_without_one() -> None:
    with pytest.raises(SchemaError, match="亏损条款"):
        settle_exit(-1000, Fraction(1, 2), TERMS)
    rule = Agreement({"private": Fraction(1, 2), "collective": Fraction(1, 2)}, {"collective": 200})
    found = settle_exit(-1000, Fraction(1, 2), TERMS, loss_rule=rule)
    assert found.is_loss and (found.private_fen, found.collective_fen, found.government_fen) == (-800, -200, 0)
    both = replace(rule, loss_cap_fen={"private": 100, "collective": 200})
    with pytest.raises(SchemaError, match="超出各方上限"):
        settle_exit(-1000, Fraction(1, 2), TERMS, loss_rule=both)
    assert settle_exit(0, Fraction(1, 2), TERMS).private_fen == 0


def test_sensitivity_leaves_out_floors_above_caps() -> None:
    rows = exit_sensitivity(1000, 0.5, 0, TERMS, performance=[0, 1], floors=[0.2, 0.7], caps=[0.6, 0.8])
    assert len(rows) == 6 and {float(r["share"]) for r in rows} == {0.2, 0.5, 0.7}


def test_the_levy_keeps_to_its_band_and_the_pool_shows_both_ends() -> None:
    with pytest.raises(SchemaError, match=r"0\.2 至 0\.5"):
        land_levy(60, 35, 0.6, band=(0.2, 0.5))
    assert increment_pool(100, 50, band=(0.2, 0.5)).pool_fen == 50
    low, high = pool_over_levy_band(10_000, 4000, band=(0.2, 0.5), index=1.1, public_cost_fen=600)
    assert (low.pool_fen, high.pool_fen) == (2500, 4000)


@pytest.mark.parametrize(
    "tiers",
    [
        [], [Tier(Fraction(1), Fraction(0))], [LAST, LAST], [Tier(Fraction(1), Fraction(1, 10)), Tier(Fraction(1), Fraction(1, 20)), LAST],
        [Tier(Fraction(0), Fraction(1, 10)), LAST], [Tier(Fraction(9, 10), catch_up=Fraction(1, 5)), LAST], [Tier(Fraction(3, 2))],
        [Tier(Fraction(1), Fraction(1, 10), Fraction(1, 5)), LAST],
    ],
)  # fmt: skip
def test_tiers_that_make_no_sense_are_refused(tiers: list[Tier]) -> None:
    with pytest.raises(SchemaError):
        waterfall([100, 0], [0, 200], tiers)


def test_negative_cash_and_years_that_differ_are_refused() -> None:
    with pytest.raises(SchemaError):
        waterfall([100, 0], [0, -1], [LAST])
    with pytest.raises(SchemaError):
        waterfall([100], [0, 1], [LAST])


def test_a_game_must_be_complete_exact_and_of_known_parties() -> None:
    with pytest.raises(SchemaError, match="没有价值"):
        game_of_values(("甲", "乙"), {("甲",): 1})
    with pytest.raises(SchemaError, match="重复"):
        game_of_values(("甲",), {("甲",): 1, ("甲", "甲"): 2})
    with pytest.raises(SchemaError, match="丙"):
        game_of_contributions(("甲", "乙"), [(("丙",), 1)])
    with pytest.raises(SchemaError):
        Game(("甲",), np.array([0.0, 1.5]))
    with pytest.raises(SchemaError):
        Game(("甲", "甲"), np.zeros(4, dtype=np.int64))


def test_fractions_in_a_game_stay_exact() -> None:
    game = game_of_contributions(("甲", "乙"), [(("甲", "乙"), Fraction(1, 3))])
    assert nucleolus(game).amounts == {"甲": Fraction(1, 6), "乙": Fraction(1, 6)}


def test_parties_who_earn_more_apart_have_no_nucleolus_but_a_prenucleolus() -> None:
    game = Game(("甲", "乙"), np.array([0, 6, 6, 10]))
    with pytest.raises(SchemaError, match="单干"):
        nucleolus(game)
    assert nucleolus(game, individual=False).amounts == {"甲": 5, "乙": 5}


def test_a_broken_certificate_is_refused() -> None:
    with pytest.raises(SchemaError):
        read_certificate(Game(("甲", "乙"), np.array([0, 0, 0, 1])), {"levels": [{"excess": "x"}]})


def test_the_core_names_who_gains_by_leaving() -> None:
    game = Game(("甲", "乙", "丙"), np.array([0, 0, 0, 80, 0, 80, 0, 100]))
    found = core_check(game, {"甲": 20, "乙": 40, "丙": 40})
    assert not found.in_core and found.worst == ("甲", "乙") and found.excess == 20
    assert [s for s, _ in found.gainers] == [("甲", "乙"), ("甲", "丙")]
    assert interchangeable(game) == (("乙", "丙"),) and dummies(game) == ()
    with pytest.raises(SchemaError):
        core_check(game, {"甲": 1})


def test_the_fairness_report_finds_that_a_nucleolus_can_fall_when_a_coalition_gains() -> None:
    """Games are drawn until one shows it: more value for a coalition of a party lowers what the nucleolus gives that party."""
    rng = np.random.default_rng(5)
    fallen: list[str] = []
    for _ in range(60):
        values = rng.integers(0, 30, 16)
        values[[0, 1, 2, 4, 8]] = 0
        values[15] = 40
        game = Game(("p0", "p1", "p2", "p3"), values)
        rows = {r.scheme: r for r in fairness_report(Situation(game.parties, 40, game=game), step=Fraction(1, 20))}
        assert rows["shapley"].falls == ()
        fallen += rows["nucleolus"].falls
        if fallen:
            break
    assert fallen


def test_a_scheme_that_ignores_a_dummy_is_told_from_one_that_pays_it() -> None:
    game = game_of_contributions(("甲", "乙", "丙"), [(("甲", "乙"), 90)])
    situation = Situation(("甲", "乙", "丙"), 90, {p: Fraction(1, 3) for p in ("甲", "乙", "丙")}, game=game)
    rows = {r.scheme: r for r in fairness_report(situation, step=Fraction(1, 100))}
    assert rows["shapley"].dummy and not rows["contract"].dummy
    assert rows["shapley"].symmetric and rows["contract"].symmetric
    assert rows["contract"].core.in_core is False and rows["contract"].core.worst == ("甲", "乙")


def test_a_game_that_does_not_earn_the_pool_is_refused() -> None:
    game = game_of_contributions(("甲", "乙"), [(("甲", "乙"), 90)])
    with pytest.raises(SchemaError, match="可分配增值"):
        fairness_report(Situation(("甲", "乙"), 100, game=game), step=Fraction(1, 100))


def test_the_account_refuses_what_has_no_voucher_or_no_cover_and_says_why() -> None:
    assigned = assigned_remainder(1000, {"infrastructure": 0.5, "public_service": 0.25, "industry": 0.25})
    spent = [
        Spending(date(2026, 3, 1), "industry", 200, "记-3"), Spending(date(2026, 1, 1), "infrastructure", 400, "记-1"), Spending(date(2026, 2, 1), "infrastructure", 200, "记-2"),
        Spending(date(2026, 4, 1), "public_service", 10, ""), Spending(date(2026, 5, 1), "public_service", 10, "记-1"), Spending(date(2026, 6, 1), "staff", 1, "记-9"),
    ]  # fmt: skip
    state = remainder_account(assigned, spent)
    assert state.left_fen == {"infrastructure": 100, "public_service": 250, "industry": 50}
    assert [bool(line.faults) for line in state.lines] == [False, True, False, True, True, True]
    assert len(state.faults) == 4


@pytest.mark.parametrize("plan", [{"infrastructure": 0.5}, {"infrastructure": 0.5, "staff": 0.5}, {"infrastructure": 1.5, "industry": -0.5}, {}])
def test_a_plan_of_use_that_does_not_assign_everything_is_refused(plan: dict) -> None:
    with pytest.raises(SchemaError):
        assigned_remainder(100, plan)


def test_market_entry_splits_the_net_and_adds_the_buyers_charge() -> None:
    found = market_entry(6000, 3500, levy_rate=0.3, levy_band=(0.2, 0.5), split={"集体": 0.4, "成员": 0.6}, buyer_charge_rate=0.04)
    assert found.parts_fen == {"集体": 700, "成员": 1050} and found.buyer_charge_fen == 240
    with pytest.raises(SchemaError):
        market_entry(1, 2, levy_rate=0.3, levy_band=(0.2, 0.5), split={"集体": 1})
    assert land_ticket(100, 300, farmer_share=0.85).collective_fen == -200


def test_areas_of_a_swap_are_compared_with_parcels_to_the_square_metre() -> None:
    areas = homestead_areas(3, 0.3, 0.12, accept_rate=1, reserve_ratio=0)
    old, new = [200.0, 200.0, 200.4], [80.0, 80.0, 78.0]
    found = area_differences(areas, old_parcels_m2=old, resettlement_parcels_m2=new, m2_per_mu=M2_PER_MU, tolerance_m2=1)
    assert [d.is_balanced for d in found] == [True, False]
    with pytest.raises(SchemaError):
        homestead_areas(3, -0.3, 0.12, accept_rate=1, reserve_ratio=0)


def test_a_swap_breaks_even_and_stays_even_in_different_years() -> None:
    found = swap_balance([0, 500, 0, 0], [0, 100, 100, 400], {"安置": [300, 0, 300, 0], "园区": [0, 0, 0, 0]}, occupancy=[0, 1, 0.5, 1])
    assert found.balance_fen == (-300, 300, 50, 450) and (found.break_even, found.lasting, found.deepest_fen) == (1, 1, -300)
    dips = swap_balance([0, 500, 0, 0], [0, 0, 0, 400], {"安置": [300, 0, 300, 0]}, occupancy=[1] * 4)
    assert (dips.break_even, dips.lasting) == (1, 3)
    assert break_even_occupancy([0, 500, 0, 0], [0, 100, 100, 400], {"安置": [300, 0, 300, 0]}) == Fraction(1, 6)
    assert break_even_occupancy([900], [0], {"安置": [300]}) == 0 and break_even_occupancy([0], [0], {"安置": [300]}) is None


def test_quota_is_at_most_what_the_balance_may_use_and_money_waits_for_acceptance_and_payment() -> None:
    lots = [
        QuotaLot("a", "area", Fraction(100), Fraction(1, 10), Fraction(9, 10), Fraction(60), Fraction(1000), 1, 1),
        QuotaLot("b", "paddy", Fraction(10), Fraction(0), Fraction(1), None, Fraction(2000), 3, 2),
    ]  # fmt: skip
    found = quota_chain(lots, {"修复": 0.6, "运营": 0.4})
    assert found.quota_mu == {"a": 60, "b": 10} and found.new_farmland_mu["a"] == 81
    assert quota_income_by_year(lots, found, years=4) == (0, 0, 6_000_000, 0)
    with pytest.raises(SchemaError):
        quota_chain(lots, {"修复": 0.6})
    with pytest.raises(SchemaError):
        quota_chain([lots[0], lots[0]], {"修复": 1})


def test_increments_are_with_less_without_and_attributed_to_the_fen() -> None:
    assert increments({"整治": [5, 6], "康养": [1, 1]}, {"整治": [2, 6]}) == {"整治": (3, 0), "康养": (1, 1)}
    flows = {(): [0, 10], ("整治",): [-7, 11], ("康养",): [3, 12], ("整治", "康养"): [1, 20]}
    found = attributed_increments(["整治", "康养"], flows)
    assert [a + b for a, b in zip(found["整治"], found["康养"])] == [1, 10]
    with pytest.raises(SchemaError):
        attributed_increments(["整治"], {("整治",): [1]})


def test_claims_beyond_the_estate_are_needed() -> None:
    with pytest.raises(SchemaError):
        talmud(10, {"a": 3, "b": 4})
