"""Taxes do what their docstrings say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from qianmo.finance.fen import to_fen, whole_fen
from qianmo.finance.tax.income import first_year_of, holiday_rates, income_tax
from qianmo.finance.tax.land_value_added import GainBand, land_value_added_bands, land_value_added_tax
from qianmo.finance.tax.one_off import deed_tax, land_occupation_tax, stamp_duty
from qianmo.finance.tax.surcharge import surcharges
from qianmo.finance.tax.value_added import value_added_tax
from qianmo.schema.errors import SchemaError
from qianmo.schema.policy_rates import policy_rate

ON = date(2024, 1, 1)


def test_half_a_fen_goes_away_from_zero():
    assert whole_fen(np.array([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994])).tolist() == [1, 2, 3, -1, -3, 0]
    assert to_fen(12.34) == 1234.0 and whole_fen(1.4, rounding=False) == 1.4


def test_input_tax_of_construction_is_used_before_anything_is_paid():
    vat = value_added_tax([0, 400, 400, 400], [1000, 10, 10, 10])
    assert vat.pool_fen.tolist() == [1000, 610, 220, 0] and vat.paid_fen.tolist() == [0, 0, 0, 170]


def test_a_pool_brought_in_and_a_refund_are_cash_not_lost():
    vat = value_added_tax([100, 0], [0, 50], pool_fen=300, refund_share=[1.0, 0.5])
    assert vat.refund_fen.tolist() == [200, 25] and vat.pool_fen.tolist() == [0, 25]


def test_surcharges_in_a_city_are_twelve_per_cent_of_the_tax():
    found = surcharges(np.array([10_000.0]), *(policy_rate(r, ON).value for r in ("city_maintenance_urban", "education_surcharge", "local_education_surcharge")))
    assert found.city_fen[0] == 700 and found.education_fen[0] == 300 and found.local_education_fen[0] == 200 and found.total_fen[0] == 1200


def test_a_loss_lives_five_years_and_no_longer():
    year_six = income_tax([-100, 0, 0, 0, 0, 100], 0.25)
    year_seven = income_tax([-100, 0, 0, 0, 0, 0, 100], 0.25)
    assert year_six.tax_fen[-1] == 0 and year_seven.tax_fen[-1] == 25 and year_seven.loss_expired_fen[5] == 100


def test_each_loss_expires_by_itself():
    """One accumulator would carry the second loss only as long as the first."""
    found = income_tax([-100, -80, 0, 0, 0, 30, 80, 100], 0.25)
    assert found.loss_used_fen.tolist() == [0, 0, 0, 0, 0, 30, 80, 0] and found.loss_expired_fen[5] == 70 and found.tax_fen[-1] == 25


def test_losses_before_the_first_year_are_used_first():
    found = income_tax([50, 100], 1.0, opening_losses_fen=(60, 40), loss_years=2)
    assert found.tax_fen.tolist() == [0, 60] and found.loss_expired_fen.tolist() == [10, 0]


def test_three_years_free_and_three_at_half_count_from_the_first_income():
    first = first_year_of([0, 0, 5, 5, 5, 5, 5, 5, 5])
    assert holiday_rates(0.25, 9, first_year=first, free_years=3, half_years=3).tolist() == [0.25, 0.25, 0, 0, 0, 0.125, 0.125, 0.125, 0.25]
    assert holiday_rates(0.25, 2, first_year=first_year_of([0, 0]), free_years=3).tolist() == [0.25, 0.25]


def test_every_scenario_has_its_own_holiday():
    income = np.array([[0, 1], [1, 1]])
    assert holiday_rates(0.2, 2, first_year=first_year_of(income), free_years=1).tolist() == [[0.2, 0.0], [0.0, 0.2]]


def test_a_profit_in_a_free_year_uses_up_losses():
    assert income_tax([-100, 100, 100], [0.25, 0.0, 0.25]).tax_fen.tolist() == [0, 0, 25]


@pytest.mark.parametrize(("revenue", "tax"), [(90, 0), (100, 0), (150, 15), (200, 35), (300, 85), (400, 145)])
def test_land_value_added_tax_at_the_borders_of_the_bands(revenue, tax):
    """Deductions 100: by hand 50·30 %, 50·40 %, 100·50 %, 100·60 %."""
    assert land_value_added_tax(revenue, 100, land_value_added_bands(ON)) == tax


def test_bands_that_do_not_join_are_refused():
    with pytest.raises(SchemaError, match="quick deduction"):
        land_value_added_tax(1, 1, [GainBand(0.5, 0.3, 0), GainBand(float("inf"), 0.4, 0.04)])
    with pytest.raises(SchemaError, match="infinite"):
        land_value_added_tax(1, 1, [GainBand(0.5, 0.3, 0)])


def test_one_off_taxes():
    factor = policy_rate("land_occupation_basic_farmland_factor", ON).value
    assert land_occupation_tax(1000, 30, basic_farmland_m2=200, basic_farmland_factor=factor) == 3_300_000
    assert deed_tax(1_000_000, policy_rate("deed_tax", ON).value) == 30_000 and stamp_duty(1_000_000, 0.0003) == 300
    with pytest.raises(SchemaError, match="more than the land"):
        land_occupation_tax(100, 30, basic_farmland_m2=200)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: value_added_tax([1, 2], [1, 2, 3]), "differ in length"),
        (lambda: value_added_tax([1, np.nan], [1, 2]), "output_fen is missing or infinite in year 2"),
        (lambda: value_added_tax([1, -2], [1, 2]), "-2 in year 2"),
        (lambda: value_added_tax(1, 2), "single numbers"),
        (lambda: value_added_tax([1, 2], [1, 2], pool_fen=-1), "pool_fen"),
        (lambda: value_added_tax(np.ones((2, 3)), [1, 2], pool_fen=[1, 2]), "scenarios"),
        (lambda: income_tax([1, 2], 25), "fractions"),
        (lambda: income_tax([1, 2], 0.25, opening_losses_fen=[1] * 6), "opening losses"),
        (lambda: deed_tax(-1, 0.03), "-1"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name_and_year(call, said):
    with pytest.raises(SchemaError, match=said):
        call()
