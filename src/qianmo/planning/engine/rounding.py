"""From shares to a plan within the limits, then better by changes of one or two patches (取整、修复、改进)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from qianmo.planning.engine.dense import Dense
from qianmo.planning.engine.kernels import BLOCKS
from qianmo.planning.engine.moves import activities, ascend, change_losses, pair_changes, polish, settle_rows

__all__ = ["climb_priced", "fill_rows", "improve_slots", "nearest_slots", "row_values", "settle", "slack_costs", "undecided", "violation"]

CANDIDATES = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
"""Changes of least loss that each round of pairs looks at."""


FIRST_WEIGHT, BATCH = 0.1, 24
"""Weight of a broken row at first, in typical values a mean coefficient; most changes taken for one look at a row."""


def nearest_slots(d: Dense, x: np.ndarray) -> np.ndarray:
    """Slot with the largest share, (n,) int16 (最大份额取整)."""
    return np.where(np.arange(d.slots) < d.count[:, None], x, -np.inf).argmax(axis=1).astype(np.int16)


def climb_priced(
    d: Dense, slot: np.ndarray, prices: np.ndarray, *, margin: np.ndarray | None = None, passes: int = 3, weigh: float = 1.0
) -> np.ndarray:
    """Slots that no single change betters after prices, with broken rows weighed by `weigh` times their first weight (价格下改进)."""
    slot, weight = slot.astype(np.int16).copy(), weigh * _first_weights(d, prices)
    low, high = _drawn_in(d, margin)
    act = row_values(d, slot)
    for _ in range(passes):
        moved = ascend(
            slot, act, prices, weight, low, high, d.value, d.label, d.table, d.count, d.weight, d.near, d.near_first, d.end_i,
            d.end_j, d.row_first, d.row, d.row_slot, d.row_coefficient, d.layers,
        )  # fmt: skip
        if not moved:
            break
    return slot


def row_values(d: Dense, slot: np.ndarray) -> np.ndarray:
    """Value of every row, constants taken off, (R,) (约束取值)."""
    return activities(slot, d.row_first, d.row, d.row_slot, d.row_coefficient, len(d.low))


def violation(d: Dense, slot: np.ndarray) -> np.ndarray:
    """By how much each row is broken, (R,), at least 0 (超限量)."""
    act = row_values(d, slot)
    return np.maximum(act - d.high, 0.0) + np.maximum(d.low - act, 0.0)


def settle(
    d: Dense, slot: np.ndarray, prices: np.ndarray, *, margin: np.ndarray | None = None, turns: int = 4000
) -> np.ndarray | None:
    """A slot of each patch near the given ones that keeps every row, or None when none was found (修复).

    Only patches that lose little by some change take part; more join when they do not suffice. Ends
    are drawn in by `margin` (R,).
    """
    low, high = _drawn_in(d, margin)
    slot, weight = slot.astype(np.int16).copy(), _first_weights(d, prices)
    for share in (0.04, 0.2, 1.0):
        act = row_values(d, slot)
        if not (np.maximum(act - high, 0.0) + np.maximum(low - act, 0.0)).any():
            return slot
        member, member_first = _members(d, slot, prices, share)
        used = settle_rows(
            slot, act, prices, weight, low, high, member, member_first, d.value, d.label, d.table, d.count, d.weight, d.near,
            d.near_first, d.end_i, d.end_j, d.row_first, d.row, d.row_slot, d.row_coefficient, d.layers, turns, BATCH,
        )  # fmt: skip
        if 0 <= used < turns:
            return slot
    return None


def fill_rows(
    d: Dense, slot: np.ndarray, prices: np.ndarray, *, margin: np.ndarray | None = None, enough: float = 0.0
) -> np.ndarray:
    """Gain by single changes and pairs of them, which use up the room that tight rows have left (配对改进)."""
    low, high = _drawn_in(d, margin)
    slot = slot.astype(np.int16).copy()
    for most in CANDIDATES:
        loss, gain = _losses(d, slot, prices)
        flat = loss.ravel()
        k = min(most, int(np.isfinite(flat).sum()))
        if not k:
            break
        best = np.argpartition(flat, k - 1)[:k]
        best = best[np.argsort(flat[best], kind="stable")]
        patch, target = best // d.slots, (best % d.slots).astype(np.int16)
        by_row = _changes(d, patch, target, slot[patch])
        by_change = by_row.tocsc()
        by_change.sort_indices()
        gained, taken = pair_changes(
            patch, target, gain.ravel()[best].astype(float), by_change.indptr, by_change.indices, by_change.data, by_row.indptr,
            by_row.indices, slot, row_values(d, slot), low, high, d.near, d.near_first, d.end_i, d.end_j, 400, 1e-9,
        )  # fmt: skip
        if not taken or gained < enough:
            if k < most:
                break
            continue
    return slot


def undecided(
    d: Dense, slot: np.ndarray, prices: np.ndarray, most: int, *, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Patch and slot of the `most` changes of least loss, ascending; of patches that touch some of `rows` where given (举棋不定的选项)."""
    loss = _losses(d, slot.astype(np.int16), prices)[0]
    if rows is not None:
        wanted = np.zeros(len(d.low), bool)
        wanted[rows] = True
        touches = np.zeros(d.n, bool)
        touches[np.repeat(np.arange(d.n), np.diff(d.row_first))[wanted[d.row]]] = True
        loss[~touches] = np.inf
    flat = loss.ravel()
    k = min(most, int(np.isfinite(flat).sum()))
    best = np.argpartition(flat, k - 1)[:k] if k else np.zeros(0, np.int64)
    best = best[np.argsort(flat[best], kind="stable")]
    return best // d.slots, best % d.slots


