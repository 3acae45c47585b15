"""The records of a project of money: a graph of sub-projects with lines, loans, transfers, parties (项目资金记录)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from qianmo.finance.project.units import Quantity
from qianmo.finance.sheet.row import Source

__all__ = ["AssetRule", "Line", "Loan", "Party", "Project", "Rate", "SubProject", "TaxSettings", "Transfer"]


@dataclass(frozen=True)
class Rate:
    """A rate for each year with its origin (费率): one value stands for all years."""

    values: tuple[float, ...]
    zh: str
    source: Source

    @property
    def value(self) -> float:
        """The rate of the first year."""
        return self.values[0]


@dataclass(frozen=True)
class Party:
    """Someone with a part in the project (参与方); `role` investor, government, collective, household, bank or other."""

    id: str
    zh: str
    role: str
    equity_share: float
    source: Source


@dataclass(frozen=True)
class SubProject:
    """A part of the package (子项目).

    `kind` ecological, industry, infrastructure, housing, quota, agriculture, energy or service; `party` carries it out;
    with an `account` its cumulative money must never be negative (修复资金账户).
    """

    id: str
    zh: str
    kind: str
    party: str
    account: bool
    source: Source


@dataclass(frozen=True)
class Line:
    """One dated line of money (资金科目行); amounts are positive, the direction is that of its kind.

    Parameters
    ----------
    factors : tuple of Quantity
        Their product times `fen` is the amount; where amounts are given by year, one of their unit.
    fen : float
        Fen in one unit of the product.
    shares : tuple of (key, zh, value)
        Fractions the amount is multiplied with, as the accepted share (验收比例) or one less the levy.
    mode : str
        ``each`` repeats the amount in every year from `first` to `last`; ``spread`` divides one amount by `weights`;
        ``given`` has `amounts` by year.
    growth : float
        Yearly growth after the first year of the line.
    ramp : tuple of float
        Factor of the first years, 1 afterwards (达产率).
    weights : tuple of float
        Share of each year of the timeline, sum 1, for ``spread``.
    amounts : tuple of float
        By year of the timeline, in the unit of `fen`, for ``given``.
    lag_months : int
        Months between the right to the money and the money (验收与回款滞后).
    life_years, salvage : int, float
        Depreciation of its own, None for the rule of its asset class.
    deductions_fen : float
        Deductible items of a transfer of land [fen]; above 0 the line bears land value-added tax (土地增值税扣除项目).
    """

    id: str
    zh: str
    sub_project: str
    party: str
    kind: str
    nature: str
    tax: str
    factors: tuple[Quantity, ...]
    fen: float
    shares: tuple[tuple[str, str, float], ...]
    mode: str
    first: int
    last: int
    growth: float
    ramp: tuple[float, ...]
    weights: tuple[float, ...]
    amounts: tuple[float, ...]
    lag_months: int
    includes_vat: bool
    life_years: int | None
    salvage: float | None
    basis: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    deductions_fen: float = 0.0


@dataclass(frozen=True)
class Loan:
    """A loan (借款).

    `sizing` amount, share (of the construction cost) or coverage (debt service coverage asked of every year); `most` caps a
    loan sized by coverage at a share of the construction cost; `weights` share out the draws over the timeline.
    With `after_tax` the coverage counts cash after income tax. `amount` is the amount as written and the fen in one unit of it.
    `interest_in_construction` capitalise (计入本金), paid (资本金支付) or none.
    """

    id: str
    zh: str
    party: str
    nature: str
    sizing: str
    amount_fen: float
    share: float
    coverage: float
    most: float
    rate: Rate
    term_years: int
    grace_years: int
    plan: str
    weights: tuple[float, ...]
    interest_in_construction: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    after_tax: bool = False
    amount: tuple[tuple[Quantity, ...], float] = ((), 0.0)

    @property
    def last_draw(self) -> int:
        """Year of the last draw, from 1."""
        return max(t for t, w in enumerate(self.weights, 1) if w > 0)


@dataclass(frozen=True)
class Transfer:
    """Money from one sub-project to another (反哺转移): amounts by year [fen], or a share of the giver's net income."""

    id: str
    zh: str
    giver: str
    taker: str
    share: float
    amounts_fen: tuple[float, ...]
    source: Source


@dataclass(frozen=True)
class AssetRule:
    """Depreciation or amortisation of a class of assets (折旧摊销规则)."""

    years: int
    salvage: float
    half_year: bool
    source: Source


@dataclass(frozen=True)
class TaxSettings:
    """Taxes of the project (税务设置): rates by year from the dated list; None switches a tax off.

    `land_bands` rate and quick deduction of each band of the land value-added tax, empty where no line bears it.
    """

    vat: Mapping[str, Rate]
    surcharges: Mapping[str, Rate]
    income: Rate | None
    loss_years: Rate | None
    refund_losses: bool
    land_bands: tuple[tuple[Rate, Rate], ...] = ()


@dataclass(frozen=True)
class Project:
    """A project of money (项目): settings and the graph of its parts.

    `returns` is False for a project of public benefit that earns nothing and has no rate of return.
    """

    name: str
    file: str
    base_year: int
    years: int
    construction_months: int
    region: str
    first_flow: str
    benchmark: Rate
    rates_on: date | None
    parties: tuple[Party, ...]
    sub_projects: tuple[SubProject, ...]
    lines: tuple[Line, ...]
    loans: tuple[Loan, ...]
    transfers: tuple[Transfer, ...]
    assets: Mapping[str, AssetRule]
    taxes: TaxSettings
    working_capital_share: float
    reserve: Rate
    dividend_share: float
    short_term: Rate | None
    equity_mode: str
    equity_fen: tuple[float, ...]
    sources: Mapping[str, Source] = field(default_factory=dict)
    returns: bool = True

    @property
    def construction_years(self) -> int:
        """Years in which something is built: months rounded up to years (建设期年数)."""
        return -(-self.construction_months // 12)
