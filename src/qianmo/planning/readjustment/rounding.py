"""Exchange of whole parcels within the tolerances of the law: moves, swaps and three-cycles (整块调换的局部搜索)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import pandas as pd

    from qianmo.planning.readjustment.flow import Transport
    from qianmo.planning.readjustment.holdings import Holdings

__all__ = ["Tolerances", "rounded_owners"]

_TRIPLES = 400
"""Parcels of a pool up to which all three-cycles are tried; swaps and moves are always all tried."""

_SWEEPS = 200


class Tolerances(Protocol):
    """What may differ, as shares (容许差)."""

    @property
    def value_tolerance(self) -> float:
        """Of value."""

    @property
    def distance_tolerance(self) -> float:
        """Of mean distance, upwards."""

    @property
    def area_tolerance(self) -> float:
        """Of area, either way."""


def rounded_owners(
    problem: Holdings, points: np.ndarray, shipped: list[tuple[np.ndarray, Transport, np.ndarray]], site: np.ndarray, before: pd.DataFrame,
    tolerances: Tolerances,
) -> np.ndarray:  # fmt: skip
    """One owner a parcel, near the optimal flow (取整).

    Each split parcel starts with the owner of its largest part. Then single moves, exchanges of two parcels and cycles of three
    are made while they bring holdings nearer to the tolerances or, without leaving them, lower the cost. At the end no such step
    is left (three-cycles: in pools of up to 400 parcels).

    Parameters
    ----------
    points : (n, 2), site : (k, 2) [m]
    before : DataFrame
        Standing before, see `standing`.

    Returns
    -------
    (n,) int
    """
    owner = problem.owner.copy()
    for rows, flow, who in shipped:
        order = np.argsort(flow.amount, kind="stable")
        owner[rows[flow.parcel[order]]] = who[flow.owner[order]]
    value, area = problem.value_fen.astype(float), problem.area_dm2.astype(float)
    wanted = np.column_stack([before[c].to_numpy(float) for c in ("value_fen", "area_dm2", "mean_distance_m")])
    limit = np.array([tolerances.value_tolerance, min(tolerances.area_tolerance, 1e9), tolerances.distance_tolerance])
    state = _state(owner, points, value, area, problem.anchor)
    for rows, _, who in shipped:
        _search(owner, rows, who, points, value, area, site, problem.anchor, wanted, limit, state, len(rows) <= _TRIPLES)
    return owner


def _state(owner: np.ndarray, points: np.ndarray, value: np.ndarray, area: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """(k, 3) value, area, area times distance of each owner."""
    far = np.hypot(*(points - anchor[owner]).T)
    return np.column_stack([np.bincount(owner, w, len(anchor)) for w in (value, area, area * far)])


@njit(cache=True)
def _excess(state: np.ndarray, wanted: np.ndarray, limit: np.ndarray) -> float:
    """How far one owner is outside its tolerances, as a sum of shares."""
    over = max(abs(state[0] - wanted[0]) / max(wanted[0], 1.0) - limit[0], 0.0)
    over += max(abs(state[1] - wanted[1]) / max(wanted[1], 1.0) - limit[1], 0.0)
    mean = state[2] / state[1] if state[1] > 0 else 0.0
    return float(over + max(mean / max(wanted[2], 1e-3) - 1.0 - limit[2], 0.0))


@njit(cache=True)
def _put(state: np.ndarray, o: int, j: int, sign: float, points: np.ndarray, value: np.ndarray, area: np.ndarray, anchor: np.ndarray) -> None:
    state[o, 0] += sign * value[j]
    state[o, 1] += sign * area[j]
    state[o, 2] += sign * area[j] * np.hypot(points[j, 0] - anchor[o, 0], points[j, 1] - anchor[o, 1])


@njit(cache=True)
def _cost(j: int, o: int, points: np.ndarray, value: np.ndarray, site: np.ndarray) -> float:
    dx, dy = points[j, 0] - site[o, 0], points[j, 1] - site[o, 1]
    return float(value[j] * (dx * dx + dy * dy))


@njit(cache=True)
def _tried(
    moved: np.ndarray, to: np.ndarray, owner: np.ndarray, points: np.ndarray, value: np.ndarray, area: np.ndarray, site: np.ndarray,
    anchor: np.ndarray, wanted: np.ndarray, limit: np.ndarray, state: np.ndarray,
) -> bool:  # fmt: skip
    """Make a step if it is better; else leave everything as it was."""
    cost = 0.0
    for m in range(len(moved)):
        cost += _cost(moved[m], to[m], points, value, site) - _cost(moved[m], owner[moved[m]], points, value, site)
    touched = np.unique(np.concatenate((to, owner[moved])))
    old = state[touched].copy()
    was = 0.0
    for o in touched:
        was += _excess(state[o], wanted[o], limit)
    if was == 0.0 and cost >= -1e-6:
        return False
    for m in range(len(moved)):
        _put(state, owner[moved[m]], moved[m], -1.0, points, value, area, anchor)
        _put(state, to[m], moved[m], 1.0, points, value, area, anchor)
    now = 0.0
    for o in touched:
        now += _excess(state[o], wanted[o], limit)
    if now < was - 1e-12 or (now <= was and cost < -1e-6):
        for m in range(len(moved)):
            owner[moved[m]] = to[m]
        return True
    for t in range(len(touched)):
        state[touched[t]] = old[t]
    return False


@njit(cache=True)
def _search(
    owner: np.ndarray, rows: np.ndarray, who: np.ndarray, points: np.ndarray, value: np.ndarray, area: np.ndarray, site: np.ndarray,
    anchor: np.ndarray, wanted: np.ndarray, limit: np.ndarray, state: np.ndarray, triples: bool,
) -> None:  # fmt: skip
    one, two, three = np.empty(1, np.int64), np.empty(2, np.int64), np.empty(3, np.int64)
    to1, to2, to3 = np.empty(1, np.int64), np.empty(2, np.int64), np.empty(3, np.int64)
    for _ in range(_SWEEPS):
        changed = False
        for i in rows:
            one[0] = i
            for o in who:
                if o != owner[i]:
                    to1[0] = o
                    changed |= _tried(one, to1, owner, points, value, area, site, anchor, wanted, limit, state)
        for i in rows:
            for j in rows:
                if i < j and owner[i] != owner[j]:
                    two[0], two[1], to2[0], to2[1] = i, j, owner[j], owner[i]
                    changed |= _tried(two, to2, owner, points, value, area, site, anchor, wanted, limit, state)
        if changed or not triples:
            if changed:
                continue
            return
        for i in rows:
            for j in rows:
                if j == i or owner[j] == owner[i]:
                    continue
                for k in rows:
                    if k > i and k != j and owner[k] != owner[i] and owner[k] != owner[j] and j > i:
                        three[0], three[1], three[2] = i, j, k
                        to3[0], to3[1], to3[2] = owner[j], owner[k], owner[i]
                        changed |= _tried(three, to3, owner, points, value, area, site, anchor, wanted, limit, state)
                        if owner[j] == owner[i]:
                            break
        if not changed:
            return
