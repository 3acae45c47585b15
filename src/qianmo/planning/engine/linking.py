"""Rounds of chained changes that bring a plan within its limits and up to them (连锁改进).

At first broken rows weigh little more than their prices and only changes of almost no loss are
looked at; then more changes and heavier weights, until what is left to do is settled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qianmo.planning.engine.chains import chain_changes
from qianmo.planning.engine.dense import Dense
from qianmo.planning.engine.entries import entry_changes
from qianmo.planning.engine.moves import change_losses
from qianmo.planning.engine.rounding import Ends, first_weights, least_first, row_values

__all__ = ["AGAIN", "HARD", "QUICK", "SOFT", "linked"]

SOFT = (
    (500, 3.0), (500, 3.0), (1_000, 3.0), (1_000, 3.0), (2_000, 3.0), (2_000, 3.0), (4_000, 3.0), (8_000, 3.0), (8_000, 10.0),
    (16_000, 30.0), (16_000, 100.0), (16_000, 1e3),
)  # fmt: skip
"""Rounds from shares to a plan: changes of least loss looked at, weight of broken rows in first weights."""

AGAIN = ((2_000, 3.0), (4_000, 3.0), (16_000, 3.0), (16_000, 10.0), (16_000, 30.0), (16_000, 100.0), (16_000, 1e3))
"""Rounds that loosen a plan a little and tighten it again."""

HARD = ((16_000, 1e4), (32_000, 1e4))
"""Rounds that keep every row that is kept."""

QUICK = ((4_000, 3.0), (16_000, 3.0), (16_000, 3.0), (16_000, 30.0), (16_000, 1e3))
"""Rounds that bring the last plan within a limit that has changed."""

DEPTH, LINKS = 400, 4
"""Changes that a link of a chain looks at, links of a chain."""


FEWEST, SPARSE = 1_000, 8
"""So many changes are looked at in the smallest problems, and one for so many patches in small ones."""


def linked(
    d: Dense, slot: np.ndarray, prices: np.ndarray, rounds: Sequence[tuple[int, float]], *, ends: Ends | None = None, enough: float = 0.0
) -> np.ndarray:
    """Slots after rounds of chained changes; rounds of one weight end where one gained less than `enough` (连锁改进)."""
    low, high = ends or (d.low, d.high)
    slot, first, g = slot.astype(np.int16).copy(), first_weights(d, prices), d.layout
    done = (0, 0.0)
    for most, weight in rounds:
        if (most, weight) == done:
            continue
        loss = change_losses(g, slot, prices, d.layers).ravel()
        k = min(most, max(FEWEST, d.n // SPARSE), int(np.isfinite(loss).sum()))
        if not k:
            break
        best = least_first(loss, k)
        patch, target = best // d.slots, (best % d.slots).astype(np.int16)
        by_row = entry_changes(d, patch, target, slot[patch])
        by_row.sort_indices()
        by_change = by_row.tocsc()
        by_change.sort_indices()
        gained, _ = chain_changes(
            patch, target, loss[best].astype(float), by_change.indptr, by_change.indices, by_change.data, by_row.indptr, by_row.indices,
            by_row.data, slot, row_values(d, slot), prices, weight * first, low, high, g.near, g.near_first, g.end_i, g.end_j, DEPTH,
            LINKS, 1e-9,
        )  # fmt: skip
        if gained <= enough:
            done = (most, weight)
    return slot
