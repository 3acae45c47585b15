"""The plan of a project carries its proof, and checking notices what no longer fits (核验方案)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.evaluate_area import run as evaluate
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.planning.plan_area import run as plan
from qianmo.jobs.planning.verify_plan import run as check
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.project import open_project


def asked(job: str, **values: Any) -> dict[str, Any]:
    return checked_values(job_spec(job), values)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented township with a plan."""
    folder, context = tmp_path_factory.mktemp("planned") / "project", Context(user="测试员")
    make_village(context, asked("village", into=str(folder), patches=300, villages=2, seed=5))
    evaluate(context, asked("evaluate", project=str(folder)))
    plan(context, asked("plan", project=str(folder), budget=300.0))
    return folder


@pytest.fixture
def project(planned: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(planned, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def failed(folder: Path) -> set[str]:
    report = check(Context(), {"folder": str(folder), "json": False})
    assert report.exit_code == int(bool(report.figures["failed"]))
    return {c["id"] for c in report.figures["failed"]}


def test_a_fresh_plan_and_its_proof_agree(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(planned) == set() and failed(open_project(planned).state / "proof") == set()
    assert main(["verify-plan", str(planned), "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True and told["failed"] == [] and told["checks"] > 15


def test_the_record_of_the_project_is_small_and_points_at_the_proof(planned: Path) -> None:
    record = json.loads((open_project(planned).state / "tables" / "certificate.json").read_text(encoding="utf-8"))
    assert "edge_prices" not in record and record["proof"]["folder"] == "proof"
    assert {"objective", "bound", "gap_rel", "limits", "aims", "checks", "method", "solver", "n_parcels"} <= set(record)
    proof = json.loads((open_project(planned).state / "proof" / "certificate.json").read_text(encoding="utf-8"))
    assert proof["bound"] == record["bound"] and proof["objective"] == record["objective"] and proof["problem_sha256"] == record["problem_sha256"]
    assert {"layers/landuse_patch.parquet", "tables/measure_options.parquet", "tables/plan_parcel.parquet"} <= set(proof["sources"])


def test_a_plan_proven_by_cases_says_so_and_the_numbers_agree(tmp_path: Path) -> None:
    folder, context = tmp_path / "project", Context(user="测试员")
    make_village(context, asked("village", into=str(folder), patches=300, villages=2, seed=5))
    evaluate(context, asked("evaluate", project=str(folder)))
    lines = plan(context, asked("plan", project=str(folder), budget=150.0)).lines
    state = open_project(folder).state
    record, proof = (json.loads((state / place / "certificate.json").read_text(encoding="utf-8")) for place in ("tables", "proof"))
    assert record["cases"] == proof["counts"]["cases"] > 1 and record["case"] == proof["case"] and record["bound"] == proof["bound"]
    assert record["solver"] == proof["solver"] == "HiGHS in scipy.optimize" and record["gap_rel"] < 1e-3
    told = f"差距 {record['gap_rel']:.4%}, 分 {record['cases']} 种情形证明"
    assert any(told in x for x in lines)
    report = check(Context(), {"folder": str(folder), "json": False})
    assert report.exit_code == 0 and told in report.lines[0]


def test_areas_of_the_proof_are_those_of_the_register(planned: Path) -> None:
    state = open_project(planned).state
    proof = json.loads((state / "proof" / "certificate.json").read_text(encoding="utf-8"))
    register = pd.read_parquet(state / "layers" / "landuse_patch.parquet", columns=["area_m2"])["area_m2"]
    assert sum(a["area_dm2"] for a in proof["areas"]) == int(np.rint(register * 100).sum())


@pytest.mark.parametrize(("column", "value"), [("measure", "high_standard"), ("target_class", "9999"), ("area_m2", 1.0)])
def test_a_parcel_list_that_was_edited_is_noticed(project: Path, column: str, value: object) -> None:
    path = open_project(project).state / "tables" / "plan_parcel.parquet"
    table = pd.read_parquet(path)
    row = int(np.flatnonzero(table[column] != value)[0])
    table.loc[row, column] = value
    path.unlink()
    table.to_parquet(path, index=False)
    assert failed(project) == {"source:tables/plan_parcel.parquet", f"plan_parcel:{column}"}
    assert main(["verify-plan", str(project), "--quiet"]) == 1


def test_land_use_that_changed_under_the_plan_is_noticed(project: Path) -> None:
    path = open_project(project).state / "layers" / "landuse_patch.parquet"
    raw = path.read_bytes()
    path.unlink()
    path.write_bytes(raw[:-8] + raw[-4:] + raw[-4:])
    assert failed(project) == {"source:layers/landuse_patch.parquet"}
    path.unlink()
    assert failed(project) == {"source:layers/landuse_patch.parquet"}


def test_a_lowered_bound_is_noticed(project: Path) -> None:
    path = open_project(project).state / "proof" / "certificate.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["bound"] = record["bound"] * (1 - 1e-7)
    path.unlink()
    path.write_text(json.dumps(record), encoding="utf-8")
    assert failed(project) == {"bound", "proof"}


def test_a_changed_array_file_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = open_project(project).state / "proof" / "plan.npz"
    raw = path.read_bytes()
    path.unlink()
    path.write_bytes(raw + b" ")
    with pytest.raises(UnsafeInputError, match=r"plan\.npz is not the file of this proof"):
        check(Context(), {"folder": str(project), "json": False})
    assert main(["verify-plan", str(project), "--quiet"]) == 5
    path.unlink()
    with pytest.raises(MissingDataError, match=r"no plan\.npz"):
        check(Context(), {"folder": str(project), "json": False})


def test_the_proof_goes_when_the_state_it_rests_on_changes(project: Path) -> None:
    evaluate(Context(), asked("evaluate", project=str(project)))
    assert not (open_project(project).state / "proof").exists()
    with pytest.raises(MissingDataError, match="no proof"):
        check(Context(), {"folder": str(project), "json": False})


def test_a_new_plan_replaces_the_proof_and_leaves_the_old_state_alone(project: Path) -> None:
    before = open_project(project).state / "proof" / "certificate.json"
    old = before.read_bytes()
    plan(Context(), asked("plan", project=str(project), budget=100.0))
    assert before.read_bytes() == old and (open_project(project).state / "proof" / "certificate.json").read_bytes() != old
    assert failed(project) == set()


def test_a_folder_that_is_neither_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no project"):
        check(Context(), {"folder": str(tmp_path), "json": False})
