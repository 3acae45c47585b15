"""What a risk run needs of a project: lines by year, uncertain inputs, loan and taxes (风险模型)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qianmo.finance.risk.correlation import checked_correlation, correlation_factor
from qianmo.finance.risk.marginals import Marginal, quantiles
from qianmo.finance.risk.model_checks import EFFECTS, NATURES, check_input, check_line, check_loan, check_whole
from qianmo.schema.errors import SchemaError

__all__ = ["EFFECTS", "NATURES", "RiskInput", "RiskLine", "RiskLoan", "RiskModel", "RiskTaxes", "SignedLoan"]


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
    deductions_fen : float
        Above 0 the income is a transfer of land that bears land value-added tax with these deductions (扣除项目) [fen];
        the tax is paid as the income comes in.
    transfer_fen : float, optional
        Whole income the tax is worked out on, where it is not the sum of `amount_fen` [fen].
    is_feedback : bool
        False for income that must not pay back the restoration (proceeds of land, F-03).
    gross_fen : array (years,), optional
        With value-added tax, as the self-balance ratio takes it, where it is not `amount_fen` × (1 + `vat_rate`) [fen].
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
    deductions_fen: float = 0.0
    transfer_fen: float | None = None
    is_feedback: bool = True
    gross_fen: np.ndarray | None = None


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

    `land_bands` has rate and quick deduction of each band of the land value-added tax, bands that join.
    The first two rates are numbers or arrays (years,); a holiday that is already in the rates needs no years here.
    """

    surcharge_rate: Any = 0.0
    income_rate: Any = 0.0
    free_years: int = 0
    half_years: int = 0
    half_factor: float = 0.5
    loss_years: int = 5
    land_bands: tuple[tuple[float, float], ...] = ()


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
        check_whole(self)
        for x in self.inputs:
            check_input(x)
        for line in self.lines:
            check_line(line, self)
        if self.loan is not None:
            check_loan(self.loan, self)
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
