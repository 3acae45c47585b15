"""A problem file is solved and proven from the command line, or refused with nothing written (求解外来问题)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qianmo.cli.main import main
from qianmo.planning.exchange import problem_tables
from qianmo.planning.planted import planted_problem
from qianmo.planning.proof_arrays import read_proof
from qianmo.planning.verify import fingerprint
from qianmo.store.problem_file import read_problem_file, write_problem_file
from qianmo.store.proof_folder import read_proof_folder


@pytest.fixture
def planted(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, float, str]:
    """A problem file, the score of its best plan, and its fingerprint."""
    problem, _, best = planted_problem(8, 8, rng=rng)
    record, tables = problem_tables(problem, name="植入算例", area_dm2=np.arange(problem.n) * 1000 + 1)
    write_problem_file(tmp_path / "planted.qproblem", record, tables)
    return tmp_path / "planted.qproblem", best, fingerprint(problem)


def test_a_planted_problem_is_solved_and_proven(planted: tuple[Path, float, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, best, print_ = planted
    out = tmp_path / "proof"
    assert main(["solve", "--problem", str(path), "--out", str(out), "--gap", "1e-5", "--seconds", "10", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["objective"] == pytest.approx(best, rel=1e-5) and told["bound"] >= best - 1e-9 and told["gap_rel"] < 1e-4
    proof = read_proof(*read_proof_folder(out))
    assert fingerprint(proof.problem) == print_ == proof.record["problem_sha256"] and list(proof.record["sources"]) == ["planted.qproblem"]
    assert main(["verify-plan", str(out), "--quiet"]) == 0
    assert subprocess.run([sys.executable, "-I", str(out / "check_plan.py"), str(out)], capture_output=True, check=False).returncode == 0


def test_a_bad_problem_is_refused_and_nothing_is_written(planted: tuple[Path, float, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, tables = read_problem_file(planted[0])
    tables["patches"].loc[5, "area_dm2"] = -1
    write_problem_file(tmp_path / "bad.qproblem", record, tables)
    assert main(["solve", "--problem", str(tmp_path / "bad.qproblem"), "--out", str(tmp_path / "proof"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "table patches" in told and "[5]" in told and "应为" in told and "办法" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.qproblem", "planted.qproblem"]


def test_a_folder_in_use_is_refused_before_the_search(planted: tuple[Path, float, str], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    assert main(["solve", "--problem", str(planted[0]), "--out", str(tmp_path / "mine"), "--quiet"]) == 6
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["x"]
    assert main(["solve", "--problem", str(planted[0]), "--out", str(tmp_path / "p"), "--gap", "-1", "--quiet"]) == 2
