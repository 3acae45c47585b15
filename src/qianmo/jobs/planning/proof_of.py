"""From a solution to the folder that proves it (保存规划证明)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from qianmo import __version__
from qianmo.planning.case_bounds import CasePrices
from qianmo.planning.problem import PlanProblem
from qianmo.planning.proof import proof_record, solver_of, stored_prices
from qianmo.planning.proof_arrays import proof_arrays
from qianmo.planning.solve import Solution
from qianmo.store.proof_folder import file_sha256, write_proof_folder

__all__ = ["by_cases", "keep_proof", "source_hashes"]


def keep_proof(
    folder: Path,
    problem: PlanProblem,
    solution: Solution,
    *,
    now: datetime,
    prices: CasePrices | None = None,
    sources: Mapping[str, str] | None = None,
    area_m2: np.ndarray | None = None,
    patch_id: np.ndarray | None = None,
) -> dict[str, Any]:
    """Write the proof of a solution into a folder and return its record.

    Parameters
    ----------
    folder : Path
        A free name, or an older proof.
    prices : CasePrices, optional
        As the proof is to keep them, where they are at hand.
    sources : mapping path → SHA-256, optional
        Files the problem was built from, by their path in the project.
    area_m2, patch_id : (n,), optional
        Area [m2] and id of each patch.

    Raises
    ------
    NotAllowedError
        The folder is there and is no proof.
    """
    prices = stored_prices(problem, solution.prices, solution.branches) if prices is None else prices
    area = None if area_m2 is None else np.rint(np.asarray(area_m2, float) * 100.0).astype(np.int64)
    record = proof_record(
        problem, solution.choice, prices, made=now.isoformat(timespec="seconds"), software=f"qianmo {__version__}",
        method=solution.method, solver=solver_of(solution.method), time_s=solution.time_s, solved_bound=solution.bound, sources=sources, area_dm2=area,
    )  # fmt: skip
    arrays = proof_arrays(problem, solution.choice, prices, area_dm2=area, patch_id=patch_id)
    return write_proof_folder(folder, record, arrays)


def by_cases(cases: int) -> str:
    """Words behind a gap that is proven by cases; none where one set of prices proves it."""
    return f", 分 {cases} 种情形证明" if cases > 1 else ""


def source_hashes(state: Path, names: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of the files of a generation that are there, by their path in it (来源指纹)."""
    return {name: file_sha256(state / name) for name in names if (state / name).is_file()}
