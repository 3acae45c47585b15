"""Clearance, shares, members, dividends: what their docstrings say, and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import pytest

from qianmo.finance.distribution.clearance import Asset, appraised_by_party, clearance_faults
from qianmo.finance.distribution.dividend import Agreement, allocate_years, debt_like, member_dividends, pays_like_debt
from qianmo.finance.distribution.exact import exact, fen_of_yuan, largest_remainder
from qianmo.finance.distribution.members import Member, MemberRule, capped_shares, decision, quantified_shares
from qianmo.finance.distribution.shares import share_bands
from qianmo.schema.errors import SchemaError

HALF = Fraction(1, 2)


def test_ties_of_largest_remainder_go_to_the_larger_amount_then_to_the_earlier_place() -> None:
    assert largest_remainder(1, [1, 1]) == (1, 0)
    assert largest_remainder(10, [1, 1, 2]) == (3, 2, 5)
    assert largest_remainder(5, [Fraction(1, 2), Fraction(9, 2)]) == (0, 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "12亩", None, [1]])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(SchemaError):
        exact(value)


def test_yuan_become_fen_with_halves_away_from_zero() -> None:
    assert [fen_of_yuan(v) for v in ("1.005", "-1.005", "2.004", 0.1)] == [101, -101, 200, 10]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 3]])
def test_a_sum_without_anybody_to_take_it_is_refused(weights: list[int]) -> None:
    with pytest.raises(SchemaError):
        largest_remainder(7, weights)


def test_every_fault_of_a_clearance_list_is_named() -> None:
    assets = [
        Asset("1", "地", "land", "集体", 100, title="证"), Asset("1", "房", "house", "集体", 0, Fraction(3, 2), "", True, False, False),
        Asset("2", "款", "cash", "企业", 300),
    ]  # fmt: skip
    found = clearance_faults(assets)
    assert [f.fault for f in found if f.asset_id == "1"] == ["duplicate", "duplicate", "value", "band", "title", "encumbered", "scope", "not_cleared"]
    assert [f.asset_id for f in found if not f.binds] == ["1"]
    assert not [f for f in found if f.asset_id == "2"]
    assert appraised_by_party(assets) == {"集体": 100, "企业": 300}


def test_assets_outside_the_agreement_do_not_count_in_shares() -> None:
    found = share_bands([Asset("1", "", "cash", "甲", 1), Asset("2", "", "cash", "乙", 1), Asset("3", "", "cash", "乙", 98, in_scope=False)])
    assert found["甲"].share == HALF


def test_shares_of_nothing_or_with_a_band_of_one_are_refused() -> None:
    with pytest.raises(SchemaError):
        share_bands([Asset("1", "", "cash", "甲", 0)])
    with pytest.raises(SchemaError):
        share_bands([Asset("1", "", "cash", "甲", 5, Fraction(1)), Asset("2", "", "cash", "乙", 5)])


def test_member_shares_follow_heads_land_and_capped_years() -> None:
    members = [Member("甲", 3, Fraction(2), Fraction(50)), Member("乙", 1, Fraction(6), Fraction(10))]
    rule = MemberRule(Fraction(1, 2), Fraction(1, 4), Fraction(1, 4), Fraction(30), Fraction(1, 5))
    found = quantified_shares(members, rule, collective="村")
    assert found.income["甲"] == (HALF * Fraction(3, 4) + Fraction(1, 4) * Fraction(1, 4) + Fraction(1, 4) * Fraction(3, 4)) * Fraction(4, 5)
    assert found.reserved == Fraction(1, 5)


@pytest.mark.parametrize(
    "rule", [MemberRule(HALF), MemberRule(HALF, HALF), MemberRule(reserved=Fraction(1)), MemberRule(cap=Fraction(1, 3)), MemberRule(Fraction(3, 2), -HALF)]
)
def test_a_rule_that_cannot_be_applied_is_refused(rule: MemberRule) -> None:
    with pytest.raises(SchemaError):
        quantified_shares([Member("甲"), Member("乙")], rule, collective="村")


def test_a_member_listed_twice_is_refused() -> None:
    with pytest.raises(SchemaError):
        quantified_shares([Member("甲"), Member("甲")], MemberRule(), collective="村")


def test_a_cap_moves_the_surplus_in_turns_until_nobody_is_above() -> None:
    shares = {"a": Fraction(60, 100), "b": Fraction(30, 100), "c": Fraction(10, 100), "d": Fraction(0)}
    assert capped_shares(shares, Fraction(2, 5)) == {"a": Fraction(2, 5), "b": Fraction(2, 5), "c": Fraction(1, 5), "d": 0}


def test_two_thirds_is_reached_by_two_of_three_and_the_absent_count_in_the_base() -> None:
    members = [Member(str(k)) for k in range(3)]
    assert decision(members, {"0": True, "1": True}, passing=0.6667, veto=0.3333).passed
    assert not decision(members, {"0": True}, passing=0.6667, veto=0.3333).passed


def test_a_minority_group_can_block_what_the_majority_wants() -> None:
    members = [*(Member(f"m{k}", group="本村") for k in range(10)), *(Member(f"n{k}", group="搬迁户") for k in range(2))]
    votes = {m.member_id: m.group == "本村" for m in members}
    found = decision(members, votes, passing=0.6667, veto=0.3333)
    assert not found.passed and found.vetoes == ("搬迁户",) and found.in_favour == Fraction(10, 12)


def test_a_vote_of_a_stranger_is_refused() -> None:
    with pytest.raises(SchemaError):
        decision([Member("甲")], {"乙": True}, passing=0.5, veto=0.5)


def test_losses_are_made_good_before_profit_is_shared_unless_agreed_otherwise() -> None:
    shares = {"集体": Fraction(3, 10), "企业": Fraction(7, 10)}
    first = allocate_years([-1000, 1000], Agreement(shares, {"集体": 100}))
    assert [dict(y.amount_fen) for y in first] == [{"集体": -100, "企业": -900}, {"集体": 100, "企业": 900}]
    second = allocate_years([-1000, 1000], Agreement(shares, {"集体": 100}, make_good_first=False))
    assert second[1].amount_fen == {"集体": 300, "企业": 700}


def test_a_guaranteed_minimum_is_paid_by_the_others_and_flagged_as_debt_like() -> None:
    terms = Agreement({"集体": Fraction(3, 10), "企业": Fraction(7, 10)}, minimum_fen={"集体": 60})
    years = allocate_years([100, 1000, -100], terms)
    assert [y.amount_fen["集体"] for y in years] == [60, 300, 60]
    assert [sum(y.amount_fen.values()) for y in years] == [100, 1000, -100]
    flag = debt_like(terms, {"集体": 600}, risk_free_rate=0.02)[0]
    assert flag.rate == Fraction(1, 10) and flag.above_risk_free
    assert not debt_like(Agreement(terms.shares), {"集体": 600}, risk_free_rate=0.02)
    assert pays_like_debt([[60, 60], [300, 12]], 600, risk_free_rate=0.02) and not pays_like_debt([[60, 11]], 600, risk_free_rate=0.02)


def test_the_fund_comes_first_and_members_owe_no_loss() -> None:
    rights = quantified_shares([Member("甲", 2), Member("乙", 1)], MemberRule(reserved=Fraction(1, 4)), collective="村")
    paid = member_dividends(1000, rights, public_fund_rate=0.2)
    assert (paid.public_fund_fen, paid.reserved_fen, dict(paid.member_fen)) == (200, 200, {"甲": 400, "乙": 200})
    loss = member_dividends(-1000, rights, public_fund_rate=0.2)
    assert (loss.public_fund_fen, loss.reserved_fen, dict(loss.member_fen)) == (-1000, 0, {"甲": 0, "乙": 0})


@pytest.mark.parametrize(
    "terms",
    [
        Agreement({"甲": HALF}), Agreement({"甲": Fraction(3, 2), "乙": -HALF}), Agreement({"甲": Fraction(1)}, {"乙": 5}),
        Agreement({"甲": Fraction(1)}, {"甲": -5}), Agreement({"甲": Fraction(1)}, minimum_fen={"甲": -1}), Agreement({}),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_together_are_refused(terms: Agreement) -> None:
    with pytest.raises(SchemaError):
        allocate_years([1], terms)
