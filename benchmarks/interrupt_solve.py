"""Interrupt `qianmo solve` on a county at set moments: `python benchmarks/interrupt_solve.py --size 100000 --cache FOLDER`.

One SIGINT each: while the program starts, reads, finds first prices, has a plan, searches on, and writes the proof. After every one there is
a whole proof that `qianmo verify-plan` and `check_plan.py` accept, with the gap that was told, or nothing at all and exit code 130.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from plan_instances import SEED

from qianmo.planning.allocation import allocation_problem
from qianmo.planning.exchange import problem_tables
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.store.problem_file import write_problem_file

__all__ = ["MOMENTS", "Ended", "county_problem_file", "interrupted", "main", "verdict"]

MOMENTS = {
    "starting": ("", 0.15), "reading": ("读取规划问题", 0.3), "first prices": ("求解", 0.2), "a plan is there": ("· 差距", 0.0),
    "searching on": ("· 差距", 2.5), "writing": ("保存证明", 0.1), "checking": ("独立核验", 0.1),
}  # fmt: skip
"""Words of the progress after which the signal is sent, and how much later [s]."""


@dataclass(frozen=True)
class Ended:
    """How one interrupted run ended: exit code, what it told, seconds from the signal to the end (nan: it ended before the moment came)."""

    code: int
    told: dict
    errors: str
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Interrupt at every moment and print a table; 1 where something half-made or unproven is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000, help="parcels of the invented county [100000]")
    parser.add_argument("--cache", help="folder that keeps made problem files [a temporary one]")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit given to the search [60]")
    asked = parser.parse_args(arguments)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        problem = county_problem_file(asked.size, Path(asked.cache or scratch))
        print("| parcels | interrupted while | exit | proof left | gap told | s to the end | load |\n| ---: | --- | ---: | --- | ---: | ---: | ---: |")
        for moment, (words, later) in MOMENTS.items():
            out = Path(scratch) / "proof"
            load = os.getloadavg()[0]
            ended = interrupted(problem, out, words, later, seconds=asked.seconds)
            said = verdict(ended, out)
            gap = f"{ended.told['gap_rel']:.4%}" if "gap_rel" in ended.told else ""
            print(f"| {asked.size:,} | {moment} | {ended.code} | {said} | {gap} | {ended.seconds:.1f} | {load:.1f} |", flush=True)
            wrong += said not in ("none", "whole, accepted twice")
            shutil.rmtree(out, ignore_errors=True)
    return int(bool(wrong))


def county_problem_file(size: int, cache: Path, *, uses: int = 6) -> Path:
    """An invented county as a problem file."""
    path = cache / f"county-{size}-{uses}-{SEED}.qproblem"
    if not path.is_file():
        towns = int(np.clip(size // 2500, 2, 40))
        question = make_county(size, rng=np.random.default_rng(SEED), recipe=CountyRecipe(uses=uses, townships=towns, villages=towns * 5))
        record, tables = problem_tables(allocation_problem(question), name=f"county {size}", area_dm2=question.area_dm2)
        write_problem_file(path, record, tables)
    return path


def interrupted(problem: Path, out: Path, words: str, later: float, *, seconds: float, gap: float = 1e-6) -> Ended:
    """Run the real command and send one SIGINT `later` seconds after the progress says `words`."""
    command = [sys.executable, "-m", "qianmo.cli.main", "solve", "--problem", str(problem), "--out", str(out), "--json"]
    process = subprocess.Popen(
        [*command, "--gap", str(gap), "--seconds", str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env=dict(os.environ), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stderr is not None and process.stdout is not None
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.append(process.stdout.read()))
    reader.start()
    heard, sent = "", 0.0
    if not words:
        time.sleep(later)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
    for line in process.stderr:
        heard += line
        if not sent and words in line:
            time.sleep(later)
            process.send_signal(signal.SIGINT)
            sent = time.monotonic()
    process.wait()
    reader.join()
    text = "".join(told).strip()
    return Ended(process.returncode, json.loads(text) if text.startswith("{") else {}, heard, time.monotonic() - sent if sent else float("nan"))


def verdict(ended: Ended, out: Path) -> str:
    """What is left: nothing, a whole proof that both checkers accept, or what is wrong."""
    stray = sorted(p.name for p in out.parent.iterdir() if "proof" in p.name and p != out)
    if stray:
        return f"half-made {stray[0]}"
    if not out.exists():
        return "none" if ended.code not in (0, 1) else f"none, yet exit code {ended.code}"
    ours = subprocess.run([sys.executable, "-m", "qianmo.cli.main", "verify-plan", str(out), "--quiet"], capture_output=True, check=False)
    alone = subprocess.run([sys.executable, "-I", str(out / "check_plan.py"), str(out)], capture_output=True, check=False)
    if ours.returncode or alone.returncode:
        return f"refused: verify-plan {ours.returncode}, check_plan.py {alone.returncode}"
    record = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    if ended.told and record["gap_rel"] != ended.told["gap_rel"]:
        return "another gap than told"
    return "whole, accepted twice"


if __name__ == "__main__":
    sys.exit(main())
