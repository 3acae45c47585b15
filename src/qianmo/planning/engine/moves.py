"""Compiled loops of rounding: what a change of one patch loses, and taking changes alone or in pairs (取整核).

A change moves a patch to another slot. Its loss is what the score after prices loses (near 0 for
patches the relaxation leaves undecided), its gain what the score itself gains.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["activities", "ascend", "change_losses", "pair_changes", "polish", "settle_rows"]


@njit(cache=True)
def activities(slot, row_first, row, row_slot, row_coefficient, rows):
    """Value of every row under a slot of each patch, (R,)."""
    total = np.zeros(rows)
    for i in range(len(slot)):
        for t in range(row_first[i], row_first[i + 1]):
            if row_slot[t] == slot[i]:
                total[row[t]] += row_coefficient[t]
    return total


@njit(cache=True, inline="always")
def _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull):
    """Bonus that each state of patch i would earn with its neighbours as they are."""
    wide = weight.shape[1] > 1
    for k in range(layers):
        pull[k] = 0.0
    for t in range(near_first[i], near_first[i + 1]):
        e = near[t] >> 1
        other = end_i[e] if near[t] & 1 else end_j[e]
        m = table[label[other, slot[other]]]
        for k in range(layers):
            if (m >> k) & 1:
                pull[k] += weight[e, k if wide else 0]


@njit(cache=True, inline="always")
def _worth(i, s, value, label, table, layers, pull):
    """Value of slot s of patch i with its border bonuses."""
    q = float(value[i, s])
    m = table[label[i, s]]
    for k in range(layers):
        if (m >> k) & 1:
            q += pull[k]
    return q


@njit(cache=True, inline="always")
def _over(activity, low, high):
    return max(activity - high, 0.0) + max(low - activity, 0.0)


@njit(cache=True, parallel=True)
def change_losses(
    slot, p, value, label, table, count, weight, near, near_first, end_i, end_j, row_first, row, row_slot, row_coefficient, layers, blocks
):  # fmt: skip
    """Loss (n, S) of moving each patch to each slot alone, inf for the slot it has, and the gain (n, S)."""
    n, slots = value.shape
    loss, gain = np.full((n, slots), np.inf, np.float32), np.zeros((n, slots), np.float32)
    for b in prange(blocks):
        pull, f, q = np.zeros(max(layers, 1)), np.zeros(slots), np.zeros(slots)
        for i in range(n * b // blocks, n * (b + 1) // blocks):
            s = count[i]
            if s < 2:
                continue
            _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
            for k in range(s):
                f[k] = _worth(i, k, value, label, table, layers, pull)
                q[k] = f[k]
            for t in range(row_first[i], row_first[i + 1]):
                q[row_slot[t]] -= p[row[t]] * row_coefficient[t]
            now = slot[i]
            for k in range(s):
                if k != now:
                    loss[i, k] = q[now] - q[k]
                    gain[i, k] = f[k] - f[now]
    return loss, gain


@njit(cache=True, inline="always")
def _changed(i, s, now, row_first, row, row_slot, row_coefficient, change, touched):
    """Add what moving patch i to slot s does to the rows; gives how many entries of `touched` were filled."""
    count = 0
    for t in range(row_first[i], row_first[i + 1]):
        c = row_coefficient[t] if row_slot[t] == s else -row_coefficient[t] if row_slot[t] == now else 0.0
        if c != 0.0:
            r = row[t]
            if change[r] == 0.0:
                touched[count] = r
                count += 1
            change[r] += c
    return count


@njit(cache=True)
def ascend(
    slot, act, p, weight_of, low, high, value, label, table, count, weight, near, near_first, end_i, end_j, row_first, row, row_slot,
    row_coefficient, layers,
):  # fmt: skip
    """Move every patch in turn to the slot with the best score after prices, what is broken weighed; gives how many moved."""
    pull = np.zeros(max(layers, 1))
    change, touched = np.zeros(len(act)), np.zeros(2 * len(act) + 8, np.int64)
    moved = 0
    for i in range(len(slot)):
        if count[i] < 2:
            continue
        _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
        now = slot[i]
        here = _worth(i, now, value, label, table, layers, pull)
        least, best = -1e-12, -1
        for s in range(count[i]):
            if s == now:
                continue
            cost = here - _worth(i, s, value, label, table, layers, pull)
            for t in range(row_first[i], row_first[i + 1]):
                if row_slot[t] == s:
                    cost += p[row[t]] * row_coefficient[t]
                elif row_slot[t] == now:
                    cost -= p[row[t]] * row_coefficient[t]
            if cost >= least:
                continue
            touches = _changed(i, s, now, row_first, row, row_slot, row_coefficient, change, touched)
            for t in range(touches):
                k = touched[t]
                c = change[k]
                cost += weight_of[k] * (_over(act[k] + c, low[k], high[k]) - _over(act[k], low[k], high[k]))
                change[k] = 0.0
            if cost < least:
                least, best = cost, s
        if best >= 0:
            touches = _changed(i, best, now, row_first, row, row_slot, row_coefficient, change, touched)
            for t in range(touches):
                act[touched[t]] += change[touched[t]]
                change[touched[t]] = 0.0
            slot[i] = best
            moved += 1
    return moved


@njit(cache=True)
def settle_rows(
    slot, act, p, weight_of, low, high, member, member_first, value, label, table, count, weight, near, near_first, end_i, end_j,
    row_first, row, row_slot, row_coefficient, layers, turns, batch,
):  # fmt: skip
    """Bring broken rows inside their ends by the cheapest changes, what is broken weighed row by row.

    The row that weighs most is taken first. A change counts its loss and what all rows are broken
    more or less by it; those that pay are taken. Where none pays, the row weighs more from then on,
    so that rows which are hard to settle together push the others. `member` lists the patches that
    may change, row by row. Gives the number of turns used, -1 where a row has no change that helps.
    """
    rows = len(act)
    pull = np.zeros(max(layers, 1))
    change, touched = np.zeros(rows), np.zeros(2 * rows + 8, np.int64)
    for turn in range(turns):
        r, top = -1, 0.0
        for k in range(rows):
            v = _over(act[k], low[k], high[k])
            if v > 0.0 and v * weight_of[k] > top:
                top, r = v * weight_of[k], k
        if r < 0:
            return turn
        sign = 1.0 if act[r] > high[r] else -1.0
        size = member_first[r + 1] - member_first[r]
        score, target, who = np.empty(size), np.empty(size, np.int16), np.empty(size, np.int64)
        found, any_helps = 0, False
        for u in range(member_first[r], member_first[r + 1]):
            i = member[u]
            now = slot[i]
            _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
            here = _worth(i, now, value, label, table, layers, pull)
            least, chosen = 0.0, -1
            for s in range(count[i]):
                if s == now:
                    continue
                touches = _changed(i, s, now, row_first, row, row_slot, row_coefficient, change, touched)
                helps = sign * change[r] < 0.0
                cost = here - _worth(i, s, value, label, table, layers, pull)
                for t in range(touches):
                    k = touched[t]
                    c = change[k]
                    if c != 0.0:
                        cost += p[k] * c
                        cost += weight_of[k] * (_over(act[k] + c, low[k], high[k]) - _over(act[k], low[k], high[k]))
                    change[k] = 0.0
                if helps:
                    any_helps = True
                    if cost < least:
                        least, chosen = cost, s
            if chosen >= 0:
                score[found], target[found], who[found] = least, chosen, i
                found += 1
        if not any_helps:
            return -1
        taken = 0
        if found:
            order = np.argsort(score[:found])
            for o in range(min(found, batch)):
                if _over(act[r], low[r], high[r]) <= 0.0:
                    break
                i, s = who[order[o]], target[order[o]]
                now = slot[i]
                _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
                cost = _worth(i, now, value, label, table, layers, pull) - _worth(i, s, value, label, table, layers, pull)
                touches = _changed(i, s, now, row_first, row, row_slot, row_coefficient, change, touched)
                for t in range(touches):
                    k = touched[t]
                    c = change[k]
                    cost += p[k] * c + weight_of[k] * (_over(act[k] + c, low[k], high[k]) - _over(act[k], low[k], high[k]))
                for t in range(touches):
                    k = touched[t]
                    if cost < 0.0:
                        act[k] += change[k]
                    change[k] = 0.0
                if cost < 0.0:
                    slot[i] = s
                    taken += 1
        if not taken:
            weight_of[r] *= 1.6
    return turns


@njit(cache=True, inline="always")
def _fits(act, low, high, change, touched, count):
    for t in range(count):
        r = touched[t]
        c = change[r]
        if (c > 0.0 and act[r] + c > high[r]) or (c < 0.0 and act[r] + c < low[r]):
            return False
    return True


@njit(cache=True)
def pair_changes(
    patch, target, gain, first, rows_of, change_of, row_first, by_row, slot, act, low, high, near, near_first, end_i, end_j, depth, least
):  # fmt: skip
    """Take changes that gain and break no row, alone or two together; gives the gain and how many were taken.

    Changes come in ascending loss, with the rows they move (`first`, `rows_of`, `change_of`) and,
    row by row, the changes that move it (`row_first`, `by_row`). A change that breaks a row looks
    for the partner, of the first `depth` that move the row back, with which it gains most. Patches
    beside one that changed wait for the next round.
    """
    n = len(slot)
    stale = np.zeros(n, np.bool_)
    change, touched = np.zeros(len(act)), np.zeros(len(act) + 1, np.int64)
    total, taken = 0.0, 0
    for a in range(len(patch)):
        i = patch[a]
        if stale[i]:
            continue
        count, broken = 0, -1
        for t in range(first[a], first[a + 1]):
            r, c = rows_of[t], change_of[t]
            touched[count] = r
            count += 1
            change[r] = c
            if broken < 0 and ((c > 0.0 and act[r] + c > high[r]) or (c < 0.0 and act[r] + c < low[r])):
                broken = r
        best, top = -1, least
        if broken < 0:
            if gain[a] > least:
                best, top = a, gain[a]
        else:
            sign, seen = 1.0 if change[broken] > 0.0 else -1.0, 0
            for u in range(row_first[broken], row_first[broken + 1]):
                b = by_row[u]
                j = patch[b]
                if stale[j] or j == i or gain[a] + gain[b] <= top:
                    continue
                back = 0.0
                for t in range(first[b], first[b + 1]):
                    if rows_of[t] == broken:
                        back = change_of[t]
                if back * sign >= 0.0:
                    continue
                seen += 1
                if seen > depth:
                    break
                more = count
                for t in range(first[b], first[b + 1]):
                    r = rows_of[t]
                    new = change[r] == 0.0
                    if new:
                        for q in range(count):
                            if touched[q] == r:
                                new = False
                    if new:
                        touched[more] = r
                        more += 1
                    change[r] += change_of[t]
                fine = _fits(act, low, high, change, touched, more)
                for t in range(first[b], first[b + 1]):
                    change[rows_of[t]] -= change_of[t]
                for q in range(count, more):
                    change[touched[q]] = 0.0
                if fine:
                    for t in range(near_first[i], near_first[i + 1]):
                        e = near[t] >> 1
                        if (end_i[e] if near[t] & 1 else end_j[e]) == j:
                            fine = False
                if fine:
                    best, top = b, gain[a] + gain[b]
        for t in range(count):
            change[touched[t]] = 0.0
        if best < 0:
            continue
        for which in range(1 if best == a else 2):
            c = a if which == 0 else best
            k = patch[c]
            slot[k] = target[c]
            stale[k] = True
            for t in range(near_first[k], near_first[k + 1]):
                e = near[t] >> 1
                stale[end_i[e] if near[t] & 1 else end_j[e]] = True
            for t in range(first[c], first[c + 1]):
                act[rows_of[t]] += change_of[t]
        total += top
        taken += 1
    return total, taken


@njit(cache=True)
def polish(
    order, slot, act, low, high, value, label, table, count, weight, near, near_first, end_i, end_j, row_first, row, row_slot,
    row_coefficient, layers,
):  # fmt: skip
    """Take every change of one patch that gains and breaks no row, once through `order`; gives the gain."""
    pull = np.zeros(max(layers, 1))
    change, touched = np.zeros(len(act)), np.zeros(2 * len(act) + 2, np.int64)
    gained = 0.0
    for o in range(len(order)):
        i = order[o]
        if count[i] < 2:
            continue
        _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
        now = slot[i]
        here = _worth(i, now, value, label, table, layers, pull)
        best, top = -1, 1e-9
        for s in range(count[i]):
            gain = _worth(i, s, value, label, table, layers, pull) - here
            if s == now or gain <= top:
                continue
            moved = 0
            for t in range(row_first[i], row_first[i + 1]):
                if row_slot[t] == s:
                    change[row[t]] += row_coefficient[t]
                elif row_slot[t] == now:
                    change[row[t]] -= row_coefficient[t]
                else:
                    continue
                touched[moved] = row[t]
                moved += 1
            if _fits(act, low, high, change, touched, moved):
                best, top = s, gain
            for t in range(moved):
                change[touched[t]] = 0.0
        if best < 0:
            continue
        for t in range(row_first[i], row_first[i + 1]):
            if row_slot[t] == best:
                act[row[t]] += row_coefficient[t]
            elif row_slot[t] == now:
                act[row[t]] -= row_coefficient[t]
        slot[i] = best
        gained += top
    return gained
