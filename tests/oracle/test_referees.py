"""Both paths of the solver against HiGHS and SCIP on the same problem file, to the hundredth of a point (裁判求解对照)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qianmo.planning.exchange import problem_tables
from qianmo.store.problem_file import read_problem_file, write_problem_file


@pytest.fixture
def peer(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repo / "benchmarks"))
    return importlib.import_module


def said_by_referee(peer: Any, name: str, path: Path, seconds: float) -> Any:
    linear, referee = peer("linear_problem"), peer("bench_referee")
    record, tables = read_problem_file(path)
    found = getattr(linear, f"by_{name}")(linear.program_of_file(record, tables), time_limit_s=seconds)
    choice = np.full(len(tables["patches"]), -1)
    choice[tables["options"]["patch_id"].to_numpy()[found.chosen]] = found.chosen
    score, broken = linear.score_of_options(record, tables, choice)
    assert not broken and score == pytest.approx(found.score, abs=1e-2)
    return referee.Said(name, float(score), found.bound, found.bound)


@pytest.mark.parametrize(("kind", "n"), [("grid", 900), ("county", 144)])
def test_both_paths_and_both_referees_prove_the_same_score(peer: Any, tmp_path: Path, kind: str, n: int) -> None:
    referee = peer("bench_referee")
    record, tables = problem_tables(referee.referee_problem(kind, n))
    path = tmp_path / "same.qproblem"
    write_problem_file(path, record, tables)
    said = [referee.by_house(path, which, seconds=10.0) for which in referee.PATHS]
    said += [said_by_referee(peer, name, path, 30.0) for name in ("highs", "scip")]
    assert referee.contradictions(said) == []
    assert all(s.is_proven for s in said[2:]), said
    assert len({s.score for s in said}) == 1, said
    assert all(s.bound >= said[2].score - 1e-3 and s.claimed >= said[2].score - 1e-3 for s in said)
    assert said[0].is_proven and (kind == "county" or said[1].is_proven), said


def test_verdicts_that_cannot_both_be_right_are_named(peer: Any) -> None:
    Said, contradictions = peer("bench_referee").Said, peer("bench_referee").contradictions
    proven, open_ = Said("a", 100.0, 100.4, 100.4), Said("b", 90.0, 120.0, 110.0)
    assert contradictions([proven, open_]) == []
    assert any("above the bound" in line for line in contradictions([proven, Said("c", 102.0, 130.0, 130.0)]))
    assert any("above the bound" in line for line in contradictions([open_, Said("d", 80.0, 85.0, 85.0)]))
    assert any("proven optima differ" in line for line in contradictions([proven, Said("e", 99.0, 99.5, 99.5)]))


def test_a_program_of_a_file_counts_as_the_recount_does(peer: Any) -> None:
    linear, referee = peer("linear_problem"), peer("bench_referee")
    problem = referee.referee_problem("county", 64)
    record, tables = problem_tables(problem)
    program = linear.program_of_file(record, tables)
    rng = np.random.default_rng(0)
    for _ in range(20):
        own = [np.r_[-1, np.flatnonzero(problem.patch == k)] if problem.keeps[k] else np.flatnonzero(problem.patch == k) for k in range(problem.n)]
        choice = np.array([rng.choice(ways) for ways in own])
        v = np.zeros(len(program.gain))
        v[choice[choice >= 0]] = 1.0
        ties = program.rows[:, program.options :]
        slack = program.high - program.rows @ v
        for z in range(ties.shape[1]):
            v[program.options + z] = float(slack[ties[:, [z]].nonzero()[0]].min() >= 1.0)
        score, broken = linear.score_of_options(record, tables, choice)
        assert program.gain @ v + program.constant == pytest.approx(score, abs=1e-6)
        held = program.rows @ v
        assert bool(((held >= program.low - 1e-9) & (held <= program.high + 1e-9)).all()) == (not broken)
