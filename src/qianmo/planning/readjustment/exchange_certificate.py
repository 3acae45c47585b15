"""The certificate of an exchange: owner prices that prove the transport cost least (调换方案证书)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qianmo.planning.readjustment.exchange import Exchange, ExchangeSettings
from qianmo.planning.readjustment.holdings import centroids
from qianmo.planning.readjustment.sites import integer_costs

__all__ = ["exchange_certificate"]


def exchange_certificate(found: Exchange, settings: ExchangeSettings) -> dict[str, Any]:
    """A record from which a stranger recomputes cost and bound in one pass, with nothing but NumPy (调换方案证书).

    For each pool: parcels (x, y, value, owner before), owners (site, value wanted, price), shipments, cost and bound. The bound
    is the sum over parcels of value times the least of cost less price, plus prices times wanted values: no exchange of these
    values to these sites can cost less. All of it whole numbers.

    Returns
    -------
    dict
        Ready for JSON. ``gap`` is objective less bound, 0 when the flow is optimal; ``attained`` the share of the possible
        improvement over the status quo that the flow reaches.
    """
    points = centroids(found.problem)
    pools = [_pool(found, points, rows, flow, who) for rows, flow, who in found.shipped]
    objective, bound, start = (sum(int(p[k]) for p in pools) for k in ("objective", "bound", "status_quo"))
    return {
        "format": "qianmo-exchange-1", "pools": pools, "objective": objective, "bound": bound, "gap": objective - bound, "status_quo": start,
        "attained": (start - objective) / (start - bound) if start > bound else 1.0, "may_split": settings.may_split,
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
    cost = integer_costs(points[rows][flow.parcel], site[flow.owner], flow.scale)
    least = np.concatenate([
        (integer_costs(block[:, None, :], site[None, :, :], flow.scale) - flow.price[None, :]).min(axis=1)
        for block in np.array_split(points[rows], max(1, len(rows) // 2000))
    ])  # fmt: skip
    return {
        "name": str(problem.pool_id[problem.pool[rows[0]]]), "scale": flow.scale, "parcel_id": _texts(problem.parcel_id[rows]),
        "x": points[rows, 0].tolist(), "y": points[rows, 1].tolist(), "value_fen": value.tolist(), "owner_before": now.tolist(),
        "owner_id": _texts(problem.owner_id[who]), "site_x": site[:, 0].tolist(), "site_y": site[:, 1].tolist(), "wanted_fen": wanted.tolist(),
        "price": flow.price.tolist(), "ship_parcel": flow.parcel.tolist(), "ship_owner": flow.owner.tolist(), "ship_fen": flow.amount.tolist(),
        "objective": _dot(flow.amount, cost), "bound": _dot(value, least) + _dot(wanted, flow.price),
        "status_quo": _dot(value, integer_costs(points[rows], site[now], flow.scale)),
    }  # fmt: skip


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
