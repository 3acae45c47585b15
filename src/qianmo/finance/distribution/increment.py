"""Increment of land and asset value at exit, after index, public cost and levy (增值额与调节金)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact, half_away
from qianmo.schema.errors import SchemaError

__all__ = ["IncrementPool", "Levy", "increment_pool", "land_levy", "pool_over_levy_band"]


@dataclass(frozen=True)
class Levy:
    """Levy on added land value (土地增值收益调节金). [fen] `net_fen` = added - levy."""

    added_fen: int
    levy_fen: int
    net_fen: int


@dataclass(frozen=True)
class IncrementPool:
    """What there is to share at exit (增值池). [fen]

    exit - indexed initial - public cost = added; added - levy = pool. The pool can be 0 or negative: then the loss rule holds.
    """

    exit_fen: int
    indexed_fen: int
    public_cost_fen: int
    added_fen: int
    levy_fen: int
    pool_fen: int


def land_levy(price_fen: int, cost_fen: int, rate: Any, *, band: tuple[Any, Any] | None = None) -> Levy:
    """Levy on price less cost, none on a loss (调节金).

    Parameters
    ----------
    price_fen, cost_fen : int
        Deal price; acquisition and development cost. At least 0.
    rate : number
    band : (least, greatest), optional
        Published band the rate must keep to.

    Raises
    ------
    SchemaError
        The rate is outside the band (0 to 1 without one), or an amount is negative.

    Examples
    --------
    >>> land_levy(6000, 3500, 0.3)
    Levy(added_fen=2500, levy_fen=750, net_fen=1750)
    """
    if min(price_fen, cost_fen) < 0:
        raise SchemaError(f"成交价 {price_fen} 分, 成本 {cost_fen} 分", expected="不小于 0", cure="检查成交价与成本")
    added = price_fen - cost_fen
    levy = half_away(max(added, 0) * _rate(rate, band))
    return Levy(added, levy, added - levy)


def increment_pool(
    exit_fen: int, initial_fen: int, *, index: Any = 1, public_cost_fen: int = 0, levy_rate: Any = 0, band: tuple[Any, Any] | None = None
) -> IncrementPool:
    """Value to share at exit: exit value - indexed initial value - public cost - levy (可分配增值).

    Parameters
    ----------
    exit_fen, initial_fen, public_cost_fen : int
        Appraised value at exit and at the start, cost the public bore. [fen]
    index : number
        Factor that lifts the initial value to prices of the exit year, above 0; 1 leaves it.
    levy_rate : number
        0 where no levy is due; else within `band`.

    Raises
    ------
    SchemaError
        An amount is negative, the index is not above 0, or the rate lies outside the band.
    """
    factor = exact(index)
    if min(exit_fen, initial_fen, public_cost_fen) < 0 or factor <= 0:
        raise SchemaError(
            f"退出值 {exit_fen}, 初始值 {initial_fen}, 公共投入 {public_cost_fen} 分, 指数 {float(factor):g}",
            expected="金额不小于 0, 指数大于 0", cure="检查评估值与指数",
        )  # fmt: skip
    indexed = half_away(initial_fen * factor)
    rate = _rate(levy_rate, band if exact(levy_rate) else None)
    added = exit_fen - indexed - public_cost_fen
    levy = half_away(max(added, 0) * rate)
    return IncrementPool(exit_fen, indexed, public_cost_fen, added, levy, added - levy)


def pool_over_levy_band(
    exit_fen: int, initial_fen: int, *, band: tuple[Any, Any], index: Any = 1, public_cost_fen: int = 0
) -> tuple[IncrementPool, IncrementPool]:
    """The pool at the greatest and at the least rate of the band (增值池区间): least pool first."""
    low, high = (
        increment_pool(exit_fen, initial_fen, index=index, public_cost_fen=public_cost_fen, levy_rate=r, band=band) for r in (band[1], band[0])
    )
    return low, high


def _rate(rate: Any, band: tuple[Any, Any] | None) -> Fraction:
    found = exact(rate)
    least, most = (exact(b) for b in band or (0, 1))
    if not least <= found <= most:
        raise SchemaError(f"调节金比例 {float(found):g}", expected=f"{float(least):g} 至 {float(most):g}", cure="调节金比例应在公布的幅度内")
    return found
