"""Policy rates are found by date and region, or the error says what exists."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from qianmo.schema.errors import RuleError
from qianmo.schema.policy_rates import policy_rate, policy_rate_ids, policy_rates, policy_rates_from, yearly_policy_rates

ROW = {
    "rate_id": "vat_goods", "zh": "增值税率", "value": "0.05", "unit": "fraction", "from": "2030-01-01", "until": "", "region": "",
    "source": "a decree", "confidence": "high", "note": "",
}  # fmt: skip


def test_the_rate_changes_on_its_day():
    days = [date(2018, 4, 30), date(2018, 5, 1), date(2019, 3, 31), date(2019, 4, 1)]
    assert [policy_rate("vat_goods", d).value for d in days] == [0.17, 0.16, 0.16, 0.13]


def test_a_missing_date_names_the_rate_the_date_and_the_dates_that_exist():
    with pytest.raises(RuleError, match=r"vat_goods .* 1999-01-01.*2009-01-01 – 2018-04-30"):
        policy_rate("vat_goods", date(1999, 1, 1))


def test_a_relief_that_has_ended_is_not_drawn_out():
    assert policy_rate("vat_small_scale", date(2027, 12, 31)).value == 0.01
    with pytest.raises(RuleError, match="2028-01-01"):
        policy_rate("vat_small_scale", date(2028, 1, 1))


def test_an_unknown_rate_lists_the_known_ones():
    with pytest.raises(RuleError, match="income_tax"):
        policy_rate("no_such_rate", date(2024, 1, 1))


def test_a_province_has_its_own_row_and_none_stands_in_for_another():
    assert policy_rate("land_occupation_average", date(2024, 1, 1), "广东").value == 30
    assert policy_rate("income_tax", date(2024, 1, 1), "广东").region == ""
    with pytest.raises(RuleError, match="台湾"):
        policy_rate("land_occupation_average", date(2024, 1, 1), "台湾")


def test_years_take_the_rate_of_first_july():
    assert [r.value for r in yearly_policy_rates("lpr_five_year", (2020, 2022, 2024, 2026))] == [0.0465, 0.0445, 0.0395, 0.035]
    assert yearly_policy_rates("lpr_five_year", [2024], month=12, day=31)[0].value == 0.036


def test_rows_of_the_user_come_first():
    own = policy_rates_from([ROW], "mine")
    assert policy_rate("vat_goods", date(2031, 1, 1), own=own).value == 0.05
    assert policy_rate("vat_goods", date(2029, 1, 1), own=own).value == 0.13


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": "5 %"}, "5 %"), ({"value": "nan"}, "finite"), ({"source": ""}, "source"), ({"confidence": "sure"}, "confidence"),
        ({"from": "2030/01/01"}, "YYYY-MM-DD"), ({"until": "2029-12-31"}, "before it begins"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(change, said):
    with pytest.raises(RuleError, match=f"mine row 2.*{said}"):
        policy_rates_from([{**ROW, **change}], "mine")


def test_a_lost_column_and_an_overlap_are_refused():
    with pytest.raises(RuleError, match="source"):
        policy_rates_from([{k: v for k, v in ROW.items() if k != "source"}], "mine")
    with pytest.raises(RuleError, match="two rows in force on 2031-01-01"):
        policy_rates_from([ROW, {**ROW, "from": "2031-01-01"}], "mine")


def test_shipped_rows_leave_no_hole_between_two_spans():
    for rate_id in policy_rate_ids():
        rows = sorted((r for r in policy_rates() if r.id == rate_id), key=lambda r: (r.region, r.since))
        for before, after in zip(rows, rows[1:], strict=False):
            if before.region == after.region:
                assert before.until is not None and before.until + timedelta(days=1) == after.since, rate_id


def test_whatever_is_not_confirmed_says_so():
    for r in policy_rates():
        assert r.confidence == "high" or "待核实" in r.note or "shared price list" in r.source, r.id
        assert r.unit in ("fraction", "ratio", "years", "yuan/m2"), r.id
        assert 0 <= r.value <= (1 if r.unit == "fraction" else 60), r.id


def test_a_rate_nobody_has_compared_with_the_original_is_not_certain_and_says_so():
    for row in policy_rates():
        found = row.source.startswith("found")
        assert found or (row.confidence != "high" and "待核实" in row.note), row
