"""Scenarios of thirty years with taxes, a sculpted loan and rates of return: the kernel, plain numpy, and pyxirr for the rates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyxirr
from measure import Outcome, Way
from risk_peer import block_by_numpy

from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.mapping import risk_model_from
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.rows import rate_of_return, sign_changes
from qianmo.finance.risk.simulate import evaluate_yearly, simulate

__all__ = ["by_house", "by_numpy", "project", "ways"]

YEARS, BUILT, LAST = 30, 2, 17
SEED = 20260101
_MOST = 1_000_000
_FLOWS = 100_000
_BLOCK = 8000
_COMPARED = ("npv_fen", "irr", "equity_npv_fen", "equity_irr", "min_coverage", "payback_years", "dynamic_payback_years")


def _amounts() -> dict[str, dict[str, float]]:
    """An invented package: restoration and plant built in two years, quota sold in three, sales for 28 [yuan]."""
    return {
        "restoration": {"1-2": 5e7}, "plant": {"1-2": 4e7}, "quota": {"3-5": 2e7}, "sales": {"3-30": 2.6e7}, "running": {"3-30": 8e6}, "care": {"3-30": 6e5},
    }  # fmt: skip


def project() -> RiskModel:
    """The package with eight uncertain inputs, two pairs correlated; each scenario sizes its own loan under a cap of 80 %."""

    def triangle(low: float, mode: float, high: float) -> dict[str, Any]:
        return {"kind": "triangular", "low": low, "mode": mode, "high": high}

    shapes = {
        "price": {"kind": "lognormal", "median": 1.0, "log_deviation": 0.15}, "accepted": triangle(0.7, 0.95, 1.0),
        "delay": {"effect": "delay_months", **triangle(0, 6, 36)}, "works": triangle(0.9, 1.0, 1.3), "running": triangle(0.9, 1.0, 1.2),
        "sales": {"kind": "normal", "mean": 1.0, "deviation": 0.1}, "shift": {"effect": "rate_shift", "kind": "uniform", "low": -0.005, "high": 0.01},
        "eco": triangle(0.9, 1.0, 1.4),
    }  # fmt: skip
    lines = [
        {"name": "restoration", "nature": "capital", "vat_rate": 0.09, "drivers": ["eco"], "is_restoration": True, "life_years": 20},
        {"name": "plant", "nature": "capital", "vat_rate": 0.13, "drivers": ["works"], "life_years": 20, "salvage_share": 0.05},
        {"name": "quota", "nature": "income", "drivers": ["price", "accepted"], "delay": "delay"},
        {"name": "sales", "nature": "income", "vat_rate": 0.13, "drivers": ["sales"]},
        {"name": "running", "nature": "cost", "vat_rate": 0.06, "drivers": ["running"]},
        {"name": "care", "nature": "cost", "vat_rate": 0.06, "drivers": ["eco"], "is_restoration": True},
    ]
    return risk_model_from({
        "years": YEARS, "operation_year": BUILT + 1, "discount_rate": 0.06, "input": [{"name": n, **s} for n, s in shapes.items()],
        "line": [{**row, "amount_yuan": _amounts()[str(row["name"])]} for row in lines],
        "taxes": {"surcharge_rate": 0.12, "income_rate": 0.25, "free_years": 3, "half_years": 3},
        "loan": {"first_year": BUILT + 1, "last_year": LAST, "coverage": 1.3, "rate": 0.036, "gearing": 0.8, "rate_input": "shift", "sized_by": "scenario"},
        "correlation": [{"inputs": ["price", "sales"], "value": 0.4}, {"inputs": ["works", "eco"], "value": 0.6}],
    })  # fmt: skip


def by_house(scenarios: int, threads: int) -> Outcome:
    """Draws and kernel."""
    run = simulate(project(), scenarios, SEED, threads=threads)
    return Outcome(_figure(run.figures), {"rate refused": run.refused})


def by_numpy(scenarios: int) -> float:
    """The same draws, the project once more in plain numpy."""
    model = project()
    case: dict[str, Any] = {"years": YEARS, "built": BUILT, "last": LAST} | {line.name: line.amount_fen for line in model.lines}
    parts = []
    for begin in range(0, scenarios, _BLOCK):
        x = drawn_values(model.marginals, model.factor, SEED, begin, min(_BLOCK, scenarios - begin))
        parts.append(block_by_numpy(case, x))
    return _figure({name: np.concatenate([p[name] for p in parts]) for name in _COMPARED})


def _figure(found: Mapping[str, np.ndarray]) -> float:
    """One number of all compared figures of all scenarios."""
    return float(sum(np.nanmean(found[name]) / (1e9 if name.endswith("fen") else 1.0) for name in _COMPARED))


def _flows(count: int) -> np.ndarray:
    model = project()
    values = drawn_values(model.marginals, model.factor, SEED, 0, count)
    return np.ascontiguousarray(evaluate_yearly(model, values).rows["project_flow"])


def _rates_by_house(flows: np.ndarray) -> float:
    count, tile = flows.shape[1], 64
    scratch, changes, rates = np.empty((10, tile)), np.empty(tile), np.empty(count)
    for begin in range(0, count, tile):
        part = np.ascontiguousarray(flows[:, begin : begin + tile])
        sign_changes(part, scratch[0], changes, part.shape[1])
        rate_of_return(part, changes, np.log(1.06), scratch, rates[begin : begin + tile], part.shape[1])
    return float(np.nanmean(rates))


def _rates_by_pyxirr(flows: np.ndarray) -> float:
    rows = np.ascontiguousarray(flows.T)
    return float(np.mean([pyxirr.irr(row) for row in rows]))


def ways(size: int, cache: Path) -> list[Way]:
    """Up to a million scenarios on one thread, on two, in plain numpy; the rates alone of up to 100,000 flows by kernel and by pyxirr."""
    count = min(size, _MOST)
    flows = _flows(min(count, _FLOWS))
    warm = partial(by_house, 200, 1)
    return [
        Way("risk", "qianmo, one thread", count, partial(by_house, count, 1), warm),
        Way("risk", "qianmo, two threads", count, partial(by_house, count, 2), warm),
        Way("risk", "plain numpy, blocks of 8,000", count, partial(by_numpy, count), partial(by_numpy, 200)),
        Way("risk rates", "qianmo", flows.shape[1], partial(_rates_by_house, flows), partial(_rates_by_house, flows[:, :64])),
        Way("risk rates", "pyxirr", flows.shape[1], partial(_rates_by_pyxirr, flows), partial(_rates_by_pyxirr, flows[:, :64])),
    ]
