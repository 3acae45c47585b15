"""Money: fees, exact splits, years, sources (投资)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.costs import fee_factor, split_exactly
from qianmo.planning.funding import SOURCES, funding
from qianmo.planning.schedule import schedule, year_plan
from qianmo.planning.settings import PlanSettings
from qianmo.schema.errors import RuleError
from qianmo.schema.rules import unit_cost


def projects(costs: list[float], classes: list[str] | None = None) -> pd.DataFrame:
    n = len(costs)
    return pd.DataFrame(
        {
            "subproject_id": [f"ZXM-{k + 1:03d}" for k in range(n)], "project_class": classes or ["农用地整理"] * n,
            "measure": "high_standard", "area_m2": 10.25, "new_farmland_m2": 1.5, "cost_yuan": costs,
            "start_year": None, "end_year": None,
        }
    )  # fmt: skip


def test_the_fee_factor_is_fees_on_works_and_contingency_on_both() -> None:
    fees = sum(unit_cost(i).default for i in ("F-SURVEY", "F-SUP", "F-MGT", "F-ACC")) / 100
    assert fee_factor("default") == pytest.approx((1 + fees) * (1 + unit_cost("F-CONT").default / 100))
    assert fee_factor("low") < fee_factor("default") < fee_factor("high")


@pytest.mark.parametrize(
    ("total", "weights", "parts"), [(10, [1, 1, 1], [4, 3, 3]), (0, [1, 2], [0, 0]), (7, [0, 0], [7, 0]), (5, [], [])]
)
def test_a_split_closes_exactly(total: int, weights: list[float], parts: list[int]) -> None:
    assert split_exactly(total, np.array(weights)).tolist() == parts


def test_years_share_the_cost_evenly_where_sub_projects_allow() -> None:
    dated = schedule(projects([30.0, 10.0, 10.0, 30.0, 10.0, 30.0]), start_year=2026, years=3)
    assert year_plan(dated, start_year=2026, years=3)["cost_yuan"].tolist() == [40.0, 40.0, 40.0]


@pytest.mark.parametrize("seed", range(5))
def test_two_years_differ_by_no_more_than_the_dearest_sub_project(seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(1, 50, 20).round(2).tolist()
    spent = year_plan(schedule(projects(costs), start_year=2026, years=4), start_year=2026, years=4)["cost_yuan"]
    assert spent.max() - spent.min() <= max(costs)
    assert round(spent.sum(), 2) == round(sum(costs), 2)


def test_ecology_comes_first() -> None:
    dated = schedule(projects([10.0] * 6, ["农用地整理"] * 4 + ["生态保护修复"] * 2), start_year=2026, years=3)
    assert dated.loc[dated["project_class"] == "生态保护修复", "start_year"].tolist() == [2026, 2026]


def test_a_sub_project_dearer_than_a_year_runs_over_several() -> None:
    dated = schedule(projects([100.0, 10.0, 10.0]), start_year=2026, years=3)
    assert dated.loc[0, ["start_year", "end_year"]].tolist() == [2026, 2028]
    table = year_plan(dated, start_year=2026, years=3)
    assert table["cost_yuan"].sum() == 120.0
    assert table["subprojects"].sum() == 3


def test_the_order_of_rows_does_not_change_the_years() -> None:
    table = projects([5.0, 5.0, 7.0, 1.0, 2.0])
    again = schedule(table.iloc[::-1], start_year=2026, years=3)
    assert again.equals(schedule(table, start_year=2026, years=3))


def test_sources_close_each_year_to_the_cent() -> None:
    years = pd.DataFrame({"year": [2026, 2027], "cost_yuan": [100.01, 0.03]})
    table = funding(years, PlanSettings(start_year=2026))
    assert len(table) == 2 * len(SOURCES)
    assert table.groupby("year")["yuan"].sum().round(2).tolist() == [100.01, 0.03]
    assert table.iloc[0].tolist() == ["中央财政资金", 2026, 30.01]


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    wrong = PlanSettings(start_year=2026, parameters={"funding_share_county_fund": 0.5})
    with pytest.raises(RuleError, match="shares sum"):
        funding(pd.DataFrame({"year": [], "cost_yuan": []}), wrong)
    with pytest.raises(RuleError, match="years"):
        schedule(projects([1.0]), start_year=2026, years=0)
