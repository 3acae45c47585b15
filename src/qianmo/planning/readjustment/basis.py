"""From an optimal flow to one that splits as few parcels as a vertex does (消圈)."""

from __future__ import annotations

import numpy as np

__all__ = ["without_cycles"]


def without_cycles(tail: np.ndarray, head: np.ndarray, amount: np.ndarray, n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same flow without cycles of shipments, so that fewer parcels than owners are split (去除环流).

    A cycle of an optimal flow costs nothing; value is sent round it until a shipment vanishes. What stays is a forest: with n
    parcels and k owners at most n + k - 1 shipments, hence at most k - 1 parcels in more than one part.

    Parameters
    ----------
    tail, head, amount : (s,) int
        Parcel, owner and positive amount of each shipment.
    n, k : int
        Parcels and owners.

    Returns
    -------
    tail, head, amount
        Sorted by parcel and owner.
    """
    many = np.bincount(tail, minlength=n)[tail] > 1
    kept = {(int(j), int(o)): int(a) for j, o, a in zip(tail[many], head[many], amount[many])}
    next_to: dict[int, set[int]] = {}
    for (j, o), extra in sorted(kept.items()):
        left = extra
        while left > 0:
            path = _path(next_to, n + o, j)
            if path is None:
                next_to.setdefault(j, set()).add(n + o)
                next_to.setdefault(n + o, set()).add(j)
                kept[j, o] = left
                break
            left = _turn(kept, next_to, path, j, o, left, n)
        else:
            kept.pop((j, o))
    rows = [(int(j), int(o), int(a)) for j, o, a in zip(tail[~many], head[~many], amount[~many])]
    rows += [(j, o, a) for (j, o), a in kept.items() if a > 0]
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _path(next_to: dict[int, set[int]], start: int, goal: int) -> list[int] | None:
    """Nodes from start to goal in the forest so far."""
    came = {start: start}
    stack = [start]
    while stack:
        at = stack.pop()
        if at == goal:
            path = [at]
            while path[-1] != start:
                path.append(came[path[-1]])
            return path[::-1]
        for other in next_to.get(at, ()):
            if other not in came:
                came[other] = at
                stack.append(other)
    return None


def _turn(kept: dict[tuple[int, int], int], next_to: dict[int, set[int]], path: list[int], j: int, o: int, left: int, n: int) -> int:
    """Take value off the new shipment (j, o) round the cycle it closes; shipments that vanish leave the forest."""
    edges = [(min(a, b), max(a, b) - n) for a, b in zip(path, path[1:])]
    # From owner o along the path to parcel j: edges 0, 2, 4 … gain, edges 1, 3, … lose, when (j, o) loses.
    losing = edges[1::2]
    gaining = edges[0::2]
    step = min([left, *[kept[e] for e in losing]])
    for e in gaining:
        kept[e] += step
    for e in losing:
        kept[e] -= step
        if kept[e] == 0:
            next_to[e[0]].discard(n + e[1])
            next_to[n + e[1]].discard(e[0])
    return left - step
