"""Compiled steps on a tile of scenarios: yearly streams from lines and drivers (逐年收支流).

Arrays are (years, lanes) as in `rows`; a lane never reads another lane.
"""

from __future__ import annotations

import math

from numba import njit

from qianmo.finance.risk.packed import FEEDBACK, INCOME, OPERATING, OUTPUT_TAX, PROFIT, STREAMS

__all__ = ["fill_streams", "first_income"]


@njit(cache=True, nogil=True)
def fill_streams(values, profiles, drives, delay_of, land, bands, streams, moved, scratch, lost, lanes):
    """Yearly streams: each group's profile times its drivers, less its land tax, moved in time where the group is delayed."""
    years = profiles.shape[2]
    share, kept = scratch[0], scratch[3]
    for s in range(STREAMS):
        for t in range(years):
            row = streams[s, t]
            for j in range(lanes):
                row[j] = 0.0
    for j in range(lanes):
        lost[j] = 0.0
    for g in range(profiles.shape[1]):
        for j in range(lanes):
            share[j] = 1.0
        for k in range(drives.shape[1]):
            if drives[g, k]:
                for j in range(lanes):
                    share[j] *= values[k, j]
        _after_land_tax(share, land[g], bands, kept, lanes)
        if delay_of[g] >= 0:
            _delayed(profiles[OPERATING, g], kept, values[delay_of[g]], moved, scratch[1], lost, lanes)
            for s in (OPERATING, PROFIT, INCOME):
                _added(moved, streams[s], lanes)
            _delayed(profiles[OUTPUT_TAX, g], share, values[delay_of[g]], moved, scratch[1], scratch[2], lanes)
            _added(moved, streams[OUTPUT_TAX], lanes)
            _delayed(profiles[FEEDBACK, g], share, values[delay_of[g]], moved, scratch[1], scratch[2], lanes)
            _added(moved, streams[FEEDBACK], lanes)
            continue
        for s in range(STREAMS):
            part = kept if s in (OPERATING, PROFIT) else share
            for t in range(years):
                amount = profiles[s, g, t]
                if amount != 0.0:
                    row = streams[s, t]
                    for j in range(lanes):
                        row[j] += amount * part[j]


@njit(cache=True, nogil=True)
def _after_land_tax(share, land, bands, kept, lanes):
    """What the drivers leave of a line after land value-added tax; the bands join, so the tax is the largest of all bands."""
    whole, deductions, amount = land
    for j in range(lanes):
        kept[j] = share[j]
    if deductions <= 0.0:
        return
    for j in range(lanes):
        gain = max(whole * share[j] - deductions, 0.0)
        tax = 0.0
        if gain > 0.0:
            for k in range(len(bands)):
                tax = max(tax, gain * bands[k, 0] - deductions * bands[k, 1])
        kept[j] = share[j] - tax / amount


@njit(cache=True, nogil=True)
def _delayed(profile, share, months, moved, part, lost, lanes):
    """Money that comes some months later, by year: the part of a year falls in the year after; `lost` what comes too late."""
    years = len(profile)
    for t in range(years):
        row = moved[t]
        for j in range(lanes):
            row[j] = 0.0
    for j in range(lanes):
        part[j] = months[j] / 12.0 - math.floor(months[j] / 12.0)
    for t in range(years):
        amount = profile[t]
        if amount == 0.0:
            continue
        for j in range(lanes):
            at = t + int(months[j] / 12.0)
            money = amount * share[j]
            after = money * part[j]
            if at + 1 < years:
                moved[at, j] += money - after
                moved[at + 1, j] += after
            elif at + 1 == years:
                moved[at, j] += money - after
                lost[j] += after
            else:
                lost[j] += money


@njit(cache=True, nogil=True)
def _added(rows, onto, lanes):
    for t in range(len(rows)):
        source, target = rows[t], onto[t]
        for j in range(lanes):
            target[j] += source[j]


@njit(cache=True, nogil=True)
def first_income(income, first, lanes):
    """Row of the first income, or one far behind the timeline."""
    for j in range(lanes):
        first[j] = 1 << 30
    for t in range(len(income) - 1, -1, -1):
        for j in range(lanes):
            if income[t, j] > 0.0:
                first[j] = t
