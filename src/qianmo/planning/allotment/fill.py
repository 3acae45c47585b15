"""A first assignment that fills every block exactly: a corner of the transport problem, then exchanges (归户初解).

A corner of the transport problem is a forest: at most owners + blocks - 1 lots. Lots below the least value and owners
with too many lots are mended by exchanging whole owners between two blocks, or by handing the split to another owner.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from qianmo.planning.allotment.assignment_problem import AssignmentProblem
from qianmo.planning.allotment.shares import whole_matrix

__all__ = ["filled", "transport"]

_MOST_STEPS = 2000


def transport(p: AssignmentProblem) -> tuple[np.ndarray, float] | None:
    """Whole-number corner of the transport problem, (m,) fen, and a bound for the assignment; None when infeasible.

    The bound adds one lot for every owner to the cost of the corner. [m]
    """
    m, n, k = len(p.owner), len(p.owed), len(p.block_value)
    scale = float(p.owed.sum()) / n
    one, pairs = np.ones(m), np.arange(m)
    rows = vstack([csr_array((one, (p.owner, pairs)), shape=(n, m)), csr_array((one, (p.block, pairs)), shape=(k, m))])
    sides = np.concatenate([p.owed, p.block_value]) / scale
    found = linprog(p.cost / p.owed[p.owner] * scale, A_eq=rows, b_eq=sides, bounds=(0, None), method="highs-ds")
    if found.status != 0:
        return None
    used = found.x > 1e-9 / scale
    value = np.zeros(m, dtype=np.int64)
    value[used] = whole_matrix(p.owner[used], p.block[used], found.x[used] * scale, p.owed, p.block_value)
    return value, float(found.fun + p.lot_cost * n)


def filled(p: AssignmentProblem, start: np.ndarray) -> np.ndarray | None:
    """Mend a corner of the transport problem until every limit holds, (m,) fen; None where exchanges do not get there.

    Parameters
    ----------
    p : AssignmentProblem
    start : (m,) int
        As made by `transport`.
    """
    pair = {(int(o), int(b)): e for e, (o, b) in enumerate(zip(p.owner, p.block))}
    value = start.copy()
    for _ in range(_MOST_STEPS):
        wrong = _first_wrong(p, value)
        if wrong is None:
            return value
        if not (_exchange(p, pair, value, wrong) or _hand_over(p, pair, value, wrong)):
            return None
    return None


def _first_wrong(p: AssignmentProblem, value: np.ndarray) -> int | None:
    """The pair with the smallest lot below its least value, else the smallest lot of an owner with too many; None if fine."""
    small = np.flatnonzero((value > 0) & (value < p.lot_min))
    if len(small):
        return int(small[np.argmin(value[small])])
    count = np.bincount(p.owner[value > 0], minlength=len(p.owed))
    many = np.flatnonzero((value > 0) & (count > p.lots_max)[p.owner])
    return int(many[np.argmin(value[many])]) if len(many) else None


def _exchange(p: AssignmentProblem, pair: dict[tuple[int, int], int], value: np.ndarray, wrong: int) -> bool:
    """Swap whole owners between the block of a small lot and another block of its owner; the owner takes the difference."""
    if value[wrong] >= p.lot_min[wrong]:
        return False
    o, a = int(p.owner[wrong]), int(p.block[wrong])
    best: tuple[float, int, int, int] | None = None
    for other in np.flatnonzero((p.owner == o) & (value > 0) & (p.block != a)):
        b = int(p.block[other])
        for leave, enter, change, cost in _swaps(p, pair, value, a, b):
            here, there = int(value[wrong]) + change, int(value[other]) - change
            if (here and here < p.lot_min[wrong]) or (there and there < p.lot_min[other]) or here < 0 or there < 0:
                continue
            total = cost + (p.cost[wrong] - p.cost[other]) * change / p.owed[o]
            if best is None or total < best[0]:
                best = (total, int(other), leave, enter)
    if best is None:
        return False
    _, partner, leave, enter = best
    for e, new in ((leave, int(p.block[partner])), (enter, a)):
        if e >= 0:
            worth = int(value[e])
            value[e] = 0
            value[pair[int(p.owner[e]), new]] = worth
            value[wrong] += worth if e == leave else -worth
            value[partner] -= worth if e == leave else -worth
    return True


def _swaps(p: AssignmentProblem, pair: dict[tuple[int, int], int], value: np.ndarray, a: int, b: int) -> Iterator[tuple[int, int, int, float]]:
    """Whole owner leaving `a`, whole owner entering it from `b` (-1 for none), what `a` then lacks, extra cost."""
    gone = [(-1, 0, 0.0), *_movable(p, pair, value, a, b)]
    come = [(-1, 0, 0.0), *_movable(p, pair, value, b, a)]
    for e, v, c in gone:
        for f, w, d in come:
            if e >= 0 or f >= 0:
                yield e, f, v - w, c + d


def _movable(p: AssignmentProblem, pair: dict[tuple[int, int], int], value: np.ndarray, here: int, there: int) -> list[tuple[int, int, float]]:
    """Owners whose only lot is `here` and may lie `there`: pair, value, extra cost."""
    out = []
    for e in np.flatnonzero((p.block == here) & (value > 0)):
        o = int(p.owner[e])
        f = pair.get((o, there))
        if f is not None and value[e] == p.owed[o] and p.lot_min[f] <= p.owed[o]:
            out.append((int(e), int(value[e]), float(p.cost[f] - p.cost[e])))
    return out


def _hand_over(p: AssignmentProblem, pair: dict[tuple[int, int], int], value: np.ndarray, wrong: int) -> bool:
    """Another owner takes over this lot, or the other lot of this owner: the one with most to spare of those that may.

    The lot given away lies in block `a`, the owner keeps his lot in `b` and grows there; the new owner lies whole in `b`.
    """
    best: tuple[int, int, int, int, int] | None = None
    for other in np.flatnonzero((p.owner == p.owner[wrong]) & (value > 0)):
        if other == wrong:
            continue
        for give, keep in ((wrong, int(other)), (int(other), wrong)):
            a, b = int(p.block[give]), int(p.block[keep])
            for e, worth, _ in _movable(p, pair, value, b, a):
                target = pair[int(p.owner[e]), a]
                room = worth - int(value[give]) - int(p.lot_min[e])
                able = room >= 0 and worth >= p.lot_min[e] + p.lot_min[target] and p.lots_max[p.owner[e]] > 1
                if able and (best is None or room > best[0]):
                    best = (room, give, keep, e, target)
    if best is None:
        return False
    _, give, keep, e, target = best
    value[target] = value[give]
    value[e] -= value[give]
    value[keep] += value[give]
    value[give] = 0
    return True
