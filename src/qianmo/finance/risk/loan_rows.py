"""Compiled steps on a tile of scenarios: the loan, and what it leaves the owners (借款与资本金流量).

Arrays are (years, lanes) as in `rows`; a lane never reads another lane.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from qianmo.finance.risk.packed import FUNDING, RECOVERY

__all__ = ["loan_account", "owners_flow"]


@njit(cache=True, nogil=True)
def loan_account(values, available, capital, terms, first_row, last_row, rate_row, gearing, fixed, is_fixed, work, scratch, debt, lanes):
    """Opening balance, draws, interest, principal, capitalised interest by year: sculpted under the cap, or as signed."""
    opening, drawn, interest, principal, capitalised = work[6], work[7], work[8], work[9], work[10]
    years = len(available)
    for t in range(years):
        for j in range(lanes):
            opening[t, j] = 0.0
            drawn[t, j] = 0.0
            interest[t, j] = 0.0
            principal[t, j] = 0.0
            capitalised[t, j] = 0.0
    for j in range(lanes):
        debt[j] = 0.0
    if first_row < 0:
        return
    shift, outlay, grown, owed, scale = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for j in range(lanes):
        shift[j] = values[rate_row, j] if rate_row >= 0 else 0.0
    if is_fixed:
        for t in range(years):
            for j in range(lanes):
                opening[t, j], drawn[t, j], capitalised[t, j], principal[t, j] = fixed[0, t], fixed[1, t], fixed[2, t], fixed[3, t]
                interest[t, j] = (fixed[0, t] + 0.5 * fixed[1, t]) * (terms[0, t] + shift[j])
        for j in range(lanes):
            debt[j] = fixed[0, first_row]
        return
    for j in range(lanes):
        outlay[j] = 0.0
        grown[j] = 0.0
        owed[j] = 0.0
    for t in range(first_row):
        for j in range(lanes):
            outlay[j] += capital[t, j]
    for t in range(first_row):
        for j in range(lanes):
            part = capital[t, j] / outlay[j] if outlay[j] > 0.0 else 0.0
            grown[j] += part + (grown[j] + 0.5 * part) * (terms[0, t] + shift[j])
    for t in range(last_row, first_row - 1, -1):
        for j in range(lanes):
            owed[j] = (owed[j] + max(available[t, j], 0.0) / terms[1, t]) / (1.0 + (terms[0, t] + shift[j]))
    for j in range(lanes):
        scale[j] = 1.0
        if outlay[j] > 0.0:
            most = gearing * outlay[j] / (1.0 - gearing * (1.0 - 1.0 / grown[j]))
            if owed[j] > most:
                scale[j] = most / owed[j]
                owed[j] = most
        else:
            scale[j] = 0.0
            owed[j] = 0.0
        debt[j] = owed[j]
    for j in range(lanes):
        grown[j] = owed[j] / grown[j] / outlay[j] if outlay[j] > 0.0 else 0.0  # drawn for one fen of outlay
        owed[j] = 0.0
    for t in range(first_row):
        for j in range(lanes):
            opening[t, j] = owed[j]
            drawn[t, j] = capital[t, j] * grown[j]
            interest[t, j] = (owed[j] + 0.5 * drawn[t, j]) * (terms[0, t] + shift[j])
            capitalised[t, j] = interest[t, j]
            owed[j] += drawn[t, j] + interest[t, j]
    for t in range(first_row, last_row + 1):
        for j in range(lanes):
            opening[t, j] = owed[j]
            interest[t, j] = owed[j] * (terms[0, t] + shift[j])
            principal[t, j] = max(available[t, j], 0.0) / terms[1, t] * scale[j] - interest[t, j]
            owed[j] -= principal[t, j]


@njit(cache=True, nogil=True)
def owners_flow(available, tax, streams, work, kept, equity, first_row, last_row, operation_row, least, short, lanes):
    """Flow of the owners, coverage of every year of service, its least, and years that end short of cash."""
    drawn, interest, principal, capitalised = work[7], work[8], work[9], work[10]
    begin = first_row if first_row >= 0 else operation_row
    for j in range(lanes):
        least[j] = np.inf
        short[j] = 0.0
    for t in range(len(available)):
        serving = first_row >= 0 and t >= first_row and t <= last_row
        for j in range(lanes):
            service = principal[t, j] + interest[t, j] - capitalised[t, j]
            left = available[t, j] - tax[t, j]
            equity[t, j] = left + drawn[t, j] - service + (streams[RECOVERY, t, j] + streams[FUNDING, t, j])
            kept[t, j] = np.nan
            if serving and service > 0.0:
                kept[t, j] = left / service
                least[j] = min(least[j], kept[t, j])
            if t >= begin and equity[t, j] < 0.0:
                short[j] += 1.0
    for j in range(lanes):
        if math.isinf(least[j]):
            least[j] = np.nan
