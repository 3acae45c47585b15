"""True for any project under risk: scenarios do not touch each other, dearer is never better, junk is refused with words."""

from __future__ import annotations

import copy
import random
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.finance.project.read import project_from
from qianmo.finance.risk.from_project import as_planned, project_risk
from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.simulate import evaluate, simulate
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.schema.errors import SchemaError

JUNK: list[Any] = [None, 0, -1, 1e308, float("nan"), float("inf"), "", "x", "quota", [], [1], ["quota"], {}, {"a": 1}, True, [[1]], "1e3", 10**30]


@pytest.fixture(scope="module")
def files(repo: Path) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The EOD example: project, sheet, uncertain inputs."""
    folder = repo / "examples" / "finance"
    project = project_from(tomllib.loads((folder / "eod_simple.toml").read_text(encoding="utf-8")), file="eod_simple.toml")
    return project, computed(assemble(project)), tomllib.loads((folder / "eod_simple.risk.toml").read_text(encoding="utf-8"))


def places(part: Any, before: tuple[Any, ...] = ()):
    """Ways to every value of nested tables and lists."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield (*before, key)
        yield from places(value, (*before, key))


def spoiled(tables: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    found = copy.deepcopy(tables)
    way = rng.choice(list(places(found)))
    holder: Any = found
    for key in way[:-1]:
        holder = holder[key]
    if rng.random() < 0.2:
        del holder[way[-1]]
    else:
        holder[way[-1]] = copy.deepcopy(rng.choice(JUNK))
    return found


def test_junk_in_the_list_of_inputs_runs_or_is_refused_with_words(files):
    project, sheet, tables = files
    rng, refused = random.Random(7), 0
    for _ in range(400):
        bad = spoiled(tables, rng)
        try:
            model = project_risk(project, sheet, bad)
            as_planned(project, bad)
            assert not np.isnan(simulate(model, 5, 1).figures["npv_fen"]).any()
        except SchemaError:
            refused += 1
    assert refused > 200


@given(st.integers(0, 2**64 - 1), st.integers(1, 150))
@settings(max_examples=15, deadline=None)
def test_a_scenario_alone_is_the_scenario_among_others(files, seed, count):
    model = project_risk(*files)
    run = simulate(model, count, seed)
    again = simulate(model, count, seed, block=max(count // 3, 1), threads=2)
    assert all(np.array_equal(run.figures[n], again.figures[n], equal_nan=True) for n in FIGURES)


@given(st.sampled_from(["price", "accepted", "delay", "works", "plant", "industry"]), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_more_income_is_never_worse_and_more_cost_or_delay_never_better(files, name, one, two):
    project, sheet, tables = files
    model = project_risk(project, sheet, tables)
    values = np.repeat(as_planned(project, tables), 2, axis=1)
    scale = 100.0 if name == "delay" else 1.0
    values[model.place(name)] = np.array(sorted((one, two))) * scale
    low, high = evaluate(model, values)["npv_fen"]
    better = name in ("price", "accepted", "industry")
    assert (high - low if better else low - high) >= -1e-3
