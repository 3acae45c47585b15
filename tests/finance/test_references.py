"""Values of a project file that stand elsewhere: found, explained, or refused with their place."""

from __future__ import annotations

import tomllib

import pytest

from qianmo.finance.project.read import project_from
from qianmo.finance.project.references import Referred, priced, referred_values
from qianmo.schema.errors import FinanceInputError, SchemaError
from qianmo.schema.rules import unit_costs

FILE = """
[project]
name = "x"
base_year = 2026
years = 5
construction_months = 12
rates_on = 2026-01-01

[[sub_project]]
id = "a"
zh = "甲"
kind = "ecological"

[[line]]
id = "works"
zh = "工程"
sub_project = "a"
kind = "restoration"
quantity = ["plan:area", "50 %"]
price = "price:C-LVL.high"
year = 1
"""


def look(word: str, name: str) -> Referred:
    if word != "plan":
        return priced(word, name)
    if name != "area":
        raise SchemaError(f"没有 {name}", expected="area")
    return Referred("1234.56 m2", "方案甲 第 3 版", "high")


def test_a_reference_becomes_number_unit_and_source():
    data, origins = referred_values(tomllib.loads(FILE), look, file="x.toml", text=FILE)
    line = project_from(data, file="x.toml", text=FILE, origins=origins).lines[0]
    assert [(f.value, f.unit) for f in line.factors] == [(1234.56, "m2"), (0.5, ""), (5000.0, "元/亩")]
    assert "方案甲 第 3 版" in line.sources["quantity"].text
    assert "C-LVL" in line.sources["price"].text and line.sources["price"].confidence == "low"
    assert line.sources["quantity"].line == 19


@pytest.mark.parametrize("wrong", ["plan:nothing", "price:C-NONE", "price:C-LVL.middle", "parameter:none"])
def test_a_reference_that_leads_nowhere_names_file_line_and_key(wrong):
    text = FILE.replace('"price:C-LVL.high"', f'"{wrong}"')
    with pytest.raises(FinanceInputError) as caught:
        referred_values(tomllib.loads(text), look, file="x.toml", text=text)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("x.toml", 20, "line[works].price")


def test_text_with_a_colon_that_is_no_reference_stays():
    data, origins = referred_values({"project": {"name": "标题: 副题", "plan": 3}}, look, file="x")
    assert data["project"]["name"] == "标题: 副题" and not origins


@pytest.mark.parametrize("item", sorted(i for i, c in unit_costs().items() if c.unit in ("元/亩", "万元/亩", "元/m2", "元/m3", "元/kWh", "元/W(dc)", "元/亩·年", "元/m2·月", "元/W·年")))
def test_every_shipped_price_is_a_quantity_with_its_unit(item):
    from qianmo.finance.project.units import quantity

    assert quantity(str(priced("price", item).value)).value == unit_costs()[item].default
