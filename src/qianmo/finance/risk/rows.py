"""Compiled steps on a tile of scenarios, year after year: tax pools, rate of return, payback (逐年计算步骤).

Arrays are (years, lanes): the inner loop runs over scenarios of the tile. A lane never reads another lane, and no sum is
reordered, so a scenario's bits do not depend on the tile, block or thread it falls in.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["income_taxes", "payback", "present_value", "rate_of_return", "sign_changes", "value_added"]

_STEPS = 100
_FAR = 600.0
"""Largest exponent of a discount factor over the whole timeline, before powers overflow."""

_NOUGHT = 1e-6
_SMALL = 1e-9


@njit(cache=True, nogil=True)
def value_added(output, bought, cash, profit, surcharge, pool, paid, lanes):
    """Tax with its pool; its cash and surcharges go into `cash`, surcharges into `profit`."""
    for j in range(lanes):
        pool[j] = 0.0
    for t in range(len(output)):
        out, inp, row, gain, due = output[t], bought[t], cash[t], profit[t], paid[t]
        part = surcharge[t]
        for j in range(lanes):
            net = out[j] - inp[j] - pool[j]
            tax = max(net, 0.0)
            pool[j] = max(-net, 0.0)
            due[j] = tax
            extra = tax * part
            row[j] += (out[j] - inp[j] - tax) - extra
            gain[j] -= extra


@njit(cache=True, nogil=True)
def income_taxes(profit, first, rate, half_factor, free, half, loss_years, pool, left, tax, lanes):
    """Tax of every year; `pool` (loss_years, lanes) is a ring in which the oldest loss lies at the year's own place."""
    for k in range(loss_years):
        for j in range(lanes):
            pool[k, j] = 0.0
    for t in range(len(profit)):
        row, out = profit[t], tax[t]
        for j in range(lanes):
            left[j] = max(row[j], 0.0)
        for k in range(loss_years):
            old = pool[(t + k) % loss_years]
            for j in range(lanes):
                used = min(left[j], old[j])
                left[j] -= used
                old[j] -= used
        if loss_years > 0:
            newest = pool[t % loss_years]
            for j in range(lanes):
                newest[j] = max(-row[j], 0.0)
        full = rate[t]
        if free + half > 0:
            for j in range(lanes):
                since = t - first[j]
                share = 1.0
                if since >= 0 and since < free:
                    share = 0.0
                elif since >= 0 and since < free + half:
                    share = half_factor
                out[j] = left[j] * (full * share)
        else:
            for j in range(lanes):
                out[j] = left[j] * full


@njit(cache=True, nogil=True)
def present_value(flows, discount, out, lanes):
    """Sum of the discounted rows."""
    for j in range(lanes):
        out[j] = 0.0
    for t in range(len(flows)):
        row, share = flows[t], discount[t]
        for j in range(lanes):
            out[j] += row[j] * share


@njit(cache=True, nogil=True)
def sign_changes(flows, last, out, lanes):
    """Changes of sign of each lane, zeros left out; `last` is scratch."""
    for j in range(lanes):
        out[j] = 0.0
        last[j] = 0.0
    for t in range(len(flows)):
        row = flows[t]
        for j in range(lanes):
            x = row[j]
            out[j] += 1.0 if x * last[j] < 0.0 else 0.0
            last[j] = x if x != 0.0 else last[j]


@njit(cache=True, nogil=True)
def payback(flows, discount, shift, total, out, lanes):
    """Years until the sum of the discounted rows comes back to 0 from below, with the part of the year; nan for never."""
    for j in range(lanes):
        total[j] = 0.0
        out[j] = np.nan
    for t in range(len(flows)):
        row, share = flows[t], discount[t]
        for j in range(lanes):
            x = row[j] * share
            after = total[j] + x
            if total[j] < 0.0 and after >= 0.0 and math.isnan(out[j]):
                out[j] = t - total[j] / x + shift
            total[j] = after


@njit(cache=True, nogil=True)
def rate_of_return(flows, changes, start, scratch, out, lanes):
    """Rate at which a lane with one change of sign is worth nothing; nan for none or several changes.

    With x = ln(1+r) the logarithm of what comes over what goes, g(x), is strictly monotone, its slope one or more in size, so
    Newton's steps, kept inside a bracket, end at the one root. A lane that has arrived stands still while others go on. The step
    after one below `_SMALL` would change nothing: the error of Newton's step is the square of the step before.
    """
    years = len(flows)
    far = _FAR / years
    x, low, high, came, went, late, lost, w, v, near = scratch
    for j in range(lanes):
        x[j], low[j], high[j] = start, -far, far
        near[j] = 0.0 if changes[j] == 1.0 else 1.0
    for _ in range(_STEPS):
        busy = False
        for j in range(lanes):
            v[j] = math.exp(-x[j])
            w[j], came[j], went[j], late[j], lost[j] = 1.0, 0.0, 0.0, 0.0, 0.0
        for t in range(years):
            row = flows[t]
            for j in range(lanes):
                amount = row[j] * w[j]
                gain = max(amount, 0.0)
                loss = gain - amount
                came[j] += gain
                went[j] += loss
                late[j] += t * gain
                lost[j] += t * loss
                w[j] *= v[j]
        for j in range(lanes):
            if near[j] == 0.0:
                slope = late[j] / came[j] - lost[j] / went[j]
                value = math.log(came[j] / went[j])
                if (value > 0.0) == (slope > 0.0):
                    low[j] = x[j]
                else:
                    high[j] = x[j]
                following = x[j] + value / slope
                if not low[j] <= following <= high[j]:
                    following = 0.5 * (low[j] + high[j])
                step = following - x[j]
                x[j] = following
                if abs(step) <= _SMALL:
                    near[j] = 2.0 if abs(value) < _NOUGHT else 1.0
                else:
                    busy = True
        if not busy:
            break
    for j in range(lanes):
        out[j] = math.expm1(x[j]) if near[j] == 2.0 else np.nan
