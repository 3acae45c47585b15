"""Compiled loops of rounding: what a change of one patch loses, and taking changes one by one (取整核).

A change moves a patch to another slot. Its loss is what the score after prices loses (near 0 for
patches the relaxation leaves undecided).
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from qianmo.planning.engine.kernels import BLOCKS, column_prices, row_sums
from qianmo.planning.engine.layout import Layout

__all__ = ["activities", "ascend", "change_losses", "polish", "settle_rows"]


def activities(g: Layout, slot: np.ndarray, rows: int) -> np.ndarray:
    """Value of every row under a slot of each patch, (R,) (约束取值)."""
    by_row, by_column = _activities(slot, g.size, g.column, len(g.column_first) - 1, g.row_first, g.row, g.row_slot, g.row_coefficient, rows)
    return row_sums(g, by_row, by_column)


def change_losses(g: Layout, slot: np.ndarray, p: np.ndarray, layers: int) -> np.ndarray:
    """Loss (n, S) of moving each patch to each slot alone, inf for the slot it has (单项变更损失)."""
    return _change_losses(
        slot, p, column_prices(g, p), g.value, g.label, g.table, g.width, g.weight, g.near, g.near_first, g.end_i, g.end_j, g.size,
        g.column, g.row_first, g.row, g.row_slot, g.row_coefficient, layers,
    )  # fmt: skip


@njit(cache=True)
def _activities(slot, size, column, columns, row_first, row, row_slot, row_coefficient, rows):
    by_row, by_column = np.zeros(rows), np.zeros(columns)
    for i in range(len(slot)):
        by_column[column[i, slot[i]]] += size[i]
        for t in range(row_first[i], row_first[i + 1]):
            if row_slot[t] == slot[i]:
                by_row[row[t]] += row_coefficient[t]
    return by_row, by_column


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
def _change_losses(
    slot, p, price, value, label, table, count, weight, near, near_first, end_i, end_j, size, column, row_first, row, row_slot,
    row_coefficient, layers,
):  # fmt: skip
    n, slots = value.shape
    loss = np.full((n, slots), np.inf, np.float32)
    for b in prange(BLOCKS):
        pull, q = np.zeros(max(layers, 1)), np.zeros(slots)
        for i in range(n * b // BLOCKS, n * (b + 1) // BLOCKS):
            s = count[i]
            if s < 2:
                continue
            _pull(i, slot, label, table, weight, near, near_first, end_i, end_j, layers, pull)
            for k in range(s):
                q[k] = _worth(i, k, value, label, table, layers, pull) - price[column[i, k]] * size[i]
            for t in range(row_first[i], row_first[i + 1]):
                q[row_slot[t]] -= p[row[t]] * row_coefficient[t]
            now = slot[i]
            for k in range(s):
                if k != now:
                    loss[i, k] = q[now] - q[k]
    return loss


@njit(cache=True, inline="always")
def _priced(g, i, s, now, p, price):
    """What moving patch i to slot s costs at the prices of the rows."""
    cost = (price[g.column[i, s]] - price[g.column[i, now]]) * g.size[i]
    for t in range(g.row_first[i], g.row_first[i + 1]):
        if g.row_slot[t] == s:
            cost += p[g.row[t]] * g.row_coefficient[t]
        elif g.row_slot[t] == now:
            cost -= p[g.row[t]] * g.row_coefficient[t]
    return cost


@njit(cache=True, inline="always")
def _changed(g, i, s, now, change, touched):
    """Add what moving patch i to slot s does to the rows; gives how many entries of `touched` were filled."""
    count = 0
    for which in range(2):
        c = g.column[i, s if which == 0 else now]
        size = g.size[i] if which == 0 else -g.size[i]
        for t in range(g.column_first[c], g.column_first[c + 1]):
            r = g.column_row[t]
            if change[r] == 0.0:
                touched[count] = r
                count += 1
            change[r] += size * g.column_sign[t]
    for t in range(g.row_first[i], g.row_first[i + 1]):
        c = g.row_coefficient[t] if g.row_slot[t] == s else -g.row_coefficient[t] if g.row_slot[t] == now else 0.0
        if c != 0.0:
            r = g.row[t]
            if change[r] == 0.0:
                touched[count] = r
                count += 1
            change[r] += c
    return count


@njit(cache=True, inline="always")
def _pull_of(g, i, slot, layers, pull):
    _pull(i, slot, g.label, g.table, g.weight, g.near, g.near_first, g.end_i, g.end_j, layers, pull)


@njit(cache=True, inline="always")
def _worth_of(g, i, s, layers, pull):
    return _worth(i, s, g.value, g.label, g.table, layers, pull)


@njit(cache=True)
def ascend(g, slot, act, p, price, weight_of, low, high, layers):
    """Move every patch in turn to the slot with the best score after prices, what is broken weighed; gives how many moved."""
    pull = np.zeros(max(layers, 1))
    change, touched = np.zeros(len(act)), np.zeros(2 * len(act) + 8, np.int64)
    moved = 0
    for i in range(len(slot)):
        if g.width[i] < 2:
            continue
        _pull_of(g, i, slot, layers, pull)
        now = slot[i]
        here = _worth_of(g, i, now, layers, pull)
        least, best = -1e-12, -1
        for s in range(g.width[i]):
            if s == now:
                continue
            cost = here - _worth_of(g, i, s, layers, pull) + _priced(g, i, s, now, p, price)
            if cost >= least:
                continue
            touches = _changed(g, i, s, now, change, touched)
            for t in range(touches):
                k = touched[t]
                c = change[k]
                cost += weight_of[k] * (_over(act[k] + c, low[k], high[k]) - _over(act[k], low[k], high[k]))
                change[k] = 0.0
            if cost < least:
                least, best = cost, s
        if best >= 0:
            touches = _changed(g, i, best, now, change, touched)
            for t in range(touches):
                act[touched[t]] += change[touched[t]]
                change[touched[t]] = 0.0
            slot[i] = best
            moved += 1
    return moved


@njit(cache=True)
def settle_rows(g, slot, act, p, weight_of, low, high, member, member_first, layers, turns, batch):
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
            _pull_of(g, i, slot, layers, pull)
            here = _worth_of(g, i, now, layers, pull)
            least, chosen = 0.0, -1
            for s in range(g.width[i]):
                if s == now:
                    continue
                touches = _changed(g, i, s, now, change, touched)
                helps = sign * change[r] < 0.0
                cost = here - _worth_of(g, i, s, layers, pull)
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
                _pull_of(g, i, slot, layers, pull)
                cost = _worth_of(g, i, now, layers, pull) - _worth_of(g, i, s, layers, pull)
                touches = _changed(g, i, s, now, change, touched)
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
def polish(g, order, slot, act, low, high, layers):
    """Take every change of one patch that gains and breaks no row, once through `order`; gives the gain."""
    pull = np.zeros(max(layers, 1))
    change, touched = np.zeros(len(act)), np.zeros(2 * len(act) + 2, np.int64)
    gained = 0.0
    for o in range(len(order)):
        i = order[o]
        if g.width[i] < 2:
            continue
        _pull_of(g, i, slot, layers, pull)
        now = slot[i]
        here = _worth_of(g, i, now, layers, pull)
        best, top = -1, 1e-9
        for s in range(g.width[i]):
            gain = _worth_of(g, i, s, layers, pull) - here
            if s == now or gain <= top:
                continue
            moved = _changed(g, i, s, now, change, touched)
            if _fits(act, low, high, change, touched, moved):
                best, top = s, gain
            for t in range(moved):
                change[touched[t]] = 0.0
        if best < 0:
            continue
        moved = _changed(g, i, best, now, change, touched)
        for t in range(moved):
            act[touched[t]] += change[touched[t]]
            change[touched[t]] = 0.0
        slot[i] = best
        gained += top
    return gained
