"""From shares to a plan within the limits, then better by changes of one or two patches (取整、修复、改进)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.engine.dense import Dense
from qianmo.planning.engine.entries import patches_by_row, row_amounts, touching
from qianmo.planning.engine.kernels import column_prices
from qianmo.planning.engine.moves import activities, ascend, change_losses, polish, settle_rows

__all__ = ["Ends", "climb_priced", "first_weights", "improve_slots", "least_first", "nearest_slots", "row_values", "settle", "slack_costs", "undecided", "violation"]

Ends = tuple[np.ndarray, np.ndarray]
"""Lower and upper end of every row, (R,) each."""

FIRST_WEIGHT, BATCH = 0.1, 24
"""Weight of a broken row at first, in typical values a mean coefficient; most changes taken for one look at a row."""


def nearest_slots(d: Dense, x: np.ndarray) -> np.ndarray:
    """Slot with the largest share, (n,) int16 (最大份额取整)."""
    return np.where(np.arange(d.slots) < d.layout.width[:, None], x, -np.inf).argmax(axis=1).astype(np.int16)


def climb_priced(
    d: Dense, slot: np.ndarray, prices: np.ndarray, *, ends: Ends | None = None, passes: int = 3, weigh: float = 1.0
) -> np.ndarray:
    """Slots that no single change betters after prices, with broken rows weighed by `weigh` times their first weight (价格下改进)."""
    slot, weight = slot.astype(np.int16).copy(), weigh * first_weights(d, prices)
    low, high = ends or (d.low, d.high)
    act, each = row_values(d, slot), column_prices(d.layout, prices)
    for _ in range(passes):
        if not ascend(d.layout, slot, act, prices, each, weight, low, high, d.layers):
            break
    return slot


def row_values(d: Dense, slot: np.ndarray) -> np.ndarray:
    """Value of every row, constants taken off, (R,) (约束取值)."""
    return activities(d.layout, slot, len(d.low))


def violation(d: Dense, slot: np.ndarray) -> np.ndarray:
    """By how much each row is broken, (R,), at least 0 (超限量)."""
    act = row_values(d, slot)
    return np.maximum(act - d.high, 0.0) + np.maximum(d.low - act, 0.0)


def settle(
    d: Dense, slot: np.ndarray, prices: np.ndarray, *, ends: Ends | None = None, turns: int = 4000
) -> np.ndarray | None:
    """A slot of each patch near the given ones that keeps every row, or None when none was found (修复).

    Only patches that lose little by some change take part; more join when they do not suffice. `ends`
    stand for those of the rows.
    """
    low, high = ends or (d.low, d.high)
    slot, weight = slot.astype(np.int16).copy(), first_weights(d, prices)
    for share in (0.04, 0.2, 1.0):
        act = row_values(d, slot)
        if not (np.maximum(act - high, 0.0) + np.maximum(low - act, 0.0)).any():
            return slot
        member, member_first = _members(d, slot, prices, share)
        used = settle_rows(d.layout, slot, act, prices, weight, low, high, member, member_first, d.layers, turns, BATCH)
        if 0 <= used < turns:
            return slot
    return None


def undecided(
    d: Dense, slot: np.ndarray, prices: np.ndarray, most: int, *, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Patch and slot of the `most` changes of least loss, ascending; of patches that touch some of `rows` where given (举棋不定的选项)."""
    loss = change_losses(d.layout, slot.astype(np.int16), prices, d.layers)
    if rows is not None:
        loss[~touching(d, rows)] = np.inf
    flat = loss.ravel()
    k = min(most, int(np.isfinite(flat).sum()))
    best = least_first(flat, k) if k else np.zeros(0, np.int64)
    return best // d.slots, best % d.slots


def least_first(loss: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k least losses, ascending, the first ones of equal losses (最小损失次序)."""
    if k < len(loss):
        limit = np.partition(loss, k - 1)[k - 1]
        below, at = np.flatnonzero(loss < limit), np.flatnonzero(loss == limit)
        best = np.concatenate([below, at[: k - len(below)]])
    else:
        best = np.arange(len(loss))
    return best[np.lexsort((best, loss[best]))]


def slack_costs(d: Dense, slot: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Score lost by the room that each priced row has left, (R,), at least 0 (松弛代价)."""
    act = row_values(d, slot)
    room = np.where(prices > 0, d.high - act, np.where(prices < 0, act - d.low, 0.0))
    return np.abs(prices) * np.where(np.isfinite(room), np.maximum(room, 0.0), 0.0)


def improve_slots(d: Dense, slot: np.ndarray, *, ends: Ends | None = None, passes: int = 3) -> np.ndarray:
    """Take single changes that gain and keep every row, until a pass gains nothing (改进)."""
    slot = slot.astype(np.int16).copy()
    low, high = ends or (d.low, d.high)
    order = np.flatnonzero(d.layout.width > 1)
    for _ in range(passes):
        gained = polish(d.layout, order, slot, row_values(d, slot), low, high, d.layers)
        if gained <= 1e-9:
            break
    return slot


def first_weights(d: Dense, prices: np.ndarray) -> np.ndarray:
    """What a unit of each row weighs when broken: its price, and a small share of the typical value at least (超限权重)."""
    spread = np.where(np.isfinite(d.layout.value), d.layout.value, -np.inf).max(axis=1) - np.where(np.isfinite(d.layout.value), d.layout.value, np.inf).min(axis=1)
    typical = float(np.median(spread[d.layout.width > 1])) if (d.layout.width > 1).any() else 1.0
    return np.maximum(np.abs(prices), FIRST_WEIGHT * max(typical, 1e-9) * _scale(d))


def _members(d: Dense, slot: np.ndarray, prices: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Patches that may change, row by row: the `share` of all that lose least, but some thousands at least."""
    least = change_losses(d.layout, slot, prices, d.layers).min(axis=1)
    most = min(d.n, max(5_000, int(share * d.n)))
    joins = np.isfinite(least)
    if most < d.n:
        joins &= least <= np.partition(least, most - 1)[most - 1]
    return patches_by_row(d, np.flatnonzero(joins))


def _scale(d: Dense) -> np.ndarray:
    """One over the mean coefficient of each row."""
    amount, many = row_amounts(d)
    return np.where(amount > 0, many / np.where(amount > 0, amount, 1.0), 1.0)

