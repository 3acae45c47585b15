"""The indicators do what their docstrings say, and refuse what makes no sense."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qianmo.finance.figures.break_even import break_even_capacity, break_even_price, break_even_quantity
from qianmo.finance.figures.construction_interest import construction_interest
from qianmo.finance.figures.coverage import (
    current_ratio,
    debt_service_coverage,
    interest_coverage,
    liability_ratio,
    loan_life_coverage,
    lowest_coverage,
    project_life_coverage,
    quick_ratio,
)
from qianmo.finance.figures.levelised_cost import levelised_cost
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import (
    discount_factors,
    net_annual_value,
    net_present_value,
    present_value_profile,
    present_value_ratio,
)
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rate_of_return, rates_of_return, return_report
from qianmo.finance.figures.rates_of_many import rates_of_many
from qianmo.finance.figures.returns import return_on_equity, return_on_investment
from qianmo.finance.figures.time_value import (
    capital_recovery_factor,
    effective_rate,
    future_value,
    future_value_of_annuity,
    present_value,
    present_value_of_annuity,
    sinking_fund_factor,
)
from qianmo.schema.errors import FigureError, RateOfReturnError


def test_the_first_flow_is_discounted_once_or_not_at_all_as_asked():
    assert net_present_value([110.0], 0.10) == pytest.approx(100.0, rel=1e-15)
    assert net_present_value([110.0], 0.10, first="now") == 110.0
    assert net_present_value([-100, 110], 0.10) == pytest.approx(net_present_value([-100, 110], 0.10, first="now") / 1.1, abs=1e-13)


def test_many_scenarios_and_many_rates_give_what_each_gives_alone():
    flows = np.array([[-100.0, -90.0], [60.0, 50.0], [70.0, 80.0]])
    both = net_present_value(flows, [0.05, 0.08])
    assert both == pytest.approx([net_present_value(flows[:, 0], 0.05), net_present_value(flows[:, 1], 0.08)], rel=1e-15)
    assert net_present_value(flows[:, 0], [0.05, 0.08])[1] == pytest.approx(net_present_value(flows[:, 0], 0.08), rel=1e-15)


def test_rates_that_change_from_year_to_year_are_multiplied():
    factors = discount_factors([[0.05], [0.10]], 2)
    assert factors[:, 0] == pytest.approx([1 / 1.05, 1 / 1.05 / 1.10], rel=1e-15)
    assert discount_factors([[0.05], [0.10]], 2, first="now")[:, 0] == pytest.approx([1.0, 1 / 1.10], rel=1e-15)


@pytest.mark.parametrize("flows", [[], [1.0, math.nan], [[[1.0]]], [1.0, math.inf]])
def test_flows_that_are_none_are_refused(flows):
    with pytest.raises(FigureError):
        net_present_value(flows, 0.1)


@pytest.mark.parametrize("rate", [-1.0, -2.0, math.nan])
def test_a_rate_of_minus_one_or_below_is_refused(rate):
    with pytest.raises(FigureError, match="above -1"):
        net_present_value([-1, 2], rate)


def test_an_unknown_convention_is_refused():
    with pytest.raises(FigureError, match="end_of_year_one"):
        net_present_value([-1, 2], 0.1, first="middle")


def test_a_refusal_names_the_year_of_the_bad_value():
    with pytest.raises(FigureError, match="row 3 is nan"):
        net_present_value([-1, 2, math.nan], 0.1)


def test_the_profile_and_the_ratio_follow_from_the_present_value():
    np.testing.assert_allclose(present_value_profile([-100, 110], [0.0, 0.1], first="now"), [(0.0, 10.0), (0.1, 0.0)], atol=1e-12)
    assert present_value_ratio([-100, 121], 0.1, first="now") == pytest.approx(0.1, rel=1e-14)
    with pytest.raises(FigureError, match="negative flow"):
        present_value_ratio([100, 121], 0.1)


def test_the_net_annual_value_paid_each_year_is_worth_the_present_value():
    flows = [-160, 50, 50, 50, 50, 50]
    yearly = net_annual_value(flows, 0.1, first="now")
    assert net_present_value([yearly] * 5, 0.1) == pytest.approx(net_present_value(flows, 0.1, first="now"), rel=1e-14)


def test_two_rates_are_both_given_and_neither_is_shown_alone():
    assert rates_of_return([-1000, 2500, -1540]) == (0.1, 0.4)
    with pytest.raises(RateOfReturnError, match=r"2 internal rates of return: 10\.000000%, 40\.000000%") as caught:
        rate_of_return([-1000, 2500, -1540], benchmark=0.1)
    assert caught.value.rates == (0.1, 0.4)
    assert caught.value.modified == pytest.approx(0.1, abs=1e-15)
    values = dict(caught.value.profile)
    assert values[0.1] == pytest.approx(0.0, abs=1e-12) and max(values.values()) > 14 and "modified rate of return" in caught.value.cure


@pytest.mark.parametrize(
    ("flows", "reason", "said"),
    [
        ([0.0, 0.0], "zero", "all flows are zero"),
        ([5.0], "one_sign", "never change sign"),
        ([-5.0, -1.0], "one_sign", "never change sign"),
        ([-1000, 3000, -2500], "none", "no rate"),
        ([-1000, 2200, -1210], "touches", "without crossing"),
    ],
)
def test_no_rate_is_shown_where_there_is_none(flows, reason, said):
    report = return_report(flows, benchmark=0.08)
    assert report.rate is None and report.reason == reason
    with pytest.raises(RateOfReturnError, match=said):
        rate_of_return(flows)


def test_a_double_root_is_given_once_even_where_decimals_are_not_exact_floats():
    assert rates_of_return([-0.1, 0.22, -0.121]) == (0.1,)


def test_a_triple_root_crosses_and_may_be_shown():
    assert rate_of_return([-1.0, 3.3, -3.63, 1.331]) == 0.1


def test_roots_far_out_are_found():
    assert rates_of_return([-1, 1e9]) == (999999999.0,)
    assert rates_of_return([100, -1e-3]) == (-0.99999,)
    assert rates_of_return([-1, 2, -1]) == (0.0,)
    assert rates_of_return([0, 0, -1, 2, 0]) == (1.0,)


def test_neighbouring_roots_are_told_apart():
    assert rates_of_return([-1, 2.200001, -1.2100011]) == pytest.approx((0.1, 0.100001), rel=1e-15)


def test_rates_below_zero_and_above_come_in_order():
    roots = (-0.5, 0.0, 0.25, 3.0)
    flows = np.array([1.0])
    for r in roots:
        flows = np.convolve(flows, [-1.0, 1.0 + r])
    assert rates_of_return(flows) == roots


def test_many_rates_are_those_of_one_by_one_and_nan_where_one_would_be_refused():
    flows = np.array([[-1000, -1000, -1000, 100, 0, -1], [2500, 1100, 3000, -110, 0, 2], [-1540, 0, -2500, 0, 0, -1]], float)
    expected = [math.nan, 0.1, math.nan, 0.1, math.nan, math.nan]
    np.testing.assert_allclose(rates_of_many(flows), expected, atol=1e-15)


def test_company_and_order_do_not_change_a_rate(rng):
    flows = rng.normal(20, 60, (12, 9001))
    flows[0] -= 200
    rates, order = rates_of_many(flows), rng.permutation(9001)
    np.testing.assert_array_equal(rates_of_many(flows[:, order]), rates[order])
    np.testing.assert_array_equal(rates_of_many(flows[:, 17:19]), rates[17:19])


def test_one_project_is_refused_by_the_function_for_many_and_many_by_that_for_one():
    with pytest.raises(FigureError, match="scenarios"):
        rates_of_many([-1, 2])
    with pytest.raises(FigureError, match="one project"):
        rates_of_return([[-1, -1], [2, 2]])


def test_the_modified_rate_needs_money_in_both_directions():
    assert modified_rate_of_return([-100, 121], 0.3, 0.3) == pytest.approx(0.21, rel=1e-14)
    with pytest.raises(FigureError, match="money out and money in"):
        modified_rate_of_return([100, 121], 0.1, 0.1)


def test_a_project_that_falls_back_below_zero_pays_back_later():
    assert payback_years([-100, 120, -60, 100]) == pytest.approx(3.4, rel=1e-15)


def test_payback_counts_from_the_first_flow_or_from_the_year_before_it():
    flows = [-160, 50, 50, 50, 50, 50]
    assert payback_years(flows, first="now") == 3.2
    assert payback_years(flows) == 4.2
    owed = 160 - sum(50 / 1.1**t for t in range(1, 5))
    assert payback_years(flows, rate=0.1, first="now") == pytest.approx(4 + owed / (50 / 1.1**5), rel=1e-13)


def test_payback_is_nan_when_the_money_never_comes_back_and_zero_when_none_went_out():
    table = np.array([[-100.0, 10.0, -100.0], [50.0, 10.0, 100.0]])
    np.testing.assert_array_equal(payback_years(table), [math.nan, 0.0, 2.0])


def test_coverage_is_left_open_in_years_without_debt():
    found = debt_service_coverage([200.0, 100.0], [37.5, 0.0], [70.0, 0.0])
    assert found[0] == pytest.approx(2.3214285714, rel=1e-10) and math.isnan(found[1])
    assert lowest_coverage(found) == found[0] and math.isnan(lowest_coverage([math.nan, math.nan]))
    assert interest_coverage(-30.0, 10.0) == -3.0


def test_costs_given_as_negative_numbers_are_refused():
    with pytest.raises(FigureError, match="positive numbers"):
        interest_coverage(180.0, -30.0)
    with pytest.raises(FigureError, match="not finite"):
        liability_ratio(math.nan, 10.0)


def test_the_loan_life_ratio_is_one_when_the_cash_just_repays_the_loan():
    rate, balance = 0.05, [1000.0]
    service = 1000.0 * capital_recovery_factor(rate, 4)
    for _ in range(3):
        balance.append(balance[-1] * (1 + rate) - service)
    cash = [service] * 4 + [500.0]
    loan = loan_life_coverage(cash, [*balance, 0.0], rate)
    np.testing.assert_allclose(loan[:4], 1.0, rtol=1e-12)
    project = project_life_coverage(cash, [*balance, 0.0], rate)
    assert math.isnan(loan[4]) and math.isnan(project[4]) and (project[:4] > 1.0).all()
    assert project[0] == pytest.approx(1.0 + 500.0 / 1.05**5 / 1000.0, rel=1e-12)


def test_shares_of_the_balance_sheet():
    assert liability_ratio(60.0, 100.0) == 0.6
    assert current_ratio(200.0, 100.0) == 2.0 and quick_ratio(200.0, 80.0, 100.0) == 1.2


def test_accounting_returns_average_the_years():
    assert return_on_investment([300.0, 400.0, 500.0], 4000.0) == 0.1
    assert return_on_equity(200.0, 1600.0) == 0.125
    with pytest.raises(FigureError, match="above 0"):
        return_on_equity(200.0, 0.0)


def test_nothing_breaks_even_without_a_margin():
    assert break_even_capacity(280.0, 900.0, 450.0, 9.0) == pytest.approx(280.0 / 441.0, rel=1e-15)
    with pytest.raises(FigureError, match="margin"):
        break_even_quantity(100.0, 10.0, 10.0)


def test_at_the_break_even_price_the_break_even_quantity_is_the_given_one():
    price = break_even_price(4e6, 320_000.0, 130.0, tax_rate=0.05)
    assert price == pytest.approx(150.0, rel=1e-14)
    assert break_even_quantity(4e6, price, 130.0, tax_rate=0.05) == pytest.approx(320_000.0, rel=1e-12)


def test_interest_in_construction_follows_the_half_year_rule():
    np.testing.assert_allclose(construction_interest([300, 600, 400], 0.12), [18.0, 74.16, 143.0592], rtol=1e-14)
    two = construction_interest([[300, 100], [600, 0], [400, 0]], [0.12, 0.12, 0.12])
    np.testing.assert_allclose(two[:, 0], [18.0, 74.16, 143.0592], rtol=1e-14)
    with pytest.raises(FigureError, match="at or above 0"):
        construction_interest([-1.0], 0.1)


def test_levelised_cost_does_not_depend_on_the_convention():
    costs, energy = [1000.0, 20.0, 20.0], [0.0, 500.0, 490.0]
    assert levelised_cost(costs, energy, 0.08) == pytest.approx(levelised_cost(costs, energy, 0.08, first="end_of_year_one"), rel=1e-14)
    with pytest.raises(FigureError, match="nothing is made"):
        levelised_cost([1.0], [0.0], 0.1)


def test_time_value_factors_are_inverse_to_each_other():
    assert present_value(future_value(100.0, 0.07, 9), 0.07, 9) == pytest.approx(100.0, rel=1e-14)
    assert capital_recovery_factor(0.07, 9) * present_value_of_annuity(1.0, 0.07, 9) == pytest.approx(1.0, rel=1e-14)
    assert sinking_fund_factor(0.07, 9) * future_value_of_annuity(1.0, 0.07, 9) == pytest.approx(1.0, rel=1e-14)
    assert present_value_of_annuity(5.0, 0.0, 4) == 20.0
    assert effective_rate(0.12, 1) == pytest.approx(0.12, rel=1e-15) and effective_rate(0.12, 12) == pytest.approx(1.01**12 - 1, rel=1e-13)
    with pytest.raises(FigureError, match="periods"):
        present_value_of_annuity(1.0, 0.1, 0)
