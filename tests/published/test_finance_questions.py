"""Published examination questions, textbook answers and manuals, each recomputed (published finance questions).

The facts of every question stand in ``finance_questions.csv`` with title, address and year of the source. The tolerance is half a
unit of the last printed digit; where the source worked with rounded factors the note says so.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qianmo.finance.figures.break_even import break_even_capacity, break_even_price, break_even_quantity
from qianmo.finance.figures.construction_interest import construction_interest
from qianmo.finance.figures.coverage import debt_service_coverage
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rate_of_return, rates_of_return
from qianmo.finance.figures.rates_of_many import rates_of_many
from qianmo.finance.figures.returns import return_on_equity, return_on_investment
from qianmo.finance.figures.time_value import (
    capital_recovery_factor,
    effective_rate,
    future_value,
    future_value_of_annuity,
    present_value,
)

with (Path(__file__).parent / "finance_questions.csv").open(encoding="utf-8", newline="") as lines:
    QUESTIONS = list(csv.DictReader(lines))


def interest_of(draws: list[float], rate: float, of: int | str) -> float:
    interest = construction_interest(draws, rate)
    return float(interest.sum() if of == "sum" else interest[int(of) - 1])


def recovered(rate: float, periods: int, times: float, plus: float = 0.0) -> float:
    return times * capital_recovery_factor(rate, periods) + plus


FIGURES: dict[str, Callable[..., Any]] = {
    "break_even_capacity": break_even_capacity,
    "break_even_price": break_even_price,
    "break_even_quantity": break_even_quantity,
    "capital_recovery_factor": recovered,
    "construction_interest": interest_of,
    "debt_service_coverage": debt_service_coverage,
    "effective_rate": effective_rate,
    "future_value": future_value,
    "future_value_of_annuity": future_value_of_annuity,
    "modified_rate_of_return": modified_rate_of_return,
    "net_present_value": net_present_value,
    "payback_years": payback_years,
    "present_value": present_value,
    "rate_of_return": rate_of_return,
    "rates_of_return": lambda flows, of: rates_of_return(flows)[of - 1],
    "return_on_equity": return_on_equity,
    "return_on_investment": return_on_investment,
}


def test_there_are_more_than_thirty_questions_and_each_names_its_source():
    assert len(QUESTIONS) >= 40
    assert len({q["id"] for q in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        assert question["source"] and question["url"].startswith("http") and question["year"].isdigit()


@pytest.mark.parametrize("question", QUESTIONS, ids=[q["id"] for q in QUESTIONS])
def test_the_printed_answer_is_ours(question: dict[str, str]):
    found = FIGURES[question["figure"]](**json.loads(question["given"]))
    assert found == pytest.approx(float(question["answer"]), abs=float(question["tolerance"]) * 1.0001)


def test_the_compiled_rates_give_the_same_answers():
    asked = [json.loads(q["given"])["flows"] for q in QUESTIONS if q["figure"] == "rate_of_return"]
    flows = np.zeros((max(map(len, asked)), len(asked)))
    for k, one in enumerate(asked):
        flows[: len(one), k] = one
    np.testing.assert_allclose(rates_of_many(flows), [rate_of_return(f) for f in asked], rtol=1e-14)
