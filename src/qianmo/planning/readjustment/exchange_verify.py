"""Checking an exchange and its certificate without any solver (调换方案核验).

Shares no code with the modules that make exchanges: costs, bound, values, areas and blocks are done again here, from the record
alone and, for blocks, from the drawn pieces by another route.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

__all__ = ["count_blocks", "fingerprint", "verify_exchange"]

_GRID_M = 1e-3


def verify_exchange(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Check a certificate by itself (核验调换方案).

    Returns
    -------
    list of dict, keys id, zh, ok, found, expected
        Flow conservation, objective, bound, gap, count of splits of each pool; value, area, cash and fairness of each owner.
    """
    checks = []
    for pool in record["pools"]:
        checks += _pool_checks(pool)
    total = sum(_pieces_cost(p, record["pieces"]) for p in record["pools"])
    bound = sum(int(p["bound"]) for p in record["pools"])
    checks.append(_row("objective", "总成本可复算", int(record["objective"]), total))
    checks.append(_row("bound", "总下界可复算", int(record["bound"]), bound))
    checks.append(_row("gap", "差距可复算", int(record["gap"]), total - bound))
    if record["is_split"]:
        checks.append(_row("proof", "分割方案的成本等于下界", total == bound, True))
    return checks + _owner_checks(record)


