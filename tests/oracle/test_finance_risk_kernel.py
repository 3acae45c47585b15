"""The kernel against the yearly tax and debt functions, scenario by scenario, lines added one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pyxirr
from scipy.optimize import brentq
from scipy.stats import kstest

from qianmo.finance.debt.construction import construction_loan
from qianmo.finance.debt.sculpting import sculpted_debt
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.marginals import Marginal, marginal_from
from qianmo.finance.risk.model import RiskInput, RiskLine, RiskLoan, RiskModel, RiskTaxes
from qianmo.finance.risk.simulate import evaluate, evaluate_yearly, simulate
from qianmo.finance.tax.income import first_year_of, holiday_rates, income_tax
from qianmo.finance.tax.land_value_added import land_value_added_tax
from qianmo.finance.tax.surcharge import surcharges
from qianmo.finance.tax.value_added import value_added_tax

BANDS = [(0.5, 0.3, 0.0), (1.0, 0.4, 0.05), (2.0, 0.5, 0.15), (float("inf"), 0.6, 0.35)]
TRIANGLE = marginal_from({"kind": "triangular", "low": 0.6, "mode": 1.0, "high": 1.5})


def random_model(rng: np.random.Generator, sized_by: str) -> RiskModel:
    years = int(rng.integers(12, 31))
    built = int(rng.integers(1, 4))
    loan_first = built + 1 + int(rng.integers(0, 2))
    last = int(rng.integers(loan_first + 2, years - 1))
    inputs = [RiskInput(n, n, TRIANGLE) for n in ("price", "volume", "works", "upkeep")]
    inputs.append(RiskInput("delay", "推迟", marginal_from({"kind": "uniform", "low": 0.0, "high": 12.0 * years}), "delay_months"))
    inputs.append(RiskInput("shift", "利率", marginal_from({"kind": "uniform", "low": -0.01, "high": 0.02}), "rate_shift"))

    def money(low: float, high: float, first: int, end: int) -> np.ndarray:
        row = np.zeros(years)
        row[first:end] = np.rint(rng.uniform(low, high, end - first))
        return row

    lines = [
        RiskLine("restoration", "capital", money(2e9, 6e9, 0, built), 0.09, ("works",), "", True, int(rng.integers(3, 15)), 0.0),
        RiskLine("plant", "capital", money(1e9, 5e9, 0, built), 0.13, (), "", False, int(rng.integers(3, 25)), 0.05),
        RiskLine("renewal", "capital", money(1e8, 3e8, years // 2, years // 2 + 1), 0.13, ("works",), "", False, 5),
        RiskLine("quota", "income", money(1e8, 4e9, built, built + 3), 0.0, ("price", "volume"), "delay"),
        RiskLine("mineral", "income", money(1e7, 4e8, built, built + 2), 0.13, (), "delay"),
        RiskLine("sales", "income", money(8e8, 2.2e9, built, years), 0.13, ("volume",)),
        RiskLine("running", "cost", money(1e8, 5e8, built, years), 0.06, ("upkeep",)),
        RiskLine("care", "cost", money(1e6, 1e8, built, years), 0.0, ("upkeep",), "", True),
        RiskLine("land", "income", money(1e8, 2e9, built, built + 2), 0.09, ("price",), "delay", deductions_fen=float(rng.uniform(1e8, 2e9))),
        RiskLine("grant", "untaxed", money(-1e8, 2e8, 0, years)),
    ]
    taxes = RiskTaxes(0.12, 0.25, int(rng.integers(0, 4)), int(rng.integers(0, 4)), 0.5, int(rng.integers(0, 7)), tuple(b[1:] for b in BANDS))
    loan = RiskLoan(loan_first, last, rng.uniform(1.05, 1.6, years), rng.uniform(0.02, 0.06, years), float(rng.uniform(0.3, 1.0)), "shift", sized_by)
    return RiskModel(years, built + 1, 0.06, lines, inputs, taxes, loan, first=str(rng.choice(["now", "end_of_year_one"])))


def cash_by_line(model: RiskModel, x: dict[str, float]) -> dict[str, np.ndarray]:
    """Streams of one scenario: every line by itself, the delayed ones month by month."""
    zero = np.zeros(model.years)
    found = {n: zero.copy() for n in ("cash", "capital", "output", "bought", "profit", "income", "eco", "back", "lost")}
    for line in model.lines:
        amount = line.amount_fen * math.prod([x[d] for d in line.drivers])
        land = 0.0
        if line.deductions_fen:
            land = float(land_value_added_tax(amount.sum(), line.deductions_fen, BANDS, exact=False)) / amount.sum()
        if line.delay:
            moved, late = zero.copy(), 0.0
            for t in np.flatnonzero(amount):
                for share, at in ((1 - x[line.delay] / 12 % 1, t + int(x[line.delay] // 12)), (x[line.delay] / 12 % 1, t + int(x[line.delay] // 12) + 1)):
                    if at < model.years:
                        moved[at] += amount[t] * share
                    else:
                        late += amount[t] * share * (1 - land)
            amount = moved
            found["lost"][0] += late
        if line.nature == "income":
            found["cash"] += amount * (1 - land)
            found["profit"] += amount * (1 - land)
            found["income"] += amount
            found["output"] += amount * line.vat_rate
            found["back"] += amount * (1 + line.vat_rate) * line.is_feedback
        elif line.nature == "untaxed":
            found["cash"] += amount
            found["back"] += amount
        else:
            found["bought"] += amount * line.vat_rate
            found["eco" if line.is_restoration else "back"] += amount * (1 + line.vat_rate) * (1 if line.is_restoration else -1)
            if line.nature == "cost":
                found["cash"] -= amount
                found["profit"] -= amount
            else:
                found["capital"] += amount
                for t in range(model.years):
                    begins = max(t + 1, model.operation_year - 1)
                    for year in range(begins, min(begins + line.life_years, model.years)):
                        found["profit"][year] -= amount[t] * (1 - line.salvage_share) / line.life_years
    return found


def slow(model: RiskModel, values: np.ndarray, signed: dict[str, np.ndarray] | None) -> dict[str, np.ndarray | float]:
    """One scenario by the functions of finance.tax and finance.debt and root finding; no code of the kernel."""
    x = dict(zip(model.names, values, strict=True))
    s = cash_by_line(model, x)
    vat = value_added_tax(s["output"], s["bought"], exact=False)
    extra = surcharges(vat.paid_fen, model.taxes.surcharge_rate, 0.0, 0.0, exact=False).total_fen
    available = s["cash"] + s["output"] - s["bought"] - vat.paid_fen - extra - s["capital"]
    profit, tx, loan = s["profit"] - extra, model.taxes, model.loan
    rates = holiday_rates(
        tx.income_rate, model.years, first_year=first_year_of(s["income"]), free_years=tx.free_years, half_years=tx.half_years, half_factor=tx.half_factor
    )
    adjusted = income_tax(profit, rates, loss_years=tx.loss_years, exact=False).tax_fen
    rate = np.asarray(loan.rate) + x["shift"]
    f, last = loan.first_year - 1, loan.last_year
    if signed is None:
        account = sized(available, s["capital"], loan, rate, f, last)
    else:
        account = {**signed, "interest": (signed["opening"] + 0.5 * signed["drawn"]) * rate}
    paid = account["interest"] - account["capitalised"]
    whole = np.sum([depreciation(line, model) for line in model.lines if line.nature == "capital"], axis=0)
    in_assets, of_year = account["interest"][:f].sum(), np.r_[np.zeros(f), account["interest"][f:]]
    tax = income_tax(profit - of_year - in_assets * whole / whole.sum(), rates, loss_years=tx.loss_years, exact=False).tax_fen
    service = account["principal"] + paid
    equity = available - tax + account["drawn"] - service
    serving = (service > 0) & (np.arange(model.years) >= f) & (np.arange(model.years) < last)
    kept = ((available - tax)[serving] / service[serving]) if serving.any() else np.array([np.nan])
    discount = (1 + model.discount_rate) ** -(np.arange(model.years) + (model.first != "now"))
    flow = available - adjusted
    return {
        "npv_fen": flow @ discount, "irr": root(flow), "payback_years": crossing(flow, np.ones(model.years), model.first),
        "dynamic_payback_years": crossing(flow, discount, model.first), "equity_npv_fen": equity @ discount, "equity_irr": root(equity),
        "debt_fen": account["opening"][f], "min_coverage": kept.min(),
        "self_balance_ratio": s["back"] @ discount / (s["eco"] @ discount), "short_years": float((equity[f:] < 0).sum()),
        "irr_sign_changes": changes(flow), "equity_sign_changes": changes(equity), "income_lost_fen": s["lost"][0], "account": account,
    }  # fmt: skip


def depreciation(line: RiskLine, model: RiskModel) -> np.ndarray:
    return -cash_by_line_of_one(line, model)


def cash_by_line_of_one(line: RiskLine, model: RiskModel) -> np.ndarray:
    alone = RiskLine(line.name, line.nature, line.amount_fen, 0.0, (), "", False, line.life_years, line.salvage_share)
    return cash_by_line(RiskModel(model.years, model.operation_year, 0.0, [alone], []), {})["profit"]


def sized(available: np.ndarray, capital: np.ndarray, loan: RiskLoan, rate: np.ndarray, f: int, last: int) -> dict[str, np.ndarray]:
    outlay = capital[:f].sum()

    def construction(debt: float):
        """Draws in proportion to the outlay so that the balance after construction is the debt."""
        one = construction_loan(capital[:f] / outlay, rate[:f], exact=False).closing[-1]
        return construction_loan(capital[:f] / outlay * (debt / one), rate[:f], exact=False)

    free = float(sculpted_debt(available[f:last], np.asarray(loan.coverage)[f:last], rate[f:last], exact=False).debt)
    most = brentq(lambda d: d - loan.gearing * (outlay + construction(d).interest.sum()), 0, 10 * outlay, xtol=1e-3, rtol=1e-15) if loan.gearing > 0 else 0.0
    loan_years = sculpted_debt(available[f:last], np.asarray(loan.coverage)[f:last], rate[f:last], most=most, exact=False)
    built = construction(min(free, most))
    years = len(available)
    rows = {n: np.zeros(years) for n in ("opening", "drawn", "interest", "principal", "capitalised")}
    for n in ("opening", "drawn", "interest", "capitalised"):
        rows[n][:f] = getattr(built, n)
    rows["opening"][f:last] = np.concatenate([[loan_years.debt], loan_years.balance[:-1]])
    rows["interest"][f:last], rows["principal"][f:last] = loan_years.interest, loan_years.principal
    return rows


def changes(flow: np.ndarray) -> int:
    signs = [np.sign(v) for v in flow if v != 0]
    return sum(a != b for a, b in zip(signs, signs[1:], strict=False))


def root(flow: np.ndarray) -> float:
    if changes(flow) != 1:
        return math.nan
    return brentq(lambda r: sum(c * (1 + r) ** -t for t, c in enumerate(flow)), -0.9, 20.0, xtol=1e-15, rtol=1e-14)


def crossing(flow: np.ndarray, discount: np.ndarray, first: str) -> float:
    total = 0.0
    for year, amount in enumerate(flow * discount, 1):
        if total < 0 <= total + amount:
            return year - 1 - total / amount - (first == "now")
        total += amount
    return math.nan


@pytest.mark.parametrize("sized_by", ["scenario", "base"])
@pytest.mark.parametrize("number", range(12))
def test_every_figure_of_every_scenario_equals_the_slow_route(number, sized_by):
    rng = np.random.default_rng(100 + number)
    model = random_model(rng, sized_by)
    values = drawn_values(model.marginals, model.factor, number, 0, 25)
    found = evaluate(model, values)
    signed = None
    if sized_by == "base":
        own = RiskModel(**{**vars(model), "loan": RiskLoan(**{**vars(model.loan), "sized_by": "scenario"})})
        signed = slow(own, model.base_values[:, 0], None)["account"]
    for j in range(values.shape[1]):
        wanted = slow(model, values[:, j], signed)
        for name in FIGURES:
            assert found[name][j] == pytest.approx(wanted[name], rel=1e-9, abs=1e-9 if "fen" not in name else 1.0, nan_ok=True), (name, j)


def test_the_random_models_reach_every_branch():
    """Caps that bind and do not, losses that expire, holidays, refused rates, income that comes too late."""
    seen: dict[str, set[bool]] = {}
    for number in range(12):
        model = random_model(np.random.default_rng(100 + number), "scenario")
        found = evaluate(model, drawn_values(model.marginals, model.factor, number, 0, 200))
        for name, marks in (("refused", found["irr_sign_changes"] > 1), ("lost", found["income_lost_fen"] > 0), ("never", np.isnan(found["payback_years"]))):
            seen.setdefault(name, set()).update(marks.tolist())
    assert all(marks == {True, False} for marks in seen.values())


def test_rates_of_return_equal_pyxirr():
    rng = np.random.default_rng(4)
    model = random_model(rng, "scenario")
    values = drawn_values(model.marginals, model.factor, 9, 0, 200)
    found, flows = evaluate(model, values), evaluate_yearly(model, values).rows
    for irr, flow in (("irr", "project_flow"), ("equity_irr", "equity_flow")):
        known = ~np.isnan(found[irr])
        assert known.sum() > 50
        others = np.array([pyxirr.irr(flows[flow][:, j]) for j in np.flatnonzero(known)])
        assert found[irr][known] == pytest.approx(others, abs=1e-12)


def test_a_linear_present_value_of_normal_inputs_is_normal():
    """No tax, no loan: the present value is a sum of independent normals; Kolmogorov-Smirnov at five fixed seeds (level 1 % in all)."""
    years, rate = 20, 0.07
    inputs = [RiskInput(n, n, Marginal("normal", (1.0, d))) for n, d in (("a", 0.1), ("b", 0.05), ("c", 0.12))]
    amounts = [np.full(years, 9e8), np.full(years, 3e8), np.r_[4e9, np.zeros(years - 1)]]
    lines = [RiskLine("a", "income", amounts[0], drivers=("a",)), RiskLine("b", "cost", amounts[1], drivers=("b",)),
             RiskLine("c", "capital", amounts[2], drivers=("c",), life_years=10)]  # fmt: skip
    correlation = np.eye(3)
    correlation[0, 1] = correlation[1, 0] = 0.5
    worth = [float(a @ (1 + rate) ** -np.arange(1, years + 1)) for a in amounts]
    mean = worth[0] - worth[1] - worth[2]
    spread = np.array([worth[0] * 0.1, -worth[1] * 0.05, -worth[2] * 0.12])
    deviation = math.sqrt(spread @ correlation @ spread)
    model = RiskModel(years, 2, rate, lines, inputs, correlation=correlation)
    chances = []
    for seed in range(5):
        found = simulate(model, 50_000, seed).figures["npv_fen"]
        chances.append(kstest((found - mean) / deviation, "norm").pvalue)
        assert found.mean() == pytest.approx(mean, abs=4 * deviation / math.sqrt(50_000))
        assert found.std() == pytest.approx(deviation, rel=0.02)
    assert min(chances) > 0.002
