"""Taxes paid once: cultivated-land occupation tax, deed tax, stamp duty (耕地占用税, 契税, 印花税)."""

from __future__ import annotations

from typing import Any

from qianmo.finance.fen import to_fen, whole_fen
from qianmo.finance.yearly import same_shape
from qianmo.schema.errors import SchemaError

__all__ = ["deed_tax", "land_occupation_tax", "stamp_duty"]


def land_occupation_tax(
    area_m2: Any, rate_yuan_m2: Any, *, basic_farmland_m2: Any = 0.0, basic_farmland_factor: float = 1.0, exact: bool = True
) -> Any:
    """Tax on cultivated land taken for building (耕地占用税).

    Parameters
    ----------
    area_m2 : float or array
        Land taken in each year, all of it [m2], not negative.
    rate_yuan_m2 : float or array
        Local rate [yuan/m2]; policy rate ``land_occupation_average`` of the province where the county's is not known.
    basic_farmland_m2 : float or array
        The part of the area that is permanent basic farmland [m2].
    basic_farmland_factor : float
        Rate on that part over the common rate; policy rate ``land_occupation_basic_farmland_factor``.
    exact : bool
        Whole fen.

    Returns
    -------
    array
        Tax [fen], cost positive.

    Raises
    ------
    SchemaError
        A negative or missing value, or more basic farmland than land.
    """
    area, rate, basic = same_shape(area_m2=area_m2, rate_yuan_m2=rate_yuan_m2, basic_farmland_m2=basic_farmland_m2, least=0.0)
    if (basic > area).any():
        raise SchemaError("the permanent basic farmland taken is more than the land taken", expected="a part of area_m2")
    yuan = rate * (area + basic * (basic_farmland_factor - 1.0))
    return to_fen(yuan) if exact else yuan * 100.0


def deed_tax(price_fen: Any, rate: Any, *, exact: bool = True) -> Any:
    """Tax on a land or house title acquired (契税).

    Parameters
    ----------
    price_fen : float or array
        Price without value-added tax [fen], not negative.
    rate : float or array
        Fraction; policy rate ``deed_tax``.
    exact : bool
        Whole fen.

    Returns
    -------
    array
        Tax [fen], cost positive; part of the cost of the asset.

    Raises
    ------
    SchemaError
        A negative or missing value.
    """
    price, share = same_shape(price_fen=price_fen, rate=rate, least=0.0)
    return whole_fen(price * share, exact)


def stamp_duty(amount_fen: Any, rate: Any, *, exact: bool = True) -> Any:
    """Duty on a contract (印花税).

    Parameters
    ----------
    amount_fen : float or array
        Amount of the contract [fen], not negative.
    rate : float or array
        Fraction; policy rates ``stamp_duty_construction``, ``stamp_duty_title``, ``stamp_duty_loan``.
    exact : bool
        Whole fen.

    Returns
    -------
    array
        Duty [fen], cost positive.

    Raises
    ------
    SchemaError
        A negative or missing value.
    """
    amount, share = same_shape(amount_fen=amount_fen, rate=rate, least=0.0)
    return whole_fen(amount * share, exact)
