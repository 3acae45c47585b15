"""Break-even point by share of capacity, by quantity and by price (盈亏平衡点 BEP)."""

from __future__ import annotations

from numpy import isfinite

from qianmo.schema.errors import FigureError

__all__ = ["break_even_capacity", "break_even_price", "break_even_quantity"]


def break_even_capacity(fixed_cost: float, revenue: float, variable_cost: float, taxes: float = 0.0) -> float:
    """Share of the designed capacity at which income meets cost (生产能力利用率盈亏平衡点).

    Parameters
    ----------
    fixed_cost, revenue, variable_cost, taxes : float
        Yearly fixed cost, sales, variable cost, and taxes and surcharges on sales at full capacity; sales and cost both
        with VAT or both without. [one money unit]

    Returns
    -------
    float
        At least 0; above 1 when the project loses money at full capacity.

    Raises
    ------
    FigureError
        A fixed cost below zero, or nothing left of the sales after variable cost and taxes.

    Notes
    -----
    ``CF / (S - CV - TA)``, 建设项目经济评价方法与参数 (third edition, 2006).

    Examples
    --------
    >>> round(break_even_capacity(280.0, 3 * 300.0, 3 * 150.0, 3 * 3.0), 4)
    0.6349
    """
    return _fixed(fixed_cost) / _margin(revenue - variable_cost - taxes, f"{revenue} - {variable_cost} - {taxes}")


def break_even_quantity(fixed_cost: float, price: float, unit_variable_cost: float, unit_tax: float = 0.0, *, tax_rate: float = 0.0) -> float:
    """Quantity at which income meets cost (产量盈亏平衡点).

    Parameters
    ----------
    fixed_cost, price, unit_variable_cost, unit_tax : float
        Yearly fixed cost; price, variable cost and taxes of one unit.
    tax_rate : float
        Taxes and surcharges as a share of the price, in addition to `unit_tax`.

    Raises
    ------
    FigureError
        A fixed cost below zero, or nothing left of the price.

    Examples
    --------
    >>> break_even_quantity(4_000_000.0, 150.0, 130.0, tax_rate=0.05)
    320000.0
    """
    return _fixed(fixed_cost) / _margin(price * (1.0 - tax_rate) - unit_variable_cost - unit_tax, f"price {price}, cost {unit_variable_cost}, tax {unit_tax}, {tax_rate}")


def break_even_price(fixed_cost: float, quantity: float, unit_variable_cost: float, unit_tax: float = 0.0, *, tax_rate: float = 0.0) -> float:
    """Price at which income meets cost at a given quantity (售价盈亏平衡点).

    Raises
    ------
    FigureError
        A fixed cost below zero, a quantity not above zero, a tax rate of 1 or more.

    Examples
    --------
    >>> break_even_price(280.0, 3.0, 150.0, 3.0) == 280.0 / 3.0 + 153.0
    True
    """
    if not isfinite(quantity) or quantity <= 0:
        raise FigureError(f"quantity is {quantity}", expected="a quantity above 0")
    if not 0.0 <= tax_rate < 1.0:
        raise FigureError(f"tax_rate is {tax_rate}", expected="a share from 0 to below 1")
    return (_fixed(fixed_cost) / quantity + unit_variable_cost + unit_tax) / (1.0 - tax_rate)


def _fixed(fixed_cost: float) -> float:
    if not isfinite(fixed_cost) or fixed_cost < 0:
        raise FigureError(f"fixed_cost is {fixed_cost}", expected="an amount at or above 0")
    return float(fixed_cost)


def _margin(margin: float, of: str) -> float:
    if not isfinite(margin) or margin <= 0:
        raise FigureError(f"margin {margin} ({of})", expected="sales above variable cost and taxes", cure="no output breaks even at this price")
    return float(margin)
