"""Who gives what to whom, cash that settles the rest, and who must consent (权属调整协议与同意清单)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.readjustment.holdings import KEPT_REASONS, Holdings
from qianmo.planning.readjustment.pieces import Pieces

__all__ = ["agreements", "consents", "owner_balance", "piece_table"]


def piece_table(problem: Holdings, pieces: Pieces, block: np.ndarray) -> pd.DataFrame:
    """One row a piece: where it comes from, old and new owner, value, area, block (调换后地块表)."""
    old = problem.owner[pieces.parcel]
    count = pd.Series(pieces.parcel).groupby(pieces.parcel).cumcount() + 1
    label = [f"{p}-{c}" if cut else str(p) for p, c, cut in zip(problem.parcel_id[pieces.parcel], count, pieces.is_cut)]
    return pd.DataFrame({
        "piece_id": label, "parcel_id": problem.parcel_id[pieces.parcel].astype(str), "owner_before": problem.owner_id[old].astype(str),
        "owner_after": problem.owner_id[pieces.owner].astype(str), "is_moved": old != pieces.owner, "is_cut": pieces.is_cut,
        "area_m2": pieces.area_dm2 / 100.0, "value_yuan": pieces.value_fen / 100.0, "block": block.astype(int),
        "kept_reason": [KEPT_REASONS[r] if r else "" for r in problem.reason[pieces.parcel]],
    })  # fmt: skip


def agreements(table: pd.DataFrame) -> pd.DataFrame:
    """One row a pair of owners and direction: pieces, area and value that pass from one to the other (互换协议基础表)."""
    moved = table[table["is_moved"]]
    grouped = moved.groupby(["owner_before", "owner_after"], as_index=False)
    found = grouped.agg(pieces=("piece_id", "size"), area_m2=("area_m2", "sum"), value_yuan=("value_yuan", "sum"), piece_ids=("piece_id", "、".join))
    named = found.rename(columns={"owner_before": "giver", "owner_after": "taker"})
    return named.assign(area_m2=named["area_m2"].round(2), value_yuan=named["value_yuan"].round(2))


def owner_balance(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """One row an owner: value, area, distance, plots and blocks before and after, and the cash that settles the value (权利人平衡表).

    ``cash_yuan`` is what the owner receives: value before less value after, to the fen; the column sums to zero.
    """
    out = pd.DataFrame({"owner_id": before["owner_id"].astype(str)})
    for name, unit, scale in (("value", "yuan", 100.0), ("area", "m2", 100.0)):
        source = {"value": "value_fen", "area": "area_dm2"}[name]
        for when, frame in (("before", before), ("after", after)):
            out[f"{name}_{when}_{unit}"] = frame[source].to_numpy() / scale
    for name in ("mean_distance_m", "plots", "blocks"):
        for when, frame in (("before", before), ("after", after)):
            column = f"distance_{when}_m" if name == "mean_distance_m" else f"{name}_{when}"
            out[column] = frame[name].to_numpy()
    out["cash_yuan"] = (before["value_fen"].to_numpy() - after["value_fen"].to_numpy()) / 100.0
    return out


def consents(table: pd.DataFrame) -> pd.DataFrame:
    """Owners whose land changes and who must sign, with how many pieces they give and take (同意签字清单)."""
    moved = table[table["is_moved"]]
    gives, takes = moved["owner_before"].value_counts(), moved["owner_after"].value_counts()
    names = sorted(set(gives.index) | set(takes.index))
    given, taken = (np.array([int(s.get(n, 0)) for n in names], dtype=int) for s in (gives, takes))
    return pd.DataFrame({"owner_id": names, "gives": given, "takes": taken, "consent": ["待签"] * len(names)})
