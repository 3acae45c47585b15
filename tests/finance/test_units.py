"""Quantities with Chinese units: their product must be money."""

from __future__ import annotations

import pytest

from qianmo.finance.project.units import Quantity, fen_factor, quantity, unit_names
from qianmo.schema.errors import SchemaError


@pytest.mark.parametrize(
    ("texts", "yuan"),
    [
        (("1000 亩", "15 万元/亩"), 1.5e8), (("20 MW", "3.2 元/W"), 6.4e7), (("10 公顷", "1 万元/亩"), 1.5e6), (("23000 MWh", "0.38 元/kWh"), 8.74e6),
        (("20 MW", "1150 小时", "0.38 元/kWh"), 8.74e6), (("200 床", "365 天", "55 %", "300 元/床·天"), 12_045_000.0), (("600 亩", "500 元/亩·年"), 3e5),
        (("3 亿元",), 3e8), (("100 亩", "30 元/平方米"), 2e6), (("5 万人次", "80 元/人次"), 4e6),
    ],
)  # fmt: skip
def test_a_product_of_quantities_is_money(texts, yuan):
    factors = [quantity(t) for t in texts]
    fen, _ = fen_factor(*factors)
    product = fen
    for factor in factors:
        product *= factor.value
    assert product == pytest.approx(yuan * 100, rel=1e-12)


def test_money_a_year_is_told_from_money():
    assert fen_factor(quantity("600 亩"), quantity("500 元/亩·年"))[1]
    assert not fen_factor(quantity("600 亩"), quantity("500 元/亩"))[1]


@pytest.mark.parametrize("texts", [("1000 亩", "15 万元/户"), ("20 MW", "1150 小时"), ("1000 亩",), ("5 万元", "2 万元")])
def test_a_product_that_is_not_money_is_refused(texts):
    with pytest.raises(SchemaError, match="量纲"):
        fen_factor(*(quantity(t) for t in texts))


@pytest.mark.parametrize("text", ["", "亩", "nan 亩", "1e999 亩", "5 光年", "1 亩亩"])
def test_text_without_a_number_or_a_known_unit_is_refused(text):
    with pytest.raises(SchemaError):
        quantity(text)


def test_a_percentage_is_the_nearest_fraction():
    assert quantity("3.6 %") == Quantity(0.036, "") and quantity("1,000.5 亩") == Quantity(1000.5, "亩")


def test_every_unit_of_the_list_can_be_read():
    for name in unit_names():
        assert quantity(f"2 {name}").unit == name