def slack_costs(d: Dense, slot: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Score lost by the room that each priced row has left, (R,), at least 0 (松弛代价)."""
    act = row_values(d, slot)
    room = np.where(prices > 0, d.high - act, np.where(prices < 0, act - d.low, 0.0))
    return np.abs(prices) * np.where(np.isfinite(room), np.maximum(room, 0.0), 0.0)


def improve_slots(d: Dense, slot: np.ndarray, *, margin: np.ndarray | None = None, passes: int = 3) -> np.ndarray:
    """Take single changes that gain and keep every row, until a pass gains nothing (改进)."""
    slot = slot.astype(np.int16).copy()
    low, high = _drawn_in(d, margin)
    order = np.flatnonzero(d.count > 1)
    for _ in range(passes):
        gained = polish(
            order, slot, row_values(d, slot), low, high, d.value, d.label, d.table, d.count, d.weight, d.near, d.near_first,
            d.end_i, d.end_j, d.row_first, d.row, d.row_slot, d.row_coefficient, d.layers,
        )  # fmt: skip
        if gained <= 1e-9:
            break
    return slot


def _first_weights(d: Dense, prices: np.ndarray) -> np.ndarray:
    """What a unit of each row weighs when broken: its price, and a small share of the typical value at least."""
    spread = np.where(np.isfinite(d.value), d.value, -np.inf).max(axis=1) - np.where(np.isfinite(d.value), d.value, np.inf).min(axis=1)
    typical = float(np.median(spread[d.count > 1])) if (d.count > 1).any() else 1.0
    return np.maximum(np.abs(prices), FIRST_WEIGHT * max(typical, 1e-9) * _scale(d))


def _losses(d: Dense, slot: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return change_losses(
        slot, prices, d.value, d.label, d.table, d.count, d.weight, d.near, d.near_first, d.end_i, d.end_j, d.row_first, d.row,
        d.row_slot, d.row_coefficient, d.layers, BLOCKS,
    )  # fmt: skip


def _members(d: Dense, slot: np.ndarray, prices: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Patches that may change, row by row: the `share` of all that lose least, but some thousands at least."""
    least = _losses(d, slot, prices)[0].min(axis=1)
    most = min(d.n, max(5_000, int(share * d.n)))
    joins = np.isfinite(least)
    if most < d.n:
        joins &= least <= np.partition(least, most - 1)[most - 1]
    who = np.flatnonzero(joins)
    owner, at = _spread(d, who)
    order = np.argsort(d.row[at], kind="stable")
    row, member = d.row[at][order], who[owner[order]]
    once = np.ones(len(row), bool)
    once[1:] = (row[1:] != row[:-1]) | (member[1:] != member[:-1])
    first = np.concatenate([[0], np.cumsum(np.bincount(row[once], minlength=len(d.low)))])
    return member[once].astype(np.int64), first.astype(np.int64)


def _spread(d: Dense, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each limit entry of the patches `who`: position in `who`, and number of the entry."""
    size = d.row_first[who + 1] - d.row_first[who]
    owner = np.repeat(np.arange(len(who)), size)
    return owner, np.repeat(d.row_first[who], size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)


def _changes(d: Dense, patch: np.ndarray, target: np.ndarray, now: np.ndarray) -> csr_array:
    """What each change adds to each row, (R, k)."""
    owner, at = _spread(d, patch)
    plus, minus = d.row_slot[at] == target[owner], d.row_slot[at] == now[owner]
    change = np.where(plus, 1.0, np.where(minus, -1.0, 0.0)) * d.row_coefficient[at]
    use = change != 0
    matrix = csr_array(coo_array((change[use], (d.row[at][use], owner[use])), shape=(len(d.low), len(patch))))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _scale(d: Dense) -> np.ndarray:
    """One over the mean coefficient of each row."""
    rows = len(d.low)
    size = np.bincount(d.row, np.abs(d.row_coefficient), rows)
    return np.where(size > 0, np.bincount(d.row, minlength=rows) / np.where(size > 0, size, 1.0), 1.0)


def _drawn_in(d: Dense, margin: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if margin is None:
        return d.low, d.high
    narrow = np.minimum(margin, np.maximum((d.high - d.low) / 2.0, 0.0))
    return d.low + narrow, d.high - narrow
