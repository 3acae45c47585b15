"""Dividing an estate that is too small for all claims (债权清偿规则)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.exact import exact
from qianmo.schema.errors import SchemaError

__all__ = ["equal_awards", "equal_losses", "proportional", "talmud"]


def proportional(estate: Any, claims: Mapping[str, Any]) -> dict[str, Fraction]:
    """In proportion to the claims (按比例清偿)."""
    amount, owed = _checked(estate, claims)
    total = sum(owed.values(), Fraction(0))
    return {k: amount * c / total if total else Fraction(0) for k, c in owed.items()}


def equal_awards(estate: Any, claims: Mapping[str, Any]) -> dict[str, Fraction]:
    """The same to each, but to none more than the claim (等额清偿)."""
    amount, owed = _checked(estate, claims)
    return _levelled(amount, owed)


def equal_losses(estate: Any, claims: Mapping[str, Any]) -> dict[str, Fraction]:
    """The same loss to each, but to none more than the claim (等额减损)."""
    amount, owed = _checked(estate, claims)
    lost = _levelled(sum(owed.values(), Fraction(0)) - amount, owed)
    return {k: c - lost[k] for k, c in owed.items()}


def talmud(estate: Any, claims: Mapping[str, Any]) -> dict[str, Fraction]:
    """Talmud rule: equal awards of half claims up to half of all, equal losses above (塔木德规则).

    It is the nucleolus of the claims game.

    Raises
    ------
    SchemaError
        A claim is negative, or the estate is negative or above all claims.

    References
    ----------
    R. J. Aumann, M. Maschler, Journal of Economic Theory 36, 1985, pp. 195-213.

    Examples
    --------
    >>> [int(v) for v in talmud(200, {"a": 100, "b": 200, "c": 300}).values()]
    [50, 75, 75]
    """
    amount, owed = _checked(estate, claims)
    half = {k: c / 2 for k, c in owed.items()}
    middle = sum(half.values(), Fraction(0))
    if amount <= middle:
        return _levelled(amount, half)
    lost = _levelled(2 * middle - amount, half)
    return {k: c - lost[k] for k, c in owed.items()}


def _levelled(amount: Fraction, limits: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The same to each up to its limit, using the amount whole."""
    rest, got = amount, {}
    order = sorted(limits, key=lambda k: limits[k])
    for place, k in enumerate(order):
        got[k] = min(limits[k], rest / (len(order) - place))
        rest -= got[k]
    return {k: got[k] for k in limits}


def _checked(estate: Any, claims: Mapping[str, Any]) -> tuple[Fraction, dict[str, Fraction]]:
    amount, owed = exact(estate), {k: exact(c) for k, c in claims.items()}
    total = sum(owed.values(), Fraction(0))
    if not owed or min(owed.values()) < 0 or not 0 <= amount <= total:
        raise SchemaError(f"可分配额 {amount}, 债权 {({k: str(c) for k, c in owed.items()})}", expected="债权不小于 0, 可分配额在 0 与债权之和之间", cure="检查债权与可分配额")
    return amount, owed
