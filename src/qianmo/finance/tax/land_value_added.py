"""Land value-added tax by progressive bands with quick deduction (土地增值税)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import same_shape
from qianmo.schema.errors import SchemaError
from qianmo.schema.policy_rates import policy_rate

__all__ = ["GainBand", "land_value_added_bands", "land_value_added_tax"]


class GainBand(NamedTuple):
    """One band of the gain (级距): up to `ceiling` times the deductions, `rate` less `quick` of the deductions."""

    ceiling: float
    rate: float
    quick: float


def land_value_added_bands(on: date) -> tuple[GainBand, ...]:
    """The four bands in force on a date, from the policy rates (四级超率累进税率).

    Raises
    ------
    RuleError
        No band for that date.
    """
    ceilings = [policy_rate(f"land_value_added_ceiling_{k}", on).value for k in (1, 2, 3)] + [float("inf")]
    return tuple(
        GainBand(c, policy_rate(f"land_value_added_rate_{k}", on).value, policy_rate(f"land_value_added_quick_{k}", on).value)
        for k, c in enumerate(ceilings, 1)
    )


def land_value_added_tax(
    revenue_fen: Any, deductions_fen: Any, bands: Sequence[GainBand | tuple[float, float, float]], *, exact: bool = True
) -> Any:
    """Tax on the gain from a transfer of state-owned land use right and buildings (应纳土地增值税).

    Parameters
    ----------
    revenue_fen, deductions_fen : float or array
        Income of the transfer and deductible items (扣除项目) [fen], not negative.
    bands : sequence of GainBand
        Rising ceilings, the last infinite, see `land_value_added_bands`.
    exact : bool
        Whole fen.

    Returns
    -------
    array
        Tax [fen], 0 where there is no gain; continuous and rising in the revenue.

    Raises
    ------
    SchemaError
        A negative or missing amount, or bands that do not rise to infinity or do not join.

    Notes
    -----
    With gain :math:`g` over deductions :math:`d` in band :math:`k`: :math:`T = g r_k - d q_k`. The quick deduction equals
    the sum of the lower bands' ceilings times the steps of the rate, so it equals the tax band by band.

    Examples
    --------
    >>> float(land_value_added_tax(250.0, 100.0, [(0.5, .3, 0), (1, .4, .05), (2, .5, .15), (float("inf"), .6, .35)]))
    60.0
    """
    steps = [GainBand(*b) for b in bands]
    _check(steps)
    revenue, deductions = same_shape(revenue_fen=revenue_fen, deductions_fen=deductions_fen, least=0.0)
    gain = np.maximum(revenue - deductions, 0.0)
    band = np.searchsorted([b.ceiling for b in steps[:-1]], _ratio(gain, deductions), side="left")
    rate, quick = np.array([b.rate for b in steps])[band], np.array([b.quick for b in steps])[band]
    return whole_fen(gain * rate - deductions * quick, exact)


def _ratio(gain: np.ndarray, deductions: np.ndarray) -> np.ndarray:
    """Gain over deductions; infinite where a gain has no deductions."""
    full = np.where(gain > 0, np.inf, 0.0)
    return np.divide(gain, deductions, out=full, where=deductions > 0)


def _check(steps: Sequence[GainBand]) -> None:
    ceilings = [b.ceiling for b in steps]
    if not steps or ceilings != sorted(set(ceilings)) or ceilings[-1] != float("inf"):
        raise SchemaError(f"bands with ceilings {ceilings}", expected="rising ceilings, the last infinite")
    quick = 0.0
    for lower, upper in zip(steps, steps[1:], strict=False):
        quick += lower.ceiling * (upper.rate - lower.rate)
        if abs(upper.quick - quick) > 1e-9:
            raise SchemaError(f"quick deduction {upper.quick:g} of the band above {lower.ceiling:g}", expected=f"{quick:g}, where the bands join")