def fingerprint(pool: Mapping[str, Any]) -> str:
    """SHA-256 of what one pool is given: parcels, values, owners, sites, bonus, wanted values (范围指纹)."""
    given = {k: pool[k] for k in ("name", "scale", "parcel_id", "x", "y", "value_fen", "owner_before", "owner_id", "site_x", "site_y", "wanted_fen", "bonus")}
    return hashlib.sha256(json.dumps(given, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def count_blocks(geometry: np.ndarray, owner: np.ndarray, *, gap_m: float = 0.0, owners: int = 0) -> np.ndarray:
    """Blocks of each owner by merging its land into one drawing and counting the parts (连片块数复核).

    Another route than edges and graphs: each owner's pieces are widened by half the gap, united on a millimetre grid, and
    the parts counted.

    Returns
    -------
    (owners,) int
    """
    out = np.zeros(owners or int(owner.max()) + 1, dtype=int)
    for o in np.unique(owner):
        mine = geometry[owner == o]
        whole = shapely.union_all(shapely.buffer(mine, gap_m / 2) if gap_m > 0 else mine, grid_size=_GRID_M)
        out[o] = shapely.get_num_geometries(whole)
    return out


def _pool_checks(pool: Mapping[str, Any]) -> list[dict[str, Any]]:
    name, scale = pool["name"], float(pool["scale"])
    x, y, sx, sy = (np.array(pool[k], dtype=float) for k in ("x", "y", "site_x", "site_y"))
    value, wanted, price, bonus = (np.array(pool[k], dtype=np.int64) for k in ("value_fen", "wanted_fen", "price", "bonus"))
    j, o, f = (np.array(pool[k], dtype=np.int64) for k in ("ship_parcel", "ship_owner", "ship_fen"))
    before = np.array(pool["owner_before"], dtype=np.int64)
    n, k = len(x), len(sx)
    proper = bool(len(j) and (j >= 0).all() and (j < n).all() and (o >= 0).all() and (o < k).all() and (f > 0).all())
    checks = [_row(f"{name}:shipments", "每笔划转为正且指向名单内的地块与权利人", proper, True)]
    if not proper:
        return checks
    checks.append(_row(f"{name}:sha256", "范围数据与指纹一致", fingerprint(pool), pool["sha256"]))
    checks.append(_row(f"{name}:given", "每块地的价值全部划出", _wrong(_total(j, f, n), value), 0))
    checks.append(_row(f"{name}:received", "每户收到的价值等于其交出的价值", _wrong(_total(o, f, k), wanted), 0))
    checks.append(_row(f"{name}:wanted", "应得价值等于原有价值", _wrong(_total(before, value, k), wanted), 0))
    splits = int((np.bincount(j, minlength=n) > 1).sum())
    checks.append(_row(f"{name}:splits", "分割地块数不超过户数减一", splits <= max(k - 1, 0), True))
    cost = _units(x[j] - sx[o], y[j] - sy[o], scale) - np.where(o == before[j], bonus[o], 0)
    objective = sum(a * b for a, b in zip(f.tolist(), cost.tolist()))
    checks.append(_row(f"{name}:objective", "运输成本可复算", int(pool["objective"]), objective))
    least = []
    for r in range(n):
        reduced = _units(x[r] - sx, y[r] - sy, scale) - price
        reduced[before[r]] -= bonus[before[r]]
        least.append(int(reduced.min()))
    bound = sum(a * b for a, b in zip(value.tolist(), least)) + sum(a * b for a, b in zip(wanted.tolist(), price.tolist()))
    checks.append(_row(f"{name}:bound", "由价格可复算的下界", int(pool["bound"]), bound))
    checks.append(_row(f"{name}:proof", "流的成本等于下界, 即最优", objective == bound, True))
    return checks


def _pieces_cost(pool: Mapping[str, Any], pieces: Mapping[str, Any]) -> int:
    """Cost of the pieces that come from one pool's parcels, from their names alone."""
    at = {name: r for r, name in enumerate(pool["parcel_id"])}
    who = {name: o for o, name in enumerate(pool["owner_id"])}
    rows = [(at[p], who[o], v) for p, o, v in zip(pieces["parcel_id"], pieces["owner_id"], pieces["value_fen"]) if p in at]
    total = 0
    for r, o, v in rows:
        d = _units(np.array(pool["x"][r] - pool["site_x"][o]), np.array(pool["y"][r] - pool["site_y"][o]), float(pool["scale"]))
        total += v * (int(d) - (pool["bonus"][o] if pool["owner_before"][r] == o else 0))
    return total


def _owner_checks(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    who, piece, limit = record["owners"], record["pieces"], record["tolerances"]
    place = {name: i for i, name in enumerate(who["owner_id"])}
    at = np.array([place.get(name, -1) for name in piece["owner_id"]])
    if (at < 0).any():
        return [_row("owners", "地块权利人均在名单中", int((at < 0).sum()), 0)]
    k = len(place)
    value, area = (_total(at, np.array(piece[c], dtype=np.int64), k) for c in ("value_fen", "area_dm2"))
    old_value, old_area = (np.array(who[c], dtype=np.int64) for c in ("value_before_fen", "area_before_dm2"))
    drawn = np.bincount(at, np.array(piece["value_cut_fen"], dtype=float), k)
    far = np.array(who["distance_before_m"], dtype=float), np.array(who["distance_after_m"], dtype=float)
    rows = [
        _row("value_after", "各户调换后价值可复算", _wrong(value, np.array(who["value_after_fen"], dtype=np.int64)), 0),
        _row("area_after", "各户调换后面积可复算", _wrong(area, np.array(who["area_after_dm2"], dtype=np.int64)), 0),
        _row("value_total", "总价值不变 (分)", int(value.sum()), int(old_value.sum())),
        _row("area_total", "总面积不变 (平方分米)", int(area.sum()), int(old_area.sum())),
        _row("fair_value", "按图上分割, 各户价值在容许差内", int((np.abs(drawn - old_value) > limit["value"] * old_value + 0.5).sum()), 0),
        _row("fair_distance", "无人平均距离变远", int((far[1] > far[0] * (1 + limit["distance"]) + 1e-6).sum()), 0),
        _row("fair_blocks", "无人块数增加", int((np.array(who["blocks_after"]) > np.array(who["blocks_before"])).sum()), 0),
    ]
    if limit["area"] is not None:
        rows.append(_row("fair_area", "各户面积在容许差内", int((np.abs(area - old_area) > limit["area"] * old_area + 0.5).sum()), 0))
    if record["is_split"]:
        rows.append(_row("exact_value", "各户价值一分不差", _wrong(value, old_value), 0))
    return rows


def _units(dx: np.ndarray, dy: np.ndarray, scale: float) -> np.ndarray:
    return np.asarray(np.rint((dx**2 + dy**2) * scale), dtype=np.int64)


def _total(at: np.ndarray, amount: np.ndarray, size: int) -> np.ndarray:
    out = np.zeros(size, dtype=np.int64)
    np.add.at(out, at, amount)
    return out


def _wrong(a: np.ndarray, b: np.ndarray) -> int:
    return int((a != b).sum()) if a.shape == b.shape else -1


def _row(check: str, zh: str, found: Any, expected: Any) -> dict[str, Any]:
    return {"id": check, "zh": zh, "ok": bool(found == expected), "found": found, "expected": expected}
