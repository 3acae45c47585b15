"""The peers of the planning benchmark read the same file, obey the same rows, and never beat a proven bound."""

from __future__ import annotations

import importlib
import itertools
import time
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from qianmo.planning.allocation import allocation_problem, choice_of
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.problem import limit_values, objective


@pytest.fixture
def peer(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repo / "benchmarks"))
    return importlib.import_module


def same(one: object, two: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(two, np.ndarray) and one.dtype == two.dtype and bool((one == two).all())
    if isinstance(one, tuple):
        return isinstance(two, tuple) and len(one) == len(two) and all(same(a, b) for a, b in zip(one, two))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))  # type: ignore[arg-type]
    return bool(one == two)


def test_a_question_comes_back_from_its_file_as_it_was(peer: Any, tmp_path: Path) -> None:
    files: ModuleType = peer("plan_instances")
    question = make_county(300, rng=np.random.default_rng(0))
    files.write_allocation(question, tmp_path / "q.npz")
    again = files.read_allocation(tmp_path / "q.npz")
    assert same(question, again)
    assert not same(question, files.windows_only(again))
    assert [p.name for p in tmp_path.iterdir()] == ["q.npz"]


def test_the_genetic_algorithm_obeys_the_windows_and_stays_below_the_best(peer: Any) -> None:
    files, linear, genetic = peer("plan_instances"), peer("linear_allocation"), peer("genetic")
    recipe = CountyRecipe(uses=3, townships=2, villages=6, tightness=0.6)
    question = files.windows_only(make_county(120, rng=np.random.default_rng(3), recipe=recipe))
    ticks = itertools.count()
    score, uses, children = genetic.by_genetic(question, seconds=150, clock=lambda: next(ticks), rng=np.random.default_rng(1))
    best = linear.by_highs(linear.program_of(question), 3, time_limit_s=20.0, gap=1e-6)
    assert children > 100
    assert linear.score_of(question, uses) == pytest.approx(score, abs=1e-6)
    assert 0.8 * best.score <= score <= best.bound * (1 + 1e-6)
    problem = allocation_problem(question)
    choice = choice_of(question, problem, uses)
    assert objective(problem, choice) == pytest.approx(score, abs=1e-6)
    for x, value in zip(problem.limits, limit_values(problem, choice)):
        assert value <= x.bound + 1e-6 if x.relation == "<=" else value >= x.bound - 1e-6 if x.relation == ">=" else value == x.bound


def test_a_peer_that_overruns_its_limit_is_ended_and_a_note_says_so(peer: Any) -> None:
    measure = peer("measure")
    reading = measure.measure(measure.Way("plan", "slow", 1, lambda: time.sleep(60) or 1.0, None, 1e9, 0.3))
    assert reading.figure == 0.0 and reading.wall_s == 0.3
    assert reading.notes == {"nothing found, ended after s": 0.3}


def test_notes_travel_with_a_measured_figure(peer: Any) -> None:
    measure = peer("measure")
    reading = measure.measure(measure.Way("plan", "ours", 1, lambda: measure.Outcome(2.0, {"bound": 3.0})))
    assert reading.figure == 2.0 and reading.notes == {"bound": 3.0}
    assert measure.once(measure.Way("sum", "bare", 1, lambda: 1)) == measure.Outcome(1.0, {})
