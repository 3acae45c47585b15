"""A problem file is solved and proven from the command line, or refused with nothing written (求解外来问题)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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


def test_a_smallest_block_of_a_layer_is_kept_and_priced(planted: tuple[Path, float, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, best, _ = planted
    layer = read_problem_file(path)[0]["layer"][0]["aim"]
    words = ["solve", "--problem", str(path), "--out", str(tmp_path / "proof"), "--seconds", "10", "--quiet", "--json"]
    assert main([*words, "--min-block", f"{layer}=0.6"]) == 0
    told = json.loads(capsys.readouterr().out)
    block = told["minimum_block"][layer]
    assert block["objective_hard"] == pytest.approx(told["objective"]) and block["price"] >= 0 and told["objective"] <= best + 1e-6
    assert subprocess.run([sys.executable, "-I", str(tmp_path / "proof/check_plan.py"), str(tmp_path / "proof")], capture_output=True, check=False).returncode == 0
    for wrong in ("nothing=3", f"{layer}=x", layer):
        assert main([*words, "--min-block", wrong]) == 2


def test_a_bad_problem_is_refused_and_nothing_is_written(planted: tuple[Path, float, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, tables = read_problem_file(planted[0])
    tables["patches"].loc[5, "area_dm2"] = -1
    write_problem_file(tmp_path / "bad.qproblem", record, tables)
    assert main(["solve", "--problem", str(tmp_path / "bad.qproblem"), "--out", str(tmp_path / "proof"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "表 patches" in told and "[5]" in told and "应为" in told and "办法" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.qproblem", "planted.qproblem"]


def spoilt(tables: dict[str, pd.DataFrame], table: str, row: int, column: str, value: object) -> None:
    tables[table][column] = tables[table][column].astype(float if isinstance(value, float) else tables[table][column].dtype)
    tables[table].loc[row, column] = value


def crossing(record: dict[str, Any], tables: dict[str, pd.DataFrame], *, same: bool) -> None:
    """A floor above the ceiling of limit0: on the same entries, or one that only a search finds, on all but one of them."""
    ceiling = next(k for k, x in enumerate(record["limit"]) if x["id"] == "limit0")
    mine = tables["limit_whole"][tables["limit_whole"]["limit"] == ceiling]
    bound = record["limit"][ceiling]["bound"]
    floor = bound + 1 if same else int(mine["amount"].sum()) + 1
    record["limit"].append({**record["limit"][ceiling], "id": "floor0", "zh": "下限", "relation": ">=", "bound": floor})
    more = (mine if same else mine[1:]).assign(limit=len(record["limit"]) - 1).astype(mine.dtypes)
    tables["limit_whole"] = pd.concat([tables["limit_whole"], more], ignore_index=True)


BAD: list[tuple[str, Callable[[dict[str, Any], dict[str, pd.DataFrame]], None], int, tuple[str, ...]]] = [
    ("missing neighbour", lambda r, t: spoilt(t, "borders_0", 7, "patch_j", 999), 2, ("borders_0", "999", "[7]", "缺少相邻图斑")),
    ("unknown use", lambda r, t: (r.update(uses=[""]), spoilt(t, "options", 3, "target_class", "9999")), 2, ("options", "9999", "[3]", "uses", "用途")),
    ("NaN cost", lambda r, t: spoilt(t, "options", 11, "cost_fen", float("nan")), 2, ("options", "cost_fen", "[11]", "金额取整到分")),
    ("NaN value", lambda r, t: spoilt(t, "options", 2, "value", float("nan")), 2, ("options", "value", "[2]")),
    ("area in parts of a dm2", lambda r, t: spoilt(t, "patches", 1, "area_dm2", 2.5), 2, ("patches", "area_dm2", "面积取整到平方分米")),
    ("contradictory windows", lambda r, t: crossing(r, t, same=True), 2, ("floor0", "limit0", "上下限矛盾")),
    ("windows that no plan obeys", lambda r, t: crossing(r, t, same=False), 4, ("floor0", "冲突约束")),
]


@pytest.mark.parametrize(("spoil", "code", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_every_bad_input_names_rows_and_cure_and_writes_nothing(planted, tmp_path, capsys, spoil, code, words) -> None:  # type: ignore[no-untyped-def]
    record, tables = read_problem_file(planted[0])
    spoil(record, tables)
    write_problem_file(tmp_path / "bad.qproblem", record, tables)
    assert main(["solve", "--problem", str(tmp_path / "bad.qproblem"), "--out", str(tmp_path / "proof"), "--quiet"]) == code
    told = capsys.readouterr().err
    assert all(w in told for w in words), told
    assert code == 4 or ("应为" in told and "办法" in told)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.qproblem", "planted.qproblem"]


def test_a_folder_in_use_is_refused_before_the_search(planted: tuple[Path, float, str], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    assert main(["solve", "--problem", str(planted[0]), "--out", str(tmp_path / "mine"), "--quiet"]) == 6
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["x"]
    assert main(["solve", "--problem", str(planted[0]), "--out", str(tmp_path / "p"), "--gap", "-1", "--quiet"]) == 2
