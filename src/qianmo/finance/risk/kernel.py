"""The compiled run of a block of scenarios: cash, taxes, sculpted loan, figures (风险模拟核)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from qianmo.finance.risk.loan_rows import loan_account, owners_flow
from qianmo.finance.risk.packed import (
    CAPITAL,
    FEEDBACK,
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
from qianmo.finance.risk.stream_rows import fill_streams, first_income

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
def run_block(values, profiles, drives, delay_of, land, bands, terms, first_row, last_row, rate_row, numbers, counts, fixed, is_fixed, discount, out, yearly):
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
            values[:, begin : begin + lanes], profiles, drives, delay_of, land, bands, terms, first_row, last_row, rate_row, numbers, counts,
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
    values, profiles, drives, delay_of, land, bands, terms, first_row, last_row, rate_row, numbers, counts, fixed, is_fixed, discount, streams, work,
    scratch, pool, first, figures, lanes,
):  # fmt: skip
    flow, equity, available, tax, adjusted, paid = work[0], work[1], work[2], work[3], work[4], work[5]
    interest, kept = work[8], work[11]
    cash, capital, profit = streams[OPERATING], streams[CAPITAL], streams[PROFIT]
    years = len(cash)
    fill_streams(values, profiles, drives, delay_of, land, bands, streams, work[0], scratch, figures[12], lanes)
    value_added(streams[OUTPUT_TAX], streams[INPUT_TAX], cash, profit, terms[5], scratch[0], paid, lanes)
    first_income(streams[INCOME], first, lanes)
    income_taxes(profit, first, terms[4], numbers[0], counts[0], counts[1], counts[2], pool, scratch[0], adjusted, lanes)
    for t in range(years):
        for j in range(lanes):
            available[t, j] = cash[t, j] - capital[t, j]
            flow[t, j] = available[t, j] - adjusted[t, j] + streams[RECOVERY, t, j]
    loan_account(values, available, capital, terms, first_row, last_row, rate_row, numbers[1], fixed, is_fixed, work, scratch, figures[6], lanes)
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
    owners_flow(available, tax, streams, work, kept, equity, first_row, last_row, counts[3], figures[7], figures[9], lanes)
    for j in range(lanes):
        equity[years - 1, j] += in_assets[j] * numbers[3]
    _figures(flow, equity, streams, discount, counts[4], scratch, figures, numbers[2], lanes)


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
    back, restoration = streams[FEEDBACK], streams[RESTORATION]
    for t in range(len(flow)):
        for j in range(lanes):
            spent[j] += restoration[t, j] * discount[t]
            gain[j] += back[t, j] * discount[t]
    for j in range(lanes):
        figures[8, j] = gain[j] / spent[j] if spent[j] > 0.0 else np.nan
