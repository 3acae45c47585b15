"""True for any parties: the fen add up, order and names do not matter, the axioms of the schemes hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.finance.distribution.claims import equal_awards, equal_losses, proportional, talmud
from qianmo.finance.distribution.clearance import Asset
from qianmo.finance.distribution.core import core_check
from qianmo.finance.distribution.dividend import Agreement, allocate_years, member_dividends
from qianmo.finance.distribution.exact import largest_remainder, whole_amounts
from qianmo.finance.distribution.exit_share import ExitTerms, exit_share, settle_exit
from qianmo.finance.distribution.fairness import fairness_report
from qianmo.finance.distribution.game import Game, game_of_contributions
from qianmo.finance.distribution.homestead_swap import break_even_occupancy, homestead_areas, swap_balance
from qianmo.finance.distribution.increment import increment_pool
from qianmo.finance.distribution.members import Member, MemberRule, capped_shares, quantified_shares
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import certificate_record, check_nucleolus, read_certificate
from qianmo.finance.distribution.remainder import Spending, assigned_remainder, remainder_account
from qianmo.finance.distribution.schemes import Situation
from qianmo.finance.distribution.shapley import shapley_fen, shapley_value
from qianmo.finance.distribution.shares import share_bands
from qianmo.finance.distribution.time_weight import Contribution, time_weights, weighted_shares
from qianmo.finance.distribution.waterfall import Tier, waterfall

FEW = settings(max_examples=40, deadline=None)
FEN = st.integers(-(10**12), 10**12)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)
TERMS = ExitTerms(Fraction(1, 5), Fraction(3, 5), Fraction(7, 10), (Fraction(0), Fraction(6, 5)), (Fraction(0), Fraction(1, 5)))


@st.composite
def games(draw: st.DrawFn, most: int = 5, superadditive: bool = False) -> Game:
    n = draw(st.integers(2, most))
    count = 1 << n
    names = tuple(f"p{i}" for i in range(n))
    if superadditive:
        terms = draw(st.lists(st.tuples(st.integers(1, count - 1), st.integers(0, 1000)), min_size=1, max_size=12))
        return game_of_contributions(names, [([p for i, p in enumerate(names) if s >> i & 1], v) for s, v in terms])
    values = np.array([0, *draw(st.lists(st.integers(-500, 1000), min_size=count - 1, max_size=count - 1))])
    values[-1] = max(values[-1], sum(values[1 << i] for i in range(n)))
    return Game(names, values)


@FEW
@given(FEN, WEIGHTS)
def test_a_split_adds_up_to_the_fen_and_mirrors_losses(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    assert largest_remainder(-total, weights) == tuple(-p for p in parts)
    assert all(abs(p - Fraction(total * w, sum(weights))) < 1 for p, w in zip(parts, weights))
    assert all(not p for p, w in zip(parts, weights) if w == 0)


@FEW
@given(st.lists(st.fractions(-1000, 1000, max_denominator=97), min_size=1, max_size=8))
def test_rounding_to_whole_fen_keeps_the_rounded_sum_and_moves_less_than_one(amounts: list[Fraction]) -> None:
    whole = whole_amounts(amounts)
    assert abs(sum(whole) - sum(amounts)) <= Fraction(1, 2)
    assert all(abs(a - w) < 1 for a, w in zip(amounts, whole))


@FEW
@given(WEIGHTS, st.integers(1, 10**9), st.randoms(use_true_random=False))
def test_the_order_of_parties_with_different_weights_does_not_matter(weights: list[int], total: int, random: object) -> None:
    weights = list(dict.fromkeys(weights))
    order = list(range(len(weights)))
    random.shuffle(order)
    straight = largest_remainder(total, weights)
    assert largest_remainder(total, [weights[k] for k in order]) == tuple(straight[k] for k in order)


@FEW
@given(games(), games(), st.integers(-5, 5))
def test_shapley_is_efficient_symmetric_additive_and_gives_dummies_their_own(game: Game, other: Game, factor: int) -> None:
    found = shapley_value(game)
    assert sum(found.values()) == game.total and sum(shapley_fen(game).values()) == game.total
    if len(other.parties) == len(game.parties):
        both = shapley_value(Game(game.parties, game.values + factor * other.values))
        assert list(both.values()) == [a + factor * b for a, b in zip(found.values(), shapley_value(other).values())]
    n = len(game.parties)
    grown = np.concatenate([game.values, game.values + 17])
    grown[1 << n :] = game.values + 17
    with_dummy = shapley_value(Game((*game.parties, "dummy"), grown))
    assert with_dummy["dummy"] == 17 and list(with_dummy.values())[:n] == list(found.values())
    twice = np.array([game.values[_swapped(s)] for s in range(1 << n)])
    mirrored = list(shapley_value(Game(game.parties, twice)).values())
    assert mirrored == [list(found.values())[k] for k in (1, 0, *range(2, n))]


@FEW
@given(games())
def test_shapley_does_not_fall_for_a_party_whose_coalitions_gain(game: Game) -> None:
    before = shapley_value(game)
    for s in range(1, len(game.values)):
        values = game.values.copy()
        values[s] += 50
        after = shapley_value(Game(game.parties, values))
        assert all(after[p] >= before[p] for p in game.members(s))


@FEW
@given(games(most=5))
def test_the_nucleolus_is_proved_by_its_record_and_does_not_depend_on_the_order_of_parties(game: Game) -> None:
    found = nucleolus(game)
    assert sum(found.amounts.values()) == game.total
    assert check_nucleolus(game, read_certificate(game, certificate_record(game, found))) == ()
    n = len(game.parties)
    mirrored = nucleolus(Game(game.parties, np.array([game.values[_swapped(s)] for s in range(1 << n)])))
    assert list(mirrored.amounts.values()) == [list(found.amounts.values())[k] for k in (1, 0, *range(2, n))]


@FEW
@given(games(superadditive=True))
def test_games_of_contributions_are_convex_so_shapley_and_nucleolus_are_in_the_core(game: Game) -> None:
    assert core_check(game, shapley_value(game)).in_core
    assert core_check(game, nucleolus(game).amounts).in_core


@FEW
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any), st.integers(0, 100))
def test_claims_rules_give_the_estate_and_nobody_more_than_the_claim(claims: list[int], percent: int) -> None:
    named = {str(k): c for k, c in enumerate(claims)}
    estate = Fraction(sum(claims) * percent, 100)
    for rule in (proportional, equal_awards, equal_losses, talmud):
        found = rule(estate, named)
        assert sum(found.values()) == estate
        assert all(0 <= found[k] <= c for k, c in named.items())
        turned = rule(estate, dict(reversed(named.items())))
        assert turned == found


@FEW
@given(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=8), st.integers(0, 10**6), st.booleans())
def test_losses_of_a_capped_party_never_exceed_its_contribution(results: list[int], cap: int, restore: bool) -> None:
    terms = Agreement({"集体": Fraction(3, 10), "企业": Fraction(7, 10)}, {"集体": cap}, make_good_first=restore)
    borne = 0
    for year in allocate_years(results, terms):
        assert sum(year.amount_fen.values()) + year.uncovered_fen == year.result_fen
        borne += year.amount_fen["集体"] if year.result_fen < 0 else year.restored_fen["集体"]
        assert -cap <= borne <= 0
        assert year.uncovered_fen == 0


@FEW
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_a_loss_beyond_all_caps_is_named_and_the_year_still_adds_up(results: list[int], first: int, second: int) -> None:
    terms = Agreement({"甲": Fraction(1, 3), "乙": Fraction(2, 3)}, {"甲": first, "乙": second}, {"甲": 100})
    for year in allocate_years(results, terms):
        assert sum(year.amount_fen.values()) + year.uncovered_fen == year.result_fen
        assert year.uncovered_fen <= 0 and sum(year.topped_up_fen.values()) == 0


@FEW
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 50), st.integers(0, 80)), min_size=1, max_size=15), st.integers(0, 9), st.integers(-(10**6), 10**9))
def test_income_shares_sum_to_one_and_ownership_stays_whole(rows: list[tuple[int, int, int]], tenth: int, income: int) -> None:
    members = [Member(str(k), h, Fraction(a), Fraction(y)) for k, (h, a, y) in enumerate(rows)]
    land, years = (Fraction(1, 4) if any(r[k] for r in rows) else Fraction(0) for k in (1, 2))
    rule = MemberRule(1 - land - years, land, years, Fraction(40), Fraction(tenth, 30))
    found = quantified_shares(members, rule, collective="村集体")
    assert sum(found.income.values()) + found.reserved == 1
    assert found.ownership == {"村集体": 1}
    paid = member_dividends(income, found, public_fund_rate=0.2)
    assert paid.public_fund_fen + paid.reserved_fen + sum(paid.member_fen.values()) == income
    assert all(v >= 0 for v in paid.member_fen.values())


@FEW
@given(st.lists(st.integers(0, 100), min_size=1, max_size=10).filter(any), st.integers(1, 100))
def test_capped_shares_keep_the_sum_the_cap_and_the_order(parts: list[int], percent: int) -> None:
    shares = {str(k): Fraction(p, sum(parts)) for k, p in enumerate(parts)}
    cap = max(Fraction(percent, 100), Fraction(1, sum(p > 0 for p in parts)))
    found = capped_shares(shares, cap)
    assert sum(found.values()) == 1 and max(found.values()) <= cap
    assert all(found[a] <= found[b] for a in found for b in found if shares[a] <= shares[b])


@FEW
@given(st.integers(1, 10**12), st.fractions(0, 1, max_denominator=1000), st.fractions(0, Fraction(6, 5), max_denominator=100), st.fractions(0, Fraction(1, 5), max_denominator=100))
def test_the_exit_formula_stays_in_its_band_rises_with_each_factor_and_adds_up(pool: int, c: Fraction, p: Fraction, r: Fraction) -> None:
    share = exit_share(c, p, r, TERMS)
    assert TERMS.floor <= share <= TERMS.cap
    assert share <= exit_share(min(c + Fraction(1, 10), Fraction(1)), p, r, TERMS)
    assert share <= exit_share(c, min(p + Fraction(1, 10), Fraction(6, 5)), r, TERMS)
    paid = settle_exit(pool, share, TERMS)
    assert paid.private_fen + paid.collective_fen + paid.government_fen == pool and not paid.is_loss


@FEW
@given(st.integers(0, 10**12), st.integers(0, 10**12), st.fractions(Fraction(1, 5), Fraction(1, 2), max_denominator=100))
def test_the_pool_and_the_levy_add_up_and_a_loss_bears_none(exit_fen: int, initial: int, rate: Fraction) -> None:
    pool = increment_pool(exit_fen, initial, index=1.03, public_cost_fen=5, levy_rate=rate, band=(0.2, 0.5))
    assert pool.exit_fen - pool.indexed_fen - pool.public_cost_fen == pool.added_fen == pool.levy_fen + pool.pool_fen
    assert pool.levy_fen == 0 if pool.added_fen <= 0 else pool.levy_fen >= 0


@FEW
@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.integers(1, 10**9), st.integers(0, 9)), min_size=1, max_size=9), st.sampled_from([None, 0, 0.05]))
def test_time_weights_do_not_depend_on_the_order_and_rise_with_own_money(rows: list[tuple[str, int, int]], rate: float | None) -> None:
    given_ = [Contribution(p, a, Fraction(y)) for p, a, y in rows]
    weights = time_weights(given_, until=10, rate=rate)
    assert time_weights(given_[::-1], until=10, rate=rate) == weights
    party = rows[0][0]
    more = time_weights([replace(c, amount_fen=c.amount_fen * 2) if c.party == party else c for c in given_], until=10, rate=rate)
    assert weighted_shares(more)[party] >= weighted_shares(weights)[party]
    assert sum(weighted_shares(weights, performance={party: 1.2}, risk={party: 0.9}).values()) == 1


@FEW
@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=12), st.integers(0, 15), st.integers(1, 10),
    st.integers(0, 10), st.booleans(),
)
def test_a_waterfall_pays_out_the_cash_of_each_year_and_keeps_the_hurdle(rows: list, pref: int, tenth: int, last: int, whole: bool) -> None:
    tiers = [Tier(Fraction(1), Fraction(0)), Tier(Fraction(tenth, 10), Fraction(pref + 1, 100)), Tier(Fraction(0), catch_up=Fraction(1, 5)), Tier(Fraction(last, 10))]
    paid_in, cash = [r[0] for r in rows], [r[1] for r in rows]
    found = waterfall(paid_in, cash, tiers, whole=whole)
    for t, c in enumerate(cash):
        assert found.investor[t] + found.sponsor[t] == c
        assert min(found.investor[t], found.sponsor[t]) >= 0
        if found.sponsor_by_tier[t][2] > 1:
            assert found.balance[t][1] <= 1
    earned = sum((i - c) * Fraction(101 + pref, 100) ** (len(rows) - 1 - t) for t, (i, c) in enumerate(zip(found.investor, paid_in)))
    assert earned == -found.balance[-1][1]


@FEW
@given(st.integers(0, 10**9), st.lists(st.tuples(st.sampled_from(["infrastructure", "public_service", "industry", "other"]), st.integers(-10, 10**9), st.sampled_from(["", "记-1", "记-2", "记-3"])), max_size=10))
def test_the_remainder_is_assigned_whole_and_never_overdrawn(remainder: int, rows: list[tuple[str, int, str]]) -> None:
    assigned = assigned_remainder(remainder, {"infrastructure": 0.4, "public_service": 0.35, "industry": 0.25})
    assert sum(assigned.values()) == remainder
    state = remainder_account(assigned, [Spending(date(2026, 1, 1 + k), u, a, v) for k, (u, a, v) in enumerate(rows)])
    assert all(state.spent_fen[u] + state.left_fen[u] == a and state.left_fen[u] >= 0 for u, a in assigned.items())
    taken = [line.spending for line in state.lines if not line.faults]
    assert all(s.voucher and s.amount_fen > 0 for s in taken) and len({s.voucher for s in taken}) == len(taken)


@settings(max_examples=15, deadline=None)
@given(games(most=4, superadditive=True).filter(lambda g: g.total > 0), st.integers(5, 9))
def test_every_scheme_conserves_the_pool_and_capital_schemes_are_monotone(game: Game, year: int) -> None:
    parties = game.parties
    given_ = tuple(Contribution(p, 1000 * (k + 1), Fraction(min(k, year))) for k, p in enumerate(parties))
    situation = Situation(
        parties, int(game.total), {p: Fraction(1, len(parties)) for p in parties}, given_, Fraction(year), game=game, investor=parties[0],
        tiers=(Tier(Fraction(1), Fraction(8, 100)), Tier(Fraction(1, 2))),
    )  # fmt: skip
    rows = {r.scheme: r for r in fairness_report(situation, step=Fraction(1, 10))}
    assert all(r.efficient for r in rows.values())
    assert set(rows) == {"contract", "time_weighted", "shapley", "nucleolus", "waterfall"}
    for name in rows.keys() - {"nucleolus"}:
        assert rows[name].falls == (), name
    assert rows["nucleolus"].core.in_core and rows["shapley"].core.in_core


@FEW
@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.integers(1, 10**9), st.integers(0, 99)), min_size=1, max_size=8), st.integers(1, 10**9))
def test_share_bands_hold_the_share_sum_as_they_must_and_rise_with_own_value(rows: list[tuple[str, int, int]], more: int) -> None:
    assets = [Asset(str(k), "", "land", p, v, Fraction(b, 100), "证") for k, (p, v, b) in enumerate(rows)]
    found = share_bands(assets)
    assert sum(b.share for b in found.values()) == 1
    assert all(0 <= b.low <= b.share <= b.high <= 1 for b in found.values())
    if len(found) == 2:
        one, two = found.values()
        assert one.low + two.high == 1 == one.high + two.low
    grown = share_bands([replace(assets[0], appraised_fen=assets[0].appraised_fen + more), *assets[1:]])
    for party, band in found.items():
        if party == assets[0].party:
            assert grown[party].share >= band.share and grown[party].low >= band.low and grown[party].high >= band.high
        else:
            assert grown[party].share <= band.share and grown[party].low <= band.low and grown[party].high <= band.high


@FEW
@given(st.integers(0, 10**6), st.fractions(0, 10, max_denominator=1000), st.fractions(0, 10, max_denominator=1000), st.fractions(0, 1, max_denominator=100), st.fractions(0, 1, max_denominator=100))
def test_areas_of_a_swap_add_up(households: int, old: Fraction, new: Fraction, accept: Fraction, reserve: Fraction) -> None:
    a = homestead_areas(households, old, new, accept_rate=accept, reserve_ratio=reserve)
    assert a.freed_mu == a.old_mu - a.resettle_mu
    assert a.surplus_mu + a.resettle_mu + a.reserve_mu == a.accepted_mu <= a.old_mu


@FEW
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**8), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_at_the_break_even_occupancy_the_last_balance_is_nothing_but_rounding(rows: list[tuple[int, int, int]]) -> None:
    one_off, yearly, uses = ([r[k] for r in rows] for k in range(3))
    least = break_even_occupancy(one_off, yearly, {"安置": uses})
    if least is not None and 0 < least <= 1:
        last = swap_balance(one_off, yearly, {"安置": uses}, occupancy=[least] * len(rows)).balance_fen[-1]
        assert abs(last) <= len(rows)


def _swapped(coalition: int) -> int:
    return coalition & ~3 | (coalition & 1) << 1 | (coalition >> 1 & 1)
