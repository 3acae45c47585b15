"""At what value of an input a figure just reaches its target (盈亏平衡, 临界值)."""

from __future__ import annotations

import numpy as np

from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.simulate import evaluate
from qianmo.schema.errors import SchemaError

__all__ = ["break_even", "break_even_range"]

_POINTS = 401
_ROUNDS = 7
_SMOOTH = 1e-9
_TIMES = 5.0
_SHIFT = (-0.03, 0.3)


def break_even(
    model: RiskModel, name: str, *, figure: str = "npv_fen", target: float = 0.0, low: float | None = None, high: float | None = None
) -> tuple[float, ...]:
    """All values of one input at which a figure equals its target, the others at their medians (临界值).

    Parameters
    ----------
    model : RiskModel
    name : str
        The input.
    figure : str
        One of `kernel.FIGURES`, as ``npv_fen`` or ``min_coverage``.
    target : float
        Value to be reached.
    low, high : float, optional
        Where to look; without them `break_even_range`.

    Returns
    -------
    tuple of float
        Rising; empty where the figure does not cross the target. Roots closer than a 400th of the range may be missed in
        pairs. A jump of the figure over the target is no root.

    Raises
    ------
    SchemaError
        No such input or figure, or a range without width.
    """
    if figure not in FIGURES:
        raise SchemaError(f"figure {figure!r}", expected=", ".join(FIGURES))
    row = model.place(name)
    least, most = break_even_range(model, name)
    begin, end = least if low is None else low, most if high is None else high
    if not begin < end:
        raise SchemaError(f"{name} from {begin:g} to {end:g}", expected="a range with a width")
    places = np.linspace(begin, end, _POINTS)
    gap = _gap(model, row, places, figure, target)
    scale = float(np.nanmax(np.abs(gap), initial=0.0))
    roots = [float(p) for p, g in zip(places, gap, strict=True) if g == 0.0]
    for k in np.flatnonzero(gap[:-1] * gap[1:] < 0):
        found = _narrowed(model, row, places[k], places[k + 1], figure, target, _SMOOTH * scale)
        if found is not None:
            roots.append(found)
    return tuple(sorted(roots))


def break_even_range(model: RiskModel, name: str) -> tuple[float, float]:
    """Where a break-even value is looked for unless told (默认搜索范围).

    Parameters
    ----------
    model : RiskModel
    name : str
        The input.

    Returns
    -------
    tuple of float
        Nothing to five times the base for a factor, nothing to the whole timeline for a delay, −3 to 30 % for a shift of rates.
    """
    x = model.inputs[model.place(name)]
    if x.effect == "delay_months":
        return 0.0, 12.0 * model.years
    if x.effect == "rate_shift":
        floor = float(np.min(model.loan.rate)) if model.loan is not None else 0.0
        return max(_SHIFT[0], -floor), _SHIFT[1]
    return 0.0, _TIMES * (x.base or 1.0)


def _gap(model: RiskModel, row: int, places: np.ndarray, figure: str, target: float) -> np.ndarray:
    values = np.repeat(model.base_values, len(places), axis=1)
    values[row] = places
    return evaluate(model, values)[figure] - target


def _narrowed(model: RiskModel, row: int, low: float, high: float, figure: str, target: float, most: float) -> float | None:
    """The crossing between two places, each round 400 times narrower; None where the figure jumps or is lost in between."""
    wide = np.inf
    for _ in range(_ROUNDS):
        places = np.linspace(low, high, _POINTS)
        gap = _gap(model, row, places, figure, target)
        crossed = np.flatnonzero(gap[:-1] * gap[1:] <= 0)
        if not len(crossed):
            return None
        k = int(crossed[0])
        wide, low, high = abs(gap[k + 1] - gap[k]), float(places[k]), float(places[k + 1])
        if gap[k] == 0.0 or high - low <= 4e-16 * max(abs(low), abs(high)):
            break
    return low if wide <= most else None
