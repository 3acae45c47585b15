"""The risk run written in plain numpy, year by year over blocks of scenarios: a peer that shares no code with the kernel."""

from __future__ import annotations

import numpy as np

__all__ = ["block_by_numpy"]


def block_by_numpy(case: dict[str, np.ndarray | float | int], x: np.ndarray) -> dict[str, np.ndarray]:
    """Figures of one block; `case` holds the yearly series of `bench_risk.project`, `x` the inputs (8, n)."""
    price, accepted, delay, works, running, sales, shift, eco = x
    years, built, last = int(case["years"]), int(case["built"]), int(case["last"])
    n = x.shape[1]
    quota = np.zeros((years + 60, n))
    whole, part = np.floor(delay / 12.0).astype(int), delay / 12.0 - np.floor(delay / 12.0)
    lanes = np.arange(n)
    for t in np.flatnonzero(case["quota"]):
        money = case["quota"][t] * (price * accepted)
        quota[t + whole, lanes] += money * (1 - part)
        quota[t + whole + 1, lanes] += money * part
    quota = quota[:years]
    restoration, plant = case["restoration"][:, None] * eco, case["plant"][:, None] * works
    sold, cost, care = case["sales"][:, None] * sales, case["running"][:, None] * running, case["care"][:, None] * eco
    capital = restoration + plant
    written = np.zeros((years, n))
    written[built : built + 20] = (restoration.sum(axis=0) + 0.95 * plant.sum(axis=0)) / 20.0
    cash, profit = quota + sold - cost - care, quota + sold - cost - care - written
    net_tax = 0.13 * sold - 0.09 * restoration - 0.13 * plant - 0.06 * (cost + care)
    pool = np.zeros(n)
    for t in range(years):
        net = net_tax[t] - pool
        tax, pool = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        cash[t] += net_tax[t] - tax - 0.12 * tax
        profit[t] -= 0.12 * tax
    first = np.argmax((quota + sold) > 0, axis=0)
    since = np.arange(years)[:, None] - first
    rate = np.where((since >= 0) & (since < 3), 0.0, np.where((since >= 0) & (since < 6), 0.125, 0.25))
    available = cash - capital
    flow = available - _income_tax(profit, rate)
    lent = _loan(available, capital, 0.036 + shift, built, last)
    own = profit - lent["interest"]
    own[:built] = profit[:built]
    own[built : built + 20] -= lent["interest"][:built].sum(axis=0) / 20.0
    tax = _income_tax(own, rate)
    service = np.where(np.arange(years)[:, None] < built, 0.0, lent["interest"] + lent["principal"])
    equity = available - tax + lent["drawn"] - service
    kept = (available - tax)[built:last] / service[built:last]
    discount = 1.06 ** -np.arange(1.0, years + 1)
    totals = np.cumsum(flow, axis=0)
    return {
        "npv_fen": discount @ flow, "irr": _rate(flow), "equity_npv_fen": discount @ equity, "equity_irr": _rate(equity), "min_coverage": kept.min(axis=0),
        "payback_years": _payback(flow, totals), "dynamic_payback_years": _payback(flow * discount[:, None], np.cumsum(flow * discount[:, None], axis=0)),
    }  # fmt: skip


def _income_tax(profit: np.ndarray, rate: np.ndarray) -> np.ndarray:
    tax = np.empty_like(profit)
    pool = np.zeros((5, profit.shape[1]))
    for t in range(len(profit)):
        left = np.maximum(profit[t], 0.0)
        for k in range(5):
            used = np.minimum(left, pool[k])
            pool[k] -= used
            left = left - used
        pool[:-1] = pool[1:]
        pool[-1] = np.maximum(-profit[t], 0.0)
        tax[t] = left * rate[t]
    return tax


def _loan(available: np.ndarray, capital: np.ndarray, rate: np.ndarray, built: int, last: int) -> dict[str, np.ndarray]:
    years, n = available.shape
    outlay = capital[:built].sum(axis=0)
    grown, debt = np.zeros(n), np.zeros(n)
    for t in range(built):
        part = capital[t] / outlay
        grown += part + (grown + part / 2) * rate
    for t in range(last - 1, built - 1, -1):
        debt = (debt + np.maximum(available[t], 0.0) / 1.3) / (1 + rate)
    held = np.minimum(debt, 0.8 * outlay / (1 - 0.8 * (1 - 1 / grown)))
    rows = {name: np.zeros((years, n)) for name in ("interest", "principal", "drawn")}
    owed = np.zeros(n)
    for t in range(built):
        rows["drawn"][t] = capital[t] / outlay * held / grown
        rows["interest"][t] = (owed + rows["drawn"][t] / 2) * rate
        owed += rows["drawn"][t] + rows["interest"][t]
    for t in range(built, last):
        rows["interest"][t] = owed * rate
        rows["principal"][t] = np.maximum(available[t], 0.0) / 1.3 * (held / debt) - rows["interest"][t]
        owed -= rows["principal"][t]
    return rows


def _rate(flow: np.ndarray) -> np.ndarray:
    """Newton's method on the logarithm of the ratio, all scenarios until the slowest has arrived."""
    signs = np.sign(flow)
    single = (np.diff(signs, axis=0) != 0).sum(axis=0) == 1
    came, went = np.maximum(flow, 0.0), np.maximum(-flow, 0.0)
    years = np.arange(len(flow))[:, None]
    x = np.full(flow.shape[1], np.log(1.06))
    for _ in range(50):
        share = np.exp(-x * years)
        gain, loss = came * share, went * share
        p, q = gain.sum(axis=0), loss.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.log(p / q) / ((gain * years).sum(axis=0) / p - (loss * years).sum(axis=0) / q)
        x = np.where(single, x + step, x)
        if np.nanmax(np.abs(np.where(single, step, 0.0))) < 1e-9:
            break
    return np.where(single, np.expm1(x), np.nan)


def _payback(flow: np.ndarray, totals: np.ndarray) -> np.ndarray:
    before = np.vstack([np.zeros((1, flow.shape[1])), totals[:-1]])
    back = (before < 0) & (totals >= 0)
    at, lanes = back.argmax(axis=0), np.arange(flow.shape[1])
    return np.where(back.any(axis=0), at - before[at, lanes] / flow[at, lanes], np.nan)
