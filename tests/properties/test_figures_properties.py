"""What holds for any flows of money."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.finance.figures.construction_interest import construction_interest
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import rate_of_return, rates_of_return, return_report

fen = st.integers(-(10**12), 10**12)
flows = st.lists(fen, min_size=1, max_size=14)


@given(flows)
@settings(max_examples=150, deadline=None)
def test_the_exact_present_value_changes_sign_or_is_least_at_every_rate_given(amounts):
    from fractions import Fraction

    def value(rate: float) -> Fraction:
        v = 1 / (1 + Fraction(rate))
        return sum((Fraction(a) * v**t for t, a in enumerate(amounts)), Fraction(0))

    for rate in rates_of_return(amounts):
        width = max(abs(rate), 1e-300) * 4e-16
        low, here, high = value(rate - width), value(rate), value(rate + width)
        assert here == 0 or low * high <= 0 or abs(here) <= min(abs(low), abs(high))


@given(flows)
@settings(max_examples=150, deadline=None)
def test_a_shown_rate_is_the_only_one(amounts):
    report = return_report(amounts)
    assert (report.rate is not None) == (report.reason == "")
    if report.rate is not None:
        assert report.rates == (report.rate,)


@given(flows, st.integers(1, 9000), st.integers(0, 3))  # products stay below 2**53, where whole numbers are exact floats
@settings(max_examples=60, deadline=None)
def test_the_unit_of_money_the_side_of_the_deal_and_waiting_do_not_change_the_rates(amounts, factor, wait):
    rates = rates_of_return(amounts)
    assert rates_of_return([-factor * a for a in amounts]) == rates
    assert rates_of_return([0] * wait + amounts + [0] * wait) == rates


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=12), st.integers(1, 10**10))
@settings(max_examples=80, deadline=None)
def test_more_income_never_lowers_the_rate(income, cost):
    base = [-cost, *income]
    if not any(income):
        return
    more = list(base)
    more[1] += 1 + cost // 7
    assert rate_of_return(more) >= rate_of_return(base)


@given(flows, st.floats(-0.5, 2.0), st.floats(-0.5, 2.0))
@settings(max_examples=80, deadline=None)
def test_the_present_value_of_a_sum_is_the_sum_of_present_values(amounts, rate, share):
    part = np.array(amounts, float) * share
    whole, size = net_present_value(amounts, rate), net_present_value(np.abs(np.array(amounts, float)), rate)
    both = net_present_value(part, rate) + net_present_value(np.array(amounts, float) - part, rate)
    assert abs(both - whole) <= 1e-13 * size * (1 + abs(share)) * 3


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=20))
@settings(max_examples=100, deadline=None)
def test_more_money_in_every_year_never_delays_payback(amounts):
    early = payback_years([a + 1000 for a in amounts])
    late = payback_years(amounts)
    assert math.isnan(late) or early <= late + 1e-9


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.floats(0.0, 0.3))
@settings(max_examples=60, deadline=None)
def test_interest_in_construction_grows_with_the_draws_and_is_linear(draws, rate):
    once, twice = construction_interest(draws, rate), construction_interest([2 * d for d in draws], rate)
    assert np.allclose(twice, 2 * once, rtol=1e-12)
    assert once.sum() >= sum(draws) * rate / 2 * (1 - 1e-12)
