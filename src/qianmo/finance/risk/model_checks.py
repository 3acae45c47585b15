"""What a risk model must fulfil before it runs (风险模型检查)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qianmo.finance.risk.marginals import quantiles
from qianmo.schema.errors import SchemaError

if TYPE_CHECKING:
    from qianmo.finance.risk.model import RiskInput, RiskLine, RiskLoan, RiskModel

__all__ = ["EFFECTS", "NATURES", "check_input", "check_line", "check_loan", "check_whole"]

NATURES = ("income", "cost", "capital", "untaxed", "recovery", "funding")
"""应税收入, 成本费用, 投资, 不征税收入, 流动资金与回收, 财政补助等资金来源."""

_SIGNED = ("untaxed", "recovery", "funding")
"""Natures whose amounts may be negative."""

EFFECTS = ("factor", "delay_months", "rate_shift")
"""乘数, 推迟月数, 利率变动."""

_NEVER = 8.0
"""Normal scores beyond which a draw is not looked for: one in 10**15."""


def check_whole(model: RiskModel) -> None:
    """Timeline, names and tax rates of a model.

    Raises
    ------
    SchemaError
        Something does not fit.
    """
    if model.years < 1 or not 1 <= model.operation_year <= model.years:
        raise SchemaError(f"operation from year {model.operation_year} of {model.years}", expected="a year of the timeline")
    if model.first not in ("end_of_year_one", "now"):
        raise SchemaError(f"first flow {model.first!r}", expected="end_of_year_one or now")
    if not model.discount_rate > -1:
        raise SchemaError(f"discount rate {model.discount_rate}", expected="above -1")
    if not model.lines:
        raise SchemaError("a project without lines", expected="at least one")
    for what, names in (("不确定因素", [x.name for x in model.inputs]), ("科目", [x.name for x in model.lines])):
        if len(set(names)) != len(names):
            raise SchemaError(f"{what} 重名: {', '.join(sorted({n for n in names if names.count(n) > 1}))}", expected="名称各不相同")
    t = model.taxes
    if any(np.ndim(r) and np.shape(r) != (model.years,) for r in (t.surcharge_rate, t.income_rate)):
        raise SchemaError("tax rates by year of another length than the timeline", expected=f"one number or {model.years}")
    fractions = np.concatenate([np.ravel(np.asarray(r, dtype=np.float64)) for r in (t.surcharge_rate, t.income_rate, t.half_factor)])
    if not ((fractions >= 0) & (fractions <= 1)).all() or min(t.free_years, t.half_years, t.loss_years) < 0:
        raise SchemaError(f"taxes {t}", expected="rates from 0 to 1, years not negative")


def check_input(x: RiskInput) -> None:
    """One input: its effect suits its distribution.

    Raises
    ------
    SchemaError
        A factor or a delay could be negative.
    """
    if x.effect not in EFFECTS:
        raise SchemaError(f"{x.name}: 没有作用方式 {x.effect!r}", expected=", ".join(EFFECTS))
    low = x.marginal.support[0]
    if x.effect == "delay_months" and low < 0:
        raise SchemaError(f"{x.name}: 推迟可能为 {low:g} 个月", expected="不为负", cure="改用 triangular, uniform 或 discrete 分布")
    if x.marginal.kind == "normal" and x.effect == "factor" and x.marginal.numbers[0] - _NEVER * x.marginal.numbers[1] < 0 and low < 0:
        raise SchemaError(f"{x.name}: 正态乘数 {x.marginal.numbers[0]:g} ± {x.marginal.numbers[1]:g} 可能为负",
                          expected="均值不小于 8 倍标准差", cure="改用 lognormal 或 triangular 分布")  # fmt: skip
    if x.effect == "factor" and low < 0 and x.marginal.kind != "normal":
        raise SchemaError(f"{x.name}: 乘数可能为 {low:g}", expected="不为负")


def check_line(line: RiskLine, model: RiskModel) -> None:
    """One line: amounts, tax, depreciation, drivers.

    Raises
    ------
    SchemaError
        Something does not fit; the line is named.
    """
    amount = np.asarray(line.amount_fen, dtype=np.float64)
    if amount.shape != (model.years,) or not np.isfinite(amount).all():
        raise SchemaError(f"{line.name}: amounts of shape {amount.shape}", expected=f"{model.years} finite numbers")
    if line.nature not in NATURES:
        raise SchemaError(f"{line.name}: nature {line.nature!r}", expected=", ".join(NATURES))
    if line.nature not in _SIGNED and (amount < 0).any():
        raise SchemaError(f"{line.name}: {amount.min():g} fen in year {1 + int(amount.argmin())}", expected="not negative; the nature says which way the money goes")
    vat = np.asarray(line.vat_rate, dtype=np.float64)
    if vat.shape not in ((), (model.years,)) or not ((vat >= 0) & (vat <= 1)).all() or not 0 <= line.salvage_share <= 1:
        raise SchemaError(f"{line.name}: value-added tax {line.vat_rate}, salvage {line.salvage_share}", expected="fractions from 0 to 1")
    given = line.depreciation_fen is not None
    if (line.nature == "capital") != (line.life_years > 0 or given) or (line.depreciation_fen is not None and line.depreciation_fen.shape != (model.years,)):
        raise SchemaError(f"{line.name}: {line.nature} with a life of {line.life_years} years", expected="a life, or depreciation by year, for capital and for nothing else")
    effects = {x.name: x.effect for x in model.inputs}
    for name in line.drivers:
        if effects.get(name) != "factor":
            raise SchemaError(f"{line.name}: driver {name!r}", expected="a factor among " + ", ".join(n for n, e in effects.items() if e == "factor"))
    if line.delay and effects.get(line.delay) != "delay_months":
        raise SchemaError(f"{line.name}: delay {line.delay!r}", expected="a delay among " + ", ".join(n for n, e in effects.items() if e == "delay_months"))
    if line.deductions_fen < 0 or (line.deductions_fen > 0 and (line.nature != "income" or not model.taxes.land_bands or not amount.sum() > 0)):
        raise SchemaError(f"{line.name}: deductions of {line.deductions_fen:g} fen", expected="not negative, on income of a transfer, with land_bands in the taxes")
    if line.delay and line.nature != "income":
        raise SchemaError(f"{line.name}: a delay on {line.nature}", expected="a delay on income only")


def check_loan(loan: RiskLoan, model: RiskModel) -> None:
    """The loan: years, cap, coverage, rates.

    Raises
    ------
    SchemaError
        Something does not fit.
    """
    if not 1 <= loan.first_year <= loan.last_year <= model.years:
        raise SchemaError(f"a loan served from year {loan.first_year} to {loan.last_year} of {model.years}", expected="years of the timeline")
    _check_rate(loan, model)
    if loan.signed is not None:
        if any(np.shape(v) != (model.years,) for v in vars(loan.signed).values()):
            raise SchemaError("a signed loan of another length than the timeline", expected=f"{model.years} years")
        return
    if not sum(float(np.sum(x.amount_fen[: loan.first_year - 1])) for x in model.lines if x.nature == "capital") > 0:
        raise SchemaError(f"no capital outlay before the loan is served from year {loan.first_year}", expected="an outlay that the loan pays a share of")
    if not 0 <= loan.gearing <= 1:
        raise SchemaError(f"gearing {loan.gearing}", expected="a share of debt from 0 to 1", cure="100 % debt is 1.0; percent must be written as a fraction")
    if loan.sized_by not in ("base", "scenario"):
        raise SchemaError(f"a loan sized by {loan.sized_by!r}", expected="base or scenario")
    coverage = np.asarray(loan.coverage, dtype=np.float64)
    if coverage.shape not in ((), (model.years,)):
        raise SchemaError(f"coverage of shape {coverage.shape}", expected=f"one number or {model.years}")
    asked = coverage if coverage.ndim == 0 else coverage[loan.first_year - 1 : loan.last_year]
    if not (asked > 0).all():
        raise SchemaError(f"coverage {asked.min():g}", expected="above 0 in every year of service")


def _check_rate(loan: RiskLoan, model: RiskModel) -> None:
    rate, lowest = np.asarray(loan.rate, dtype=np.float64), 0.0
    if rate.shape not in ((), (model.years,)) or not np.isfinite(rate).all():
        raise SchemaError(f"rates of the loan of shape {rate.shape}", expected=f"one number or {model.years}, finite")
    if loan.rate_input:
        x = model.inputs[model.place(loan.rate_input)]
        if x.effect != "rate_shift":
            raise SchemaError(f"the loan's rate_input {x.name} is a {x.effect}", expected="an input with the effect rate_shift")
        lowest = float(quantiles(x.marginal, 1e-15)) if x.marginal.kind == "normal" else x.marginal.support[0]
    if rate.min() + lowest <= -0.5:
        raise SchemaError(f"{loan.rate_input} 可使贷款利率降到 {rate.min() + lowest:.4g}", expected="利率高于 -0.5; 变动是相加的, 半个百分点写 0.005")
