"""Ctrl-C during `qianmo solve`: a whole proof of the best plan so far, or nothing (求解中断)."""

from __future__ import annotations

import importlib
import threading
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from qianmo.jobs.context import left_searching
from qianmo.jobs.searching import Searching
from qianmo.planning.allocation import allocation_problem
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.planted import planted_problem
from qianmo.planning.problem import objective
from qianmo.planning.proof import proof_record, stored_prices
from qianmo.planning.proof_arrays import proof_arrays
from qianmo.planning.solve import MOST_SEARCHED, Solution, is_large
from qianmo.store import proof_folder
from qianmo.store.proof_folder import is_proof_folder, read_proof_folder, write_proof_folder


@pytest.fixture
def breaker(repo: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repo / "benchmarks"))
    return importlib.import_module("interrupt_solve")


@pytest.mark.parametrize(("moment", "left"), [("reading", "none"), ("a plan is there", "whole, accepted twice")])
def test_an_interrupted_solve_leaves_a_whole_proof_or_nothing(breaker: ModuleType, tmp_path: Path, moment: str, left: str) -> None:
    problem = breaker.county_problem_file(500, tmp_path, uses=4)
    words, later = breaker.MOMENTS[moment]
    ended = breaker.interrupted(problem, tmp_path / "proof", words, later / 10, seconds=300.0, gap=0.0)
    assert breaker.verdict(ended, tmp_path / "proof") == left
    if left == "none":
        assert ended.code == 130 and "已中断" in ended.errors
    else:
        assert ended.code == 0 and ended.told["interrupted"] and 0 < ended.told["gap_rel"] < 1 and "正在结束求解" in ended.errors
    assert ended.seconds < 250


def test_a_broken_off_exact_search_gives_the_plan_that_was_heard_last() -> None:
    question = make_county(1500, rng=np.random.default_rng(5), recipe=CountyRecipe(townships=2, villages=10, tightness=0.5, grades=(), budget=1.0))
    problem = allocation_problem(question)
    assert is_large(problem) and problem.m <= MOST_SEARCHED
    told: list[float] = []
    search = Searching(0.0, 120.0, time.monotonic, lambda gap, share: told.append(gap), lambda: bool(told) and told[-1] < 1.0)
    began = time.monotonic()
    found = search(problem)
    assert search.stopped and isinstance(found, Solution) and time.monotonic() - began < 120.0
    assert found.objective == pytest.approx(objective(problem, found.choice)) and found.objective <= found.bound
    assert left_searching() == any(t.name == "qianmo-search" for t in threading.enumerate())


def test_an_interruption_between_two_renames_puts_the_older_proof_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, choice, _ = planted_problem(4, 4, rng=np.random.default_rng(1))
    found = Searching(1e-6, 10.0, time.monotonic, lambda gap, share: None, lambda: False)(problem)
    prices = stored_prices(problem, found.prices, found.branches)

    def write(method: str) -> None:
        record = proof_record(problem, choice, prices, made="2026-01-01T00:00:00+00:00", software="test", method=method)
        write_proof_folder(tmp_path / "proof", record, proof_arrays(problem, choice, prices))

    write("first")
    true_rename, calls = proof_folder.os.rename, []

    def rename(one: Path, two: Path) -> None:
        calls.append(two)
        if len(calls) == 2:
            raise KeyboardInterrupt
        true_rename(one, two)

    monkeypatch.setattr(proof_folder.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        write("second")
    assert is_proof_folder(tmp_path / "proof") and read_proof_folder(tmp_path / "proof")[0]["method"] == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["proof"]
