"""The compiled run of a block of scenarios: cash, taxes, sculpted loan, figures (风险模拟核)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from qianmo.finance.risk.packed import (
    CAPITAL,
    FUNDING,
    INCOME,
    INPUT_TAX,
    OPERATING,
    OUTPUT_TAX,
    PROFIT,
    RECOVERY,
    RESTORATION,
    STREAMS,
)
from qianmo.finance.risk.rows import income_taxes, payback, present_value, rate_of_return, sign_changes, value_added

__all__ = ["FIGURES", "LANES", "YEARLY", "run_block"]

LANES = 64
"""Scenarios of one tile: its yearly arrays stay in the second cache."""

FIGURES = (
    "npv_fen", "irr", "payback_years", "dynamic_payback_years", "equity_npv_fen", "equity_irr", "debt_fen", "min_coverage",
    "self_balance_ratio", "short_years", "irr_sign_changes", "equity_sign_changes", "income_lost_fen",
)  # fmt: skip
"""Figures of one scenario, rows of the result."""

YEARLY = ("project_flow", "equity_flow", "cash_available", "income_tax", "adjusted_tax", "vat_paid", "opening", "drawn", "interest", "principal", "capitalised", "coverage")
"""Yearly rows kept where asked."""


@njit(cache=True, nogil=True)
def run_block(values, profiles, drives, delay_of, terms, first_row, last_row, rate_row, numbers, counts, fixed, is_fixed, discount, out, yearly):
    """Figures of all scenarios of a block, tile by tile; `values` (inputs, n), `out` (figures, n), `yearly` (rows, years, n) or empty."""
    years = profiles.shape[2]
    count = out.shape[1]
    streams = np.empty((STREAMS, years, LANES))
    work = np.empty((12, years, LANES))
    scratch = np.empty((10, LANES))
    pool = np.empty((max(counts[2], 1), LANES))
    first = np.empty(LANES, dtype=np.int64)
    figures = np.empty((out.shape[0], LANES))
    for begin in range(0, count, LANES):
        lanes = min(LANES, count - begin)
        _tile(
            values[:, begin : begin + lanes], profiles, drives, delay_of, terms, first_row, last_row, rate_row, numbers, counts,
            fixed, is_fixed, discount, streams, work, scratch, pool, first, figures, lanes,
        )  # fmt: skip
        for k in range(out.shape[0]):
            for j in range(lanes):
                out[k, begin + j] = figures[k, j]
        if yearly.shape[2] > 0:
            for k in range(12):
                for t in range(years):
                    for j in range(lanes):
                        yearly[k, t, begin + j] = work[k, t, j]


@njit(cache=True, nogil=True)
def _tile(
    values, profiles, drives, delay_of, terms, first_row, last_row, rate_row, numbers, counts, fixed, is_fixed, discount, streams, work,
    scratch, pool, first, figures, lanes,
):  # fmt: skip
    flow, equity, available, tax, adjusted, paid = work[0], work[1], work[2], work[3], work[4], work[5]
    interest, kept = work[8], work[11]
    cash, capital, profit = streams[OPERATING], streams[CAPITAL], streams[PROFIT]
    years = len(cash)
    _streams(values, profiles, drives, delay_of, streams, work[0], scratch, figures[12], lanes)
    value_added(streams[OUTPUT_TAX], streams[INPUT_TAX], cash, profit, terms[5], scratch[0], paid, lanes)
    _first_income(streams[INCOME], first, lanes)
    income_taxes(profit, first, terms[4], numbers[0], counts[0], counts[1], counts[2], pool, scratch[0], adjusted, lanes)
    for t in range(years):
        for j in range(lanes):
            available[t, j] = cash[t, j] - capital[t, j]
            flow[t, j] = available[t, j] - adjusted[t, j] + streams[RECOVERY, t, j]
    _loan(values, available, capital, terms, first_row, last_row, rate_row, numbers[1], fixed, is_fixed, work, scratch, figures[6], lanes)
    in_assets = scratch[5]
    for j in range(lanes):
        in_assets[j] = 0.0
    for t in range(years):
        share = terms[3, t]
        for j in range(lanes):
            in_assets[j] += interest[t, j] * share
    for t in range(years):
        of_year, share = 1.0 - terms[3, t], terms[2, t]
        for j in range(lanes):
            profit[t, j] -= interest[t, j] * of_year + in_assets[j] * share
    income_taxes(profit, first, terms[4], numbers[0], counts[0], counts[1], counts[2], pool, scratch[0], tax, lanes)
    _equity(available, tax, streams, work, kept, equity, first_row, last_row, counts[3], figures[7], figures[9], lanes)
    for j in range(lanes):
        equity[years - 1, j] += in_assets[j] * numbers[3]
    _figures(flow, equity, streams, discount, counts[4], scratch, figures, numbers[2], lanes)


@njit(cache=True, nogil=True)
def _streams(values, profiles, drives, delay_of, streams, moved, scratch, lost, lanes):
    """Yearly streams: each group's profile times its drivers, moved in time where the group is delayed."""
    years = profiles.shape[2]
    share = scratch[0]
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
        if delay_of[g] >= 0:
            _delayed(profiles[OPERATING, g], share, values[delay_of[g]], moved, scratch[1], lost, lanes)
            for s in (OPERATING, PROFIT, INCOME):
                _added(moved, streams[s], lanes)
            _delayed(profiles[OUTPUT_TAX, g], share, values[delay_of[g]], moved, scratch[1], scratch[2], lanes)
            _added(moved, streams[OUTPUT_TAX], lanes)
            continue
        for s in range(STREAMS):
            for t in range(years):
                amount = profiles[s, g, t]
                if amount != 0.0:
                    row = streams[s, t]
                    for j in range(lanes):
                        row[j] += amount * share[j]


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
def _first_income(income, first, lanes):
    """Row of the first income, or one far behind the timeline."""
    for j in range(lanes):
        first[j] = 1 << 30
    for t in range(len(income) - 1, -1, -1):
        for j in range(lanes):
            if income[t, j] > 0.0:
                first[j] = t


