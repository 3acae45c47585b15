"""From a project to fronts, locks, comparisons and broken-off searches, by the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame
from qianmo.store.project import history, open_project
from qianmo.store.stage import read_catalog


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Path:
    folder = tmp_path_factory.mktemp("front") / "p"
    assert main(["ingest", "--quiet", "--recipe", str(repo / "examples/youwuzhen/ingest.toml"), "--into", str(folder)]) == 0
    assert main(["evaluate", "--quiet", str(folder)]) == 0
    assert main(["plan", "--quiet", str(folder)]) == 0
    return folder


def told(capsys: pytest.CaptureFixture[str], words: list[str], code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--quiet", "--json"]) == code
    return json.loads(capsys.readouterr().out)


def table(folder: Path, name: str) -> pd.DataFrame:
    return read_frame(open_project(folder).state / "tables" / f"{name}.parquet")


def test_a_front_has_its_tables_chart_kept_plan_and_lineage(project, capsys):
    said = told(capsys, ["front", str(project), "--aims", "ecology,cost", "--points", "8", "--floors", "4", "--keep", "2"])
    assert said["ok"] and said["job"] == "front" and not said["figures"]["interrupted"]
    plans, points = table(project, "front_plans"), table(project, "front_points")
    assert plans["number"].tolist() == list(range(1, len(plans) + 1)) and {"weights", "floors"} == set(plans["question"])
    assert (plans["solver_gap_points"] >= 0).all() and (plans["gap_points"] >= plans["solver_gap_points"] - 1e-9).all()
    gain = points[points["aim"] == "ecology"].set_index("number")["amount"]
    assert gain.is_monotonic_decreasing and plans.set_index("number")["cost_yuan"].is_monotonic_decreasing
    assert (project / "front" / "前沿.png").read_bytes()[:4] == b"\x89PNG" and (project / "front" / "前沿.pdf").read_bytes()[:5] == b"%PDF-"
    state = open_project(project).state
    kept = read_catalog(state)["front_plan_02"]
    assert kept.lineage.tool.endswith("front") and kept.lineage.parameters["weights"]
    layer = read_frame(state / "layers" / "front_plan_02.parquet")
    assert layer["cost_yuan"].sum() == pytest.approx(plans.set_index("number")["cost_yuan"][2], abs=0.01)
    assert (layer["measure"] != "keep").sum() == plans.set_index("number")["patches"][2]
    record = json.loads((state / "tables" / "front.json").read_text(encoding="utf-8"))
    proven = np.array([p["weights"] for p in record["proven"]])
    reached = points.pivot(index="number", columns="aim", values="points")[["ecology", "cost"]].to_numpy()
    assert (proven @ reached.T <= np.array([p["bound"] for p in record["proven"]])[:, None] + 1e-6).all()
    for listed, r in zip(record["proofs"], plans.itertuples(), strict=True):
        proof = state / listed["folder"]
        assert told(capsys, ["verify-plan", str(proof)])["ok"] and abs(listed["gap_abs"] - r.gap_points) < 1e-3
        assert subprocess.run([sys.executable, "-I", str(proof / "check_plan.py"), str(proof)], capture_output=True, check=False).returncode == 0
    assert record["lineage"]["parameters"]["aims"] == ["ecology", "cost"] and len(record["problem_sha256"]) == 64


def test_wrong_fronts_are_refused_and_leave_the_project_as_it_was(project, capsys):
    before = open_project(project).generation
    for words in (["--aims", "gold,cost"], ["--aims", "cost"], ["--points", "1"], ["--keep", "99"], ["--gap", "2"], ["--seconds", "0"]):
        said = told(capsys, ["front", str(project), *words], 2)
        assert not said["ok"] and said["exit_code"] == 2 and said["error"]["found"]
    assert open_project(project).generation == before


def test_a_locked_patch_is_kept_and_the_difference_is_told(project, capsys):
    told(capsys, ["plan", str(project)])
    first = table(project, "plan_parcel")
    largest = first[first["measure"] != "keep"].sort_values("area_m2")["patch_id"].iloc[-1]
    said = told(capsys, ["plan", str(project), "--lock", largest, "--compare"])
    second, changed = table(project, "plan_parcel").set_index("patch_id"), table(project, "plan_diff").set_index("patch_id")
    assert second.loc[largest, "measure"] == "keep" and "用户锁定" in second.loc[largest, "reason"]
    assert changed.loc[largest, "measure_before"] == first.set_index("patch_id").loc[largest, "measure"]
    figures = said["figures"]
    assert figures["changed_against_previous"] == len(changed) > 0
    assert figures["objective"] <= figures["objective_previous"] + 1e-9
    assert changed["score_change"].sum() <= 1e-9
    assert figures["cost_change_yuan"] == pytest.approx(second["cost_yuan"].sum() - first["cost_yuan"].sum(), abs=0.01)
    assert any("与上一方案比较" in line for line in said["lines"])
    assert table(project, "plan_diff_village")["patches"].sum() == len(changed)


def test_a_lock_to_a_measure_is_obeyed_or_refused_with_its_reason(project, capsys):
    told(capsys, ["plan", str(project)])
    options, plan = table(project, "measure_options"), table(project, "plan_parcel").set_index("patch_id")
    open_ = options[(options["blocked_by"].fillna("") == "") & (options["measure"] != "keep")]
    idle = next(r for r in open_.itertuples() if plan.loc[r.patch_id, "measure"] == "keep" and r.measure != "merge_fields" and r.cost_yuan < 1e5)
    said = told(capsys, ["plan", str(project), "--lock", f"{idle.patch_id}={idle.measure}"])
    assert said["ok"] and table(project, "plan_parcel").set_index("patch_id").loc[idle.patch_id, "measure"] == idle.measure
    for lock in ("NOPE", f"{idle.patch_id}=retire_steep", f"{idle.patch_id}=magic", "="):
        assert not told(capsys, ["plan", str(project), "--lock", lock], 2)["ok"]


def test_alternatives_are_near_enough_far_away_and_bounded(project, capsys):
    said = told(capsys, ["alternatives", str(project), "--count", "1", "--loss", "0.01", "--seconds", "4"])
    row, listed = said["figures"]["alternatives"][0], table(project, "alternative_plans")
    best = said["figures"]["objective"]
    assert len(listed) == 1 and best * 0.99 - 1e-6 <= row["score"] <= said["figures"]["bound"]
    assert 0 < row["nearest_m2"] <= row["mean_distance_m2"] <= row["distance_bound_m2"]
    differs = table(project, "alternative_diff")
    assert (differs["number"] == 1).all() and differs["area_m2"].sum() <= row["mean_distance_m2"] + 0.01
    layer = read_frame(open_project(project).state / "layers" / "alternative_plan_01.parquet")
    assert layer["cost_yuan"].sum() == pytest.approx(row["cost_yuan"], abs=0.01)
    for words in (["--count", "0"], ["--loss", "2"], ["--gap", "-1"]):
        assert not told(capsys, ["alternatives", str(project), *words], 2)["ok"]


def test_two_states_of_a_project_are_compared_and_nothing_is_written(project, capsys, tmp_path):
    told(capsys, ["plan", str(project)])
    first = open_project(project).generation
    told(capsys, ["plan", str(project), "--budget", "1500", "--compare"])
    second, changed = open_project(project).generation, table(project, "plan_diff")
    said = told(capsys, ["plan-diff", str(project), "--state", str(first), "--out", str(tmp_path / "d.csv")])
    assert said["figures"]["changed_against_previous"] == len(changed) == len(pd.read_csv(tmp_path / "d.csv")) > 0
    assert said["lines"][0].startswith(f"第 {first:04d} 版") and any("预算" in line for line in said["lines"])
    assert told(capsys, ["plan-diff", str(project)])["figures"]["changed_against_previous"] == len(changed)
    assert told(capsys, ["plan-diff", str(project), "--other", str(project)])["figures"]["changed_against_previous"] == 0
    assert told(capsys, ["plan-diff", str(project), "--state", "1"], 2)["error"]["cure"]
    assert open_project(project).generation == second


def test_a_smallest_block_is_kept_and_its_price_told(project, capsys):
    said = told(capsys, ["plan", str(project), "--min-block", "100"])
    record = json.loads((open_project(project).state / "tables" / "certificate.json").read_text(encoding="utf-8"))["minimum_block"]
    assert record["price"] >= 0 and record["objective_hard"] == pytest.approx(said["figures"]["objective"]) and any("硬性规则的代价" in x for x in said["lines"])
    assert told(capsys, ["verify-plan", str(project)])["ok"]
    assert told(capsys, ["plan", str(project), "--min-block", "9999"], 4)["error"]["conflict"] == ["minimum_block"]
    assert not told(capsys, ["plan", str(project), "--min-block", "-1"], 2)["ok"]


def test_a_conflict_is_told_in_both_languages_and_for_machines(project, capsys):
    said = told(capsys, ["plan", str(project), "--budget", "1"], 4)
    assert said["error"]["kind"] == "InfeasibleError" and set(said["error"]["conflict"]) == {"Z-01", "budget"}
    assert "若仅此项让步, 须上调" in said["error"]["found_zh"] and "missing" in said["error"]["found"]


def test_a_comparison_needs_a_plan_and_evaluation_takes_fronts_out(project, capsys):
    told(capsys, ["front", str(project), "--points", "4", "--keep", "all"])
    assert any(n.startswith("front_plan_") for n in read_catalog(open_project(project).state))
    assert main(["evaluate", "--quiet", str(project)]) == 0
    state = open_project(project).state
    assert not any(n.startswith("front_plan_") for n in read_catalog(state)) and not list((state / "tables").glob("front*"))
    assert not (state / "front_proofs").exists()
    assert told(capsys, ["plan", str(project), "--compare"], 2)["error"]["kind"] == "MissingDataError"
    assert main(["plan", "--quiet", str(project)]) == 0


@pytest.fixture(scope="module")
def slow_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A township with a window on every measure of every village: the exact search takes far longer than the test."""
    folder = tmp_path_factory.mktemp("slow") / "p"
    assert main(["village", "--quiet", "--into", str(folder), "--patches", "1500"]) == 0
    assert main(["evaluate", "--quiet", str(folder)]) == 0
    assert main(["plan", "--quiet", str(folder)]) == 0
    done = table(folder, "plan_parcel")
    area = done[done["measure"] != "keep"].groupby(["village_code", "measure"])["class_area_m2"].sum()
    windows = [f'{{measure="{m}", village_code="{v}", max_m2={a * 0.37:.2f}}}' for (v, m), a in area.items()]
    settings = folder / "project.toml"
    head = settings.read_text(encoding="utf-8").split("[plan]")[0]
    settings.write_text(f"{head}[plan]\nwindows=[{','.join(windows)}]\n[documents]\n[office]\n", encoding="utf-8")
    return folder


