"""A risk model as the arrays of the kernel: lines with the same drivers are one (压缩模型)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.finance.risk.model import RiskLine, RiskLoan, RiskModel

__all__ = ["CAPITAL", "FEEDBACK", "FUNDING", "INCOME", "INPUT_TAX", "OPERATING", "OUTPUT_TAX", "PROFIT", "RECOVERY", "RESTORATION", "STREAMS", "Packed", "depreciation", "packed"]

OPERATING, CAPITAL, OUTPUT_TAX, INPUT_TAX, PROFIT, INCOME, RESTORATION, RECOVERY, FUNDING, FEEDBACK = range(10)
STREAMS = 10
"""Yearly streams: net cash of operation, outlay, output and input tax, taxable profit, income, cost of restoration, recovery, funding,
money that pays back the restoration; cost of restoration and the money that pays it back are with value-added tax."""


@dataclass(frozen=True)
class Packed:
    """Arrays of the kernel (核参数).

    `profiles` (streams, groups, years); `drives` (groups, inputs); `delay_of` (groups,) row of the delaying input or −1;
    `land` (groups, 3) whole income of a transfer of land, its deductions (0 for none), and the amount the tax is taken from;
    `bands` (k, 2) rate and quick deduction; `terms` (6, years): rate, coverage, share of the interest in the assets written off, share of interest that goes into the
    assets, income tax rate, surcharge rate; `window` first and last row of service, or −1; `rate_row` row of the rate input or
    −1; `numbers`: half factor, gearing, discount rate, share of the interest in the assets that comes back at the end;
    `counts`: free years, half years, loss years, first row of operation, 1 where flows start at year end; `signed` (4, years)
    opening, drawn, capitalised, principal of a signed loan, or None.
    """

    profiles: np.ndarray
    drives: np.ndarray
    delay_of: np.ndarray
    land: np.ndarray
    bands: np.ndarray
    terms: np.ndarray
    window: tuple[int, int]
    rate_row: int
    numbers: np.ndarray
    counts: np.ndarray
    signed: np.ndarray | None


def packed(model: RiskModel) -> Packed:
    """Arrays of a model (模型打包).

    Parameters
    ----------
    model : RiskModel

    Returns
    -------
    Packed
        Lines with the same drivers, delay and land tax are added up, so the kernel's work grows with the groups.
    """
    groups: dict[tuple[tuple[int, ...], int, tuple[float, float, float]], np.ndarray] = {}
    for line in model.lines:
        key = tuple(sorted(model.place(d) for d in line.drivers)), model.place(line.delay) if line.delay else -1, _land(line)
        groups.setdefault(key, np.zeros((STREAMS, model.years)))[...] += _streams(line, model)
    drives = np.zeros((len(groups), max(len(model.inputs), 1)), dtype=np.bool_)
    for g, (rows, _, _) in enumerate(groups):
        drives[g, list(rows)] = True
    taxes, loan, terms = model.taxes, model.loan, _terms(model)
    back = 1.0 - terms[2].sum() if loan is not None and loan.interest_back else 0.0
    signed = loan.signed if loan is not None else None
    return Packed(
        np.ascontiguousarray(np.stack(list(groups.values()), axis=1)), drives, np.array([d for _, d, _ in groups], dtype=np.int64),
        np.array([x for _, _, x in groups]), np.array(taxes.land_bands, dtype=np.float64).reshape(-1, 2), terms,
        (-1, -1) if loan is None else (loan.first_year - 1, loan.last_year - 1),
        model.place(loan.rate_input) if loan is not None and loan.rate_input else -1,
        np.array([taxes.half_factor, loan.gearing if loan else 0.0, model.discount_rate, back]),
        np.array([taxes.free_years, taxes.half_years, taxes.loss_years, model.operation_year - 1, int(model.first == "end_of_year_one")]),
        None if signed is None else np.stack([signed.opening, signed.drawn, signed.capitalised, signed.principal]).astype(np.float64),
    )  # fmt: skip


def depreciation(line: RiskLine, model: RiskModel) -> np.ndarray:
    """Depreciation of capital by year, (years,) [fen]: as given or straight; what lies beyond the timeline is left out (折旧)."""
    if line.depreciation_fen is not None:
        return np.asarray(line.depreciation_fen, dtype=np.float64)
    found = np.zeros(model.years)
    for t in (int(k) for k in np.flatnonzero(line.amount_fen)):
        start = max(t + 1, model.operation_year - 1)
        found[start : start + line.life_years] += line.amount_fen[t] * (1.0 - line.salvage_share) / line.life_years
    return found


def _streams(line: RiskLine, model: RiskModel) -> np.ndarray:
    amount, out = np.asarray(line.amount_fen, dtype=np.float64), np.zeros((STREAMS, model.years))
    if line.nature == "income":
        out[OPERATING], out[PROFIT], out[INCOME], out[OUTPUT_TAX] = amount, amount, amount, amount * line.vat_rate
    elif line.nature == "cost":
        out[OPERATING], out[PROFIT], out[INPUT_TAX] = -amount, -amount, amount * line.vat_rate
    elif line.nature == "capital":
        out[CAPITAL], out[PROFIT], out[INPUT_TAX] = amount, -depreciation(line, model), amount * line.vat_rate
    else:
        out[{"untaxed": OPERATING, "recovery": RECOVERY, "funding": FUNDING}[line.nature]] = amount
    gross = amount * (1.0 + np.asarray(line.vat_rate)) if line.gross_fen is None else np.asarray(line.gross_fen, dtype=np.float64)
    if line.nature in ("income", "untaxed") and line.is_feedback:
        out[FEEDBACK] = gross
    elif line.nature in ("cost", "capital"):
        out[RESTORATION if line.is_restoration else FEEDBACK] = gross if line.is_restoration else -gross
    return out


def _land(line: RiskLine) -> tuple[float, float, float]:
    if line.deductions_fen <= 0:
        return 0.0, 0.0, 1.0
    amount = float(np.sum(line.amount_fen))
    return amount if line.transfer_fen is None else line.transfer_fen, line.deductions_fen, amount


def _terms(model: RiskModel) -> np.ndarray:
    terms = np.zeros((6, model.years))
    loan = model.loan
    terms[4], terms[5] = model.taxes.income_rate, model.taxes.surcharge_rate
    if loan is None:
        return terms
    terms[0], terms[1] = loan.rate, loan.coverage
    if loan.signed is not None:
        terms[2], terms[3] = loan.signed.written_off, loan.signed.into_assets
    else:
        terms[2] = _write_off(loan, model)
        terms[3, : loan.first_year - 1] = 1.0
    return terms


def _write_off(loan: RiskLoan, model: RiskModel) -> np.ndarray:
    """Share of the interest of construction written off in each year: as the capital of the base case is."""
    whole = np.sum([depreciation(x, model) for x in model.lines if x.nature == "capital"] or [np.zeros(model.years)], axis=0)
    if whole.sum() > 0:
        return whole / whole.sum()
    even = np.zeros(model.years)
    even[loan.first_year - 1 : loan.last_year] = 1.0 / (loan.last_year - loan.first_year + 1)
    return even
