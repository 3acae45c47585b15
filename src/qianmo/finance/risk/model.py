"""What a risk run needs of a project: lines by year, uncertain inputs, loan and taxes (风险模型)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qianmo.finance.risk.correlation import checked_correlation, correlation_factor
from qianmo.finance.risk.marginals import Marginal, quantiles
from qianmo.schema.errors import SchemaError

__all__ = ["EFFECTS", "NATURES", "RiskInput", "RiskLine", "RiskLoan", "RiskModel", "RiskTaxes", "SignedLoan"]

NATURES = ("income", "cost", "capital", "untaxed", "recovery", "funding")
"""应税收入, 成本费用, 投资, 不征税收入, 流动资金与回收, 财政补助等资金来源."""

_SIGNED = ("untaxed", "recovery", "funding")
"""Natures whose amounts may be negative."""

EFFECTS = ("factor", "delay_months", "rate_shift")
"""乘数, 推迟月数, 利率变动."""

_NEVER = 8.0
"""Normal scores beyond which a draw is not looked for: one in 10**15."""


@dataclass(frozen=True)
class RiskInput:
    """One uncertain input (不确定因素).

    Parameters
    ----------
    name, zh : str
        Identifier and Chinese name.
    marginal : Marginal
        Its distribution. A factor near 1 multiplies lines; an accepted share from 0 to 1 is a factor too.
    effect : str
        One of `EFFECTS`: multiplies the lines that name it, moves lines that name it in time by months, or is added to
        the rate of the loan.
    unit : str
        Unit of the values, for tables.
    """

    name: str
    zh: str
    marginal: Marginal
    effect: str = "factor"
    unit: str = ""

    @property
    def base(self) -> float:
        """Value in the base case: the median (基准值)."""
        return float(quantiles(self.marginal, 0.5))


@dataclass(frozen=True)
class RiskLine:
    """One line of the project by year (收支项).

    Parameters
    ----------
    name : str
    nature : str
        One of `NATURES`. Income and cost enter the taxable profit in their year, capital by depreciation, the others never.
        Untaxed cash can serve the debt; recovery (working capital, value left at the end) is cash of the project that does
        not; funding (a grant) is cash of the owners alone. These three may be negative for money out.
    amount_fen : array (years,)
        Without value-added tax, positive for income and for cost [fen].
    vat_rate : float or array (years,)
        Output tax on income, input tax on cost and capital; fraction.
    drivers : tuple of str
        Inputs that multiply the line.
    delay : str
        Input that moves the line in time, '' for none (as the acceptance of quota).
    is_restoration : bool
        Counts as cost of restoration in the self-balance ratio.
    life_years : int
        Years of depreciation of capital, from the year of operation or the year after the outlay, the later.
    salvage_share : float
        Part of capital that is not depreciated, 0 to 1.
    depreciation_fen : array (years,), optional
        Depreciation of capital by year where it is no straight line; replaces life and salvage [fen].
    """

    name: str
    nature: str
    amount_fen: np.ndarray
    vat_rate: Any = 0.0
    drivers: tuple[str, ...] = ()
    delay: str = ""
    is_restoration: bool = False
    life_years: int = 0
    salvage_share: float = 0.0
    depreciation_fen: np.ndarray | None = None


@dataclass(frozen=True)
class SignedLoan:
    """A loan, or several together, as signed (已签贷款): arrays (years,) [fen].

    Interest of a year is (opening + half of drawn) × (rate + shift); `into_assets` is the share of it that is cost of the
    assets instead of the year, `written_off` the share of all such interest in the cost of each year.
    """

    opening: np.ndarray
    drawn: np.ndarray
    capitalised: np.ndarray
    principal: np.ndarray
    into_assets: np.ndarray
    written_off: np.ndarray


@dataclass(frozen=True)
class RiskLoan:
    """Terms of the sculpted loan (雕刻贷款条件).

    Parameters
    ----------
    first_year, last_year : int
        Years of service, from 1; the loan is drawn in the years before with the capital outlay, interest joins the balance.
    coverage : array (years,) or float
        Coverage asked of each year.
    rate : array (years,) or float
        Rate of each year, fraction.
    gearing : float
        Largest share of debt in the outlay before service with interest, 0 to 1.
    rate_input : str
        Input added to the rate, '' for none.
    sized_by : str
        ``base``: the loan is signed on the base case and every scenario must serve it; ``scenario``: each scenario sizes
        its own (what a bank would have lent).
    signed : SignedLoan, optional
        The schedule itself; then coverage, gearing and `sized_by` are not asked.
    interest_back : bool
        Interest in the assets that is not written off by the end comes back to the owners in the last year.
    """

    first_year: int
    last_year: int
    coverage: Any
    rate: Any
    gearing: float
    rate_input: str = ""
    sized_by: str = "base"
    signed: SignedLoan | None = None
    interest_back: bool = False


@dataclass(frozen=True)
class RiskTaxes:
    """Tax rates of the run (税率): surcharges on value-added tax together, income tax with holiday, years a loss lives.

    The first two are numbers or arrays (years,); a holiday that is already in the rates needs no years here.
    """

    surcharge_rate: Any = 0.0
    income_rate: Any = 0.0
    free_years: int = 0
    half_years: int = 0
    half_factor: float = 0.5
    loss_years: int = 5


@dataclass(frozen=True)
class RiskModel:
    """A project under uncertainty (风险模型).

    Parameters
    ----------
    years, operation_year : int
        Length of the timeline; first year of operation, from 1.
    discount_rate : float
        Benchmark rate.
    lines, inputs : sequences
    taxes : RiskTaxes
    loan : RiskLoan, optional
    correlation : array (inputs, inputs), optional
        Of the normal scores; independent without it.
    nearest : bool
        The user agrees to the nearest possible correlation matrix.
    first : str
        ``end_of_year_one`` or ``now``: when the flow of year 1 comes.

    Raises
    ------
    SchemaError
        Lengths, names, natures or ranges do not fit; the line or input is named.
    """

    years: int
    operation_year: int
    discount_rate: float
    lines: Sequence[RiskLine]
    inputs: Sequence[RiskInput]
    taxes: RiskTaxes = field(default_factory=RiskTaxes)
    loan: RiskLoan | None = None
    correlation: Any = None
    nearest: bool = False
    first: str = "end_of_year_one"

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        _check_whole(self)
        for x in self.inputs:
            _check_input(x)
        for line in self.lines:
            _check_line(line, self)
        if self.loan is not None:
            _check_loan(self.loan, self)
        if self.correlation is not None:
            checked_correlation(self.correlation, self.names, nearest=self.nearest)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(x.name for x in self.inputs)

    @property
    def marginals(self) -> tuple[Marginal, ...]:
        """Distributions of the inputs."""
        return tuple(x.marginal for x in self.inputs)

    @property
    def factor(self) -> np.ndarray:
        """Factor of the correlation matrix, the identity without one."""
        if self.correlation is None:
            return np.eye(len(self.inputs))
        return correlation_factor(checked_correlation(self.correlation, self.names, nearest=self.nearest))

    @property
    def base_values(self) -> np.ndarray:
        """Inputs of the base case, (inputs, 1)."""
        return np.array([[x.base] for x in self.inputs]).reshape(len(self.inputs), 1)

    def place(self, name: str) -> int:
        """Row of an input.

        Raises
        ------
        SchemaError
            No such input.
        """
        if name not in self.names:
            raise SchemaError(f"no uncertain input {name!r}", expected=", ".join(self.names))
        return self.names.index(name)


def _check_whole(model: RiskModel) -> None:
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


def _check_input(x: RiskInput) -> None:
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


def _check_line(line: RiskLine, model: RiskModel) -> None:
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
    if line.delay and line.nature != "income":
        raise SchemaError(f"{line.name}: a delay on {line.nature}", expected="a delay on income only")


def _check_loan(loan: RiskLoan, model: RiskModel) -> None:
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
