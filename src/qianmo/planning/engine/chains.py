"""Compiled loop of chains: changes that mend each other's rows, taken together (连锁变更核).

What a row costs where it stands is its price for the room it has left, or a weight for what it is
broken. A change whose loss and row costs do not pay alone is joined by the change that best makes
good the row it hurt most, and so on, as in ejection chains [1]_.

.. [1] F. Glover, Ejection chains, reference structures and alternating path methods for traveling salesman problems,
   Discrete Applied Mathematics 65, 1996, pp. 223-253.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["chain_changes", "row_cost"]


@njit(cache=True, inline="always")
def row_cost(act, p, weight, low, high):
    """Cost of a row where it stands: what it is broken at its weight, room it has left at its price."""
    cost = weight * (max(act - high, 0.0) + max(low - act, 0.0))
    if p > 0.0:
        cost += p * max(high - act, 0.0)
    elif p < 0.0:
        cost -= p * max(act - low, 0.0)
    return cost


@njit(cache=True, inline="always")
def _beside(i, members, count, patch, near, near_first, end_i, end_j):
    """True where patch i is, or touches, the patch of a change in the chain."""
    for m in range(count):
        if patch[members[m]] == i:
            return True
    for t in range(near_first[i], near_first[i + 1]):
        e = near[t] >> 1
        other = end_i[e] if near[t] & 1 else end_j[e]
        for m in range(count):
            if patch[members[m]] == other:
                return True
    return False


@njit(cache=True)
def chain_changes(
    patch, target, loss, first, rows_of, change_of, row_first, by_row, by_row_change, slot, act, p, weight, low, high, near, near_first,
    end_i, end_j, depth, longest, least,
):  # fmt: skip
    """Take chains of changes that lower loss and row costs together; gives what was gained and how many chains were taken.

    Changes come in ascending loss, with the rows they move (`first`, `rows_of`, `change_of`) and, row by row, the changes that move
    it (`row_first`, `by_row`, `by_row_change`). A link looks at `depth` changes at most, a chain has `longest` links at most, and gains
    `least` at least. Patches beside one that changed wait for the next round.
    """
    stale = np.zeros(len(slot), np.bool_)
    change, cost_now = np.zeros(len(act)), np.zeros(len(act))
    touched, members = np.zeros(len(act), np.int64), np.zeros(longest, np.int64)
    is_touched = np.zeros(len(act), np.bool_)
    for r in range(len(act)):
        cost_now[r] = row_cost(act[r], p[r], weight[r], low[r], high[r])
    total, taken = 0.0, 0
    for a in range(len(patch)):
        if stale[patch[a]]:
            continue
        links, rows, sum_loss, chosen, best_links, best = 0, 0, 0.0, a, 0, -least
        while chosen >= 0 and links < longest:
            members[links] = chosen
            links += 1
            sum_loss += loss[chosen]
            for t in range(first[chosen], first[chosen + 1]):
                r = rows_of[t]
                if not is_touched[r]:
                    is_touched[r] = True
                    touched[rows] = r
                    rows += 1
                change[r] += change_of[t]
            here, worst, hurt = sum_loss, -1, 0.0
            for u in range(rows):
                r = touched[u]
                more = row_cost(act[r] + change[r], p[r], weight[r], low[r], high[r]) - cost_now[r]
                here += more
                if more > hurt:
                    worst, hurt = r, more
            if here < best:
                best, best_links = here, links
            chosen = -1
            if worst < 0 or links == longest:
                break
            sign, seen, top = 1.0 if act[worst] + change[worst] > high[worst] or (p[worst] < 0.0 and act[worst] + change[worst] > low[worst]) else -1.0, 0, here
            for u in range(row_first[worst], row_first[worst + 1]):
                b = by_row[u]
                if loss[b] >= here:
                    break
                if by_row_change[u] * sign >= 0.0 or stale[patch[b]]:
                    continue
                seen += 1
                if seen > depth:
                    break
                with_b = here + loss[b]
                for t in range(first[b], first[b + 1]):
                    r = rows_of[t]
                    was = act[r] + change[r]
                    with_b += row_cost(was + change_of[t], p[r], weight[r], low[r], high[r]) - row_cost(was, p[r], weight[r], low[r], high[r])
                if with_b < top and not _beside(patch[b], members, links, patch, near, near_first, end_i, end_j):
                    top, chosen = with_b, b
        for u in range(rows):
            change[touched[u]], is_touched[touched[u]] = 0.0, False
        if best_links == 0:
            continue
        for m in range(best_links):
            c = members[m]
            k = patch[c]
            slot[k] = target[c]
            stale[k] = True
            for t in range(near_first[k], near_first[k + 1]):
                e = near[t] >> 1
                stale[end_i[e] if near[t] & 1 else end_j[e]] = True
            for t in range(first[c], first[c + 1]):
                act[rows_of[t]] += change_of[t]
        for m in range(best_links):
            for t in range(first[members[m]], first[members[m] + 1]):
                r = rows_of[t]
                cost_now[r] = row_cost(act[r], p[r], weight[r], low[r], high[r])
        total -= best
        taken += 1
    return total, taken
