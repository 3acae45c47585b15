"""The sheet: one formula a row, computed in an order that is found, never in a circle."""

from __future__ import annotations

import pytest

from qianmo.finance.fen import whole_fen
from qianmo.finance.sheet.evaluate import computed, fen_of
from qianmo.finance.sheet.expression import (
    After,
    Before,
    Earlier,
    Here,
    Number,
    Whole,
    at_least,
    at_most,
    both,
    choose,
    equals,
    larger,
    power,
    rounded,
    smaller,
    total_of,
)
from qianmo.finance.sheet.order import computing_order
from qianmo.finance.sheet.row import Row, Sheet
from qianmo.schema.errors import SchemaError


def row(name, formula=None, *, values=(), years=True):
    return Row(name, name, "分", "x", formula, tuple(values), years)


def value(formula, years=3, **inputs):
    rows = [row(k, values=v, years=len(v) == years) for k, v in inputs.items()]
    return computed(Sheet.of([*rows, row("answer", formula)], years))["answer"]


def test_operations_mean_what_they_say():
    a = Here("a")
    given = {"a": (1.0, -2.5, 4.0)}
    assert value(a + 1, **given) == [2, -1.5, 5] and value(1 - a, **given) == [0, 3.5, -3] and value(2 / (a + 0), **given) == [2, -0.8, 0.5]
    assert value(larger(a, 0), **given) == [1, 0, 4] and value(smaller(a, 0), **given) == [0, -2.5, 0] and value(rounded(a), **given) == [1, -3, 4]
    assert value(choose(at_least(a, 1), 7, 8), **given) == [7, 8, 7] and value(at_most(a, 1), **given) == [1, 1, 0]
    assert value(both(at_least(a, 0), equals(a, 4)), **given) == [0, 0, 1] and value(power(a, 2), **given) == [1, 6.25, 16]
    assert value(Before("a"), **given) == [0, 1, -2.5] and value(After("a"), **given) == [-2.5, 4, 0]
    assert value(Earlier("a", Number(2)), **given) == [0, 0, 1] and value(Whole("a") * Here("k"), **given, k=(2.0,)) == [5, 5, 5]
    assert value(total_of([]), **given) == [0, 0, 0]


def test_rows_that_lean_on_last_year_are_computed_year_by_year():
    rows = [row("r", values=(0.1,), years=False), row("close", Before("close") + Here("add") + Here("interest")), row("interest", Before("close") * Here("r")), row("add", values=(100.0, 0.0, 0.0))]
    found = computed(Sheet.of(rows, 3))
    assert found["close"] == pytest.approx([100, 110, 121]) and found["interest"] == pytest.approx([0, 10, 11])


def test_rows_that_lean_on_next_year_are_computed_backward():
    rows = [row("cash", values=(0.0, 110.0, 121.0)), row("worth", (After("worth") + After("cash")) / 1.1)]
    assert computed(Sheet.of(rows, 3))["worth"] == pytest.approx([200, 110, 0])


def test_a_circle_within_a_year_is_refused():
    with pytest.raises(SchemaError, match="a circle within one year"):
        computing_order(Sheet.of([row("a", Here("b") + 1), row("b", Here("a") + 1)], 2))


def test_a_row_that_looks_back_and_ahead_is_refused():
    with pytest.raises(SchemaError, match="look back and ahead"):
        computing_order(Sheet.of([row("a", Before("a") + After("a"))], 2))


def test_a_sum_over_years_inside_its_own_circle_is_refused():
    with pytest.raises(SchemaError, match="sums"):
        computing_order(Sheet.of([row("a", Whole("b")), row("b", Before("a"))], 2))


def test_names_that_lead_nowhere_or_occur_twice_are_refused():
    with pytest.raises(SchemaError, match="refers to b"):
        Sheet.of([row("a", Here("b"))], 2)
    with pytest.raises(SchemaError, match="two rows"):
        Sheet.of([row("a", Number(1)), row("a", Number(1))], 2)
    with pytest.raises(SchemaError, match="values"):
        Sheet.of([row("a", values=(1.0,))], 2)


def test_a_division_by_nothing_names_the_row_and_the_year():
    with pytest.raises(SchemaError, match=r"answer.*year 2"):
        value(1 / (Here("a") + 0), a=(1.0, 0.0, 2.0))


def test_one_amount_is_rounded_like_an_array(rng):
    for x in [0.5, -0.5, 1.5, 2.4999999999999996, 0.49999999999999994, -7.5, 2**52 + 0.5, *rng.normal(0, 1e6, 200)]:
        assert fen_of(x) == whole_fen(x)


def test_without_rounding_amounts_stay_as_they_are():
    sheet = Sheet.of([row("a", values=(1.25, 2.5)), row("b", rounded(Here("a")))], 2)
    assert computed(sheet, exact=False)["b"] == [1.25, 2.5] and computed(sheet)["b"] == [1.0, 3.0]


def test_inputs_may_be_replaced_without_a_new_sheet():
    sheet = Sheet.of([row("a", values=(1.0,), years=False), row("b", Here("a") * 2)], 2)
    assert computed(sheet, inputs={"a": [5.0]})["b"] == [10.0, 10.0]
