"""Certificate of a re-allotment: objective, the bound the solver claims, room in each limit, hashes (分地证书)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.allotment.assign import Assignment
from qianmo.planning.allotment.assignment_problem import AssignmentProblem
from qianmo.planning.allotment.settings import AllotmentSettings

__all__ = ["allotment_certificate", "table_sha256"]


def allotment_certificate(
    done: Assignment, problem: AssignmentProblem, lots: gpd.GeoDataFrame, ledger: pd.DataFrame, settings: AllotmentSettings, *,
    inputs: Mapping[str, pd.DataFrame], checks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """What was reached and what is claimed, ready for JSON (分地证书).

    ``solver_bound_claimed`` is what HiGHS reports for the pairs allowed; no price list proves it here.
    """
    count = ledger.set_index("owner_id")["lots"]
    most = dict(zip(problem.owner_names, problem.lots_max.tolist()))
    reserve = ~ledger["owner_id"].isin(["RESERVE"])
    entitled, deducted = int(ledger.loc[reserve, "entitlement_fen"].sum()), int(ledger.loc[reserve, "deduction_fen"].sum())
    slack = [
        ("width_m", "宗块最小宽度余量", float(lots["width_m"].min()) - settings.lot_width_min_m),
        ("area_m2", "宗块最小面积余量", float(lots["area_m2"].min()) - settings.lot_area_min_m2),
        ("frontage_m", "最短临路长度", float(lots["frontage_m"].min())),
        ("lots", "每户地块数余量", float(min(most[o] - int(n) for o, n in count.items()))),
        ("deduction_share", "扣减率余量", (settings.deduction_share_max if settings.deduction_share is None else settings.deduction_share) - deducted / entitled),
        ("value_fen", "价值平衡差额", float(int(ledger["allotted_fen"].sum()) - int(problem.block_value.sum()))),
    ]
    every = len(problem.owner) == len(problem.owner_names) * len(problem.block_names)
    return {
        "kind": "allotment", "objective_m": done.objective, "solver_bound_claimed_m": done.bound, "gap_rel": done.gap_rel, "status": done.status,
        "solver": "HiGHS in scipy.optimize.milp", "pairs": "all" if every else "nearest blocks and wishes; the bound holds for these pairs",
        "owners": len(problem.owner_names), "blocks": len(problem.block_names), "lots": len(lots), "deduction_share": deducted / entitled,
        "slacks": [{"id": i, "zh": zh, "slack": s} for i, zh, s in slack], "settings": asdict(settings),
        "inputs_sha256": {name: table_sha256(frame) for name, frame in inputs.items()}, "lots_sha256": table_sha256(lots), "checks": [dict(c) for c in checks],
    }  # fmt: skip


def table_sha256(frame: pd.DataFrame) -> str:
    """SHA-256 of a table: columns by name, values as text, shapes as WKB (数据指纹)."""
    digest = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        digest.update(name.encode() + b"\0")
        column = frame[name]
        if isinstance(frame, gpd.GeoDataFrame) and name == frame.geometry.name:
            for raw in shapely.to_wkb(np.asarray(column.array)):
                digest.update(raw)
        else:
            for value in column.tolist():
                digest.update(repr(value).encode() + b"\0")
    return digest.hexdigest()
