"""A whole-area allocation from four tables with ids (由表格生成配置问题)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.allocation_parts import FREE, Allocation, Borders, RegionSystem, Window
from qianmo.schema.errors import SchemaError

__all__ = ["allocation_from_tables"]


def allocation_from_tables(
    parcels: pd.DataFrame,
    conversions: pd.DataFrame,
    *,
    borders: pd.DataFrame | None = None,
    windows: pd.DataFrame | None = None,
    regions: tuple[str, ...] = (),
    points_per_m: float = 0.0,
) -> Allocation:
    """The question of a whole area from tables; further rows are added with ``dataclasses.replace`` (表格输入).

    Parameters
    ----------
    parcels : DataFrame (parcel_id, area_dm2, use, [locked_use], one column a region system)
        `locked_use` is the only use the parcel may have, empty where free.
    conversions : DataFrame (parcel_id, use, cost, [reason], [rule_id])
        One row for every parcel and every use. A row with a `reason` is forbidden.
    borders : DataFrame (parcel_a, parcel_b, length_m), optional
    windows : DataFrame (system, region, use, least_dm2, most_dm2, [rule_id]), optional
        Empty where there is no such side.
    regions : tuple of text
        Columns of `parcels` that are region systems; empty cells lie outside all regions.
    points_per_m : float
        Score for a metre of border between equal uses. [points/m]

    Raises
    ------
    SchemaError
        Missing columns, repeated or unknown parcels, unknown uses, a conversion missing or given twice; rows are named.
    """
    _need(parcels, "parcels", ("parcel_id", "area_dm2", "use", *regions))
    _need(conversions, "conversions", ("parcel_id", "use", "cost"))
    ids = pd.Index(parcels["parcel_id"].astype(str))
    if not ids.is_unique:
        raise SchemaError(f"parcels repeat: rows {np.flatnonzero(ids.duplicated())[:5].tolist()}", expected="each parcel once")
    uses = tuple(sorted(conversions["use"].astype(str).unique()))
    kinds = pd.Index(uses)
    cost, forbidden, reasons = _tables(conversions, ids, kinds)
    return Allocation(
        uses=uses,
        area_dm2=_whole(parcels["area_dm2"], "area_dm2 of parcels"),
        current=_place(kinds, parcels["use"], "use of parcels").astype(np.int8),
        cost=cost,
        lock=_locks(parcels, kinds),
        forbidden=forbidden,
        reasons=reasons,
        borders=None if borders is None else _borders(borders, ids),
        points_per_m=points_per_m,
        regions=tuple(_system(parcels, name) for name in regions),
        windows=() if windows is None else _windows(windows),
    )


def _tables(conversions: pd.DataFrame, ids: pd.Index, kinds: pd.Index) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, str], ...]]:
    row = _place(ids, conversions["parcel_id"], "parcel_id of conversions")
    column = _place(kinds, conversions["use"], "use of conversions")
    given = np.zeros((len(ids), len(kinds)), np.int64)
    np.add.at(given, (row, column), 1)
    if (given != 1).any():
        wrong = [(ids[r], kinds[k], int(given[r, k])) for r, k in np.argwhere(given != 1)[:5]]
        raise SchemaError(f"conversions (parcel, use, times given) {wrong}", expected="each parcel and use once")
    cost = np.empty(given.shape)
    cost[row, column] = pd.to_numeric(conversions["cost"], errors="coerce")
    forbidden = np.zeros(given.shape, np.uint8)
    reason, rule = _text(conversions, "reason"), _text(conversions, "rule_id")
    pairs = sorted({(a, b) for a, b in zip(reason, rule) if a})
    if len(pairs) > 255:
        raise SchemaError(f"{len(pairs)} reasons", expected="at most 255 pairs of reason and rule id")
    code = {pair: k + 1 for k, pair in enumerate(pairs)}
    forbidden[row, column] = [code.get(pair, 0) for pair in zip(reason, rule)]
    return cost, forbidden, tuple(pairs)


def _locks(parcels: pd.DataFrame, kinds: pd.Index) -> np.ndarray | None:
    if "locked_use" not in parcels:
        return None
    text = np.array(_text(parcels, "locked_use"), object)
    lock = np.full(len(parcels), FREE, np.int8)
    held = text != ""
    lock[held] = _place(kinds, pd.Series(text[held], index=np.flatnonzero(held)), "locked_use of parcels")
    return lock


def _borders(borders: pd.DataFrame, ids: pd.Index) -> Borders:
    _need(borders, "borders", ("parcel_a", "parcel_b", "length_m"))
    ends = [_place(ids, borders[name], f"{name} of borders").astype(np.int32) for name in ("parcel_a", "parcel_b")]
    return Borders(ends[0], ends[1], pd.to_numeric(borders["length_m"], errors="coerce").to_numpy(float))


def _system(parcels: pd.DataFrame, name: str) -> RegionSystem:
    text = pd.Series(_text(parcels, name))
    names = tuple(sorted(set(text) - {""}))
    return RegionSystem(name, name, names, pd.Index(names).get_indexer(text).astype(np.int32))


def _windows(windows: pd.DataFrame) -> tuple[Window, ...]:
    _need(windows, "windows", ("system", "region", "use", "least_dm2", "most_dm2"))
    sides = [
        [None if pd.isna(v) else int(w) for v, w in zip(windows[name], _whole(windows[name].fillna(0), f"{name} of windows"))]
        for name in ("least_dm2", "most_dm2")
    ]
    words = [_text(windows, name) for name in ("system", "region", "use", "rule_id")]
    return tuple(Window(s, r, u, a, b, rule) for s, r, u, rule, a, b in zip(*words, *sides))


def _whole(column: pd.Series, what: str) -> np.ndarray:
    value = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = ~np.isfinite(value) | (value != np.rint(value))
    if wrong.any():
        raise SchemaError(f"{what} is not a whole number: rows {np.flatnonzero(wrong)[:5].tolist()}", expected="whole dm2")
    return value.astype(np.int64)


def _place(index: pd.Index, column: pd.Series, what: str) -> np.ndarray:
    place = index.get_indexer(column.astype(str))
    if (place < 0).any():
        rows = np.flatnonzero(place < 0)
        raise SchemaError(
            f"unknown {what}: rows {[int(r) for r in rows[:5]]} say {column.astype(str).iloc[rows[:5]].tolist()}",
            expected=f"one of {len(index)} known",
        )
    return np.asarray(place)


def _text(frame: pd.DataFrame, name: str) -> list[str]:
    return [""] * len(frame) if name not in frame else ["" if pd.isna(v) else str(v) for v in frame[name]]


def _need(frame: pd.DataFrame, what: str, columns: tuple[str, ...]) -> None:
    missing = [c for c in columns if c not in frame]
    if missing:
        raise SchemaError(f"table {what} lacks columns {missing}", expected=", ".join(columns))
