"""Checking a plan and its proof: the house program and the stand-alone script on the same folder."""

from __future__ import annotations

from pathlib import Path

from measure import Way
from proofs import proof_folder

from qianmo.planning.proof_arrays import read_proof
from qianmo.planning.verify import verify
from qianmo.store.check_plan import check
from qianmo.store.proof_folder import read_proof_folder

__all__ = ["ways"]


def ways(size: int, cache: Path) -> list[Way]:
    """Two ways, files read and hashed included; the figure is the bound that both recompute."""
    folder, small = proof_folder(size, cache), proof_folder(min(size, 200), cache)
    return [
        Way("verify", "qianmo verify-plan", size, lambda: _house(folder), lambda: _house(small)),
        Way("verify", "check_plan.py", size, lambda: _stranger(folder), lambda: _stranger(small)),
    ]


def _house(folder: Path) -> float:
    record, arrays = read_proof_folder(folder)
    proof = read_proof(record, arrays)
    checks = verify(proof.problem, proof.choice, record, proof.prices)
    _all_hold([(c["id"], c["ok"]) for c in checks])
    return float(next(c["found"] for c in checks if c["id"] == "bound"))


def _stranger(folder: Path) -> float:
    rows = check(str(folder))
    _all_hold([(r[0], r[1]) for r in rows])
    return float(next(r[2] for r in rows if r[0].endswith(" bound") and isinstance(r[2], float)))


def _all_hold(checks: list[tuple[str, bool]]) -> None:
    failed = [name for name, ok in checks if not ok]
    if failed:
        raise ValueError(f"checks failed: {failed[:5]}")
