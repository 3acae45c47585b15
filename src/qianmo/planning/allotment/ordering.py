"""Order of owners along a block, nearest to where they farmed before (块内排序)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.allotment.profile import ValueProfile, position_of

__all__ = ["order_along", "order_cost"]


def order_along(profile: ValueProfile, values: np.ndarray, wanted: np.ndarray, *, passes: int = 50) -> np.ndarray:
    """Order of lots along the axis that keeps owners near their old land (块内排序).

    Lots are sorted by the old position of their owner; then neighbours change places as long as the value-weighted
    distance between the middle of each lot and the old position falls.

    Parameters
    ----------
    profile : ValueProfile
        Of the block.
    values : (n,) float
        Value of each lot.
    wanted : (n,) float
        Old position of each owner along the axis, inside the block or not. [m]
    passes : int
        Most sweeps of the exchange.

    Returns
    -------
    (n,) int
        Lot at each place. Ties keep the order of the rows.
    """
    order = np.argsort(wanted, kind="stable")
    share = np.asarray(values, dtype=float) / np.sum(values) * profile.total
    for _ in range(passes):
        changed = False
        for parity in (0, 1):
            swap = _gains(profile, share, wanted, order, parity) > 1e-9 * profile.total
            at = np.flatnonzero(swap) * 2 + parity
            if len(at):
                order[at], order[at + 1] = order[at + 1].copy(), order[at].copy()
                changed = True
        if not changed:
            break
    return order


def order_cost(profile: ValueProfile, values: np.ndarray, wanted: np.ndarray, order: np.ndarray) -> float:
    """Mean distance between lots and old positions, weighted by value (块内平均偏移). [m]"""
    share = np.asarray(values, dtype=float)[order] / np.sum(values) * profile.total
    middle = position_of(profile, np.cumsum(share) - share / 2)
    return float(np.abs(middle - wanted[order]) @ share / profile.total)


def _gains(profile: ValueProfile, share: np.ndarray, wanted: np.ndarray, order: np.ndarray, parity: int) -> np.ndarray:
    """What is won by exchanging lots 2k + parity and the next; the pairs are disjoint, so all gains add."""
    behind = np.cumsum(share[order]) - share[order]
    first = np.arange(parity, len(order) - 1, 2)
    a, b = order[first], order[first + 1]
    start = behind[first]

    def cost(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        here = position_of(profile, start + share[one] / 2)
        there = position_of(profile, start + share[one] + share[two] / 2)
        return np.abs(here - wanted[one]) * share[one] + np.abs(there - wanted[two]) * share[two]

    return cost(a, b) - cost(b, a)
