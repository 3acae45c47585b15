"""A grid and a county whose best plans are known, of any size: the engine, and the planted plan checked by NumPy alone.

The figure of every way is the planted score, as that way comes to it: the engine's row says how far its plan and bound lie from it,
the checker's row is the score that `check_plan.py` (NumPy, nothing of ours) recomputes from a proof folder of the planted plan.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import Outcome, Way, WayFailedError
from plan_instances import SEED

from qianmo.planning.make_selection import make_selection
from qianmo.planning.planted import planted_with_prices
from qianmo.planning.planted_county import planted_county
from qianmo.planning.prices import Prices
from qianmo.planning.problem import PlanProblem, objective
from qianmo.planning.proof import proof_record, stored_prices
from qianmo.planning.proof_arrays import proof_arrays
from qianmo.planning.solve import solve
from qianmo.schema.errors import QianmoError
from qianmo.store.proof_folder import CHECKER, is_proof_folder, write_proof_folder

__all__ = ["Planted", "planted_proof", "ways"]

_FULL = 10_000
"""Sizes from which the search gets its real time."""


@dataclass(frozen=True)
class Planted:
    """A problem, its best plan (n,), the score of it, and the prices that prove it."""

    problem: PlanProblem
    choice: np.ndarray
    score: float
    prices: Prices


def ways(size: int, cache: Path) -> list[Way]:
    """The search of the engine, then the check of the planted plan, for a grid with four limits and for a county of six uses."""
    seconds = 270.0 if size >= _FULL else 1.0
    made = (("planted grid", _grid), ("planted county", _county))
    return [way for task, make in made for way in (_searched(task, make, size, seconds), _checked(task, make, size, cache))]


def planted_proof(made: Planted, folder: Path) -> Path:
    """The planted plan with the planted prices as a proof folder."""
    prices = stored_prices(made.problem, made.prices)
    record = proof_record(made.problem, made.choice, prices, made="2026-01-01T00:00:00+00:00", software="benchmark", method="planted")
    write_proof_folder(folder, record, proof_arrays(made.problem, made.choice, prices))
    return folder


def _grid(n: int) -> Planted:
    side = round(n**0.5)
    problem, choice, prices = planted_with_prices(side, side, rng=np.random.default_rng(SEED))
    return Planted(problem, choice, objective(problem, choice), prices)


def _county(n: int) -> Planted:
    """Forty townships and two hundred villages for a million parcels, fewer for small counties; a third of the windows tight to the dm2."""
    made = planted_county(n, rng=np.random.default_rng(SEED), townships=int(np.clip(n // 2500, 2, 40)))
    return Planted(made.problem, made.choice, made.score, made.prices)


def _searched(task: str, make: Callable[[int], Planted], n: int, seconds: float) -> Way:
    box: dict[str, Planted] = {}

    def warm() -> None:
        solve(make_selection(4, 5, features=2, rng=np.random.default_rng(0)), gap=1e-2)
        box["made"] = make(n)

    def run() -> Outcome:
        best, began = box["made"].score, time.perf_counter()
        reached: list[tuple[float, float]] = []
        tell = lambda gap, share: reached.append((time.perf_counter() - began, gap))  # noqa: E731
        try:
            found = solve(box["made"].problem, gap=1e-4, time_limit_s=seconds, timer=time.perf_counter, tell=tell)
        except QianmoError:
            return Outcome(best, {"found no plan in s": time.perf_counter() - began})
        notes = {
            "plan": found.objective, "bound": found.bound, "gap": (found.bound - found.objective) / abs(found.bound),
            "plan below planted": 1.0 - found.objective / best, "bound above planted": found.bound / best - 1.0,
            **{f"s to gap {g:g}": next((at for at, gap in reached if gap <= g), float("nan")) for g in (1e-2, 1e-3)},
        }  # fmt: skip
        if not found.objective <= best * (1 + 1e-9) <= found.bound * (1 + 2e-9):
            raise WayFailedError(f"planted {best!r} lies outside plan {found.objective!r} and bound {found.bound!r}")
        return Outcome(best, notes)

    return Way(task, "qianmo solve, gap 0.0001", n, run, warm)


def _checked(task: str, make: Callable[[int], Planted], n: int, cache: Path) -> Way:
    folder = cache / f"{task.replace(' ', '-')}-{n}-{SEED}"

    def warm() -> None:
        if not is_proof_folder(folder):
            planted_proof(make(n), folder)

    def run() -> Outcome:
        done = subprocess.run([sys.executable, "-I", str(CHECKER), str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise WayFailedError(f"{task}, {n} rows: refused: {done.stdout[-500:]}{done.stderr[-500:]}")
        record = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
        return Outcome(record["objective"], {"bound": record["bound"], "gap": record["gap_rel"], "limits": len(record["limits"])})

    return Way(task, "planted plan and prices, check_plan.py", n, run, warm)
