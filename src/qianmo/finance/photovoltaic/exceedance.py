"""How sure a yield is: P50, P90, and random years (发电量保证率)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter

__all__ = ["COMPONENTS", "combined_uncertainty", "exceedance", "lifetime_energy", "random_lifetimes", "uncertainties"]

COMPONENTS = ("resource", "transposition", "model")
"""Independent parts of the uncertainty, parameters ``photovoltaic_uncertainty_<part>``."""


def uncertainties(overrides: Mapping[str, float] | None = None) -> dict[str, float]:
    """Standard uncertainty of each part of `COMPONENTS` as a share of the yield (不确定度分量)."""
    return {name: parameter(f"photovoltaic_uncertainty_{name}", overrides) for name in COMPONENTS}


def combined_uncertainty(parts: Sequence[float], *, variability: float = 0.0, years: int = 1) -> float:
    """Standard uncertainty of the mean of some years (合成不确定度): root of the sum of squares, the yearly part over the years.

    >>> round(combined_uncertainty([0.03, 0.04], variability=0.1, years=4), 6)
    0.070711
    """
    if years < 1 or variability < 0.0 or any(p < 0.0 for p in parts):
        raise SchemaError(f"parts {list(parts)}, variability {variability}, years {years}", expected="shares of 0 or more, and a year or more")
    return float(np.sqrt(sum(p * p for p in parts) + variability**2 / years))


def exceedance(p50: np.ndarray | float, uncertainty: float, level: float) -> np.ndarray:
    """Yield that is exceeded with probability `level`, normal about P50 (超越概率发电量), never below 0.

    >>> round(float(exceedance(100.0, 0.1, 0.9)), 4)
    87.1845
    """
    if not 0.0 < level < 1.0:
        raise SchemaError(f"level {level}", expected="a probability between 0 and 1, such as 0.9", cure="P90 写作 0.9")
    return np.maximum(np.asarray(p50, float) * (1.0 - uncertainty * norm.ppf(level)), 0.0)


def lifetime_energy(first_year: float, degradation: float, years: int) -> np.ndarray:
    """Energy of every year with a yearly loss (逐年发电量), (years,): the first year is whole.

    >>> lifetime_energy(100.0, 0.01, 3).round(4).tolist()
    [100.0, 99.0, 98.01]
    """
    if not (0.0 <= degradation < 1.0 and years >= 1):
        raise SchemaError(f"degradation {degradation}, years {years}", expected="a share below 1 and a year or more")
    return first_year * (1.0 - degradation) ** np.arange(years)


def random_lifetimes(
    first_year: float, *, degradation: float, years: int, scenarios: int, parts: Sequence[float], variability: float, rng: np.random.Generator
) -> np.ndarray:
    """Energy of every year in many futures (随机逐年发电量), (years, scenarios), for the risk run of the money.

    What is not known stays through a whole future; the weather is drawn anew each year. Both are normal, and energy is never below 0.
    """
    lasting = rng.normal(0.0, combined_uncertainty(parts), scenarios)
    weather = rng.normal(0.0, variability, (years, scenarios))
    return np.maximum(lifetime_energy(first_year, degradation, years)[:, None] * (1.0 + lasting[None, :] + weather), 0.0)
