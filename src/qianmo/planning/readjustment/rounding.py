"""Exchange of whole parcels within the tolerances of the law: moves, swaps and three-cycles (整块调换的局部搜索)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import pandas as pd

    from qianmo.planning.readjustment.flow import Transport
    from qianmo.planning.readjustment.holdings import Holdings

__all__ = ["Tolerances", "rounded_owners"]

_TRIPLES = 120
"""Parcels of a pool up to which all three-cycles are tried; swaps and moves are always all tried."""

_SWEEPS, _STEPS = 200, 20_000_000
_EXACT = 1e-9


class _Land(NamedTuple):
    """Arrays of the parcels and owners, as the kernels take them."""

    points: np.ndarray
    value: np.ndarray
    area: np.ndarray
    site: np.ndarray
    anchor: np.ndarray
    now: np.ndarray
    bonus: np.ndarray


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
    tolerances: Tolerances, bonus_m2: np.ndarray, *, from_now: bool = False,
) -> np.ndarray:  # fmt: skip
    """One owner a parcel, near the optimal flow (取整).

    Each split parcel starts with the owner of its largest part; where that cannot be brought within the tolerances, the search
    starts from what is, and never leaves them. Then single moves, exchanges of two parcels and cycles of three
    are made while they bring holdings nearer to the tolerances or, without leaving them, lower the cost. At the end no such step
    is left (three-cycles: in pools of up to 120 parcels; in pools of thousands the sweeps are limited).

    Parameters
    ----------
    points : (n, 2), site : (k, 2) [m]
    before : DataFrame
        Standing before, see `standing`.
    bonus_m2 : (k,)
        What leaving a parcel with its owner takes off its cost. [m2]
    from_now : bool
        Start from what is in any case.

    Returns
    -------
    (n,) int
    """
    start = problem.owner.copy()
    for rows, flow, who in shipped:
        order = np.argsort(flow.amount, kind="stable")
        start[rows[flow.parcel[order]]] = who[flow.owner[order]]
    value, area = problem.value_fen.astype(float), problem.area_dm2.astype(float)
    wanted = np.column_stack([before[c].to_numpy(float) for c in ("value_fen", "area_dm2", "mean_distance_m")])
    limit = np.array([tolerances.value_tolerance, min(tolerances.area_tolerance, 1e9), tolerances.distance_tolerance])
    owner = start
    for owner in (problem.owner.copy(),) if from_now else (start, problem.owner.copy()):
        state = _state(owner, points, value, area, problem.anchor)
        for rows, _, who in shipped:
            land = _Land(points, value, area, site, problem.anchor, problem.owner, bonus_m2)
            _search(owner, rows, who, land, wanted, limit, state, len(rows) <= _TRIPLES)
        if all(_excess(state[o], wanted[o], limit) <= _EXACT for o in range(problem.k)):
            break
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
def _put(state: np.ndarray, o: int, j: int, sign: float, land: _Land) -> None:
    state[o, 0] += sign * land.value[j]
    state[o, 1] += sign * land.area[j]
    state[o, 2] += sign * land.area[j] * np.hypot(land.points[j, 0] - land.anchor[o, 0], land.points[j, 1] - land.anchor[o, 1])


@njit(cache=True)
def _cost(j: int, o: int, land: _Land) -> float:
    dx, dy = land.points[j, 0] - land.site[o, 0], land.points[j, 1] - land.site[o, 1]
    return float(land.value[j] * (dx * dx + dy * dy - (land.bonus[o] if land.now[j] == o else 0.0)))


@njit(cache=True)
def _tried(
    moved: np.ndarray, to: np.ndarray, owner: np.ndarray, land: _Land, wanted: np.ndarray, limit: np.ndarray, state: np.ndarray,
    is_clean: bool,
) -> bool:  # fmt: skip
    """Make a step if it is better; else leave everything as it was. `is_clean`: all holdings are within their tolerances."""
    cost = 0.0
    for m in range(len(moved)):
        cost += _cost(moved[m], to[m], land) - _cost(moved[m], owner[moved[m]], land)
    if is_clean and cost >= -1e-6:
        return False
    touched = np.unique(np.concatenate((to, owner[moved])))
    old = state[touched].copy()
    was = 0.0
    for o in touched:
        was += _excess(state[o], wanted[o], limit)
    if was == 0.0 and cost >= -1e-6:
        return False
    for m in range(len(moved)):
        _put(state, owner[moved[m]], moved[m], -1.0, land)
        _put(state, to[m], moved[m], 1.0, land)
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
    owner: np.ndarray, rows: np.ndarray, who: np.ndarray, land: _Land, wanted: np.ndarray, limit: np.ndarray, state: np.ndarray, triples: bool,
) -> None:  # fmt: skip
    one, two, three = np.empty(1, np.int64), np.empty(2, np.int64), np.empty(3, np.int64)
    to1, to2, to3 = np.empty(1, np.int64), np.empty(2, np.int64), np.empty(3, np.int64)
    for _ in range(max(2, min(_SWEEPS, _STEPS // max(len(rows) * len(rows), 1)))):
        changed, is_clean = False, True
        for o in who:
            is_clean &= _excess(state[o], wanted[o], limit) <= _EXACT
        for i in rows:
            one[0] = i
            for o in who:
                if o != owner[i]:
                    to1[0] = o
                    changed |= _tried(one, to1, owner, land, wanted, limit, state, is_clean)
        for i in rows:
            for j in rows:
                if i < j and owner[i] != owner[j]:
                    two[0], two[1], to2[0], to2[1] = i, j, owner[j], owner[i]
                    changed |= _tried(two, to2, owner, land, wanted, limit, state, is_clean)
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
                        changed |= _tried(three, to3, owner, land, wanted, limit, state, is_clean)
                        if owner[j] == owner[i]:
                            break
        if not changed:
            return
