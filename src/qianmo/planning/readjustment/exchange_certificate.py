"""The certificate of an exchange: owner prices that prove the transport cost least (调换方案证书)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qianmo.planning.readjustment.exchange import Exchange, ExchangeSettings
from qianmo.planning.readjustment.exchange_verify import fingerprint
from qianmo.planning.readjustment.holdings import centroids
from qianmo.planning.readjustment.sites import integer_costs

__all__ = ["exchange_certificate"]


def exchange_certificate(found: Exchange, settings: ExchangeSettings) -> dict[str, Any]:
    """A record from which a stranger recomputes cost and bound in one pass, with nothing but NumPy (调换方案证书).

    For each pool: parcels (x, y, value, owner before), owners (site, value wanted, price, bonus for land left with its owner), shipments, cost and bound. The bound
    is the sum over parcels of value times the least of cost less price, plus prices times wanted values: no exchange of these
    values to these sites can cost less. All of it whole numbers.

    Returns
    -------
    dict
        Ready for JSON. ``objective`` is the cost of the pieces as they lie, ``gap`` objective less bound: 0 when parcels are cut; ``attained`` the share of the possible
        improvement over the status quo that the flow reaches.
    """
    points = centroids(found.problem)
    pools = [_pool(found, points, rows, flow, who) for rows, flow, who in found.shipped]
    bound, start = (sum(int(p[k]) for p in pools) for k in ("bound", "status_quo"))
    objective = sum(_reached(found, points, rows, flow, who) for rows, flow, who in found.shipped)
    return {
        "format": "qianmo-exchange-1", "pools": pools, "objective": objective, "bound": bound, "gap": objective - bound, "status_quo": start,
        "attained": (start - objective) / (start - bound) if start > bound else 1.0, "is_split": found.is_split,
        "tolerances": {"value": settings.value_tolerance, "distance": settings.distance_tolerance, "area": _finite(settings.area_tolerance)},
        "owners": _owners(found), "pieces": _pieces(found),
    }  # fmt: skip


def _pool(found: Exchange, points: np.ndarray, rows: np.ndarray, flow: Any, who: np.ndarray) -> dict[str, Any]:
    problem = found.problem
    site = np.round(found.sites[who], 3)
    value = problem.value_fen[rows]
    place = {int(o): i for i, o in enumerate(who)}
    now = np.array([place[int(o)] for o in problem.owner[rows]])
    wanted = np.zeros(len(who), np.int64)
    np.add.at(wanted, now, value)
    stays = np.where(flow.owner == now[flow.parcel], flow.bonus[flow.owner], 0)
    cost = integer_costs(points[rows][flow.parcel], site[flow.owner], flow.scale) - stays
    least = np.concatenate([
        (integer_costs(block[:, None, :], site[None, :, :], flow.scale) - flow.price[None, :]).min(axis=1)
        for block in np.array_split(points[rows], max(1, len(rows) // 2000))
    ])  # fmt: skip
    own = integer_costs(points[rows], site[now], flow.scale) - flow.bonus[now]
    least = np.minimum(least, own - flow.price[now])
    record = {
        "name": str(problem.pool_id[problem.pool[rows[0]]]), "scale": flow.scale, "parcel_id": _texts(problem.parcel_id[rows]),
        "x": points[rows, 0].tolist(), "y": points[rows, 1].tolist(), "value_fen": value.tolist(), "owner_before": now.tolist(),
        "owner_id": _texts(problem.owner_id[who]), "site_x": site[:, 0].tolist(), "site_y": site[:, 1].tolist(), "wanted_fen": wanted.tolist(),
        "price": flow.price.tolist(), "bonus": flow.bonus.tolist(), "ship_parcel": flow.parcel.tolist(), "ship_owner": flow.owner.tolist(), "ship_fen": flow.amount.tolist(),
        "objective": _dot(flow.amount, cost), "bound": _dot(value, least) + _dot(wanted, flow.price),
        "status_quo": _dot(value, own),
    }  # fmt: skip
    return {**record, "sha256": fingerprint(record)}


def _reached(found: Exchange, points: np.ndarray, rows: np.ndarray, flow: Any, who: np.ndarray) -> int:
    """Cost of the pieces of one pool with the owners they have."""
    p = found.pieces
    mine = np.isin(p.parcel, rows)
    parcel, owner = p.parcel[mine], p.owner[mine]
    site, bonus = np.full((found.problem.k, 2), np.nan), np.zeros(found.problem.k, np.int64)
    site[who], bonus[who] = np.round(found.sites[who], 3), flow.bonus
    cost = integer_costs(points[parcel], site[owner], flow.scale) - np.where(owner == found.problem.owner[parcel], bonus[owner], 0)
    return _dot(p.value_fen[mine], cost)


def _owners(found: Exchange) -> dict[str, Any]:
    b, a = found.before, found.after
    return {
        "owner_id": _texts(b["owner_id"]), "value_before_fen": b["value_fen"].tolist(), "value_after_fen": a["value_fen"].tolist(),
        "area_before_dm2": b["area_dm2"].tolist(), "area_after_dm2": a["area_dm2"].tolist(),
        "distance_before_m": b["mean_distance_m"].tolist(), "distance_after_m": a["mean_distance_m"].tolist(),
        "blocks_before": b["blocks"].tolist(), "blocks_after": a["blocks"].tolist(),
    }  # fmt: skip


def _pieces(found: Exchange) -> dict[str, Any]:
    p, problem = found.pieces, found.problem
    return {
        "parcel_id": _texts(problem.parcel_id[p.parcel]), "owner_id": _texts(problem.owner_id[p.owner]), "value_fen": p.value_fen.tolist(),
        "area_dm2": p.area_dm2.tolist(), "value_cut_fen": p.value_cut_fen.tolist(),
    }  # fmt: skip


def _dot(a: np.ndarray, b: np.ndarray) -> int:
    return sum(x * y for x, y in zip(a.tolist(), b.tolist()))


def _texts(values: Iterable[object]) -> list[str]:
    return [str(v) for v in values]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