@njit(cache=True, nogil=True)
def _loan(values, available, capital, terms, first_row, last_row, rate_row, gearing, fixed, is_fixed, work, scratch, debt, lanes):
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
def _equity(available, tax, streams, work, kept, equity, first_row, last_row, operation_row, least, short, lanes):
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


@njit(cache=True, nogil=True)
def _figures(flow, equity, streams, discount, at_year_end, scratch, figures, rate, lanes):
    """Present values, rates of return, payback, self-balance ratio."""
    ones = np.ones(len(flow))
    shift = 0.0 if at_year_end else -1.0
    start = math.log1p(rate)
    present_value(flow, discount, figures[0], lanes)
    sign_changes(flow, scratch[0], figures[10], lanes)
    rate_of_return(flow, figures[10], start, scratch, figures[1], lanes)
    payback(flow, ones, shift, scratch[0], figures[2], lanes)
    payback(flow, discount, shift, scratch[0], figures[3], lanes)
    present_value(equity, discount, figures[4], lanes)
    sign_changes(equity, scratch[0], figures[11], lanes)
    rate_of_return(equity, figures[11], start, scratch, figures[5], lanes)
    gain, spent = scratch[0], scratch[1]
    for j in range(lanes):
        gain[j] = 0.0
        spent[j] = 0.0
    cash, capital, restoration = streams[OPERATING], streams[CAPITAL], streams[RESTORATION]
    for t in range(len(flow)):
        for j in range(lanes):
            spent[j] += restoration[t, j] * discount[t]
            gain[j] += (cash[t, j] - capital[t, j] + restoration[t, j]) * discount[t]
    for j in range(lanes):
        figures[8, j] = gain[j] / spent[j] if spent[j] > 0.0 else np.nan
