"""From a solution to the folder that proves it (保存规划证明)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from qianmo import __version__
from qianmo.planning.problem import PlanProblem
from qianmo.planning.proof import border_shares, proof_record
from qianmo.planning.proof_arrays import proof_arrays
from qianmo.planning.solve import Solution
from qianmo.store.proof_folder import file_sha256, write_proof_folder

__all__ = ["keep_proof", "source_hashes"]


def keep_proof(
    folder: Path,
    problem: PlanProblem,
    solution: Solution,
    *,
    now: datetime,
    sources: Mapping[str, str] | None = None,
    area_m2: np.ndarray | None = None,
    patch_id: np.ndarray | None = None,
) -> dict[str, Any]:
    """Write the proof of a solution into a folder and return its record.

    Parameters
    ----------
    folder : Path
        A free name, or an older proof.
    sources : mapping path → SHA-256, optional
        Files the problem was built from, by their path in the project.
    area_m2, patch_id : (n,), optional
        Area [m2] and id of each patch.

    Raises
    ------
    NotAllowedError
        The folder is there and is no proof.
    """
    shares = border_shares(problem, solution.prices.split)
    area = None if area_m2 is None else np.rint(np.asarray(area_m2, float) * 100.0).astype(np.int64)
    record = proof_record(
        problem, solution.choice, solution.prices.limit, shares, made=now.isoformat(timespec="seconds"), software=f"qianmo {__version__}",
        method=solution.method, time_s=solution.time_s, solved_bound=solution.bound, sources=sources, area_dm2=area,
    )  # fmt: skip
    arrays = proof_arrays(problem, solution.choice, solution.prices.limit, shares, area_dm2=area, patch_id=patch_id)
    return write_proof_folder(folder, record, arrays)


def source_hashes(state: Path, names: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of the files of a generation that are there, by their path in it (来源指纹)."""
    return {name: file_sha256(state / name) for name in names if (state / name).is_file()}
