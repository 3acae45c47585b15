"""Compiled count and search of the rates of return of one scenario after another (内部收益率核).

A polynomial is a row of coefficients with a row of bounds of their rounding errors beside it. Its roots in (0, 1) are
counted by the changes of sign of (x + 1)^n p(1 / (x + 1)); an interval with more than one change is halved. A sign
that the error bound does not settle ends the count: the scenario is handed back undecided.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["UNDECIDED", "rates_of_block"]

UNDECIDED = -2.0
"""Stands for a rate that floating point cannot settle; no rate is below -1."""

DEPTH = 24
"""Halvings of (0, 1) before the count is given up."""

EPS = 2.3e-16
"""A little over the unit of rounding."""

CLOSE = 1e-9
"""A step of Newton's method as short as this leaves an error below rounding."""


@njit(cache=True)
def _shift(c, e):
    """p(x + 1) in place, with the bound of the error."""
    n = c.size
    for k in range(n - 1):
        for i in range(n - 2, k - 1, -1):
            c[i] += c[i + 1]
            e[i] += e[i + 1] + EPS * abs(c[i])


@njit(cache=True)
def _changes(c, e, work, error):
    """Changes of sign of (x + 1)^n p(1 / (x + 1)), or -1 when rounding leaves it open."""
    n = c.size
    for i in range(n):
        work[i] = c[n - 1 - i]
        error[i] = e[n - 1 - i]
    _shift(work, error)
    count, last, open_signs = 0, 0, 0
    for i in range(n):
        if abs(work[i]) <= error[i]:
            if work[i] != 0.0 or error[i] != 0.0:
                open_signs += 1
            continue
        sign = 1 if work[i] > 0.0 else -1
        if open_signs and (last == 0 or sign == last or open_signs > 1):
            return -1
        if last and sign != last:
            count += 1
        last, open_signs = sign, 0
    return -1 if open_signs or last == 0 else count


@njit(cache=True)
def _count(c, places, stack, errors, work, error):
    """Roots in (0, 1), at most 2, with the interval of the first in `places`; -1 undecided."""
    n = c.size
    lows, depths = np.zeros(2 * DEPTH + 2), np.zeros(2 * DEPTH + 2, np.int64)
    for i in range(n):
        stack[0, i] = c[i]
        errors[0, i] = 0.0
    held, found = 1, 0
    while held:
        held -= 1
        piece, bound, low, depth = stack[held], errors[held], lows[held], depths[held]
        count = _changes(piece, bound, work, error)
        if count < 0:
            return -1
        width = 0.5**depth
        if count == 1:
            if found == 0:
                places[0], places[1] = low, low + width
            found += 1
            if found == 2:
                return 2
        if count > 1:
            if depth == DEPTH:
                return -1
            half = 1.0
            for i in range(n):
                piece[i] *= half
                bound[i] *= half
                half *= 0.5
            right, right_bound = stack[held + 1], errors[held + 1]
            for i in range(n):
                right[i] = piece[i]
                right_bound[i] = bound[i]
            _shift(right, right_bound)
            if abs(right[0]) <= right_bound[0]:
                return -1
            lows[held], depths[held] = low, depth + 1
            lows[held + 1], depths[held + 1] = low + 0.5 * width, depth + 1
            held += 2
    return found


@njit(cache=True)
def _sides(c, x):
    """Logarithm of positive over negative flows, discounted with log(1 + r) = x, and its slope."""
    w = np.exp(-x) if x >= 0.0 else np.exp(x)
    up, up_slope, down, down_slope = 0.0, 0.0, 0.0, 0.0
    n = c.size
    for k in range(n):
        value = c[n - 1 - k] if x >= 0.0 else c[k]
        up_slope = up_slope * w + up
        down_slope = down_slope * w + down
        up *= w
        down *= w
        if value > 0.0:
            up += value
        else:
            down -= value
    slope = w * (up_slope / up - down_slope / down)
    return np.log(up / down), (-slope if x >= 0.0 else slope)


@njit(cache=True)
def _search(c, low, high, rises):
    """Root of the logarithm between two values of log(1 + r); Newton within the bracket."""
    x = 0.0 if low <= 0.0 <= high else 0.5 * (low + high)
    for _ in range(300):
        value, slope = _sides(c, x)
        if not np.isfinite(value):
            return np.nan
        if value == 0.0:
            return x
        if (value < 0.0) == rises:
            low = x
        else:
            high = x
        new = x - value / slope if slope != 0.0 else np.inf
        if abs(new - x) <= CLOSE * max(abs(x), 1.0):
            return new
        if not (low < new < high):
            new = 0.5 * (low + high)
            if high - low <= EPS * max(abs(x), 1.0):
                return new
        x = new
    return np.nan


@njit(cache=True)
def _rate(c, room, errors, work, error, places):
    first, last, changes, total, weight, sign = -1, -1, 0, 0.0, 0.0, 0
    for t in range(c.size):
        if c[t] == 0.0:
            continue
        now = 1 if c[t] > 0.0 else -1
        if first < 0:
            first = t
        elif now != sign:
            changes += 1
        sign, last = now, t
        total += c[t]
        weight += abs(c[t])
    if changes == 0:
        return np.nan
    flows = c[first : last + 1]
    if changes == 1:
        value = _sides(flows, 0.0)[0]
        bound = 1.0001 * abs(value)
        rises = c[first] > 0.0
        x = _search(flows, min(0.0, -value if rises else value) - 1e-12 - (bound - abs(value)), max(0.0, -value if rises else value) + 1e-12 + (bound - abs(value)), rises)
        return UNDECIDED if np.isnan(x) else np.expm1(x)
    n = flows.size
    if abs(total) <= 4.0 * n * EPS * weight:
        return UNDECIDED
    above = _count(flows, places, room[:, :n], errors[:, :n], work[:n], error[:n])
    if above < 0:
        return UNDECIDED
    low, high = places[0], places[1]
    below = _count(flows[::-1], places, room[:, :n], errors[:, :n], work[:n], error[:n])
    if below < 0:
        return UNDECIDED
    if above + below != 1:
        return np.nan
    if above:
        top = -np.log(low) if low > 0.0 else 700.0 / n
        x = _search(flows, -np.log(high), top, _rises(flows, -np.log(high), top))
    else:
        bottom = np.log(places[0]) if places[0] > 0.0 else -700.0 / n
        x = _search(flows, bottom, np.log(places[1]), _rises(flows, bottom, np.log(places[1])))
    return UNDECIDED if np.isnan(x) else np.expm1(x)


@njit(cache=True)
def _rises(c, low, high):
    return _sides(c, high)[0] > _sides(c, low)[0]


@njit(cache=True)
def rates_of_block(flows):
    """Rate of each row of flows (scenarios, years); nan for none or several, `UNDECIDED` where exact arithmetic is needed."""
    scenarios, years = flows.shape
    rates = np.empty(scenarios)
    room, errors = np.empty((DEPTH + 3, years)), np.empty((DEPTH + 3, years))
    work, error, places = np.empty(years), np.empty(years), np.zeros(2)
    for k in range(scenarios):
        rates[k] = _rate(flows[k], room, errors, work, error, places)
    return rates
