"""Quantities with Chinese units whose products must be money (计量单位与量纲检查)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, reduce
from typing import Any

import pint

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["Quantity", "fen_factor", "measured", "quantity", "unit_names"]

_BASES = ("yuan", "m", "kg", "kW", "hour", "household", "person", "visit", "bed", "room", "day", "piece", "year")
BASE_WORDS = dict(zip(_BASES, ("元", "米", "千克", "千瓦", "小时", "户", "人", "人次", "床", "间", "天", "个", "年"), strict=True))
"""Chinese names of the base units, for messages."""

_WRITTEN = re.compile(r"\s*([+-]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$", re.S)


@dataclass(frozen=True)
class Quantity:
    """A number with a unit as it was written (量)."""

    value: float
    unit: str

    def words(self) -> str:
        """As one reads it."""
        return f"{self.value:g} {self.unit}".strip()


def unit_names() -> tuple[str, ...]:
    """Names that may be written after a number (可用单位)."""
    return tuple(r["name"] for r in shipped_rows("codes", "finance_units"))


def quantity(text: str) -> Quantity:
    """A number and its unit from text such as ``1,000 亩`` or ``0.38 元/kWh`` (解析带单位的量).

    Parameters
    ----------
    text : str
        A number, then a unit: names joined by ``·`` or ``*``, each part after ``/`` below the line, so that
        ``元/床·天`` is yuan for a bed and a day. ``%`` is a fraction of a hundred.

    Returns
    -------
    Quantity

    Raises
    ------
    SchemaError
        No number, not finite, or an unknown unit.
    """
    written = _WRITTEN.match(text)
    if not written:
        raise SchemaError(f"{text!r} 不是以数字开头", expected='数值加单位, 如 "1000 亩"')
    value = float(written[1].replace(",", "").replace("_", ""))
    if not math.isfinite(value):
        raise SchemaError(f"{text!r} 超出可表示的范围", expected="有限的数值")
    unit = written[2]
    if unit in ("%", "％"):
        return Quantity(float(Decimal(written[1].replace(",", "").replace("_", "")) / 100), "")
    _measure(unit)
    return Quantity(value, unit)


def fen_factor(*factors: Quantity) -> tuple[float, bool]:
    """What the product of the numbers is multiplied with to be fen (折算为分的系数).

    Parameters
    ----------
    *factors : Quantity
        Quantity and price, or an amount alone.

    Returns
    -------
    float
        Fen in one unit of the product of the numbers.
    bool
        The product is money for each year, as 亩 × 元/亩·年.

    Raises
    ------
    SchemaError
        The product is not money, nor money for each year.
    """
    product = reduce(lambda a, b: a * b, (_measure(f.unit) for f in factors))
    yearly = product.dimensionality == (_registry().yuan / _registry().year).dimensionality
    if not yearly and product.dimensionality != _registry().yuan.dimensionality:
        raise SchemaError(
            f"{' × '.join(f.words() for f in factors)} 的量纲是 {_dimension(product)}", expected="金额 (元、万元、亿元) 或每年金额 (万元/年)",
            cure='数量与单价的单位要能约去, 如 "1000 亩" × "15 万元/亩"',
        )  # fmt: skip
    target = _registry().yuan / _registry().year if yearly else _registry().yuan
    return _clean(float(product.to(target).magnitude) * 100.0), bool(yearly)


def measured(amount: Quantity, unit: str) -> float:
    """The number of an amount in another unit of its kind, ``0.3 亩/户`` in ``m2/户`` (换算).

    Raises
    ------
    SchemaError
        The units measure different things.
    """
    ratio = _measure(amount.unit) / _measure(unit)
    if not ratio.dimensionless:
        raise SchemaError(f"{amount.words()} 不能换算为 {unit}", expected=f"可换算为 {unit} 的单位")
    return amount.value * _near_whole(float(ratio.to("").magnitude))


def _near_whole(ratio: float) -> float:
    return _clean(ratio) if ratio >= 1 else 1.0 / _clean(1.0 / ratio)


def _clean(factor: float) -> float:
    """A factor that is whole but for float noise as the whole number."""
    whole = round(factor)
    return float(whole) if whole and abs(factor - whole) <= 1e-12 * abs(whole) else factor


@cache
def _registry() -> Any:
    """The units of the list on their own: no other unit of pint is known."""
    registry: Any = pint.UnitRegistry(None, cache_folder=None)
    for base in _BASES:
        registry.define(f"{base} = [{base}_]")
    registry.define("kWh = kW * hour")
    registry.define("m2 = m * m")
    registry.define("m3 = m * m * m")
    return registry


@cache
def _definitions() -> dict[str, Any]:
    return {r["name"]: _registry().Quantity(r["definition"]) for r in shipped_rows("codes", "finance_units")}


@cache
def _measure(unit: str) -> Any:
    """The unit as a quantity of the registry; without a unit a plain number."""
    found = _registry().Quantity(1.0, "")
    below = False
    for part in re.split(r"([/／])", unit.replace("(", "").replace(")", "").replace("（", "").replace("）", "")):
        if part in ("/", "／"):
            below = True
            continue
        for name in filter(None, re.split(r"[·*×\s]+", part)):
            if name not in _definitions():
                raise SchemaError(f"未知单位 {name!r} (写作 {unit!r})", expected=" ".join(unit_names()))
            found = found / _definitions()[name] if below else found * _definitions()[name]
    return found


def _dimension(product: Any) -> str:
    parts = {BASE_WORDS[name.strip("[]").rstrip("_")]: power for name, power in product.dimensionality.items()}
    above = "·".join(zh if power == 1 else f"{zh}^{power:g}" for zh, power in parts.items() if power > 0)
    below = "".join(f"/{zh}" if power == -1 else f"/{zh}^{-power:g}" for zh, power in parts.items() if power < 0)
    return f"{above or '1'}{below}" if parts else "无量纲"
