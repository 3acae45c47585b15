"""The money of a photovoltaic plant before tax and loan (光伏电站资金)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.figures.levelised_cost import levelised_cost
from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import return_report
from qianmo.finance.photovoltaic.exceedance import lifetime_energy
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import unit_cost

__all__ = ["MoneyTerms", "PlantMoney", "default_terms", "plant_money"]

_NO_RATE = {
    "zero": "没有资金流动", "one_sign": "现金流只有流出或只有流入，没有内部收益率", "none": "没有使净现值为零的收益率",
    "several": "内部收益率不止一个，不予显示", "touches": "净现值触零而不变号，内部收益率不予显示",
}  # fmt: skip


@dataclass(frozen=True)
class MoneyTerms:
    """Prices of a plant (电站造价与电价). Before value-added tax and income tax, without a loan."""

    price_yuan_kwh: float
    capital_yuan_w: float
    operation_yuan_w_year: float
    rent_yuan_mu_year: float
    degradation: float
    years: int
    discount_rate: float

    def __post_init__(self) -> None:
        amounts = (self.price_yuan_kwh, self.capital_yuan_w, self.operation_yuan_w_year, self.rent_yuan_mu_year)
        if not all(np.isfinite(a) and a >= 0.0 for a in amounts) or self.years < 1 or not -1.0 < self.discount_rate < 1.0:
            raise SchemaError(f"{self}", expected="prices of 0 or more, a year or more, a discount rate as a share", cure="核对单位：元/千瓦时、元/瓦、元/亩·年")


@dataclass(frozen=True, eq=False)
class PlantMoney:
    """Yearly money of a plant (电站逐年资金); costs are positive numbers, `net_fen` is money in less money out.

    `net_fen` (years + 1,) begins with the year of building; the other arrays (years,) with the first year of operation.
    """

    energy_kwh: np.ndarray
    revenue_fen: np.ndarray
    operation_fen: np.ndarray
    rent_fen: np.ndarray
    capital_fen: float
    net_fen: np.ndarray
    net_present_value_fen: float
    rate_of_return: float
    payback_years: float
    levelised_yuan_kwh: float
    note: str = ""


def default_terms(*, years: int = 25, discount_rate: float | None = None, **given: float) -> MoneyTerms:
    """Terms from the unit costs C-PV, C-PVOM, R-PVP, R-PVDEG, L-PV, B-IRR-PV where nothing is given (默认造价与电价)."""
    shipped = {
        "price_yuan_kwh": unit_cost("R-PVP").default, "capital_yuan_w": unit_cost("C-PV").default, "operation_yuan_w_year": unit_cost("C-PVOM").default,
        "rent_yuan_mu_year": unit_cost("L-PV").default, "degradation": unit_cost("R-PVDEG").default / 100.0,
    }  # fmt: skip
    strange = sorted(set(given) - set(shipped))
    if strange:
        raise SchemaError(f"money terms have no {', '.join(strange)}", expected=", ".join((*shipped, "years", "discount_rate")))
    rate = unit_cost("B-IRR-PV").default / 100.0 if discount_rate is None else discount_rate
    return MoneyTerms(**{**shipped, **given}, years=years, discount_rate=rate)


def plant_money(capacity_kw: float, first_year_kwh: float, area_mu: float, terms: MoneyTerms, *, exact: bool = True) -> PlantMoney:
    """Flows and indicators of one plant before tax (电站财务指标).

    Built at time 0; energy falls by the degradation each year; operation and rent stay the same. Discounted with the first flow now.

    Parameters
    ----------
    area_mu : float
        Land that pays rent.
    exact : bool
        Book every amount to a whole fen.

    Returns
    -------
    PlantMoney
        The rate of return is not a number where none may be shown; `note` then says why. Payback counts from the year of building.
    """
    energy = lifetime_energy(first_year_kwh, terms.degradation, terms.years)
    revenue = whole_fen(energy * terms.price_yuan_kwh * 100.0, exact)
    operation = whole_fen(np.full(terms.years, capacity_kw * 1000.0 * terms.operation_yuan_w_year * 100.0), exact)
    rent = whole_fen(np.full(terms.years, area_mu * terms.rent_yuan_mu_year * 100.0), exact)
    capital = float(whole_fen(np.array([capacity_kw * 1000.0 * terms.capital_yuan_w * 100.0]), exact)[0])
    net = np.concatenate([[-capital], revenue - operation - rent])
    report = return_report(net)
    rate = float("nan") if report.rate is None else report.rate
    costs = np.concatenate([[capital], operation + rent])
    quantity = np.concatenate([[0.0], energy])
    return PlantMoney(
        energy, revenue, operation, rent, capital, net, float(net_present_value(net, terms.discount_rate, first="now")), rate,
        float(payback_years(net, first="now")), float(levelised_cost(costs, quantity, terms.discount_rate)) / 100.0,
        _NO_RATE.get(report.reason, ""),
    )  # fmt: skip