def interrupted(folder: Path, *, times: int) -> subprocess.CompletedProcess[str]:
    words = ["plan", str(folder), "--gap", "0", "--seconds", "300", "--budget", "311.7", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "qianmo.cli.main", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env=dict(os.environ), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stderr is not None
    heard = ""
    while "· 差距" not in heard:
        line = process.stderr.readline()
        assert line, heard
        heard += line
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    out, rest = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, heard + rest)


def test_one_interrupt_gives_the_best_plan_so_far_with_its_gap(slow_project):
    began = time.monotonic()
    done = interrupted(slow_project, times=1)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 60
    said = json.loads(done.stdout)
    assert said["figures"]["interrupted"] and 0 < said["figures"]["gap"] < 1
    assert "余" in done.stderr and "再按一次" in done.stderr
    state = open_project(slow_project).state
    record = json.loads((state / "tables" / "certificate.json").read_text(encoding="utf-8"))
    assert record["gap_rel"] == pytest.approx(said["figures"]["gap"]) and all(c["ok"] for c in record["checks"])
    assert record["bound"] > record["objective"] > 0


def test_two_interrupts_leave_the_project_whole(slow_project):
    before = len(history(slow_project))
    done = interrupted(slow_project, times=2)
    assert done.returncode in (0, 130), done.stderr
    assert len(history(slow_project)) == before + (done.returncode == 0)
    assert not list(slow_project.glob(".staging-*"))
    assert (table(slow_project, "plan_parcel")["measure"] != "keep").any()
    assert main(["plan", "--quiet", str(slow_project), "--gap", "1"]) == 0
